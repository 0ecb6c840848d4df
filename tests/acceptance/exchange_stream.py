"""The stream of the exchange in the box and its real peers, walked from outside."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.sync.client import ClientConnection, connect

from mmbot.sim.stream.frames import CLOSE_CODES
from tests.acceptance.doors import ROOT
from tests.acceptance.exchange_wire import WAIT_S, Caller, a_box

PEERS = ("pysher", "asyncpusher", "pusher_js", "soketi", "both_dialects")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def walk_stream(folder: Path) -> None:
    with a_box(folder) as caller:
        caller.login("demo-access-key-0123456789abcdef", "demo-secret-key-fedcba9876543210")
        _older_model(caller)
        _declarative_model(caller)
        for code in CLOSE_CODES:
            with _stream(caller) as (stream, _):
                _do(caller, "close_sockets", code=code)
                assert _next(stream, "pusher:error")["data"]["code"] == code
                assert _closed(stream) == code
        _moves(caller)


def _older_model(caller: Caller) -> None:
    """Registration by form and header, then one channel as a library asks for it."""
    with _stream(caller) as (stream, socket_id):
        headers = FORM | {"header-subscriptions": '[{"type":"tournament","ids":[]}]'}
        path = "/partner/mm/pusher"
        raw = urlencode({"socket_id": socket_id}).encode()
        _, answer = caller.call("POST", path, raw, headers)
        main, own = answer["data"]["authorized_channel"]
        assert "service=3" in main["channel_name"]
        raw = urlencode({"socket_id": socket_id, "channel_name": own["channel_name"]}).encode()
        assert caller.call("POST", path, raw, FORM)[1]["auth"] == own["auth"]
        wrong = {"channel": own["channel_name"], "auth": main["auth"]}
        stream.send(json.dumps({"event": "pusher:subscribe", "data": wrong}))
        assert _next(stream, "pusher:subscription_error")["data"]["status"] == 401
        for one in (main, own):
            _subscribe(stream, one)
        beat = _next(stream, "health_check", seconds=7)
        assert json.loads(beat["data"])["payload"] == base64.b64encode(b"{}").decode()


def _declarative_model(caller: Caller) -> None:
    events = caller.api("GET", "/mm/get_sport_events")[1]["data"]["sport_events"]
    event_id = events[0]["event_id"]
    with _stream(caller) as (stream, socket_id):
        ids = [str(event_id), "all"]
        body = {"socket_id": socket_id, "subscriptions": [{"type": "event", "ids": ids}]}
        _, answer = caller.api("POST", "/v4/mm/websocket", body)
        data = answer["data"]
        assert (data["channel_count"], data["rejected"][0]["id"]) == (1, "all")
        assert data["authorized_channel"][2]["scope"] == {"event_id": event_id}
        stream.send(json.dumps({"event": "pusher:signin", "data": data["authenticated"]}))
        _next(stream, "pusher:signin_success")
        for one in data["authorized_channel"]:
            _subscribe(stream, one)
        ids = [str(number) for number in range(1, data["channel_limit"] + 1)]
        body["subscriptions"] = [{"type": "event", "ids": ids}]
        status, answer = caller.api("POST", "/v4/mm/websocket", body)
        assert (status, answer["error"]) == (400, "exceed_subscription_count")
        wrong = data["authenticated"] | {"user_data": '{"id":"somebody else"}'}
        stream.send(json.dumps({"event": "pusher:signin", "data": wrong}))
        assert _closed(stream) == 4009


def _moves(caller: Caller) -> None:
    """The address changes: the new host serves, the old key does not."""
    before = caller.api("GET", "/websocket/connection-config")[1]
    _do(caller, "move_stream", host="localhost", key="another-key", cluster="us2")
    after = caller.api("GET", "/websocket/connection-config")[1]
    assert after["ws_host"] == f"localhost:{caller.port}"
    assert (after["key"], after["cluster"]) == ("another-key", "us2")
    with _stream(caller):
        pass
    old = f"ws://{before['ws_host']}/app/{before['key']}?protocol=7"
    with connect(old) as stream:
        assert _closed(stream) == 4001
    _do(caller, "move_stream", dead_host="127.0.0.1")
    with pytest.raises((InvalidMessage, InvalidHandshake, OSError)):
        connect(old, open_timeout=WAIT_S)
    _do(caller, "move_stream", host="127.0.0.1")
    with _stream(caller):
        pass


def _do(caller: Caller, action: str, **fields: object) -> None:
    steering = {"X-Box-Token": caller.control}
    status, answer = caller.call("POST", "/_box/do", {"action": action} | fields, steering)
    assert status == 200, answer


@contextmanager
def _stream(caller: Caller) -> Iterator[tuple[ClientConnection, str]]:
    config = caller.api("GET", "/websocket/connection-config")[1]
    url = f"ws://{config['ws_host']}/app/{config['key']}?protocol=7&client=walk&version=1.0"
    with connect(url, open_timeout=WAIT_S) as stream:
        hello = _next(stream, "pusher:connection_established")
        yield stream, json.loads(hello["data"])["socket_id"]


def _subscribe(stream: ClientConnection, channel: Any) -> None:
    data = {"channel": channel["channel_name"], "auth": channel["auth"]}
    stream.send(json.dumps({"event": "pusher:subscribe", "data": data}))
    _next(stream, "pusher_internal:subscription_succeeded")


def _next(stream: ClientConnection, event: str, seconds: float = WAIT_S) -> Any:
    """The next frame of that name, whatever comes before it."""
    while True:
        frame = json.loads(stream.recv(seconds))
        if frame["event"] == event:
            return frame


def _closed(stream: ClientConnection) -> int | None:
    try:
        while True:
            stream.recv(WAIT_S)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd is not None else None


def walk_peers() -> None:
    """Each peer has its test, and continuous integration runs them; with FULL=1 they run here."""
    assert "make peers" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    if os.environ.get("FULL") == "1":
        done = _run("make", "peers")
        assert re.search(r"\d+ passed", done), done
        assert "skipped" not in done, done
        return
    collect = ("-m", "pytest", "tests/peers", "--collect-only", "-q", "-p", "no:cacheprovider")
    found = _run(sys.executable, *collect)
    for peer in PEERS:
        assert f"::test_{peer}" in found or f"_{peer}" in found, (peer, found)


def _run(*command: str) -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"PEERS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
