"""The box as a process of its own, and the little a test needs to move its market."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from mmbot.sim.scenario import DEMO_ACCESS_KEY, DEMO_SECRET_KEY

STOP_TIMEOUT_S: Final = 10.0
CALL_TIMEOUT_S: Final = 10.0
HEARD_TIMEOUT_S: Final = 20.0
STRIKE_ID: Final = re.compile(r'"strike_id": "([0-9a-f]{32})"')


@dataclass(slots=True)
class RunningBox:
    """Where it listens, and a session of its demo account."""

    base_url: str
    token: str = ""
    _orders: int = 0
    _config: dict[str, Any] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        raw = None if body is None else json.dumps(body).encode()
        asked = Request(self.base_url + path, raw, headers, method=method)
        with build_opener(ProxyHandler({})).open(asked, timeout=CALL_TIMEOUT_S) as answer:
            return json.load(answer)

    def log_in(self) -> None:
        keys = {"access_key": DEMO_ACCESS_KEY, "secret_key": DEMO_SECRET_KEY}
        self.token = self.call("POST", "/auth/login", keys)["data"]["access_token"]
        self._config = self.call("GET", "/websocket/connection-config")

    @property
    def key(self) -> str:
        return str(self._config["key"])

    @property
    def address(self) -> tuple[str, int]:
        found = urlsplit(f"ws://{self._config['ws_host']}")
        assert found.hostname is not None
        assert found.port is not None
        return found.hostname, found.port

    def place(self) -> str:
        """One small order far from the market; its external id."""
        events = self.call("GET", "/mm/get_sport_events")["data"]["sport_events"]
        path = f"/v4/mm/get_markets?event_id={events[0]['event_id']}"
        strikes = STRIKE_ID.findall(json.dumps(self.call("GET", path)))
        self._orders += 1
        order = {
            "external_id": f"peer-{id(self)}-{self._orders}",
            "strike_id": strikes[0],
            "price": 10_000,
            "quantity": 1.0,
        }
        self.call("POST", "/v4/mm/submit_order", order)
        return str(order["external_id"])


@contextmanager
def running_box(*arguments: str) -> Iterator[RunningBox]:
    """`mmbot exchange` on a free port, logged in."""
    command = [sys.executable, "-m", "mmbot.sim", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            box = RunningBox(ready["base_url"])
            box.log_in()
            yield box
        finally:
            process.terminate()
            process.wait(STOP_TIMEOUT_S)


class Heard:
    """What a client on another thread has heard; a test waits for it without sleeping."""

    def __init__(self) -> None:
        self.facts: list[Any] = []
        self._changed = threading.Condition()

    def add(self, fact: Any) -> None:
        with self._changed:
            self.facts.append(fact)
            self._changed.notify_all()

    def until(self, wanted: Callable[[Any], bool]) -> Any:
        """The first fact that fits; fails with all that was heard instead."""
        with self._changed:
            there = self._changed.wait_for(
                lambda: any(map(wanted, self.facts)), timeout=HEARD_TIMEOUT_S
            )
            assert there, f"not heard within {HEARD_TIMEOUT_S} s: {self.facts[-20:]}"
            return next(filter(wanted, self.facts))
