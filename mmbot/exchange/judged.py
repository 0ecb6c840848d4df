"""An HttpPort that holds each answer against the contract before it is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import fields

from mmbot.exchange.contract import REFUSAL
from mmbot.exchange.drift import Shield
from mmbot.exchange.http import HttpPort, HttpReply
from mmbot.exchange.old_words import newer
from mmbot.exchange.order_wire import Cleared
from mmbot.exchange.routes import Route, Routes
from mmbot.exchange.wire import Unreadable


class JudgedHttp:
    def __init__(self, port: HttpPort, shield: Shield, routes: Routes) -> None:
        self._port = port
        self._shield = shield
        known: Iterable[Route | None] = (getattr(routes, one.name) for one in fields(routes))
        self._routes = {route.path: route for route in known if route is not None}

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
            self._judge(self._route(path.partition("?")[0]), reply.body)
        elif 400 <= reply.status < 500:  # what a broken gateway says is no contract
            self._shield.body(REFUSAL, reply.body)
        return reply

    def _route(self, path: str) -> Route | None:
        """Of a path that ends with an id, that of the one before it."""
        return self._routes.get(path) or self._routes.get(path.rpartition("/")[0])

    def _judge(self, route: Route | None, body: bytes) -> None:
        if route is None:
            return
        if route.old_words:
            with suppress(Unreadable):
                body = newer(body)
        self._shield.body(route.name, body)
