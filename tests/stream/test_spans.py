"""When who was unwell, read from the scenario, the troubles and the exchange's own lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from mmbot.sim.scenario import find_scenario, read_table
from mmbot.sim.witness.stale import EVERYTHING, NS, SILENT_NS, VISIBLE_NS, Outage
from tests.stream.spans import (
    REACH_NS,
    Ways,
    again,
    ends_s,
    excuses,
    healthy,
    moments_s,
    outages,
    quoted_share,
)
from tests.stream.troubles import Kind, Route, Trouble

END: Final = 200 * NS
BEGAN: Final = 10 * NS  # of the plan; the box was born at 0
CALM: Final[dict[str, Any]] = {}


def ways(*troubles: Trouble, cut_s: tuple[float, ...] = ()) -> Ways:
    return Ways(troubles, BEGAN, [round(at_s * NS) for at_s in cut_s])


def step(at_s: float, action: str, **more: object) -> dict[str, object]:
    return {"at_s": at_s, "action": action, **more}


def registration(number: int, asked_s: float, status: int = 200) -> list[dict[str, Any]]:
    path = "/partner/v4/mm/websocket"
    return [
        {"n": number, "kind": "request", "path": path, "at_ns": round(asked_s * NS)},
        {"kind": "answer", "of": number, "status": status, "at_ns": round((asked_s + 1) * NS)},
    ]


def order(strike: str, since_s: float, until_s: float | None) -> dict[str, Any]:
    history: list[tuple[int, str]] = [
        (round(since_s * NS), "accepted"),
        (round(since_s * NS), "open"),
    ]
    if until_s is not None:
        history.append((round(until_s * NS), "canceled"))
    open_cents, status = (0, "canceled") if until_s is not None else (100, "open")
    return {
        "strike_id": strike, "history": history, "quantity_cents": 100, "created_ns": 0,
        "open_cents": open_cents, "status": status,
    }  # fmt: skip


def test_a_step_happens_as_often_as_it_says() -> None:
    assert moments_s(step(40, "news", every_s=50, times=3)) == [40, 90, 140]
    assert moments_s(step(40, "news")) == [40]


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("cluster_move", 120), ("token_storm", 185), ("maintenance", 122), ("chaos", 240)],
)
def test_a_shipped_scenario_ends_when_its_last_step_or_fault_does(name: str, seconds: int) -> None:
    assert ends_s(read_table(find_scenario(Path(name)))) == seconds


def test_a_scenario_that_has_to_last_begins_again() -> None:
    table = {
        "timeline": [step(40, "news", every_s=50, times=2), step(100, "bust")],
        "faults": [{"fault": "slow", "rate": 0.2, "until_s": 80}, {"fault": "slow", "rate": 0.1}],
    }
    long = again(table, 360)  # three times 100 s and a rest of 15 s
    assert [one["at_s"] for one in long["timeline"]] == [40, 100, 155, 215, 270, 330]
    assert [one.get("until_s") for one in long["faults"]] == [310, None]
    assert again(table, 0) == table
    assert again({}, 360) == {}


def test_a_trouble_and_what_the_scenario_withholds_are_not_healthy() -> None:
    table = {
        "timeline": [
            step(20, "switch", set={"placement_disabled": True, "reporting_down": True}),
            step(30, "switch", set={"placement_disabled": False}),
            step(50, "switch", set={"reporting_down": False}),
            step(60, "refuse_sockets", code=4200),
            step(65, "refuse_sockets"),
            step(190, "mute_sockets"),  # never taken back
        ]
    }
    trouble = Trouble(Kind.DELAY, Route.REST, 90.0, 5.0)
    well = healthy(table, 0, ways(trouble), END)
    assert [(since / NS, until / NS) for since, until in well] == [
        (10, 20), (50, 60), (65, 100), (105, 190),
    ]  # fmt: skip


def test_a_blackhole_of_the_stream_is_silent() -> None:
    hole = Trouble(Kind.BLACKHOLE, Route.BOTH, 30.0, 16.0)
    of_rest = Trouble(Kind.BLACKHOLE, Route.REST, 80.0, 16.0)
    found = outages(CALM, 0, [], ways(hole, of_rest), END)
    assert found == [Outage(EVERYTHING, 40 * NS, 56 * NS, SILENT_NS)]


def test_a_blackhole_that_cost_the_connection_lasts_until_the_next_one() -> None:
    hole = Trouble(Kind.BLACKHOLE, Route.STREAM, 30.0, 40.0)
    (soon,) = outages(CALM, 0, registration(1, 84), ways(hole), END)
    (later,) = outages(CALM, 0, registration(1, 120), ways(hole), END)
    assert (soon.until_ns, later.until_ns) == (85 * NS, 80 * NS)


@pytest.mark.parametrize(("died_s", "until_s"), [(95, 80), (81, 91)])
def test_a_connection_that_outlived_the_blackhole_goes_on_whatever_was_opened_later(
    died_s: int, until_s: int
) -> None:
    """A lost frame makes the daemon renew its stream without a gap: no part of the hole."""
    hole = Trouble(Kind.BLACKHOLE, Route.STREAM, 30.0, 40.0)  # from 40 s to 80 s
    held = Ways((hole,), BEGAN, (), open_ns=[(5 * NS, died_s * NS), (90 * NS, 200 * NS)])
    (found,) = outages(CALM, 0, registration(1, 90), held, END)
    assert found.until_ns == until_s * NS


def test_what_closes_the_stream_later_is_no_part_of_the_blackhole() -> None:
    hole = Trouble(Kind.BLACKHOLE, Route.STREAM, 30.0, 40.0)  # from 40 s to 80 s
    found = outages(CALM, 0, registration(1, 91), ways(hole, cut_s=(89,)), END)
    assert found == [
        Outage(EVERYTHING, 40 * NS, 80 * NS, SILENT_NS),
        Outage(EVERYTHING, 89 * NS, 92 * NS, VISIBLE_NS),
    ]


def test_the_busiest_second_of_what_was_sent() -> None:
    asked_s = (0.0, 5.0, 5.25, 5.5, 6.0, 6.25)
    assert Ways((), BEGAN, (), asked_s=asked_s).busiest == 4
    assert ways().busiest == 0


def test_a_cut_stream_shows_until_channels_are_granted_again() -> None:
    lines = [*registration(1, 2), *registration(2, 105, status=502), *registration(3, 107)]
    found = outages(CALM, 0, lines, ways(cut_s=(100,)), END)
    assert found == [Outage(EVERYTHING, 100 * NS, 108 * NS, VISIBLE_NS)]


def test_a_cut_while_one_connection_replaces_another_says_nothing() -> None:
    lines = [*registration(1, 2), *registration(2, 96)]
    assert outages(CALM, 0, lines, ways(cut_s=(100,)), END) == []


def test_sockets_that_the_exchange_closes_or_mutes_count_too() -> None:
    table = {
        "timeline": [
            step(40, "close_sockets", code=4200),
            step(60, "move_stream", host="localhost"),  # the old ones live on
            step(80, "move_stream", key="f0", close_code=4200),
            step(100, "mute_sockets"),
            step(120, "mute_sockets", on=False),
        ]
    }
    fault = {"kind": "fault", "fault": "disconnect", "at_ns": 140 * NS}
    found = outages(table, 0, [*registration(1, 44), fault], ways(), END)
    assert found == [
        Outage(EVERYTHING, 100 * NS, 120 * NS, SILENT_NS),
        Outage(EVERYTHING, 40 * NS, 45 * NS, VISIBLE_NS),
        Outage(EVERYTHING, 80 * NS, END, VISIBLE_NS),
        Outage(EVERYTHING, 140 * NS, END, VISIBLE_NS),
    ]


def test_while_requests_find_no_good_way_nobody_can_cancel() -> None:
    of_rest = Trouble(Kind.THROTTLE, Route.REST, 30.0, 5.0)
    of_stream = Trouble(Kind.RESET, Route.STREAM, 60.0, 5.0)
    assert excuses(ways(of_rest, of_stream)) == [(40 * NS, 45 * NS + REACH_NS)]


def test_a_strike_is_quoted_while_an_order_rests_on_it() -> None:
    well = [(0, 100 * NS), (150 * NS, 250 * NS)]
    orders = [order("a", 0, 80), order("a", 60, 100), order("a", 200, None), order("x", 0, None)]
    assert quoted_share(orders, ["a"], well) == pytest.approx(0.75)
    assert quoted_share(orders, ["a", "b"], well) == pytest.approx(0.375)


def test_without_a_healthy_moment_no_share_is_claimed() -> None:
    assert quoted_share([order("a", 0, None)], ["a"], []) == 0.0
