"""The gate and the limits of section 6: what counts, and whose figure binds.  # faults: G5 G6"""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmbot.domain.events import OrderSeen
from mmbot.domain.facts import PlacementRefused
from mmbot.domain.ids import ExternalId, LineId, MarketId
from mmbot.domain.order import Order, State
from mmbot.engine.ledger import Ledger
from mmbot.engine.limits import LimitBook, Override, Scope
from mmbot.engine.risk import Gate, Refused
from tests.builders import NOW, RUN, a_ledger, a_line, a_report, lines_of
from tests.builders import an_order as in_ledger
from tests.engine.desk import Desk
from tests.engine.situations import ALL_IS_WELL, LIMITS, an_order, levels


def test_the_row_of_its_tournament_binds_a_line_and_no_other() -> None:
    row = Override(Scope(tournament=31), {"order_quantity_max_cents": 4_999}, "[[risk.scopes]] #1")
    gate = Gate(LimitBook(LIMITS, [row]))
    verdict = gate.review(an_order(), ALL_IS_WELL)
    assert isinstance(verdict, Refused)
    assert (verdict.check, verdict.detail) == ("quantity_allowed", "50.00 is more than 49.99")
    assert ALL_IS_WELL.event is not None
    elsewhere = replace(ALL_IS_WELL, event=replace(ALL_IS_WELL.event, tournament_id=32))
    assert not isinstance(gate.review(an_order(), elsewhere), Refused)


def test_above_what_may_be_held_the_way_back_is_open_and_no_other() -> None:
    gate = Gate(LimitBook(LIMITS))
    now = levels(tournament_held=95_000, portfolio_held=105_000)
    above = replace(ALL_IS_WELL, levels_now=now, levels_after=now)
    assert not isinstance(gate.review(an_order(), above), Refused)
    for check, after in (
        ("within_tournament_held", levels(tournament_held=95_001, portfolio_held=105_000)),
        ("within_total_held", levels(tournament_held=95_000, portfolio_held=105_001)),
    ):
        verdict = gate.review(an_order(), replace(above, levels_after=after))
        assert isinstance(verdict, Refused)
        assert verdict.check == check


MONEY = ["market_loss", "event_loss", "tournament_loss", "tournament_held", "total_held"]


@pytest.mark.parametrize("figure", MONEY)
def test_what_the_ledger_counts_is_what_the_gate_is_shown(figure: str) -> None:
    """Two orders of 50.00 on the opposite strikes of one line: one of them may be lost."""
    row = {f"{figure}_max_cents": 5_000}
    desk = Desk(limits=LimitBook(replace(LIMITS, **row)))
    desk.all_well()
    assert len(desk.placed) == 2
    tight = Desk(limits=LimitBook(replace(LIMITS, **{f"{figure}_max_cents": 4_999})))
    refused = [one for one in tight.all_well().facts if isinstance(one, PlacementRefused)]
    assert tight.placed == []
    assert {one.check for one in refused} == {f"within_{figure}"}


def another(number: int, line_id: str, market: int, **changes: object) -> Order:
    return in_ledger(
        f"mm-{RUN}-{number}", line_id=LineId(line_id), market_id=MarketId(market), **changes
    )


def resting(ledger: Ledger, line_id: str) -> int:
    return ledger.market_resting_cents(LineId(line_id))


def test_all_lines_and_sides_of_a_market_count_whatever_the_state_of_their_orders() -> None:
    ledger = a_ledger()
    total, other = another(1, "501/7/2.5", 7, quantity=1_000), another(2, "501/8/0", 8, quantity=5)
    over = another(3, "501/7/3.5", 7, quantity=30, side=1)
    for order in (total, other, over):
        ledger.intend(order)
    assert (resting(ledger, "501/7/9.5"), resting(ledger, "501/8/0")) == (1_030, 5)
    ledger.apply(OrderSeen(a_report(total, filled=400), "stream", NOW), NOW)
    assert resting(ledger, "501/7/2.5") == 630
    ledger.want_cancel(total.external_id, NOW)
    assert resting(ledger, "501/7/2.5") == 630
    ledger.apply(OrderSeen(a_report(total, filled=400, status="canceled"), "stream", NOW), NOW)
    assert resting(ledger, "501/7/2.5") == 30
    ledger.check_sums()


def test_a_persons_order_counts_on_its_market() -> None:
    ledger = a_ledger()
    ledger.line_of = lines_of(a_line())
    theirs = replace(a_report(in_ledger(quantity=700)), external_id=ExternalId("by-hand"))
    ledger.apply(OrderSeen(theirs, "stream", NOW), NOW)
    assert resting(ledger, "501/251/0") == 700


def test_an_order_in_doubt_is_an_open_order() -> None:
    full = replace(ALL_IS_WELL, open_orders=LIMITS.open_orders_max)
    gate = Gate(LimitBook(LIMITS))
    again = an_order(state=State.IN_DOUBT)
    assert not isinstance(gate.review(again, full, resend=True), Refused)
    refused = gate.review(an_order(), full)
    assert refused == Refused("within_open_orders", "it would be open order 101 of 100")
