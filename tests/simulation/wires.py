"""Wires that lie or meddle between the daemon and the box: the judge has to notice each."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from mmbot.app.simulate_keeper import Ports
from mmbot.exchange.ws import RawConnection

Reply = tuple[int, Mapping[str, str], bytes]
BALANCE = "/partner/v4/mm/get_balance"
SUBMIT = "/partner/v4/mm/submit_multiple_orders"


class LosesCancels:
    """No cancel leaves: each is answered as if the exchange had failed."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def ports(self) -> Ports:
        return Ports(self._http, self._ports.websockets)

    async def _http(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if "/cancel_" in path:
            return 500, {}, b"{}"
        return await self._ports.http(method, path, headers, body)


class AsksForMore:
    """Each stake is ten times what the daemon meant."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def ports(self) -> Ports:
        return Ports(self._http, self._ports.websockets)

    async def _http(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if path == SUBMIT:
            asked = json.loads(body)
            for one in asked["data"]:
                one["quantity"] *= 10
            body = json.dumps(asked).encode()
        return await self._ports.http(method, path, headers, body)


class ForgetsFills:
    """One order's fill is on no channel: the private message is lost, every read denies it."""

    def __init__(self, ports: Ports) -> None:
        self.victim = ""
        self._ports = ports

    def ports(self) -> Ports:
        return Ports(self._http, self._websockets)

    async def _http(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        status, given, answer = await self._ports.http(method, path, headers, body)
        if self.victim and self.victim.encode() in answer:
            answer = json.dumps(self._denied(json.loads(answer))).encode()
        return status, given, answer

    async def _websockets(self, url: str) -> RawConnection:
        return _Deaf(await self._ports.websockets(url), self)

    def hides(self, frame: str) -> bool:
        """Whether this frame is about the victim; the first order that fills becomes it."""
        outer = json.loads(frame)
        if outer["event"] != "orders":
            return False
        payload = json.loads(base64.b64decode(json.loads(outer["data"])["payload"]))
        order = payload.get("info", payload)
        if not self.victim and float(order.get("total_filled_quantity") or 0) > 0:
            self.victim = order["order_id"]
        return bool(self.victim) and order["order_id"] == self.victim

    def _denied(self, found: Any) -> Any:
        if isinstance(found, list):
            return [self._denied(one) for one in found]
        if not isinstance(found, dict):
            return found
        if found.get("order_id") == self.victim:
            ended = {"filled_quantity": 0, "open_quantity": 0, "status": "canceled"}
            return found | ended | {"matching_status": "unmatched", "winning_status": "tbd"}
        return {name: self._denied(one) for name, one in found.items()}


class _Deaf:
    def __init__(self, inner: RawConnection, wire: ForgetsFills) -> None:
        self._inner = inner
        self._wire = wire

    async def recv(self) -> str:
        while True:
            frame = await self._inner.recv()
            if not self._wire.hides(frame):
                return frame

    async def send(self, text: str) -> None:
        await self._inner.send(text)

    async def close(self) -> None:
        await self._inner.close()


class LosesMoneyRows:
    """Every second row of money is missing in the exchange's answers."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def ports(self) -> Ports:
        return Ports(self._http, self._ports.websockets)

    async def _http(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        status, given, answer = await self._ports.http(method, path, headers, body)
        if status == 200 and "/get_transactions" in path:
            told = json.loads(answer)
            rows = told["data"]["transactions"]
            told["data"]["transactions"] = [row for row in rows if int(row["id"][-1:]) % 2]
            answer = json.dumps(told).encode()
        return status, given, answer


class LosesAChannel:
    """No registration asks for the first of the sport events."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def ports(self) -> Ports:
        return Ports(self._http, self._ports.websockets)

    async def _http(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if path.endswith("/mm/websocket"):
            asked = json.loads(body)
            for one in asked["subscriptions"]:
                one["ids"] = one["ids"][1:] if one["type"] == "event" else one["ids"]
            body = json.dumps(asked).encode()
        return await self._ports.http(method, path, headers, body)


class Meddles:
    """Sixty requests at once, and an order that nobody meant, both with the daemon's token."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._placements = 0

    def ports(self) -> Ports:
        return Ports(self._http, self._ports.websockets)

    async def _http(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        answer = await self._ports.http(method, path, headers, body)
        if path == SUBMIT:
            self._placements += 1
            if self._placements == 2:
                for _ in range(60):
                    await self._ports.http("GET", BALANCE, headers, b"")
            elif self._placements == 3:
                meant = json.loads(body)["data"][0]
                extra = meant | {"external_id": meant["external_id"] + "9999", "quantity": 1.0}
                extra_body = json.dumps({"data": [extra]}).encode()
                await self._ports.http("POST", SUBMIT, headers, extra_body)
        return answer
