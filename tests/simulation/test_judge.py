"""The judge can fail: each lie on the wire, planted below the real daemon, is found."""

from __future__ import annotations

import pytest

from mmbot.app.simulate_day import DayReport, Tamper, run_day
from mmbot.app.simulate_plan import Scenario, draw
from tests.simulation.days import plain
from tests.simulation.wires import ForgetsFills, LosesAChannel, LosesMoneyRows, Meddles

QUIET = Scenario(
    box={"latency_profile": "loopback"},
    rules=plain(40.0, 1.0),
    faults=(),
)


def day(tamper: Tamper | None) -> DayReport:
    return run_day(draw(3, QUIET), tamper)


def test_an_honest_wire_gives_no_finding() -> None:
    report = day(None)
    assert report.findings == []
    assert (report.crashes, report.faults, report.starts) == (0, {}, 1)
    assert report.fills > 3


# faults: A16
def test_a_ledger_that_forgets_a_fill_is_found() -> None:
    found = day(lambda ports: ForgetsFills(ports).ports()).findings
    assert any(one.startswith("I6") and "filled $0.00 in the ledger" in one for one in found)
    assert any(one.startswith("I6: position") for one in found)


def test_missing_money_is_found() -> None:
    found = day(lambda ports: LosesMoneyRows(ports).ports()).findings
    assert any(one.startswith("I6: PnL") for one in found)


# faults: E8 E9
def test_a_game_whose_channel_nobody_asks_for_is_found() -> None:
    found = day(lambda ports: LosesAChannel(ports).ports()).findings
    assert any(one.startswith("I7: not every game's channel asked for") for one in found)


def test_an_order_without_intent_and_too_many_requests_are_found() -> None:
    found = day(lambda ports: Meddles(ports).ports()).findings
    assert any(one.startswith("I7") and "requests within one second" in one for one in found)
    assert any("two orders alive on one strike at one price" in one for one in found)


@pytest.mark.parametrize("name", ["access_key", "secret_key"])
def test_the_secrets_that_are_looked_for_are_long_enough_to_be_looked_for(name: str) -> None:
    assert len(getattr(draw(3, QUIET).box, name)) > 20
