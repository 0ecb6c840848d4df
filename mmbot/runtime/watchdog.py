"""A thread that sees whether the event loop turns, and ends a process whose loop stands still.

It counts its own ticks between two turns of the loop. Whatever freezes the whole process (SIGSTOP,
a suspended machine) stops the count, too, and is no block. C code that keeps the interpreter stops
it as well: that is left to the service manager and the sentinel.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from traceback import StackSummary, walk_stack
from typing import Final

TICK_S: Final = 0.1
NAMED_TICKS: Final = 10
ENDED_TICKS: Final = 20
LAST_WORDS_MAX_S: Final = 0.5  # a disk or a pipe that hangs does not keep the process alive


@dataclass(frozen=True, slots=True)
class Place:
    """One call on a stack."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.function}"


Stack = tuple[Place, ...]  # the innermost call last


class Verdict(Enum):
    TURNS = "the loop turns, or may yet"
    NAME = "it has stood still for a second: say where"
    END = "it has stood still for two"


class Vigil:
    """The decision. Pure: a look per tick, at a count that each turn of the loop raises."""

    def __init__(self) -> None:
        self._beats = 0
        self._ticks = 0

    def look(self, beats: int) -> Verdict:
        self._ticks = 0 if beats != self._beats else self._ticks + 1
        self._beats = beats
        if self._ticks >= ENDED_TICKS:
            return Verdict.END
        return Verdict.NAME if self._ticks == NAMED_TICKS else Verdict.TURNS


@dataclass(frozen=True, slots=True)
class Ports:
    """`named(stack)` and `last_words(stack at the naming, stack now)` may hang: nothing waits long
    for them. `end` leaves at once, without unwinding: what stands still cannot be unwound."""

    named: Callable[[Stack], None]
    last_words: Callable[[Stack, Stack], None]
    end: Callable[[], None]


class Watchdog:
    """Watches the thread that enters `watching`."""

    def __init__(self, ports: Ports, tick_s: float = TICK_S) -> None:
        self._ports = ports
        self._tick_s = tick_s
        self._beats = 0
        self._left = threading.Event()
        self._watched = threading.get_ident()

    @contextmanager
    def watching(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """Inside it the loop has to turn."""
        self._watched = threading.get_ident()

        timer: asyncio.Handle | None = None

        def beat() -> None:
            nonlocal timer
            self._beats += 1
            timer = loop.call_later(self._tick_s, beat)

        beat()
        thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        thread.start()
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()
            self._left.set()
            thread.join()

    def _watch(self) -> None:
        vigil = Vigil()
        first: Stack = ()
        while not self._left.wait(self._tick_s):
            verdict = vigil.look(self._beats)
            if verdict is Verdict.NAME:
                first = stack_of(self._watched)
                _aside(self._ports.named, first)
            elif verdict is Verdict.END:
                _aside(self._ports.last_words, first, stack_of(self._watched)).join(
                    LAST_WORDS_MAX_S
                )
                self._ports.end()
                return


def stack_of(thread: int) -> Stack:
    """Where a thread stands now; () when there is none."""
    frame = sys._current_frames().get(thread)
    # Source lines would be read from the disk, which may be what hangs.
    summary = StackSummary.extract(walk_stack(frame), lookup_lines=False) if frame else ()
    return tuple(Place(one.filename, one.lineno or 0, one.name) for one in reversed(summary))


def _aside(work: Callable[..., None], *arguments: Stack) -> threading.Thread:
    """In a thread of its own: the watchdog has to go on counting."""
    thread = threading.Thread(target=work, args=arguments, name="watchdog's word", daemon=True)
    thread.start()
    return thread
