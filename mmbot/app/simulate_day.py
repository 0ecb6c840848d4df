"""One seed = one day: quote under faults, calm down, stop, settle, and let the observer judge."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from mmbot.app.simulate_acts import HOUR_S, Stage
from mmbot.app.simulate_halts import Halts
from mmbot.app.simulate_judges import Judges
from mmbot.app.simulate_keeper import Keeper, Logbook, Ports
from mmbot.app.simulate_plan import DayPlan
from mmbot.app.simulate_report import DayReport as DayReport
from mmbot.app.simulate_settings import settings_of
from mmbot.app.simulate_story import Story
from mmbot.app.simulate_tower import Sights, Tower
from mmbot.config import Settings
from mmbot.domain.entries import Entry, FillReversed, OrderStepped, SettlementSeen
from mmbot.runtime.clock import LoopClock
from mmbot.sim.faults.cable import Cable
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
from mmbot.sim.witness.strikes import Strikes
from mmbot.sim.witness.watch import Bounds
from mmbot.store import tables
from mmbot.store.journal import read_entries

AUDIT_NS: Final = 60 * 1_000_000_000  # I2: what changed later need not be known yet
AFTER_S: Final = 1200.0  # the longest that stop and settlement may take
REAL_LIMIT_S: Final = 300.0
STEPS_PER_S_MAX: Final = 300
DIGEST_CHARS: Final = 12
OUTSIDE: Final = frozenset({"DEPOSIT", "WITHDRAW"})
MEMORY_FOLDER: Final = Path("/dev/shm")  # a virtual disk that fails as planned needs no real one

Tamper = Callable[[Ports], Ports]


def run_day(plan: DayPlan, tamper: Tamper | None = None, log_level: str = "info") -> DayReport:
    """Play the whole day under the virtual clock. `tamper` stands between daemon and wire."""
    report = DayReport(plan.seed, plan.box.latency_profile, plan.strategy)
    began_s = time.process_time()
    limits = LoopLimits(
        horizon_s=plan.rules.quoting_s + plan.rules.calm_s + AFTER_S + 2.2 * HOUR_S,
        executor_delay_s_max=plan.executor_delay_s_max,
        real_limit_s=REAL_LIMIT_S,
    )
    in_memory = MEMORY_FOLDER if os.access(MEMORY_FOLDER, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="mmbot-day-", dir=in_memory) as folder:
        settings = settings_of(plan, Path(folder), log_level)
        day = _Day(plan, settings, report, tamper)
        try:
            run_virtual(day.play, seed=plan.seed, limits=limits)
        except VirtualRunError as error:
            report.findings.append(f"I7: {type(error).__name__}: {error}")
    report.cpu_s = round(time.process_time() - began_s, 2)
    return report


class _Day:
    def __init__(
        self, plan: DayPlan, settings: Settings, report: DayReport, tamper: Tamper | None
    ) -> None:
        self._plan = plan
        self._settings = settings
        self._report = report
        self._tamper = tamper
        self._strikes = Strikes(settings.ledger.prefix)
        self._ledger_file = settings.state_dir / settings.ledger.file

    async def play(self, loop: VirtualLoop) -> None:
        plan, report = self._plan, self._report
        box = InMemoryBox(plan.box, EPOCH_NS)
        box.box.truth.keeps = False  # nobody asks this box for its diary
        clock = LoopClock(EPOCH_NS + round(plan.clock_skew_s * 1e9), loop)
        judges = Judges(plan, self._settings, self._bounds(), self._strikes, box, loop)
        watch, guard, strikes = judges.watch, judges.guard, judges.strikes
        log = Logbook(clock, self._settings.credentials.revealed, watch.told)
        wire = FaultyPorts(box.http_request, box.ws_connect, plan.faults, loop.now_ns)
        judges.attend(wire)
        async with wire:
            cable = Cable(wire.http_request, wire.ws_connect)
            ports = Ports(cable.http_request, cable.ws_connect)
            ports = ports if self._tamper is None else self._tamper(ports)
            keeper = Keeper(ports, self._settings, clock, log, plan.rng("keeper"), judges.disk)
            keeper.watched = plan.safety
            strikes.runs = lambda: keeper.daemon is not None
            watch.waits(keeper.queues)
            halts = Halts(keeper, watch, guard.forbidden, guard.lapses, box.now_ns)
            sights = Sights(box, halts, guard.lapses, plan.rng("tower"))
            tower = Tower(self._settings, sights, loop) if plan.guarded else None
            stage = Stage(box, keeper, judges, halts, cable, tower)
            story = Story(plan, stage)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(keeper.run(), name="keeper")
                    audits = group.create_task(story.audit(), name="audits")
                    if tower is not None:
                        group.create_task(tower.run(), name="tower")
                    await group.create_task(story.tell(lambda: self._judge_midway(stage)))
                    audits.cancel()
            finally:
                report.log = log.text + ("" if tower is None else tower.log)
        box.stop()
        strikes.counts.update(["H1"] * judges.disk.deaths + guard.struck())
        report.strikes = {name: n for name, n in sorted(strikes.counts.items()) if n}
        self._judge(stage, wire, story)
        self._sum_up(wire, stage, log)
        report.findings += judges.findings(self._record(box)["orders"])
        report.findings += [*story.findings, *keeper.lives.findings]
        report.findings += [] if tower is None else tower.findings
        report.findings += [f"I7: {error}" for error in log.errors]
        if keeper.lives.flat is False:
            report.findings.append("I4: the daemon ended without a proof that nothing rests")
        self._measure(loop)

    def _measure(self, loop: VirtualLoop) -> None:
        report = self._report
        report.virtual_s = round(loop.time(), 1)
        report.steps_per_s = round(loop.steps / loop.time())
        if report.steps_per_s > STEPS_PER_S_MAX:
            report.findings.append(f"I7: it spins: {report.steps_per_s} steps in a virtual second")

    def _bounds(self) -> Bounds:
        plan, risk = self._plan, self._settings.risk
        return Bounds(
            prefix=self._settings.ledger.prefix,
            line_loss_max_cents=risk.line_loss_max_cents,
            total_loss_max_cents=risk.total_loss_max_cents,
            fee_bps=plan.box.rules.fee_bps,
            secrets=self._secrets(),
            lag_ns=round(plan.box.session.reporting_lag_s * 1e9),
            on_strike_max=1 if plan.strategy == "restless" else 0,
        )

    def _secrets(self) -> dict[str, str]:
        box = self._plan.box
        return {"access_key": box.access_key, "secret_key": box.secret_key}

    # --- judging -----------------------------------------------------------------------------

    def _judge_midway(self, stage: Stage) -> None:
        """Still quoting, a minute and a half after the last fault: the sets must be equal."""
        evidence = Evidence(
            self._record(stage.box),
            stage.judges.disk.orders(),
            excused_ns=stage.box.now_ns() - AUDIT_NS - self._bounds().lag_ns,
            disputed=stage.judges.watch.in_dispute,
            prefix=self._settings.ledger.prefix,
        )
        self._report.findings += [f"midway {one}" for one in check_invariants(evidence)]

    def _judge(self, stage: Stage, wire: FaultyPorts, story: Story) -> None:
        box = stage.box
        record = self._record(box)
        entries = read_entries(self._ledger_file)
        orders = [dict(row) for row in tables.orders(entries)]
        # Where a person traded too, or a lost order came back, the judge of each step has judged.
        alone = not self._not_alone()
        # Summed over lines: where limits are tight the judge of each step knows more.
        roomy = self._plan.loss_max_usd is None and not self._plan.safety
        limit_cents = self._settings.risk.total_loss_max_cents
        evidence = Evidence(
            record,
            orders,
            worst_case_limit_cents=limit_cents if alone and roomy else None,
            stopped_ns=story.flat_ns,
            last_placement_ns=wire.last_placement_ns,
            prefix=self._settings.ledger.prefix,
            ledger_pnl_cents=tables.pnl_cents(entries),
            positions=_positions(orders),
            outputs=self._outputs(),
            secrets=self._secrets(),
        )
        report = self._report
        report.findings += check_invariants(evidence)
        seen = " ".join(report.findings)
        ours = evidence.box_orders()
        given_up = stage.judges.watch.given_up
        late = {o["external_id"] for o in ours if given_up(o["external_id"], o["created_ns"])}
        different = compare_orders(ours, orders, late)
        report.findings += [f"I2: {one}" for one in different if one not in seen]
        if duplicates(record, orders):
            report.findings.append(f"I1: {duplicates(record, orders)} duplicate orders")
        report.findings += self._judge_books(record, entries, story)
        report.orders, report.fills = len(ours), record["fills_count"]
        listing = box.box.exchange.listing
        strikes = {**listing.gone, **listing.strikes}
        report.lines = len({strikes[one["strike_id"]].line_index for one in ours})
        report.requests = record["requests"]["total"]
        report.requests_per_second_max = record["requests"]["per_second_max"]
        report.quoted_share_min = round(record["quoted_share_min"], 3)
        report.pnl_cents = record["pnl_cents"]
        witness = {"record": record, "injected": [str(one) for one in wire.injected]}
        told = msgspec.json.encode(witness, order="deterministic")
        report.digest = hashlib.sha256(told).hexdigest()[:DIGEST_CHARS]

    def _not_alone(self) -> bool:
        return bool(self._strikes.counts["A15"] or self._strikes.counts["B12"])

    def _record(self, box: InMemoryBox) -> dict[str, Any]:
        """The box's own, without the money that came from outside."""
        record: dict[str, Any] = box.box.record.summary(box.box.maker, box.now_ns())
        rows = record["transactions"]
        outside = sum(row["amount_cents"] for row in rows if row["kind"] in OUTSIDE)
        record["pnl_cents"] -= outside
        if self._not_alone():
            record["same_price_twice"] = 0
        return record

    def _judge_books(
        self, record: dict[str, Any], entries: Sequence[Entry], story: Story
    ) -> Iterator[str]:
        """What the daemon says of itself, and how its journal came to it."""
        told = story.last_status.get("pnl_cents", record["pnl_cents"])
        if told != record["pnl_cents"]:
            yield f"I6: PnL {told} cents in the status, {record['pnl_cents']} at the box"
        filled: dict[str, int] = {}
        results: dict[str, str] = {}
        digest = hashlib.sha256()
        for entry in entries:
            digest.update(b"%s %s\n" % (type(entry).__name__.encode(), canonical(entry)))
            if isinstance(entry, OrderStepped):
                before = filled.get(entry.external_id, 0)
                if entry.filled_cents < before:
                    yield f"I6: {entry.external_id}: filled {before}, later {entry.filled_cents}"
                filled[entry.external_id] = entry.filled_cents
            elif isinstance(entry, FillReversed):
                before, after = filled.get(entry.external_id, 0), entry.filled_cents
                if after + entry.reversed_cents != before:
                    yield f"I6: {entry.external_id}: filled {before}, taken back to {after}"
                filled[entry.external_id] = after
            elif isinstance(entry, SettlementSeen):
                results[entry.external_id] = entry.winning_status
        self._report.journal = digest.hexdigest()
        for order in record["orders"]:
            ours, theirs = results.get(order["external_id"]), order["winning_status"]
            if ours is not None and ours != theirs and order["filled_cents"]:
                yield f"I6: {order['external_id']}: {ours} in the ledger, {theirs} at the box"

    def _sum_up(self, wire: FaultyPorts, stage: Stage, log: Logbook) -> None:
        report, lives = self._report, stage.keeper.lives
        in_box = list(stage.box.box.faults.injected)
        drawn = Counter(str(one.fault) for one in (*wire.injected, *in_box))
        report.faults = dict(sorted(drawn.items()))
        report.moments = list(self._plan.names)
        report.struck = [f"w{one.where}" for one in wire.injected]
        report.struck += [f"b{one.where}" for one in in_box]
        report.looks, report.audits = stage.judges.watch.steps, stage.judges.watch.audits
        report.crashes, report.starts = lives.killed, lives.started
        report.failed_starts = lives.failed_starts
        report.alarms = dict(sorted(log.alarms.items()))

    def _outputs(self) -> dict[str, str]:
        """Everything that a daemon leaves behind, except the files that hold tokens."""
        found = {"log": self._report.log}
        for path in sorted(self._settings.state_dir.iterdir()):
            if path.is_file() and not path.name.endswith("session.json"):
                found[path.name] = path.read_bytes().decode("latin-1")
        return found


canonical: Final = msgspec.json.Encoder(order="deterministic").encode


def _positions(orders: list[dict[str, Any]]) -> dict[str, int]:
    held: Counter[str] = Counter()
    for order in orders:
        held[order["strike_id"]] += order["filled_cents"]
    return dict(held)
