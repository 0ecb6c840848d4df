"""Nothing is quoted in play, whichever clock tells; a doubt ends by the exchange's word."""

# faults: F1 F2 F3 F4 F5 F6 F7 F8

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mmbot.domain.catalog import Catalog
from mmbot.domain.commands import CancelOrders
from mmbot.domain.events import (
    CatalogSeeded,
    Event,
    FairUpdated,
    FixtureTold,
    MarketStatusChanged,
    OrderSeen,
    PlaceRefused,
    SportEventChanged,
    SportEventsListed,
    SportEventUnlisted,
)
from mmbot.domain.facts import Alarm
from mmbot.domain.ids import LineId, StrikeId
from mmbot.domain.order import Order
from mmbot.engine.go_live import PERHAPS
from mmbot.engine.ports import Effects
from mmbot.engine.state import MarketState
from tests.builders import a_report
from tests.engine.desk import Desk
from tests.engine.situations import EVENT, LIMITS, LINE, NOW_NS, S

MARGIN_S = LIMITS.start_margin_ns / S


def pulled(effects: Effects) -> set[str]:
    batches = [one for one in effects.commands if isinstance(one, CancelOrders)]
    return {ref.external_id for batch in batches for ref in batch.refs}


def starting_in(desk: Desk, seconds: float) -> SportEventChanged:
    return SportEventChanged(replace(EVENT, start_ns=desk.now_ns + round(seconds * S)))


def alive(desk: Desk, seconds: float) -> None:
    """Time passes with everything fresh and every cancel confirmed."""
    for _ in range(round(seconds)):
        effects = desk.wait(1, desk.book(), desk.fair(), *desk.account()[:2])
        confirm(desk, effects)


def confirm(desk: Desk, effects: Effects) -> None:
    gone = pulled(effects)
    desk.tell(*desk.ended(*(order for order in desk.placed if order.external_id in gone)))


def resting(desk: Desk) -> int:
    return len(desk.ledger.live())


def quoting() -> tuple[Desk, tuple[Order, Order]]:
    desk = Desk()
    return desk, desk.quoting()


def idents(orders: tuple[Order, ...]) -> set[str]:
    return {order.external_id for order in orders}


# --- pulled, whichever clock tells ---------------------------------------------------------------

Tells = Callable[[Desk, tuple[Order, Order]], Event]

TELLS: dict[str, Tells] = {
    "brought forward with 5 s notice": lambda desk, _: starting_in(desk, 5),
    "the exchange says live": lambda _, __: SportEventChanged(replace(EVENT, status="live")),
    "postponed": lambda _, __: SportEventChanged(replace(EVENT, status="postponed")),
    "unlisted": lambda _, __: SportEventUnlisted(EVENT.event_id),
    "live when the stream is back": lambda _, __: SportEventsListed(
        (replace(EVENT, status="live"),), whole=True
    ),
    "gone when the stream is back": lambda _, __: SportEventsListed((), whole=False),
    "no longer in the listing": lambda _, __: CatalogSeeded(Catalog.of([], [])),
    "a feed says that it has begun": lambda desk, _: FixtureTold(
        EVENT.event_id, "feed", desk.now_ns - S
    ),
    "orders are wiped": lambda desk, both: OrderSeen(
        a_report(both[0], status="wiped"), "stream", desk.now_ns
    ),
    "a placement finds it closed": lambda _, both: PlaceRefused(
        both[0].external_id, "event_not_available", ""
    ),
}


@pytest.mark.parametrize("tells", TELLS.values(), ids=TELLS.keys())
def test_everything_is_pulled_in_the_turn_that_hears_of_it(tells: Tells) -> None:
    desk, both = quoting()
    effects = desk.tell(tells(desk, both))
    still = {order.external_id for order in desk.ledger.live()}
    assert pulled(effects) == idents(both) & still
    assert pulled(effects)
    confirm(desk, effects)
    alive(desk, 5)
    assert len(desk.placed) == 2


