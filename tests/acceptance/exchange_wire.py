"""The wire of the exchange in the box, walked from outside: a process, its port, its exit codes."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

from mmbot.sim.conformance.self_test import EXAMPLES
from mmbot.sim.dialects.table import ROUTES
from tests.acceptance.doors import ROOT, mmbot

WAIT_S = 30
RULES = """
latency_profile = "loopback"
[takers]
on = false
[rival]
on = false
[session]
requests_per_second_max = 1000
sessions_max = 3
expiry_unit = "ms"
[rules]
first_pass_ms = 0
[http]
headers_timeout_s = 1
[[accounts]]
name = "other"
access_key = "other-key"
secret_key = "other-secret"
cash_usd = 500
[[accounts]]
name = "barred"
access_key = "barred-key"
secret_key = "barred-secret"
suspended = true
"""


@dataclass
class Caller:
    """One account at the public door."""

    port: int
    control: str
    token: str = ""

    def call(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        given = {"Authorization": f"Bearer {self.token}"} | (headers or {})
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
        try:
            connection.request(method, path, raw, given)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def api(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        return self.call(method, f"/partner{path}", body, headers)

    def login(self, access_key: str, secret_key: str) -> tuple[int, Any]:
        keys = {"access_key": access_key, "secret_key": secret_key}
        status, answer = self.api("POST", "/auth/login", keys)
        if status == 200:
            self.token = answer["data"]["access_token"]
        return status, answer


@contextmanager
def a_process(*arguments: str) -> Iterator[Caller]:
    """`mmbot exchange` as a process; nothing on stderr at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mmbot", "exchange", "--port", "0", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield Caller(ready["port"], ready["control_token"])
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=WAIT_S)
    assert (process.returncode, errors) == (0, "")


@contextmanager
def a_box(folder: Path) -> Iterator[Caller]:
    """The same with rules of ours; it still answers when the test is over."""
    rules = folder / "rules.toml"
    rules.write_text(RULES, encoding="utf-8")
    with a_process("--scenario", str(rules)) as caller:
        yield caller
        assert caller.call("GET", "/_box/whoami")[0] == 200


def _strike(caller: Caller) -> tuple[int, str]:
    events = caller.api("GET", "/mm/get_sport_events")[1]["data"]["sport_events"]
    for event in events:
        path = f"/v4/mm/get_markets?event_id={event['event_id']}"
        for market in caller.api("GET", path)[1]["data"]["markets"]:
            if market["type"] == "moneyline":
                return event["event_id"], market["selections"][0][0]["strike_id"]
    raise AssertionError("no moneyline is listed")


def walk_dialects(folder: Path) -> None:
    """Every route answers, and one order is seen through all three wordings."""
    with a_box(folder) as caller:
        caller.login("other-key", "other-secret")
        event_id, strike_id = _strike(caller)
        query = f"event_id={event_id}&event_ids={event_id}&tournament_id=31&from=1&to=2"
        for route in ROUTES:
            if route.operation in ("login", "refresh", "new_keys"):
                continue
            path = route.path + ("1" if route.path.endswith("/") else "")
            shown = f"{path}?{query}" if route.method == "GET" else path
            status, answer = caller.api(route.method, shown, {})
            assert status in {200, 400, 404}, (route, answer)
            assert status != 404 or answer["error"] != "data_not_found" or "player" in path, route
        order = {"external_id": "a-1", "strike_id": strike_id, "price": 150, "quantity": 5.0}
        wager = {"external_id": "a-3", "line_id": strike_id, "odds": 150, "stake": 5.0}
        first = caller.api("POST", "/v4/mm/submit_order", order)[1]["data"]["order"]["order_id"]
        placed = caller.api("POST", "/mm/place_order", order | {"external_id": "a-2"})[1]
        second = placed["data"]["order"]["id"]
        third = caller.api("POST", "/mm/place_wager", wager)[1]["data"]["wager"]["id"]
        for order_id in (first, second, third):
            assert caller.api("GET", f"/v4/mm/get_order/{order_id}")[1]["data"]["price"] == 150
            assert caller.api("GET", f"/mm/get_order/{order_id}")[1]["data"]["id"] == order_id
            assert caller.api("GET", f"/mm/get_wager/{order_id}")[1]["data"]["odds"] == 150
        assert caller.api("POST", "/v4/mm/submit_order", order)[1]["error"] == (
            "order_external_id_existed"
        )
        assert caller.api("POST", "/mm/place_wager", wager)[1]["error"] == (
            "wager_external_id_existed"
        )
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        status, answer = caller.api("POST", "/mm/pusher", b"socket_id=1.2", **form)
        assert (status, answer["data"]["status"]) == (200, "CONNECTED")


