"""The settings of a virtual day: the shipped simulator.toml, as the demo uses it, made cheaper."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mmbot.app.demo_config import DemoPlaces, write_config
from mmbot.app.simulate_plan import FEED_EVERY_S, DayPlan
from mmbot.app.simulate_scenes import HELD, UNTOLD
from mmbot.config import LineSelection, Settings, StrategySettings, load
from mmbot.domain.errors import SetUpError

BASE_URL: Final = "http://127.0.0.1:8460/partner"
PATIENT_EVERY_S: Final = 300.0  # so that what is lost is not soon found by a cancel
UNTOLD_EVERY_S: Final = 1000.0  # so that only a list can tell what a cancel would
QUIET_EVERY_S: Final = 1e6  # so that no quote moves on that day
DAYS: Final = Path(__file__).parent.parent / "data" / "days"
RESTLESS: Final = DAYS / "restless.py"
UNRULY: Final = DAYS / "unruly.py"
NO_TOURNAMENT: Final = 1
UNRULY_DAY: Final = "H10"


def settings_of(plan: DayPlan, folder: Path, log_level: str) -> Settings:
    path = write_config(DemoPlaces(BASE_URL, 9464, folder), plan.dialect)
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
    if plan.risk_usd:
        risk = risk.model_copy(update=_tighter(plan.risk_usd))
    sentinel = settings.sentinel.model_copy(update={"required": plan.guarded})
    changed: dict[str, Any] = {"log_level": log_level, "sources": tuple(sources)}
    changed |= {"risk": risk, "sentinel": sentinel}
    settings = settings.model_copy(update=changed)
    return settings if plan.strategy == "consensus" else _restless(settings, plan)


def _tighter(usd: Mapping[str, int]) -> dict[str, int]:
    """Loss limits by level; what is held may be as much."""
    loss = {f"{level}_loss_max_usd": most for level, most in usd.items()}
    return loss | {f"{one}_held_max_usd": usd[one] for one in ("tournament", "total")}


def _restless(settings: Settings, plan: DayPlan) -> Settings:
    """Quotes that move on a beat and look at the book alone; the feed is not even read."""
    folder = settings.state_dir / "strategies"
    try:
        folder.mkdir(exist_ok=True)
        for file in (RESTLESS, UNRULY) if UNRULY_DAY in plan.ids else (RESTLESS,):
            shutil.copy(file, folder / file.name)
    except OSError as error:
        raise SetUpError(f"{folder}: {error.strerror}") from None
    patient = plan.rng("beat").random() < plan.rules.patient_share
    params = {"every_s": PATIENT_EVERY_S} if patient else {}
    if any(one.ask in (HELD, UNTOLD) for one in plan.moments):
        params = {"every_s": UNTOLD_EVERY_S}
    if any(one.what == "quiet" for one in plan.moments):
        params = {"every_s": QUIET_EVERY_S}
    strategies = [StrategySettings(name="restless", file=RESTLESS.name, params=params)]
    if UNRULY_DAY in plan.ids:
        others = LineSelection(market_types=("moneyline", "spread"))
        strategies[0] = strategies[0].model_copy(update={"lines": others})
        its = LineSelection(market_types=("total",))
        strategies.append(StrategySettings(name="unruly", file=UNRULY.name, lines=its))
    changed = {"strategies_dir": folder, "strategies": tuple(strategies), "sources": ()}
    return settings.model_copy(update=changed)


def watching(settings: Settings, everything: bool) -> Settings:
    """Every tournament is on the watch list, or only one that is not listed."""
    tournaments = () if everything else (NO_TOURNAMENT,)
    seeding = settings.seeding.model_copy(update={"tournaments": tournaments})
    return settings.model_copy(update={"seeding": seeding})


def renamed(settings: Settings) -> Settings:
    """Every strategy under another name; where the file is ours, under another file name too."""
    strategies = []
    for one in settings.strategies:
        file = settings.strategies_path / one.file
        if file.parent.parent == settings.state_dir and file.exists():
            file = file.rename(file.with_name(f"again_{file.name}"))
        changed = {"name": f"again_{one.name}"[:40], "file": file.name}
        strategies.append(one.model_copy(update=changed))
    return settings.model_copy(update={"strategies": tuple(strategies)})
