"""`mmbot simulate`: its lines, its exit code, and bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmbot.app.simulate import Asked, Output, run_seeds
from mmbot.app.simulate_plan import read_scenario
from mmbot.domain.errors import SetUpError
from mmbot.sim.faults.plan import Fault

# Nothing ever arrives, so the daemon cannot be quoting when it should be.
HOPELESS = """
latency_profile = "venue"
[day]
quoting_s = 20
calm_s = 0
kills_max = 0
halts_max = 0
[[faults]]
fault = "request_reset"
rate = 1
on = ["auth"]
"""


def test_a_finding_is_told_with_the_line_that_replays_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = tmp_path / "hopeless.toml"
    scenario.write_text(HOPELESS)
    assert run_seeds([3], Asked(scenario)) == 1
    told = capsys.readouterr().out
    assert told.startswith("seed 3  venue")
    assert "I7: not quoting again after the calm" in told
    assert f"replay: mmbot simulate --seeds 3 --scenario {scenario} --faults all" in told


def test_json_and_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenario = tmp_path / "calm.toml"
    scenario.write_text(
        '[day]\nquoting_s = 15\ncalm_s = 0\nstrategy = "consensus"\n[rival]\non = false\n'
    )
    out = Output(as_json=True, log_dir=tmp_path / "logs")
    code = run_seeds([9], Asked(scenario, "none"), out=out)
    told, total = map(json.loads, capsys.readouterr().out.splitlines())
    assert total["seeds"] == 1
    assert total["strikes"] == {}  # nothing was asked to strike
    assert (told["seed"], bool(told["findings"])) == (9, bool(code))
    assert told["orders"] > 0
    assert "OrderMoved" in (tmp_path / "logs" / "seed-9.jsonl").read_text()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[day]\nquoting = 3\n", "unknown key quoting"),
        ("[takers]\nonn = true\n", "unknown key takers.onn"),
        ('[[faults]]\nfault = "rain"\nrate = 1\n', "rain"),
        ('[[faults]]\nfault = "slow"\nrate = 1\nrates = 2\n', r"unknown key faults\[1\].rates"),
        ("[day\n", "scenario"),
    ],
)
def test_a_bad_scenario_is_one_clear_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(SetUpError, match=complaint) as caught:
        read_scenario(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_faults_of_a_scenario_replace_those_of_the_seed(tmp_path: Path) -> None:
    path = tmp_path / "one.toml"
    path.write_text('[[faults]]\nfault = "slow"\nrate = 0.5\non = ["place"]\ndelay_s = [1, 2]\n')
    faults = read_scenario(path).faults
    assert faults is not None
    assert [(rule.fault, rule.rate, rule.on, rule.delay_s) for rule in faults] == [
        (Fault.SLOW, 0.5, frozenset({"place"}), (1.0, 2.0))
    ]
