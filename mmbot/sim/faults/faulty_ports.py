"""The two ports of a client with a bad wire between: requests and frames go wrong as planned.

The wire outlives the client. A request that has left is executed although its caller gave up,
was cancelled or died; when an island dies, its connections are reset, as the kernel would do.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Final, NoReturn, Protocol, Self, TypeVar

from mmbot.sim.faults.canned import canned
from mmbot.sim.faults.dice import Dice
from mmbot.sim.faults.faulty_stream import Connection, FaultyConnection, InjectedClose
from mmbot.sim.faults.kinds import FrameKind, RouteKind, external_ids, frame_kind, route_kind
from mmbot.sim.faults.plan import NOT_EXECUTED, Fault, FaultPlan, Hit, Injected, Target
from mmbot.sim.virtual.island import Island, island_of

IDS_SHOWN_MAX: Final = 3

T = TypeVar("T")
Reply = tuple[int, dict[str, str], bytes]
HttpPort = Callable[[str, str, Mapping[str, str], bytes], Awaitable[Reply]]


WsPort = Callable[[str], Awaitable[Connection]]


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """A request that left a client."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    kind: RouteKind
    island: Island | None


class Tap(Protocol):
    """Who listens at the wire, on the client's side of it."""

    def sent(self, request: Sent, now_ns: int) -> None: ...
    def answered(self, request: Sent, reply: Reply, now_ns: int) -> None: ...
    def heard(self, kind: FrameKind, frame: str, now_ns: int) -> None: ...
    def struck(self, entry: Injected, frame: str) -> None: ...


