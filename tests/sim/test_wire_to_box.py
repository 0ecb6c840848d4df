"""The box, the bad wire, the virtual clock and the judge together, with a client of a few lines."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from mmbot.sim.faults.faulty_ports import FaultyPorts
from mmbot.sim.faults.plan import Fault, FaultPlan, FaultRule
from mmbot.sim.memory import InMemoryBox
from mmbot.sim.scenario import BoxOptions
from mmbot.sim.virtual.loop import VirtualLoop, run_virtual
from mmbot.sim.witness.observer import Evidence, check_invariants, compare_orders, duplicates

KEYS = {"access_key": "access-of-the-test", "secret_key": "secret-of-the-test"}
BAD_WIRE = tuple(
    FaultRule(fault, 0.15, on=frozenset({"place"}))
    for fault in (
        Fault.REPLY_RESET, Fault.REQUEST_RESET, Fault.ERROR_AFTER, Fault.HTML_BEFORE,
        Fault.TRUNCATED,
    )
)  # fmt: skip


class Client:
    """Writes down the intent, sends it with the same id until an answer proves something."""

    def __init__(self, ports: FaultyPorts, ledger: dict[str, dict[str, Any]]) -> None:
        self.ports = ports
        self.ledger = ledger
        self.token = ""

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        content = b"" if body is None else json.dumps(body).encode()
        status, _, reply = await self.ports.http_request(
            method, f"/partner{path}", headers, content
        )
        return status, json.loads(reply)

    async def log_in(self) -> None:
        _, reply = await self.ask("POST", "/auth/login", KEYS)
        self.token = reply["data"]["access_token"]

    async def strikes(self) -> list[str]:
        _, reply = await self.ask("GET", "/mm/get_sport_events")
        ids = ",".join(str(event["event_id"]) for event in reply["data"]["sport_events"])
        _, reply = await self.ask("GET", f"/v4/mm/get_multiple_markets?event_ids={ids}")
        found: set[str] = set()
        _walk(reply["data"], found)
        return sorted(found)

    async def place(self, external_id: str, strike_id: str) -> None:
        body = {
            "external_id": external_id, "strike_id": strike_id, "price": 200, "quantity": 1.0,
            "order_strategy": "ALO",
        }  # fmt: skip
        self.ledger[external_id] = {
            "external_id": external_id, "order_id": "", "strike_id": strike_id, "price": 200,
            "quantity_cents": 100, "filled_cents": 0, "state": "IN_DOUBT",
        }  # fmt: skip
        while self.ledger[external_id]["state"] == "IN_DOUBT":
            await asyncio.sleep(0.3)
            try:
                status, reply = await self.ask("POST", "/v4/mm/submit_order", body)
            except (ConnectionResetError, ValueError):
                continue
            landed = status == 200 or reply["error"] == "order_external_id_existed"
            if landed:
                self.ledger[external_id]["state"] = "OPEN"


def _walk(node: Any, found: set[str]) -> None:
    if isinstance(node, dict):
        if "strike_id" in node:
            found.add(node["strike_id"])
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            _walk(part, found)


def trade(seed: int) -> tuple[dict[str, Any], list[dict[str, Any]], list[str]]:
    """(the box's record, the client's ledger, the faults) after 30 orders over a bad wire."""

    async def main(
        loop: VirtualLoop,
    ) -> tuple[dict[str, Any], list[dict[str, Any]], list[str]]:
        options = BoxOptions(
            seed=seed, access_key=KEYS["access_key"], secret_key=KEYS["secret_key"]
        )
        box = InMemoryBox(options)
        ledger: dict[str, dict[str, Any]] = {}
        plan = FaultPlan(seed, BAD_WIRE)
        async with FaultyPorts(box.http_request, box.ws_connect, plan, loop.now_ns) as ports:
            client = Client(ports, ledger)
            await client.log_in()
            strikes = await client.strikes()
            for n in range(30):
                await client.place(f"mm-{n}", strikes[2 * n % len(strikes)])
            path = f"/_box/record?account={KEYS['access_key']}"
            _, _, record = await ports.http_request("GET", path, {}, b"")
        box.stop()
        return json.loads(record), list(ledger.values()), [str(one) for one in ports.injected]

    return run_virtual(main, seed=seed)


# faults: A1 A3
def test_the_same_id_until_there_is_proof_makes_one_order_of_each_intent() -> None:
    record, ledger, injected = trade(seed=3)
    alive = {order["external_id"] for order in record["orders"] if order["open_cents"]}
    assert len(injected) > 15
    assert len(record["orders"]) == 30
    known = [order for order in ledger if order["external_id"] in alive]
    open_ones = [order for order in record["orders"] if order["external_id"] in alive]
    for order in open_ones:
        order["filled_cents"] = 0  # this client reads no fills
    assert compare_orders(open_ones, known) == []
    assert [text for text in check_invariants(Evidence(record, ledger)) if "intent" in text] == []
    assert duplicates(record | {"same_price_twice": 0}, ledger) == 0


def test_a_seed_gives_the_same_record_to_the_last_nanosecond() -> None:
    first, again, other = trade(seed=5), trade(seed=5), trade(seed=6)
    assert first == again
    assert first[2] != other[2]
