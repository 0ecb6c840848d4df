"""From a document to `FairUpdated`: the whole pure path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mmbot.domain.catalog import Catalog
from mmbot.domain.events import FairUpdated
from mmbot.pricing.consensus import ConsensusRules
from mmbot.sources.fairs import Stamp, Unpriced, line_fairs, match, withdrawn
from mmbot.sources.matching import Listed, MatchRules
from mmbot.sources.odds_api import parse, time_ns
from tests.sources.listings import (
    NOW,
    SECOND,
    a_catalog,
    a_document,
    a_feed_event,
    a_line,
    a_sport_event,
    a_total,
    totals,
    two_way,
)

EVENT = a_sport_event()
SAMPLE = (
    Path(__file__).resolve().parents[2]
    / "mmbot" / "data" / "odds" / "odds_api_v4_worldcup_sample.json"
)  # fmt: skip


def fairs(body: bytes, catalog: Catalog, now_ns: int = NOW) -> dict[str, FairUpdated]:
    listed = Listed.of(catalog, MatchRules())
    reading = match(parse(body, now_ns), listed)
    stamp = Stamp("odds", now_ns)
    steps = line_fairs(reading, listed, stamp, ConsensusRules())
    return {step.strike_id: step for step in steps if isinstance(step, FairUpdated)}


def test_a_fair_is_stated_for_the_first_strike_of_its_line() -> None:
    usual, turned = a_total(EVENT, 2.5), a_total(EVENT, 3.5, under_first=True)
    body = a_document(
        a_feed_event(totals("pinnacle", -150, 140, 2.5), totals("novig", -150, 140, 3.5))
    )
    found = fairs(body, a_catalog(usual, turned, events=(EVENT,)))
    over, under = found[usual.strikes[0].strike_id], found[turned.strikes[0].strike_id]
    assert over.prob > 0.58
    assert under.prob == pytest.approx(1 - over.prob)
    assert (over.source, over.source_ns, over.received_ns) == ("odds", NOW - 2 * SECOND, NOW)
    assert over.sd_logit > 0


def test_swapped_home_and_away_give_the_same_fair_to_the_same_team() -> None:
    moneyline = a_line(EVENT, "moneyline", ("England", "Argentina"))
    spread = a_line(EVENT, "spread", ("Argentina -1.5", "England +1.5"), (-1.5, 1.5))
    catalog = a_catalog(moneyline, spread, events=(EVENT,))
    outcomes = [("England", -200, None), ("Argentina", 180, None)]
    points = [("England", -300, 1.5), ("Argentina", 260, -1.5)]

    def body(outcome_order: int, **teams: Any) -> bytes:
        books = (
            two_way("pinnacle", "h2h", *outcomes[::outcome_order]),
            two_way("pinnacle", "spreads", *points[::outcome_order]),
        )
        return a_document(a_feed_event(*books, **teams))

    straight = fairs(body(1), catalog)
    swapped = fairs(body(-1, home_team="Argentina", away_team="England"), catalog)
    england, argentina = moneyline.strikes[0].strike_id, spread.strikes[0].strike_id
    assert straight[england].prob == pytest.approx(swapped[england].prob)
    assert straight[england].prob > 0.6
    assert straight[argentina].prob == pytest.approx(swapped[argentina].prob)
    assert straight[argentina].prob < 0.3


def test_what_lacks_sources_is_listed_and_not_priced() -> None:
    line = a_total(EVENT, 2.5)
    listed = Listed.of(a_catalog(line, events=(EVENT,)), MatchRules())
    reading = match(parse(a_document(a_feed_event(totals("betmgm", -110, -110))), NOW), listed)
    (step,) = line_fairs(reading, listed, Stamp("odds", NOW), ConsensusRules())
    assert step == Unpriced(line.line_id, "too_few_sources")


def test_a_withdrawn_fair_is_infinitely_old_and_otherwise_unchanged() -> None:
    line = a_total(EVENT, 2.5)
    body = a_document(a_feed_event(totals("pinnacle", -150, 140)))
    (last,) = fairs(body, a_catalog(line, events=(EVENT,))).values()
    gone = withdrawn(last)
    assert (gone.source_ns, gone.received_ns) == (0, 0)
    assert (gone.strike_id, gone.prob, gone.source) == (last.strike_id, last.prob, last.source)


def test_the_real_sample_prices_both_matches_in_order_of_their_lines() -> None:
    if not SAMPLE.exists():
        pytest.skip("the sample of the odds feed is not bundled")
    starts = [time_ns(text) for text in ("2026-07-15T00:00:00Z", "2026-07-14T00:00:00Z")]
    events = (
        a_sport_event(1, "England", "Argentina", starts[0] or 0),
        a_sport_event(2, "Spain", "France", starts[1] or 0),  # listed the other way round
    )
    numbers = (0.5, 1.5, 2.5, 3.5, 4.5, 5.5)
    lines = [a_total(event, number) for event in events for number in numbers]
    now_ns = time_ns("2026-07-13T01:46:00Z") or 0
    found = fairs(SAMPLE.read_bytes(), a_catalog(*lines, events=events), now_ns)
    assert len(found) == 12
    for event in events:
        probs = [
            found[line.strikes[0].strike_id].prob
            for line in lines
            if line.event_id == event.event_id
        ]
        assert probs == sorted(probs, reverse=True)  # more goals are less likely
        assert 0.35 < probs[2] < 0.6
    assert all(0.01 < fair.sd_logit < 1.0 for fair in found.values())
    assert all(now_ns - fair.source_ns < 300 * SECOND for fair in found.values())
