"""Both readings, walked from outside: the command, a few readings, all of them with FULL=1."""

from __future__ import annotations

import json
import re

from mmbot.sim.unknowns import settings
from tests.acceptance.doors import FULL, mmbot

FEW = ("wire.order_id_field=id", "wire.prices=decimal")


def walk_readings() -> None:
    for one in FEW:
        done = mmbot("simulate", "--reading", one, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        told = json.loads(done.stdout)
        assert f"{told['reading']}={told['value']}" == one
        assert not told["findings"], told
        assert bool(told["orders"]) == (one != "wire.prices=decimal")
    unknown = mmbot("simulate", "--reading", "wire.prices=roman")
    assert unknown.returncode == 2
    assert "no such reading" in unknown.stderr
    if FULL:
        done = mmbot("simulate", "--readings", timeout_s=840)
        lines = done.stdout.splitlines()
        assert done.returncode == 0, done.stdout
        assert re.fullmatch(r"\d+ readings, 0 with findings", lines[-1])
        for setting in settings().values():
            assert sum(line.startswith(f"{setting.name}=") for line in lines) >= 1
