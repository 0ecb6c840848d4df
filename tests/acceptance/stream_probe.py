"""First contact, walked from outside: boxes with random switches, and what is told of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from mmbot.probe.profile import text_of
from mmbot.sim.scenario import BoxOptions, load_profile
from tests.acceptance.doors import FULL, ROOT, mmbot
from tests.app.stage import box, daemon
from tests.probe.stage import probed

IN_EVERY_RUN = 10
SOCKETS = 3
RUN_MAX_S = 3600


def walk_first_contact(folder: Path) -> None:
    """Measured within its allowance, without a secret; daemon and box read what it wrote."""
    done = mmbot("probe", "--config", "config/production.toml")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    options, text, raw = _measured_live(folder) if FULL else _measured()
    for secret in (options.access_key, options.secret_key):
        assert secret not in text + raw
    table = tomllib.loads(text)
    assert table["rules"]["fill_or_kill"] == options.rules.fill_or_kill
    assert table["unknown"], "what stays unknown is named"
    profile = folder / "measured.toml"
    profile.write_text(text, encoding="utf-8")
    shipped = (ROOT / "config" / "simulator.toml").read_text(encoding="utf-8")
    base_url = tomllib.loads(shipped)["exchange"]["base_url"]
    profile.write_text(text.replace(table["probe"]["base_url"], base_url), encoding="utf-8")
    config = folder / "mmbot.toml"
    named = f'[exchange]\nprofile = "{profile}"\n'
    config.write_text(shipped.replace("[exchange]\n", named), encoding="utf-8")
    done = mmbot("check", "--config", str(config))
    assert done.returncode == 0, done.stdout + done.stderr
    played = load_profile(profile, BoxOptions())
    assert played.rules.fill_or_kill == options.rules.fill_or_kill


def _measured() -> tuple[BoxOptions, str, str]:
    options = BoxOptions()
    seen = probed(options)
    about = {"base_url": "http://127.0.0.1/partner"}
    return options, text_of(seen.outcome.notebook, about), seen.outcome.transcript.text


def _measured_live(folder: Path) -> tuple[BoxOptions, str, str]:
    with box("--latency", "loopback") as exchange, daemon(folder, exchange.port) as bot:
        out = folder / "probe"
        done = mmbot("probe", "-c", str(bot.config), "--out", str(out), timeout_s=900)
        assert done.returncode == 0, done.stdout + done.stderr
        profile, raw = out / "profile.toml", out / "raw.jsonl"
        return BoxOptions(), profile.read_text("utf-8"), raw.read_text("utf-8")


def walk_random_settings() -> None:
    """Continuous integration measures fifty boxes; with FULL=1 three over sockets, too."""
    probed = "tests.probe_check --seed 1 --count 50"
    assert probed in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    _recovered("--seed", "301", "--count", "50" if FULL else str(IN_EVERY_RUN))
    if FULL:
        _recovered("--seed", "7", "--count", "0", "--sockets", str(SOCKETS))


def _recovered(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.probe_check", "--json", *arguments],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=RUN_MAX_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert told["recovered"] == told["of"] > 0
