"""A whole probe beside a box: what it finds, what it leaves unknown, and what it takes back."""

from __future__ import annotations

import os
import tomllib
from typing import Any

import pytest

from mmbot.probe import profile
from mmbot.probe.allowance import Limits
from mmbot.probe.findings import Found, Unknown
from mmbot.probe.not_asked import NOT_ASKED
from mmbot.probe.run import MEASUREMENTS
from mmbot.sim.scenario import BoxOptions, with_table
from mmbot.sim.unknowns import settings
from tests.probe.settings import QUIET, disturbed, draw
from tests.probe.stage import Seen, probed
from tests.probe_check import problems

SEED_DIALECT_SEEDS = range(1, 31) if os.environ.get("FULL") else (9,)
NOISY_SEEDS = range(1, 31) if os.environ.get("FULL") else (12,)
ENOUGH = 50  # of about 70, behind a line on which every tenth message is lost
SEEDS = range(1, 51) if os.environ.get("FULL") else (3, 14, 4095)
# Measured although no row of the contract's list asks for them.
BESIDES = {
    "rules.activation.delay_ms", "wire.end_of_pages", "wire.login_form", "wire.unknown_event",
}  # fmt: skip


def a_box(**table: Any) -> BoxOptions:
    return with_table(with_table(BoxOptions(), QUIET), table)


def found(seen: Seen) -> dict[str, Any]:
    findings = seen.outcome.notebook.findings.items()
    return {name: one.value for name, one in findings if isinstance(one, Found)}


def why(seen: Seen, name: str) -> str:
    finding = seen.outcome.notebook.findings[name]
    assert isinstance(finding, Unknown), finding
    return finding.why


@pytest.mark.parametrize("seed", SEEDS)
def test_switches_set_at_random_are_recovered(seed: int) -> None:
    drawn = draw(seed)
    seen = probed(drawn.options, seed=seed)
    assert list(problems(drawn, seen.outcome)) == []
    assert seen.box.maker.alive == {}


@pytest.mark.parametrize("seed", SEED_DIALECT_SEEDS)
def test_a_probe_in_seed_recovers_what_that_dialect_shows(seed: int) -> None:
    drawn = draw(seed, "seed")
    seen = probed(drawn.options, seed=seed, dialect="seed")
    assert list(problems(drawn, seen.outcome)) == []
    assert seen.box.maker.alive == {}


@pytest.mark.parametrize("seed", NOISY_SEEDS)
def test_behind_a_bad_line_nothing_is_told_wrongly(seed: int) -> None:
    drawn = disturbed(draw(seed))
    seen = probed(drawn.options, seed=seed)
    assert list(problems(drawn, seen.outcome)) == []
    assert seen.box.maker.alive == {}
    assert len(found(seen)) >= ENOUGH


def test_every_open_question_is_asked_or_has_a_reason_not_to_be() -> None:
    asked = {name for one in MEASUREMENTS for name in one.names}
    assert asked & NOT_ASKED.keys() == set()
    assert (asked | NOT_ASKED.keys()) - settings().keys() == BESIDES
    assert settings().keys() - asked - NOT_ASKED.keys() == set()


def test_decimal_prices_are_told_and_nothing_is_placed() -> None:
    seen = probed(a_box(wire={"prices": "decimal"}))
    assert found(seen)["wire.prices"] == "decimal"
    assert "no integer" in why(seen, "rules.quantity_min_cents")
    assert len(seen.box.maker.orders) == 0


@pytest.mark.parametrize("dialect", ["seed", "legacy"])
def test_a_venue_without_our_routes_is_told_by_its_own(dialect: str) -> None:
    seen = probed(a_box(wire={"paths": dialect}))
    assert found(seen)["wire.paths"] == dialect
    assert "cannot be listed (404)" in why(seen, "rules.fill_or_kill")


def test_an_order_that_is_never_activated_ends_the_questions_about_orders() -> None:
    seen = probed(a_box(rules={"activation": {"delay": "never"}}))
    assert found(seen)["rules.activation.delay"] == "never"
    assert why(seen, "wire.order_nesting") == "the first order became inactive"
    assert seen.box.maker.alive == {}


def test_the_allowance_ends_the_run_and_its_orders() -> None:
    seen = probed(a_box(), Limits(at_risk_cents_max=600, requests_max=90))
    allowance = seen.outcome.allowance
    assert allowance.requests <= 90
    assert allowance.at_risk_cents_top <= 600
    assert Unknown("50 requests of 90 are used") in seen.outcome.notebook.findings.values()
    assert seen.box.maker.alive == {}


def test_the_rate_limit_is_not_asked_with_the_last_requests() -> None:
    seen = probed(a_box(), Limits(requests_max=160))
    assert why(seen, "session.retry_after").startswith("only ")
    assert found(seen)["rules.fill_or_kill"] == "partial"


@pytest.fixture(scope="module")
def usual() -> Seen:
    return probed(a_box(rules={"fill_or_kill": "all_or_nothing"}, wire={"order_id_field": "id"}))


def test_the_profile_has_every_finding_and_every_reason(usual: Seen) -> None:
    seen = usual
    text = profile.text_of(seen.outcome.notebook, {"base_url": "http://127.0.0.1/partner"})
    table = tomllib.loads(text)
    assert table["probe"] == {"base_url": "http://127.0.0.1/partner"}
    assert table["rules"]["fill_or_kill"] == "all_or_nothing"
    assert table["wire"]["order_id_field"] == "id"
    assert table["unknown"]["rules.fee_bps"] == NOT_ASKED["rules.fee_bps"]
    reasons = table.pop("unknown")
    assert len(reasons) + len(found(seen)) == len(seen.outcome.notebook.findings)


def test_the_transcript_has_the_answers_and_no_secret(usual: Seen) -> None:
    options, text = usual.box.options, usual.outcome.transcript.text
    assert '"path":"/auth/login"' in text
    assert '"kind":"frame"' in text
    for secret in (options.access_key, options.secret_key, "Bearer"):
        assert secret not in text
    assert '"access_token":"***"' in text
    assert '"auth":"***"' in text
