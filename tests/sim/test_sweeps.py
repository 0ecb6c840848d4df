"""What is unwanted while nothing tells what rests: it must be swept all the same."""

from __future__ import annotations

import pytest

from mmbot.sim.faults.faulty_ports import Sent
from mmbot.sim.faults.plan import Fault, Injected
from mmbot.sim.virtual.island import Island
from mmbot.sim.virtual.loop import VirtualLoop
from mmbot.sim.witness.sweeps import Sweeps
from tests.sim.watching import NS, Scene

LAG_S = 12


class Dark:
    """Two orders that nobody wants, and one that is wanted."""

    def __init__(self) -> None:
        self.scene = Scene()
        self.orders = [self.scene.rests(f"mm-{n}", price=2000 + 500 * n) for n in range(3)]
        maker = self.scene.box.maker
        self.sweeps = Sweeps(maker, {"mm-0", "mm-1"}, LAG_S * NS, self.scene.now_ns)

    def passes(self, calm_s: int = 93, a_person: bool = False) -> None:
        """The way of the scene: a calm, its own two switches, and two looks."""
        self.scene.now_ns += calm_s * NS
        self.sweeps.begin(self.scene.now_ns, a_person)
        for _ in range(2):
            self.sweeps.hindered(self.scene.now_ns)
        self.sweeps.look(self.scene.now_ns, last=False)

    def ends(self) -> list[str]:
        self.scene.now_ns += 29 * NS
        self.sweeps.look(self.scene.now_ns, last=True)
        return [found.split(",")[0] for found in self.sweeps.findings]


# faults: A3b B4
def test_what_is_unwanted_and_alive_at_both_looks_was_not_swept() -> None:
    dark = Dark()
    dark.passes()
    dark.scene.box.exchange.cancel(dark.orders[1], dark.scene.now_ns)
    assert dark.ends() == ["I2: mm-0: unwanted"]


# faults: A3b B12 H1
@pytest.mark.parametrize("why", ["short calm", "a person", "a crash", "a read"])
def test_where_something_else_was_in_the_way_nothing_is_said(why: str) -> None:
    dark = Dark()
    dark.passes(calm_s=91 if why == "short calm" else 93, a_person=why == "a person")
    now_ns = dark.scene.now_ns
    if why == "a crash":
        what = "POST /partner/v4/mm/submit_multiple_orders"
        dark.sweeps.struck(Injected(now_ns, Fault.CRASH_AFTER, what), "")
    if why == "a read":
        what = "GET /partner/v4/mm/get_order_history"
        dark.sweeps.struck(Injected(now_ns, Fault.ERROR_AFTER, what), "")
    assert dark.ends() == []


# faults: A3b
def test_a_lost_reply_of_a_placement_is_what_the_scene_is_about() -> None:
    dark = Dark()
    dark.passes()
    what = "POST /partner/v4/mm/submit_multiple_orders"
    dark.sweeps.struck(Injected(dark.scene.now_ns, Fault.ERROR_AFTER, what), "")
    assert dark.ends() == ["I2: mm-0: unwanted", "I2: mm-1: unwanted"]


# faults: B12 H1
@pytest.mark.parametrize("listed", [True, False])
def test_no_strike_is_swept_before_a_list_has_come(listed: bool) -> None:
    dark, loop = Dark(), VirtualLoop(1)
    island = Island(loop, "a daemon")
    history = Sent("GET", "/partner/v4/mm/get_order_history", {}, b"", "report", island)
    dark.sweeps.sent(history, dark.scene.now_ns)
    dark.sweeps.answered(history, (200 if listed else 503, {}, b""), dark.scene.now_ns)
    sweep = Sent("POST", "/partner/v4/mm/cancel_orders_by_market", {}, b"{}", "cancel", island)
    dark.sweeps.sent(sweep, dark.scene.now_ns)
    assert [found[:2] for found in dark.sweeps.findings] == ["I4"] * (not listed)
    loop.close()
