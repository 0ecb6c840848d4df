"""A real box and a real daemon as processes on loopback, steered from a test."""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from mmbot.app.demo_config import to_toml
from mmbot.sim.scenario import DEMO_ACCESS_KEY, DEMO_SECRET_KEY
from mmbot.store.journal import export_orders
from mmbot.store.tables import OrderRow

REPOSITORY: Final = Path(__file__).resolve().parents[2]
READY_WAIT_S: Final = 30.0
LOOK_S: Final = 0.05
# Waits are written as an idle machine needs them; how soon is not what a walk claims, so one that
# has much else to do may take longer.
PATIENCE: Final = 3.0
OPEN_STATES: Final = frozenset({"INTENDED", "IN_DOUBT", "OPEN", "CANCELLING"})
Json = dict[str, Any]


def ask(port: int, method: str, path: str, body: object = None, token: str = "") -> tuple[int, str]:
    """One request to a process of ours; (status, text)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        text = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json", "X-Box-Token": token}
        connection.request(method, path, text, headers)
        reply = connection.getresponse()
        return reply.status, reply.read().decode()
    finally:
        connection.close()


def until(true: Callable[[], object], wait_max_s: float, what: str) -> None:
    """Look until it is so; there is no event to wait for in another process."""
    end_s = time.monotonic() + wait_max_s * PATIENCE
    while not true():
        assert time.monotonic() < end_s, f"not within {wait_max_s * PATIENCE:g} s: {what}"
        select.select([], [], [], LOOK_S)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Box:
    """The exchange in the box; `again` replaces it by a new one on the same port."""

    def __init__(self, *more: str, port: int = 0) -> None:
        self._more = more
        self.port = self._start(port)

    def _start(self, port: int) -> int:
        command = [sys.executable, "-m", "mmbot.sim", "--port", str(port), "--seed", "7"]
        self.process = subprocess.Popen(
            [*command, *self._more], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        ready = json.loads(self.process.stdout.readline())
        self._token = str(ready["control_token"])
        return int(ready["port"])

    def again(self) -> None:
        self.kill()
        self._start(self.port)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def get(self, name: str) -> Json:
        return dict(json.loads(ask(self.port, "GET", f"/_box/{name}")[1]))

    def post(self, name: str, **body: object) -> Json:
        status, text = ask(self.port, "POST", f"/_box/{name}", body, self._token)
        assert status == 200, text
        return dict(json.loads(text))

    def faults(self, *rules: Json) -> None:
        """These rules from now on, and no others."""
        method, body = ("POST", rules) if rules else ("DELETE", None)
        status, text = ask(self.port, method, "/_box/faults", body, self._token)
        assert status == 200, text

    @property
    def record(self) -> Json:
        return self.get("record")

    def truth(self, account: str, kind: str) -> list[Json]:
        """Its diary of one account and kind, from the beginning."""
        found: list[Json] = []
        while True:
            since = found[-1]["n"] if found else 0
            asked = f"/_box/truth?since={since}&account={account}&kind={kind}&limit=10000"
            lines = ask(self.port, "GET", asked)[1].splitlines()
            if not lines:
                return found
            found += [json.loads(line) for line in lines]

    @property
    def open_orders(self) -> int:
        return int(self.record["open_orders_now"])


class Daemon:
    """`mmbot run` in a folder of its own; `settings` may be changed before `start`."""

    def __init__(self, folder: Path, box_port: int) -> None:
        self.folder = folder
        self.admin_port = free_port()
        self.state_dir = folder / "state"
        self.log = folder / "daemon.log"
        self.environ = dict(os.environ) | {
            "MMBOT_ACCESS_KEY": DEMO_ACCESS_KEY,
            "MMBOT_SECRET_KEY": DEMO_SECRET_KEY,
        }
        self._box_port = box_port
        self.settings = self._settings(box_port)
        self.process: subprocess.Popen[bytes] | None = None

    def _settings(self, box_port: int) -> Json:
        text = (REPOSITORY / "config" / "simulator.toml").read_text(encoding="utf-8")
        settings = tomllib.loads(text)
        settings["state_dir"] = str(self.state_dir)
        settings["strategies_dir"] = str(REPOSITORY / "strategies")
        settings["exchange"]["base_url"] = f"http://127.0.0.1:{box_port}/partner"
        settings["admin"]["port"] = self.admin_port
        settings["sources"][0]["url"] = f"http://127.0.0.1:{box_port}/_feed/odds"
        return settings

    @property
    def config(self) -> Path:
        path = self.folder / "mmbot.toml"
        path.write_text(to_toml(self.settings), encoding="utf-8")
        return path

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "mmbot", "run", "--config", str(self.config)]

    def start(self) -> None:
        with self.log.open("ab") as sink:
            self.process = subprocess.Popen(
                self.command, cwd=REPOSITORY, env=self.environ, stdout=sink, stderr=sink
            )

    def refused(self, wait_max_s: float = 20.0) -> tuple[int, str]:
        """Start it where it cannot run; (exit code, what it said)."""
        done = subprocess.run(
            self.command, cwd=REPOSITORY, env=self.environ, capture_output=True, text=True,
            timeout=wait_max_s * PATIENCE, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self, wait_max_s: float) -> int:
        assert self.process is not None
        return self.process.wait(timeout=wait_max_s * PATIENCE)

    def stop(self, wait_max_s: float = 20.0) -> int:
        self.signal(signal.SIGTERM)
        return self.wait(wait_max_s)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def ask(self, path: str, method: str = "GET", body: object = None) -> tuple[int, str]:
        """(0, "") while it does not listen."""
        try:
            return ask(self.admin_port, method, path, body)
        except OSError:
            return 0, ""

    @property
    def status(self) -> Json:
        """Empty while it does not listen."""
        code, text = self.ask("/status")
        return dict(json.loads(text)) if code == 200 else {}

    @property
    def ledger(self) -> list[OrderRow]:
        return export_orders(self.state_dir / "ledger.sqlite3")

    def until_quoting(self, orders: int = 10, wait_max_s: float = READY_WAIT_S) -> None:
        """Until the exchange holds that many orders and the daemon is ready for more."""

        def quoting() -> bool:
            assert self.running, self.said[-2000:]
            record = json.loads(ask(self._box_port, "GET", "/_box/record")[1])
            return record["open_orders_now"] >= orders and self.ask("/readyz")[0] == 200

        until(quoting, wait_max_s, f"{orders} orders open")


@contextmanager
def box(*more: str) -> Iterator[Box]:
    made = Box(*more)
    try:
        yield made
    finally:
        made.kill()


@contextmanager
def daemon(folder: Path, box_port: int) -> Iterator[Daemon]:
    made = Daemon(folder, box_port)
    try:
        yield made
    finally:
        made.kill()


def one_line(said: str) -> str:
    """The last line; fails when a traceback or more than one line of complaint was shown."""
    assert "Traceback" not in said, said
    complaints = [line for line in said.splitlines() if line.startswith("mmbot: ")]
    assert len(complaints) == 1, said
    assert not re.search(r"demo-(access|secret)-key", said)
    return complaints[0]
