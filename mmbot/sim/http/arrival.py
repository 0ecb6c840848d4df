"""A request that was let in: what it asks for, whose words it speaks, and for which account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mmbot.sim.core.orders import Account
from mmbot.sim.dialects.table import CANONICAL, Route
from mmbot.sim.faults.plan import Hit


@dataclass(frozen=True, slots=True)
class Arrival:
    """Waits to be executed; `body` and `query` are already in order words."""

    asked: Route
    path: str
    query: dict[str, str]
    body: object
    headers: Mapping[str, str]
    account: Account
    hit: Hit | None = None
    number: int = 0

    @property
    def operation(self) -> str:
        return self.asked.operation

    @property
    def is_read(self) -> bool:
        return self.asked.method == "GET"

    @property
    def route(self) -> str:
        """The v4 path of what is asked for, whatever the dialect: faults and latency use it."""
        return CANONICAL.get(self.asked.operation, self.asked.path)

    @property
    def id_asked(self) -> str:
        """What follows the path of a route that ends with an id."""
        return self.path[len(self.asked.path) :]

    def reworded(self, renamed: Callable[[dict[str, Any]], dict[str, Any]]) -> Arrival:
        """The same request with the fields of its query, body and batch items renamed."""
        body = self.body
        if isinstance(body, dict):
            body = renamed(body)
            items = body.get("data")
            if isinstance(items, list):
                body["data"] = [renamed(one) if isinstance(one, dict) else one for one in items]
        return replace(self, query=renamed(self.query), body=body)

    @property
    def name(self) -> str:
        """Its route as the record counts it."""
        shown = self.asked.path + ("{id}" if self.asked.path.endswith("/") else "")
        return f"{self.asked.method} {shown}"
