"""What rests is brought back inside its limits when something outside moved them.
# faults: G2 G3 G6"""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmbot.domain.catalog import Catalog
from mmbot.domain.events import BalanceSeen, CatalogSeeded, OrderSeen
from mmbot.domain.facts import Alarm
from mmbot.domain.ids import ExternalId, LineId, MarketId, OrderId, StrikeId
from mmbot.domain.order import Order
from mmbot.engine.limits import LimitBook, Override, Scope
from mmbot.engine.ports import Effects
from tests.builders import a_report
from tests.engine.desk import Desk
from tests.engine.situations import AWAY, EVENT, HOME, LIMITS, LINE, S

OVER = StrikeId("over")


def cash(desk: Desk, cents: int | None) -> BalanceSeen:
    return BalanceSeen(cents, desk.now_ns, cents)


def leaving(desk: Desk) -> set[str]:
    """Strikes on which an order of ours is being cancelled."""
    return {str(one.strike_id) for one in desk.ledger.live() if one.cancel_wanted}


def alarms(effects: Effects) -> list[str]:
    return [one.detail for one in effects.facts if isinstance(one, Alarm)]


def by_hand(order: Order, cents: int, strike: StrikeId = HOME) -> OrderSeen:
    """A person rests an order beside ours."""
    theirs = replace(
        a_report(replace(order, strike_id=strike, quantity_cents=cents)),
        external_id=ExternalId("by-hand"),
        order_id=OrderId("by-hand"),
    )
    return OrderSeen(theirs, "stream", order.intended_ns)


@pytest.mark.parametrize(
    ("cents", "gone"),
    [
        (1_250, 0),  # 100.00 rest: exactly 8 times it
        (1_249, 1),
        (1_001, 1),  # 9.99 times
        (1_000, 1),  # 10 times
        (200, 2),  # 50 times
        (0, 2),
        (-500, 2),
    ],
)
def test_when_the_cash_falls_orders_go_until_the_rest_is_allowed(cents: int, gone: int) -> None:
    desk = Desk()
    desk.quoting()
    told = alarms(desk.wait(1.0, cash(desk, cents)))
    assert len(leaving(desk)) == gone
    assert (told == []) == (gone == 0)
    assert alarms(desk.wait(1.0)) == []  # once
    assert len(leaving(desk)) == gone  # what is being cancelled counts as gone


@pytest.mark.parametrize(("cents", "pages"), [(1_000, 0), (999, 1), (200, 1), (-500, 1), (None, 0)])
def test_beyond_the_exchanges_own_multiple_a_person_is_called_once(
    cents: int | None, pages: int
) -> None:
    desk = Desk()
    desk.quoting()  # 100.00 rest
    called = []
    for wait in (desk.wait(1.0, cash(desk, cents)), desk.wait(1.0), desk.wait(1.0)):
        called += [one for one in wait.facts if isinstance(one, Alarm) and one.page]
    assert len(called) == pages


def test_what_went_is_not_placed_again_before_there_is_room() -> None:
    desk = Desk()
    first, second = desk.quoting()
    desk.wait(1.0, cash(desk, 1_000))
    (gone,) = (one for one in (first, second) if str(one.strike_id) in leaving(desk))
    desk.wait(1.0, *desk.ended(gone))
    desk.wait(1.0)
    assert len(desk.placed) == 2
    desk.wait(1.0, cash(desk, 100_000))
    desk.wait(1.0)
    assert len(desk.placed) == 3


def test_an_unknown_balance_cancels_nothing_and_places_nothing() -> None:
    desk = Desk()
    first, _ = desk.quoting()
    desk.wait(1.0, cash(desk, None))
    for _ in range(26):  # longer than the last figure counts
        desk.now_ns += 5 * S
        desk.tell(desk.book(), desk.fair())
    assert leaving(desk) == set()
    desk.tell(*desk.ended(first))
    desk.wait(1.0)
    assert len(desk.placed) == 2


def test_a_persons_order_takes_the_room_of_ours_on_the_side_that_loses() -> None:
    desk = Desk()
    first, _ = desk.quoting()
    told = alarms(desk.tell(by_hand(first, 45_000)))
    desk.wait(0.5)
    assert leaving(desk) == set()  # 500.00 of 500.00
    told = alarms(desk.wait(0.5, by_hand(first, 45_001)))
    assert leaving(desk) == {HOME}
    assert "line 1/10/0 500.01 of 500.00" in told
    desk.wait(0.5, by_hand(first, 60_000))
    assert leaving(desk) == {HOME}  # the other one never was the trouble


TOTAL = replace(
    LINE,
    line_id=LineId("1/11/2.5"),
    market_id=MarketId(11),
    market_type="total",
    strikes=(
        replace(LINE.strikes[0], strike_id=OVER),
        replace(LINE.strikes[1], strike_id=StrikeId("under")),
    ),
)


@pytest.mark.parametrize(
    ("level", "told"),
    [
        ("event_loss_max_cents", "sport event 1 400.01 of 400.00"),
        ("tournament_loss_max_cents", "tournament 31 400.01 of 400.00"),
        ("total_loss_max_cents", "everything 400.01 of 400.00"),
    ],
)
def test_each_wider_level_is_kept_too(level: str, told: str) -> None:
    """35,001 of a person on another line of the game, and 50.00 of ours: one of ours goes."""
    if level == "total_loss_max_cents":
        book = LimitBook(replace(LIMITS, total_loss_max_cents=40_000))
    else:
        book = LimitBook(LIMITS, [Override(Scope(tournament=31), {level: 40_000}, "row")])
    desk = Desk(limits=book)
    first, _ = desk.quoting()
    desk.tell(CatalogSeeded(Catalog.of([EVENT], [LINE, TOTAL])))
    said = alarms(desk.wait(1.0, by_hand(first, 35_001, OVER)))
    assert told in said
    assert len(leaving(desk) & {HOME, AWAY}) >= 1
