"""Edge loss: spread and drift without results, two limits, over restarts, midnight and DST."""

# faults: B1 G4

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from mmbot.domain.book import Book, Level
from mmbot.domain.entries import EdgeNoted
from mmbot.domain.events import BookUpdated, OperatorSaid, OrderSeen, SportEventChanged
from mmbot.domain.ids import LineId
from mmbot.domain.order import Order
from mmbot.domain.price import Price, implied
from mmbot.domain.quote import Quote
from mmbot.domain.view import Position
from mmbot.engine.books import Share, share_of
from mmbot.engine.day_loss import DayLoss
from mmbot.engine.edge_loss import NOTE_EVERY_NS, EdgeLoss
from mmbot.engine.ledger import Ledger
from mmbot.engine.outbox import Outbox
from mmbot.engine.wishes import reducing
from tests.builders import a_report, an_order
from tests.engine.killed import Killed
from tests.engine.situations import AWAY, EVENT, HOME, LINE, S

NEW_YORK = ZoneInfo("America/New_York")
DAY_NS = 86_400 * S
L1, L2 = 2_000, 4_000


def rules(ledger: Ledger) -> None:
    ledger.edge.day.allowed_cents, ledger.edge.halt_cents = L1, L2


def some(out: Outbox | None = None) -> EdgeLoss:
    edge = EdgeLoss(out or Outbox())
    edge.day = DayLoss(local_day, L1)
    edge.halt_cents = L2
    return edge


