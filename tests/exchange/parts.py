"""A client on scripted wires and virtual time: whoever waits is waited for, nothing sleeps."""

from __future__ import annotations

import asyncio
import json
import selectors
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from mmbot.domain.catalog import Catalog
from mmbot.domain.events import Event
from mmbot.domain.ids import ExternalId, LineId, MarketId, SportEventId, StrikeId
from mmbot.domain.order import Order
from mmbot.domain.price import Price
from mmbot.engine import risk
from mmbot.exchange import wire
from mmbot.exchange.books import leaves
from mmbot.exchange.gateway import Gateway
from mmbot.exchange.http import HttpReply, NotSent
from mmbot.exchange.listing import Listing
from mmbot.exchange.notices import Notices
from mmbot.exchange.order_wire import Cleared
from mmbot.exchange.rest import Rest, RestPorts
from mmbot.exchange.routes import V4, Routes
from mmbot.exchange.session import Session, SessionPorts, SessionSettings
from mmbot.exchange.tokens import Credentials
from mmbot.exchange.ws import After, Take, WsClosed, WsConnection
from mmbot.runtime.clock import LoopClock
from mmbot.runtime.limiter import Limiter

T = TypeVar("T")
S: Final = 1_000_000_000
EPOCH_NS: Final = 1_795_359_600 * S
EXAMPLES: Final = Path(__file__).resolve().parents[2] / "mmbot" / "data" / "contract"
EVENT_ID: Final = SportEventId(10079123)
SECRETS: Final = ("the-access-key", "the-secret-key")


def example(name: str) -> bytes:
    return (EXAMPLES / name).read_bytes()


def example_json(name: str) -> Any:
    return json.loads(example(name))


class _Jump(selectors.BaseSelector):
    """Never waits: where a real loop would, time moves on."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if not ready:
            assert timeout is not None, "every task waits and no timer is set"
            self.now_s += max(0.0, timeout)
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.now_s


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


class Over(Exception):
    """A scenario came to its end: the services around it are stopped."""


async def play(scenario: Awaitable[None], *services: Coroutine[Any, Any, None]) -> None:
    """Run services until the scenario ends."""

    async def to_the_end() -> None:
        await scenario
        raise Over

    try:
        async with asyncio.TaskGroup() as group:
            for service in services:
                group.create_task(service)
            group.create_task(to_the_end())
    except* Over:
        pass


# --- HTTP -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    path: str  # without query
    query: str
    token: str
    body: Any
    at_ns: int
    timeout_s: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)


Step = HttpReply | BaseException | Callable[[Asked], HttpReply]


@dataclass(slots=True)
class ScriptedHttp:
    """Answers by path: one step after the other, the last one for ever."""

    clock: LoopClock
    steps: dict[str, list[Step]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def on(self, path: str, *steps: Step) -> None:
        self.steps[path] = list(steps)

    async def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        timeout_s: float,
        cleared: Cleared | None = None,
    ) -> HttpReply:
        if cleared is not None and (reason := await cleared()):
            raise NotSent(reason)
        bare, _, query = path.partition("?")
        bearer = headers.get("Authorization", "").removeprefix("Bearer ")
        content = json.loads(body) if body else None
        asked = Asked(method, bare, query, bearer, content, self.clock.now_ns(), timeout_s, headers)
        self.asked.append(asked)
        known = next(
            (key for key in self.steps if key == bare or (key.endswith("/") and key in bare)), None
        )
        assert known is not None, f"nobody answers {method} {path}"
        steps = self.steps[known]
        step = steps.pop(0) if len(steps) > 1 else steps[0]
        if isinstance(step, BaseException):
            raise step
        return step if isinstance(step, HttpReply) else step(asked)

    def count(self, path: str) -> int:
        return sum(1 for one in self.asked if one.path == path)


def reply(body: Any, status: int = 200, **headers: str) -> HttpReply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpReply(status, {k.replace("_", "-"): v for k, v in headers.items()}, content)


def refused(status: int, code: str, message: str = "no") -> HttpReply:
    return reply({"error": code, "message": message}, status)


def tokens(access: str = "t1", life_s: float = 600, refresh: str | None = "r1") -> HttpReply:
    data = {"access_token": access, "access_expire_time": life_s, "refresh_expire_time": 259_200}
    return reply({"data": data | ({"refresh_token": refresh} if refresh else {})})


# --- the client -----------------------------------------------------------------------------


@dataclass(slots=True)
class Parts:
    clock: LoopClock
    http: ScriptedHttp
    notices: Notices
    alarms: list[str]
    limiter: Limiter
    session: Session
    rest: Rest
    listing: Listing
    gateway: Gateway


def a_client(
    state_file: Path | None = None,
    logged_in: bool = True,
    clock: LoopClock | None = None,
    draw: Callable[[], float] = lambda: 0.5,
    routes: Routes = V4,
) -> Parts:
    """Inside the running loop. The rate window of the start is open after one second."""
    clock = clock or LoopClock(EPOCH_NS)
    http = ScriptedHttp(clock)
    alarms: list[str] = []
    notices = Notices(alarm=lambda kind, detail: alarms.append(kind))
    limiter = Limiter(clock)
    if logged_in:
        http.on("/auth/login", tokens())
        http.on("/auth/refresh", tokens("t2", refresh=None))
    settings = SessionSettings("http://127.0.0.1/partner", Credentials(*SECRETS), state_file)
    session = Session(settings, SessionPorts(http, limiter, clock, notices, routes, draw))
    rest = Rest(RestPorts(http, session, limiter, clock, notices, routes))
    listing = Listing()
    return Parts(
        clock, http, notices, alarms, limiter, session, rest, listing, Gateway(rest, listing)
    )


def seeded(listing: Listing) -> Listing:
    """The lines of the contract's market example."""
    raws = wire.rows_of(example("get_markets.response.v4.json"), "markets")
    lines = [leaf.line for raw in raws for leaf in leaves(raw, EVENT_ID, Notices())]
    listing.replace(Catalog.of((), lines))
    return listing


