"""What a channel is worth: money that stands there, then what a strategy quotes."""

from __future__ import annotations

from mmbot.app.worth import worth_of
from mmbot.domain.catalog import Catalog
from mmbot.domain.events import OrderSeen
from mmbot.exchange.channels import Topic, Worth
from mmbot.exchange.listing import Listing
from tests.builders import a_report
from tests.engine.desk import Desk
from tests.engine.situations import EVENT, LINE


def listed() -> Listing:
    listing = Listing()
    listing.replace(Catalog.of([EVENT], [LINE]))
    return listing


def test_what_a_strategy_owns_is_quoted_and_what_rests_is_at_risk() -> None:
    desk = Desk()
    wishes, topic = desk.engine.parts.wishes, Topic(EVENT.event_id)
    assert worth_of(desk.ledger, wishes, listed()) == {topic: Worth.QUOTED}
    desk.quoting()
    assert desk.ledger.live_lines() == (LINE.line_id,)
    assert worth_of(desk.ledger, wishes, listed()) == {topic: Worth.AT_RISK}
    assert worth_of(desk.ledger, wishes, Listing()) == {}


def test_a_fill_without_its_result_is_at_risk() -> None:
    desk = Desk()
    first, second = desk.quoting()
    full = [a_report(one, filled=one.quantity_cents) for one in (first, second)]
    desk.engine.parts.wishes.quarantine("test", "a test")
    desk.tell(*(OrderSeen(report, "stream", desk.now_ns) for report in full))
    assert desk.ledger.live_lines() == ()
    found = worth_of(desk.ledger, desk.engine.parts.wishes, listed())
    assert found == {Topic(EVENT.event_id): Worth.AT_RISK}


def test_what_nobody_owns_is_only_watched() -> None:
    desk = Desk()
    desk.engine.parts.wishes.quarantine("test", "a test")
    assert worth_of(desk.ledger, desk.engine.parts.wishes, listed()) == {}
