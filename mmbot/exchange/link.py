"""One connection of the stream: connect, register, subscribe, consume, watch, end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Protocol, assert_never

from mmbot.domain.errors import FindOut, TryAgain
from mmbot.domain.events import Event
from mmbot.domain.ids import SportEventId
from mmbot.exchange import wire
from mmbot.exchange.dialect import V4, Dialect
from mmbot.exchange.listing import Listing, Wish
from mmbot.exchange.notices import Notices
from mmbot.exchange.pusher import (
    AppMessage,
    ChannelAuth,
    Established,
    Failed,
    Odd,
    PusherEvent,
    PusherProtocol,
    PusherTimeouts,
    SignedIn,
    Subscribed,
    SubscriptionFailed,
)
from mmbot.exchange.pusher_states import Phase
from mmbot.exchange.rest import Rest
from mmbot.exchange.stream import ORDER_WORDS, Kind, StreamReader
from mmbot.exchange.ws import WsClosed, WsConnection, WsPort, stream_url
from mmbot.runtime.limiter import Priority

NS_PER_S: Final = 1_000_000_000
REGISTER_TRIES_MAX: Final = 5
CHANNELS_DEFAULT_MAX: Final = 400
HEALTH_WORDS: Final = frozenset({"health_check", "private_system_signal"})


@dataclass(frozen=True, slots=True)
class LinkSettings:
    blind_after_s: float = 11.0  # two health_checks missed
    dead_after_s: float = 30.0
    look_s: float = 0.5
    connect_timeout_s: float = 10.0
    timeouts: PusherTimeouts = field(default_factory=PusherTimeouts)


@dataclass(frozen=True, slots=True)
class LinkPorts:
    rest: Rest
    ws: WsPort
    listing: Listing
    notices: Notices
    dialect: Dialect = V4


@dataclass(frozen=True, slots=True)
class Ended:
    reason: str
    code: int | None = None


class LinkOwner(Protocol):
    def link_events(self, link: Link, events: Iterable[Event]) -> None: ...

    def link_quiet(self) -> None:
        """All that had come on some link has been told."""
        ...

    def link_changed(self, link: Link) -> None:
        """`live`, `private` or `public` of the link changed."""
        ...


class Link:
    """`live` once every channel has answered; then `private` and `public` say what works."""

    def __init__(
        self,
        number: int,
        config: wire.ConnectionConfig,
        wish: Wish,
        ports: LinkPorts,
        owner: LinkOwner,
        settings: LinkSettings,
    ) -> None:
        self.number = number
        self.config = config
        self.wish = wish
        self.live = False
        self.private = False
        self.public = False
        self.live_since_ns = 0
        self.ended: Ended | None = None
        self.unstreamed: frozenset[SportEventId] = frozenset()  # wished for, not granted
        self._rest = ports.rest
        self._clock = ports.rest.clock
        self._ws = ports.ws
        self._notices = ports.notices
        self._dialect = ports.dialect
        self._owner = owner
        self._settings = settings
        self._reader = StreamReader(ports.listing, ports.notices)
        self._protocol = PusherProtocol(self._clock.now_ns(), settings.timeouts)
        self._private_channel = ""
        self._failed_channels: set[str] = set()
        self._health_ns = 0
        self._speak = asyncio.Event()  # the protocol has frames to send
        self._done: asyncio.Future[Ended] | None = None
        self._registration: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        return f"stream-{self.number}"

    @property
    def health_ns(self) -> int:
        return self._health_ns

    def stop(self, reason: str) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(Ended(reason))

    async def run(self) -> Ended:
        """Until the end of the connection; SetUpError alone is raised."""
        self._done = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._settings.connect_timeout_s):
                connection = await self._ws.connect(stream_url(self.config))
        except WsClosed as error:
            return Ended(str(error), error.code)
        except TimeoutError:
            return Ended("no connection in time")
        self._protocol = PusherProtocol(self._clock.now_ns(), self._settings.timeouts)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._read(connection, group), name=f"{self.name} read"),
                    group.create_task(self._write(connection), name=f"{self.name} write"),
                    group.create_task(self._watch(), name=f"{self.name} watch"),
                ]
                ended = await self._done
                self._fall(ended)
                for task in (*tasks, self._registration):
                    if task is not None:
                        task.cancel()
        finally:
            await connection.close()
        return ended

    def _fall(self, ended: Ended) -> None:
        """Say so at once: closing a half-dead socket takes its time."""
        self.ended = ended
        self.live = self.private = self.public = False
        self._owner.link_changed(self)

    async def _read(self, connection: WsConnection, group: asyncio.TaskGroup) -> None:
        def register(socket_id: str) -> None:
            self._registration = group.create_task(self._register(socket_id), name="register")

        try:
            await connection.consume(partial(self._frame, register), self._owner.link_quiet)
        except WsClosed as error:
            self._end(Ended(str(error), error.code))

    def _frame(self, register: Callable[[str], None], text: str | bytes) -> None:
        """One frame, from the socket to the engine's inbox in one call."""
        now_ns = self._clock.now_ns()
        for event in self._protocol.receive(text, now_ns):
            if isinstance(event, AppMessage):
                self._consume(event, now_ns)
            elif isinstance(event, Established):
                register(event.socket_id)
            else:
                self._control(event, now_ns)
        if self._protocol.has_to_send:
            self._speak.set()

    async def _write(self, connection: WsConnection) -> None:
        try:
            while True:
                await self._speak.wait()
                self._speak.clear()
                for frame in self._protocol.to_send():
                    await connection.send(frame)
        except WsClosed as error:
            self._end(Ended(str(error), error.code))

    def _consume(self, message: AppMessage, now_ns: int) -> None:
        kind, events = self._reader.read(message, now_ns)
        if kind is Kind.HEALTH:
            if message.channel == self._private_channel or not message.channel:
                self._health_ns = now_ns
                self._judge(now_ns)
        elif events:
            self._owner.link_events(self, events)

    def _control(self, event: PusherEvent, now_ns: int) -> None:
        match event:
            case Subscribed(channel):
                self._failed_channels.discard(channel)  # a success may come late
                if channel == self._private_channel:
                    self._health_ns = now_ns
            case SubscriptionFailed(channel, reason):
                self._failed_channels.add(channel)
                self._notices.alarm("subscription_failed", f"{channel}: {reason}")
                if channel == self._private_channel:
                    self._end(Ended(f"the private channel was refused: {reason}"))
                    return
            case Failed(reason, code):
                self._end(Ended(reason, code))
                return
            case Odd(what, detail):
                self._notices.count(f"stream_odd:{what}", detail)
                return
            case SignedIn() | Established() | AppMessage():
                return
            case _:
                assert_never(event)
        self._judge(now_ns)

    def _judge(self, now_ns: int) -> None:
        """What works now; tells the owner when that changed."""
        if self.ended is not None:
            return
        before = self.live, self.private, self.public
        protocol = self._protocol
        if protocol.phase is Phase.SUBSCRIBED and self._private_channel in protocol.subscribed:
            if not self.live:
                self.live, self.live_since_ns = True, now_ns
            silent_s = (now_ns - self._health_ns) / NS_PER_S
            self.private = silent_s <= self._settings.blind_after_s
            self.public = not self._failed_channels
        if before != (self.live, self.private, self.public):
            self._owner.link_changed(self)

    async def _watch(self) -> None:
        """Look at the clock: silence is an event too."""
        while True:
            await self._clock.sleep(self._settings.look_s)
            now_ns = self._clock.now_ns()
            for event in self._protocol.tick(now_ns):
                self._control(event, now_ns)
            if self._protocol.has_to_send:
                self._speak.set()
            self._judge(now_ns)
            silent_s = (now_ns - self._health_ns) / NS_PER_S
            if self.live and silent_s > self._settings.dead_after_s:
                self._end(Ended(f"no health_check for {silent_s:.0f} s"))

    async def _register(self, socket_id: str) -> None:
        try:
            answer = await self._registered(socket_id)
            if self._protocol.phase is not Phase.REGISTERING:
                return
            channels = [one for one in answer.authorized_channel or () if one.channel_name]
            self._private_channel = _private_of(channels)
            if not self._private_channel:
                self._end(Ended("the registration offers no private channel"))
                return
            self.unstreamed = self._dialect.unstreamed(self.wish, channels)
            if self.wish.event_ids and len(self.unstreamed) == len(self.wish.event_ids):
                self._failed_channels.add("every event channel")
                self._notices.alarm("no_event_channel", "the registration granted none")
            self._protocol.authorise(
                [ChannelAuth(one.channel_name, one.auth) for one in channels],
                answer.authenticated,
                self._clock.now_ns(),
            )
            self._speak.set()
        except (TryAgain, FindOut, wire.Unreadable) as error:
            self._end(Ended(f"registration: {error}"))

    async def _registered(self, socket_id: str) -> wire.Registered:
        """Ask for the whole wish; over the cap ask for less, nearest events first (E8)."""
        wish = self.wish
        for _ in range(REGISTER_TRIES_MAX):
            answer = await self._rest.call(
                self._rest.routes.register,
                Priority.DOUBT,
                body=self._dialect.register_body(socket_id, wish),
            )
            if answer.refusal is None:
                registered = wire.unwrap(answer.body, wire.Registered)
                for one in registered.rejected or ():
                    self._notices.count(
                        f"subscription_rejected:{one.reason}"[:60], f"{one.type} {one.id}"
                    )
                return registered
            if answer.refusal.code != "exceed_subscription_count":
                raise TryAgain(answer.refusal.text)
            kept = min(CHANNELS_DEFAULT_MAX, max(1, len(wish.event_ids) * 3 // 4))
            self._notices.alarm(
                "exceed_subscription_count", f"{kept} of {len(self.wish.event_ids)} events kept"
            )
            wish = replace(
                wish,
                event_ids=wish.event_ids[:kept],
                subtypes=(),
                event_tournaments=wish.event_tournaments[:kept],
            )
        raise TryAgain("the registration exceeds the channel limit")

    def _end(self, ended: Ended) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(ended)


def _private_of(channels: Iterable[wire.Channel]) -> str:
    """By what is bound to it, not by its name: orders, and the health check only without such.

    The older pages give the health check to every session, on the main public channel.
    """
    unscoped = [one for one in channels if one.scope is None]
    for wanted in (ORDER_WORDS, HEALTH_WORDS):
        for channel in unscoped:
            for binding in channel.binding_events or ():
                words = {binding} if isinstance(binding, str) else {binding.name, binding.type}
                if words & wanted:
                    return channel.channel_name
    return ""
