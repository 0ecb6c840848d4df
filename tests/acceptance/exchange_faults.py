"""Faults on purpose, walked with a real box process, its control routes and its truth."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from mmbot.sim.scenario import DEMO_ACCESS_KEY, DEMO_SECRET_KEY
from tests.acceptance.doors import ROOT

ENDED_WAIT_S: Final = 10.0
LANDED_WAIT_S: Final = 20.0
# Every action of the fault table with what it needs.
ASKED: Final[dict[str, dict[str, Any]]] = {
    "place": {"price": 100, "usd": 10.0},
    "cash": {"usd": 50_000.0},
    "move_start": {"event": 2, "by_s": 1800},
    "change_status": {"event": 3, "status": "postponed"},
    "move_line": {"event": 2, "by": 21.0, "kind": "total"},
    "unlist": {"event": 3},
    "relist": {"event": 3},
    "void": {"event": 2, "line": 1},
    "push": {"event": 2, "line": 2},
    "draw": {"event": 2, "line": 1},
    "reverse": {"event": 2},
    "settle": {"event": 2},
    "go_live": {"event": 2},
    "traders": {"on": False},
    "restart": {"down_s": 0.0},
    "burst": {"messages": 100},
}
SWITCHED: Final = {"refuse_code": "event_not_available", "refuse_what": "cancel"}


class Process:
    """`mmbot exchange` as a person starts it, and a client that may steer it."""

    def __init__(self, base: dict[str, Any]) -> None:
        self.port = int(base["port"])
        self.steer = {"X-Box-Token": str(base["control_token"])}
        self.token = ""

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, str]:
        """Status 0 when the box cut the connection instead of answering."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        text = None if body is None else json.dumps(body)
        shown = {"Authorization": f"Bearer {self.token}"} | headers
        try:
            connection.request(method, path, text, shown)
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        except ConnectionError:
            return 0, ""
        finally:
            connection.close()

    def json(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        status, text = self.ask(method, path, body, **headers)
        assert status == 200, f"{path}: {status} {text[:300]}"
        return json.loads(text)

    def move(self, path: str, body: object) -> Any:
        return self.json("POST", f"/_box/{path}", body, **self.steer)

    def log_in(self) -> None:
        keys = {"access_key": DEMO_ACCESS_KEY, "secret_key": DEMO_SECRET_KEY}
        self.token = self.json("POST", "/partner/auth/login", keys)["data"]["access_token"]

    def truth(self, query: str = "") -> list[dict[str, Any]]:
        text = self.ask("GET", f"/_box/truth?limit=10000{query}")[1]
        return [json.loads(line) for line in text.splitlines()]


@contextmanager
def a_process() -> Iterator[Process]:
    command = [sys.executable, "-m", "mmbot", "exchange", "--port", "0", "--seed", "7"]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        yield Process(json.loads(child.stdout.readline()))
        child.terminate()
        assert child.wait(ENDED_WAIT_S) == 0
    finally:
        child.kill()
        child.communicate()


def walk_faults() -> None:
    with a_process() as box:
        assert box.ask("POST", "/_box/faults", {})[0] == 403  # nobody steers without the token
        box.log_in()
        late_order_lands_and_trades(box)
        every_row_can_be_made(box)
        cash_is_what_the_truth_says(box)


def late_order_lands_and_trades(box: Process) -> None:
    """A1 over real sockets: cut for its sender, and a second later an order like any other."""
    rule = {"fault": "lands_late", "rate": 1.0, "times_max": 1, "late_s": [1.0]}
    box.move("faults", [rule])
    strike = box.json("GET", "/_box/state")["lines"][0]["strikes"][0]["strike_id"]
    order = {"external_id": "late-1", "strike_id": strike, "price": 300, "quantity": 10.0}
    assert box.ask("POST", "/partner/v4/mm/submit_order", order)[0] == 0
    assert not box.json("GET", "/_box/record")["orders"]
    end_s = time.monotonic() + LANDED_WAIT_S
    while not (seen := box.json("GET", "/_box/record")["orders"]) or seen[0]["status"] != "open":
        assert time.monotonic() < end_s
    # what rests at the best price of its strike is taken by whoever comes
    box.move("do", {"action": "take"})
    done = box.json("GET", "/_box/record")["orders"][0]
    assert (done["external_id"], done["matching_status"]) == ("late-1", "fully_matched")
    assert box.json("GET", "/_box/faults")["injected_counts"] == {"lands_late": 1}


def every_row_can_be_made(box: Process) -> None:
    """Each maker of the table is taken by the running box, and all of it ends again."""
    rows = box.json("GET", "/_box/fault_table")["faults"]
    rules = box.json("GET", "/_box/rules")
    kinds = box.json("GET", "/_box/faults")["switches"]
    for maker in {maker: None for row in rows for maker in row["makers"]}:
        kind, _, name = maker.partition(":")
        if kind == "fault":
            shown = box.move("faults", [{"fault": name, "rate": 0.5, "route": "/nowhere"}])
            assert name in {rule["fault"] for rule in shown["rules"]}
        elif kind == "switch":
            usual = {bool: True, float: 1.0, str: "crossed"}[type(kinds[name])]
            value = SWITCHED.get(name, usual)
            assert box.move("faults", {name: value})["switches"][name] == value
        elif kind == "do":
            box.move("do", {"action": name} | ASKED.get(name, {}))
        elif kind == "rule":
            field = rules
            for part in name.split("."):
                field = field[part]
            box.move("rules", nested(name, field))
        ended = box.json("DELETE", "/_box/faults", **box.steer)
        assert (ended["rules"], ended["switches"]) == ([], kinds)


def nested(name: str, value: object) -> dict[str, Any]:
    found: Any = value
    for part in reversed(name.split(".")):
        found = {part: found}
    return dict(found)


def cash_is_what_the_truth_says(box: Process) -> None:
    box.move("settle", {})
    cash: Counter[str] = Counter()
    for row in box.truth():
        if row["kind"] == "account":
            cash[row["account"]] = row["cash_cents"]
        elif row["kind"] == "cash":
            cash[row["account"]] += row["amount_cents"]
    totals = box.json("GET", "/_box/truth/totals")["accounts"]
    assert {name: one["cash_cents"] for name, one in totals.items() if name} == dict(cash)
    assert cash["maker"] == box.json("GET", "/_box/record")["cash_cents_now"]
    assert box.ask("GET", "/_box/whoami")[0] == 200
