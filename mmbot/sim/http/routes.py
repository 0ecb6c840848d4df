"""From method, path, headers and body to status, headers and body, in every dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from mmbot.sim.core.messages import Json
from mmbot.sim.core.orders import Refusal
from mmbot.sim.dialects.errors import in_wager_words, refusal
from mmbot.sim.dialects.forms import answer_in, with_wager_codes
from mmbot.sim.dialects.speech import Speech, exists, speech_of
from mmbot.sim.dialects.table import CANCELS, REPORTS, SUBMITS, Route, find
from mmbot.sim.dialects.words import request_fields
from mmbot.sim.http.arrival import Arrival as Arrival
from mmbot.sim.http.door import Door
from mmbot.sim.http.feed_route import FeedRoute
from mmbot.sim.http.listing_routes import ListingRoutes
from mmbot.sim.http.order_routes import OrderRoutes
from mmbot.sim.http.pusher_auth import authorize
from mmbot.sim.http.read_routes import ReadRoutes
from mmbot.sim.http.registration import connection_config, register
from mmbot.sim.http.replies import NOT_FOUND, Answer, Reply, not_allowed, reply
from mmbot.sim.http.reporting import Reporting
from mmbot.sim.http.requests import body_of, query_of
from mmbot.sim.http.sessions import UNAUTHORIZED
from mmbot.sim.rules import WireRules
from mmbot.sim.stream.envelopes import Words

if TYPE_CHECKING:
    from mmbot.sim.box import Box

PREFIX = "/partner"
# Operations without an access token; and those that take a form as well as JSON.
AT_THE_DOOR: Final = frozenset({"login", "refresh", "new_keys"})
FORM_TAKERS: Final = frozenset({"pusher"})
METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"})
Handler = Callable[[Arrival, int], Answer]


class Routes:
    """One handler per operation; the dialects only ask and answer in other words."""

    def __init__(self, box: Box, reporting: Reporting) -> None:
        self._box = box
        self._feed = FeedRoute(box)
        self._door = Door(box)
        orders = OrderRoutes(box.exchange, box.switches, box.sessions)
        reads = ReadRoutes(box, reporting)
        listing = ListingRoutes(box)
        self._listing = listing
        self._handlers: dict[str, Handler] = {
            "tournaments": listing.tournaments,
            "events": listing.sport_events,
            "ladder": self._price_ladder,
            "markets": listing.markets,
            "multiple_markets": listing.multiple_markets,
            "search_markets": listing.search_markets,
            "strikes": listing.strikes,
            "players": listing.players,
            "player": listing.players,
            "balance": reads.balance,
            "order": reads.order,
            "history": reads.history,
            "matched_detail": reads.matched_detail,
            "trades": reads.trades,
            "bets": reads.bets,
            "transactions": reads.transactions,
            "submit": orders.submit,
            "submit_many": orders.submit_many,
            "cancel": orders.cancel,
            "cancel_many": orders.cancel_many,
            "cancel_all": orders.cancel_all,
            "cancel_by_event": orders.cancel_by_event,
            "cancel_by_market": orders.cancel_by_market,
            "stream_config": self._stream_config,
            "register": self._register,
            "pusher": self._pusher,
            "pusher_ping": _ping,
        }

    @property
    def _wire(self) -> WireRules:
        return self._box.options.wire

    # -- at the door ----------------------------------------------------------------------

    def arrive(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, now_ns: int
    ) -> Arrival | Reply:
        """What happens at the door: log-in, tokens, the rate; the rest is done by `execute`."""
        place, _, query_text = path.partition("?")
        query = query_of(query_text)
        given = {name.lower(): value for name, value in headers.items()}
        if place == "/_feed/odds":
            return self._feed.odds(given, now_ns)
        if not place.startswith(PREFIX + "/"):
            return reply(NOT_FOUND, now_ns)
        place = place[len(PREFIX) :]
        route, methods = find(method, place)
        form = route is not None and route.operation in FORM_TAKERS
        content = body_of(body, given.get("content-type", ""), form=form)
        if route is not None and route.operation in AT_THE_DOOR:
            return self._door.authenticate(route, given, content, now_ns)
        account, valid = self._box.sessions.owner(given.get("authorization", ""), now_ns)
        if account is None:
            return reply(UNAUTHORIZED, now_ns, form=self._wire.error_form)
        asked = route or Route(method if method in METHODS else "OTHER", "", "unknown", "all")
        arrival = Arrival(asked, place, query, content, given, account)
        refused = self._door.refused(arrival, now_ns, valid=valid)
        if refused is None and (route is None or not exists(route, self._wire)):
            refused = self._unknown(methods, now_ns)
        if refused is not None:
            self._box.record.request(account, arrival.name, refused.status)
            return refused
        return self._understood(arrival)

    def _unknown(self, methods: tuple[str, ...], now_ns: int) -> Reply:
        if methods and self._wire.wrong_method == "not_allowed":
            return not_allowed(methods, now_ns)
        return reply(NOT_FOUND, now_ns, form=self._wire.error_form)

    def _understood(self, arrival: Arrival) -> Arrival:
        """The request in order words."""
        if arrival.asked.dialect != "legacy":
            return arrival
        new_words = self._speech(arrival) != "legacy"
        return arrival.reworded(lambda fields: request_fields(fields, order_words=new_words))

    def _speech(self, arrival: Arrival) -> Speech:
        return speech_of(arrival.asked, arrival.headers, self._wire)

    # -- inside ---------------------------------------------------------------------------

    def execute(self, arrival: Arrival, now_ns: int) -> Reply:
        switches = self._box.switches
        answer = self._said(arrival, self._handled(arrival, now_ns))
        lost = (arrival.operation in SUBMITS and switches.place_reply_lost) or (
            arrival.operation in CANCELS and switches.cancel_reply_lost
        )
        done = reply(answer, now_ns, lost=lost, form=self._wire.error_form)
        self._box.record.request(arrival.account, arrival.name, done.status)
        return done

    def _handled(self, arrival: Arrival, now_ns: int) -> Answer:
        if isinstance(arrival.body, Refusal):
            return arrival.body
        if arrival.operation in REPORTS and self._box.switches.reporting_down:
            return refusal("reporting_not_available", "reporting is in maintenance")
        switches = self._box.switches
        if switches.refuse_code and switches.refuse_what == "read" and arrival.is_read:
            return refusal(switches.refuse_code)
        return self._handlers[arrival.operation](arrival, now_ns)

    def refuse(self, arrival: Arrival, refused: Refusal, now_ns: int) -> Reply:
        """A refusal that no handler made, in the words of who asked."""
        return reply(self._said(arrival, refused), now_ns, form=self._wire.error_form)

    def _said(self, arrival: Arrival, answer: Answer) -> Answer:
        """The answer in the words of who asked."""
        speech = self._speech(arrival)
        older = speech == "legacy" or (speech == "v4" and self._wire.error_words == "legacy")
        if isinstance(answer, Refusal):
            return in_wager_words(answer) if older else answer
        answer = self._box.shapes.answer(arrival.operation, answer)
        if speech == "v4" and older:
            return with_wager_codes(arrival.asked, answer)
        return answer_in(speech, arrival.asked, answer, self._wire)

    def _price_ladder(self, asked: Arrival, now_ns: int) -> Answer:
        if self._box.switches.ladder_empty:
            return {"data": None}
        return self._listing.price_ladder(asked, now_ns)

    # -- the stream -----------------------------------------------------------------------

    def _stream_config(self, asked: Arrival, now_ns: int) -> Answer:
        host = self._box.switches.ws_host or self._box.ws_host
        return connection_config(self._box.hub, host)

    def _register(self, asked: Arrival, now_ns: int) -> Answer:
        limit = self._box.options.session.channel_limit
        return register(self._box.hub, asked.account, asked.body, limit, now_ns, self._box.switches)

    def _pusher(self, asked: Arrival, now_ns: int) -> Answer:
        wish = asked.headers.get("header-subscriptions", "")
        hub, account = self._box.hub, asked.account
        if asked.asked.version == 4:
            return authorize(hub, account, asked.body, wish, 6, now_ns=now_ns)
        words: Words | None = "order" if self._speech(asked) == "seed" else None
        return authorize(hub, account, asked.body, wish, 3, words, now_ns)


def _ping(asked: Arrival, now_ns: int) -> Json:
    """Named in a configuration of the vendor, never called there: the answer is a guess."""
    return {"data": {"success": True}}
