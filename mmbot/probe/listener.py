"""The probe's ear: one socket of the stream, and everything that was heard on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from mmbot.domain.errors import FindOut, MmbotError, TryAgain
from mmbot.exchange import frames, wire
from mmbot.exchange.old_words import is_old, newer
from mmbot.exchange.pusher import (
    AppMessage,
    ChannelAuth,
    Established,
    Failed,
    PusherProtocol,
)
from mmbot.exchange.pusher_states import Phase
from mmbot.exchange.ws import WsClosed, WsConnection, WsPort, stream_url
from mmbot.probe.calls import Calls, Reply, dig
from mmbot.probe.transcript import Transcript, readable
from mmbot.runtime.clock import Clock
from mmbot.runtime.limiter import Priority

CONFIG_PATH: Final = "/websocket/connection-config"
UNVERSIONED_PATH: Final = "/mm/websocket"
NOT_THERE: Final = frozenset({404, 405})
LOOK_S: Final = 0.5
CONNECT_TIMEOUT_S: Final = 15.0
REGISTER_TRIES_MAX: Final = 3
HEARD_MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class Heard:
    """One application message; `stamp_ns` is the exchange's own time of it, 0 without one."""

    at_ns: int
    stamp_ns: int
    event: str
    channel: str
    change_type: str
    payload: Any = field(repr=False)

    @property
    def info(self) -> dict[str, Any]:
        info = dig(self.payload, "info")
        return info if isinstance(info, dict) else {}


