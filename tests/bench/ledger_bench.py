"""The ledger against its three claims, and how long a start with 100,000 closed orders takes.

`python -m tests.bench.ledger_bench [--quick] [--json]` exits 1 below a claim. Replay and
reconciliation are the work of one thread that waits for nothing: their median round in processor
time counts, so that it matters less what else the machine does. A start and a durable intent wait
for the disk: wall time; the intent and the bare commit take turns, and their medians count.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from statistics import median
from typing import Final

from mmbot.app.journal_thread import JournalThread
from mmbot.app.writer import JournalWriter
from mmbot.domain.entries import PlaceIntended
from mmbot.domain.events import Event
from mmbot.domain.order import Order
from mmbot.engine.ledger import Ledger
from mmbot.engine.ports import PlaceOrders
from mmbot.exchange.codec import order_report
from mmbot.exchange.notices import Notices
from mmbot.runtime.clock import SystemClock
from mmbot.store.codec import encode
from mmbot.store.journal import Journal
from tests.bench.claim import Claim
from tests.bench.figures import file_system_of, machine, quantile
from tests.bench.ledger_days import (
    MOTIVE,
    NEXT_RUN,
    VERDICT,
    everything_alive,
    open_ledger,
    write_closed,
    written_row,
)
from tests.builders import NOW, PREFIX, SECOND, an_order, lines_of
from tests.engine.situations import approved

REPLAY_PER_S_MIN: Final = 50_000
RECONCILE_MS_MAX: Final = 150.0
INTENT_RATIO_MAX: Final = 2.0
START_S_MAX: Final = 10.0
ROUNDS: Final = 5
REPLAY_ROUNDS: Final = 3
PACE_S: Final = 0.010  # before each commit: disk and processor doze off, as in a real day
JOURNAL_WAIT_MAX_S: Final = 1.0
AFTER_NS: Final = NOW + 10**7 * SECOND


@dataclass(frozen=True, slots=True)
class Size:
    """What the claims are about; `QUICK` only shows that everything is measured."""

    closed_orders: int = 100_000
    open_orders: int = 10_000
    intents: int = 300


CLAIMED: Final = Size()
QUICK: Final = Size(1_000, 500, 20)


# --- start and replay ------------------------------------------------------------------------


def starts(folder: Path, orders: int) -> list[Claim]:
    """A file that was never compacted, then the same once more; and all of it, entry by entry."""
    path = folder / "closed.sqlite3"
    entries = write_closed(path, orders)
    first_s, first = _start(path)
    again_s, _ = _start(path)
    size = f"{entries:,} entries, {path.stat().st_size / 1e6:,.0f} MB, {orders:,} closed orders"
    rounds = [_replay(path) for _ in range(REPLAY_ROUNDS)]
    return [
        Claim("first start, not compacted yet", first_s, "s", START_S_MAX, False, size),
        Claim("start", again_s, "s", START_S_MAX, False, f"{len(first.orders()):,} in memory"),
        Claim(
            "journal replay", median(rounds), "entries/s", REPLAY_PER_S_MIN, True,
            f"rounds {min(rounds):,.0f}..{max(rounds):,.0f}",
        ),
    ]  # fmt: skip


def _start(path: Path) -> tuple[float, Ledger]:
    """What a start does with the file, up to the first entry of the new run."""
    gc.collect()
    began = time.perf_counter()
    with closing(Journal.open(path)) as journal:
        memory = journal.recall()
        ledger = Ledger(PREFIX, line_of=lines_of())
        for ids in memory.spent:
            ledger.spent(ids)
        ledger.rebuild(memory.entries)
        ledger.begin_run(NEXT_RUN, AFTER_NS)
    return time.perf_counter() - began, ledger


def _replay(path: Path) -> float:
    """Every entry of the file, its stories included, into a ledger; entries per second."""
    ledger = Ledger(PREFIX, line_of=lines_of())
    with closing(Journal.open(path)) as journal:
        gc.collect()
        began = time.process_time()
        ledger.rebuild(journal.replay())
        took_s = time.process_time() - began
        return sum(1 for _ in journal.replay()) / took_s


# --- reconciliation --------------------------------------------------------------------------


def reconciliation(orders: int) -> list[Claim]:
    """The list of everything alive comes: nothing new, then one in ten is not as we believe."""
    claims = []
    for name, changed in (("reconcile, nothing new", False), ("reconcile, a tenth differs", True)):
        rounds = [_reconcile(orders, changed) for _ in range(ROUNDS)]
        spread = f"{orders:,} open orders, rounds {min(rounds):,.0f}..{max(rounds):,.0f}"
        claims.append(Claim(name, median(rounds), "ms", RECONCILE_MS_MAX, False, spread))
    return claims


def _reconcile(orders: int, changed: bool) -> float:
    ledger, reports = open_ledger(orders)
    at_ns = NOW + 2 * SECOND
    read = everything_alive(reports, at_ns, changed)
    gc.collect()
    began = time.process_time()
    ledger.apply(read, at_ns)
    ledger.drain()
    took_ms = (time.process_time() - began) * 1e3
    assert ledger.live_count > orders * 0.9
    return took_ms


def rows_read_ms(orders: int) -> float:
    """What the rows of that list cost before: decoded as their pages come, one page a second."""
    rows = [written_row(n) for n in range(orders)]
    notices = Notices()
    began = time.process_time()
    for row in rows:
        order_report(row, notices)
    return (time.process_time() - began) * 1e3


# --- a durable intent ------------------------------------------------------------------------


class Bare:
    """SQLite, write-ahead log, synchronous FULL, one row and one commit: nothing else."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("CREATE TABLE rows (seq INTEGER PRIMARY KEY, body BLOB)")

    def commit(self, body: bytes) -> float:
        began = time.perf_counter()
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("INSERT INTO rows (body) VALUES (?)", (body,))
        self._connection.execute("COMMIT")
        return (time.perf_counter() - began) * 1e6

    def close(self) -> None:
        self._connection.close()


