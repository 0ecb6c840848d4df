"""The file and the signal: halts that need no admin port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from mmbot.app.halt_desk import DROPPED, HaltDesk
from mmbot.domain.events import OperatorSaid
from mmbot.runtime.clock import LoopClock
from mmbot.store.latch import HaltLatch
from tests.app.parts import beside, in_virtual_time


class Engine:
    """Takes words as the engine does."""

    def __init__(self, folder: Path) -> None:
        self.halted = ""
        self.told: list[OperatorSaid] = []
        self.paged: list[str] = []
        self.latch = HaltLatch(folder)
        self.latch.prepare()
        self.desk = HaltDesk(self.latch, self._tell, lambda: self.halted, self._page)

    def _tell(self, said: OperatorSaid) -> None:
        self.told.append(said)
        self.halted = "" if said.word == "resume" else said.who

    def _page(self, what: str, detail: str) -> None:
        self.paged.append(f"{what}: {detail}")


def watched(engine: Engine, work: Callable[[LoopClock], Awaitable[None]]) -> None:
    async def run(clock: LoopClock) -> None:
        await beside(lambda: engine.desk.watch(clock), lambda: work(clock))

    in_virtual_time(run)


def test_a_dropped_file_halts_within_half_a_second(tmp_path: Path) -> None:
    engine = Engine(tmp_path)

    async def drop(clock: LoopClock) -> None:
        await clock.sleep(10.0)
        assert not engine.told
        (tmp_path / "HALTED").touch()
        await clock.sleep(0.5)

    watched(engine, drop)
    assert engine.told == [OperatorSaid("halt", "file", DROPPED)]


def test_a_latched_halt_is_told_once_and_with_its_words(tmp_path: Path) -> None:
    engine = Engine(tmp_path)

    async def latch(clock: LoopClock) -> None:
        HaltLatch(tmp_path).latch("sentinel: no heartbeat")
        await clock.sleep(5.0)

    watched(engine, latch)
    assert engine.told == [OperatorSaid("halt", "file", "sentinel: no heartbeat")]


def test_a_halt_that_overtakes_a_resume_on_disk_wins(tmp_path: Path) -> None:
    """Said halt, then resume, but the name was set last: what is on disk counts."""
    engine = Engine(tmp_path)

    async def race(clock: LoopClock) -> None:
        engine._tell(OperatorSaid("halt", "ann", ""))
        engine.latch.release()
        engine._tell(OperatorSaid("resume", "bob", ""))
        engine.latch.latch("ann")
        await clock.sleep(0.5)

    watched(engine, race)
    assert engine.halted == "file"


async def test_a_halt_is_told_at_once_and_then_latched(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    latching = engine.desk.halt("signal", "SIGUSR1")
    assert engine.halted == "signal"
    await latching
    assert engine.latch.reason == "signal: SIGUSR1"
    assert not engine.paged


async def test_a_halt_that_cannot_be_latched_calls_a_person(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    engine = Engine(folder)
    (folder / "halt.ready").unlink()
    folder.rmdir()
    with pytest.raises(OSError, match="HALTED"):
        await engine.desk.halt("signal", "SIGUSR1")
    assert engine.halted
    assert [page.split(":")[0] for page in engine.paged] == ["halt not latched"]
