"""`mmbot doctor` where there is nothing to examine; the rest is walked in tests/acceptance."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmbot.cli.entry import execute
from mmbot.sim.scenario import DEMO_ACCESS_KEY, DEMO_SECRET_KEY
from tests.app.stage import free_port


def test_wrong_use_is_2_and_nobody_there_is_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MMBOT_ACCESS_KEY", DEMO_ACCESS_KEY)
    monkeypatch.setenv("MMBOT_SECRET_KEY", DEMO_SECRET_KEY)
    nobody = f"http://127.0.0.1:{free_port()}"
    assert execute(["doctor", "--admin", nobody]) == 1
    assert execute(["doctor", "--contract", "-c", str(tmp_path / "none.toml")]) == 2
    assert execute(["doctor", "--contract", "--listen-s", "soon"]) == 2
