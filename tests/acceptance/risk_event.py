"""The worst case of each sport event: a real daemon is filled in the box, and what it says that
each event may lose is held against the box's own orders, score by score.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from math import ceil
from typing import Final

from mmbot.pricing.exposure import total_worst_case_cents
from mmbot.sim.core.lifecycle import Line
from mmbot.sim.core.orders import Order
from tests.acceptance.doors import FULL, mmbot
from tests.bench.gate_bench import QUICK, main
from tests.simulation.still_market import Still, still

FEE: Final = 0.02
SCORES: Final = tuple((m, t) for t in range(140) for m in range(-t, t + 1, 2) if abs(m) <= 60)
FILL_CENTS: Final = 4  # the daemon counts on what a cent less of each fill would win
PLAYED_S: Final = 60.0


def walk_event_risk() -> None:
    """Takers come for a minute; then held and everything fills, per event and in all."""
    games = {"count": 2, "lines": 12}
    played = still(_compare, takers={"on": True}, events=games)
    assert played.seen["filled_orders"] >= 10
    assert played.seen["offset_cents"] > 0  # lines of one event did offset each other


async def _compare(market: Still) -> None:
    await market.wait(PLAYED_S)
    while not _agreed(market):  # a message may be under way
        await market.wait(0.01)
    ledger = market.daemon.engine.parts.ledger
    said = ledger.portfolio.events()
    of_event: dict[int, list[Order]] = defaultdict(list)
    for order in _orders(market):
        of_event[order.line.event_id].append(order)
    for event_id, orders in of_event.items():
        slack = FILL_CENTS * _fills(market, event_id)
        held, everything = (_worst_cents(orders, may_fill) for may_fill in (False, True))
        loss = said[next(key for key in said if key == event_id)]
        assert held <= loss.held_cents <= held + slack
        assert everything <= loss.everything_cents <= everything + slack
    total = ledger.portfolio.total
    assert total.everything_cents == sum(loss.everything_cents for loss in said.values())
    market.seen["filled_orders"] = sum(order.filled_cents > 0 for order in _orders(market))
    lines = [(one.position, one.resting_cents) for one in ledger.exposures().values()]
    market.seen["offset_cents"] = total_worst_case_cents(lines) - total.everything_cents


def _orders(market: Still) -> list[Order]:
    exchange = market.box.box.exchange
    return [
        order
        for order in exchange.orders.values()
        if order.account == market.box.box.maker and (order.filled_cents or order.open_cents)
    ]


def _fills(market: Still, event_id: int) -> int:
    maker = market.box.box.maker
    return sum(
        fill.maker.line.event_id == event_id and maker in (fill.maker.account, fill.taker.account)
        for fill in market.box.box.exchange.fills
    )


def _agreed(market: Still) -> bool:
    """The daemon has heard of every fill and every end, and nothing is on its way."""
    ledger = market.daemon.engine.parts.ledger
    ours = {
        str(order.order_id): (order.filled_cents, order.remaining_cents)
        for order in ledger.orders()
        if order.filled_cents or order.remaining_cents
    }
    return ours == {
        order.order_id: (order.filled_cents, order.open_cents) for order in _orders(market)
    }


def _worst_cents(orders: Iterable[Order], may_fill: bool) -> int:
    """By definition: each score, each market after its fee, and of open orders those that lose."""
    staked: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    lines: dict[int, Line] = {}
    for order in orders:
        lines[order.line.index] = order.line
        sums = staked[order.line.index, order.side]
        sums[0] += order.filled_cents
        sums[1] += order.counter_cents
        sums[2] += order.open_cents if may_fill else 0
    return max(0, *(_lost_cents(lines, staked, margin, total) for margin, total in SCORES))


def _lost_cents(
    lines: Mapping[int, Line],
    staked: Mapping[tuple[int, int], list[int]],
    margin: int,
    total: int,
) -> int:
    won: dict[int, int] = defaultdict(int)
    for index, line in lines.items():
        result = (total if line.kind == "total" else margin) - line.threshold
        if result:
            winner = 0 if result > 0 else 1
            (_, counter, _), (filled, _, rests) = (
                staked.get((index, side), (0, 0, 0)) for side in (winner, 1 - winner)
            )
            won[line.market_id] += counter - filled - rests
    return sum(ceil(round(FEE * max(0, cents), 6)) - cents for cents in won.values())


def walk_gate_speed() -> None:
    """Figures are judged on a machine that has time; a loaded one may not fail a test."""
    if not FULL:
        main(QUICK)
        return
    done = mmbot("bench", "--what", "gate", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not json.loads(done.stdout.splitlines()[-1])["failures"]
