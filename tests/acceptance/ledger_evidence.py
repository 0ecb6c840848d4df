"""Evidence: every order of a run with a kill in it has a story, and each of its steps a proof."""
# faults: A2 A9 H1 H3

from __future__ import annotations

import contextlib
import io
import json
import runpy
from pathlib import Path
from typing import Any

from mmbot.cli.entry import execute
from mmbot.domain.evidence import OUTSIDE, Kind
from mmbot.domain.order import PROVEN_BY, TERMINAL, Step
from tests.acceptance.doors import ROOT, demo, mmbot, the_zeros


def walk_evidence(tmp_path: Path) -> None:
    state = tmp_path / "state"
    summary = demo(7, 18, "--kills", "2", "--state-dir", str(state))
    assert summary["daemon_restarts"] == 2
    the_zeros(summary)
    file = str(state / "ledger.sqlite3")
    stories = [_story(file, row) for row in json.loads(_said("orders", file, "--all", "--json"))]
    steps = [step for told in stories for step in _proven_steps(told)]
    assert {Kind.REPLY, Kind.MESSAGE, Kind.DECISION} <= {kind for _, kind in steps}
    assert any("mmbot started anew" in _text(told) for told in stories)  # it lived over the kill
    # kill -9 may lose the notes of its last moment, and nothing else
    assert sum(map(_has_attempt_and_answer, stories)) * 2 > len(stories)
    _by_their_id(file, stories[0])
    unknown = mmbot("why", "mm-nobody-1", "--ledger", file)
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert len(unknown.stderr.splitlines()) == 1
    _drawn_from_the_table()


def _said(command: str, file: str, *arguments: str) -> str:
    """The command line without a new process for each of many orders."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert execute([command, *arguments, "--ledger", file]) == 0
    return out.getvalue()


def _story(file: str, row: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(_said("why", file, row["external_id"], "--json"))
    assert (told["order"]["state"], told["order"]["filled_cents"]) == (
        row["state"],
        row["filled_cents"],
    )
    return told


def _text(told: dict[str, Any]) -> str:
    return "\n".join(one["text"] for one in told["story"])


def _proven_steps(told: dict[str, Any]) -> list[tuple[Step, Kind]]:
    """View, verdict, intent, attempt, answer, steps with their proof, and who ended it."""
    times = [one["at_ns"] for one in told["story"]]
    assert times == sorted(times)
    view, gate, intent = (one["text"] for one in told["story"][:3])
    assert view.startswith("view of ")
    assert "fair" in view
    assert gate.startswith("gate: ")
    assert "limit" in gate
    assert intent.startswith("intent: ")
    assert told["order"]["state"] in TERMINAL
    never_left = told["ended_by"]["kind"] == Kind.UNSENT
    assert never_left or Kind(told["ended_by"]["kind"]) in OUTSIDE
    assert told["ending"].endswith("proved it")
    proven = []
    for one in told["story"]:
        if one["kind"] == "OrderStepped":
            step, kind = Step(one["entry"]["step"]), Kind(one["entry"]["evidence"]["kind"])
            assert kind in PROVEN_BY[step]
            proven.append((step, kind))
    return proven


def _has_attempt_and_answer(told: dict[str, Any]) -> bool:
    kinds = [one["kind"] for one in told["story"]]
    both = {"RequestSent", "RequestAnswered"} <= set(kinds)
    return both and kinds.index("RequestSent") < kinds.index("RequestAnswered")


def _by_their_id(file: str, told: dict[str, Any]) -> None:
    """On the screen, by the beginning of the exchange's id."""
    done = mmbot("why", told["order"]["order_id"][:-4], "--ledger", file)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"{told['id']}, order {told['order']['order_id']}: ")
    assert max(map(len, lines)) <= 100


def _drawn_from_the_table() -> None:
    redrawn = runpy.run_path(str(ROOT / "docs" / "make_ledger.py"))["redrawn"]
    for page in ("docs/ledger.md", "ARCHITECTURE.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert redrawn(text) == text
    assert "stateDiagram-v2" in (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")
