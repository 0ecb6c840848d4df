"""Each claim of a stream run can fail: a story with one thing wrong is told for each."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

import pytest

from tests.crash.record import truth_of
from tests.crash.test_claims import lines, outcome
from tests.stream.claims import claims, staleness
from tests.stream.run import Seen
from tests.stream.spans import Ways
from tests.stream.troubles import Kind, Route, Trouble

S: Final = 1_000_000_000
BEGAN: Final = 5 * S
UNTIL: Final = 65 * S
SILENT: Final = Trouble(Kind.BLACKHOLE, Route.STREAM, at_s=5.0, lasts_s=20.0)  # from 10 s to 30 s


def story(rests_until_s: float) -> list[dict[str, Any]]:
    """The order of the crash story rests, unfilled, from 6 s until its cancel."""
    told = [line for line in lines() if line.get("what") in {None, "accepted"}]
    told = [line for line in told if line["kind"] not in {"fill", "cash"}]
    for line in told:
        if line["kind"] == "answer":
            line["at_ns"] = 6 * S
    accepted = next(line for line in told if line["kind"] == "order")
    opened = accepted | {"what": "open"}
    ended = accepted | {"what": "canceled", "at_ns": round(rests_until_s * S), "open_cents": 0}
    return [*told, opened, ended]


def seen(rests_until_s: float, *troubles: Trouble, cancel_s: float | None = None) -> Seen:
    told = story(rests_until_s)
    if cancel_s is not None:
        path = "/partner/v4/mm/cancel_all_orders"
        asked = {"n": 9, "kind": "request", "account": "maker", "at_ns": round(cancel_s * S)}
        told.append(asked | {"path": path})
    truth = truth_of(map(json.dumps, told), "maker")
    for order in truth.orders:
        order |= {"event_id": 7, "market_id": 1}
    good = outcome(told, truth=truth)
    record = {**good.record, "orders": truth.orders, "started_ns": 0, "quoted_share": {"s1": 1.0}}
    good = outcome(told, truth=truth, record=record, ledger_pnl_cents=0, kills=0, struck=())
    return Seen(good, {}, told, Ways(troubles, BEGAN, ()), UNTIL)


def stale_s(of: Seen) -> float:
    return staleness(of).stale_ns / S


def broken(of: Seen) -> set[str]:
    return {claim.what for claim in claims(of) if not claim.held}


def test_a_quote_that_rests_on_a_silent_stream_is_stale_after_twelve_seconds() -> None:
    assert stale_s(seen(21.0, SILENT)) == 0
    assert stale_s(seen(40.0, SILENT)) == pytest.approx(8)  # from 22 s until it speaks again
    assert "seconds quoted on stale data" in broken(seen(40.0, SILENT))
    assert "seconds quoted on stale data" not in broken(seen(21.0, SILENT))


def test_a_quote_that_rests_while_all_is_well_is_not() -> None:
    assert stale_s(seen(60.0)) == 0


def test_a_cancel_that_arrived_is_what_a_maker_owes() -> None:
    assert stale_s(seen(40.0, SILENT, cancel_s=21.0)) == 0


def test_nobody_can_cancel_on_a_way_that_is_closed() -> None:
    closed = Trouble(Kind.BLACKHOLE, Route.BOTH, at_s=5.0, lasts_s=20.0)
    assert stale_s(seen(40.0, closed)) == 0


def test_too_little_quoted_of_the_healthy_time_is_said() -> None:
    assert "quoted share of it" in broken(seen(40.0))
    assert "quoted share of it" not in broken(seen(60.0))


def test_a_run_with_hardly_a_healthy_moment_claims_nothing() -> None:
    whole = Trouble(Kind.DELAY, Route.REST, at_s=1.0, lasts_s=58.0, amount=0.1)
    assert "healthy time" in broken(seen(60.0, whole))
    assert "healthy time" not in broken(seen(60.0, SILENT))


def test_what_a_crash_run_claims_of_kills_is_not_claimed_here() -> None:
    assert not {"kills", "kills amid a placement"} & {claim.what for claim in claims(seen(60.0))}
    assert "orders that differ" in {claim.what for claim in claims(seen(60.0))}


def test_requests_count_when_they_were_sent_and_not_when_a_dam_broke() -> None:
    told = seen(60.0)
    requests = {**told.outcome.record["requests"], "per_second_max": 137}
    dammed = replace(told.outcome, record={**told.outcome.record, "requests": requests})
    calm = replace(told.ways, asked_s=[n / 20 for n in range(200)])
    storm = replace(told.ways, asked_s=[n / 60 for n in range(200)])
    assert crowded(replace(told, outcome=dammed))
    assert not crowded(replace(told, outcome=dammed, ways=calm))
    assert crowded(replace(told, ways=storm))


def crowded(of: Seen) -> bool:
    found = [finding for claim in claims(of) for finding in claim.findings]
    return any("requests within one second" in finding for finding in found)
