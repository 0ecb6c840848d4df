"""From a feed document to fair values per strike: match, agree, state. Pure, one line a step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from mmbot.domain.catalog import Line, Side
from mmbot.domain.events import FairUpdated
from mmbot.domain.ids import LineId, SportEventId, StrikeId
from mmbot.pricing.consensus import ConsensusRules, NoConsensus, consensus
from mmbot.sources.feed import Feed, FeedEvent, FeedLine, Stated
from mmbot.sources.matching import Listed, MatchRules, Unmatched, match_events, match_line

NoFair = Literal["too_few_sources", "no_opinion"]


@dataclass(frozen=True, slots=True)
class SourceRules:
    """How one source's words become fair values."""

    match: MatchRules = field(default_factory=MatchRules)
    consensus: ConsensusRules = field(default_factory=ConsensusRules)


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who says it and when we heard it (our wall clock, ns)."""

    source: str
    received_ns: int


@dataclass(frozen=True, slots=True)
class Unpriced:
    """A listed line of which the document speaks, but not enough for a fair."""

    line_id: LineId
    reason: NoFair


@dataclass(frozen=True, slots=True)
class Reading:
    """A document set against the catalog: matched events, still to price, and the rest."""

    matched: Mapping[SportEventId, FeedEvent]
    direct: Mapping[StrikeId, Stated]
    unmatched: tuple[Unmatched, ...]
    skipped: Mapping[str, int]


def match(feed: Feed, listed: Listed) -> Reading:
    """Settle which sport events the document speaks of; strikes named directly must be listed."""
    matches = match_events(feed.events, listed)
    known = {
        strike: stated for strike, stated in feed.direct.items() if strike in listed.catalog.line_of
    }
    skipped = dict(feed.skipped)
    if len(known) < len(feed.direct):
        skipped["strike_not_listed"] = len(feed.direct) - len(known)
    return Reading(matches.found, known, matches.unmatched, skipped)


def line_fairs(
    reading: Reading, listed: Listed, stamp: Stamp, rules: ConsensusRules
) -> Iterator[FairUpdated | Unpriced]:
    """Price the listed lines one by one, so that the caller may breathe in between."""
    for event_id, event in reading.matched.items():
        for said in event.lines:
            found = match_line(event_id, said, listed)
            if found is not None:
                yield _fair(said, *found, stamp, rules)


def direct_fairs(reading: Reading, stamp: Stamp) -> tuple[FairUpdated, ...]:
    """Fairs of strikes that the document names by the exchange's own id."""
    return tuple(
        _update(strike_id, said.prob, said, stamp) for strike_id, said in reading.direct.items()
    )


def withdrawn(last: FairUpdated) -> FairUpdated:
    """A source no longer prices this strike: stamps of 0 make its last fair stale at once."""
    return replace(last, source_ns=0, received_ns=0)


def _fair(
    said: FeedLine, line: Line, side: Side, stamp: Stamp, rules: ConsensusRules
) -> FairUpdated | Unpriced:
    """Always stated for the line's first strike, whichever side the feed speaks of."""
    if isinstance(said.said, Stated):
        stated = said.said
    else:
        agreed = consensus(said.said, stamp.received_ns, rules)
        if isinstance(agreed, NoConsensus):
            return Unpriced(line.line_id, agreed.reason)
        stated = Stated(agreed.prob, agreed.sd_logit, agreed.source_ns)
    prob = stated.prob if side == 0 else 1.0 - stated.prob
    return _update(line.strikes[0].strike_id, prob, stated, stamp)


def _update(strike_id: StrikeId, prob: float, stated: Stated, stamp: Stamp) -> FairUpdated:
    said_ns = stamp.received_ns if stated.source_ns is None else stated.source_ns
    source_ns = min(said_ns, stamp.received_ns)  # a stamp from the future ages like any other
    return FairUpdated(strike_id, prob, stated.sd_logit, stamp.source, source_ns, stamp.received_ns)
