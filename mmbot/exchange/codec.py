"""Orders, money and requests between the wire and the domain."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from mmbot.domain.catalog import Competitor, SportEvent
from mmbot.domain.commands import CancelRef, SweepStrike
from mmbot.domain.errors import SetUpError
from mmbot.domain.events import BalanceSeen
from mmbot.domain.fill import Trade, Transaction
from mmbot.domain.ids import ExternalId, MarketId, OrderId, SportEventId, StrikeId
from mmbot.domain.order import Order, OrderReport
from mmbot.domain.price import Ladder
from mmbot.exchange import wire
from mmbot.exchange.amounts import american, cents, dollars, time_ns, whole
from mmbot.exchange.listing import Wish
from mmbot.exchange.notices import Notices
from mmbot.exchange.old_words import RESULTS

LADDER_PRICES_MIN: Final = 2
STATUSES: Final = frozenset(
    {"inactive", "open", "invalid", "canceled", "wiped", "void", "manually_settled", "settled",
     "closed"}
)  # fmt: skip
MATCHING_STATUSES: Final = frozenset({"", "unmatched", "partially_matched", "fully_matched"})


# --- from the wire --------------------------------------------------------------------------


def order_report(raw: wire.Raw | bytes, notices: Notices, streamed: bool = False) -> OrderReport:
    """What the exchange says of an order; ValueError when a field that matters is missing."""
    order = wire.decode(raw, wire.Order)
    ident = order.order_id or order.id or order.wager_id
    if not ident:
        raise ValueError("an order without an id")
    if order.strike_id in {None, ""}:
        raise ValueError("an order without a strike id")
    status = order.status or ""
    result = order.winning_status or order.profit_status or ""
    if status not in STATUSES:
        notices.count(f"unknown_status:{status[:30]}", str(ident))
    if (order.matching_status or "") not in MATCHING_STATUSES:
        notices.count(f"unknown_matching_status:{(order.matching_status or '')[:30]}", str(ident))
    return OrderReport(
        order_id=OrderId(str(ident)),
        external_id=ExternalId(order.external_id) if order.external_id else None,
        event_id=SportEventId(whole(order.sport_event_id)),
        market_id=MarketId(whole(order.market_id)),
        strike_id=StrikeId(str(order.strike_id)),
        price=american(order.price),
        quantity_cents=_amount(order.quantity, "quantity"),
        filled_cents=_filled(order, streamed),
        open_cents=_amount(order.open_quantity, "open_quantity"),
        status=status,
        matching_status=order.matching_status or "",
        winning_status=RESULTS.get(result, result),
        created_ns=time_ns(order.created_at),
    )


def _filled(order: wire.Order, streamed: bool) -> int:
    """The cumulative total. In a message `filled_quantity` is only the newest fill."""
    if order.total_filled_quantity is not None:
        return _amount(order.total_filled_quantity, "total_filled_quantity")
    if streamed:
        raise ValueError("an order message without total_filled_quantity")
    return _amount(order.filled_quantity, "filled_quantity")


def _amount(number: Decimal | None, name: str) -> int:
    if number is None:
        raise ValueError(f"an order without {name}")
    amount = cents(number)
    if amount < 0:
        raise ValueError(f"a negative {name}")
    return amount


def sport_event(seen: wire.SportEvent) -> SportEvent:
    """ValueError when id or start is missing: an event without a start is never quoted."""
    start_ns = time_ns(seen.scheduled)
    if start_ns is None:
        raise ValueError("a sport event without a start")
    return SportEvent(
        event_id=SportEventId(whole(seen.event_id)),
        name=seen.name or "",
        tournament_id=whole(seen.tournament_id) if seen.tournament_id else 0,
        tournament_name=seen.tournament_name or "",
        start_ns=start_ns,
        status=seen.status or "unknown",
        competitors=tuple(
            Competitor(one.name or "", one.side or "") for one in seen.competitors or ()
        ),
        sport_name=seen.sport_name or "",
    )


def balance_seen(body: bytes, received_ns: int) -> BalanceSeen:
    """Its cash is None when a figure is missing (fails closed: G3)."""
    try:
        balance = wire.unwrap(body, wire.Balance)
        if balance.balance is None or balance.matched_order_balance is None:
            return BalanceSeen(None, received_ns)
        total, matched = cents(balance.balance), cents(balance.matched_order_balance)
    except ValueError:
        return BalanceSeen(None, received_ns)
    return BalanceSeen(
        min(total, total - matched), received_ns, total, credit_cents=_credit(balance.gec_balance)
    )


def _credit(told: wire.Raw) -> int | None:
    """Only shown: what cannot be read of it spoils nothing."""
    try:
        return cents(Decimal(bytes(told).decode()))
    except (ArithmeticError, ValueError):
        return None


def transaction(raw: wire.Raw) -> Transaction:
    """One money row; ValueError when its id, kind or amount is missing."""
    row = wire.decode(raw, wire.Transaction)
    ident = row.id or row.transaction_id
    kind = (row.transaction_type or row.type or "").upper()
    if not ident or not kind or row.amount is None:
        raise ValueError("a transaction without id, type or amount")
    event_id = row.sport_event_id if row.sport_event_id is not None else row.event_id
    return Transaction(
        transaction_id=str(ident),
        kind="TRADE" if kind == "BET" else kind,  # the older list has BET in its place
        amount_cents=cents(row.amount),
        trade_id=str(row.trade_id or ""),
        event_id=whole(event_id) if event_id else 0,
        market_id=str(row.market_id or ""),
        created_ns=time_ns(row.created_at) or 0,
        balance_cents=None if row.balance is None else cents(row.balance),
    )


def trade(raw: wire.Raw) -> Trade:
    """One fill; ValueError when its id or its order is missing. The amount may be."""
    row = wire.decode(raw, wire.Trade)
    ident, order_id = row.id or row.trade_id, row.order_id or row.wager_id
    if not ident or not order_id:
        raise ValueError("a trade without id or order")
    amount = row.stake if row.quantity is None else row.quantity
    return Trade(str(ident), OrderId(str(order_id)), 0 if amount is None else cents(amount))


def ladder(body: bytes, notices: Notices) -> Ladder:
    """SetUpError unless every value is an American price (contract 15.8).

    -100 is dropped: it is refused wherever it stands, and +100 needs a place of its own.
    """
    try:
        rows = wire.rows_of(body, "odds", "ladder")
        listed = [wire.decode(row, Decimal) for row in rows]
        prices = [american(number) for number in listed if number != -100]
    except ValueError as error:
        raise SetUpError(f"the price ladder cannot be used: {error}") from None
    if len(prices) < len(listed):
        notices.count("ladder_with_minus_100")
    if len(set(prices)) < LADDER_PRICES_MIN:
        raise SetUpError(f"the price ladder has {len(set(prices))} prices")
    return Ladder.of(prices)


# --- to the wire ----------------------------------------------------------------------------

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def submit_body(orders: Sequence[Order]) -> bytes:
    return _ENCODER.encode({"data": [_order_request(order) for order in orders]})


def _order_request(order: Order) -> dict[str, Any]:
    request: dict[str, Any] = {
        "external_id": order.external_id,
        "strike_id": order.strike_id,
        "price": int(order.price),
        "quantity": dollars(order.quantity_cents),
    }
    if order.order_strategy:
        request["order_strategy"] = order.order_strategy
    return request


def cancel_body(refs: Sequence[CancelRef]) -> bytes:
    """Always both ids (contract 15.21)."""
    return _ENCODER.encode(
        {"data": [{"order_id": r.order_id, "external_id": r.external_id} for r in refs]}
    )


def sweep_body(sweep: SweepStrike, market_id_as_text: bool = False) -> bytes:
    market_id: int | str = str(sweep.market_id) if market_id_as_text else int(sweep.market_id)
    return _ENCODER.encode(
        {"event_id": int(sweep.event_id), "market_id": market_id, "strike_id": sweep.strike_id}
    )


def event_body(event_id: SportEventId) -> bytes:
    """`sport_event_id` is refused with `invalid_event_id` (seen by a third party)."""
    return _ENCODER.encode({"event_id": int(event_id)})


def register_body(socket_id: str, wish: Wish) -> bytes:
    """The complete wish; empty types are left out."""
    lists = (
        ("tournament", [str(ident) for ident in wish.tournament_ids]),
        ("event", [str(ident) for ident in wish.event_ids]),
        ("event_subtype", [f"{event}:{sub_type}" for event, sub_type in wish.subtypes]),
    )
    subscriptions = [{"type": kind, "ids": ids} for kind, ids in lists if ids]
    return _ENCODER.encode(
        {"socket_id": socket_id, "service": "pusher", "subscriptions": subscriptions}
    )


def register_old_body(socket_id: str, wish: Wish) -> bytes:
    """Tournaments alone; an empty list would ask for all of them (contract 9.2)."""
    return _ENCODER.encode({"socket_id": socket_id, "subscriptions": _tournaments(wish)})


def register_old_headers(wish: Wish) -> dict[str, str]:
    """The same list: its page has it in a header, another one in the body (contract 9.2)."""
    return {"header-subscriptions": _ENCODER.encode(_tournaments(wish)).decode()}


def _tournaments(wish: Wish) -> list[dict[str, Any]]:
    ids = [str(ident) for ident in wish.tournament_ids]
    return [{"type": "tournament", "ids": ids}] if ids else []


def login_body(access_key: str, secret_key: str) -> bytes:
    return _ENCODER.encode({"access_key": access_key, "secret_key": secret_key})


def refresh_body(refresh_token: str) -> bytes:
    return _ENCODER.encode({"refresh_token": refresh_token})
