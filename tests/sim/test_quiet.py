"""In a market in which nobody trades, what rests goes on resting: the judge of quiet minutes."""

from __future__ import annotations

import pytest

from mmbot.sim.core.orders import Order
from mmbot.sim.faults.faulty_ports import Sent
from mmbot.sim.faults.kinds import RouteKind
from mmbot.sim.faults.plan import Fault, Injected
from mmbot.sim.virtual.island import Island
from mmbot.sim.virtual.loop import VirtualLoop
from mmbot.sim.witness.quiet import Quiet
from tests.sim.watching import BALANCE, NS, Scene

KNOWN_S = 80  # past what happened before
LONG_S = 140


class Still:
    """One order of ours that rests; `shown` = its books were told as they are."""

    def __init__(self, lag_s: int = 0) -> None:
        self.scene = Scene()
        self.shown = True
        self.quiet = Quiet(self.scene.box.maker, "mm", lambda order: self.shown, lag_s * NS)
        self.scene.box.witnesses.hearers.append(self.quiet.order_changed)
        self.order = self.scene.rests("mm-1")
        self.quiet.begin(self.scene.now_ns)

    def waits(self, seconds: float) -> None:
        self.scene.now_ns += round(seconds * NS)

    def pulls(self, order: Order) -> list[str]:
        self.scene.box.exchange.cancel(order, self.scene.now_ns)
        return [found.rpartition(":")[0] for found in self.quiet.findings]

    def trades(self) -> None:
        """What was filled of it long ago is taken back."""
        self.quiet.order_changed(self.order, "taken back 100", self.scene.now_ns)

    def answered(self, status: int, kind: RouteKind = "read") -> None:
        request = Sent("GET", BALANCE, {}, b"", kind, None)
        self.quiet.answered(request, (status, {}, b""), self.scene.now_ns)


# faults: E2
def test_what_is_pulled_in_a_quiet_market_is_found() -> None:
    still = Still()
    still.waits(KNOWN_S)
    assert still.pulls(still.order) == ["E2: mm-1"]


# faults: E2
@pytest.mark.parametrize(
    "why",
    [
        "short",
        "a strike",
        "a refusal",
        "away",
        "a start",
        "unshown",
        "new",
        "a person's",
        "over",
        "a fill",
        "lag",
    ],
)
def test_where_something_else_was_in_the_way_nothing_is_said(why: str) -> None:
    still, order = Still(lag_s=40 if why == "lag" else 0), None
    still.waits(KNOWN_S - 20 if why == "short" else KNOWN_S)
    match why:
        case "a strike":
            still.quiet.struck(Injected(still.scene.now_ns, Fault.SILENCE, "5.0 s"), "")
        case "a refusal":
            still.answered(429)
        case "away":
            still.answered(502)
        case "a start":
            loop = VirtualLoop(1)
            island = Island(loop, "a daemon")
            loop.close()
            request = Sent("GET", BALANCE, {}, b"", "read", island)
            still.quiet.sent(request, still.scene.now_ns)
        case "unshown":
            still.shown = False
        case "new":
            order = still.scene.rests("mm-2")
        case "a person's":
            order = still.scene.accepts("by-hand-1")
        case "a fill":
            still.trades()
        case "over":
            still.quiet.end(still.scene.now_ns)
    assert still.pulls(order or still.order) == []


# faults: E2
def test_what_happens_to_orders_alone_is_no_reason_to_pull() -> None:
    still = Still()
    still.waits(KNOWN_S)
    for what in ("POST /partner/v4/mm/submit_multiple_orders mm-2", "orders"):
        still.quiet.struck(Injected(still.scene.now_ns, Fault.FRAME_LOST, what), "")
    still.answered(404)
    still.answered(500, "place")
    assert still.pulls(still.order) == ["E2: mm-1"]


# faults: E2
def test_only_long_minutes_with_something_at_rest_count_as_judged() -> None:
    long, short, empty = Still(), Still(), Still()
    for still, seconds in ((long, LONG_S), (short, KNOWN_S), (empty, LONG_S)):
        still.waits(seconds)
    empty.scene.box.exchange.cancel(empty.order, empty.scene.now_ns)
    judged = [still.quiet.end(still.scene.now_ns) for still in (long, short, empty)]
    assert judged == [True, False, False]
