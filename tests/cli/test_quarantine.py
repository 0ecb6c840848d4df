"""A strategy file that stopped the loop: who is to blame, what the restart does, who lifts it."""

# faults: H10 J4

from __future__ import annotations

import json
from pathlib import Path

import pytest
import structlog
from structlog.testing import CapturingLogger

from mmbot.app import strategies
from mmbot.app.quarantine import FILE, Quarantine, watchdog_ports
from mmbot.cli.checking import examine
from mmbot.cli.entry import execute
from mmbot.config import Settings, load
from mmbot.domain.events import Event, StrategyQuarantined
from mmbot.runtime.clock import SystemClock
from mmbot.runtime.watchdog import Place, Stack
from tests.cli.test_check import KEYS, a_config

OURS = Place("mmbot/engine/core.py", 7, "handle")
WHY = "the event loop stood still for 2 s"


def settings_in(folder: Path) -> tuple[Path, Settings]:
    config = a_config(folder)
    (folder / "state").mkdir()
    return config, load(config, KEYS)


def after(settings: Settings, first: Stack, last: Stack) -> dict[str, str]:
    """What is held when the watchdog has seen these two stacks."""
    ports = watchdog_ports(settings, structlog.get_logger())
    ports.last_words(first, last)
    return Quarantine(settings.state_dir).held()


def test_only_the_file_in_which_it_stood_both_times_is_to_blame(tmp_path: Path) -> None:
    _, settings = settings_in(tmp_path)
    theirs = Place(str(settings.strategies_path / "consensus.py"), 31, "quotes")
    deeper = Place("numpy/core.py", 3, "sort")
    assert after(settings, (OURS,), (OURS,)) == {}
    assert after(settings, (OURS, theirs), (OURS,)) == {}
    assert after(settings, (OURS,), (OURS, theirs)) == {}
    elsewhere = Place(str(tmp_path / "consensus.py"), 31, "quotes")
    assert after(settings, (OURS, elsewhere), (OURS, elsewhere)) == {}
    held = after(settings, (OURS, theirs, deeper), (OURS, theirs, deeper))
    assert list(held) == ["consensus.py"]
    assert held["consensus.py"].endswith("consensus.py:31 quotes")


def test_a_list_that_cannot_be_written_does_not_silence_it(tmp_path: Path) -> None:
    _, settings = settings_in(tmp_path)
    theirs = Place(str(settings.strategies_path / "consensus.py"), 31, "quotes")
    (settings.state_dir / FILE).mkdir()
    # A log of its own: the process may have turned the shared one to an older test's stream.
    heard = CapturingLogger()
    logger = structlog.wrap_logger(heard, processors=[], wrapper_class=structlog.BoundLogger)
    watchdog_ports(settings, logger).last_words((theirs,), (theirs,))
    (said,) = heard.calls
    assert said.method_name == "error"
    assert "the restart asks it again" in said.kwargs["trouble"]


def test_the_restart_does_not_even_load_it(tmp_path: Path) -> None:
    config, settings = settings_in(tmp_path)
    Quarantine(settings.state_dir).put("consensus.py", WHY)
    (settings.strategies_path / "consensus.py").write_text("1 / 0\n", encoding="utf-8")
    found = strategies.require(settings)
    assert found.slots == []
    told: list[Event] = []
    assert strategies.services(found, told.append, SystemClock()) == []
    assert told == [StrategyQuarantined("consensus", WHY)]
    assert f"strategy consensus is in quarantine: {WHY}" in examine(config, KEYS).notes


@pytest.mark.parametrize("named", ["consensus", "consensus.py"])
def test_a_person_lifts_it(tmp_path: Path, named: str, capsys: pytest.CaptureFixture[str]) -> None:
    config, settings = settings_in(tmp_path)
    quarantine = Quarantine(settings.state_dir)
    quarantine.put("consensus.py", WHY)
    quarantine.put("other.py", WHY)
    assert execute(["strategies", "--config", str(config), "--json"]) == 0
    rows = {row["file"]: row["state"] for row in json.loads(capsys.readouterr().out)}
    assert rows["consensus.py"] == f"in quarantine: {WHY}"
    assert execute(["strategies", "--lift", named, "--config", str(config)]) == 0
    assert "consensus.py is lifted" in capsys.readouterr().out
    assert quarantine.held() == {"other.py": WHY}
    assert [slot.owner for slot in strategies.require(settings).slots] == ["consensus"]
    assert execute(["strategies", "--lift", named, "--config", str(config)]) == 2
    assert "is not in quarantine; other.py is" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_list_that_cannot_be_read_sets_nobody_free(tmp_path: Path, text: str) -> None:
    config, settings = settings_in(tmp_path)
    (settings.state_dir / FILE).write_text(text, encoding="utf-8")
    problems = "\n".join(examine(config, KEYS).problems)
    assert f"{settings.state_dir / FILE}: " in problems
    assert "mend or remove it" in problems
