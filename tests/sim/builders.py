"""A box without sockets or traders, and a client that talks to it in its own time."""

from __future__ import annotations

import base64
import json
from typing import Any

from mmbot.sim.box import Box
from mmbot.sim.core.lifecycle import Line
from mmbot.sim.core.orders import Account
from mmbot.sim.scenario import BoxOptions, RivalOptions, Rules, SessionRules, TakerOptions
from mmbot.sim.stream.hub import Connection

NS = 1_000_000_000
MS = 1_000_000
START_NS = 1_795_359_600 * NS
AT_ONCE = Rules(first_pass_ms=0)


def a_box(
    *,
    rules: Rules = AT_ONCE,
    session: SessionRules | None = None,
    traders: bool = False,
    seed: int = 7,
    **options: Any,
) -> Box:
    session = session or SessionRules()
    chosen = BoxOptions(
        seed=seed,
        rules=rules,
        session=session,
        takers=TakerOptions(on=traders),
        rival=RivalOptions(on=traders),
        **options,
    )
    return Box(chosen, START_NS)


class Client:
    """Calls routes one after the other; every call may take some time of the box."""

    def __init__(self, box: Box, account: Account | None = None) -> None:
        self.box = box
        self.account = account or box.maker
        self.now_ns = max(START_NS, box.exchange.now_ns)
        self.token = ""
        self._external = 0

    def wait(self, seconds: float) -> None:
        self.now_ns += round(seconds * NS)
        self.box.advance(self.now_ns)

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        raw = b"" if body is None else json.dumps(body).encode()
        reply = self.box.http(method, path, headers, raw, self.now_ns)
        return reply.status, json.loads(reply.body) if reply.body else None

    def api(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        if not self.token:
            self.login()
        return self.call(method, "/partner" + path, body)

    def login(self) -> Any:
        body = {"access_key": self.account.access_key, "secret_key": self.account.secret_key}
        status, answer = self.call("POST", "/partner/auth/login", body)
        assert status == 200, answer
        self.token = answer["data"]["access_token"]
        return answer

    def order(self, strike_id: str, price: float, usd: float, **extra: object) -> dict[str, object]:
        self._external += 1
        return {
            "external_id": f"t{self.account.name}-{self._external}",
            "strike_id": strike_id,
            "price": price,
            "quantity": usd,
        } | extra

    def place(self, strike_id: str, price: int, usd: float, **extra: object) -> dict[str, Any]:
        """Place and wait until it is activated; the order as the exchange then has it."""
        body = self.order(strike_id, price, usd, **extra)
        status, answer = self.api("POST", "/v4/mm/submit_order", body)
        assert status == 200, answer
        self.wait(0.1)
        return self.read(answer["data"]["order"]["order_id"])

    def read(self, order_id: str) -> dict[str, Any]:
        status, answer = self.api("GET", f"/v4/mm/get_order/{order_id}")
        assert status == 200, answer
        found: dict[str, Any] = answer["data"]
        return found

    def cancel(self, order: dict[str, Any]) -> tuple[int, Any]:
        body = {"order_id": order["order_id"], "external_id": order["external_id"]}
        return self.api("POST", "/v4/mm/cancel_order", body)

    def record(self) -> dict[str, Any]:
        _, answer = self.call("GET", f"/_box/record?account={self.account.access_key}")
        found: dict[str, Any] = answer
        return found

    def listen(self, *event_ids: int) -> Stream:
        """A socket with the whole handshake done."""
        stream = Stream(self.box, self.box.connect(*_app(self.box), self.now_ns))
        wish = [{"type": "event", "ids": [str(i) for i in event_ids]}] if event_ids else []
        body = {"socket_id": stream.socket_id, "subscriptions": wish}
        status, answer = self.api("POST", "/v4/mm/websocket", body)
        assert status == 200, answer
        stream.send("pusher:signin", answer["data"]["authenticated"])
        for channel in answer["data"]["authorized_channel"]:
            data = {"channel": channel["channel_name"], "auth": channel["auth"]}
            stream.send("pusher:subscribe", data)
        stream.frames()
        return stream


class Stream:
    """The client's end of one socket."""

    def __init__(self, box: Box, connection: Connection) -> None:
        self._box = box
        self.connection = connection
        first = self.frames()[0]
        self.socket_id: str = json.loads(first["data"])["socket_id"]

    def send(self, event: str, data: object) -> None:
        text = json.dumps({"event": event, "data": data})
        self._box.receive(self.connection, text, self._box.exchange.now_ns)

    def frames(self) -> list[dict[str, Any]]:
        found = [json.loads(frame) for frame in self.connection.out if isinstance(frame, str)]
        self.connection.out.clear()
        return found

    def payloads(self, event: str) -> list[dict[str, Any]]:
        """Decoded payloads of one kind of event, the others dropped."""
        return [decoded(frame) for frame in self.frames() if frame["event"] == event]


def decoded(frame: dict[str, Any]) -> dict[str, Any]:
    data = json.loads(frame["data"])
    found: dict[str, Any] = json.loads(base64.b64decode(data["payload"]))
    return found


def _app(box: Box) -> tuple[str, dict[str, str]]:
    return box.hub.app.key, {"protocol": "7"}


def a_second_client(box: Box, cash_usd: int = 100_000) -> Client:
    account = box.add_account("second", "second-key", "second-secret")
    box.exchange.set_cash(account, cash_usd * 100, box.exchange.now_ns)
    account.start_cents = account.cash_cents
    account.transactions.clear()
    return Client(box, account)


def a_line(box: Box, kind: str = "moneyline") -> Line:
    return next(line for line in box.exchange.listing.lines if line.kind == kind)
