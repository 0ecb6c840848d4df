"""A client of the box in any of its dialects, with headers of its own."""

from __future__ import annotations

import json
from typing import Any

from mmbot.sim.rules import WireRules
from tests.sim.builders import Client, a_box

NEW_WORDS = {"X-CFTC-Terminology": "true"}


class Caller(Client):
    """A client that can say headers of its own."""

    def get(self, path: str, headers: dict[str, str] | None = None) -> Any:
        status, answer = self.ask("GET", path, headers=headers)
        assert status == 200, (path, answer)
        return answer["data"]

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        self.wait(0.1)
        if not self.token:
            self.login()
        given = {"Authorization": f"Bearer {self.token}"} | (headers or {})
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
        reply = self.box.http(method, f"/partner{path}", given, raw, self.now_ns)
        return reply.status, json.loads(reply.body)

    def wager(self, strike_id: str, odds: int, stake: float) -> dict[str, object]:
        order = self.order(strike_id, odds, stake)
        return {
            "external_id": order["external_id"],
            "line_id": strike_id,
            "odds": odds,
            "stake": stake,
        }


def a_caller(**wire: Any) -> Caller:
    return Caller(a_box(wire=WireRules(**wire)))
