"""The bot of the venue's guide lives a minute on the box, in the seed and in the legacy dialect."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import pytest

from mmbot.sim.scenario import DEMO_ACCESS_KEY, DEMO_SECRET_KEY
from tests.peers.running import running_box

SECONDS: Final = 60
DIALECTS: Final = ("seed", "legacy")
ORDERS_MIN: Final = 9 * 3  # three rounds: a loaded machine may take its time
SECOND: Final = "second-account-of-the-box"


@pytest.mark.timeout(150)
def test_both_dialects_at_the_same_time_on_one_box(tmp_path: Path) -> None:
    if importlib.util.find_spec("pysher") is None:
        pytest.skip("pysher is missing: `make peers` installs tests/peers.lock")
    second = tmp_path / "two_accounts.toml"
    second.write_text(
        'latency_profile = "loopback"\n'
        f'[[accounts]]\nname = "second"\naccess_key = "{SECOND}"\nsecret_key = "{SECOND}"\n'
    )
    keys = {"seed": (DEMO_ACCESS_KEY, DEMO_SECRET_KEY), "legacy": (SECOND, SECOND)}
    with running_box("--scenario", str(second)) as box, ExitStack() as stack:
        bots = {
            dialect: stack.enter_context(_bot(dialect, box.base_url, keys[dialect]))
            for dialect in DIALECTS
        }
        for dialect, bot in bots.items():
            said, errors = bot.communicate(timeout=SECONDS + 60)
            print(said)
            assert bot.returncode == 0, (dialect, said, errors)
            assert json.loads(said)["orders"] >= ORDERS_MIN


@contextmanager
def _bot(dialect: str, base_url: str, keys: tuple[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = [
        *(sys.executable, "-m", "tests.peers.guide"),
        *("--dialect", dialect, "--seconds", str(SECONDS), "--base-url", base_url),
    ]
    names = ("MMBOT_ACCESS_KEY", "MMBOT_SECRET_KEY")
    with subprocess.Popen(
        command,
        env=os.environ | dict(zip(names, keys, strict=True)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()
