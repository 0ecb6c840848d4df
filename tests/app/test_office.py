"""A person's words: a halt is on disk before it is answered, and holds even when it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mmbot.app.halt_desk import HaltDesk
from mmbot.app.office import Office
from mmbot.domain.errors import Stop
from mmbot.domain.events import OperatorSaid
from mmbot.ops.metrics import Metrics
from mmbot.store.latch import HaltLatch


class Room:
    def __init__(self, folder: Path) -> None:
        self.latch = HaltLatch(folder)
        self.latch.prepare()
        self.told: list[OperatorSaid] = []
        self.stopped = 0
        self.paged: list[tuple[str, str]] = []
        nothing: Any = None  # words do not look at the sources of a status
        desk = HaltDesk(self.latch, self.told.append, lambda: "", self._page)
        self.office = Office(nothing, Metrics(), desk, self._stop, nothing)

    def _page(self, what: str, detail: str) -> None:
        self.paged.append((what, detail))

    def _stop(self) -> None:
        self.stopped += 1


async def test_a_halt_is_latched_and_told(tmp_path: Path) -> None:
    room = Room(tmp_path)
    assert await room.office.halt({"reason": "news"}) == {"said": "halt"}
    assert room.told == [OperatorSaid("halt", "admin", "news")]
    assert HaltLatch(tmp_path).latched


async def test_a_second_halt_is_no_error(tmp_path: Path) -> None:
    room = Room(tmp_path)
    await room.office.halt({})
    await room.office.halt({})
    assert len(room.told) == 2


async def test_a_resume_takes_the_latch_away(tmp_path: Path) -> None:
    room = Room(tmp_path)
    await room.office.halt({})
    await room.office.resume({})
    assert room.told[-1] == OperatorSaid("resume", "admin", "")
    assert not HaltLatch(tmp_path).latched


async def test_a_halt_holds_although_the_folder_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    room = Room(folder)
    (folder / "halt.ready").unlink()
    folder.rmdir()
    with pytest.raises(Stop, match="NOT latched"):
        await room.office.halt({})
    assert [word.word for word in room.told] == ["halt"]
    assert [what for what, _ in room.paged] == ["halt not latched"]


async def test_a_long_reason_is_cut(tmp_path: Path) -> None:
    room = Room(tmp_path)
    await room.office.pause({"reason": "x" * 5_000})
    assert len(room.told[0].reason) == 200


async def test_stop_is_asked_of_the_daemon(tmp_path: Path) -> None:
    room = Room(tmp_path)
    assert await room.office.end({}) == {"said": "stop"}
    assert room.stopped == 1
