"""A box without traders, two clients at its public door, and a clock that they move."""

from __future__ import annotations

import base64
import json
from typing import Any

from mmbot.sim.box import Box
from mmbot.sim.core.lifecycle import NS, Line
from mmbot.sim.core.orders import Account
from mmbot.sim.scenario import BoxOptions, RivalOptions, TakerOptions
from mmbot.sim.stream.hub import Connection

START_NS = 1_795_359_600 * NS
SETTLING_S = 0.1


class Stage:
    """Everything goes through the routes and the sockets of one box."""

    def __init__(self, **options: Any) -> None:
        chosen = BoxOptions(takers=TakerOptions(on=False), rival=RivalOptions(on=False), **options)
        self.box = Box(chosen, START_NS)
        self.now_ns = START_NS
        other = self.box.add_account("other", "other-key", "other-secret")
        self.maker = Caller(self, self.box.maker)
        self.other = Caller(self, other)

    def wait(self, seconds: float) -> None:
        self.now_ns += round(seconds * NS)
        self.box.advance(self.now_ns)

    def line(self, kind: str = "moneyline") -> Line:
        return next(line for line in self.box.exchange.listing.lines if line.kind == kind)

    def steer(self, name: str, body: object) -> None:
        self.maker.call("POST", f"/_box/{name}", body)


class Caller:
    """One account with its token."""

    def __init__(self, stage: Stage, account: Account) -> None:
        self._stage = stage
        self._account = account
        self._token = ""
        self._count = 0

    def call(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        given = dict(headers or {})
        if self._token:
            given["Authorization"] = f"Bearer {self._token}"
        raw = body if isinstance(body, bytes) else b""
        if body is not None and not isinstance(body, bytes):
            raw = json.dumps(body).encode()
        reply = self._stage.box.http(method, path, given, raw, self._stage.now_ns)
        return reply.status, json.loads(reply.body) if reply.body else None

    def keys(self) -> dict[str, str]:
        return {"access_key": self._account.access_key, "secret_key": self._account.secret_key}

    def login(self) -> Any:
        _, answer = self.call("POST", "/partner/auth/login", self.keys())
        self._token = answer["data"]["access_token"]
        return answer

    def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """A request within the rate, with a token."""
        self._stage.wait(SETTLING_S)
        if not self._token:
            self.login()
        return self.call(method, "/partner" + path, body, headers)

    def get(self, path: str) -> Any:
        return self.ask("GET", path)[1]

    def post(self, path: str, body: object = None) -> Any:
        return self.ask("POST", path, body)[1]

    def order(self, strike_id: str, price: int, usd: float, **extra: object) -> dict[str, object]:
        self._count += 1
        external_id = f"{self._account.name}-{self._count}"
        head = {"external_id": external_id, "strike_id": strike_id}
        return head | {"price": price, "quantity": usd} | extra

    def place(self, strike_id: str, price: int, usd: float) -> dict[str, Any]:
        """An order that has become open; its two ids."""
        answer = self.post("/v4/mm/submit_order", self.order(strike_id, price, usd))
        self._stage.wait(SETTLING_S)
        order = answer["data"]["order"]
        return {"order_id": order["order_id"], "external_id": order["external_id"]}

    def listen(self, *ids: str, legacy: bool = False) -> Listener:
        """A socket with the whole handshake done, in one of the two models."""
        stage = self._stage
        key = stage.box.hub.app.key
        listener = Listener(stage, stage.box.connect(key, {"protocol": "7"}, stage.now_ns))
        kinds = ("event_subtype" if ":" in one else "event" for one in ids)
        wish = [{"type": kind, "ids": [one]} for kind, one in zip(kinds, ids, strict=True)]
        body: dict[str, Any] = {"socket_id": listener.socket_id}
        if not legacy:
            body["subscriptions"] = wish
        path = "/mm/pusher" if legacy else "/v4/mm/websocket"
        listener.registered = answer = self.post(path, body)
        if "authenticated" in answer["data"]:
            listener.send("pusher:signin", answer["data"]["authenticated"])
        for channel in answer["data"]["authorized_channel"]:
            listener.subscribe(channel)
        return listener


class Listener:
    """The client's end of one socket."""

    def __init__(self, stage: Stage, connection: Connection) -> None:
        self._stage = stage
        self._connection = connection
        self.seen: list[dict[str, Any]] = []
        self.registered: Any = None
        self.socket_id: str = data_of(self.frames()[0])["socket_id"]

    def send(self, event: str, data: object) -> None:
        text = json.dumps({"event": event, "data": data})
        self._stage.box.receive(self._connection, text, self._stage.now_ns)

    def subscribe(self, channel: dict[str, Any]) -> None:
        data = {"channel": channel["channel_name"], "auth": channel["auth"]}
        self.send("pusher:subscribe", data)

    def frames(self) -> list[dict[str, Any]]:
        """What has come since it was asked last; everything stays in `seen`."""
        out = self._connection.out
        found = [json.loads(frame) for frame in out if isinstance(frame, str)]
        out.clear()
        self.seen += found
        return found

    def named(self, event: str) -> list[dict[str, Any]]:
        self.frames()
        return [frame for frame in self.seen if frame["event"] == event]

    def changes(self, change_type: str, op: str = "") -> list[dict[str, Any]]:
        """Application frames of one kind, whatever their event is called."""
        self.frames()
        found = [frame for frame in self.seen if not frame["event"].startswith("pusher")]
        return [
            frame
            for frame in found
            if data_of(frame)["change_type"] == change_type and op in ("", data_of(frame)["op"])
        ]


def data_of(frame: dict[str, Any]) -> dict[str, Any]:
    data = frame["data"]
    found: dict[str, Any] = json.loads(data) if isinstance(data, str) else data
    return found


def decoded(frame: dict[str, Any]) -> dict[str, Any]:
    """A frame after both JSON decodes and base64, as the `decoded` examples show it."""
    data = data_of(frame)
    payload: Any = json.loads(base64.b64decode(data["payload"]))
    if isinstance(payload, str):
        payload = json.loads(payload)
    head = {"event": frame["event"], "channel": frame["channel"]}
    rest = {key: data[key] for key in ("change_type", "op", "timestamp")}
    return head | rest | {"payload": payload}
