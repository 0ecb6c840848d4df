"""What could be lost at most: per line, market, sport event, tournament, and in all.

Two figures at each level. *Held*: what is filled, and orders in doubt wherever they would lose.
*Everything*: as if all that rests, is under way, is being cancelled or is in doubt filled, too,
wherever it would lose. Both after the fee, on the worst score; 0 or more, integer cents.
Sport events do not offset each other: tournaments and the portfolio are sums over events.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from mmbot.domain.catalog import Catalog, Side
from mmbot.domain.ids import LineId, MarketId, SportEventId
from mmbot.pricing.event_risk import NO_LOSS, BothResults, EventLosses, EventRisk, Loss
from mmbot.pricing.exposure import Staked
from mmbot.pricing.score import cut_of, own_axis

UNKNOWN_TOURNAMENT = 0


class Levels(NamedTuple):
    """One line and everything above it.

    Above the sport event, `everything_cents` counts resting orders only of those
    `simultaneous_events_max` events where they add most.
    """

    line: Loss
    market: Loss
    event: Loss
    tournament: Loss
    portfolio: Loss


class Place(NamedTuple):
    """Where a line belongs, as its orders say it: needs no catalogue."""

    event_id: SportEventId
    market_id: MarketId
    line_id: LineId

    @classmethod
    def of(cls, line_id: LineId) -> Place:
        """Our own key of a line names its event and market; of any other both are 0."""
        event, _, rest = line_id.partition("/")
        market = rest.partition("/")[0]
        if event.isdecimal() and market.isdecimal():
            return cls(SportEventId(int(event)), MarketId(int(market)), line_id)
        return cls(SportEventId(0), MarketId(0), line_id)


class LineStakes(NamedTuple):
    """One line, per side, cents: filled stakes, what these win, stake that may still fill.

    `doubt_cents` is the part of `resting_cents` of which nobody knows whether it is filled already.
    """

    stake_cents: tuple[int, int] = (0, 0)
    profit_cents: tuple[int, int] = (0, 0)
    resting_cents: tuple[int, int] = (0, 0)
    doubt_cents: tuple[int, int] = (0, 0)


class Stakes(Staked, Protocol):
    """The same, or sums that still change."""

    @property
    def resting_cents(self) -> Sequence[int]: ...

    @property
    def doubt_cents(self) -> Sequence[int]: ...


class Sum:
    """Losses of many sport events: all that they hold, and of what rests beside it the most
    that so many of them add."""

    def __init__(self, simultaneous_events_max: int | None) -> None:
        self._most = simultaneous_events_max
        self._held_cents = 0
        self._added_cents = 0  # by all resting orders
        self._added: list[int] = []  # by those of each event, sorted; strict: not asked for
        self.loss = NO_LOSS

    def move(self, old: Loss, new: Loss) -> None:
        """An event went from the one to the other; `NO_LOSS`: it was, or is, not there."""
        self.loss = self.loss_if(old, new)
        if self._most is None:
            self._added_cents += _added(new) - _added(old)
        else:
            self._added = self._added_if(old, new)
        self._held_cents += new.held_cents - old.held_cents

    def loss_if(self, old: Loss, new: Loss) -> Loss:
        """As `loss` after `move`, and nothing changes."""
        held = self._held_cents + new.held_cents - old.held_cents
        if self._most is None:
            return Loss(held, held + self._added_cents + _added(new) - _added(old))
        return Loss(held, held + sum(self._added_if(old, new)[-self._most :]))

    def _added_if(self, old: Loss, new: Loss) -> list[int]:
        added = self._added[:]
        if was := _added(old):
            del added[bisect_left(added, was)]
        if now := _added(new):
            insort(added, now)
        return added


def _added(loss: Loss) -> int:
    return loss.everything_cents - loss.held_cents


@dataclass(slots=True)
class _Event:
    risk: EventRisk
    tournament_id: int


class Portfolio:
    """Fed by the ledger as orders move; synchronous and silent; no question changes an answer."""

    def __init__(self, fee_ppm: int, simultaneous_events_max: int | None) -> None:
        """`fee_ppm`: fee on the net winnings of a market (2 % = 20,000), rounded up to the cent.

        `simultaneous_events_max`: None counts the resting orders of all events (strict).
        """
        assert 0 <= fee_ppm <= 1_000_000, fee_ppm
        assert simultaneous_events_max is None or simultaneous_events_max > 0
        self._fee_ppm = fee_ppm
        self._most = simultaneous_events_max
        self._catalog = Catalog()
        self._events: dict[SportEventId, _Event] = {}
        self._tournaments: dict[int, Sum] = {}
        self._total = Sum(simultaneous_events_max)

    def learn(self, catalog: Catalog) -> None:
        """How lines lie on the score, and the tournament of each event.

        A line that no catalogue described offsets nothing; what was learnt once stays.
        """
        self._catalog = catalog
        for event_id, event in tuple(self._events.items()):
            if event.risk.empty:
                del self._events[event_id]
                continue
            tournament_id = self._tournament_of(event_id) or event.tournament_id
            if tournament_id != event.tournament_id:
                self._sum_of(event).move(event.risk.loss, NO_LOSS)
                event.tournament_id = tournament_id
                self._sum_of(event).move(NO_LOSS, event.risk.loss)
            for line_id, market_id in event.risk.alone():
                self._place(event, Place(event_id, market_id, line_id))

    def put(self, place: Place, stakes: Stakes) -> None:
        """This is what the line holds now (all of it, not a change)."""
        event = self._event(place)
        before = event.risk.loss
        event.risk.put(place.line_id, _results(stakes))
        self._moved(event, before)

    def levels(self, place: Place) -> Levels:
        """As things stand."""
        event = self._event(place)
        found = event.risk.losses(place.line_id)
        return _levels(found, self._sum_of(event).loss, self._total.loss)

    def levels_with(self, place: Place, side: Side, stake_cents: int) -> Levels:
        """As if an order of that stake rested beside all the rest; `held`: as if in doubt.

        Filled or not, whichever is worse: so it is never below `levels(place)`. The price does
        not matter: an order that wins is never counted before it is filled.
        """
        assert stake_cents >= 0, stake_cents
        event = self._event(place)
        found = event.risk.losses_if_lost(place.line_id, 1 if side == 0 else 0, stake_cents)
        before = event.risk.loss
        of_tournament = self._sum_of(event).loss_if(before, found.event)
        return _levels(found, of_tournament, self._total.loss_if(before, found.event))

    @property
    def total(self) -> Loss:
        """The portfolio."""
        return self._total.loss

    def events(self) -> dict[SportEventId, Loss]:
        """Those that hold or rest anything."""
        return {key: one.risk.loss for key, one in self._events.items() if not one.risk.empty}

    def tournaments(self) -> dict[int, Loss]:
        """By tournament id; 0: unknown."""
        return {tournament_id: one.loss for tournament_id, one in self._tournaments.items()}

    def markets(self) -> dict[tuple[SportEventId, MarketId], Loss]:
        """Those that were ever asked for of listed events; for people, not for the gate."""
        return {
            (event_id, market_id): loss
            for event_id, event in self._events.items()
            for market_id, loss in event.risk.markets().items()
        }

    def check(self) -> None:
        """Recompute every figure from nothing; raises AssertionError on a difference."""
        total = Sum(self._most)
        tournaments = {key: Sum(self._most) for key in self._tournaments}
        for event in self._events.values():
            loss = event.risk.anew().loss
            assert loss == event.risk.loss, "the worst case of an event drifted"
            if loss != NO_LOSS:
                total.move(NO_LOSS, loss)
                tournaments[event.tournament_id].move(NO_LOSS, loss)
        assert total.loss == self._total.loss, "the worst case of the portfolio drifted"
        assert {key: one.loss for key, one in tournaments.items()} == self.tournaments()

    def _event(self, place: Place) -> _Event:
        event = self._events.get(place.event_id)
        if event is None:
            tournament_id = self._tournament_of(place.event_id) or UNKNOWN_TOURNAMENT
            event = self._events[place.event_id] = _Event(EventRisk(self._fee_ppm), tournament_id)
        if place.line_id not in event.risk:
            self._place(event, place)
        return event

    def _place(self, event: _Event, place: Place) -> None:
        before = event.risk.loss
        line = self._catalog.lines.get(place.line_id)
        fixture = self._catalog.events.get(place.event_id)
        cut = own_axis(place.line_id)
        if line is not None and fixture is not None:
            cut = cut_of(line, fixture)
        event.risk.place(place.line_id, place.market_id, cut)
        self._moved(event, before)

    def _moved(self, event: _Event, before: Loss) -> None:
        after = event.risk.loss
        if after != before:
            self._sum_of(event).move(before, after)
            self._total.move(before, after)

    def _sum_of(self, event: _Event) -> Sum:
        found = self._tournaments.get(event.tournament_id)
        if found is None:
            found = self._tournaments[event.tournament_id] = Sum(self._most)
        return found

    def _tournament_of(self, event_id: SportEventId) -> int | None:
        fixture = self._catalog.events.get(event_id)
        return None if fixture is None else fixture.tournament_id


def _results(stakes: Stakes) -> BothResults:
    """An open order wins nothing before it is filled, and may lose its stake."""
    staked, won = stakes.stake_cents, stakes.profit_cents
    first, second = won[0] - staked[1], won[1] - staked[0]
    doubt, rests = stakes.doubt_cents, stakes.resting_cents
    return (first - doubt[1], second - doubt[0]), (first - rests[1], second - rests[0])


def _levels(found: EventLosses, tournament: Loss, portfolio: Loss) -> Levels:
    return Levels(found.line, found.market, found.event, tournament, portfolio)
