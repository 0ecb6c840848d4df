"""`mmbot drill`: trips each safety over real sockets and times it by the exchange's own record.

Each trip has a box, a daemon and, but for the halts, a sentinel of its own: at least 20 orders
rest, a batch is under way, and nothing restarts the daemon.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from mmbot.app.drill_judge import Seen, places_orders, seen_of
from mmbot.app.drill_world import ACCOUNT, RESTING_MIN, World
from mmbot.app.sentinel import CALM_ROUND_S
from mmbot.domain.errors import MmbotError, SetUpError
from mmbot.runtime.clock import NS_PER_S
from mmbot.sentinel_config import SentinelSettings
from mmbot.store.lease import daemon_lease

FLAT_MAX_S: Final = 8.0  # after the lease ran out
VERIFIED_MAX_S: Final = 15.0
HALT_FLAT_MAX_S: Final = 3.0  # after the command
LEASE_S: Final = SentinelSettings().lease_s
LOOKS_MIN: Final = 2 * 3  # two empty reads of three questions each
WAIT_MAX_S: Final = 60.0
AFTERWARDS_S: Final = 3.0  # what lands late, or is placed by a daemon that thaws, is seen
JUDGED: Final = "loopback"
BESIDE: Final = "venue"
BESIDE_MAX: Final = 4  # worlds at once: a dozen processes
HALT_WORDS: Final = ("halt by file", "halt by signal", "halt by admin", "halt by command")


@dataclass(frozen=True, slots=True)
class Row:
    """One trip. Seconds count from `lapse` (of a halt: from the command)."""

    tripped: str
    profile: str
    by: str  # who flattened
    resting: int = 0
    batch_in_flight: bool = False
    lapse_s: float = 0.0  # from the trip to the end of the lease
    flat_s: float | None = None
    verified_s: float | None = None
    landed_after: int = 0
    latched: bool = False
    record: str = "box"  # whose record says so
    trouble: str = ""
    held: bool | None = None  # None: only shown, not judged


def plan(profiles: Sequence[str], only: Sequence[str]) -> list[tuple[str, Sequence[str]]]:
    """What is tripped side by side, on which profile. Unasked, the venue's figures are of one
    trip of each kind: they are shown beside, and cost as much time."""
    wanted = [(profile, only or TRIPS) for profile in profiles or (JUDGED,)]
    if not profiles and not only:
        wanted.append((BESIDE, ONE_OF_EACH))
    return [
        (profile, trips[start : start + BESIDE_MAX])
        for profile, trips in wanted
        for start in range(0, len(trips), BESIDE_MAX)
    ]


def drill(
    seed: int,
    planned: Iterable[tuple[str, Sequence[str]]],
    say: Callable[[Row], None],
    logs: Path | None = None,
) -> list[Row]:
    """All trips of a `plan`; `say` is told each row when it is known. `logs` keeps the folders."""
    if logs is not None:
        return asyncio.run(_drill(seed, planned, say, logs))
    with tempfile.TemporaryDirectory(prefix="mmbot-drill-") as name:
        return asyncio.run(_drill(seed, planned, say, Path(name)))


async def _drill(
    seed: int,
    planned: Iterable[tuple[str, Sequence[str]]],
    say: Callable[[Row], None],
    folder: Path,
) -> list[Row]:
    rows: list[Row] = []
    for profile, trips in planned:
        for row in await _beside([_trip(what, folder, seed, profile) for what in trips]):
            say(row)
            rows.append(row)
    return rows


async def _beside(trips: Sequence[Any]) -> list[Row]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(trip) for trip in trips]
    return [task.result() for task in tasks]


async def _trip(what: str, folder: Path, seed: int, profile: str) -> Row:
    """Raises nothing of ours: what went wrong is the row's trouble."""
    place = folder / f"{profile}-{what.replace(' ', '-')}"
    try:
        place.mkdir(parents=True)
    except OSError as error:
        raise SetUpError(f"--logs: {place}: cannot be made: {error.strerror}") from None
    by = "daemon" if what in HALT_WORDS else "sentinel"
    row = Row(what, profile, by)
    world = World(place, seed, profile, cuttable=what == CUT)
    try:
        await world.start(guarded=by == "sentinel")
        await world.quoting()
        row = await (_halted(world, row) if by == "daemon" else _guarded(world, row))
    except MmbotError as error:
        row = replace(row, trouble=str(error), held=False if profile == JUDGED else None)
    finally:
        await world.close()
    return row


# --- the trips that only a sentinel can answer ---------------------------------------------------


def _freeze(world: World) -> None:
    world.daemon.send(signal.SIGSTOP)


def _kill(world: World) -> None:
    world.daemon.kill()


def _block(world: World) -> None:
    world.block_file.touch()


def _cut(world: World) -> None:
    for cable in world.cables:
        cable.cut()


CUT: Final = "network cut"
STRIKES: Final[dict[str, Callable[[World], None]]] = {
    "daemon frozen": _freeze,
    "daemon killed": _kill,
    "loop blocked": _block,
    CUT: _cut,
}
TRIPS: Final = (*STRIKES, *HALT_WORDS)
ONE_OF_EACH: Final = ("daemon frozen", "halt by admin")


