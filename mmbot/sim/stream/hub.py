"""The Pusher server protocol without I/O: texts and closes in, frames out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

from mmbot.sim.core.lifecycle import NS
from mmbot.sim.core.messages import Json, Outgoing
from mmbot.sim.scenario import SessionRules
from mmbot.sim.stream import frames
from mmbot.sim.stream.channels import (
    NAME,
    SERVICES,
    event_channel,
    event_of,
    is_private,
    main_channel,
    service_of,
    user_channel,
)
from mmbot.sim.stream.channels import AppKey as AppKey
from mmbot.sim.stream.connections import Address, Catalog, Forms, Mute
from mmbot.sim.stream.connections import Connection as Connection
from mmbot.sim.stream.envelopes import Envelopes, Form, Words
from mmbot.sim.stream.frames import CUT, PING, PONG
from mmbot.sim.stream.frames import Close as Close
from mmbot.sim.stream.frames import encode as encode
from mmbot.sim.stream.members import Members
from mmbot.sim.stream.rules import StreamRules

PROTOCOLS: Final = frozenset({"5", "6", "7"})
VERSION: Final = re.compile(r"\d[\w.+\-]{0,40}", re.ASCII)
SERVER_FRAMES: Final = frozenset({PING, PONG})


class StreamHub:
    """All sockets of the box, their subscriptions, and what is published to them."""

    def __init__(
        self,
        app: AppKey,
        session: SessionRules,
        rng: Random,
        rules: StreamRules | None = None,
        catalog: Catalog | None = None,
    ) -> None:
        self.app = app
        self.rules = rules or StreamRules()
        self.catalog = catalog
        self.address = Address(self.rules.cluster)
        self.connections: dict[str, Connection] = {}
        self.silent: set[str] = set()
        self.refuse_new: Close | None = None
        # may take a frame over, to let it go wrong
        self.outlet: Callable[[Connection, str], bool] | None = None
        self._session = session
        self._rng = rng
        self._envelopes = Envelopes(self.rules)
        self.members = Members()
        # who else hears what is published: judges that know what a client should have heard
        self.hearers: list[Callable[[Outgoing], None]] = []
        self._mute_new: Mute = ""

    @property
    def channel_count(self) -> int:
        """Channels that anybody is subscribed to."""
        return len(self.members)

    def use(self, rules: StreamRules, session: SessionRules) -> None:
        """Other rules from now on."""
        self.rules, self._session = rules, session
        self._envelopes = Envelopes(rules)

    # -- sockets --------------------------------------------------------------------------

    def connect(
        self, app_key: str, query: Mapping[str, str], now_ns: int, host: str = ""
    ) -> Connection:
        """A new socket; a refused one carries its error frame and close at once."""
        socket_id = f"{self._rng.randrange(10**5, 10**6)}.{self._rng.randrange(10**7, 10**8)}"
        connection = Connection(socket_id, now_ns, host, useful_ns=now_ns)
        connection.mute = self._mute_new
        refusal = self.refuse_new or self._refused(app_key, query)
        if not {host, host.rpartition(":")[0]}.isdisjoint(self.address.dead_hosts - {""}):
            refusal = Close(CUT)
        if refusal is not None:
            self._fail(connection, refusal)
            return connection
        self.connections[socket_id] = connection
        data: Json = {"socket_id": socket_id}
        form = self.rules.data_form
        if self.rules.activity_timeout_shown:
            data["activity_timeout"] = self._session.activity_timeout_s
        self._put(connection, frames.own("pusher:connection_established", data, form))
        return connection

    def registered(self, socket_id: str, user_id: str, forms: Forms, now_ns: int) -> None:
        """A REST call spoke for a socket: whose it is, and what it was promised."""
        connection = self.connections.get(socket_id)
        if connection is not None:
            connection.user_id = user_id
            connection.forms |= forms
            connection.token_until_ns = now_ns + self._session.access_life_s * NS

    def _refused(self, app_key: str, query: Mapping[str, str]) -> Close | None:
        protocol, version = query.get("protocol"), query.get("version")
        if not app_key:
            return Close(4005)
        if app_key != self.app.key:
            return Close(4001)
        if not protocol:
            return Close(4008)
        if protocol not in PROTOCOLS:
            return Close(4007)
        if version is not None and not VERSION.fullmatch(version):
            return Close(4006)
        return Close(4004) if len(self.connections) >= self.rules.sockets_max else None

    def disconnect(self, connection: Connection) -> None:
        """The transport is gone."""
        connection.closed = True
        self.connections.pop(connection.socket_id, None)
        self.members.leave_all(connection)

    def close(self, connection: Connection, close: Close) -> None:
        if not connection.closed:
            connection.out.append(close)
            self.disconnect(connection)

    def private_event(self, words: Words) -> str:
        """The name under which an account hears of its own orders."""
        return self._envelopes.private_event(words)

    # -- steering ---------------------------------------------------------------------------

    def close_all(self, close: Close, user_id: str = "") -> None:
        """End every socket, or those of one account."""
        for connection in self._of(user_id):
            if close.code in frames.CLOSE_CODES:
                connection.out.append(frames.error(close.code, close.text))
            self.close(connection, close)

    def complain(self, code: int | None, text: str, user_id: str = "") -> None:
        """An error that leaves the sockets open (4300 to 4399)."""
        for connection in self._of(user_id):
            self._put(connection, frames.error(code, text))

    def mute(self, on: bool, user_id: str = "", *, pongs: bool = True) -> None:
        """Half open: nothing is sent any more except, perhaps, pings and pongs."""
        word: Mute = ("data" if pongs else "all") if on else ""
        for connection in self._of(user_id):
            connection.mute = word
        if not user_id:
            self._mute_new = word

    def move(
        self, *, key: str = "", cluster: str = "", host: str = "", close: Close | None = None
    ) -> None:
        """Change what connection-config names; sockets made before live on unless closed."""
        if key:
            self.app = AppKey(key, self.app.secret)
        self.address.cluster = cluster or self.address.cluster
        self.address.host = host or self.address.host
        self.address.dead_hosts.discard(host)
        if close is not None:
            self.close_all(close)

    def _of(self, user_id: str) -> list[Connection]:
        return [c for c in self.connections.values() if not user_id or c.user_id == user_id]

    # -- frames of clients --------------------------------------------------------------------

    def receive(self, connection: Connection, text: str, now_ns: int) -> None:
        """One text frame of a client."""
        if connection.closed:
            return
        connection.heard_ns = now_ns
        connection.pinged_ns = None
        event, data = frames.parsed(text)
        if event != "pusher:pong":
            connection.useful_ns = now_ns
        if data is None:
            self._put(connection, frames.error(None, "malformed frame"))
        elif event == "pusher:ping":
            self._put(connection, PONG)
        elif event == "pusher:signin":
            self._sign_in(connection, str(data.get("auth")), str(data.get("user_data")))
        elif event == "pusher:subscribe":
            self._subscribe(connection, data, now_ns)
        elif event == "pusher:unsubscribe":
            self.members.leave(connection, str(data.get("channel")))
        elif event != "pusher:pong":
            self._put(connection, frames.error(None, f"unsupported event {event!r:.60}"))

    def heard(self, connection: Connection, now_ns: int) -> None:
        """A control frame: the peer lives, but a `pusher:ping` is not answered by it."""
        connection.heard_ns = now_ns

    def _sign_in(self, connection: Connection, auth: str, user_data: str) -> None:
        if not self.app.has_signed(auth, f"{connection.socket_id}::user::{user_data}"):
            self._fail(connection, Close(4009, "signin not authorised"))
            return
        connection.signed_in = True
        whole = self.rules.signin_success == "user_data"
        shown: Json = {"user_data": user_data} if whole else {}
        self._put(connection, frames.own("pusher:signin_success", shown, self.rules.data_form))

    def _subscribe(self, connection: Connection, data: dict[str, Any], now_ns: int) -> None:
        channel, auth = str(data.get("channel")), str(data.get("auth"))
        signed = NAME.fullmatch(channel) and self.app.has_signed(
            auth, f"{connection.socket_id}:{channel}"
        )
        if not signed or "subscribe" in self.silent:
            self._refuse(connection, channel[:200])
            return
        if channel in connection.channels:
            if self.rules.duplicate_subscription == "error":
                text = f"existing subscription to channel {channel}"
                self._put(connection, frames.error(None, text))
                return
        elif len(connection.channels) >= self.rules.channels_per_socket_max:
            self._put(connection, frames.not_subscribed(channel, "too many channels", 403))
            return
        self.members.join(connection, channel)
        with_data = self.rules.subscribed_data == "string"
        self._put(connection, frames.subscribed(channel, with_data=with_data))
        if self.rules.initial_image:
            self._send_images(connection, channel, now_ns)

    def _refuse(self, connection: Connection, channel: str) -> None:
        match self.rules.subscription_refusal:
            case "error_frame":
                frame = frames.not_subscribed(channel, "signature does not match")
                self._put(connection, frame)
            case "null_code":
                self._put(connection, frames.error(None, f"not authorised: {channel}"))
            case "close_4009":
                self._fail(connection, Close(4009))
            case "silence":
                return

    def _send_images(self, connection: Connection, channel: str, now_ns: int) -> None:
        scope = event_of(channel)
        if scope is None or self.catalog is None:
            return
        for message in self.catalog.images(*scope, now_ns):
            words = connection.form(service_of(channel)).words
            self._put(connection, self._envelopes.text(message, channel, words))

    # -- time -----------------------------------------------------------------------------------

    def health(self, now_ns: int) -> None:
        """health_check for every private channel."""
        if "health_check" in self.silent:
            return
        to_all = self.rules.health_check_on == "all"
        beat = Outgoing(now_ns, "health_check", "private_system_signal", "u", {})
        for channel in self.members.channels():
            if is_private(channel) or (to_all and channel in map(main_channel, SERVICES)):
                self._spread(channel, beat)

    def watch(self, now_ns: int) -> None:
        """Ping who is silent, close who does not answer or has been idle for too long."""
        session = self._session
        for connection in list(self.connections.values()):
            if not connection.channels and (
                now_ns - connection.useful_ns > self.rules.idle_timeout_s * NS
            ):
                self._fail(connection, Close(4202))
            elif self.rules.close_at_token_expiry and 0 < connection.token_until_ns <= now_ns:
                self._fail(connection, Close(4009, "access token has expired"))
            elif connection.pinged_ns is not None:
                if now_ns - connection.pinged_ns > session.pong_timeout_s * NS:
                    self._fail(connection, Close(4201))
            elif now_ns - connection.heard_ns > session.activity_timeout_s * NS:
                connection.pinged_ns = now_ns
                self._put(connection, PING)

    # -- publishing -----------------------------------------------------------------------------

    def publish(self, message: Outgoing) -> None:
        """Put a message on its channels, in both generations of their names."""
        for hear in self.hearers:
            hear(message)
        if message.change_type in self.silent or not self.members:
            return
        for service in SERVICES:
            if message.user_id:
                self._spread(user_channel(message.user_id, service), message)
            elif message.event_id:
                name = event_channel(message.event_id, message.sub_type, service)
                self._spread(name, message)
                self._share_book(main_channel(service), message)
            else:
                self._spread(main_channel(service), message)

    def _share_book(self, channel: str, message: Outgoing) -> None:
        """Books on the shared channel, for sockets of the older model."""
        if channel in self.members and self.catalog is not None:
            tournament_id = self.catalog.tournament_of(message.event_id)
            self._spread(channel, message, tournament_id, lambda form: form.shared_books)

    def _spread(
        self,
        channel: str,
        message: Outgoing,
        tournament_id: int = 0,
        wanted: Callable[[Form], bool] | None = None,
    ) -> None:
        texts: dict[Words, str] = {}
        service = service_of(channel)
        for connection in self.members.of(channel):
            form = connection.form(service)
            if wanted is not None and not wanted(form):
                continue
            text = texts.get(form.words)
            if text is None:
                text = self._envelopes.text(message, channel, form.words, tournament_id)
                texts[form.words] = text
            self._put(connection, text)

    def _put(self, connection: Connection, text: str) -> None:
        if connection.mute and not (connection.mute == "data" and text in SERVER_FRAMES):
            return
        if self.outlet is None or not self.outlet(connection, text):
            self.deliver(connection, text)

    def deliver(self, connection: Connection, text: str) -> None:
        """Hand a frame to the transport; a client that does not read is dropped."""
        if connection.closed:
            return
        if len(connection.out) < self.rules.frames_queued_max:
            connection.out.append(text)
            return
        connection.out.clear()
        self._fail(connection, Close(4100, "client too slow"))

    def _fail(self, connection: Connection, close: Close) -> None:
        if close.code != CUT:
            connection.out.append(frames.error(close.code, close.text))
        self.close(connection, close)
