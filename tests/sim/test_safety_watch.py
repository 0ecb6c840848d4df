"""The judge of safety: a client that goes too far is found in the step in which it does."""

from __future__ import annotations

from dataclasses import replace

from mmbot.sim.box import Box
from mmbot.sim.core.lifecycle import Line
from mmbot.sim.core.orders import Order, OrderRequest
from mmbot.sim.scenario import BoxOptions, with_table
from mmbot.sim.timeline.hand_actions import Take
from mmbot.sim.timeline.moves import Moves
from mmbot.sim.witness.purse import BELIEVED_NS, Purse
from mmbot.sim.witness.safety_watch import Losses, Rules, SafetyWatch

NS = 10**9
BORN_NS = 1_795_359_600 * NS
UNKNOWN_NS = 75 * NS
WIDE = Losses(line=10**7, market=10**7, event=10**7, tournament=10**7, total=10**7)


class Knows:
    """A client that knows of all that is `unknown_s` old; some orders it had given up."""

    def __init__(self) -> None:
        self.late: set[str] = set()

    def given_up(self, ident: str, now_ns: int) -> bool:
        return ident in self.late

    def may_audit(self, now_ns: int, since_ns: int = 0) -> bool:
        return now_ns - since_ns > UNKNOWN_NS


class Scene:
    def __init__(self, limits: Losses, **rules: object) -> None:
        asked = {"rules": rules, "events": {"count": 1, "lines": 8}}
        self.box = Box(with_table(BoxOptions(seed=3), asked), BORN_NS)
        self.box.control.takers({"on": False}, BORN_NS)
        self.now_ns = BORN_NS + NS
        self.knows = Knows()
        keeps = Rules("mm", limits, cash_multiple=8.0, fee_bps=200, unknown_ns=UNKNOWN_NS)
        purse = Purse(self.box.switches, UNKNOWN_NS)
        self.watch = SafetyWatch(keeps, self.knows, purse)
        self.box.witnesses.hearers.append(self.watch.order_changed)
        lines = self.box.exchange.listing.events.values()
        self.event = next(iter(lines))

    def line(self, kind: str, number: int = 0) -> Line:
        return [line for line in self.event.lines if line.kind == kind][number]

    def rests(self, ident: str, line: Line, side: int, usd: int = 10, price: int = 3000) -> Order:
        self.now_ns += NS // 10
        request = OrderRequest(ident, line.strikes[side].strike_id, price, usd * 100)
        order = self.box.exchange.accept(self.box.maker, request, self.now_ns)
        assert isinstance(order, Order)
        self.now_ns += NS // 10
        self.box.exchange.advance(self.now_ns)
        return order

    def cash(self, usd: float) -> None:
        self.box.exchange.set_cash(self.box.maker, round(usd * 100), self.now_ns)

    def found(self) -> str:
        return "\n".join(self.watch.findings)


# faults: G5 G6
def test_i3_every_level_has_its_limit_and_what_offsets_is_counted_once() -> None:
    scene = Scene(replace(WIDE, event=25_00))
    total, spread = scene.line("total"), scene.line("spread")
    scene.rests("mm-1", total, 0)
    scene.rests("mm-2", total, 1)  # only one of them can lose
    scene.rests("mm-3", spread, 0)
    assert scene.found() == ""
    scene.rests("mm-4", scene.line("moneyline"), 0)
    assert "I3: mm-4 lets its event lose up to 3000 cents, limit 2500" in scene.found()
    for level in ("line", "market", "tournament", "total"):
        scene = Scene(replace(WIDE, **{level: 9_00}))
        scene.rests("mm-1", total, 0)
        assert f"I3: mm-1 lets its {level} lose up to 1000 cents, limit 900" in scene.found()


