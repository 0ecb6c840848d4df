"""How long the gate takes while 5,000 orders of ours rest on 200 sport events.

`python -m tests.bench.gate_bench [--quick] [--seed N] [--json]` exits 1 when a claim is missed.
A quote: everything that the gate is shown, and its answer. A plan: 40 quotes of one sport event,
each answer after the intent before it, as the engine asks. Processor time of one thread that
waits for nothing, so that it matters less what else the machine does; medians count.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from random import Random
from statistics import median
from typing import Final

from mmbot.domain.book import Book
from mmbot.domain.catalog import Catalog, Line, Side, SportEvent
from mmbot.domain.events import (
    BalanceSeen,
    BookUpdated,
    CatalogSeeded,
    FairUpdated,
    LadderLoaded,
    OrderSeen,
)
from mmbot.domain.ids import SportEventId, StrikeId
from mmbot.domain.order import Order
from mmbot.domain.price import Price
from mmbot.domain.quote import Quote
from mmbot.engine.limits import LimitBook, Limits
from mmbot.engine.modes import Mode
from mmbot.engine.placing import Candidate
from mmbot.engine.risk import Approved, Gate
from tests.bench.claim import Claim
from tests.bench.figures import machine, quantile
from tests.builders import a_report, an_order
from tests.engine.desk import Desk
from tests.engine.situations import LADDER, LIMITS, NOW_NS
from tests.pricing.games import GAME, a_moneyline, a_spread, a_total

QUOTE_US_MAX: Final = 50.0
PLAN_MS_MAX: Final = 2.0
PLAN_QUOTES: Final = 40
EVENT_ORDERS: Final = 25
TOURNAMENTS: Final = 5
STAKE_CENTS: Final = 2_500
SIDES: Final[tuple[Side, Side]] = (0, 1)
RESTING: Final = (Price(110), Price(112))
QUOTED: Final = (Price(105), Price(106), Price(107))
FILLED_SHARE: Final = 0.2  # of the orders: what is held has a shape, too
PLENTY: Final = 10**12


@dataclass(frozen=True, slots=True)
class Size:
    """What the claims are about; `QUICK` only shows that everything is measured."""

    events: int = 200
    quotes: int = 4_000
    plans: int = 200


CLAIMED: Final = Size()
QUICK: Final = Size(5, 40, 3)


class Stage:
    """A real engine, its ledger, gate and portfolio: orders on every sport event, and all well."""

    def __init__(self, size: Size, draw: Random) -> None:
        self._draw = draw
        self.desk = Desk(limits=LimitBook(_generous()))
        self.desk.strategy.wants = ()  # the engine itself shall place nothing
        self.events = [_event(n) for n in range(size.events)]
        self.lines = {event.event_id: _lines(event) for event in self.events}
        self._list()
        for event in self.events:
            strikes = [(line, side) for line in self.lines[event.event_id] for side in SIDES]
            for line, side in draw.sample(strikes, EVENT_ORDERS):
                self._rests(line, side)
        self.ledger = self.desk.ledger
        self._placing = self.desk.engine.parts.placing
        self._gate = Gate(self.desk.limits)
        assert self.ledger.live_count == size.events * EVENT_ORDERS
        gc.collect()

    def _list(self) -> None:
        desk, now_ns = self.desk, self.desk.now_ns
        lines = [line for of_event in self.lines.values() for line in of_event]
        books = [BookUpdated(Book(line.line_id, ((), ()), now_ns)) for line in lines]
        fairs = [
            FairUpdated(line.strikes[0].strike_id, 0.5, 0.02, "feed", now_ns, now_ns)
            for line in lines
        ]
        desk.recovered()
        listed = CatalogSeeded(Catalog.of(self.events, lines))
        cash = BalanceSeen(PLENTY, now_ns, PLENTY)
        desk.tell(LadderLoaded(LADDER), listed, *books, *fairs, *desk.account()[1:], cash)

    def _rests(self, line: Line, side: Side) -> None:
        """Some are filled in part: what is held has a shape, too."""
        order = self._order(line, side, self._draw.choice(RESTING))
        filled = STAKE_CENTS // 2 if self._draw.random() < FILLED_SHARE else 0
        self.desk.ledger.intend(order)
        self.desk.ledger.apply(
            OrderSeen(a_report(order, filled), "stream", self.desk.now_ns), self.desk.now_ns
        )
        self.desk.ledger.drain()

    def _order(self, line: Line, side: Side, price: Price) -> Order:
        return an_order(
            self.desk.ledger.next_external_id(),
            event_id=line.event_id,
            market_id=line.market_id,
            line_id=line.line_id,
            strike_id=line.strikes[side].strike_id,
            side=side,
            price=price,
            quantity=STAKE_CENTS,
            intended_ns=self.desk.now_ns,
        )

    def _quotes(self, event: SportEvent) -> Iterator[tuple[Line, Side, Price]]:
        """Strike by strike, as many prices on each: as a planner of layers gives them."""
        for line in self.lines[event.event_id]:
            for side in SIDES:
                yield from ((line, side, price) for price in QUOTED)

    def ask_all(self) -> None:
        """Once each, as in a daemon that has quoted for a while."""
        for event in self.events:
            for line, side, price in self._quotes(event):
                self._answer_us(event, line, self._order(line, side, price))

    def quote_us(self) -> float:
        """One answer; the order is not placed."""
        event = self._draw.choice(self.events)
        line, side, price = self._draw.choice(list(self._quotes(event)))
        return self._answer_us(event, line, self._order(line, side, price))

    def plan_ms(self) -> float:
        """The answers of a plan, each after the intents of those before it."""
        event, took_us, placed = self._draw.choice(self.events), 0.0, []
        for line, side, price in islice(self._quotes(event), PLAN_QUOTES):
            order = self._order(line, side, price)
            took_us += self._answer_us(event, line, order)
            self.ledger.intend(order)
            placed.append(order)
        self._end(placed)
        return took_us / 1e3

    def place_ms(self) -> float:
        """The same plan through the engine: drafts, answers and intents."""
        event = self._draw.choice(self.events)
        plan = [
            Candidate(event, line, side, Quote(_strike(line, side), price, STAKE_CENTS), None, 0)
            for line, side, price in islice(self._quotes(event), PLAN_QUOTES)
        ]
        began_ns = time.thread_time_ns()
        placed = self._placing.place(plan, Mode.ENABLED, self.desk.now_ns, [])
        took_ms = (time.thread_time_ns() - began_ns) / 1e6
        assert len(placed) == PLAN_QUOTES, placed
        self._end([approved.order for approved, _ in placed])
        return took_ms

    def _answer_us(self, event: SportEvent, line: Line, order: Order) -> float:
        now_ns = self.desk.now_ns
        began_ns = time.thread_time_ns()
        situation = self._placing.situation(
            event, line, order, Mode.ENABLED, now_ns, order.quantity_cents
        )
        answer = self._gate.review(order, situation)
        took_us = (time.thread_time_ns() - began_ns) / 1e3
        assert isinstance(answer, Approved), answer
        return took_us

    def _end(self, orders: Sequence[Order]) -> None:
        now_ns = self.desk.now_ns
        for order in orders:
            report = a_report(order, status="canceled")
            self.ledger.apply(OrderSeen(report, "stream", now_ns), now_ns)
        self.ledger.drain()


def _event(n: int) -> SportEvent:
    start_ns = NOW_NS + 7_200 * 10**9
    return replace(
        GAME, event_id=SportEventId(1_000 + n), tournament_id=n % TOURNAMENTS, start_ns=start_ns
    )


def _lines(event: SportEvent) -> list[Line]:
    """The moneyline, spreads and totals of a game as a Sunday lists them."""
    spreads = [a_spread(-6.5 + step, event) for step in range(6)]
    totals = [a_total(40.5 + step, event) for step in range(6)]
    return [a_moneyline(event), *spreads, *totals]


def _strike(line: Line, side: Side) -> StrikeId:
    return line.strikes[side].strike_id


def _generous() -> Limits:
    """Every check is asked, and none refuses."""
    figures = {name: PLENTY for name in Limits.__dataclass_fields__ if name.endswith("max_cents")}
    return replace(LIMITS, **figures, open_orders_max=PLENTY)


def main(size: Size = CLAIMED, seed: int = 1, *, as_json: bool = False) -> int:
    """Measure, print, and give the exit code: 0 when every claim holds."""
    stage = Stage(size, Random(seed))
    stage.ask_all()
    quotes = [stage.quote_us() for _ in range(size.quotes)]
    plans = [stage.plan_ms() for _ in range(size.plans)]
    whole = [stage.place_ms() for _ in range(size.plans)]
    beside = f"{stage.ledger.live_count:,} live orders, {size.events} events, p99"
    claims = [
        Claim(
            "one quote", median(quotes), "us", QUOTE_US_MAX, False,
            f"{beside} {quantile(quotes, 0.99):,.0f}",
        ),
        Claim(
            f"a plan of {PLAN_QUOTES}", median(plans), "ms", PLAN_MS_MAX, False,
            f"{beside} {quantile(plans, 0.99):,.1f}",
        ),
    ]  # fmt: skip
    if as_json:
        told = {
            "machine": machine(),
            "claims": [asdict(one) | {"kept": one.kept} for one in claims],
            "plan_placed_ms": round(median(whole), 2),
            "failures": [one.name for one in claims if not one.kept],
        }
        print(json.dumps(told))
    else:
        print(f"machine: {machine()}")
        for one in claims:
            print(one.line)
        print(f"beside it: such a plan drafted, answered and intended in {median(whole):.2f} ms")
    return 0 if all(one.kept for one in claims) else 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small: proves nothing")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    options = _options(sys.argv[1:])
    chosen = QUICK if options.quick else CLAIMED
    raise SystemExit(main(chosen, options.seed, as_json=options.json))
