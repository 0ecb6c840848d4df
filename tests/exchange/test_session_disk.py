"""A session whose file cannot be written while it works."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.exchange.parts import a_client, refused, run, tokens


def test_a_full_disk_does_not_end_a_session_that_works(tmp_path: Path) -> None:
    # faults: D3 H7
    async def scenario() -> None:
        folder = tmp_path / "state"
        folder.mkdir()
        parts = a_client(folder / "session.json")
        await parts.session.token()
        shutil.rmtree(folder)
        await parts.clock.sleep(130)
        parts.http.on("/auth/refresh", refused(401, "unauthorized"))
        parts.http.on("/auth/login", tokens("t3"))
        assert await parts.session.renewed("t1") == "t3"
        assert "session_not_kept" in parts.alarms

    run(scenario())
