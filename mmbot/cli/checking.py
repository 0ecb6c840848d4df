"""What `mmbot check` and `mmbot strategies` look at; nothing is started and nothing is sent."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from mmbot.app.first_contact import quantity_min_cents
from mmbot.app.quarantine import Quarantine
from mmbot.app.strategies import enabled
from mmbot.config import ConfigError, Settings, bundled_folder, load
from mmbot.domain.errors import SetUpError
from mmbot.hosts import classify_host
from mmbot.strategy.loader import Broken, Found, discover

UNUSED_KEYS: Final = MappingProxyType({"MMBOT_ACCESS_KEY": "unused", "MMBOT_SECRET_KEY": "unused"})


@dataclass(slots=True)
class Findings:
    """Problems stop a start; notes do not."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def examine(config: Path, environ: Mapping[str, str]) -> Findings:
    """Everything that is wrong with a configuration and its strategies, at once."""
    findings = Findings()
    try:
        settings = load(config, environ)
    except ConfigError as error:
        findings.problems += error.problems
        try:
            # Without its keys a configuration cannot run, but the rest of it can be looked at.
            settings = load(config, {**UNUSED_KEYS, **environ})
        except ConfigError:
            _folder(findings, folder_named_in(config), used={})
            return findings
    used = {strategy.file: strategy.enabled for strategy in settings.strategies}
    _folder(findings, settings.strategies_path, used)
    # A file that cannot be loaded was named above already.
    found = enabled(settings)
    findings.problems += [one for one in found.problems if one not in findings.problems]
    findings.notes += [
        f"strategy {name} is in quarantine: {why}" for name, why in found.quarantined.items()
    ]
    _host(findings, settings)
    _profile(findings, settings)
    _files(findings, settings)
    return findings


def folder_named_in(config: Path) -> Path:
    """The strategies folder of a file that has other problems; the usual one if it has that too."""
    try:
        named = tomllib.loads(config.read_text(encoding="utf-8")).get("strategies_dir")
    except (OSError, ValueError):
        named = None
    folder = Path(named) if isinstance(named, str) else Path("strategies")
    return folder if folder.is_dir() else bundled_folder("strategies")


def _folder(findings: Findings, folder: Path, used: Mapping[str, bool]) -> None:
    try:
        files = discover(folder)
    except OSError as error:
        findings.problems.append(f"strategies_dir: {folder}: {error.strerror}")
        return
    for file in files:
        if isinstance(file, Broken):
            findings.problems.append(file.problem)
        else:
            findings.notes.append(f"strategy {file.name} ({file.file.name}): {_state(file, used)}")


def _state(found: Found, used: Mapping[str, bool]) -> str:
    on = used.get(found.file.name)
    return "enabled" if on else "found, not in the configuration" if on is None else "disabled"


def _host(findings: Findings, settings: Settings) -> None:
    base_url, environment = settings.exchange.base_url, settings.environment
    try:
        kind = classify_host(base_url, environment, armed=True)
    except SetUpError as error:
        findings.problems.append(str(error))
        return
    if kind == "production":
        findings.notes.append("this is production, real money: run needs --arm-production")
    findings.notes.append(f"exchange {base_url}: {kind}, run_mode {settings.run_mode}")


def _profile(findings: Findings, settings: Settings) -> None:
    try:
        least_cents = quantity_min_cents(settings)
    except SetUpError as error:
        findings.problems += str(error).splitlines()
        return
    if settings.exchange.profile is not None:
        findings.notes.append(
            f"profile {settings.exchange.profile}: the smallest order is ${least_cents / 100:.2f}"
        )


def _files(findings: Findings, settings: Settings) -> None:
    for source in settings.sources:
        if source.kind == "static" and not source.file.is_file():
            findings.problems.append(f"[[sources]] {source.name}: {source.file} is not a file")
    existing = settings.state_dir.absolute()
    while not existing.exists():
        existing = existing.parent
    if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        findings.problems.append(f"state_dir: {settings.state_dir} cannot be written")


def listing(config: Path) -> list[dict[str, str]]:
    """One row per file of the strategies folder."""
    settings = load(config, {**UNUSED_KEYS, **os.environ})
    used = {strategy.file: strategy.enabled for strategy in settings.strategies}
    held = Quarantine(settings.state_dir).held()
    rows = []
    for file in discover(settings.strategies_path):
        if isinstance(file, Broken):
            row = {"file": file.file.name, "name": "", "state": f"broken: {file.problem}"}
        else:
            row = {"file": file.file.name, "name": file.name, "state": _state(file, used)}
            row["summary"] = file.summary
        if file.file.name in held:
            row["state"] = f"in quarantine: {held[file.file.name]}"
        rows.append(row)
    return rows


def lift(config: Path, named: str) -> str:
    """Take a strategy, by its name or its file, out of quarantine; the file that was held.

    Raises SetUpError when it is not in there, or the list cannot be written.
    """
    settings = load(config, {**UNUSED_KEYS, **os.environ})
    files = {one.name: one.file for one in settings.strategies}
    file, quarantine = files.get(named, named), Quarantine(settings.state_dir)
    try:
        if quarantine.lift(file):
            return file
    except OSError as error:
        raise SetUpError(f"{settings.state_dir}: cannot be written: {error.strerror}") from None
    held = ", ".join(quarantine.held()) or "nothing"
    raise SetUpError(f"{named} is not in quarantine; {held} is (mmbot strategies shows why)")
