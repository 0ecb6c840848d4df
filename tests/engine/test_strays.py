"""Orders on lines that are not listed: a listing is waited for a moment, then nothing rests."""
# faults: F5 F7 F8 H1 H3 H12

from __future__ import annotations

from dataclasses import replace

import pytest

from mmbot.domain.catalog import Catalog
from mmbot.domain.commands import CancelOrders, SweepStrike
from mmbot.domain.entries import PlaceIntended
from mmbot.domain.events import CatalogSeeded, LadderLoaded, OperatorSaid, PlaceLost
from mmbot.domain.ids import ExternalId
from mmbot.domain.order import Order
from mmbot.engine.modes import START_GRACE_NS
from mmbot.engine.ports import Effects
from tests.engine.desk import Desk
from tests.engine.situations import LADDER, LINE, S, an_order

OLD = an_order(ident="mm-ffffffffffff-1")
UNPLACED = an_order(ident="mm-ffffffffffff-2")
GRACE_S = START_GRACE_NS / S


def of_a_former_run(*orders: Order, whole_account: bool = True) -> Desk:
    """A desk whose journal holds these intents, and nothing of how they ended."""
    desk = Desk(whole_account=whole_account)
    for order in orders:
        desk.ledger.replay(PlaceIntended(order))
    desk.ledger.begin_run("0123456789ac", desk.now_ns)
    desk.ledger.start(desk.now_ns)
    return desk


def resting(*orders: Order) -> Desk:
    """The same, and the exchange shows them alive; connected, but nothing is listed."""
    desk = of_a_former_run(*orders)
    desk.tell(*desk.account(), desk.history(*orders))
    return desk


def cancelled(effects: Effects) -> set[ExternalId]:
    batches = [one for one in effects.commands if isinstance(one, CancelOrders)]
    return {ref.external_id for batch in batches for ref in batch.refs}


def swept(effects: Effects) -> list[SweepStrike]:
    return [one for one in effects.commands if isinstance(one, SweepStrike)]


def test_without_a_listing_an_order_rests_as_long_as_the_grace_and_no_longer() -> None:
    desk = resting(OLD)
    assert desk.ledger.recovered
    gone_s: list[int] = []
    for second in range(1, 20):
        if cancelled(desk.wait(1)):
            gone_s.append(second)
    assert gone_s[0] == GRACE_S


def test_an_order_whose_strike_nobody_knows_goes_as_well() -> None:
    desk = Desk()
    desk.ledger.start(desk.now_ns)
    desk.tell(*desk.account(), desk.history(OLD))  # adopted: the journal was lost
    assert desk.ledger.recovered
    assert not cancelled(desk.wait(1))
    assert cancelled(desk.wait(GRACE_S)) == {OLD.external_id}


def test_a_listing_without_its_line_ends_the_wait() -> None:
    desk = resting(OLD)
    effects = desk.wait(1, LadderLoaded(LADDER), CatalogSeeded(Catalog.of([], [])))
    assert cancelled(effects) == {OLD.external_id}


def test_a_listing_with_its_line_leaves_it_to_the_strategy() -> None:
    desk = resting(OLD)
    assert not cancelled(desk.wait(1, *desk.market()))
    for _ in range(round(GRACE_S)):
        assert not cancelled(desk.wait(1))
        assert not cancelled(desk.tell(desk.fair(), desk.book(), *desk.account()))
    assert desk.ledger.live_on_line(LINE.line_id)[0].external_id == OLD.external_id


@pytest.mark.parametrize("word", ["stop", "halt", "pause"])
def test_a_word_before_the_listing_has_come_is_obeyed_at_once(word: str) -> None:
    desk = resting(OLD)
    effects = desk.tell(OperatorSaid(word, "test"))  # type: ignore[arg-type]  # one of its words
    assert cancelled(effects) == {OLD.external_id}


@pytest.mark.parametrize("word", ["stop", "halt"])
def test_stop_and_halt_do_not_wait_for_the_recovery(word: str) -> None:
    desk = of_a_former_run(OLD, UNPLACED, whole_account=False)
    effects = desk.tell(OperatorSaid(word, "test"))  # type: ignore[arg-type]  # one of its words
    assert not desk.ledger.recovered
    assert not swept(effects), "a person's order may rest there"
    desk.tell(*desk.account())
    desk.wait(3)
    assert cancelled(desk.tell(desk.history(OLD))) == {OLD.external_id}
    assert {one.strike_id for one in swept(desk.wait(4))} == {OLD.strike_id}


def test_more_than_twenty_doubts_that_must_go_are_swept_at_once_and_at_the_bound() -> None:
    desk = Desk()
    desk.all_well()
    desk.wait(3)
    desk.tell(desk.history(*desk.ledger.live()))  # and nobody else has an order
    lost = [replace(OLD, external_id=ExternalId(f"mm-0123456789ab-{n}")) for n in range(101, 126)]
    for order in lost:
        desk.ledger.intend(order)
    desk.strategy.wants = ()
    assert swept(desk.tell(*(PlaceLost(order.external_id, "timeout") for order in lost)))
    assert desk.ledger.in_doubt_count > 20
    bound_s = 0
    while not swept(desk.wait(1, *desk.account(), desk.fair(), desk.book())):
        bound_s += 1
        assert bound_s < 80, "the second sweep never came"
    assert bound_s > 50