class Listener:
    """`run` is a service of the run's task group; `ready` is set when it hears or never will."""

    def __init__(
        self,
        calls: Calls,
        ws: WsPort,
        clock: Clock,
        transcript: Transcript,
        hear: Callable[[Heard], None],
    ) -> None:
        self._calls = calls
        self._ws = ws
        self._clock = clock
        self._transcript = transcript
        self._hear = hear
        self._protocol = PusherProtocol(clock.now_ns())
        self._speak = asyncio.Event()
        self.ready = asyncio.Event()
        self.why_not = "the stream was not opened"
        self.config: Reply | None = None
        self.registered: Reply | None = None
        self.registration_path = ""
        self.registrations: dict[str, Reply] = {}
        self.signed_in_data: Any = None
        self.subscribed_ns = 0
        self.heard: list[Heard] = []

    @property
    def alive(self) -> bool:
        return self._protocol.phase is Phase.SUBSCRIBED and not self.why_not

    def late_ns(self, heard: Heard) -> int:
        """By how much it came later, after it was made, than what came the fastest of all."""
        ways = [one.at_ns - one.stamp_ns for one in self.heard if one.stamp_ns]
        return heard.at_ns - heard.stamp_ns - min(ways) if heard.stamp_ns and ways else 0

    async def run(self, subscriptions: list[dict[str, Any]]) -> None:
        """Connect, register these, and listen until cancelled or until the socket is gone."""
        try:
            await self._listen(subscriptions)
        except (MmbotError, WsClosed, wire.Unreadable) as error:
            self.why_not = f"the stream: {error}"
        finally:
            self.why_not = self.why_not or "the stream was closed"
            self.ready.set()

    async def _listen(self, subscriptions: list[dict[str, Any]]) -> None:
        self.config = await self._calls.get(CONFIG_PATH)
        config = wire.unwrap(self.config.raw, wire.ConnectionConfig)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                connection = await self._ws.connect(stream_url(config))
        except TimeoutError:
            raise FindOut("no connection in time") from None
        self._protocol = PusherProtocol(self._clock.now_ns())
        socket_id: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def take(text: str | bytes) -> None:
            self._frame(text, socket_id)

        try:
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(self._read(connection, take), name="probe read")
                group.create_task(self._write(connection), name="probe write")
                group.create_task(self._tick(), name="probe tick")
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    ident = await socket_id
                await self._register(ident, subscriptions)
                await reading
        except* (MmbotError, WsClosed, wire.Unreadable) as failed:
            raise FindOut(str(failed.exceptions[0])) from None
        except* TimeoutError:
            raise FindOut("the stream did not greet us") from None
        finally:
            await connection.close()

    async def _read(self, connection: WsConnection, take: Callable[[str | bytes], None]) -> None:
        await connection.consume(take, lambda: None)

    async def _write(self, connection: WsConnection) -> None:
        while True:
            await self._speak.wait()
            self._speak.clear()
            for text in self._protocol.to_send():
                await connection.send(text)

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(LOOK_S)
            self._protocol.tick(self._clock.now_ns())
            self._say()

    def _say(self) -> None:
        if self._protocol.has_to_send:
            self._speak.set()

    async def _register(self, socket_id: str, subscriptions: list[dict[str, Any]]) -> None:
        """By the version's path, and by the other one when that is not there; both are noted."""
        body = {"socket_id": socket_id, "service": "pusher", "subscriptions": subscriptions}
        paths = [self._calls.rest.routes.register.path]
        if not self._calls.seed:
            paths.append(UNVERSIONED_PATH)
        for path in paths:
            reply = await self._asked(path, body)
            self.registrations[path] = reply
            if reply.ok and self.registered is None:
                self.registered, self.registration_path = reply, path
        if self.registered is None:
            raise FindOut(f"registration was refused: {reply.status} {reply.code}")
        answer = wire.unwrap(self.registered.raw, wire.Registered)
        channels = [one for one in answer.authorized_channel or () if one.channel_name]
        self._protocol.authorise(
            [ChannelAuth(one.channel_name, one.auth) for one in channels],
            answer.authenticated,
            self._clock.now_ns(),
        )
        self._say()

    async def _asked(self, path: str, body: dict[str, Any]) -> Reply:
        """Registering again replaces what was registered: it may be tried again."""
        for _ in range(REGISTER_TRIES_MAX - 1):
            try:
                reply = await self._calls.post(path, body, Priority.DOUBT, writes=False)
            except TryAgain as error:
                await self._clock.sleep(error.retry_after_s)
                continue
            except FindOut:
                continue
            if reply.status < 500:
                return reply
        return await self._calls.post(path, body, Priority.DOUBT, writes=False)

    def _frame(self, text: str | bytes, socket_id: asyncio.Future[str]) -> None:
        now_ns = self._clock.now_ns()
        raw = text.encode() if isinstance(text, str) else text
        self._transcript.write("frame", now_ns, frame=readable(raw))
        for event in self._protocol.receive(text, now_ns):
            match event:
                case Established(ident) if not socket_id.done():
                    socket_id.set_result(ident)
                case AppMessage():
                    self._message(event, now_ns)
                case Failed(reason):
                    self.why_not = f"the stream: {reason}"
                    self.ready.set()
                case _:
                    pass
        if b"signin_success" in raw:
            self.signed_in_data = dig(readable(raw), "data") or {}
        if self._protocol.phase is Phase.SUBSCRIBED and not self.ready.is_set():
            self.why_not = ""
            self.subscribed_ns = now_ns
            self.ready.set()
        self._say()

    def _message(self, message: AppMessage, now_ns: int) -> None:
        try:
            change_type, _, payload = frames.message_of(message.data)
            inner = frames.inner_json(message.data)
            payload = newer(payload) if is_old(payload) else payload
        except (wire.Unreadable, msgspec.DecodeError):
            return  # the transcript has it
        envelope = readable(inner.encode() if isinstance(inner, str) else inner)
        stamp = dig(envelope, "timestamp")
        heard = Heard(
            now_ns,
            stamp if isinstance(stamp, int) else 0,
            message.event,
            message.channel,
            change_type,
            readable(payload),
        )
        if len(self.heard) < HEARD_MAX:
            self.heard.append(heard)
        self._hear(heard)
