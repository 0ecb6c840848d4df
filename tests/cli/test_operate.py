"""Talking to a daemon's admin port, played here by a small HTTP server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from mmbot.cli.entry import execute
from mmbot.cli.operate import wait_until_empty

STATUS: dict[str, Any] = {
    "mode": "ENABLED",
    "orders": {"open": 2, "in_doubt": 0, "placed": 12, "cancelled": 10},
    "pnl_cents": -1234,
    "lines": [
        {"event": "A at B", "market": "total", "number": 2.5, "position": {"if_0": 5, "if_1": -3}},
        {"event": "A at B", "market": "moneyline", "number": None, "position": {}},
    ],
}


@dataclass
class AdminPort:
    address: str
    said: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refuse: bool = False
    open_orders: int = 0


@pytest.fixture
def admin() -> Iterator[AdminPort]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            orders = {**STATUS["orders"], "open": port.open_orders}
            self._answer(200, {**STATUS, "orders": orders})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            port.said.append((self.path, body))
            if port.refuse:
                self._answer(409, {"error": "the latch cannot be written"})
            else:
                self._answer(200, {"said": self.path})

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *args: object) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port = AdminPort(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield port
    server.shutdown()
    server.server_close()
    thread.join()


def test_status_for_people_and_for_programs(
    admin: AdminPort, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["status", "--admin", admin.address]) == 0
    shown = capsys.readouterr().out
    assert "ENABLED" in shown
    assert "-12.34 USD" in shown
    assert execute(["status", "--admin", admin.address, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mode"] == "ENABLED"


def test_positions_show_only_what_is_held(
    admin: AdminPort, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["positions", "--admin", admin.address]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("A at B  total 2.5")


@pytest.mark.parametrize("word", ["halt", "resume"])
def test_a_word_reaches_the_daemon_with_its_reason(admin: AdminPort, word: str) -> None:
    assert execute([word, "--reason", "looks wrong", "--admin", admin.address]) == 0
    [(path, said)] = admin.said
    assert path == f"/{word}"
    assert said["reason"] == "looks wrong"
    assert said["who"]


def test_cancel_all_pauses_and_waits_for_the_last_order(
    admin: AdminPort, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["cancel-all", "--admin", admin.address]) == 0
    assert admin.said[0][0] == "/pause"
    assert "no order is open" in capsys.readouterr().out


def test_cancel_all_fails_when_orders_stay_open(
    admin: AdminPort, capsys: pytest.CaptureFixture[str]
) -> None:
    admin.open_orders = 3
    assert execute(["cancel-all", "--admin", admin.address, "--wait-s", "0"]) == 1
    assert "3 orders are still open" in capsys.readouterr().err


def test_a_refusal_and_a_silent_port_are_one_line(
    admin: AdminPort, capsys: pytest.CaptureFixture[str]
) -> None:
    admin.refuse = True
    assert execute(["halt", "--admin", admin.address]) == 1
    assert "the latch cannot be written" in capsys.readouterr().err
    assert execute(["status", "--admin", "http://127.0.0.1:1"]) == 1
    assert capsys.readouterr().err.startswith("mmbot: no daemon answers at http://127.0.0.1:1")


def test_waiting_counts_orders_in_doubt_too() -> None:
    assert wait_until_empty(lambda: {"orders": {"open": 0, "in_doubt": 2}}, wait_max_s=0) == 2
    assert wait_until_empty(lambda: {"orders": {"open": 0, "in_doubt": 0}}, wait_max_s=0) == 0
