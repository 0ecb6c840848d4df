"""I7 by the judge of every step: requests, attempts, and what waits."""

from __future__ import annotations

import pytest

from mmbot.sim.faults.faulty_ports import Sent
from tests.sim.watching import BALANCE, NS, PLACE, Scene


# faults: D7 D10
def test_i7_the_budget_of_requests_and_of_queries() -> None:
    scene = Scene()
    for _ in range(46):
        scene.sent("/partner/v4/mm/cancel_multiple_orders", after_s=0.001)
    assert "I7: 46 requests left within one second" in scene.found()
    scene.sent(BALANCE, after_s=5.0)
    scene.sent(BALANCE, after_s=1.0)
    scene.sent(BALANCE, after_s=0.4)
    assert scene.found().count("get_balance asked again after 0.400 s") == 1
    assert "after 1.000 s" not in scene.found()


# faults: A1 D7
def test_i7_the_same_id_is_sent_again_at_a_pace() -> None:
    scene = Scene()
    scene.watch.intended("mm-1")
    for _ in range(60):
        scene.sent(PLACE, ["mm-1"], after_s=1.5)
    assert scene.watch.findings == []
    for _ in range(30):
        scene.sent(PLACE, ["mm-1"], after_s=0.1)
    assert scene.found().count("I7: mm-1 left more than 10 times within 10 s") == 1


# faults: E15 H18
def test_i7_a_queue_over_its_bound_and_one_that_is_never_served() -> None:
    scene, depths = Scene(), {"inbox": (0, 10), "proofs": (0, 1000)}
    scene.watch.waits(lambda: depths)
    for second in range(900):
        # The one is served within 330 s; of the other one waits for ever, then they grow.
        depths["inbox"] = (second % 329 // 30, 10)
        depths["proofs"] = (1 + max(0, second - 519), 1000)
        scene.watch.heard("health", "", scene.now_ns + second * NS)
    grown_ns = scene.now_ns + 850 * NS
    assert scene.watch.findings == [
        f"I7: proofs grew from 1 to 332 and was not served for 331 s (at {grown_ns / NS:.3f})"
    ]
    depths["inbox"] = (11, 10)
    scene.watch.heard("health", "", scene.now_ns + 900 * NS)
    assert "I7: 11 wait in inbox, at most 10" in scene.found()


# faults: D2 D4 D7
@pytest.mark.parametrize(
    ("status", "asks_until_s", "found"), [(401, 800, 0), (429, 800, 0), (404, 800, 1), (401, 99, 1)]
)
def test_i7_without_a_session_no_queue_is_served(
    status: int, asks_until_s: int, found: int
) -> None:
    scene, depths = Scene(), {"proofs": (0, 1000)}
    scene.watch.waits(lambda: depths)
    began_ns = scene.now_ns
    for second in range(500):
        scene.now_ns = began_ns + second * NS
        depths["proofs"] = (second // 30, 1000)
        if 50 < second < asks_until_s:
            request = Sent("GET", BALANCE, {}, b"", "read", None)
            scene.watch.answered(request, (status, {}, b""), scene.now_ns)
        scene.watch.heard("health", "", scene.now_ns)
    assert scene.found().count("and was not served") == found
    assert scene.watch.may_audit(scene.now_ns) == bool(found), "nobody can act without a session"


@pytest.mark.parametrize("name", ["deadlines", "activations"])
def test_i7_a_calendar_that_stands_is_none_that_grows(name: str) -> None:
    scene, depths = Scene(), {name: (4, 1000)}
    scene.watch.waits(lambda: depths)
    for second in range(1000):
        depths[name] = (4 + (second > 300), 1000)
        scene.watch.heard("health", "", scene.now_ns + second * NS)
    assert scene.watch.findings == []
    for second in range(1000, 1500):  # one more with each audit
        depths[name] = (5 + (second - 1000) // 60, 1000)
        scene.watch.heard("health", "", scene.now_ns + second * NS)
    assert f"I7: {name} grew from 5 to 11 and was not served" in scene.found()


def test_i7_begins_anew_with_a_new_daemon() -> None:
    scene, depths = Scene(), {"proofs": (1, 1000)}
    scene.watch.waits(lambda: depths)
    scene.watch.heard("health", "", scene.now_ns)
    depths.clear()
    scene.watch.heard("health", "", scene.now_ns + 200 * NS)
    for later_s in range(201, 500):
        depths["proofs"] = (later_s, 1000)
        scene.watch.heard("health", "", scene.now_ns + later_s * NS)
    assert scene.watch.findings == []


def test_i7_nobody_looked_while_it_was_away_and_yet_a_new_daemon_begins_anew() -> None:
    # faults: H1
    scene, depths = Scene(), {"proofs": (0, 1000)}
    scene.watch.waits(lambda: depths)
    for second in (*range(150), *range(320, 500)):
        if second == 320:
            scene.watch.began()
        depths["proofs"] = (15 if second < 320 else 82, 1000)
        scene.watch.heard("health", "", scene.now_ns + second * NS)
    assert scene.watch.findings == []