def walk_auth(folder: Path) -> None:
    """Key pairs, expiry, refresh, sessions that live, a suspended account, several accounts."""
    with a_box(folder) as caller:
        assert caller.login("other-key", "wrong")[0] == 401
        status, answer = caller.login("other-key", "other-secret")
        assert status == 200
        assert answer["data"]["access_expire_time"] > 1e12
        assert caller.api("GET", "/v4/mm/get_balance")[1]["data"]["balance"] == 500
        refresh = {"refresh_token": answer["data"]["refresh_token"]}
        status, answer = caller.api("POST", "/auth/refresh", refresh)
        assert (status, "refresh_token" in answer["data"]) == (200, False)
        for _ in range(2):
            assert caller.login("other-key", "other-secret")[0] == 200
        status, answer = caller.login("other-key", "other-secret")
        assert (status, answer["error"]) == (403, "session_num_exceed")
        _, strike_id = _strike(caller)
        order = {"external_id": "a-1", "strike_id": strike_id, "price": 150, "quantity": 5.0}
        barred = Caller(caller.port, caller.control)
        assert barred.login("barred-key", "barred-secret")[0] == 200
        assert barred.api("POST", "/v4/mm/submit_order", order)[0] == 403
        asked = {"access_key": "barred-key"}
        steering = {"X-Box-Token": caller.control}
        web = caller.call("POST", "/_box/web_token", asked, steering)[1]["web_token"]
        owner = Caller(caller.port, caller.control, web)
        pairs = [owner.api("POST", "/auth/keys") for _ in range(20)]
        assert [status for status, _ in pairs] == [200] * 19 + [403]
        keys = pairs[0][1]["data"]
        assert owner.login(keys["access_key"], keys["secret_key"])[0] == 200


def walk_conformance(folder: Path) -> None:
    """The self-test is green on the shipped examples and red on a wrong edit."""
    done = mmbot("exchange", "--self-test")
    assert done.returncode == 0, done.stdout
    assert "all agree" in done.stdout
    edited = folder / "examples"
    shutil.copytree(EXAMPLES, edited)
    path = edited / "submit_order.response.v4.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"strike_id"', '"line_id"'))
    done = mmbot("exchange", "--self-test", "--examples", str(edited), "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["ok"]) == (1, False)
    assert all(line.startswith(f"{path.name}: data.order.") for line in said["differences"])


def walk_bad_requests(folder: Path) -> None:
    """Over a real socket: nonsense, too much, too slow, wrongly signed, too many."""
    with a_box(folder) as caller:
        for raw in (b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/9\r\n\r\n", os.urandom(200)):
            with socket.create_connection(("127.0.0.1", caller.port), WAIT_S) as peer:
                peer.sendall(raw + b"\r\n\r\n")
                assert peer.recv(100)[9:12] in (b"400", b"")
        with socket.create_connection(("127.0.0.1", caller.port), WAIT_S) as peer:
            head = b"POST /partner/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600"
            peer.sendall(head + b"\r\n\r\n")
            for _ in range(100):
                peer.sendall(b"x" * (1 << 20))
            assert peer.recv(100)[9:12] == b"413"
        slow = socket.create_connection(("127.0.0.1", caller.port), WAIT_S)
        slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-a: ")
        caller.login("other-key", "other-secret")
        for body in (b"{", b"[" * 100_000, b"\xff", b'{"data":1e999}', b"7", b"null"):
            for path in ("/v4/mm/submit_order", "/mm/place_multiple_wagers", "/v4/mm/websocket"):
                assert caller.api("POST", path, body)[0] == 400, (path, body[:10])
        many = [{"type": "event", "ids": [str(n) for n in range(1, 10_001)]}]
        wish = {"socket_id": "1.2", "subscriptions": many}
        status, answer = caller.api("POST", "/v4/mm/websocket", wish)
        assert (status, answer["error"]) == (400, "exceed_subscription_count")
        _wrongly_signed(caller)
        assert slow.recv(1) == b""
        slow.close()


def _wrongly_signed(caller: Caller) -> None:
    """A stream client whose signature is not the box's gets an error, ten thousand times."""
    config = caller.api("GET", "/websocket/connection-config")[1]
    url = f"ws://{config['ws_host']}/app/{config['key']}?protocol=7"
    with connect(url, open_timeout=WAIT_S) as stream:
        stream.recv(WAIT_S)
        auth = f"{config['key']}:{'0' * 64}"
        for number in range(10_000):
            channel = f"private-broadcast-service=6-device_type=5-event={number + 1}"
            data = {"channel": channel, "auth": auth}
            stream.send(json.dumps({"event": "pusher:subscribe", "data": data}))
        for _ in range(10_000):
            assert json.loads(stream.recv(WAIT_S))["event"] == "pusher:subscription_error"
