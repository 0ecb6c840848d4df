"""Who a callback belongs to under the virtual clock, and how one participant dies alone."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import weakref
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from mmbot.sim.virtual.loop import VirtualLoop

T = TypeVar("T")

COROUTINE_CLOSES_MAX: Final = 64
_ISLAND: Final[contextvars.ContextVar[Island | None]] = contextvars.ContextVar("island")


class VirtualFuture(asyncio.Future[Any]):
    """A future whose place in a set depends on its order of birth, not on its address."""

    def __init__(self, order: int, loop: VirtualLoop) -> None:
        self.order = order
        self.island = _ISLAND.get(None)
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self.order


class VirtualTask(asyncio.Task[T]):
    """A task that knows its order of birth, its context and its island."""

    def __init__(
        self,
        coro: Coroutine[Any, Any, T],
        order: int,
        loop: VirtualLoop,
        name: str | None,
        context: contextvars.Context,
    ) -> None:
        self.order = order
        self.context = context
        self.island = island_of(context)
        super().__init__(coro, loop=loop, name=name or f"task-{order}", context=context)

    def __hash__(self) -> int:
        return self.order

    def __repr__(self) -> str:
        return f"<{self.get_name()} waits in {_innermost(self.get_coro())}>"


class VirtualHandle(asyncio.Handle):
    """As its base, without asking the loop for a debug mode: a day makes fifty thousand."""

    __slots__ = ()

    def __init__(
        self,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: VirtualLoop,
        context: contextvars.Context,
    ) -> None:
        self._context = context
        self._loop = loop
        self._callback = callback
        self._args = args
        island = context.get(_ISLAND)
        self._cancelled = island is not None and island.abandoned  # its owner may be gone
        self._repr = None
        self._source_traceback = None


class VirtualTimer(VirtualHandle, asyncio.TimerHandle):
    """The same of a timer; its base would call for the debug mode again."""

    __slots__ = ()

    def __init__(
        self,
        when_s: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: VirtualLoop,
        context: contextvars.Context,
    ) -> None:
        VirtualHandle.__init__(self, callback, args, loop, context)
        self._when = when_s
        self._scheduled = False


class Island:
    """One participant that can be killed: its tasks, and all that was scheduled from them.

    `start` runs a coroutine on the island; whatever it starts or schedules belongs to the island
    too (a context variable that children inherit). After `abandon` none of it ever runs again:
    no CancelledError, no `finally`, as after kill -9. Everybody else lives on. The frames are
    kept until the loop closes and are closed then, silently, when nobody looks any more.

    Called from inside the island, `abandon` cannot stop the running step: it goes on to its next
    wait, and no later. A port that is called in that step must look at `abandoned`.
    """

    def __init__(self, loop: VirtualLoop, name: str) -> None:
        self.name = name
        self.abandoned = False
        self.tasks: list[VirtualTask[Any]] = []
        self.generators: weakref.WeakSet[Any] = weakref.WeakSet()
        self.on_abandon: list[Callable[[], None]] = []  # what the kernel would do: close sockets
        self._loop = loop
        self._prune_at = 64
        self._main: VirtualTask[Any] | None = None
        self._end: asyncio.Future[VirtualTask[Any] | None] = loop.create_future()

    def __repr__(self) -> str:
        return f"<island {self.name}{' abandoned' if self.abandoned else ''}>"

    def start(self, coro: Coroutine[Any, Any, Any]) -> None:
        """Begin the island's life with this coroutine as its main task; once per island."""
        context = contextvars.copy_context()
        context.run(_ISLAND.set, self)
        self._main = main = self._loop.new_task(coro, self.name, context)
        main.add_done_callback(self._main_ended, context=contextvars.copy_context())

    def _main_ended(self, main: asyncio.Task[Any]) -> None:
        if not self._end.done():
            self._end.set_result(main if isinstance(main, VirtualTask) else None)

    async def ended(self) -> bool:
        """Wait for the main task: True when it ran to its end (its error is raised here), False
        when the island was abandoned first."""
        main = await asyncio.shield(self._end)
        if main is None:
            return False
        main.result()
        return True

    async def outcome(self) -> bool | BaseException:
        """Like `ended`, but the main task's error is given and not raised."""
        main = await asyncio.shield(self._end)
        if main is None:
            return False
        return asyncio.CancelledError() if main.cancelled() else main.exception() or True

    def cancel(self) -> None:
        """Ask the main task to end in the ordinary way."""
        if self._main is not None:
            self._main.cancel()

    def adopt(self, task: VirtualTask[Any]) -> None:
        if len(self.tasks) >= self._prune_at:
            self.tasks = [old for old in self.tasks if not old.done()]
            self._prune_at = 2 * len(self.tasks) + 64
        self.tasks.append(task)

    def freeze(self) -> None:
        """As by SIGSTOP: nothing of it runs until `thaw`, and all that comes for it waits."""
        self._loop.freeze(self)

    def thaw(self) -> None:
        """As by SIGCONT: what came or fell due meanwhile runs now, in its order."""
        self._loop.thaw(self)

    def abandon(self) -> None:
        """Nothing of this island runs again, from now on."""
        if self.abandoned:
            return
        self.abandoned = True
        self._loop.drop(self)
        for task in self.tasks:
            forget(task)
        for tidy_up in self.on_abandon:
            tidy_up()
        if not self._end.done():
            self._end.set_result(None)


def island_of(context: contextvars.Context) -> Island | None:
    return context.get(_ISLAND, None)


def owner_of(handle: asyncio.Handle) -> Island | None:
    # asyncio shows a handle's context from 3.12 on; the attribute is in all versions.
    context: contextvars.Context = handle._context  # type: ignore[attr-defined]  # above
    return island_of(context)


def forget(task: asyncio.Task[Any]) -> None:
    """asyncio neither lists this task nor complains that it never ended."""
    asyncio.tasks._unregister_task(task)
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # as asyncio.gather does


def close_frame(task: VirtualTask[Any]) -> None:
    coro = task.get_coro()
    if task.done() or coro is None:
        return
    for _ in range(COROUTINE_CLOSES_MAX):  # a `finally` that awaits must be closed again
        # Whatever a dead program would have said in its last words concerns nobody.
        with suppress(Exception, BaseExceptionGroup, asyncio.CancelledError, SystemExit):
            coro.close()
        if not inspect.iscoroutine(coro) or inspect.getcoroutinestate(coro) == "CORO_CLOSED":
            return


def _innermost(coro: Any) -> str:
    """Where a suspended coroutine stands, e.g. `feed.py:120 receive`."""
    while inner := getattr(coro, "cr_await", None) or getattr(coro, "ag_await", None):
        if getattr(inner, "cr_frame", None) is None:
            break
        coro = inner
    frame = getattr(coro, "cr_frame", None)
    if frame is None:
        return repr(coro)
    code = frame.f_code
    return f"{code.co_filename.rpartition('/')[2]}:{frame.f_lineno} {code.co_qualname}"
