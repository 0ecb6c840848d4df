"""Why an order was placed: the view that its strategy saw, and the verdict of the gate.

Both ride in the intent's own entry, so they are small: prices, cents, milliseconds, and tuples,
which the journal writes without the names of their fields. New fields are appended, with defaults.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from mmbot.domain.book import Level
from mmbot.domain.view import MarketView, Position

FAIRS_MAX: Final = 8  # sources named in one motive
MS_NS: Final = 1_000_000


class FairSeen(NamedTuple):
    """What one source said of side 0, in parts per million."""

    source: str
    prob_ppm: int
    age_ms: int


class Motive(NamedTuple):
    """What the strategy was shown of the line. `best` is per side, without our own orders."""

    fairs: tuple[FairSeen, ...]
    best: tuple[Level | None, Level | None]
    book_age_ms: int | None  # since the last image came; None: never seen
    position: Position

    @classmethod
    def of(cls, view: MarketView) -> Motive:
        now_ns, book = view.now_ns, view.book
        first, second = view.competing.levels
        return cls(
            tuple(
                [
                    FairSeen(f.source, round(f.prob * 1e6), (now_ns - f.received_ns) // MS_NS)
                    for f in view.fairs[:FAIRS_MAX]
                ]
            ),
            (first[0] if first else None, second[0] if second else None),
            (now_ns - book.received_ns) // MS_NS if book.received_ns else None,
            view.position,
        )


class Verdict(NamedTuple):
    """The figures on which the gate let it through, cents; every check of the run has passed.

    *Held* is what is filled or in doubt; *full* is when everything that rests fills, this order
    included.
    """

    mode: str
    line_held_cents: int
    line_full_cents: int
    line_limit_cents: int
    total_full_cents: int
    total_limit_cents: int
    unmatched_cents: int
    unmatched_limit_cents: int
