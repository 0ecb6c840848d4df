"""The lease follows the engine and nothing else; a sentinel that is required has to be seen."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from mmbot.app.heartbeat import Guard, Heart, Pulse
from mmbot.domain.events import SentinelSeen
from mmbot.sentinel_config import SentinelSettings
from mmbot.store.lease import Lease, LeaseFile, daemon_lease, lease_of, sentinel_lease
from tests.engine.situations import NOW_NS, S


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.at_ns = NOW_NS

    def now_ns(self) -> int:
        return self.at_ns

    def monotonic_ns(self) -> int:
        return self.at_ns - NOW_NS

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nobody sleeps here ({seconds})")


class Log:
    def __init__(self) -> None:
        self.errors: list[str] = []

    def error(self, what: str, **more: object) -> None:
        self.errors.append(what)


class Body:
    """A heart with a pulse that a test sets."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.log = Clock(), Log()
        self.pulse = Pulse(0, False)
        self.file = daemon_lease(folder)
        log: Any = self.log
        self.heart = Heart(self.file, "run", self.clock, lambda: self.pulse, log)

    def turn_after(self, seconds: float) -> Lease:
        self.clock.at_ns += round(seconds * S)
        self.heart.turned()
        lease = self.file.read()
        assert lease is not None
        return lease


def test_turns_renew_the_lease_once_a_second(tmp_path: Path) -> None:
    body = Body(tmp_path)
    beats = [body.turn_after(0.25).beat for _ in range(9)]
    assert beats == [1, 1, 1, 1, 2, 2, 2, 2, 3]


def test_without_a_turn_nothing_is_renewed(tmp_path: Path) -> None:
    body = Body(tmp_path)
    body.turn_after(1)
    body.clock.at_ns += 60 * S
    lease = body.file.read()
    assert lease is not None
    assert lease.beat == 1


def test_a_beat_says_how_long_the_exchange_was_not_heard(tmp_path: Path) -> None:
    body = Body(tmp_path)
    assert body.turn_after(3).deaf_s == 3  # never heard: since it began
    body.pulse = Pulse(body.clock.at_ns, True)
    lease = body.turn_after(2)
    assert (lease.deaf_s, lease.halted, lease.ended) == (2, True, False)


def test_an_end_in_order_is_told(tmp_path: Path) -> None:
    body = Body(tmp_path)
    body.turn_after(1)
    body.heart.end()
    lease = body.file.read()
    assert lease is not None
    assert lease.ended


def test_a_folder_that_takes_nothing_is_told_once(tmp_path: Path) -> None:
    body = Body(tmp_path)
    body.file.path = tmp_path / "gone" / "daemon.lease"
    for _ in range(3):
        body.clock.at_ns += S
        body.heart.turned()
    assert body.log.errors == ["LeaseNotRenewed"]


def test_a_lease_is_written_over_in_place_and_for_its_owner_only(tmp_path: Path) -> None:
    file = LeaseFile(tmp_path / "one.lease")
    file.renew(Lease("a-long-name-of-a-run", 1, 100_000))
    before = os.stat(file.path)
    file.renew(Lease("run", 1, 2))
    after = os.stat(file.path)
    assert (before.st_ino, before.st_size) == (after.st_ino, after.st_size)
    assert after.st_mode & 0o777 == 0o600
    assert file.read() == Lease("run", 1, 2)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"run": 1}', '{"run": "a", "pid": []}'])
def test_what_is_no_lease_is_no_news(tmp_path: Path, text: str) -> None:
    (tmp_path / "daemon.lease").write_text(text)
    assert daemon_lease(tmp_path).read() is None
    assert lease_of(text) is None


def test_a_lease_survives_its_text() -> None:
    lease = Lease("run", 7, 3, 5, 6, 1.5, halted=True, ended=True)
    assert lease_of(lease.text) == lease
    assert set(asdict(lease)) == set(Lease.__dataclass_fields__)


class Watch:
    """A guard with what it told."""

    def __init__(self, folder: Path, required: bool = True, watch: str = "file") -> None:
        self.clock, self.told = Clock(), list[SentinelSeen]()
        self.file = sentinel_lease(folder)
        settings = SentinelSettings(required=required, watch=watch)
        self.guard = Guard(settings, folder, self.clock, self.told.append)
        self.guard.look()

    def look_after(self, seconds: float) -> list[bool]:
        self.clock.at_ns += round(seconds * S)
        self.guard.look()
        return [seen.watching for seen in self.told]


def test_who_needs_no_sentinel_is_told_nothing(tmp_path: Path) -> None:
    assert Watch(tmp_path, required=False).look_after(60) == []


def test_a_required_sentinel_that_was_never_seen_is_told_at_once(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    assert watch.told == [SentinelSeen(False, "no sentinel has been seen yet")]


def test_a_file_that_lay_there_is_no_sentinel(tmp_path: Path) -> None:
    sentinel_lease(tmp_path).renew(Lease("old", 1, 9))
    assert Watch(tmp_path).look_after(1) == [False]


def test_a_sentinel_that_beats_is_seen_and_missed_after_its_lease(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    watch.file.renew(Lease("s", 1, 1))
    watch.look_after(1)
    watch.file.renew(Lease("s", 1, 2))
    assert watch.look_after(1) == [False, True]
    assert watch.look_after(6) == [False, True]
    assert watch.look_after(0.1) == [False, True, False]
    assert "silent for more than 6 s" in watch.told[-1].reason
    watch.file.renew(Lease("s", 1, 3))
    assert watch.look_after(0.5)[-1]


def test_asking_for_our_lease_is_a_sign_of_life(tmp_path: Path) -> None:
    watch = Watch(tmp_path, watch="http://10.0.0.5:9464")
    for beat in (1, 2):
        watch.file.renew(Lease("another", 1, beat, halted=True))  # of a sentinel that was here once
        watch.guard.asked({"sentinel": Lease("s", 1, beat).text})
    assert watch.look_after(0) == [False, True]


def test_a_sentinel_that_has_tripped_lets_nothing_new_out(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    for beat in (1, 2):
        watch.file.renew(Lease("s", 1, beat, halted=True))
        watch.look_after(1)
    assert watch.told[-1] == SentinelSeen(False, "the sentinel has tripped")
    watch.file.renew(Lease("s", 1, 3))
    assert watch.look_after(1)[-1]


@pytest.mark.parametrize("query", [{}, {"sentinel": "x"}, {"sentinel": '{"run": 1}'}])
def test_other_questions_are_no_sign(tmp_path: Path, query: dict[str, str]) -> None:
    watch = Watch(tmp_path, watch="http://10.0.0.5:9464")
    for _ in range(2):
        watch.guard.asked(query)
    assert watch.look_after(0) == [False]


def test_a_sentinel_that_left_in_order_is_no_sentinel(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    for beat in (1, 2):
        watch.file.renew(Lease("s", 1, beat, ended=True))
        watch.look_after(1)
    assert watch.look_after(0) == [False]
