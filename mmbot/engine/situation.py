"""What the risk gate is shown of one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from mmbot.domain.catalog import Line, SportEvent
from mmbot.domain.price import Ladder, Price
from mmbot.domain.view import Position
from mmbot.pricing.exposure import OpenStakes
from mmbot.pricing.portfolio import Levels

Mode = Literal["ENABLED", "REDUCE_ONLY", "CANCEL_ONLY", "HALTED"]


class Exposure(Protocol):
    """One line in the ledger: filled, and per side the stake that may still fill."""

    @property
    def position(self) -> Position: ...

    @property
    def resting_cents(self) -> OpenStakes: ...


@dataclass(frozen=True, slots=True)
class Resting:
    """The part of a `Situation` that decides whether anything may rest on a line.

    `now_ns` is the later of our clock and the exchange's: a game must not begin unseen because
    one of them is behind.
    """

    now_ns: int
    event: SportEvent | None
    line: Line | None
    book_age_ns: int | None
    fair_age_ns: int | None
    stale: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the gate may look at, for one order at one moment.

    Sums and prices include intended, in doubt, open and cancelling orders. `mode` is the
    stricter of the whole daemon's and the sport event's, `now_ns` as in `Resting`. An age counts
    from the last time that the datum was known to be true: a quiet market on a healthy stream is
    not old.
    """

    now_ns: int
    mode: Mode
    ladder: Ladder | None
    event: SportEvent | None
    line: Line | None
    exposure: Exposure
    levels_now: Levels
    levels_after: Levels  # the order counted; one that is sent again is counted already
    market_resting_cents: int  # stake that may still fill, of all lines of the market
    open_orders: int  # of ours, live
    unmatched_cents: int
    cash_cents: int | None
    opposite_live: tuple[Price, ...]  # our prices on the other strike of the line
    same_price_live: bool
    book_age_ns: int | None  # None: never seen
    fair_age_ns: int | None  # None: the strategy does not use fairs
    blind: bool
    writable: bool
    halted: bool
    stale: str = ""  # why the book is not believed, however young it is