class Gate:
    """A placement behind its intent: `released` is set when it may leave."""

    def __init__(self) -> None:
        self.released = asyncio.get_running_loop().create_future()

    def prepare(self) -> None: ...

    def release(self) -> None:
        self.released.set_result(time.perf_counter())

    def withhold(self, reason: str) -> None:
        raise AssertionError(reason)


async def _take_turns(folder: Path, count: int, seed: int) -> tuple[list[float], list[float]]:
    """Microseconds of intents and of bare commits, in an order that is drawn."""
    gates: list[Gate] = []

    def departure(going: PlaceOrders) -> Gate:
        gates.append(Gate())
        return gates[-1]

    def tell(event: Event) -> None:
        raise AssertionError(event)

    loop, draw = asyncio.get_running_loop(), Random(seed)
    bare, journal = Bare(folder / "bare.sqlite3"), Journal.open(folder / "ours.sqlite3")
    thread = JournalThread(journal.append, loop)
    writer = JournalWriter(thread, departure, tell, SystemClock(), JOURNAL_WAIT_MAX_S)
    ours: list[float] = []
    theirs: list[float] = []

    async def one_intent(order: Order) -> None:
        began = time.perf_counter()
        intent = PlaceIntended(order, motive=MOTIVE, verdict=VERDICT)
        writer.enqueue([intent], [PlaceOrders((approved(order),), order.intended_ns)])
        ours.append((await gates.pop().released - began) * 1e6)

    async def turns() -> None:
        for n in range(count):
            order = an_order(f"{PREFIX}-{NEXT_RUN}-{n}")
            body = encode(PlaceIntended(order, motive=MOTIVE, verdict=VERDICT))[1]
            bare_first = draw.random() < 0.5
            for bare_turn in (bare_first, not bare_first):
                await asyncio.sleep(PACE_S)
                if bare_turn:
                    theirs.append(bare.commit(body))
                else:
                    await one_intent(order)

    try:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(writer.run())
            await turns()
            running.cancel()
    finally:
        thread.close()
        journal.close()
        bare.close()
    return ours, theirs


def intents(folder: Path, count: int, seed: int) -> Claim:
    ours, theirs = asyncio.run(_take_turns(folder, count, seed))
    spread = (
        f"medians {median(ours):,.0f} and {median(theirs):,.0f} us, p90 {quantile(ours, 0.9):,.0f} "
        f"and {quantile(theirs, 0.9):,.0f} us, {count} turns each, {PACE_S * 1e3:g} ms apart"
    )
    ratio = median(ours) / median(theirs)
    return Claim("durable intent / bare commit", ratio, "x", INTENT_RATIO_MAX, False, spread)


# --- all of it -------------------------------------------------------------------------------


def main(size: Size = CLAIMED, seed: int = 1, *, as_json: bool = False) -> int:
    """Measure, print, and give the exit code: 0 when every claim holds."""
    with tempfile.TemporaryDirectory(prefix="mmbot-ledger-", dir=Path.cwd()) as name:
        folder = Path(name)
        where = file_system_of(folder)
        claims = [intents(folder, size.intents, seed)]
        claims += reconciliation(size.open_orders)
        claims += starts(folder, size.closed_orders)
    rows_ms = rows_read_ms(size.open_orders)
    if as_json:
        told = {
            "machine": machine(),
            "file_system": where,
            "rows_read_ms": round(rows_ms, 1),
            "claims": [asdict(one) | {"kept": one.kept} for one in claims],
            "failures": [one.name for one in claims if not one.kept],
        }
        print(json.dumps(told))
    else:
        print(f"machine: {machine()}, {where}")
        for one in claims:
            print(one.line)
        print(f"beside it: the rows of that list decoded in {rows_ms:,.0f} ms, page by page")
    return 0 if all(one.kept for one in claims) else 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small: proves nothing")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    options = _options(sys.argv[1:])
    size = QUICK if options.quick else CLAIMED
    raise SystemExit(main(size, options.seed, as_json=options.json))
