"""A daemon's admin port, played by a small HTTP server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

STATUS: dict[str, Any] = {
    "mode": "ENABLED",
    "why": "",
    "orders": {"open": 2, "in_doubt": 0, "placed": 12, "cancelled": 10},
    "pnl_cents": -1234,
    "worst_case_limit_cents": 1_000_000,
    "breakers": [
        {
            "breaker": "fill burst", "state": "cooling off", "event": 7, "left_s": 41.6,
            "reason": "11 fills of 25.00 USD in 10 s",
        },
        {
            "breaker": "reject loop", "state": "cooling off", "event": None, "left_s": 2.0,
            "reason": "11 orders refused",
        },
        {"breaker": "price jump", "state": "armed", "event": None, "left_s": None, "reason": ""},
    ],
    "lines": [
        {"event": "A at B", "market": "total", "number": 2.5, "position": {"if_0": 5, "if_1": -3}},
        {"event": "A at B", "market": "moneyline", "number": None, "position": {}},
    ],
}  # fmt: skip

LIMITS: dict[str, Any] = {
    "limits": [
        {
            "limit": "event_loss_max_usd", "unit": "cents", "used": 299_900, "allowed": 300_000,
            "share": 0.9997, "about": "A at B", "table": "[[risk.scopes]] #1 (event 7)",
            "refused": 3, "binds": True, "nearest": True,
        },
        {
            "limit": "open_orders_max", "unit": "orders", "used": 12, "allowed": 3000,
            "share": 0.004, "about": "", "table": "[risk]",
            "refused": 0, "binds": False, "nearest": False,
        },
        {
            "limit": "unmatched_cash_multiple_max", "unit": "times cash", "used": 1.25,
            "allowed": 4.0, "share": 0.3125, "about": "", "table": "[risk]",
            "refused": 0, "binds": False, "nearest": False,
        },
    ]
}  # fmt: skip


@dataclass
class AdminPort:
    """`said` keeps every word; a halt turns the mode, and is flat when no order is open."""

    address: str = ""
    said: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refuse: bool = False
    deaf: bool = False  # answers, but does not halt
    open_orders: int = 0
    mode: str = "ENABLED"

    def status(self) -> dict[str, Any]:
        orders = {**STATUS["orders"], "open": self.open_orders}
        flat = not self.open_orders
        why = "ann: odds look wrong" if self.mode == "HALTED" else ""
        return {**STATUS, "orders": orders, "mode": self.mode, "why": why, "proven_flat": flat}

    def hear(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.said.append((path, body))
        if self.refuse:
            return 409, {"error": "the latch cannot be written"}
        if not self.deaf:
            self.mode = {"/halt": "HALTED", "/resume": "ENABLED"}.get(path, self.mode)
        return 200, {"said": path}


@contextmanager
def an_admin_port() -> Iterator[AdminPort]:
    port = AdminPort()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, LIMITS if self.path == "/limits" else port.status())

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(*port.hear(self.path, body))

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *args: object) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
