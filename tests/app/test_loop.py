"""The pump: what leaves in which order, and what a freeze of the process changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmbot.app.loop import EngineLoop, Pumps
from mmbot.domain.commands import Command, ReadMarkets
from mmbot.domain.entries import Entry
from mmbot.domain.events import OperatorSaid
from mmbot.domain.facts import Alarm, Fact
from mmbot.engine.ports import PlaceOrders
from mmbot.runtime.limiter import Limiter
from tests.engine.desk import Desk
from tests.engine.situations import S


class Clock:
    """Stands still until it is set."""

    def __init__(self, now_ns: int) -> None:
        self.at_ns = now_ns

    def now_ns(self) -> int:
        return self.at_ns

    def monotonic_ns(self) -> int:
        return self.at_ns

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"the loop sleeps for nobody ({seconds})")


class Room:
    """A loop around a real engine; what it pumps is written down in order."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.desk.all_well()
        self.clock = Clock(self.desk.now_ns)
        self.did: list[str] = []
        self.commanded: list[Command] = []
        self.facts: list[Fact] = []
        self.latched = False
        self.lag_ns = 0  # of the inbox
        limiter = Limiter(self.clock)
        self.clock.at_ns += 2 * S  # the limiter takes the second before its start for full
        room: Any = self  # takes what the inbox, the dispatcher and the writer would take
        pumps = Pumps(room, limiter, room, room, self._observe, lambda: self.latched)
        self.loop = EngineLoop(self.desk.engine, pumps, self.clock)
        self.wake_ns: int | None = None

    def commands(self, commands: Sequence[Command]) -> None:
        self.did.append("commands")
        self.commanded.extend(commands)

    def enqueue(
        self, entries: Sequence[Entry], placements: Sequence[PlaceOrders], at_once: bool
    ) -> None:
        self.did.append("journal")

    def wake_at(self, at_ns: int | None) -> None:
        self.did.append("wake")
        self.wake_ns = at_ns

    def _observe(self, facts: tuple[Fact, ...], now_ns: int) -> None:
        self.did.append("facts")
        self.facts.extend(facts)

    def turn_after(self, seconds: float, lag_s: float = 0.0) -> None:
        self.clock.at_ns += round(seconds * S)
        self.lag_ns = round(lag_s * S)
        self.loop.turn([])

    @property
    def mode(self) -> str:
        return self.desk.engine.mode.name

    @property
    def alarms(self) -> list[str]:
        return [fact.what for fact in self.facts if isinstance(fact, Alarm)]


def test_commands_go_before_the_journal_and_facts_come_last() -> None:
    room = Room()
    room.loop.turn([])
    assert room.did == ["commands", "journal", "facts", "wake"]
    assert room.wake_ns is not None


def test_a_turn_in_time_is_no_stall() -> None:
    room = Room()
    room.loop.turn([])
    room.clock.at_ns = (room.wake_ns or 0) + S
    room.loop.turn([])
    assert room.alarms == []


def test_a_freeze_is_an_alarm_and_books_are_read_again() -> None:
    room = Room()
    room.loop.turn([])
    room.commanded.clear()
    room.clock.at_ns = (room.wake_ns or 0) + 3 * S
    room.loop.turn([])
    assert room.alarms == ["loop stalled"]
    assert any(isinstance(command, ReadMarkets) for command in room.commanded)


# faults: E15
def test_what_waited_too_long_in_the_inbox_is_a_reason_to_pull_for_a_second() -> None:
    room = Room()
    room.turn_after(1, lag_s=9)  # a start takes its time
    assert room.mode == "ENABLED"
    room.turn_after(1, lag_s=3)
    assert room.mode == "ENABLED"
    room.turn_after(1, lag_s=3.1)
    assert room.mode == "CANCEL_ONLY"
    room.turn_after(0.9)
    assert room.mode == "CANCEL_ONLY"
    room.turn_after(0.2)
    assert room.mode == "ENABLED"
    assert room.desk.engine.parts.modes.lag_ns == {"inbox": 0, "stream": 0}


def test_after_a_freeze_the_latch_is_read_again() -> None:
    room = Room()
    room.loop.turn([])
    room.latched = True
    room.clock.at_ns = (room.wake_ns or 0) + S
    room.loop.turn([])
    assert room.mode == "ENABLED"
    room.clock.at_ns = (room.wake_ns or 0) + 3 * S
    room.loop.turn([])
    assert room.mode == "HALTED"


def test_a_persons_halt_is_taken_in_the_same_turn() -> None:
    room = Room()
    room.loop.turn([OperatorSaid("halt", "test")])
    assert room.mode == "HALTED"
