"""Books that REST shows to have moved, and the stream does not."""

from __future__ import annotations

import json

import pytest

from mmbot.domain.book import Book, Level
from mmbot.domain.price import Price
from mmbot.exchange.drift import Finding, What
from mmbot.exchange.reads import SILENT_ALARM_S
from tests.exchange.parts import EVENT_ID, a_client, example, reply, run, seeded

MARKETS = "/v4/mm/get_multiple_markets"


@pytest.mark.parametrize(("silent", "alarms"), [(3, ["stream_silent"] * 2), (2, [])])
def test_books_that_moved_unseen_mean_a_silent_stream(silent: int, alarms: list[str]) -> None:
    # faults: E4
    async def scenario() -> None:
        parts = a_client()
        lines = list(seeded(parts.listing).catalog.lines)
        for line_id in lines[:silent]:
            parts.listing.note_streamed(Book(line_id, ((Level(Price(100), 1),), ()), 1))
        raw = json.loads(example("get_markets.response.v4.json"))["data"]["markets"]
        parts.http.on(MARKETS, reply({"data": {str(EVENT_ID): raw}}))
        for wait_s in (0, SILENT_ALARM_S - 1, 1):
            await parts.clock.sleep(wait_s)
            await parts.gateway.read_markets([EVENT_ID])
        assert parts.alarms == alarms
        assert parts.notices.counts["book_differs_from_stream"] == 3
        mute = Finding(What.SILENT_CHANNEL, "stream.market_selections")
        assert (mute in parts.notices.drift.seen) is bool(alarms)

    run(scenario())
