"""Services that are kept running, and the order in which they end.

A service is one coroutine function. It may end, fail, or say "all of us" (`Stop`, `SetUpError`).
The supervisor restarts with growing delays, escalates when failures pile up, tells what happens
through a callback and never logs. It always waits for everybody.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from mmbot.domain.errors import MmbotError, SetUpError, Stop, TryAgain
from mmbot.runtime.clock import NS_PER_S, Clock


class Restart(Enum):
    ALWAYS = "always"
    ON_ERROR = "on error"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Service:
    """`critical`: its failure is not repaired by a restart, and its end ends everything."""

    name: str
    run: Callable[[], Awaitable[None]]
    restart: Restart = Restart.ALWAYS
    critical: bool = False


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """Delays double from `delay_min_s`, and start over after `healthy_after_s` of running."""

    delay_min_s: float = 0.25
    delay_max_s: float = 30.0
    jitter: float = 0.3  # share of the delay that is drawn
    healthy_after_s: float = 60.0
    failures_max: int = 10  # within `window_s`: one more escalates
    window_s: float = 300.0
    stop_wait_max_s: float = 5.0  # then a service that ignores its cancellation is named


@dataclass(frozen=True, slots=True)
class ServiceStarted:
    name: str
    attempt: int  # 1 = the first start


@dataclass(frozen=True, slots=True)
class ServiceFailed:
    name: str
    error: BaseException
    retry_in_s: float


@dataclass(frozen=True, slots=True)
class ServiceEnded:
    name: str


@dataclass(frozen=True, slots=True)
class ServiceEscalated:
    name: str
    error: BaseException


@dataclass(frozen=True, slots=True)
class ServiceIgnoresStop:
    name: str
    waited_s: float


SupervisorEvent = (
    ServiceStarted | ServiceFailed | ServiceEnded | ServiceEscalated | ServiceIgnoresStop
)

EXPONENT_MAX: Final = 30


def delays(policy: RestartPolicy, rng: random.Random) -> Iterator[float]:
    """Endless growing delays in seconds, each shortened by a random share."""
    for n in range(EXPONENT_MAX):
        full = min(policy.delay_max_s, policy.delay_min_s * 2**n)
        yield full * (1 - policy.jitter * rng.random())
    while True:
        yield policy.delay_max_s * (1 - policy.jitter * rng.random())


class Supervisor:
    """Runs an outer and an inner group of services: the inner ends first."""

    def __init__(
        self,
        clock: Clock,
        rng: random.Random,
        tell: Callable[[SupervisorEvent], None],
        policy: RestartPolicy | None = None,
    ) -> None:
        self._clock = clock
        self._rng = rng
        self._tell = tell
        self._policy = policy or RestartPolicy()
        self._stopping = asyncio.Event()
        self._error: BaseException | None = None

    def stop(self) -> None:
        """Ask for an ordered end; `run` then returns normally. Twice: it also cuts `wind_down`."""
        self._stopping.set()

    async def asked_to_stop(self, within_s: float) -> bool:
        """Wait so long; True as soon as `stop()` was called."""
        try:
            async with asyncio.timeout(within_s):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True

    async def run(
        self,
        outer: Sequence[Service],
        inner: Sequence[Service] = (),
        wind_down: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Run until `stop()` or an escalation, whose error is raised when all have ended
        (one of domain/errors; anything else arrives as the cause of a Stop).

        After an asked stop: inner services end, then `wind_down` runs while the outer ones
        still serve it, then the outer ones end. An inner one that ignores its cancellation holds
        up the end, but not `wind_down`. An escalation skips or interrupts `wind_down`, and so does
        a second `stop()` while it runs.
        """
        async with asyncio.TaskGroup() as outer_group:
            outer_tasks = self._start(outer_group, outer)
            async with asyncio.TaskGroup() as inner_group:
                inner_tasks = self._start(inner_group, inner)
                await self._stopping.wait()
                await self._end(inner_tasks, self._policy.stop_wait_max_s)
                # One that ignores its end keeps the process, but not what has to be done before.
                if wind_down is not None and self._error is None:
                    self._stopping.clear()
                    await self._last_work(wind_down)
                await self._end(inner_tasks)
            await self._end(outer_tasks)
        if self._error is not None:
            raise self._error

    def _start(
        self, group: asyncio.TaskGroup, services: Sequence[Service]
    ) -> dict[asyncio.Task[None], str]:
        return {
            group.create_task(self._keep_running(service), name=service.name): service.name
            for service in services
        }

    async def _last_work(self, wind_down: Callable[[], Awaitable[None]]) -> None:
        """`wind_down` as a service of its own, ended early by an escalation or a second stop."""

        async def work() -> None:
            try:
                await wind_down()
            finally:
                self._stopping.set()

        async with asyncio.TaskGroup() as group:
            service = Service("wind-down", work, Restart.NEVER, critical=True)
            tasks = self._start(group, [service])
            await self._stopping.wait()
            await self._end(tasks)

    async def _end(
        self, tasks: dict[asyncio.Task[None], str], wait_max_s: float = math.inf
    ) -> None:
        waited_s = 0.0
        pending = {task for task in tasks if not task.done()}
        while pending and waited_s < wait_max_s:
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=self._policy.stop_wait_max_s)
            waited_s += self._policy.stop_wait_max_s
            for task in pending:
                self._tell(ServiceIgnoresStop(tasks[task], waited_s))

    async def _keep_running(self, service: Service) -> None:
        """Never raises anything but its cancellation: errors go through `_escalate`."""
        policy = self._policy
        waits = delays(policy, self._rng)
        failures: deque[int] = deque(maxlen=policy.failures_max + 1)
        attempt = 0
        while True:
            attempt += 1
            started_ns = self._clock.monotonic_ns()
            self._tell(ServiceStarted(service.name, attempt))
            error = await self._run_once(service)
            now_ns = self._clock.monotonic_ns()
            if isinstance(error, (Stop, SetUpError)) or (error is not None and service.critical):
                self._escalate(service, error)
                return
            if self._ended_for_good(service, error):
                return
            if now_ns - started_ns >= policy.healthy_after_s * NS_PER_S:
                waits = delays(policy, self._rng)
                failures.clear()
            wait_s = next(waits)
            if error is not None:
                failures.append(now_ns)
                if self._too_many(failures):
                    times = f"{policy.failures_max + 1} times within {policy.window_s:g} s"
                    self._escalate(
                        service, _stop_because(f"service {service.name} failed {times}", error)
                    )
                    return
                if isinstance(error, TryAgain):
                    wait_s = max(wait_s, error.retry_after_s)
                self._tell(ServiceFailed(service.name, error, wait_s))
            await self._clock.sleep(wait_s)

    async def _run_once(self, service: Service) -> BaseException | None:
        try:
            await service.run()
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return error  # it cancelled itself: a failure like any other
        except (Exception, SystemExit) as error:  # sys.exit in a strategy ends the strategy only
            return error
        return None

    def _ended_for_good(self, service: Service, error: BaseException | None) -> bool:
        again = service.restart is Restart.ALWAYS or (
            service.restart is Restart.ON_ERROR and error is not None
        )
        if again and not service.critical:
            return False
        if error is not None:
            self._tell(ServiceFailed(service.name, error, float("inf")))
        self._tell(ServiceEnded(service.name))
        if service.critical:
            self._stopping.set()
        return True

    def _too_many(self, failures: deque[int]) -> bool:
        full = len(failures) > self._policy.failures_max
        return full and failures[-1] - failures[0] <= self._policy.window_s * NS_PER_S

    def _escalate(self, service: Service, error: BaseException) -> None:
        self._tell(ServiceEscalated(service.name, error))
        if self._error is None:
            known = isinstance(error, MmbotError)
            self._error = error if known else _stop_because(f"service {service.name} failed", error)
        self._stopping.set()


def _stop_because(what: str, error: BaseException) -> Stop:
    """A known error with one line for the person, and the cause kept for the log."""
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    stop = Stop(f"{what}: {reason}")
    stop.__cause__ = error
    return stop
