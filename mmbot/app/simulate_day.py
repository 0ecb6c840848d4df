"""One seed = one day: quote under faults, calm down, stop, settle, and let the observer judge."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from mmbot.app.demo_config import DemoPlaces, write_config
from mmbot.app.simulate_keeper import Keeper, Logbook, Ports
from mmbot.app.simulate_plan import FEED_EVERY_S, DayPlan
from mmbot.app.simulate_story import Story
from mmbot.config import Settings, load
from mmbot.domain.entries import OrderStepped
from mmbot.runtime.clock import LoopClock
from mmbot.sim.faults.faulty_ports import FaultyPorts
from mmbot.sim.memory import InMemoryBox
from mmbot.sim.virtual.loop import (
    EPOCH_NS,
    LoopLimits,
    VirtualLoop,
    VirtualRunError,
    run_virtual,
)
from mmbot.sim.witness.observer import Evidence, check_invariants, compare_orders, duplicates
from mmbot.store.journal import Journal, export_orders, pnl_cents

BASE_URL: Final = "http://127.0.0.1:8460/partner"
AUDIT_NS: Final = 60 * 1_000_000_000  # I2: what changed later need not be known yet
AFTER_S: Final = 1200.0  # the longest that stop and settlement may take
REAL_LIMIT_S: Final = 300.0
STEPS_PER_S_MAX: Final = 300
DIGEST_CHARS: Final = 12
MEMORY_FOLDER: Final = Path("/dev/shm")  # a virtual disk that fails as planned needs no real one

Tamper = Callable[[Ports], Ports]


@dataclass(slots=True)
class DayReport:
    """What came out of one seed; no `findings` means that every invariant held."""

    seed: int
    latency: str
    virtual_s: float = 0.0
    orders: int = 0
    fills: int = 0
    requests: int = 0
    requests_per_second_max: int = 0
    steps_per_s: int = 0  # turns of the event loop, box included
    quoted_share_min: float = 0.0
    pnl_cents: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    crashes: int = 0
    starts: int = 0
    failed_starts: int = 0
    alarms: dict[str, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    digest: str = ""  # of the box's whole record
    cpu_s: float = 0.0
    log: str = field(default="", repr=False)

    @property
    def good(self) -> bool:
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        table = asdict(self)
        del table["log"]
        return table


def run_day(plan: DayPlan, tamper: Tamper | None = None, log_level: str = "info") -> DayReport:
    """Play the whole day under the virtual clock. `tamper` stands between daemon and wire."""
    report = DayReport(plan.seed, plan.box.latency_profile)
    began_s = time.process_time()
    limits = LoopLimits(
        horizon_s=plan.rules.quoting_s + plan.rules.calm_s + AFTER_S,
        executor_delay_s_max=plan.executor_delay_s_max,
        real_limit_s=REAL_LIMIT_S,
    )
    in_memory = MEMORY_FOLDER if os.access(MEMORY_FOLDER, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="mmbot-day-", dir=in_memory) as folder:
        settings = _settings(plan, Path(folder), log_level)
        day = _Day(plan, settings, report, tamper)
        try:
            run_virtual(day.play, seed=plan.seed, limits=limits)
        except VirtualRunError as error:
            report.findings.append(f"I7: {type(error).__name__}: {error}")
    report.cpu_s = round(time.process_time() - began_s, 2)
    return report


def _settings(plan: DayPlan, folder: Path, log_level: str) -> Settings:
    """The shipped simulator.toml, as the demo uses it."""
    path = write_config(DemoPlaces(BASE_URL, 9464, folder))
    secrets = {
        "MMBOT_ACCESS_KEY": plan.box.access_key,
        "MMBOT_SECRET_KEY": plan.box.secret_key,
    }
    settings = load(path, secrets)
    sources = [one.model_copy(update={"poll_s": FEED_EVERY_S}) for one in settings.sources]
    risk = settings.risk
    if plan.loss_max_usd is not None:
        line_usd, total_usd = plan.loss_max_usd
        loss = {"line_loss_max_usd": line_usd, "total_loss_max_usd": total_usd}
        risk = risk.model_copy(update=loss)
    changed = {"log_level": log_level, "sources": tuple(sources), "risk": risk}
    return settings.model_copy(update=changed)


class _Day:
    def __init__(
        self, plan: DayPlan, settings: Settings, report: DayReport, tamper: Tamper | None
    ) -> None:
        self._plan = plan
        self._settings = settings
        self._report = report
        self._tamper = tamper
        self._ledger_file = settings.state_dir / settings.ledger.file

    async def play(self, loop: VirtualLoop) -> None:
        plan, report = self._plan, self._report
        box = InMemoryBox(plan.box, EPOCH_NS)
        clock = LoopClock(EPOCH_NS + round(plan.clock_skew_s * 1e9), loop)
        log = Logbook(clock, self._settings.credentials.revealed)
        wire = FaultyPorts(box.http_request, box.ws_connect, plan.faults, loop.now_ns)
        async with wire:
            ports = Ports(wire.http_request, wire.ws_connect)
            ports = ports if self._tamper is None else self._tamper(ports)
            keeper = Keeper(ports, self._settings, clock, log, plan.rng("keeper"))
            story = Story(plan, box, keeper, lambda: wire.last_placement_ns)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(keeper.run(), name="keeper")
                    group.create_task(story.tell(lambda: self._judge_midway(box)), name="story")
            finally:
                report.log = log.text
        box.stop()
        self._judge(box, wire, story)
        self._sum_up(wire, keeper, log)
        report.findings += story.findings + keeper.lives.findings
        report.findings += [f"I7: {error}" for error in log.errors]
        if keeper.lives.flat is False:
            report.findings.append("I4: the daemon ended without a proof that nothing rests")
        report.virtual_s = round(loop.time(), 1)
        report.steps_per_s = round(loop.steps / loop.time())
        if report.steps_per_s > STEPS_PER_S_MAX:
            report.findings.append(f"I7: it spins: {report.steps_per_s} steps in a virtual second")

    # --- judging -----------------------------------------------------------------------------

    def _judge_midway(self, box: InMemoryBox) -> None:
        """Still quoting, a minute and a half after the last fault: the sets must be equal."""
        record = box.box.record.summary(box.box.maker, box.now_ns())
        evidence = Evidence(record, self._orders(), excused_ns=box.now_ns() - AUDIT_NS)
        self._report.findings += [f"midway {one}" for one in check_invariants(evidence)]

    def _judge(self, box: InMemoryBox, wire: FaultyPorts, story: Story) -> None:
        record: dict[str, Any] = box.box.record.summary(box.box.maker, box.now_ns())
        orders = self._orders()
        evidence = Evidence(
            record,
            orders,
            worst_case_limit_cents=self._settings.risk.total_loss_max_cents,
            stopped_ns=story.flat_ns,
            last_placement_ns=wire.last_placement_ns,
            prefix=self._settings.ledger.prefix,
            ledger_pnl_cents=pnl_cents(self._ledger_file),
            positions=_positions(orders),
            outputs=self._outputs(),
            secrets={
                "access_key": self._plan.box.access_key,
                "secret_key": self._plan.box.secret_key,
            },
        )
        report = self._report
        report.findings += check_invariants(evidence)
        seen = " ".join(report.findings)
        report.findings += [
            f"I2: {one}" for one in compare_orders(record["orders"], orders) if one not in seen
        ]
        if duplicates(record, orders):
            report.findings.append(f"I1: {duplicates(record, orders)} duplicate orders")
        report.findings += self._judge_books(record, story)
        report.orders, report.fills = record["orders_placed"], record["fills_count"]
        report.requests = record["requests"]["total"]
        report.requests_per_second_max = record["requests"]["per_second_max"]
        report.quoted_share_min = round(record["quoted_share_min"], 3)
        report.pnl_cents = record["pnl_cents"]
        witness = {"record": record, "injected": [str(one) for one in wire.injected]}
        told = msgspec.json.encode(witness, order="deterministic")
        report.digest = hashlib.sha256(told).hexdigest()[:DIGEST_CHARS]

    def _judge_books(self, record: dict[str, Any], story: Story) -> Iterator[str]:
        """What the daemon says of itself, and how its journal came to it."""
        told = story.last_status.get("pnl_cents", record["pnl_cents"])
        if told != record["pnl_cents"]:
            yield f"I6: PnL {told} cents in the status, {record['pnl_cents']} at the box"
        filled: dict[str, int] = {}
        journal = Journal.open(self._ledger_file)
        for entry in journal.replay():
            if isinstance(entry, OrderStepped):
                before = filled.get(entry.external_id, 0)
                if entry.filled_cents < before:
                    yield f"I6: {entry.external_id}: filled {before}, later {entry.filled_cents}"
                filled[entry.external_id] = entry.filled_cents
        journal.close()

    def _sum_up(self, wire: FaultyPorts, keeper: Keeper, log: Logbook) -> None:
        report, lives = self._report, keeper.lives
        report.faults = dict(sorted(Counter(str(one.fault) for one in wire.injected).items()))
        report.crashes, report.starts = lives.killed, lives.started
        report.failed_starts = lives.failed_starts
        report.alarms = dict(sorted(log.alarms.items()))

    def _orders(self) -> list[dict[str, Any]]:
        return [dict(row) for row in export_orders(self._ledger_file)]

    def _outputs(self) -> dict[str, str]:
        """Everything that a daemon leaves behind, except the file that holds its tokens."""
        found = {"log": self._report.log}
        for path in sorted(self._settings.state_dir.iterdir()):
            if path.is_file() and path.name != "session.json":
                found[path.name] = path.read_bytes().decode("latin-1")
        return found


def _positions(orders: list[dict[str, Any]]) -> dict[str, int]:
    held: Counter[str] = Counter()
    for order in orders:
        held[order["strike_id"]] += order["filled_cents"]
    return dict(held)
