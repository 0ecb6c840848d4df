"""What any feed says, in one form: sport events with two-sided lines, and how it was said.

Sides carry names, because feeds and exchanges disagree on order: a team, or over and under.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from mmbot.domain.ids import StrikeId
from mmbot.pricing.consensus import BookmakerPair

Family = Literal["moneyline", "spread", "total"]
FAMILIES: Final[tuple[Family, ...]] = ("moneyline", "spread", "total")
OVER: Final = "over"
UNDER: Final = "under"


@dataclass(frozen=True, slots=True)
class Stated:
    """A fair value given as such, for the line's first side; `source_ns` None: no stamp."""

    prob: float
    sd_logit: float
    source_ns: int | None


@dataclass(frozen=True, slots=True)
class FeedLine:
    """One two-way line. `number` is that of `sides[0]`; None on a moneyline."""

    family: Family
    number: float | None
    sides: tuple[str, str]
    said: tuple[BookmakerPair, ...] | Stated


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """A fixture as the feed names it; home and away may be swapped against the exchange's."""

    feed_id: str
    teams: tuple[str, str]
    start_ns: int
    lines: tuple[FeedLine, ...]


@dataclass(frozen=True, slots=True)
class Feed:
    """One document. `direct` names exchange strikes itself; `skipped` counts what was refused."""

    events: tuple[FeedEvent, ...] = ()
    direct: Mapping[StrikeId, Stated] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)


class UnreadableFeed(Exception):
    """The document as a whole cannot be used; the message is one clear line."""