@pytest.mark.parametrize(("told_s", "quoted_after_s"), [(-1, 3), (1, 5), (12, 60)])
def test_a_refusal_that_a_suspension_explains_says_nothing_of_a_start(
    told_s: int, quoted_after_s: int
) -> None:
    # a suspension told long after the refusal explains nothing: the exchange has to speak
    desk, both = quoting()
    refused = PlaceRefused(both[0].external_id, "event_not_available", "")

    def suspended(status: str) -> MarketStatusChanged:
        return MarketStatusChanged(EVENT.event_id, LINE.market_id, None, status)

    order: dict[int, Event] = {
        0: refused,
        told_s: suspended("suspended"),
        max(told_s, 0) + 1: suspended("active"),
    }
    placed_s = None
    for second in range(-1, 40):
        told = [order[second]] if second in order else []
        confirm(desk, desk.wait(1, *told, desk.book(), desk.fair(), *desk.account()[:2]))
        if placed_s is None and len(desk.placed) > 2 and second > 0:
            placed_s = second
    assert placed_s is None if quoted_after_s > 40 else placed_s is not None
    assert placed_s is None or placed_s <= quoted_after_s


@pytest.mark.parametrize(("ahead_s", "pulled_after_s"), [(0, 30), (20, 10), (-600, 30)])
def test_the_margin_counts_by_our_clock_or_the_exchanges_whichever_is_ahead(
    ahead_s: int, pulled_after_s: int
) -> None:
    desk, both = quoting()
    desk.tell(starting_in(desk, MARGIN_S + 30))
    desk.tell(replace(desk.history(*both), date_ns=desk.now_ns + ahead_s * S))
    alive(desk, pulled_after_s - 2)
    assert resting(desk) == 2
    alive(desk, 3)
    assert resting(desk) == 0


def test_it_is_pulled_before_the_start_though_nobody_says_that_it_starts() -> None:
    desk, _ = quoting()
    desk.tell(starting_in(desk, MARGIN_S + 10))
    alive(desk, 8)
    assert resting(desk) == 2
    alive(desk, 3)
    assert resting(desk) == 0
    alive(desk, 300)  # long past the start, the status is still `not_started`
    assert len(desk.placed) == 2


def test_a_fair_value_that_jumps_near_the_start_holds_the_event_for_a_minute() -> None:
    desk, both = quoting()
    desk.tell(starting_in(desk, 1_000))
    alive(desk, 3)
    effects = desk.wait(1, desk.fair(0.7))
    assert pulled(effects) == idents(both)
    confirm(desk, effects)
    steady = [desk.wait(1, desk.book(), desk.fair(0.7)) for _ in range(58)]
    assert not any(effects.placements for effects in steady)
    desk.wait(3, desk.book(), desk.fair(0.7), *desk.account()[:2])
    assert len(desk.placed) == 4


def test_far_from_the_start_a_jump_is_news_and_no_start() -> None:
    desk, _ = quoting()
    alive(desk, 3)
    assert not pulled(desk.wait(1, desk.fair(0.7)))


# --- and it comes back by the exchange's word only -----------------------------------------------


def wiped() -> Desk:
    desk, both = quoting()
    effects = desk.tell(
        *(OrderSeen(a_report(o, status="wiped"), "stream", desk.now_ns) for o in both)
    )
    assert not effects.placements
    return desk


def test_wiped_orders_are_not_placed_again_while_the_listing_is_old() -> None:
    desk = wiped()
    alive(desk, 600)
    assert len(desk.placed) == 2


def test_a_word_from_before_the_wipe_proves_nothing() -> None:
    desk = wiped()
    desk.wait(2, SportEventChanged(EVENT))
    alive(desk, 10)
    assert len(desk.placed) == 2


def test_it_comes_back_when_the_exchange_says_later_that_it_has_not_started() -> None:
    desk = wiped()
    alive(desk, 31)
    desk.tell(CatalogSeeded(Catalog.of([EVENT], [LINE])), desk.book(), desk.fair())
    assert len(desk.placed) == 4


def test_a_jump_concerns_every_line_of_the_event() -> None:
    state = MarketState()
    other = replace(LINE, line_id=LineId("1/11/0"), strikes=LINE.strikes)
    soon = replace(EVENT, start_ns=NOW_NS + 1_000 * S)
    state.apply(CatalogSeeded(Catalog.of([soon], [other, LINE])), NOW_NS)
    for prob, touched in ((0.5, 1), (0.52, 1), (0.7, 2)):
        fair = FairUpdated(LINE.strikes[0].strike_id, prob, 0.02, "feed", NOW_NS, NOW_NS)
        assert len(state.apply(fair, NOW_NS)) == touched


def test_the_listing_is_asked_for_when_it_can_tell_and_not_all_the_time() -> None:
    desk = wiped()
    asked_s = []
    for second in range(1, 400):
        effects = desk.wait(1)
        if [one for one in effects.facts if isinstance(one, Alarm) and one.what == PERHAPS]:
            asked_s.append(second)
    assert asked_s == [30, 330]


