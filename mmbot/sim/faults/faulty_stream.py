"""One stream connection over a bad wire: frames late, twice, swapped, lost; silence; the cut."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Protocol, TypeVar

from mmbot.sim.faults.plan import CLOSE_CODES, REORDER_WITHIN_S, Fault, Hit

T = TypeVar("T")

FRAMES_UNREAD_MAX: Final = 100_000


class Connection(Protocol):
    """Text frames both ways; `recv` raises a ConnectionError with `.code` when it is over."""

    async def recv(self) -> str: ...
    async def send(self, text: str) -> None: ...
    async def close(self) -> None: ...


class Wire(Protocol):
    """What a connection needs of the ports that made it."""

    def now_s(self) -> float: ...
    def note(self, hit: Hit, what: str, frame: str = "") -> None: ...
    def heard(self, frame: str) -> None: ...
    def spawn(self, coro: Coroutine[Any, Any, None]) -> None: ...
    async def outside(self, work: Callable[[], Awaitable[T]]) -> T: ...
    def call_later(self, delay_s: float, callback: Callable[[], None]) -> None: ...


class InjectedClose(ConnectionError):
    """The stream is over; `code` is the WebSocket close code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"connection closed, code {code}")
        self.code = code


class FaultyConnection:
    """One stream connection as the client sees it."""

    def __init__(self, wire: Wire, inner: Connection) -> None:
        self.inner = inner
        self.over: ConnectionError | None = None
        self._wire = wire
        self._frames: deque[str] = deque()
        self._reader: asyncio.Future[None] | None = None
        self._held: str | None = None
        self._in_order = 0
        self._clear_at_s = 0.0
        self._silent_until_s = 0.0

    async def recv(self) -> str:
        while not self._frames:
            if self.over is not None:
                raise self.over
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self._frames.popleft()

    async def send(self, text: str) -> None:
        if self.over is not None:
            raise self.over
        await self._wire.outside(lambda: self.inner.send(text))

    async def close(self) -> None:
        self.shut(InjectedClose(1000))

    def suffer(self, hit: Hit) -> None:
        """A fault that befalls the connection and not a frame."""
        if self.over is not None:
            return
        if hit.fault is Fault.SILENCE:
            self._wire.note(hit, f"{hit.delay_s:.1f} s")
            self._silent_until_s = self._wire.now_s() + hit.delay_s
            return
        code = CLOSE_CODES[int(hit.chance * len(CLOSE_CODES))]
        self._wire.note(hit, f"code {code}")
        self.shut(InjectedClose(code))

    def shut(self, why: ConnectionError) -> None:
        """It is over for both sides; frames that were not read yet are lost when it was cut."""
        if self.over is not None:
            return
        self.over = why
        if isinstance(why, InjectedClose):
            self._frames.clear()
        self._wire.spawn(self._hang_up())
        self._wake()

    async def _hang_up(self) -> None:
        await self.inner.close()

    def arrived(self, frame: str, kind: str, hit: Hit | None) -> None:
        if kind != "protocol" and self._wire.now_s() < self._silent_until_s:
            return
        if hit is None:
            self._deliver_in_order(frame, 0.0)
            return
        self._wire.note(hit, kind, frame)
        match hit.fault:
            case Fault.FRAME_LOST:
                return
            case Fault.FRAME_LATE:
                self._deliver_in_order(frame, hit.delay_s)
            case Fault.FRAME_SWAPPED if self._held is None:
                self._held = frame
                self._wire.call_later(REORDER_WITHIN_S, self._release)
            case _:
                self._deliver_in_order(frame, 0.0)
        if hit.fault is Fault.FRAME_COPIED:
            for n in range(1, hit.copies):
                after_s = REORDER_WITHIN_S * hit.chance * n / hit.copies
                self._wire.call_later(after_s, lambda: self._push(frame))

    def _deliver_in_order(self, frame: str, delay_s: float) -> None:
        if delay_s <= 0 and not self._in_order:
            self._push(frame)
            return
        now_s = self._wire.now_s()
        self._clear_at_s = max(self._clear_at_s, now_s + delay_s)
        self._in_order += 1

        def due() -> None:
            self._in_order -= 1
            self._push(frame)

        self._wire.call_later(self._clear_at_s - now_s, due)

    def _push(self, frame: str) -> None:
        if self.over is not None:
            return
        if len(self._frames) >= FRAMES_UNREAD_MAX:
            self.shut(InjectedClose(1006))  # nobody reads: the peer gives up on us
            return
        self._frames.append(frame)
        self._wire.heard(frame)
        self._wake()
        if self._held is not None:
            self._release()

    def _release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._push(held)

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
