"""The watchdog: what it counts, what it says, and when it ends the process. # faults: J4"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable

from mmbot.runtime.watchdog import Ports, Stack, Verdict, Vigil, Watchdog

TICK_S = 0.001
WAIT_MAX_S = 20.0


class Heard:
    def __init__(self) -> None:
        self.stacks: list[tuple[Stack, ...]] = []
        self.ended = threading.Event()
        self.never = threading.Event()

    def named(self, stack: Stack) -> None:
        self.stacks.append((stack,))

    def last_words(self, first: Stack, last: Stack) -> None:
        self.stacks.append((first, last))

    def hangs(self, *stacks: Stack) -> None:
        self.never.wait(WAIT_MAX_S)


def verdicts(beats: Iterable[int]) -> list[Verdict]:
    vigil = Vigil()
    return [vigil.look(beat) for beat in beats]


def test_a_loop_that_stands_is_named_once_and_then_ended() -> None:
    said = verdicts([7] * 21)
    assert [n for n, verdict in enumerate(said) if verdict is Verdict.NAME] == [10]
    assert [n for n, verdict in enumerate(said) if verdict is Verdict.END] == [20]


def test_one_turn_begins_the_count_anew() -> None:
    said = verdicts([7] * 20 + [8] * 20)
    assert Verdict.END not in said
    assert said.count(Verdict.NAME) == 2


def test_a_freeze_of_the_whole_process_is_one_tick() -> None:
    """It is as long as it likes: the thread did not tick meanwhile."""
    assert set(verdicts([1, 2, 3, 3, 4, 5])) == {Verdict.TURNS}


async def test_who_stands_is_named_and_the_end_comes() -> None:
    heard = Heard()
    dog = Watchdog(Ports(heard.named, heard.last_words, heard.ended.set), TICK_S)
    with dog.watching(asyncio.get_running_loop()):
        stands(heard.ended)
    named, (first, last) = heard.stacks
    assert named == (first,)
    for stack in (first, last):
        assert (__file__, "stands") in [(place.file, place.function) for place in stack]


async def test_words_that_hang_do_not_hold_up_the_end() -> None:
    heard = Heard()
    dog = Watchdog(Ports(heard.hangs, heard.hangs, heard.ended.set), TICK_S)
    with dog.watching(asyncio.get_running_loop()):
        stands(heard.ended)
    heard.never.set()


async def test_a_loop_that_turns_is_left_alone_and_the_thread_ends() -> None:
    heard = Heard()
    dog = Watchdog(Ports(heard.named, heard.last_words, heard.ended.set), tick_s=0.01)
    with dog.watching(asyncio.get_running_loop()):
        await asyncio.sleep(0)
    assert not heard.ended.is_set()
    assert "watchdog" not in [thread.name for thread in threading.enumerate()]


def stands(until: threading.Event) -> None:
    assert until.wait(WAIT_MAX_S), "nobody ended it"
