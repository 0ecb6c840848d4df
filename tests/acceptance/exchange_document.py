"""The page about the box: its first commands do what it says, and it says what is not known.

Its tables are held to the code by tests/sim/test_exchange_document.py.
"""

from __future__ import annotations

import re

from mmbot.sim.scenario import DEMO_ACCESS_KEY, DEMO_SECRET_KEY
from tests.acceptance.doors import ROOT
from tests.acceptance.exchange_wire import a_process

UNKNOWNS = 45  # rows of the contract's list, and of the second reader's
SECTIONS = ("In five minutes", "What it speaks", "The stream", "Looking and steering", "Actions",
            "Faults", "Switches", "Scenarios", "Known, inferred, unknown",
            "Two readings of one contract")  # fmt: skip


def walk_document() -> None:
    page = (ROOT / "docs" / "exchange.md").read_text()
    for section in SECTIONS:
        assert f"\n## {section}" in page, section
    two = page.split("## Two readings of one contract")[1]
    assert len(re.findall(r"^\| \d+ \| ", two, re.MULTILINE)) >= UNKNOWNS
    assert "Where they agree and it proves nothing" in two
    with a_process("--seed", "7") as caller:  # the lesson of the first section
        keys = {"access_key": DEMO_ACCESS_KEY, "secret_key": DEMO_SECRET_KEY}
        status, login = caller.call("POST", "/partner/auth/login", keys)
        assert (status, "access_token" in login["data"]) == (200, True)
        steer = {"X-Box-Token": caller.control}
        done = caller.call("POST", "/_box/do", {"action": "suspend", "event": 1}, steer)[1]
        assert done["on"] is True
        fault = {"fault": "lands_late", "rate": 1.0, "late_s": [45], "times_max": 1}
        assert caller.call("POST", "/_box/faults", [fault], steer)[0] == 200
        assert caller.call("GET", "/_box/truth/totals")[0] == 200
