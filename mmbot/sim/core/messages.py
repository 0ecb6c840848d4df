"""Wire forms of v4: orders, markets, events and the stream payloads made from them."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from mmbot.sim.core.lifecycle import (
    Line,
    SportEvent,
    Strike,
    Tournament,
    competitor_id,
    iso_seconds,
    iso_utc,
)
from mmbot.sim.core.matching import LineBook
from mmbot.sim.core.orders import Account, Fill, Order, OrderNews, Transaction, matching_status
from mmbot.sim.core.prices import profit_cents, usd

Json = dict[str, object]
CATEGORY = "Game Lines"
MARKET_NAMES: Final = {"moneyline": "Moneyline", "spread": "Spread", "total": "Total"}


class Outgoing(Struct, frozen=True):
    """One stream message before it is put on channels: to a user, an event, or everybody."""

    at_ns: int
    event: str
    change_type: str
    op: str
    payload: Json
    user_id: str = ""
    event_id: int = 0
    sub_type: str = ""


def number(value: float) -> float | int:
    return int(value) if value == int(value) else value


def order_fields(order: Order, news: OrderNews | None = None) -> Json:
    """An order as it is, or as it was when there was news of it."""
    line, strike, price = order.line, order.strike, order.price
    seen = order if news is None else news
    quantity, filled, left = seen.quantity_cents, seen.filled_cents, seen.open_cents
    return {
        "order_id": order.order_id,
        "external_id": order.request.external_id,
        "user_id": order.account.user_id,
        "sport_event_id": line.event_id,
        "market_id": line.market_id,
        "outcome_id": strike.outcome_id,
        "strike": number(strike.number),
        "strike_id": strike.strike_id,
        "price": price,
        "quantity": usd(quantity),
        "profit": usd(profit_cents(price, quantity, floor=order.profit_floor)),
        "filled_quantity": usd(filled),
        "open_quantity": usd(left),
        "matching_status": matching_status(filled, left),
        "winning_status": seen.winning_status,
        "status": seen.status,
    }


def history_row(order: Order) -> Json:
    row = order_fields(order) | {
        "created_at": iso_utc(order.created_ns),
        "updated_at": iso_utc(order.updated_ns),
    }
    if order.settled_ns:
        row["settled_at"] = iso_utc(order.settled_ns)
    return row


def order_message(news: OrderNews) -> Outgoing:
    """The private message: of a fill when one took something, otherwise of a status change."""
    order, taken = news.order, news.taken_cents
    info = order_fields(order, news)
    info["filled_quantity"] = usd(taken)
    info["total_filled_quantity"] = usd(news.filled_cents)
    info["fill_price"] = news.fill_price if taken else 0
    info["update_type"] = "matching" if taken else "status"
    info["sequence_number"] = news.sequence
    user_id = order.account.user_id
    return Outgoing(news.at_ns, "orders", "orders", "u", {"info": info}, user_id=user_id)


def trade_print(fill: Fill, sequence: int, order: Order) -> Outgoing:
    """The public print, as the owner of `order` (taker or maker) sees the trade."""
    strike = order.strike
    price = fill.maker_price if order is fill.maker else fill.taker_price
    info: Json = {
        "sport_event_id": order.line.event_id,
        "market_id": order.line.market_id,
        "outcome_id": strike.outcome_id,
        "strike": number(strike.number),
        "strike_id": strike.strike_id,
        "origin_market_strike": number(order.line.number),
        "price": price,
        "fill_price": price,
        "filled_quantity": usd(fill.stakes(order)[0]),
        "sequence_number": sequence,
    }
    name = f"tournament_{order.line.event.tournament.id}"
    return Outgoing(fill.at_ns, name, "matched_order", "c", {"info": info})


def selections(
    line: Line, book: LineBook, levels_max: int, *, nominal: bool = False
) -> list[list[Json]]:
    """Both outcomes, each with what a taker can get, or one placeholder without a price."""
    return [
        [
            _level(strike, level, book.updated_ns + strike.outcome_id)
            for level in book.levels(strike.side, levels_max, nominal=nominal)
        ]
        or [_level(strike, None, 0)]
        for strike in line.strikes
    ]


def _level(strike: Strike, level: tuple[int, int, int] | None, updated_at: int) -> Json:
    price, quantity, value = level if level is not None else (None, 0, 0)
    fields: Json = {
        "outcome_id": strike.outcome_id,
        "name": strike.name,
        "display_name": strike.display_name,
        "strike": number(strike.number),
        "strike_id": strike.strike_id,
        "price": price,
        "display_price": "" if price is None else f"{price:+d}",
        "display_strike": strike.display_number,
        "quantity": usd(quantity),
        "value": usd(value),
        "updated_at": updated_at,
    }
    if strike.competitor_id is not None:
        fields["competitor_id"] = strike.competitor_id
    return fields


def book_message(
    line: Line,
    book: LineBook,
    at_ns: int,
    sequence: int,
    levels_max: int,
    *,
    nominal: bool = False,
) -> Outgoing:
    info: Json = {
        "id": line.market_id,
        "name": line.name,
        "type": line.kind,
        "strike": number(line.number),
        "selections": selections(line, book, levels_max, nominal=nominal),
        "sequence_number": sequence,
    }
    payload: Json = {"sport_event_id": line.event_id, "market_id": line.market_id, "info": info}
    kind = "market_selections"
    return Outgoing(
        at_ns,
        kind,
        kind,
        "u",
        payload,
        event_id=line.event_id,
        sub_type=line.spec.sub_type,
    )


def event_fields(event: SportEvent) -> Json:
    game = event.game
    return {
        "event_id": event.event_id,
        "name": event.name,
        "display_name": f"{short(game.away)} at {short(game.home)}",
        "type": "match",
        "sub_type": None,
        "sport_name": event.tournament.sport_name,
        "tournament_id": event.tournament.id,
        "tournament_name": event.tournament.name,
        "scheduled": iso_seconds(event.start_ns),
        "status": event.status,
        "live_disabled": event.live_disabled,
        "competitors": [
            {
                "id": competitor_id(team),
                "name": team,
                "display_name": team.split()[-1],
                "abbreviation": short(team),
                "country": "",
                "side": side,
            }
            for team, side in ((game.home, "home"), (game.away, "away"))
        ],
        "updated_at": event.updated_ns,
    }


def short(team: str) -> str:
    words = team.split()
    return (words[0][0] + words[1][0] + words[-1][0] if len(words) > 2 else team[:3]).upper()


def event_message(event: SportEvent, at_ns: int, sequence: int, op: str = "u") -> Outgoing:
    info = event_fields(event) | {"sequence_number": sequence}
    tournament = event.tournament.id
    payload: Json = {
        "id": str(event.event_id),
        "tournament_id": str(tournament),
        "info": info,
    }
    return Outgoing(at_ns, f"tournament_{tournament}", "sport_event", op, payload)


def event_removed(event: SportEvent, at_ns: int, sequence: int) -> Outgoing:
    """An unlisted event: only its ids are told."""
    tournament = event.tournament.id
    payload: Json = {"id": str(event.event_id), "tournament_id": str(tournament)}
    return Outgoing(at_ns, f"tournament_{tournament}", "sport_event", "d", payload)


def tournament_message(tournament: Tournament, at_ns: int, sequence: int) -> Outgoing:
    info = tournament_fields(tournament, at_ns) | {"sequence_number": sequence}
    del info["updated_at"]
    payload: Json = {"id": str(tournament.id), "info": info}
    return Outgoing(at_ns, f"tournament_{tournament.id}", "tournament", "u", payload)


def market_name(line: Line) -> str:
    """The name of the market that a line belongs to."""
    return line.spec.label or MARKET_NAMES.get(line.kind, line.kind)


def market_message(
    event: SportEvent, market_id: int, status: str, at_ns: int, sequence: int
) -> Outgoing:
    line = next(one for one in event.lines if one.market_id == market_id)
    info: Json = {
        "id": market_id,
        "sport_event_id": event.event_id,
        "name": market_name(line),
        "status": status,
        "description": "",
        "sequence_number": sequence,
    }
    payload: Json = {"id": str(event.event_id), "info": info}
    return Outgoing(at_ns, f"tournament_{event.tournament.id}", "market", "u", payload)


def strike_message(
    event: SportEvent, ends: tuple[Line, Strike], status: str, news: tuple[int, int], op: str
) -> Outgoing:
    """A strike comes (c), changes (u) or goes (d); `news` is time and sequence."""
    line, strike = ends
    at_ns, sequence = news
    info: Json = {
        "id": line.wire_id,
        "sport_event_id": line.event_id,
        "market_id": line.market_id,
        "outcome_id": strike.outcome_id,
        "strike": number(strike.number),
        "strike_id": strike.strike_id,
        "type": line.kind,
        "name": strike.name,
        "status": status,
        "favourite": line.favourite,
        "sequence_number": sequence,
    }
    payload: Json = {"id": line.wire_id, "info": info}
    return Outgoing(at_ns, f"tournament_{event.tournament.id}", "market_strike", op, payload)


def tournament_fields(tournament: Tournament, updated_ns: int) -> Json:
    return {
        "id": tournament.id,
        "name": tournament.name,
        "banner": "",
        "image": "",
        "sport": {"id": tournament.sport_id, "name": tournament.sport_name},
        "category": {"id": 43, "name": "USA", "countryCode": "USA"},
        "updated_at": updated_ns,
    }


def trade_row(account: Account, fill: Fill) -> Json:
    order, price, cents, _ = own_part(account, fill)
    return {
        "id": fill.fill_id,
        "order_id": order.order_id,
        "price": price,
        "quantity": usd(cents),
        "matched_at": iso_utc(fill.at_ns),
    }


def matched_detail_row(account: Account, fill: Fill) -> Json:
    order, price, cents, counter = own_part(account, fill)
    return {
        "order_id": order.order_id,
        "external_id": order.request.external_id,
        "fill_price": price,
        "filled_quantity": usd(cents),
        "profit": usd(counter),
        "matched_at": iso_utc(fill.at_ns),
    }


def own_part(account: Account, fill: Fill) -> tuple[Order, int, int, int]:
    """Order, price, own stake and the other side's stake of an account in a fill."""
    if fill.maker.account is account:
        return fill.maker, fill.maker_price, fill.maker_cents, fill.taker_cents
    return fill.taker, fill.taker_price, fill.taker_cents, fill.maker_cents


def transaction_row(row: Transaction) -> Json:
    return {
        "id": f"tx-{row.number}",
        "trade_id": row.trade_id,
        "transaction_type": row.kind,
        "amount": usd(row.amount_cents),
        "balance": usd(row.balance_cents),
        "sport_event_id": row.event_id,
        "market_id": row.market_id,
        "created_at": iso_utc(row.at_ns),
    }
