"""Strategy, planner and gate together, over a fair value that wanders: a market maker's day.

The exchange here is perfect and instant. # faults: G5 G6 G7
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

import pytest

from mmbot.domain.catalog import Side
from mmbot.domain.ids import ExternalId
from mmbot.domain.order import Order, State
from mmbot.domain.price import crosses, implied, profit_cents
from mmbot.domain.view import MarketView, Position
from mmbot.engine.limits import LimitBook
from mmbot.engine.planner import plan
from mmbot.engine.risk import Approved, Gate
from mmbot.pricing.exposure import line_worst_case_cents
from mmbot.pricing.odds import expit, logit
from mmbot.strategy.foreign import ask
from strategies.consensus import Consensus, Params
from tests.engine.situations import ALL_IS_WELL, LIMITS, Held, S, an_order
from tests.strategy.views import EVENT, LINE, NOW_NS, a_view

LINE_LOSS_MAX_CENTS = 60_000
GATE = Gate(LimitBook(replace(LIMITS, line_loss_max_cents=60_000)))


@dataclass(slots=True)
class Day:
    """One line, our orders on it, and what has filled."""

    strategy: Consensus
    orders: list[Order] = field(default_factory=list)
    position: Position = field(default_factory=Position)
    cancels: int = 0
    count: int = 0

    def resting(self, side: Side) -> int:
        return sum(o.remaining_cents for o in self.orders if o.side == side)

    def worst_cents(self) -> int:
        return line_worst_case_cents(self.position, (self.resting(0), self.resting(1)))

    def requote(self, view: MarketView) -> None:
        """Cancels are confirmed before anything that waited for them is planned again."""
        for _ in range(2):
            answer = ask(self.strategy, replace(view, position=self.position))
            assert not isinstance(answer, str), answer
            for side in (0, 1):
                live = [o for o in self.orders if o.side == side]
                wanted = [q for q in answer if view.line.side_of(q.strike_id) == side]
                planned = plan(wanted, live, view.ladder)
                self.orders = [o for o in self.orders if o.external_id not in planned.cancels]
                self.cancels += len(planned.cancels)
                for quote in planned.places:
                    self.place(
                        replace(
                            an_order(quote.price, quote.quantity_cents, side=side),
                            strike_id=quote.strike_id,
                            line_id=LINE.line_id,
                        ),
                        view,
                    )

    def place(self, order: Order, view: MarketView) -> None:
        self.count += 1
        order = replace(order, external_id=ExternalId(f"mm-{self.count}"), state=State.OPEN)
        now = replace(
            ALL_IS_WELL,
            now_ns=view.now_ns,
            ladder=view.ladder,
            event=EVENT,
            line=LINE,
            exposure=Held(self.position, (self.resting(0), self.resting(1))),
            unmatched_cents=self.resting(0) + self.resting(1),
            opposite_live=tuple(o.price for o in self.orders if o.side != order.side),
            same_price_live=any(
                (o.side, o.price) == (order.side, order.price) for o in self.orders
            ),
        )
        if isinstance(GATE.review(order, now), Approved):
            self.orders.append(order)

    def fill(self, order: Order, cents: int) -> None:
        stakes, wins = [*self.position.stake_cents], [*self.position.profit_cents]
        stakes[order.side] += cents
        wins[order.side] += profit_cents(order.price, cents)
        self.position = Position((stakes[0], stakes[1]), (wins[0], wins[1]))
        self.orders.remove(order)
        if cents < order.quantity_cents - order.filled_cents:
            self.orders.append(replace(order, filled_cents=order.filled_cents + cents))


@pytest.mark.parametrize("levels", [1, 3])
@pytest.mark.parametrize("start", [0.03, 0.3, 0.5, 0.8, 0.97])
def test_a_day_of_quoting(start: float, levels: int) -> None:
    rng = Random(f"{start} {levels}")
    day = Day(Consensus(Params(quantity_usd=50.0, levels=levels, jump_logit=9.0)))
    x, quoted, moments = logit(start), 0, 600
    for second in range(moments):
        x += rng.gauss(0, 0.006)
        x = min(max(x, logit(0.03)), logit(0.97))
        prob = expit(x)
        day.requote(a_view(prob, now_ns=NOW_NS + second * S))
        for order in day.orders:
            fair = prob if order.side == 0 else 1 - prob
            assert fair - implied(order.price) > 0, "no order rests where a fill would lose"
        near = [
            any(o.side == side and fair - implied(o.price) <= 0.08 for o in day.orders)
            for side, fair in ((0, prob), (1, 1 - prob))
        ]
        full = abs(day.position.swing_cents) >= 90_000  # the side that adds is then not wanted
        quoted += all(near) or (full and any(near))
        over, under = ([o.price for o in day.orders if o.side == side] for side in (0, 1))
        assert len(set(over)) == len(over) <= levels
        assert len(set(under)) == len(under) <= levels
        assert not any(crosses(a, b) for a in over for b in under)
        assert day.worst_cents() <= LINE_LOSS_MAX_CENTS
        if day.orders and rng.random() < 0.15:
            hit = rng.choice(day.orders)
            day.fill(hit, rng.randint(1, hit.remaining_cents))
    assert quoted >= 0.99 * moments
    assert day.cancels <= 0.5 * moments * levels, "queue position is worth money"