async def _guarded(world: World, row: Row) -> Row:
    await world.guarded()
    await world.in_flight()
    struck_ns = time.time_ns()
    STRIKES[row.tripped](world)

    async def verified() -> bool:
        return bool((await world.guard.get("/status"))["verified"])

    await world.until(verified, WAIT_MAX_S, "verified")
    verified_ns = time.time_ns()
    lease = daemon_lease(world.folder).read()
    mended_ns = time.time_ns()
    world.mend()  # one that thaws, or is reached again, must obey
    await asyncio.sleep(AFTERWARDS_S)
    held = sum(places_orders(piece) for cable in world.cables for piece in cable.held)
    if held:  # it arrives now, and the sentinel is to find it
        await asyncio.sleep(CALM_ROUND_S)
    beat_ns = struck_ns if row.tripped == CUT or lease is None else lease.wall_ns
    lapse_ns = beat_ns + round(LEASE_S * NS_PER_S)
    record = await _record(world)
    seen = seen_of((line for line in record if line["at_ns"] <= mended_ns), struck_ns)
    row = replace(
        row, lapse_s=_since(lapse_ns, struck_ns), verified_s=_since(verified_ns, lapse_ns)
    )
    limits = Limits(FLAT_MAX_S, VERIFIED_MAX_S, LOOKS_MIN)
    row = _judged(world, row, seen, lapse_ns, limits)
    return obeyed(row, seen_of(record, struck_ns), mended_ns, held)


# --- the halts that a person pulls ---------------------------------------------------------------


async def _halted(world: World, row: Row) -> Row:
    await world.in_flight()
    struck_ns = time.time_ns()
    match row.tripped:
        case "halt by file":
            (world.folder / "HALTED").touch()
        case "halt by signal":
            world.daemon.send(signal.SIGUSR1)
        case "halt by admin":
            await world.admin.post("/halt", {"who": "drill"})
        case _:
            await _command(world)

    async def proven() -> bool:
        status = await world.admin.get("/status")
        return status["mode"] == "HALTED" and bool(status["proven_flat"])

    await world.until(proven, WAIT_MAX_S, "halted and proven flat")
    verified_ns = time.time_ns()
    await asyncio.sleep(AFTERWARDS_S)
    seen = seen_of(await _record(world), struck_ns)
    row = replace(row, verified_s=_since(verified_ns, struck_ns))
    return _judged(world, row, seen, struck_ns, Limits(HALT_FLAT_MAX_S, WAIT_MAX_S, 1))


async def _command(world: World) -> None:
    words = [sys.executable, "-m", "mmbot", "halt", "--config", str(world.config)]
    asking = await asyncio.create_subprocess_exec(
        *words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    await asking.wait()


# --- what came of it -----------------------------------------------------------------------------


async def _record(world: World) -> list[dict[str, Any]]:
    await world.end_box()
    with world.truth_file.open(encoding="utf-8") as text:
        lines = (json.loads(line) for line in text)
        return [one for one in lines if one["kind"] == "fill" or one.get("account") == ACCOUNT]


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one kind of trip; `looks_min` requests had to ask after the last order's end."""

    flat_max_s: float
    verified_max_s: float
    looks_min: int


def _judged(world: World, row: Row, seen: Seen, from_ns: int, limits: Limits) -> Row:
    """The row with the record's word, and on `loopback` the verdict: it held, and it was hard."""
    row = replace(
        row,
        resting=seen.resting,
        batch_in_flight=seen.in_flight,
        flat_s=_since(seen.flat_ns, from_ns),
        landed_after=seen.landed_after,
        latched=(world.folder / "HALTED").exists(),
        trouble="placed again" if seen.placed_after_flat else "",
    )
    if row.profile != JUDGED:
        return row
    in_time = (
        row.flat_s is not None
        and row.flat_s <= limits.flat_max_s
        and row.verified_s is not None
        and row.verified_s <= limits.verified_max_s
    )
    hard = row.resting >= RESTING_MIN and row.batch_in_flight
    proven = row.latched and seen.looks >= limits.looks_min and not row.trouble
    return replace(row, held=in_time and hard and proven)


def obeyed(row: Row, seen: Seen, mended_ns: int, held: int) -> Row:
    """The row, after what was tripped was mended. `held` placements were in the cable and landed
    only then: they are nobody's disobedience, but have to be gone as soon as after a lapse."""
    if seen.placed_after_flat > held:
        trouble = "placed again"
    elif seen.flat_ns is None or seen.flat_ns - mended_ns > FLAT_MAX_S * NS_PER_S:
        trouble = "what landed late still rests"
    else:
        trouble = row.trouble
    verdict = row.held and not trouble if row.profile == JUDGED else None
    return replace(row, landed_after=seen.landed_after, trouble=trouble, held=verdict)


def _since(at_ns: int | None, from_ns: int) -> Any:
    return None if at_ns is None else round((at_ns - from_ns) / NS_PER_S, 3)


def table(rows: Iterable[Row]) -> Iterator[str]:
    """One line per trip, for a person."""
    yield (
        f"{'tripped':<18} {'profile':<9} {'resting':>7} {'lapse':>7} {'flat':>7} {'verified':>9}"
        "  by whose record"
    )
    for row in rows:
        flat, proven = (_shown(one) for one in (row.flat_s, row.verified_s))
        verdict = {True: "held", False: "NOT HELD", None: "not judged"}[row.held]
        verdict = f"{verdict} ({row.trouble})" if row.trouble else verdict
        yield (
            f"{row.tripped:<18} {row.profile:<9} {row.resting:>7} {row.lapse_s:>6.1f}s {flat:>7}"
            f" {proven:>9}  {row.record}; {verdict}"
        )


def _shown(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f}s"
