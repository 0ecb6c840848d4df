"""Orders before the gate, and what the gate is shown: everything is well unless said otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mmbot.domain.catalog import Line, Side, SportEvent, Strike
from mmbot.domain.ids import ExternalId, LineId, MarketId, SportEventId, StrikeId
from mmbot.domain.order import Order, State
from mmbot.domain.price import Ladder, Price
from mmbot.domain.view import Position
from mmbot.engine.breakers import BreakerLimits
from mmbot.engine.limits import LimitBook, Limits
from mmbot.engine.risk import Approved, Gate
from mmbot.engine.situation import Situation
from mmbot.pricing.event_risk import Loss
from mmbot.pricing.exposure import NOTHING_OPEN, OpenStakes
from mmbot.pricing.portfolio import Levels

S = 10**9
NOW_NS = 1_800_000_000 * S
LADDER = Ladder.of(
    [*range(100, 121), *range(-120, -100), 125, 130, -125, -130, 150, -150, 200, -200, 10000]
)
HOME, AWAY = StrikeId("home"), StrikeId("away")
EVENT = SportEvent(
    SportEventId(1), "Seattle at New England", 31, "NFL", NOW_NS + 7_200 * S, "not_started"
)
LINE = Line(
    LineId("1/10/0"),
    EVENT.event_id,
    MarketId(10),
    "moneyline",
    "moneyline",
    "Moneyline",
    None,
    (Strike(HOME, 0, "home", None), Strike(AWAY, 1, "away", None)),
)
LIMITS = Limits(
    order_quantity_max_cents=10_000,
    strike_resting_max_cents=60_000,
    market_resting_max_cents=200_000,
    open_orders_max=100,
    line_loss_max_cents=50_000,
    market_loss_max_cents=70_000,
    event_loss_max_cents=80_000,
    tournament_held_max_cents=90_000,
    tournament_loss_max_cents=150_000,
    total_held_max_cents=100_000,
    total_loss_max_cents=200_000,
    simultaneous_events_max=None,
    balance_reserve_cents=20_000,
    unmatched_cash_multiple_max=8.0,
    price_age_max_ns=30 * S,
    fair_age_max_ns=10 * S,
)
BOOK = LimitBook(LIMITS)
NEVER = BreakerLimits(10**9, 10**12, 10**9, 10**12, 100.0, 10**9)
FLAT = Position()


@dataclass(frozen=True, slots=True)
class Held:
    """What the ledger knows of the line."""

    position: Position = FLAT
    resting_cents: OpenStakes = NOTHING_OPEN


def an_order(
    price: int = 105,
    quantity_cents: int = 5_000,
    *,
    side: Side = 0,
    ident: str = "mm-1",
    state: State = State.INTENDED,
    filled_cents: int = 0,
) -> Order:
    return Order(
        external_id=ExternalId(ident),
        event_id=EVENT.event_id,
        market_id=LINE.market_id,
        line_id=LINE.line_id,
        strike_id=LINE.strikes[side].strike_id,
        side=side,
        price=Price(price),
        quantity_cents=quantity_cents,
        order_strategy="ALO",
        owner="test",
        intended_ns=NOW_NS,
        state=state,
        filled_cents=filled_cents,
    )


def levels(**cents: int) -> Levels:
    """`event=5`: everything that fills there could lose 5; `event_held=5`: what is held could."""

    def loss(level: str) -> Loss:
        held = cents.get(f"{level}_held", 0)
        return Loss(held, max(held, cents.get(level, 0)))

    line, market, event = loss("line"), loss("market"), loss("event")
    return Levels(line, market, event, loss("tournament"), loss("portfolio"))


ALL_IS_WELL = Situation(
    now_ns=NOW_NS,
    mode="ENABLED",
    ladder=LADDER,
    event=EVENT,
    line=LINE,
    exposure=Held(),
    levels_now=levels(),
    levels_after=levels(),
    market_resting_cents=0,
    open_orders=0,
    unmatched_cents=0,
    cash_cents=1_000_000,
    opposite_live=(),
    same_price_live=False,
    book_age_ns=0,
    fair_age_ns=0,
    blind=False,
    writable=True,
    halted=False,
)


def approved(order: Order, resend: bool = False) -> Approved:
    """An order that has really passed a gate, for tests of what comes behind it."""
    generous = replace(
        LIMITS,
        order_quantity_max_cents=10**9,
        strike_resting_max_cents=10**9,
        market_resting_max_cents=10**9,
        line_loss_max_cents=10**12,
        market_loss_max_cents=10**12,
        total_loss_max_cents=10**12,
        unmatched_cash_multiple_max=10.0**6,
    )
    strikes = list(LINE.strikes)
    strikes[order.side] = replace(strikes[order.side], strike_id=order.strike_id)
    situation = replace(
        ALL_IS_WELL,
        ladder=Ladder.of([order.price]),
        line=replace(LINE, line_id=order.line_id, strikes=(strikes[0], strikes[1])),
    )
    verdict = Gate(LimitBook(generous)).review(order, situation, resend)
    assert isinstance(verdict, Approved), verdict
    return verdict
