"""How much of each limit is used, where it is used most, and what it refuses now."""

from __future__ import annotations

from dataclasses import fields, replace

from mmbot.domain.events import BalanceSeen
from mmbot.domain.ids import StrikeId
from mmbot.domain.price import Price
from mmbot.engine.limit_use import REFUSED_BY, Use, uses
from mmbot.engine.limits import LimitBook, Limits, Override, Scope
from mmbot.engine.refusals import Refusals
from mmbot.engine.risk import CHECK_NAMES
from tests.engine.desk import Desk
from tests.engine.situations import EVENT, LIMITS, S

NOT_A_SHARE = {"price_age_max_ns", "fair_age_max_ns", "quantity_min_cents", "start_margin_ns"}


def shown(desk: Desk) -> dict[str, Use]:
    return {one.figure: one for one in uses(desk.engine.parts, desk.now_ns)}


def test_every_limit_has_a_row_and_the_check_that_asks_it() -> None:
    figures = {one.name for one in fields(Limits)} - NOT_A_SHARE - {"simultaneous_events_max"}
    assert set(REFUSED_BY) == figures
    assert set(REFUSED_BY.values()) <= set(CHECK_NAMES)
    assert [*shown(Desk())] == [*REFUSED_BY]


def test_what_rests_uses_each_level() -> None:
    desk = Desk()
    desk.all_well()  # 50.00 on each strike of one line, with 10,000.00 of cash
    seen = {figure: (one.used, one.refused) for figure, one in shown(desk).items()}
    assert seen == {
        "order_quantity_max_cents": (5_000, 0),
        "strike_resting_max_cents": (5_000, 0),
        "market_resting_max_cents": (10_000, 0),
        "open_orders_max": (2, 0),
        "line_loss_max_cents": (5_000, 0),
        "market_loss_max_cents": (5_000, 0),
        "event_loss_max_cents": (5_000, 0),
        "tournament_held_max_cents": (0, 0),
        "tournament_loss_max_cents": (5_000, 0),
        "total_held_max_cents": (0, 0),
        "total_loss_max_cents": (5_000, 0),
        "unmatched_cash_multiple_max": (0.01, 0),
        "balance_reserve_cents": (0, 0),
    }
    about = {figure: one.about for figure, one in shown(desk).items()}
    assert about["event_loss_max_cents"] == EVENT.name
    assert about["line_loss_max_cents"] == f"{EVENT.name}: Moneyline"
    assert about["tournament_loss_max_cents"] == EVENT.tournament_name
    assert about["total_loss_max_cents"] == ""


def test_the_figure_and_the_table_are_those_that_bind_there() -> None:
    row = Override(Scope(event=EVENT.event_id), {"event_loss_max_cents": 6_000}, "row 1")
    desk = Desk(limits=LimitBook(LIMITS, [row]))
    desk.all_well()
    seen = shown(desk)
    assert (seen["event_loss_max_cents"].allowed, seen["event_loss_max_cents"].table) == (
        6_000,
        "row 1",
    )
    assert seen["market_loss_max_cents"].table == "[risk]"


def test_a_limit_that_refuses_what_is_wanted_says_how_often_while_it_does() -> None:
    desk = Desk(limits=LimitBook(replace(LIMITS, event_loss_max_cents=4_999)))
    desk.all_well()
    assert shown(desk)["event_loss_max_cents"].refused == 2
    desk.strategy.wants = ()
    desk.wait(1.0)
    desk.wait(1.0)
    desk.wait(2.0)
    assert shown(desk)["event_loss_max_cents"].refused == 0


def test_without_a_balance_its_use_is_not_known() -> None:
    desk = Desk()
    desk.recovered()
    seen = shown(desk)
    assert seen["unmatched_cash_multiple_max"].used is None
    assert seen["balance_reserve_cents"].used is None
    desk.all_well()
    desk.wait(1.0, BalanceSeen(-500, desk.now_ns, 0))
    assert shown(desk)["unmatched_cash_multiple_max"].used is None
    assert shown(desk)["balance_reserve_cents"].used == LIMITS.balance_reserve_cents


def test_a_refusal_is_news_once_until_it_changes_or_passes() -> None:
    refusals, strike, price = Refusals(), StrikeId("s"), Price(105)
    assert refusals.refused(strike, price, "within_line_loss", 0)
    assert not refusals.refused(strike, price, "within_line_loss", S)
    assert refusals.refused(strike, price, "within_event_loss", 2 * S)
    assert refusals.going_on(5 * S) == {"within_event_loss": 1}
    assert refusals.going_on(5 * S + 1) == {}
    refusals.passed(strike, price)
    assert refusals.refused(strike, price, "within_event_loss", 3 * S)
