"""From bad news to the last cancel at the exchange's door, and how soon everything is cancelled.

`python -m tests.bench.cancel_bench [--quick] [--json]` exits 1 above a claim. Engine, ledger,
dispatcher, gateway, rate budget and session are the daemon's; the door is a port in memory that
stamps each request and answers at once: what is measured is our own time, to which a network adds
one request. Bad news is the work of one thread that waits for nothing: its median round in
processor time counts, so that it matters less what else the machine does; wall time is beside it.
All of a Sunday waits for the rate budget: wall time. 16 games, 25 lines, 3 orders on each strike.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from statistics import median
from typing import Final

from mmbot.app.compose import GC_ALLOCATIONS_MIN, GC_GENERATIONS, on_best_loop
from mmbot.domain.events import (
    Event,
    OperatorSaid,
    OrderSeen,
    SportEventChanged,
)
from tests.bench.cancel_daemon import PRICES, Daemon, Size, Taken, game_of, lines_of, order_on
from tests.bench.claim import Claim
from tests.bench.figures import machine
from tests.builders import a_report

NEWS_MS_MAX: Final = 5.0
EVERYTHING_S_MAX: Final = 1.0
OPEN_S: Final = 1.1  # the second before a start counts as used up

CLAIMED: Final = Size()
QUICK: Final = Size(2, 4, 1)


async def measure(
    size: Size, account: bool, news: Callable[[Daemon], Sequence[Event]]
) -> tuple[int, Taken]:
    """Orders that rested, and what it took."""
    daemon = Daemon(size, account=account)
    rested = daemon.open()

    async def serve() -> None:
        await daemon.dispatcher.run()

    async with asyncio.TaskGroup() as group:
        running = group.create_task(serve())
        await asyncio.sleep(OPEN_S)
        await daemon.session.token()
        taken = await daemon.after(*news(daemon))
        running.cancel()
    return rested, taken


def goes_live(daemon: Daemon) -> Sequence[Event]:
    return (SportEventChanged(replace(game_of(0, daemon.clock.now_ns()), status="live")),)


def goes_live_watched(daemon: Daemon) -> Sequence[Event]:
    """The same where a person has traded: only our own orders may be named."""
    line = lines_of(0, 1)[0]
    order = order_on(daemon.engine.parts.ledger, line, 0, PRICES[0], daemon.clock.now_ns())
    report = replace(a_report(order, status="canceled"), external_id=None)
    daemon.tell(OrderSeen(report, "stream", daemon.clock.now_ns()))
    return goes_live(daemon)


def halt(_: Daemon) -> Sequence[Event]:
    return (OperatorSaid("halt", "bench"),)


async def _all(size: Size) -> list[Claim]:
    claims = []
    for name, account, news, limit, unit in (
        ("bad news, one game", True, goes_live, NEWS_MS_MAX, "ms"),
        ("bad news, a person trades", True, goes_live_watched, NEWS_MS_MAX * 5, "ms"),
        ("halt of the account", True, halt, EVERYTHING_S_MAX, "s"),
        ("halt of ours alone", False, halt, EVERYTHING_S_MAX, "s"),
    ):
        rounds = [await measure(size, account, news) for _ in range(size.rounds)]
        rested, first = rounds[0]
        wall_ms = [one.wall_ms for _, one in rounds]
        worked_ms = [one.worked_ms for _, one in rounds]
        took = median(worked_ms) if unit == "ms" else median(wall_ms) / 1_000
        seen = f"{rested} orders, {first.requests} requests, wall {median(wall_ms):.1f} ms"
        claims.append(Claim(name, took, unit, limit, False, seen))
    return claims


def main(size: Size = CLAIMED, *, as_json: bool = False) -> int:
    """0 when every claim is kept."""
    claims: list[Claim] = []
    gc.set_threshold(GC_ALLOCATIONS_MIN, GC_GENERATIONS, GC_GENERATIONS)

    async def work() -> int:
        claims.extend(await _all(size))
        return 0

    on_best_loop(work())
    if as_json:
        rows = [asdict(one) | {"kept": one.kept} for one in claims]
        print(json.dumps({"machine": machine(), "claims": rows}))
    else:
        for claim in claims:
            print(claim.line)
    return 0 if all(claim.kept for claim in claims) else 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small: proves nothing")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    options = _options(sys.argv[1:])
    raise SystemExit(main(QUICK if options.quick else CLAIMED, as_json=options.json))
