"""Reading what is listed, over REST: tournaments, events, markets with their books, strikes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmbot.sim.core import messages
from mmbot.sim.core.lifecycle import Line, SportEvent
from mmbot.sim.core.messages import Json
from mmbot.sim.core.orders import Refusal
from mmbot.sim.dialects.errors import refusal
from mmbot.sim.http.arrival import Arrival
from mmbot.sim.http.requests import EVENT_ID_MAX, integer, integers

if TYPE_CHECKING:
    from mmbot.sim.box import Box

Body = Json | Refusal
EVENTS_PER_QUERY_MAX = 50
STRIKES_PER_QUERY_MAX = 20
PROPS_CATEGORY = "Player Props"


class ListingRoutes:
    """The public side of the API: the same for every account."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._exchange = box.exchange

    def price_ladder(self, asked: Arrival, now_ns: int) -> Body:
        return {"data": list(self._exchange.ladder.wire)}

    def tournaments(self, asked: Arrival, now_ns: int) -> Body:
        listing = self._exchange.listing
        active = asked.query.get("has_active_events", "").lower()
        if active not in ("", "true", "false", "1", "0"):
            return refusal("invalid_param", "has_active_events: true or false is expected")
        active_only = active in ("true", "1")
        rows: list[Json] = []
        for one in listing.tournaments():
            events = [e for e in listing.events.values() if e.tournament.id == one.id]
            if active_only and all(event.status == "finished" for event in events):
                continue
            updated = min(event.updated_ns for event in events)
            rows.append(messages.tournament_fields(one, updated))
        return {"data": {"tournaments": rows or None}}

    def sport_events(self, asked: Arrival, now_ns: int) -> Body:
        tournament, ids = asked.query.get("tournament_id", ""), asked.query.get("event_ids", "")
        if (tournament and integer(tournament) is None) or integers(ids) is None:
            return refusal("invalid_request", "tournament_id or event_ids is not valid")
        wanted = set(integers(ids) or ())
        found = [
            messages.event_fields(event)
            for event in self._shown_events()
            if (not tournament or event.tournament.id == integer(tournament))
            and (not wanted or event.event_id in wanted)
        ]
        return {"data": {"sport_events": found or None}}

    def markets(self, asked: Arrival, now_ns: int) -> Body:
        event_id = _event_id(asked.query.get("event_id", ""))
        if isinstance(event_id, Refusal):
            return event_id
        event = self._event(event_id)
        if event is None:
            return refusal("sport_event_not_found")
        return {"data": {"event_id": event_id, "markets": self._markets(event) or None}}

    def multiple_markets(self, asked: Arrival, now_ns: int) -> Body:
        texts = [text for text in asked.query.get("event_ids", "").split(",") if text]
        if not 1 <= len(texts) <= EVENTS_PER_QUERY_MAX:
            return refusal("market_event_limit_exceeded")
        by_event: Json = {}
        every: list[Json] = []
        for text in texts:
            event_id = _event_id(text)
            if isinstance(event_id, Refusal):
                return event_id
            event = self._event(event_id)
            if event is None:
                if self._box.options.wire.unknown_event == "null":
                    by_event[text] = None
                continue
            markets = self._markets(event)
            by_event[text] = markets or None
            every += markets
        return {
            "data": every if self._box.options.wire.multiple_markets == "flat_list" else by_event
        }

    def strikes(self, asked: Arrival, now_ns: int) -> Body:
        ids = [text for text in asked.query.get("strike_ids", "").split(",") if text]
        if not 1 <= len(ids) <= STRIKES_PER_QUERY_MAX:
            return refusal("invalid_param", "strike_ids: 1 to 20 are expected")
        rows: list[Json] = []
        for strike_id in ids:
            strike = self._exchange.listing.strikes.get(strike_id)
            if strike is None:
                continue
            line = self._exchange.listing.line_of(strike)
            as_text = self._box.options.wire.strike_market_id == "text"
            rows.append(
                {
                    "event_id": line.event_id,
                    "market_id": str(line.market_id) if as_text else line.market_id,
                    "strike_id": strike_id,
                    "type": line.kind,
                    "sub_type": line.sub_type,
                }
            )
        return {"data": rows}

    def search_markets(self, asked: Arrival, now_ns: int) -> Body:
        """No source shows the answer; the shape is that of one event's markets."""
        tournament = integer(asked.query.get("tournament_id"))
        if tournament is None:
            return refusal("invalid_param", "tournament_id is needed")
        found = [
            market
            for event in self._shown_events()
            if event.tournament.id == tournament
            for market in self._markets(event)
        ]
        return {"data": {"markets": found or None}}

    def players(self, asked: Arrival, now_ns: int) -> Body:
        """Who has a market of his own; no source shows a row."""
        tournament = integer(asked.query.get("tournament_id"))
        if tournament is None:
            return refusal("invalid_param", "tournament_id is needed")
        found = {
            line.spec.player_id: {"id": line.spec.player_id, "name": line.spec.label}
            for event in self._shown_events()
            if event.tournament.id == tournament
            for line in event.lines
            if line.spec.player_id
        }
        if asked.asked.operation == "players":
            return {"data": {"players": list(found.values()) or None}}
        player = found.get(integer(asked.id_asked) or 0)
        return refusal("data_not_found", "no such player") if player is None else {"data": player}

    def _event(self, event_id: int) -> SportEvent | None:
        event = self._exchange.listing.events.get(event_id)
        return event if event is not None and event.listed else None

    def _shown_events(self) -> list[SportEvent]:
        events = self._exchange.listing.events.values()
        return [event for event in events if event.listed and event.status != "finished"]

    def _markets(self, event: SportEvent) -> list[Json]:
        by_market: dict[int, list[Line]] = {}
        for line in event.lines:
            by_market.setdefault(line.market_id, []).append(line)
        return [self._market(event, lines) for lines in by_market.values()]

    def _market(self, event: SportEvent, lines: list[Line]) -> Json:
        """Moneylines and props carry their selections, other kinds nest their alternative lines."""
        first = next((line for line in lines if line.favourite), lines[0])
        status = event.status_of(first.market_id)
        spec = first.spec
        name = spec.label or messages.MARKET_NAMES[first.kind]
        group = PROPS_CATEGORY if spec.sub_type else messages.CATEGORY
        fields: Json = {
            "id": first.market_id,
            "event_id": event.event_id,
            "name": name,
            "display_name": name,
            "type": first.kind,
            "sub_type": first.sub_type,
            "category_name": group,
            "group_name": group,
            "description": "",
            "status": status,
            "favourite": first.kind != "spread",
            "player_id": spec.player_id,
            "updated_at": event.updated_ns,
        }
        if first.kind != "spread":
            fields["strike"] = messages.number(first.number)
        if first.kind.endswith("moneyline") or (spec.sub_type and len(lines) == 1):
            fields["selections"] = self._selections(first)
            return fields
        fields["market_strikes"] = [
            {
                "id": line.market_id,
                "name": line.name,
                "strike": messages.number(line.number),
                "favourite": line.favourite,
                "status": status,
                "selections": self._selections(line),
            }
            for line in lines
        ]
        return fields

    def _selections(self, line: Line) -> list[list[Json]]:
        book = self._exchange.books[line.index]
        rules = self._exchange.rules
        nominal = rules.book_quantity == "nominal"
        return messages.selections(line, book, rules.book_levels_max, nominal=nominal)


def _event_id(text: str) -> int | Refusal:
    event_id = integer(text)
    if event_id is None or not 0 < event_id <= EVENT_ID_MAX:
        return refusal("market_invalid_event")
    return event_id
