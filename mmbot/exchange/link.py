"""One connection of the stream: connect, register, subscribe, consume, watch, end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol, assert_never

from mmbot.domain.errors import FindOut, TryAgain
from mmbot.domain.events import Event
from mmbot.exchange import wire
from mmbot.exchange.channels import Topic
from mmbot.exchange.dialect import V4, Dialect
from mmbot.exchange.drift import Finding, What
from mmbot.exchange.lateness import Lateness
from mmbot.exchange.listing import Listing, Wish
from mmbot.exchange.notices import Notices
from mmbot.exchange.pusher import (
    AppMessage,
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
from mmbot.exchange.registration import Granted, Registrar
from mmbot.exchange.rest import Rest
from mmbot.exchange.stream import PLACES, Kind, StreamReader
from mmbot.exchange.ws import WsClosed, WsConnection, WsPort, stream_url

NS_PER_S: Final = 1_000_000_000


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
        """`live`, `private`, `public` or `streamed` of the link changed."""
        ...

    def link_extended(self, link: Link) -> None:
        """What `extend` asked for is there, or cannot be had on this socket."""
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
        carried: frozenset[Topic] = frozenset(),
    ) -> None:
        """`carried`: by the connection in whose place this one comes."""
        self.number = number
        self.config = config
        self.wish = wish
        self.live = self.private = self.public = False
        self.began_ns = ports.rest.clock.monotonic_ns()
        self.live_since_ns = 0
        self.ended: Ended | None = None
        self.streamed: frozenset[Topic] = frozenset()  # what has a channel that works
        self.channels_max = 0  # of this socket, as the exchange tells; 0 = not told
        self.token_until_ns = 0  # of the token it was registered with
        self.refused = 0  # so many channels, when that was too much
        self.extending = False
        self.extendable = ports.dialect.declarative
        self._rest = ports.rest
        self._clock = ports.rest.clock
        self._ws = ports.ws
        self._notices = ports.notices
        self._dialect = ports.dialect
        self._owner = owner
        self._settings = settings
        self._carried = carried
        self._reader = StreamReader(ports.listing, ports.notices)
        self._protocol = PusherProtocol(self._clock.now_ns(), settings.timeouts)
        self._private_channel = ""
        self._channels: tuple[wire.Channel, ...] = ()  # that were granted
        self._channel_of: Mapping[Topic, str] = {}
        self._review = False  # the channels have changed since they were last looked at
        self._more_asked = False  # by `extend`, and not all of it has been answered
        self._registrar: Registrar | None = None
        self._group: asyncio.TaskGroup | None = None
        self.health_ns = 0  # when it last heard a health_check
        self._lateness = Lateness(ports.rest.session.exchange_now_ns)
        self._speak = asyncio.Event()  # the protocol has frames to send
        self._done: asyncio.Future[Ended] | None = None
        self._registration: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        return f"stream-{self.number}"

    @property
    def counted(self) -> frozenset[Topic]:
        """All that was ever asked for on this socket."""
        return self._registrar.counted if self._registrar is not None else frozenset()

    def stop(self, reason: str) -> None:
        self._end(Ended(reason))

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
            async with asyncio.TaskGroup() as self._group:
                group = self._group
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
        if kind is Kind.HEALTH and message.channel in {self._private_channel, ""}:
            self.health_ns = now_ns
            events = self._lateness.told_by(message)
            self._judge(now_ns)
        if events:
            self._owner.link_events(self, events)

    def _control(self, event: PusherEvent, now_ns: int) -> None:
        match event:
            case Subscribed(channel):
                self._review = True
                if channel == self._private_channel:
                    self.health_ns = now_ns
            case SubscriptionFailed(channel, reason):
                self._review = True
                self._notices.alarm("subscription_failed", f"{channel}: {reason}")
                if channel == self._private_channel:
                    self._end(Ended(f"the private channel was refused: {reason}"))
                    return
            case Failed(reason, code):
                self._end(Ended(reason, code))
                return
            case Odd(what, detail):
                self._notices.frame(what, detail)
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
        before = self.live, self.private, self.public, self.streamed
        protocol = self._protocol
        if protocol.phase is Phase.SUBSCRIBED and self._private_channel in protocol.subscribed:
            if not self.live:
                self.live, self.live_since_ns = True, now_ns
            silent_s = (now_ns - self.health_ns) / NS_PER_S
            self.private = silent_s <= self._settings.blind_after_s
            if self._review:
                self._look_again()
        if before != (self.live, self.private, self.public, self.streamed):
            self._owner.link_changed(self)
        if self._more_asked and not self._review:
            self.extending = self._more_asked = False
            self._owner.link_extended(self)

    def _look_again(self) -> None:
        """What is streamed; less at once, more when every channel has answered."""
        subscribed, pending = self._protocol.subscribed, self._protocol.pending
        self._review = bool(pending)
        streamed = frozenset(
            topic for topic, channel in self._channel_of.items() if channel in subscribed
        )
        self.streamed = streamed & self.streamed if pending else streamed
        shared = {one.channel_name for one in self._channels if one.scope is None}
        works = bool(self.streamed or pending or not self.wish.topics)
        self.public = works and shared <= subscribed

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
            silent_s = (now_ns - self.health_ns) / NS_PER_S
            if self.live and silent_s > self._settings.dead_after_s:
                self._notices.drift.note(Finding(What.SILENT_CHANNEL, PLACES[Kind.HEALTH]))
                self._end(Ended(f"no health_check for {silent_s:.0f} s"))

    async def _register(self, socket_id: str) -> None:
        self._registrar = Registrar(self._rest, self._dialect, socket_id)
        try:
            granted = await self._registrar.ask(self.wish, self._carried)
        except (TryAgain, FindOut, wire.Unreadable) as error:
            self._end(Ended(f"registration: {error}"))
            return
        if self._protocol.phase is not Phase.REGISTERING:
            return
        self._private_channel = granted.private
        self.refused = len(self.wish.topics) if granted.wish != self.wish else 0
        self._take(granted)
        if self.wish.event_ids and not self._channel_of:
            self._notices.alarm("no_event_channel", "the registration granted none")
        self._protocol.authorise(granted.auths, granted.signin, self._clock.now_ns())
        self._speak.set()

    def extend(self, wish: Wish) -> None:
        """Ask for more on this socket, once it is live; `link_extended` tells when that is done."""
        assert self._group is not None
        self.extending = True
        self._registration = self._group.create_task(self._extend(wish), name="extend")

    async def _extend(self, wish: Wish) -> None:
        assert self._registrar is not None
        try:
            granted = await self._registrar.again(wish)
        except (TryAgain, FindOut, wire.Unreadable) as error:
            self._notices.count("stream_not_extended", str(error))
            granted = None
        if granted is None:
            self.extendable = self.extending = False
            self._owner.link_extended(self)
            return
        before = {*self._channel_of.values()}
        self._take(granted, more=True)
        self._protocol.unsubscribe(sorted(before - {*self._channel_of.values()}))
        self._protocol.subscribe(granted.auths, self._clock.now_ns())
        self._speak.set()
        self._judge(self._clock.now_ns())

    def widen(self, wish: Wish) -> None:
        """More that the channels it has tell of already."""
        if not wish.topics <= self.wish.topics:
            self.wish = wish
            self._look_up()
            self._judge(self._clock.now_ns())

    def _take(self, granted: Granted, more: bool = False) -> None:
        self.wish, self._channels, self._more_asked = granted.wish, granted.channels, more
        self.token_until_ns = self._rest.session.usable_until_ns
        self.channels_max = granted.channels_max or self.channels_max
        self._look_up()

    def _look_up(self) -> None:
        self._channel_of = self._dialect.channel_of(self.wish, self._channels)
        self._review = True

    def _end(self, ended: Ended) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(ended)
