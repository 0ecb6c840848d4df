"""What goes into and comes out of the engine besides events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from mmbot.domain.catalog import Line, SportEvent
from mmbot.domain.commands import Command
from mmbot.domain.entries import Entry
from mmbot.domain.facts import Fact
from mmbot.domain.quote import Quote
from mmbot.domain.view import MarketView
from mmbot.engine.risk import Approved

# What is older slept with the process, or waited for the disk, a token or the request budget.
LEAVES_WITHIN_NS: Final = 2_000_000_000


class Quoter(Protocol):
    """The pure form of a strategy."""

    uses_fairs: bool

    def quotes(self, view: MarketView) -> Iterable[Quote]: ...


@dataclass(frozen=True, slots=True)
class Slot:
    """One enabled strategy and the lines it owns."""

    owner: str
    quoter: Quoter
    selects: Callable[[SportEvent, Line], bool]


# Foreign code is asked through this port: its quotes, or one line that says how it failed.
Ask = Callable[[Slot, MarketView], Sequence[Quote] | str]


@dataclass(frozen=True, slots=True)
class Budget:
    """How many requests that place orders the limiter would let out at this moment.

    `opens_in_ns`: how soon it may let one out at the earliest.
    """

    placements: int
    opens_in_ns: int = 0


@dataclass(frozen=True, slots=True)
class PlaceOrders:
    """At most 20; released only after the commit that holds their intents.

    A resend of an order in doubt carries the same external id and no new intent. It leaves within
    `LEAVES_WITHIN_NS` of `decided_ns` or never: the arrival bound counts on that. `cause_ns` is
    when the oldest event that led to it came in (0 = none): tick-to-trade counts from there.
    `turn` numbers the call of `handle` that decided it (0 = none).
    """

    orders: tuple[Approved, ...]
    decided_ns: int
    cause_ns: int = 0
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Effects:
    """What `handle` decided. Perform in this order: commands, journal, placements, facts."""

    entries: tuple[Entry, ...] = ()
    commands: tuple[Command, ...] = ()
    placements: tuple[PlaceOrders, ...] = ()
    facts: tuple[Fact, ...] = ()
    wake_at_ns: int | None = None  # call `handle` again then, even without an event
