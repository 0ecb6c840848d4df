"""The judge of the dead man's switch: what must happen while a client is away, and after it."""

from __future__ import annotations

import json
from typing import Any

from mmbot.sim.faults.faulty_ports import Sent
from mmbot.sim.faults.kinds import route_kind
from mmbot.sim.virtual.loop import VirtualLoop, run_virtual
from mmbot.sim.witness.lapses import DEAF_NS, LEASE_NS, Lapses, Promise

NS = 1_000_000_000
PROMISE = Promise(flat_ns=2 * NS, landed_ns=7 * NS, proven_ns=9 * NS)
PLACE, CANCEL = "/partner/v4/mm/submit_multiple_orders", "/partner/v4/mm/cancel_all_orders"


def judge() -> Lapses:
    found = Lapses(PROMISE, 0)
    found.guard_at_work(0)
    return found


def order(name: str, born_s: float, ended_s: float) -> dict[str, Any]:
    history = [(born_s * NS, "accepted"), (ended_s * NS, "canceled")]
    order = {"external_id": name, "event_id": 7, "created_ns": born_s * NS, "history": history}
    return order | {"quantity_cents": 100, "status": "canceled", "open_cents": 0}


def sent(path: str, body: Any = None) -> Sent:
    return Sent("POST", path, {}, json.dumps(body).encode(), route_kind(path), None)


def places(lapses: Lapses, name: str, at_s: float) -> None:
    lapses.sent(sent(PLACE, {"data": [{"external_id": name}]}), round(at_s * NS))


def reads(lapses: Lapses, asked_s: float, told_s: float) -> None:
    request = sent("/partner/v4/mm/get_multiple_markets?event_ids=7")
    lapses.sent(request, round(asked_s * NS))
    lapses.answered(request, (200, {}, b"{}"), round(told_s * NS))


def told(lapses: Lapses, *orders: dict[str, Any]) -> list[str]:
    return lapses.findings(orders, "mm-", 1000 * NS)


# faults: H14
def test_what_rests_longer_than_its_guard_needs_is_found() -> None:
    lapses = judge()
    lapses.gone(100 * NS, LEASE_NS, still=True)
    lapses.proven(112 * NS)
    lapses.back(160 * NS)
    in_time, late, a_persons = order("mm-1", 50, 107.9), order("mm-2", 50, 109), order("x", 50, 900)
    assert told(lapses, in_time, a_persons) == []
    assert told(lapses, late)[0].startswith("H14: mm-2: rested 1.000 s while its maker was away")


def test_what_lands_meanwhile_has_a_moment_of_its_own() -> None:
    lapses = judge()
    lapses.gone(100 * NS, LEASE_NS, still=True)
    lapses.proven(112 * NS)
    lapses.back(160 * NS)
    assert told(lapses, order("mm-1", 130, 136.9)) == []
    assert "mm-2" in told(lapses, order("mm-2", 130, 138))[0]


def test_it_has_to_be_proven_unless_a_person_resumes_before() -> None:
    for proven_s, resumed, found in (
        (None, False, 1),
        (116, False, 1),
        (114, False, 0),
        (0, True, 0),
    ):
        lapses = judge()
        lapses.gone(100 * NS, LEASE_NS, still=True)
        if resumed:
            lapses.resumed(110 * NS)
        elif proven_s is not None:
            lapses.proven(proven_s * NS)
        assert len(told(lapses)) == found


def test_who_is_back_before_its_lease_runs_out_looks_after_its_own() -> None:
    lapses = judge()
    lapses.gone(100 * NS, LEASE_NS, still=True)
    lapses.back(107 * NS)
    assert told(lapses, order("mm-1", 50, 900)) == []


def test_a_guard_whose_requests_fail_is_given_its_time() -> None:
    lapses = judge()
    lapses.gone(100 * NS, LEASE_NS, still=True)
    request = sent(CANCEL)
    lapses.guard.sent(request, 106 * NS)
    lapses.guard.answered(request, (500, {}, b""), 107 * NS)  # and 10 s more
    assert told(lapses, order("mm-1", 50, 116.9)) == []
    assert "mm-2" in told(lapses, order("mm-2", 50, 117.5))[0]


def test_of_one_that_is_cut_off_it_may_know_later() -> None:
    lapses = judge()
    lapses.gone(100 * NS, DEAF_NS, still=False)
    lapses.proven(125 * NS)
    assert told(lapses, order("mm-1", 50, 123)) == []
    assert "mm-2" in told(lapses, order("mm-2", 50, 125))[0]


# faults: J1
def test_what_had_not_left_never_leaves() -> None:
    lapses = judge()
    places(lapses, "mm-1", 99)
    lapses.gone(100 * NS, LEASE_NS, {"mm-1", "mm-2"}, still=True)
    lapses.back(105 * NS)
    reads(lapses, 105.1, 105.2)
    places(lapses, "mm-1", 106)  # once more: it is in doubt
    places(lapses, "mm-3", 106)
    assert told(lapses, order("mm-1", 106, 110), order("mm-3", 106, 110)) == []
    places(lapses, "mm-2", 106)
    assert told(lapses, order("mm-2", 106, 110))[0].startswith("J1: mm-2: decided before")


# faults: J1
def test_nothing_leaves_before_its_books_were_read_anew() -> None:
    for asked_s, told_s, placed_s, found in (
        (104, 106, 107, 1),
        (105.1, 108, 107, 1),
        (105.1, 106, 107, 0),
    ):
        lapses = judge()
        lapses.gone(100 * NS, LEASE_NS, still=True)
        lapses.back(105 * NS)
        reads(lapses, asked_s, told_s)
        places(lapses, "mm-1", placed_s)
        assert len(told(lapses, order("mm-1", 107, 110))) == found


def test_without_a_guard_nothing_is_placed() -> None:
    lapses = judge()
    lapses.guard_gone(100 * NS)
    places(lapses, "mm-1", 107)
    assert told(lapses) == []
    places(lapses, "mm-2", 108)
    lapses.guard_at_work(109 * NS)
    places(lapses, "mm-3", 110)
    assert told(lapses) == ["H14: mm-2: placed at 108.000, and no guard was at work"]


def test_a_guard_that_trips_beside_a_client_at_work_is_found() -> None:
    async def main(loop: VirtualLoop) -> None:
        lapses, island = judge(), loop.island("client")
        lapses.sent(Sent("GET", "/x", {}, b"", route_kind("/x"), island), 0)
        lapses.tripped("no heartbeat", 9 * NS)  # it has just begun
        assert told(lapses) == []
        lapses.tripped("no heartbeat", 11 * NS)
        assert "at work" in told(lapses)[0]
        island.abandon()

    run_virtual(main, seed=1)
