"""What could be lost at most: per line, market, sport event, tournament, and in all.

Two figures at each level. *Held*: what is filled, and orders in doubt wherever they would lose.
*Everything*: as if all that rests, is under way, is being cancelled or is in doubt filled, too,
wherever it would lose. Both after the fee, on the worst score; 0 or more, integer cents.
Sport events do not offset each other: tournaments and the portfolio are sums over events.
"""

from __future__ import annotations

from dataclasses import dataclass

from mmbot.domain.catalog import Catalog, Side
from mmbot.domain.ids import LineId, MarketId, SportEventId


@dataclass(frozen=True, slots=True)
class Loss:
    """Worst case in cents, 0 or more; `everything_cents` is never below `held_cents`."""

    held_cents: int
    everything_cents: int


NO_LOSS = Loss(0, 0)


@dataclass(frozen=True, slots=True)
class Levels:
    """One line and everything above it.

    Above the sport event, `everything_cents` counts resting orders only of those
    `simultaneous_events_max` events where they add most.
    """

    line: Loss
    market: Loss
    event: Loss
    tournament: Loss
    portfolio: Loss


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line belongs, as its orders say it: needs no catalogue."""

    event_id: SportEventId
    market_id: MarketId
    line_id: LineId


@dataclass(frozen=True, slots=True)
class LineStakes:
    """One line, per side, cents: filled stakes, what these win, stake that may still fill.

    `doubt_cents` is the part of `open_cents` of which nobody knows whether it is filled already.
    """

    stake_cents: tuple[int, int] = (0, 0)
    profit_cents: tuple[int, int] = (0, 0)
    open_cents: tuple[int, int] = (0, 0)
    doubt_cents: tuple[int, int] = (0, 0)


class Portfolio:
    """Fed by the ledger as orders move; synchronous and silent; no question changes an answer."""

    def __init__(self, fee_ppm: int, simultaneous_events_max: int | None) -> None:
        """`fee_ppm`: fee on the net winnings of a market (2 % = 20,000), rounded up to the cent.

        `simultaneous_events_max`: None counts the resting orders of all events (strict).
        """
        raise NotImplementedError

    def learn(self, catalog: Catalog) -> None:
        """How lines lie on the score, and the tournament of each event.

        A line that no catalogue described offsets nothing; what was learnt once stays.
        """
        raise NotImplementedError

    def put(self, place: Place, stakes: LineStakes) -> None:
        """This is what the line holds now (all of it, not a change)."""
        raise NotImplementedError

    def levels(self, place: Place) -> Levels:
        """As things stand."""
        raise NotImplementedError

    def levels_with(self, place: Place, side: Side, stake_cents: int) -> Levels:
        """As if an order of that stake rested beside all the rest; `held`: as if in doubt.

        Filled or not, whichever is worse: so it is never below `levels(place)`. The price does
        not matter: an order that wins is never counted before it is filled.
        """
        raise NotImplementedError

    @property
    def total(self) -> Loss:
        """The portfolio."""
        raise NotImplementedError

    def events(self) -> dict[SportEventId, Loss]:
        """Those that hold or rest anything."""
        raise NotImplementedError

    def tournaments(self) -> dict[int, Loss]:
        """By tournament id; 0: unknown."""
        raise NotImplementedError

    def markets(self) -> dict[tuple[SportEventId, MarketId], Loss]:
        """Those that hold or rest anything; for people, not for the gate."""
        raise NotImplementedError