class FaultyPorts:
    """`async with FaultyPorts(http, ws, plan, now_ns) as ports`, outside of every island.

    `ports.http_request` and `ports.ws_connect` are the ports for the client. `injected` is the
    record of faults, `last_placement_ns` when a placement last left a client (for I4); `taps`
    hear of everything that passes.
    """

    def __init__(
        self, http: HttpPort, ws: WsPort, plan: FaultPlan, now_ns: Callable[[], int]
    ) -> None:
        self.injected: list[Injected] = []
        self.last_placement_ns: int | None = None
        self.requests_sent = 0
        self.taps: list[Tap] = []
        self._placing: dict[Island | None, int] = {}  # placements under way, by client
        self._http = http
        self._ws = ws
        self._dice = Dice(plan)
        self._now_ns = now_ns
        self._start_ns = now_ns()
        self._group = asyncio.TaskGroup()
        self._context = contextvars.Context()
        self._under_way: set[asyncio.Task[None]] = set()
        self._connections: set[FaultyConnection] = set()

    async def __aenter__(self) -> Self:
        self._context = contextvars.copy_context()
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        connections, tasks = list(self._connections), list(self._under_way)
        for task in tasks:
            task.cancel()
        for connection in connections:
            connection.shut(InjectedClose(1001))
        await self._group.__aexit__(kind, error, trace)

    def now_s(self) -> float:
        """Seconds since these ports were made: the time of the plan."""
        return (self._now_ns() - self._start_ns) / 1e9

    def note(self, hit: Hit, what: str, frame: str = "") -> None:
        entry = Injected(self._now_ns(), hit.fault, what, hit.where)
        self.injected.append(entry)
        for tap in self.taps:
            tap.struck(entry, frame)

    def heard(self, frame: str) -> None:
        """A frame that its client can read now."""
        kind, now_ns = frame_kind(frame), self._now_ns()
        for tap in self.taps:
            tap.heard(kind, frame, now_ns)

    def spawn(self, coro: Coroutine[Any, Any, None]) -> None:
        """Do it on the wire, where no death of a client can stop it."""
        # Called from an island, the group's own callbacks would belong to that island too.
        self._context.copy().run(self._born, coro)

    def _born(self, coro: Coroutine[Any, Any, None]) -> None:
        task = self._group.create_task(coro, context=contextvars.copy_context())
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def outside(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it on the wire and wait for it; a ConnectionError comes back as it is.

        What the exchange schedules meanwhile must not belong to the island of the client.
        """
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.spawn(_report(work, answer))
        return await answer

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(delay_s, callback, context=self._context)

    # --- requests

    async def http_request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Reply:
        """Raises ConnectionResetError, or waits for ever, when the plan says so."""
        island = await _alive_island()
        kind = route_kind(path)
        target = Target(path=path.partition("?")[0])
        between = bool(self._placing.get(island))
        mortal = island is not None
        hit = self._dice.request(kind, self.now_s(), mortal, target, between=between)
        if hit is not None:
            self.note(hit, _describe(method, path, body))
            if island is not None and hit.fault in (Fault.CRASH_BEFORE, Fault.CRASH_BETWEEN):
                island.abandon()
                await _for_ever()
        request = Sent(method, path, headers, body, kind, island)
        self._leaves(request)
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.spawn(self._carry(request, hit, answer))
        try:
            reply = await answer
        finally:
            if kind == "place":
                self._placing[island] -= 1
        for tap in self.taps:
            tap.answered(request, reply, self._now_ns())
        return reply

    def _leaves(self, request: Sent) -> None:
        self.requests_sent += 1
        if request.kind == "place":
            self.last_placement_ns = self._now_ns()
            self._placing[request.island] = self._placing.get(request.island, 0) + 1
        for tap in self.taps:
            tap.sent(request, self._now_ns())

    async def _carry(self, request: Sent, hit: Hit | None, answer: asyncio.Future[Reply]) -> None:
        fault = hit.fault if hit is not None else None
        reply: Reply = (0, {}, b"")
        if hit is not None:
            await self._before(hit, answer)
        if fault not in NOT_EXECUTED:
            try:
                reply = await self._http(
                    request.method, request.path, request.headers, request.body
                )
            except ConnectionError as error:
                _fail(answer, error)
                return
        if hit is not None and fault is not Fault.LANDS_LATE:
            await self._after(hit, request, reply, answer)
        elif not answer.done():
            answer.set_result(reply)

    async def _before(self, hit: Hit, answer: asyncio.Future[Reply]) -> None:
        if hit.fault is Fault.LANDS_LATE:
            _fail(answer, ConnectionResetError("connection reset by peer"))
            await asyncio.sleep(hit.late_s[int(hit.chance * len(hit.late_s))])
        elif hit.fault is Fault.SLOW:
            await asyncio.sleep(hit.delay_s * hit.chance)
        else:
            await asyncio.sleep(0.0005)  # even a refusal travels

    async def _after(
        self, hit: Hit, request: Sent, reply: Reply, answer: asyncio.Future[Reply]
    ) -> None:
        match hit.fault:
            case Fault.REPLY_RESET | Fault.REQUEST_RESET:
                _fail(answer, ConnectionResetError("connection reset by peer"))
                return
            case Fault.REPLY_HANGS | Fault.REQUEST_HANGS:
                return
            case Fault.CRASH_AFTER:
                if request.island is not None:
                    request.island.abandon()
                return
            case Fault.SLOW:
                await asyncio.sleep(hit.delay_s * (1.0 - hit.chance))
            case Fault.TRUNCATED:
                status, headers, body = reply
                reply = (status, headers, body[: int(len(body) * hit.chance)])
            case _:
                reply = canned(hit, request.kind, self._now_ns())
        if not answer.done():
            answer.set_result(reply)

    # --- the stream

    async def ws_connect(self, url: str) -> Connection:
        """Raises ConnectionRefusedError when the plan says so."""
        island = await _alive_island()
        hit = self._dice.refused_connection(self.now_s())
        if hit is not None:
            self.note(hit, "stream")
            raise ConnectionRefusedError("connection refused")
        inner = await self.outside(lambda: self._ws(url))
        connection = FaultyConnection(self, inner)
        self._connections.add(connection)
        if island is not None:
            island.on_abandon.append(lambda: connection.shut(InjectedClose(1006)))
        self.spawn(self._pump(connection))
        for in_s, fate in self._dice.connection(self.now_s()):
            self.call_later(in_s, partial(connection.suffer, fate))
        return connection

    async def _pump(self, connection: FaultyConnection) -> None:
        try:
            while not connection.over:
                frame = await connection.inner.recv()
                kind = frame_kind(frame)
                connection.arrived(frame, kind, self._dice.frame(kind, self.now_s()))
        except ConnectionError as error:
            connection.shut(error)
        finally:
            self._connections.discard(connection)


def _describe(method: str, path: str, body: bytes) -> str:
    ids = external_ids(body)
    more = f" and {len(ids) - IDS_SHOWN_MAX} more" if len(ids) > IDS_SHOWN_MAX else ""
    return f"{method} {path.partition('?')[0]} {' '.join(ids[:IDS_SHOWN_MAX])}{more}".rstrip()


def _fail(answer: asyncio.Future[T], error: ConnectionError) -> None:
    if not answer.done():
        answer.set_exception(error)


async def _report(work: Callable[[], Awaitable[T]], answer: asyncio.Future[T]) -> None:
    try:
        result = await work()
    except ConnectionError as error:
        _fail(answer, error)
        return
    if not answer.done():
        answer.set_result(result)


async def _alive_island() -> Island | None:
    """The island of the caller; a caller that died in this very step never comes back."""
    island = island_of(contextvars.copy_context())
    if island is not None and island.abandoned:
        await _for_ever()
    return island


async def _for_ever() -> NoReturn:
    await asyncio.get_running_loop().create_future()
    raise AssertionError("nobody holds this future")
