"""An asyncio loop on a virtual clock: when every task waits, time jumps to the next timer.

One seed gives one run: ready callbacks are first in, first out, two timers never share an
instant, tasks and futures hash by their order of birth (a TaskGroup cancels a *set* of them), and
work for an executor runs in this thread. Sets of strings are ordered by PYTHONHASHSEED, which
whoever wants to replay a seed in another process must fix. The loop opens no sockets: what goes
over a wire goes through ports that are given in memory. A real thread that would wake the loop
later is unknown to it: with nothing else to wait for, that is a `Deadlock`.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import itertools
import math
import random
import time
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Final, NoReturn, TypeVar, TypeVarTuple, Unpack

from mmbot.sim.virtual.ends import Deadlock as Deadlock
from mmbot.sim.virtual.ends import HorizonPassed as HorizonPassed
from mmbot.sim.virtual.ends import LoopLimits as LoopLimits
from mmbot.sim.virtual.ends import RealNetworkRefused as RealNetworkRefused
from mmbot.sim.virtual.ends import Spin as Spin
from mmbot.sim.virtual.ends import UnhandledError as UnhandledError
from mmbot.sim.virtual.ends import VirtualRunError as VirtualRunError
from mmbot.sim.virtual.island import (
    Island,
    VirtualFuture,
    VirtualHandle,
    VirtualTask,
    VirtualTimer,
    close_frame,
    forget,
    island_of,
    owner_of,
)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

EPOCH_NS: Final = 1_795_359_600_000_000_000  # 2026-11-22T15:00:00Z, where virtual days begin
TAKEN_INSTANTS_KEPT: Final = 8192
REAP_ROUNDS_MAX: Final = 10_000


class VirtualLoop(asyncio.BaseEventLoop):
    """See the module. `time()` starts at 0 s; `now_ns()` is the same instant on a wall clock."""

    _ready: deque[asyncio.Handle]
    _stopping: bool
    _asyncgens: weakref.WeakSet[Any]

    def __init__(self, seed: int, limits: LoopLimits | None = None) -> None:
        super().__init__()
        self.limits = limits or LoopLimits()
        self.random = random.Random(seed)
        self.unhandled: list[str] = []
        self.steps = 0
        self._timers: list[tuple[int, asyncio.TimerHandle]] = []  # no two at one instant
        self._elapsed_ns = 0
        self._steps_at_instant = 0
        self._taken: dict[int, int] = {}
        self._prune_taken_at = TAKEN_INSTANTS_KEPT
        self._births = itertools.count(1)
        self._islands: list[Island] = []
        self._frozen: dict[Island | None, list[asyncio.Handle]] = {}  # what waits for each
        self._executor_free_s = 0.0
        self._reaping = False
        self._real_start_s = time.monotonic()

    # --- the clock

    def time(self) -> float:
        return self._elapsed_ns / 1e9

    def now_ns(self) -> int:
        """Virtual wall clock, ns since 1970."""
        return EPOCH_NS + self._elapsed_ns

    def _run_once(self) -> None:
        """One turn, as BaseEventLoop does it, but where it would wait time jumps."""
        timers = self._timers
        while timers and timers[0][1]._cancelled:
            heapq.heappop(timers)
        self.steps += 1
        if not self.steps % 256 and self.limits.real_limit_s:
            self._check_real_time()
        ready = self._ready
        if ready or self._stopping:
            self._steps_at_instant += 1
            if self._steps_at_instant > self.limits.steps_per_instant_max:
                raise Spin(f"time stands still at {self.time():.9f} s: {self._waiting()}")
        else:
            ready.append(self._next_timer(timers))
        for _ in range(len(ready)):  # what these bring about waits for the next turn
            handle = ready.popleft()
            if not handle._cancelled and not (self._frozen and self._waits(handle)):
                handle._run()

    def _next_timer(self, timers: list[tuple[int, asyncio.TimerHandle]]) -> asyncio.TimerHandle:
        """No two are due at one instant."""
        if not timers:
            raise Deadlock(f"nothing can wake up at {self.time():.9f} s: {self._waiting()}")
        when_ns, handle = timers[0]
        if when_ns > self.limits.horizon_s * 1e9:
            raise HorizonPassed(f"{self.limits.horizon_s:.0f} s are over: {self._waiting()}")
        heapq.heappop(timers)
        self._elapsed_ns, self._steps_at_instant = when_ns, 0
        return handle

    def _check_real_time(self) -> None:
        real_s = time.monotonic() - self._real_start_s
        if real_s > self.limits.real_limit_s:
            raise Spin(f"{real_s:.0f} s of real time at {self.time():.3f} s: {self._waiting()}")

    def _waiting(self) -> str:
        tasks = [repr(task) for task in self.tasks_by_birth()]
        return "; ".join(tasks[:20]) + (f"; and {len(tasks) - 20} more" if tasks[20:] else "")

    def _free_instant(self, when_s: float) -> int:
        """The first ns at or after `when_s` at which no other timer is due."""
        wanted = max(math.ceil(when_s * 1e9 - 1e-3), self._elapsed_ns + 1)
        if len(self._taken) > self._prune_taken_at:
            self._taken = {ns: n for ns, n in self._taken.items() if ns > self._elapsed_ns}
            self._prune_taken_at = 2 * len(self._taken) + TAKEN_INSTANTS_KEPT
        free = wanted
        while free in self._taken:
            free = self._taken[free]
        # Short cuts, so that a thousand timers of one instant do not walk a thousand steps each.
        while wanted in self._taken:
            self._taken[wanted], wanted = free + 1, self._taken[wanted]
        self._taken[free] = free + 1
        return free

    # --- scheduling: everything belongs to an island or to none

    def call_soon(
        self,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        # As BaseEventLoop does it, in one step: half of a virtual day is spent on this.
        context = contextvars.copy_context() if context is None else context
        handle = VirtualHandle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_soon_threadsafe(
        self,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        context = contextvars.copy_context() if context is None else context
        when_ns = self._free_instant(when)
        handle = VirtualTimer(when_ns / 1e9, callback, args, self, context)
        heapq.heappush(self._timers, (when_ns, handle))
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def create_future(self) -> asyncio.Future[Any]:
        return VirtualFuture(next(self._births), self)

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: object = None,
        context: contextvars.Context | None = None,
        **_options: object,
    ) -> asyncio.Task[T]:
        if not isinstance(coro, Coroutine):
            raise TypeError(f"a coroutine was expected, got {coro!r}")
        return self.new_task(coro, None if name is None else str(name), context)

    def new_task(
        self,
        coro: Coroutine[Any, Any, T],
        name: str | None,
        context: contextvars.Context | None = None,
    ) -> VirtualTask[T]:
        self._check_closed()  # type: ignore[attr-defined]  # not in typeshed
        context = contextvars.copy_context() if context is None else context
        task = VirtualTask(coro, next(self._births), self, name, context)
        if task.island is not None:
            task.island.adopt(task)
            if task.island.abandoned:
                forget(task)
        return task

    def island(self, name: str) -> Island:
        """A new participant that can be crashed alone."""
        island = Island(self, name)
        self._islands.append(island)
        return island

    def freeze(self, island: Island) -> None:
        self._frozen.setdefault(island, [])

    def thaw(self, island: Island) -> None:
        self._ready.extend(self._frozen.pop(island, ()))

    def _waits(self, handle: asyncio.Handle) -> bool:
        waiting = self._frozen.get(owner_of(handle))
        if waiting is not None:
            waiting.append(handle)
        return waiting is not None

    def drop(self, island: Island) -> None:
        """Forget all that would run something of this island; only `Island.abandon` asks."""
        self._frozen.pop(island, None)
        self._asyncgens -= island.generators
        for handle in (*self._ready, *(timer for _, timer in self._timers)):
            if owner_of(handle) is island:
                handle.cancel()

    def run_in_executor(
        self, executor: Any, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run it in this thread, one job at a time; a crash may strike before or after it."""
        duration_s = self.random.uniform(0.0, self.limits.executor_delay_s_max)
        before_s = self.random.random() * duration_s
        begin_s = max(self._executor_free_s, self.time())
        self._executor_free_s = begin_s + duration_s

        async def job() -> T:
            if duration_s > 0:
                await asyncio.sleep(begin_s - self.time() + before_s)
            result = func(*args)
            if duration_s > 0:
                await asyncio.sleep(duration_s - before_s)
            return result

        # A thread does not stop because the one who waits for it was cancelled.
        return asyncio.shield(self.new_task(job(), "executor"))

    # --- what a virtual loop refuses

    async def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RealNetworkRefused("no real sockets, pipes or processes under the virtual clock")

    getaddrinfo = getnameinfo = _refuse
    create_connection = create_server = create_datagram_endpoint = _refuse
    connect_accepted_socket = connect_read_pipe = connect_write_pipe = _refuse
    subprocess_exec = subprocess_shell = start_tls = sendfile = _refuse

    # --- the plumbing that BaseEventLoop leaves to its children

    def _write_to_self(self) -> None:
        """Nobody sleeps in a system call."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        owner = getattr(context.get("task") or context.get("future"), "island", None)
        if self._reaping or (isinstance(owner, Island) and owner.abandoned):
            return
        self.unhandled.append(f"{context.get('message')}: {context.get('exception')!r}")

    def _asyncgen_firstiter_hook(self, agen: Any) -> None:
        super()._asyncgen_firstiter_hook(agen)  # type: ignore[misc]  # not in typeshed
        island = island_of(contextvars.copy_context())
        if island is not None:
            island.generators.add(agen)

    def _asyncgen_finalizer_hook(self, agen: Any) -> None:
        if not self._reaping:
            super()._asyncgen_finalizer_hook(agen)  # type: ignore[misc]  # not in typeshed

    # --- the end

    def tasks_by_birth(self) -> list[asyncio.Task[Any]]:
        return sorted(asyncio.all_tasks(self), key=hash)

    def finish(self) -> None:
        """Cancel what is left, in order of birth, and let it end; then say what went unseen."""
        for island in self._islands:
            self.thaw(island)
        while leftovers := self.tasks_by_birth():
            for task in leftovers:
                task.cancel()
            self.run_until_complete(asyncio.wait(leftovers))
        self.run_until_complete(self.shutdown_asyncgens())
        if self.unhandled:
            raise UnhandledError("; ".join(self.unhandled[:10]))

    def close(self) -> None:
        if not self.is_closed() and not self.is_running():
            self._reap()
        super().close()
        self._timers.clear()

    def _reap(self) -> None:
        """Close the frames of all that will never run, now that nobody looks."""
        self._reaping = True
        wreck = [task for task in self.tasks_by_birth() if isinstance(task, VirtualTask)]
        for task in wreck:
            forget(task)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for tasks in (wreck, *(island.tasks for island in self._islands)):
                for _ in range(REAP_ROUNDS_MAX):  # a dying frame may start tasks
                    if not tasks:
                        break
                    task = tasks.pop()
                    task.context.run(close_frame, task)


def run_virtual(
    main: Callable[[VirtualLoop], Coroutine[Any, Any, T]],
    *,
    seed: int,
    limits: LoopLimits | None = None,
) -> T:
    """Run `main(loop)` to its end under the virtual clock and give its result.

    Raises what main raises, `Deadlock`, `HorizonPassed`, `Spin`, or `UnhandledError` when main
    ended well and something else failed unseen.
    """
    loop = VirtualLoop(seed, limits)
    try:
        result = loop.run_until_complete(main(loop))
        loop.finish()
        return result
    finally:
        loop.close()