def local_day(at_ns: int) -> int:
    return datetime.fromtimestamp(at_ns // 10**9, NEW_YORK).toordinal()


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * 10**9


NOON = at("2026-11-23T17:00:00+00:00")


def buy(edge: EdgeLoss, cents: int, price: int = 105, side: int = 0) -> Order:
    order = an_order(line_id=LINE.line_id, side=side, price=Price(price), quantity_cents=cents)
    edge.filled(order, Share(cents, cents))
    return order


# --- the figure ---------------------------------------------------------------------------------


def test_a_fill_earns_its_distance_from_the_fair_value_and_then_what_that_does() -> None:
    edge = some()
    buy(edge, 10_000)
    assert edge.made_cents == 0  # no price, so nothing is known
    edge.mark(LINE.line_id, 0.5)
    assert edge.made_cents == 250  # 205.00 come back half of the time
    edge.mark(LINE.line_id, 0.4)
    assert edge.made_cents == -1_800
    buy(edge, 10_000, side=1)
    assert edge.made_cents == 500  # both sides are held: the rest is the spread


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_sum_over_fills_of_their_contracts_times_price_less_cost(seed: int) -> None:
    rng = random.Random(seed)
    edge, fills, prob = some(), [], 0.5
    for _ in range(60):
        side, price = rng.randrange(2), rng.choice([-150, -110, 100, 105, 150, 2_000])
        cents = rng.randrange(100, 50_000)
        buy(edge, cents, price, side)
        fills.append((side, implied(Price(price)), cents))
        prob = round(rng.uniform(0.02, 0.98), 6)
        edge.mark(LINE.line_id, prob)
        exact = sum(c / q * ((prob if s == 0 else 1 - prob) - q) for s, q, c in fills)
        assert edge.made_cents == pytest.approx(exact, abs=1 + len(fills))  # a cent each


def test_results_count_nothing_and_what_comes_after_them_neither() -> None:
    edge = some()
    order = replace(buy(edge, 10_000), filled_cents=10_000)
    edge.mark(LINE.line_id, 0.4)
    for word in ("profit", "loss"):
        edge.filled(order, share_of(order, word).minus(share_of(order, None)))
        assert (edge.made_cents, edge.lines()) == (-1_800, ())
        edge.filled(order, share_of(order, None).minus(share_of(order, word)))


def test_a_fill_taken_back_takes_its_loss_with_it() -> None:
    edge = some()
    order = buy(edge, 10_000)
    buy(edge, 5_000)
    edge.mark(LINE.line_id, 0.4)
    edge.filled(order, Share(-10_000, -10_000))
    assert edge.made_cents == -900


@pytest.mark.parametrize(("side", "probs"), [(0, (0.5, 0.7, 0.99)), (1, (0.5, 0.3, 0.01))])
def test_a_profit_never_trips(side: int, probs: tuple[float, ...]) -> None:
    edge = some()
    buy(edge, 1_000_000, side=side)
    for prob in probs:
        edge.mark(LINE.line_id, prob)
        edge.look(NOON)
        assert (edge.worst_cents, edge.reduce_only, edge.halts) == (0, False, False)


def test_a_limit_that_was_reached_stays_so_until_the_day_ends() -> None:
    edge = some()
    buy(edge, 100_000)
    for prob in (0.478, 0.5):
        edge.mark(LINE.line_id, prob)
        edge.look(NOON)
        assert (edge.reduce_only, edge.halts) == (True, False)
    assert edge.day.cents == 0
    edge.look(NOON + DAY_NS)
    assert not edge.reduce_only


# --- the journal --------------------------------------------------------------------------------


def kept(out: Outbox) -> list[EdgeNoted]:
    return [entry for entry in out.drain().entries if isinstance(entry, EdgeNoted)]


def lose(edge: EdgeLoss, cents: int, now_ns: int, line: str = "a") -> None:
    """Exactly that: a price of 0 for a stake of so much."""
    order = an_order(line_id=LineId(line), side=0, price=Price(105), quantity_cents=cents)
    edge.filled(order, Share(cents, cents))
    edge.mark(LineId(line), 0.0)
    edge.look(now_ns)


def test_what_is_small_is_noted_never_and_the_rest_once_a_minute() -> None:
    out = Outbox()
    edge = some(out)
    lose(edge, 19, NOON)
    edge.look(NOON + DAY_NS // 4)
    assert kept(out) == []
    lose(edge, 1, NOON + DAY_NS // 4)
    lose(edge, 100, NOON + DAY_NS // 4 + NOTE_EVERY_NS - 1)
    assert [one.made_cents for one in kept(out)] == [-20]
    edge.look(NOON + DAY_NS // 4 + NOTE_EVERY_NS)
    assert [one.made_cents for one in kept(out)] == [-120]


def test_gains_and_losses_of_lines_do_not_hide_each_other_from_the_journal() -> None:
    out = Outbox()
    edge = some(out)
    lose(edge, 1_000, NOON)
    gained = an_order(line_id=LineId("b"), side=0, price=Price(100), quantity_cents=1_000)
    edge.filled(gained, Share(1_000, 1_000))
    edge.mark(LineId("b"), 1.0)
    edge.look(NOON + NOTE_EVERY_NS)
    last = kept(out)[-1]
    assert (last.made_cents, len(last.marks)) == (0, 2)


def test_a_limit_reached_is_noted_at_once() -> None:
    out = Outbox()
    edge = some(out)
    for cents, worst in ((1_000, 1_000), (1_000, 2_000), (1_000, None), (1_000, 4_000)):
        lose(edge, cents, NOON)
        assert [one.worst_cents for one in kept(out)] == ([] if worst is None else [worst])


@pytest.mark.parametrize(
    ("died", "back", "same_day"),
    [
        ("2026-11-23T04:50:00+00:00", "2026-11-23T04:59:59+00:00", True),
        ("2026-11-23T04:50:00+00:00", "2026-11-23T05:00:00+00:00", False),  # EST: UTC-5
        ("2026-11-01T04:00:00+00:00", "2026-11-02T04:30:00+00:00", True),  # a day of 25 hours
        ("2026-03-08T05:00:00+00:00", "2026-03-09T04:00:00+00:00", False),  # one of 23
        ("2026-11-23T05:00:01+00:00", "2026-11-23T04:59:59+00:00", True),  # a clock set back
    ],
)
def test_a_restart_neither_forgets_a_limit_nor_carries_it_into_the_next_day(
    died: str, back: str, same_day: bool
) -> None:
    out = Outbox()
    lose(some(out), 2_500, at(died))
    again = some()
    (noted,) = kept(out)
    again.filled(an_order(line_id=LineId("a"), side=0, price=Price(105)), Share(2_500, 2_500))
    again.replay(noted)
    again.restart(at(back))
    again.look(at(back))
    assert again.reduce_only is same_day
    assert again.day.cents == (2_500 if same_day else 0)


def test_a_restart_goes_on_from_the_prices_last_noted() -> None:
    out = Outbox()
    edge = some(out)
    order = buy(edge, 100_000)
    for prob in (0.478, 0.5):
        edge.mark(LINE.line_id, prob)
        edge.look(NOON)
    edge.look(NOON + NOTE_EVERY_NS)
    again = some()
    again.filled(order, Share(100_000, 100_000))
    again.replay(kept(out)[-1])
    assert (again.made_cents, again.worst_cents, again.reduce_only) == (2_500, 2_010, True)
    for one in (edge, again):
        one.mark(LINE.line_id, 0.49)
    assert again.made_cents == edge.made_cents == 450


# --- in the engine ------------------------------------------------------------------------------


def filled(desk: Killed, order: Order, cents: int) -> OrderSeen:
    return OrderSeen(a_report(order, filled=cents), "stream", desk.now_ns)


def a_loss(desk: Killed, prob: float) -> tuple[Order, Order]:
    """All 50.00 of the home side filled at +105, and its fair value falls."""
    first, second = desk.quoting()
    desk.tell(filled(desk, first, 5_000))
    desk.wait(1, desk.book(), desk.fair(prob))
    desk.wait(1, desk.book(), desk.fair(prob))
    return first, second


def alive(desk: Killed) -> set[str]:
    """Orders that stay."""
    return {str(o.strike_id) for o in desk.ledger.live() if not o.cancel_wanted}


def test_the_first_limit_leaves_what_lowers_the_loss_and_the_next_day_quotes_again() -> None:
    desk = Killed(rules=rules)
    a_loss(desk, 0.29)  # 102.50 x 0.29 of 50.00 are left
    assert desk.ledger.edge.worst_cents == 2_028
    assert desk.engine.mode.name == "REDUCE_ONLY"
    assert desk.alarms == ["edge loss: reducing only"]
    assert alive(desk) == {AWAY}
    desk.wait(1, desk.book(), desk.fair(0.5))
    assert alive(desk) == {AWAY}
    desk.now_ns += 86_400 * S
    desk.tell(*desk.account())
    assert desk.engine.mode.name == "ENABLED"


def test_an_order_that_could_add_to_the_loss_goes() -> None:
    desk = Killed(rules=rules)
    first, second = desk.quoting()
    desk.tell(filled(desk, second, 5_000))
    assert alive(desk) == {HOME, AWAY}
    desk.wait(1, desk.book(), desk.fair(0.71))
    desk.wait(0.1)
    assert desk.engine.mode.name == "REDUCE_ONLY"
    assert alive(desk) == {HOME}
    desk.tell(filled(desk, first, 5_000))
    desk.wait(5, desk.book(), desk.fair(0.71))
    assert alive(desk) == set()  # nothing is held that could be lowered


def test_orders_count_together_whether_they_lower_the_loss() -> None:
    held = Position((10_000, 0), (10_500, 0))
    small, large = (Quote(AWAY, Price(105), cents) for cents in (6_000, 25_000))
    assert reducing([small] * 4, LINE, held) == [small] * 3
    assert reducing([large, small, Quote(HOME, Price(105), 100)], LINE, held) == [small]
    assert reducing([small], LINE, Position()) == []


def test_the_second_limit_halts_and_a_resume_counts_anew_over_a_restart() -> None:
    desk = Killed(rules=rules)
    first, second = a_loss(desk, 0.09)
    assert desk.alarms == ["edge loss: reducing only", "edge loss"]
    assert desk.engine.mode.name == "HALTED"
    assert desk.engine.parts.modes.halted.startswith("edge loss: 40.7")
    desk.tell(*desk.ended(first, second))
    later = desk.again(5)
    assert later.engine.mode.name == "HALTED"
    later.tell(*later.market(), *later.account(), OperatorSaid("resume", "a person"))
    later.wait(0.1)
    modes = later.engine.parts.modes
    assert (modes.halted, modes.reducing, later.ledger.edge.worst_cents) == ("", "", 0)
    assert later.again(5).ledger.edge.worst_cents == 0


def test_a_loss_of_a_line_that_starts_while_we_are_away_is_not_forgotten() -> None:
    desk = Killed(rules=rules)
    first, second = a_loss(desk, 0.35)
    desk.wait(60, desk.book(), desk.fair(0.35))
    desk.tell(*desk.ended(first, second))
    later = desk.again(7_200)
    later.tell(*later.market())
    assert later.ledger.edge.day.cents == desk.ledger.edge.day.cents == 1_413


def test_the_price_from_the_start_on_is_the_last_one_before_it() -> None:
    desk = Killed(rules=rules)
    a_loss(desk, 0.35)
    live = SportEventChanged(replace(EVENT, status="live"))
    desk.wait(2, live, desk.fair(0.01))
    desk.wait(2, desk.fair(0.01))
    assert desk.ledger.edge.worst_cents == 1_413


def a_book(desk: Killed, first: int, second: int) -> BookUpdated:
    sides = ((Level(Price(first), 10_000),), (Level(Price(second), 10_000),))
    return BookUpdated(Book(LINE.line_id, sides, desk.now_ns))


@pytest.mark.parametrize(
    ("uses_fairs", "first", "expected"),
    [(True, 150, 0.5), (False, 150, 0.455), (False, 2_000, None)],  # the last is too wide
)
def test_a_line_goes_by_fair_values_or_by_its_book_as_its_strategy_does(
    uses_fairs: bool, first: int, expected: float | None
) -> None:
    desk = Killed(rules=rules)
    desk.strategy.uses_fairs = uses_fairs
    order, _ = desk.quoting()
    desk.tell(filled(desk, order, 5_000))
    desk.wait(2, a_book(desk, first, 105))
    desk.wait(60, a_book(desk, first, 105))  # the fair value is too old by now
    edge = 0 if expected is None else 10_250 * expected - 5_000
    assert desk.ledger.edge.made_cents == pytest.approx(edge, abs=30)


def test_a_fair_value_that_is_too_old_is_no_price() -> None:
    desk = Killed(rules=rules)
    first, _ = desk.quoting()
    desk.wait(11)
    desk.tell(filled(desk, first, 5_000))
    desk.wait(2)
    assert desk.ledger.edge.made_cents == 0
    desk.wait(2, desk.fair(0.5))
    assert desk.ledger.edge.made_cents == 125
