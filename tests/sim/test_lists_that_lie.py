"""Lists leave an order out until its client would rightly believe that it is not there."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from mmbot.sim.faults.faulty_ports import Sent
from mmbot.sim.virtual.island import Island
from mmbot.sim.virtual.loop import VirtualLoop
from mmbot.sim.witness.lists import Lists
from tests.sim.builders import NS, Client, a_box, a_line

LATER_S = 60.0


class Scene:
    """One order that nobody told its client of, and lists that leave it out."""

    def __init__(self, loop: VirtualLoop, lag_s: float = 0.0) -> None:
        self.box = a_box()
        self.client = Client(self.box)
        self.lists = Lists(round(lag_s * NS), lambda: self.client.now_ns)
        self.box.witnesses.reporting.tells = self.lists.tell
        assert self.box.switches.set_all({"changes_unlisted": True}) is None
        self.island = Island(loop, "daemon")
        self.order = self.client.order(a_line(self.box).strikes[0].strike_id, 900, 5.0)
        self.sends()
        self.client.api("POST", "/v4/mm/submit_order", self.order)

    def request(self) -> Sent:
        body = json.dumps({"data": [self.order]}).encode()
        return Sent("POST", "/v4/mm/submit_multiple_orders", {}, body, "place", self.island)

    def sends(self) -> None:
        self.lists.sent(self.request(), self.client.now_ns)

    def is_told_that_it_exists(self, whole: bool = True) -> None:
        row = {"error": "order_external_id_existed", "request": self.order}
        body = json.dumps({"data": {"failed_orders": [row]}}).encode()
        reply = (200, dict[str, str](), body if whole else body[:-9])
        self.lists.answered(self.request(), reply, self.client.now_ns)

    def listed(self) -> bool:
        now_s = self.client.now_ns // NS
        query = f"from={now_s - 300}&to={now_s + 60}"
        found = self.client.api("GET", f"/v4/mm/get_order_history?{query}")[1]["data"]["orders"]
        return bool(found)


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    made = VirtualLoop(1)
    yield made
    made.close()


# faults: B13 A11
def test_what_was_undone_is_always_listed(loop: VirtualLoop) -> None:
    scene = Scene(loop)
    assert not scene.listed()
    (order,) = scene.box.maker.orders
    scene.lists.order_changed(order, "taken back: a bust", scene.client.now_ns)
    assert scene.listed()


# faults: A11
@pytest.mark.parametrize("lag_s", [0.0, 12.0])
def test_one_list_past_the_arrival_bound_may_be_false_and_no_second(
    loop: VirtualLoop, lag_s: float
) -> None:
    scene = Scene(loop, lag_s)
    scene.client.wait(81 + lag_s)
    assert not scene.listed()
    scene.client.wait(3)
    assert scene.listed()


# faults: A11 H1
def test_a_client_that_died_since_waits_for_no_reply(loop: VirtualLoop) -> None:
    """Nothing of it is on its way: it believes lists sooner."""
    scene = Scene(loop)
    scene.client.wait(4)
    scene.island.abandon()
    scene.client.wait(69)
    assert not scene.listed()
    scene.client.wait(3)
    assert scene.listed()


# faults: A11 H1 H2
def test_a_client_that_dies_as_it_sends_waits_for_no_reply(loop: VirtualLoop) -> None:
    """A request may be what kills it: then both have the same time (seed 1013)."""
    scene = Scene(loop)
    scene.client.wait(4)
    scene.sends()
    scene.island.abandon()
    scene.client.wait(69)
    assert not scene.listed()
    scene.client.wait(3)
    assert scene.listed()


# faults: A11 A1
def test_an_attempt_more_moves_the_bound(loop: VirtualLoop) -> None:
    scene = Scene(loop)
    scene.client.wait(40)
    scene.sends()
    scene.client.wait(50)
    assert not scene.listed()


# faults: A11
def test_lists_may_go_on_where_the_client_knows_better(loop: VirtualLoop) -> None:
    scene = Scene(loop)
    scene.is_told_that_it_exists()
    scene.client.wait(200)
    assert not scene.listed()


# faults: A11 A5
def test_an_answer_that_cannot_be_read_told_nothing(loop: VirtualLoop) -> None:
    scene = Scene(loop)
    scene.is_told_that_it_exists(whole=False)
    scene.client.wait(100)
    assert scene.listed()


# faults: A11 H1
@pytest.mark.parametrize(("lived_s", "listed"), [(1.0, True), (LATER_S + 1.0, False)])
def test_a_client_that_dies_at_once_may_have_forgotten_it(
    loop: VirtualLoop, lived_s: float, listed: bool
) -> None:
    scene = Scene(loop)
    scene.is_told_that_it_exists()
    scene.client.wait(lived_s)
    scene.island.abandon()
    scene.client.wait(100)
    assert scene.listed() is listed


# faults: A11 A16
@pytest.mark.parametrize("answered", [True, False])
def test_what_has_ended_without_a_word_is_listed_unless_its_client_knew_it(
    loop: VirtualLoop, answered: bool
) -> None:
    scene = Scene(loop)
    body = json.dumps({"data": {"failed_orders": None, "succeed_orders": [scene.order]}})
    if answered:
        scene.lists.answered(scene.request(), (200, {}, body.encode()), scene.client.now_ns)
    scene.client.wait(10)
    scene.client.api("POST", "/v4/mm/cancel_all_orders", {})
    scene.client.wait(71)
    assert not scene.listed()
    scene.client.wait(3)
    assert scene.listed() is not answered


# faults: A1 A11
def test_absence_is_believed_when_nothing_that_was_sent_may_come_any_more(
    loop: VirtualLoop,
) -> None:
    scene = Scene(loop)
    scene.client.wait(59)
    scene.lists.absent(str(scene.order["external_id"]))
    (found,) = scene.lists.findings
    assert found.endswith("absence believed 59.0 s after it was sent")
    scene.client.wait(1)
    scene.lists.absent(str(scene.order["external_id"]))
    scene.lists.absent("one that never left")
    assert scene.lists.findings == [found]
