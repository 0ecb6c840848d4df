"""Things of the trade with sensible values, so that a test says only what matters to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mmbot.domain.catalog import Line, SportEvent, Strike
from mmbot.domain.events import Channel, HistoryRead, OrderNotFound, OrderSeen
from mmbot.domain.fill import Transaction
from mmbot.domain.ids import (
    ExternalId,
    LineId,
    MarketId,
    OrderId,
    SportEventId,
    StrikeId,
)
from mmbot.domain.order import Order, OrderReport
from mmbot.domain.price import Price
from mmbot.engine.ledger import Ledger

SECOND = 1_000_000_000
NOW = 1_780_000_000 * SECOND
PREFIX = "mm"
RUN = "0123456789ab"
EVENT = SportEventId(501)
MARKET = MarketId(251)
LINE = LineId("501/251/0")
HOME = StrikeId("strike-home")
AWAY = StrikeId("strike-away")


def an_event(**changes: Any) -> SportEvent:
    start_ns = NOW + 7200 * SECOND
    event = SportEvent(EVENT, "Away at Home", 31, "NFL", start_ns, "not_started")
    return replace(event, **changes)


def a_line(**changes: Any) -> Line:
    strikes = (Strike(HOME, 0, "Home", None), Strike(AWAY, 1, "Away", None))
    line = Line(LINE, EVENT, MARKET, "moneyline", "moneyline", "Moneyline", None, strikes)
    return replace(line, **changes)


def lines_of(*lines: Line) -> Any:
    """A lookup from strike to line, as the catalogue gives it."""
    by_strike = {s.strike_id: line for line in lines or (a_line(),) for s in line.strikes}
    return by_strike.get


def ident(n: int = 1, run: str = RUN) -> ExternalId:
    return ExternalId(f"{PREFIX}-{run}-{n}")


def an_order(external_id: str | ExternalId = "", **changes: Any) -> Order:
    """An intent of 100.00 on Home at +150; `quantity` is a short name for quantity_cents."""
    changes.setdefault("quantity_cents", changes.pop("quantity", 10_000))
    order = Order(
        external_id=ExternalId(external_id or ident()),
        event_id=EVENT,
        market_id=MARKET,
        line_id=LINE,
        strike_id=HOME,
        side=0,
        price=Price(150),
        quantity_cents=10_000,
        order_strategy="ALO",
        owner="consensus",
        intended_ns=NOW,
    )
    return replace(order, **changes)


def a_report(order: Order, filled: int = 0, status: str = "open", **changes: Any) -> OrderReport:
    """What the exchange says of that order; `open_cents` follows from the rest."""
    resting = order.quantity_cents - filled if status in {"open", "inactive"} else 0
    report = OrderReport(
        order_id=order.order_id or OrderId(f"theirs-{order.external_id}"),
        external_id=order.external_id,
        event_id=order.event_id,
        market_id=order.market_id,
        strike_id=order.strike_id,
        price=order.price,
        quantity_cents=order.quantity_cents,
        filled_cents=filled,
        open_cents=resting,
        status=status,
        created_ns=order.intended_ns,
    )
    return replace(report, **changes)


def seen(
    report: OrderReport,
    channel: Channel = "stream",
    at_ns: int = NOW,
    synced_ns: int | None = None,
) -> OrderSeen:
    return OrderSeen(report, channel, at_ns, synced_ns)


def a_history(
    *reports: OrderReport,
    at_ns: int = NOW,
    synced_ns: int | None = None,
    from_ns: int | None = None,
    alive_only: bool = False,
    changed_only: bool = False,
) -> HistoryRead:
    """A complete read whose clock agrees with ours; synced at the moment of the read.

    It reaches back a minute before `NOW`, a list of what is alive a week.
    """
    synced = at_ns if synced_ns is None else synced_ns
    if from_ns is None:
        from_ns = at_ns - 7 * 86_400 * SECOND if alive_only else NOW - 60 * SECOND
    return HistoryRead(from_ns, reports, synced, at_ns, at_ns, alive_only, changed_only)


def a_404(order: Order, at_ns: int) -> OrderNotFound:
    return OrderNotFound(order.external_id, at_ns, at_ns)


def a_row(transaction_id: str, cents: int, kind: str = "TRADE", **changes: Any) -> Transaction:
    return replace(Transaction(transaction_id, kind, cents, created_ns=NOW), **changes)


def a_ledger(*orders: Order, now_ns: int = NOW, run: str = RUN, listed: bool = True) -> Ledger:
    """A ledger of a fresh run with these intents; what it had to say so far is drained.

    `listed`: it has seen that nobody else has an order, and that the clocks agree.
    """
    ledger = Ledger(PREFIX, line_of=lines_of())
    ledger.begin_run(run, now_ns)
    if listed:
        ledger.connected("1", after_gap=False, now_ns=now_ns - 10 * SECOND)
        ledger.apply(a_history(at_ns=now_ns, alive_only=True), now_ns)
    for order in orders:
        ledger.intend(order)
    ledger.drain()
    return ledger


def an_open_order(ledger: Ledger, **changes: Any) -> Order:
    """Intended and seen open in that ledger."""
    order = an_order(changes.pop("external_id", ledger.next_external_id()), **changes)
    ledger.intend(order)
    ledger.apply(seen(a_report(order)), NOW)
    ledger.drain()
    found = ledger.order(order.external_id)
    assert found is not None
    return found