@pytest.mark.parametrize("gone", [SportEventUnlisted(EVENT.event_id), CatalogSeeded(Catalog())])
def test_relisted_under_the_same_id_it_waits_for_the_dust_to_settle(gone: Event) -> None:
    desk, _ = quoting()
    confirm(desk, desk.tell(gone))
    back = CatalogSeeded(Catalog.of([EVENT], [LINE]))
    desk.wait(1, back)
    alive(desk, 5)
    assert len(desk.placed) == 2
    alive(desk, 25)
    desk.tell(back, desk.book(), desk.fair())
    assert len(desk.placed) == 4


def test_resumed_the_next_day() -> None:
    desk, _ = quoting()
    confirm(desk, desk.tell(SportEventChanged(replace(EVENT, status="suspended"))))
    alive(desk, 40)
    desk.tell(starting_in(desk, 86_400), desk.book(), desk.fair())
    assert len(desk.placed) == 4


def test_a_status_that_flaps_brings_nothing_back_at_once() -> None:
    desk, _ = quoting()
    confirm(desk, desk.tell(SportEventChanged(replace(EVENT, status="live"))))
    for _ in range(50):
        desk.wait(0.2, SportEventChanged(EVENT), desk.book(), desk.fair())
        confirm(desk, desk.wait(0.2, SportEventChanged(replace(EVENT, status="live"))))
    assert len(desk.placed) == 2


def test_a_market_that_is_suspended_and_reopened_fifty_times_ends_quoted_once() -> None:
    desk, _ = quoting()
    market = EVENT.event_id, LINE.market_id, None
    for _ in range(50):
        confirm(desk, desk.wait(0.1, MarketStatusChanged(*market, "suspended")))
        desk.wait(0.1, MarketStatusChanged(*market, "active"), desk.book(), desk.fair())
    assert len(desk.placed) == 2
    alive(desk, 34)
    assert len(desk.placed) == 4
    desk.tell(*desk.opened(*desk.placed[-2:]))
    assert not pulled(desk.wait(1, desk.book(), desk.fair()))


def test_a_market_that_flaps_slowly_is_entered_less_and_less_often() -> None:
    desk, _ = quoting()
    market = EVENT.event_id, LINE.market_id, None
    for _ in range(30):
        confirm(desk, desk.tell(MarketStatusChanged(*market, "suspended")))
        desk.tell(MarketStatusChanged(*market, "active"))
        alive(desk, 2)
        desk.tell(*desk.opened(*desk.ledger.live()))
    assert len(desk.placed) <= 6


def test_a_market_that_opens_once_is_entered_after_a_second() -> None:
    desk, _ = quoting()
    market = EVENT.event_id, LINE.market_id, None
    for _ in range(3):  # far apart: each is as the first
        before = len(desk.placed)
        confirm(desk, desk.tell(MarketStatusChanged(*market, "suspended")))
        desk.wait(0.1, MarketStatusChanged(*market, "active"), desk.book(), desk.fair())
        assert len(desk.placed) == before
        alive(desk, 2)
        assert len(desk.placed) == before + 2
        desk.tell(*desk.opened(*desk.placed[-2:]))
        alive(desk, 40)


def test_a_strike_that_moves_takes_its_orders_with_it() -> None:
    desk, both = quoting()
    moved = replace(
        LINE, strikes=(replace(LINE.strikes[0], strike_id=StrikeId("new")), LINE.strikes[1])
    )
    moved = replace(moved, line_id=LineId("1/10/other"))
    effects = desk.tell(CatalogSeeded(Catalog.of([EVENT], [moved])))
    assert pulled(effects) == idents(both)


def test_a_feed_that_knows_an_earlier_start_is_believed_until_it_says_otherwise() -> None:
    desk, _ = quoting()
    soon = FixtureTold(EVENT.event_id, "feed", desk.now_ns + round((MARGIN_S - 1) * S))
    confirm(desk, desk.tell(soon))
    assert resting(desk) == 0
    desk.wait(1, FixtureTold(EVENT.event_id, "feed", EVENT.start_ns), desk.book(), desk.fair())
    assert len(desk.placed) == 4


def test_a_fair_value_of_another_source_is_no_jump() -> None:
    desk, _ = quoting()
    desk.tell(starting_in(desk, 1_000))
    alive(desk, 2)
    fair = desk.fair(0.7)
    other = FairUpdated(fair.strike_id, 0.7, 0.02, "other", fair.source_ns, fair.received_ns)
    assert not pulled(desk.wait(1, other, desk.book(), desk.fair()))
