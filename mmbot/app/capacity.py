"""What a configuration can quote: the real daemon against the box, under the virtual clock."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import statistics
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import structlog
from pydantic import SecretStr

from mmbot.app.daemon import Daemon
from mmbot.app.limit_rows import shown
from mmbot.app.world import World
from mmbot.app.writer import Done
from mmbot.config import OddsApiSource, Settings, load
from mmbot.domain.entries import Entry
from mmbot.domain.errors import SetUpError
from mmbot.engine.limit_use import uses
from mmbot.exchange.http import InMemoryHttp
from mmbot.exchange.ws import InMemoryWs
from mmbot.ops.metrics import Metrics
from mmbot.ops.notify import Notifier
from mmbot.runtime.clock import LoopClock
from mmbot.sim.memory import InMemoryBox
from mmbot.sim.scenario import BoxOptions, ScenarioError, find_scenario, load_scenario
from mmbot.sim.virtual.loop import EPOCH_NS, LoopLimits, VirtualLoop, run_virtual
from mmbot.store.journal import Journal

BASE_URL: Final = "http://127.0.0.1:8460/partner"
LEAST_CENTS: Final = 2_500  # on each side, for a line to count as quoted
VENUE_MULTIPLE: Final = 10  # resting stake beyond so many times the cash is voided (contract 3)
CLOSES_S_MAX: Final = 300.0
RUN: Final = "capacity0000"
SILENT: Final = structlog.make_filtering_bound_logger(logging.CRITICAL)


def measure(config: Path, scenario: Path, seconds: float) -> dict[str, Any]:
    """Quote the scenario for so long, in virtual time, with the capital of [risk] as cash.

    Plain data; money in cents. Raises SetUpError for a configuration or scenario that is wrong.
    """
    keys = {"MMBOT_ACCESS_KEY": "unused-key", "MMBOT_SECRET_KEY": "unused-secret"}
    settings = load(config, keys)
    if not any(isinstance(one, OddsApiSource) for one in settings.sources):
        raise SetUpError(f"{config}: [[sources]] has no odds_api, and the box serves no other")
    options = dataclasses.replace(_options(scenario), cash_usd=int(settings.risk.capital_usd))
    with tempfile.TemporaryDirectory(prefix="mmbot-capacity-") as folder:
        stay = _Stay(_in_the_box(settings, options, Path(folder)), options)
        limits = LoopLimits(horizon_s=seconds + CLOSES_S_MAX)
        found = run_virtual(lambda loop: stay.play(loop, seconds), seed=options.seed, limits=limits)
    return {"config": str(config), "scenario": str(scenario), "after_s": seconds, **found}


def _options(scenario: Path) -> BoxOptions:
    try:
        return load_scenario(find_scenario(scenario), BoxOptions())
    except ScenarioError as error:
        raise SetUpError(str(error)) from None


def _in_the_box(settings: Settings, options: BoxOptions, folder: Path) -> Settings:
    """The same limits and strategies; only where the exchange and the prices are is different."""
    feed = BASE_URL.replace("/partner", "/_feed/odds")
    keys = {"access_key": options.access_key, "secret_key": options.secret_key}
    credentials = settings.credentials.model_copy(
        update={name: SecretStr(key) for name, key in keys.items()}
    )
    return settings.model_copy(
        update={
            "environment": "simulator",
            "run_mode": "live",
            "state_dir": folder,
            "credentials": credentials,
            "exchange": settings.exchange.model_copy(
                update={"base_url": BASE_URL, "dialect": "v4", "profile": None}
            ),
            "sources": tuple(
                one.model_copy(update={"url": feed})
                for one in settings.sources
                if isinstance(one, OddsApiSource)
            ),
        }
    )


class _Stay:
    """A daemon that quotes in a box for a while, and what rests there at the end."""

    def __init__(self, settings: Settings, options: BoxOptions) -> None:
        self._settings = settings
        self._options = options

    async def play(self, loop: VirtualLoop, seconds: float) -> dict[str, Any]:
        box = InMemoryBox(self._options, EPOCH_NS)
        journal = Journal.open(self._settings.state_dir / self._settings.ledger.file)
        try:
            daemon = Daemon(self._settings, _world(box, journal, loop), Metrics())
            await daemon.start()
            async with asyncio.TaskGroup() as group:
                group.create_task(daemon.run(Notifier()), name="daemon")
                await asyncio.sleep(seconds)
                found = self._found(box, daemon, loop.now_ns())
                daemon.stop()
            return found
        finally:
            box.stop()
            journal.close()

    def _found(self, box: InMemoryBox, daemon: Daemon, now_ns: int) -> dict[str, Any]:
        record: Any = box.box.record.summary(box.box.maker, box.now_ns())
        rests = _resting(record["orders"])
        parts = daemon.engine.parts
        lines = [line for line in parts.state.lines.values() if not line.is_prop]
        sides = [tuple(rests[strike.strike_id] for strike in line.strikes) for line in lines]
        quoted = sum(min(side) >= LEAST_CENTS for side in sides)
        stakes = sorted(cents for side in sides for cents in side)
        unmatched, loss = sum(rests.values()), parts.ledger.portfolio.total
        cash = int(parts.housekeeping.cash_cents or 0)
        rows = shown(uses(parts, now_ns))
        nearest = max(rows, key=lambda row: (row["refused"], row["share"]))
        return {
            "latency": self._options.latency_profile,
            "cash_cents": cash,
            "lines": len(lines),
            "lines_quoted": quoted,
            "least_cents": LEAST_CENTS,
            "share": round(quoted / len(lines), 4) if lines else 0.0,
            "strikes": len(stakes),
            "strikes_quoted": sum(cents > 0 for cents in stakes),
            "resting_per_strike_cents": {
                "least": stakes[0] if stakes else 0,
                "median": round(statistics.median(stakes)) if stakes else 0,
                "most": stakes[-1] if stakes else 0,
            },
            "binding": nearest,
            "limits": rows,
            "unmatched_cents": unmatched,
            "allowance_cents": VENUE_MULTIPLE * cash,
            "allowance_share": round(unmatched / (VENUE_MULTIPLE * cash), 4) if cash else 0.0,
            "worst_case_cents": loss.everything_cents,
            "worst_case_by_line_cents": record["worst_case_cents"],
            "held_cents": loss.held_cents,
        }


def _resting(orders: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """Stake that rests, per strike, by the box's own record."""
    found: Counter[str] = Counter()
    for order in orders:
        found[order["strike_id"]] += order["open_cents"]
    return found


def _world(box: InMemoryBox, journal: Journal, loop: VirtualLoop) -> World:
    def commit(entries: Sequence[Entry], done: Done, urgent: bool) -> None:
        journal.append(entries)
        loop.call_soon(done, None)

    async def ask(
        method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        return await box.http_request(method, f"/{url.split('/', 3)[3]}", headers, body)

    return World(
        clock=LoopClock(EPOCH_NS, loop),
        http=InMemoryHttp(box.http_request),
        websockets=InMemoryWs(box.ws_connect),
        source_http=ask,
        rng=Random(RUN),
        run=RUN,
        journal=journal,
        commit=commit,
        logger=structlog.wrap_logger(structlog.PrintLogger(), wrapper_class=SILENT),
        live=False,
    )
