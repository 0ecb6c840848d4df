"""An HttpPort that holds each answer against the contract before it is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields

from mmbot.exchange.contract import REFUSAL
from mmbot.exchange.drift import Shield
from mmbot.exchange.http import HttpPort, HttpReply
from mmbot.exchange.order_wire import Cleared
from mmbot.exchange.routes import Route, Routes


class JudgedHttp:
    def __init__(self, port: HttpPort, shield: Shield, routes: Routes) -> None:
        self._port = port
        self._shield = shield
        known: Iterable[Route | None] = (getattr(routes, one.name) for one in fields(routes))
        self._names = {route.path: route.name for route in known if route is not None}

    async def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        timeout_s: float,
        cleared: Cleared | None = None,
    ) -> HttpReply:
        reply = await self._port.request(method, path, headers, body, timeout_s, cleared)
        if 200 <= reply.status < 300:
            self._shield.body(self._name(path.partition("?")[0]), reply.body)
        elif 400 <= reply.status < 500:  # what a broken gateway says is no contract
            self._shield.body(REFUSAL, reply.body)
        return reply

    def _name(self, path: str) -> str:
        """The route's; of a path that ends with an id, the one before it."""
        return self._names.get(path) or self._names.get(path.rpartition("/")[0], "")
