"""How many orders a second the box takes over real sockets, in batches of 20, on one core.

    python -m tests.bench.box_http [--seconds 10] [--accounts 4] [--json]

Each account places its batches one after the other on one kept connection and cancels everything
now and then. The market of the box lives meanwhile. The exchange's own limit of 50 requests per
second and account is switched off: this measures the box, not the rule. Exit 1 below the claim.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.bench.figures import quantile

CLAIM_PER_S: Final = 1_500
ORDERS_PER_BATCH: Final = 20
CANCEL_EVERY_BATCHES: Final = 10
READY_TIMEOUT_S: Final = 30.0
FAR_PRICE: Final = 10_000  # nobody takes it: orders rest until they are cancelled


@dataclass(frozen=True, slots=True)
class Outcome:
    seconds: float
    orders: int
    refused: int
    orders_per_s: float
    batch_ms_p50: float
    batch_ms_p99: float
    box_cpu_share: float
    orders_per_cpu_s: float
    latency_profile: str = "loopback"

    @property
    def held(self) -> bool:
        return self.orders_per_s >= CLAIM_PER_S and self.refused == 0


@dataclass(slots=True)
class Worker:
    """One account on one connection."""

    name: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    token: str = ""
    orders: int = 0
    refused: int = 0
    batch_ms: list[float] = field(default_factory=list)

    async def call(self, method: str, path: str, body: object = None) -> Any:
        raw = b"" if body is None else json.dumps(body).encode()
        head = f"{method} /partner{path} HTTP/1.1\r\nHost: box\r\nContent-Length: {len(raw)}\r\n"
        if self.token:
            head += f"Authorization: Bearer {self.token}\r\n"
        self.writer.write(head.encode() + b"\r\n" + raw)
        top = await self.reader.readuntil(b"\r\n\r\n")
        length = int(top.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        return json.loads(await self.reader.readexactly(length))

    async def log_in(self, access_key: str, secret_key: str) -> None:
        keys = {"access_key": access_key, "secret_key": secret_key}
        self.token = (await self.call("POST", "/auth/login", keys))["data"]["access_token"]

    async def place(self, strikes: list[str], until: float) -> None:
        """Batches without a pause; everything that rests is cancelled now and then."""
        batches = 0
        while time.monotonic() < until:
            batches += 1
            orders = [
                {
                    "external_id": f"{self.name}-{batches}-{number}",
                    "strike_id": strikes[number % len(strikes)],
                    "price": FAR_PRICE,
                    "quantity": 1.0,
                }
                for number in range(ORDERS_PER_BATCH)
            ]
            began = time.perf_counter()
            answer = await self.call("POST", "/v4/mm/submit_multiple_orders", {"data": orders})
            self.batch_ms.append((time.perf_counter() - began) * 1000)
            self.orders += len(answer["data"]["succeed_orders"])
            self.refused += len(answer["data"]["failed_orders"])
            if batches % CANCEL_EVERY_BATCHES == 0:
                await self.call("POST", "/v4/mm/cancel_all_orders", {})


def scenario(accounts: int) -> str:
    """The rules of the box that is measured."""
    tables = [
        f'[[accounts]]\nname = "b{n}"\naccess_key = "bench-{n}"\nsecret_key = "bench-secret-{n}"'
        for n in range(accounts)
    ]
    session = "[session]\nrequests_per_second_max = 1_000_000"
    return "\n\n".join(['latency_profile = "loopback"', session, *tables]) + "\n"


async def run(seconds: float, accounts: int) -> Outcome:
    """Start a box as a process on one core, load it, and count."""
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder) / "bench.toml"
        rules.write_text(scenario(accounts), encoding="utf-8")
        box = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "mmbot.sim", "--port", "0", "--scenario", str(rules)),
            stdout=asyncio.subprocess.PIPE,
        )
        assert box.stdout is not None
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                ready = json.loads(await box.stdout.readline())
            _to_cores_of_their_own(box.pid)
            return await _measured(ready["port"], seconds, accounts, box.pid)
        finally:
            box.terminate()
            await box.wait()


async def _measured(port: int, seconds: float, accounts: int, pid: int) -> Outcome:
    workers = []
    for number in range(accounts):
        worker = Worker(f"b{number}", *await asyncio.open_connection("127.0.0.1", port))
        await worker.log_in(f"bench-{number}", f"bench-secret-{number}")
        workers.append(worker)
    events = (await workers[0].call("GET", "/mm/get_sport_events"))["data"]["sport_events"]
    path = f"/v4/mm/get_markets?event_id={events[0]['event_id']}"
    strikes = _strikes(await workers[0].call("GET", path))
    cpu, began = _cpu_s(pid), time.monotonic()
    async with asyncio.TaskGroup() as group:
        for worker in workers:
            group.create_task(worker.place(strikes, began + seconds))
    lasted, used = time.monotonic() - began, _cpu_s(pid) - cpu
    for worker in workers:
        worker.writer.close()
    orders = sum(worker.orders for worker in workers)
    batch_ms = [one for worker in workers for one in worker.batch_ms]
    return Outcome(
        seconds=round(lasted, 2),
        orders=orders,
        refused=sum(worker.refused for worker in workers),
        orders_per_s=round(orders / lasted),
        batch_ms_p50=round(quantile(batch_ms, 0.5), 2),
        batch_ms_p99=round(quantile(batch_ms, 0.99), 2),
        box_cpu_share=round(used / lasted, 2),
        orders_per_cpu_s=round(orders / used) if used else 0.0,
    )


def _strikes(answer: Any) -> list[str]:
    """The strikes of side 0 of every line: two sides at that price would not cross either."""
    found: list[str] = []
    rest = [answer]
    while rest:
        one = rest.pop()
        if isinstance(one, dict):
            if "strike_id" in one:
                found.append(one["strike_id"])
            rest.extend(one.values())
        elif isinstance(one, list):
            rest.extend(one)
    return list(dict.fromkeys(found))


def _to_cores_of_their_own(pid: int) -> None:
    """The box on one core, the load on the others, where the machine has them."""
    if not hasattr(os, "sched_setaffinity"):
        return
    first, *others = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(pid, {first})
    if others:
        os.sched_setaffinity(0, set(others))


def _cpu_s(pid: int) -> float:
    """Processor time of a process; nothing where the system has no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(argv: list[str] | None = None) -> int:
    """0 when the claim holds."""
    parser = argparse.ArgumentParser(prog="box_http", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--accounts", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(argv)
    outcome = asyncio.run(run(given.seconds, given.accounts))
    if given.json:
        print(json.dumps(asdict(outcome) | {"claim": CLAIM_PER_S, "held": outcome.held}))
    else:
        print(
            f"{outcome.orders_per_s} orders/s over HTTP in batches of {ORDERS_PER_BATCH} "
            f"({outcome.orders} in {outcome.seconds} s, {outcome.refused} refused; "
            f"latency profile {outcome.latency_profile}); batch p50 {outcome.batch_ms_p50} ms, "
            f"p99 {outcome.batch_ms_p99} ms; box {outcome.box_cpu_share:.0%} of one core, "
            f"{outcome.orders_per_cpu_s} orders per second of processor time"
        )
        if not outcome.held:
            print(f"not held: at least {CLAIM_PER_S} orders/s, none refused", file=sys.stderr)
    return 0 if outcome.held else 1


if __name__ == "__main__":
    sys.exit(main())