# faults: G6
def test_i3_what_a_person_did_counts_once_it_must_be_known() -> None:
    scene = Scene(replace(WIDE, event=25_00))
    scene.rests("by-hand-1", scene.line("moneyline"), 0, usd=20)
    scene.rests("mm-1", scene.line("spread"), 0)
    assert scene.found() == ""
    scene.now_ns += UNKNOWN_NS + NS
    scene.rests("mm-2", scene.line("spread"), 1, usd=3)  # adds nothing to the worst
    assert scene.found() == ""
    scene.rests("mm-3", scene.line("total"), 0, usd=1)
    assert "I3: mm-3 lets its event lose up to 3100 cents, limit 2500" in scene.found()


# faults: A15 B13
def test_i3_what_came_late_or_was_undone_is_not_held_against_the_next() -> None:
    scene = Scene(replace(WIDE, event=15_00))
    scene.knows.late.add("mm-1")
    scene.rests("mm-1", scene.line("moneyline"), 0)
    scene.rests("mm-2", scene.line("spread"), 0)
    assert scene.found() == ""
    scene.now_ns += UNKNOWN_NS + NS
    scene.rests("mm-3", scene.line("total"), 0, usd=1)
    assert "I3: mm-3 lets its event" in scene.found()


# faults: G7
def test_g7_own_orders_that_cross_or_trade() -> None:
    scene = Scene(WIDE, self_match="invalid")
    line = scene.line("moneyline")
    scene.rests("mm-1", line, 0, price=-150)
    scene.rests("mm-2", line, 1, price=155)
    assert scene.found() == ""
    scene.rests("mm-3", line, 1, price=150)
    assert "G7: mm-3 crosses mm-1, +150 and -150" in scene.found()


# faults: G7 B12
def test_g7_a_persons_order_is_crossed_only_by_who_must_know_it() -> None:
    scene = Scene(WIDE, self_match="invalid")
    line = scene.line("moneyline")
    scene.rests("by-hand-1", line, 0, price=-150)
    scene.rests("mm-1", line, 1, price=150)
    assert scene.found() == ""
    scene.now_ns += UNKNOWN_NS + NS
    scene.rests("mm-2", line, 1, price=150)
    assert "G7: mm-2 crosses by-hand-1" in scene.found()


# faults: G5
def test_all_quotes_of_an_event_filled_at_once_leave_its_worst_case() -> None:
    scene = Scene(replace(WIDE, event=30_00))
    for kind in ("moneyline", "spread", "total"):
        scene.rests(f"mm-{kind}", scene.line(kind), 0, price=100)
    Moves(scene.box).perform(Take(), scene.now_ns)
    scene.rests("mm-4", scene.line("total"), 0, usd=1)
    assert "I3: mm-4 lets its event lose up to 3100 cents" in scene.found()


# faults: G2
def test_g2_what_rests_is_a_multiple_of_the_cash_that_must_be_known() -> None:
    scene = Scene(WIDE)
    scene.rests("mm-1", scene.line("moneyline"), 0, usd=20)
    scene.cash(usd=2.3)
    scene.rests("mm-2", scene.line("total"), 0, usd=1)
    assert scene.found() == ""
    scene.now_ns += UNKNOWN_NS + NS
    scene.rests("mm-3", scene.line("total"), 0, usd=1)
    assert "G2: with mm-3 2200 cents rest, limit 1840" in scene.found()


# faults: G3
def test_g3_nothing_is_placed_while_nobody_knows_the_balance() -> None:
    scene = Scene(WIDE)
    scene.box.switches.set_all({"balance_key_absent": True})
    scene.rests("mm-1", scene.line("moneyline"), 0)
    scene.now_ns += BELIEVED_NS - NS
    scene.rests("mm-2", scene.line("spread"), 0)
    assert scene.found() == ""
    scene.now_ns += 2 * NS
    scene.rests("mm-3", scene.line("total"), 0)
    assert "G3: mm-3 was placed while no answer tells the balance" in scene.found()
    scene.box.switches.set_all({"balance_key_absent": False})
    scene.rests("mm-4", scene.line("total"), 1)
    assert "mm-4" not in scene.found()
