"""What the stand-in shows is what the daemon reads, and both stacks decide alike on it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from mmbot.domain.catalog import Catalog, SportEvent
from mmbot.domain.events import BookUpdated
from mmbot.domain.ids import SportEventId
from mmbot.domain.price import Ladder
from mmbot.domain.view import MarketView, Position
from mmbot.exchange import wire as client_wire
from mmbot.exchange.books import leaves
from mmbot.exchange.listing import Listing
from mmbot.exchange.notices import Notices
from mmbot.exchange.pusher import AppMessage
from mmbot.exchange.stream import StreamReader
from mmbot.strategy.api import QuotingStrategy
from mmbot.strategy.loader import Found, create, load
from tests.bench import listing
from tests.bench.burst import BurstPlan, script
from tests.bench.rule import Maker

NOW_NS = 1_795_359_600 * 10**9
LADDER = listing.load_ladder()
EVENT = SportEvent(SportEventId(listing.EVENT_ID), "Bench", 31, "Bench", NOW_NS, "not_started")
FILE = Path(__file__).parent / "strategies" / "bench_maker.py"


def the_listing() -> Listing:
    """What the daemon learns from the stand-in's markets."""
    ticks = [listing.Tick(n, listing.START_STEP, False) for n in range(listing.LINES)]
    body = listing.markets_body([listing.selections(tick, LADDER, NOW_NS) for tick in ticks])
    market = client_wire.Raw(json.dumps(body[str(listing.EVENT_ID)][0]).encode())
    found = Listing()
    lines = [leaf.line for leaf in leaves(market, EVENT.event_id, Notices())]
    found.replace(Catalog.of([EVENT], lines))
    return found


def the_strategy() -> QuotingStrategy[object]:
    found = load(FILE)
    assert isinstance(found, Found), found
    made = create(found, {})
    assert isinstance(made, QuotingStrategy), made
    return made


def test_every_line_of_the_stand_in_can_be_quoted() -> None:
    assert len(the_listing().catalog.lines) == listing.LINES


def test_a_message_is_as_large_as_the_ones_that_were_measured() -> None:
    tick = listing.Tick(0, listing.START_STEP, True)
    message = listing.book_message(tick, listing.selections(tick, LADDER, NOW_NS), NOW_NS)
    payload = base64.b64decode(json.loads(json.loads(message)["data"])["payload"])
    assert 5_400 <= len(payload) <= 6_000
    assert len(message) <= 10_000  # what a Pusher service carries


def test_both_stacks_want_the_same_price_on_every_tick() -> None:
    known, strategy = the_listing(), the_strategy()
    reader, maker = StreamReader(known, Notices()), Maker.on(list(LADDER))
    ladder, quoted = Ladder.of(LADDER), 0
    for number, tick in enumerate(script(BurstPlan(seed=7, ticks=18, every=5), LADDER)):
        book = listing.selections(tick, LADDER, NOW_NS + number)
        message = json.loads(listing.book_message(tick, book, NOW_NS + number * 10**6))
        data = client_wire.Raw(json.dumps(message["data"]).encode())
        _, events = reader.read(AppMessage("market_selections", message["channel"], data), NOW_NS)
        (update,) = events
        assert isinstance(update, BookUpdated)
        line = known.catalog.lines[update.book.line_id]
        view = MarketView(
            NOW_NS, EVENT, line, ladder, update.book, update.book, (), Position()
        )  # fmt: skip
        ours = [(quote.strike_id, quote.price) for quote in strategy.quotes(view)]
        theirs = maker.wanted(book)
        assert ours == ([(listing.strike_id(tick.line, 0), theirs)] if theirs else [])
        assert bool(theirs) is tick.tight
        quoted += bool(theirs)
    assert quoted == 18


def test_the_same_seed_gives_every_stack_the_same_ticks() -> None:
    plan = BurstPlan(seed=3, ticks=4)
    assert script(plan, LADDER) == script(plan, LADDER)
    assert script(plan, LADDER) != script(BurstPlan(seed=4, ticks=4), LADDER)