def an_order(n: int = 1, price: int = -117, quantity_cents: int = 11_700) -> Order:
    return Order(
        ExternalId(f"mm-0a-{n}"),
        EVENT_ID,
        MarketId(219),
        LineId("10079123/219/0"),
        StrikeId("f8684be34e1e338d782b3cb4427010f9"),
        0,
        Price(price),
        quantity_cents,
        "ALO",
        "consensus",
        EPOCH_NS,
    )


def approved(order: Order) -> risk.Approved:
    return risk.Approved(order, False, risk._SEAL)


def wire_order(n: int = 1, **changes: Any) -> dict[str, Any]:
    """What the exchange says of `an_order(n)`."""
    order = example_json("get_order.response.v4.flat.json")["data"]
    return {**order, "order_id": f"theirs-{n}", "external_id": f"mm-0a-{n}", **changes}


# --- the stream -----------------------------------------------------------------------------


@dataclass(slots=True)
class FakeSocket:
    """The server's end is `say` and `hang_up`; ours is the WsConnection."""

    url: str
    heard: list[dict[str, Any]] = field(default_factory=list)
    closed: bool = False
    on_frame: Callable[[FakeSocket, dict[str, Any]], None] | None = None
    _coming: asyncio.Queue[str | bytes | WsClosed] = field(default_factory=asyncio.Queue)

    def say(self, event: str, data: Any = None, channel: str | None = None) -> None:
        frame = {"event": event, "data": json.dumps(data if data is not None else {})}
        self._coming.put_nowait(json.dumps(frame | ({"channel": channel} if channel else {})))

    def say_raw(self, text: str | bytes) -> None:
        self._coming.put_nowait(text)

    def hang_up(self, code: int = 1006) -> None:
        self._coming.put_nowait(WsClosed(code))

    async def consume(self, take: Take, after: After) -> None:
        while True:
            found = await self._coming.get()
            if isinstance(found, WsClosed):
                raise found
            take(found)
            after()

    async def send(self, text: str) -> None:
        if self.closed:
            raise WsClosed()
        frame = json.loads(text)
        self.heard.append(frame)
        if self.on_frame is not None:
            self.on_frame(self, frame)

    async def close(self) -> None:
        self.closed = True

    def frames(self, event: str) -> list[dict[str, Any]]:
        return [frame for frame in self.heard if frame["event"] == event]


@dataclass(slots=True)
class FakeServer:
    """A Pusher server that plays along: every sign-in and subscribe succeeds at once."""

    sockets: list[FakeSocket] = field(default_factory=list)
    refuse_next: list[int] = field(default_factory=list)
    silent_channels: set[str] = field(default_factory=set)
    refused_channels: set[str] = field(default_factory=set)

    async def connect(self, url: str) -> WsConnection:
        if self.refuse_next:
            raise WsClosed(self.refuse_next.pop(0))
        socket = FakeSocket(url, on_frame=self._answer)
        self.sockets.append(socket)
        number = len(self.sockets)
        socket.say("pusher:connection_established", {"socket_id": f"1.{number}"})
        return socket

    def _answer(self, socket: FakeSocket, frame: dict[str, Any]) -> None:
        channel = frame["data"].get("channel", "")
        match frame["event"]:
            case "pusher:signin":
                socket.say("pusher:signin_success")
            case "pusher:subscribe" if channel in self.refused_channels:
                socket.say("pusher:subscription_error", {"error": "no", "status": 401}, channel)
            case "pusher:subscribe" if channel not in self.silent_channels:
                socket.say("pusher_internal:subscription_succeeded", {}, channel)
            case _:
                pass


def unheard() -> None:
    """For who does not care when all has been told."""


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]
