"""All that a measurement works with, and what a measurement is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from mmbot.domain.catalog import Side
from mmbot.domain.errors import MmbotError
from mmbot.domain.price import Ladder, Price
from mmbot.probe.allowance import Allowance
from mmbot.probe.calls import Calls
from mmbot.probe.desk import Desk, Ticket
from mmbot.probe.findings import Notebook
from mmbot.probe.ground import Ground, Spot, far_price
from mmbot.probe.listener import Listener
from mmbot.runtime.clock import Clock


class Unmeasurable(MmbotError):
    """This measurement cannot be made here; the message says why."""


@dataclass(slots=True)
class Lab:
    calls: Calls
    desk: Desk
    ground: Ground
    listener: Listener
    notebook: Notebook
    allowance: Allowance
    clock: Clock
    closed: str = ""  # why nothing may be placed at all
    unit_cents: int = 0  # the smallest order that was taken; 0 until one was
    home: Spot | None = None  # where orders rest without being taken
    empty_lists: dict[str, str] = field(default_factory=dict)  # "null" or "empty", as seen
    lags_s: list[float] = field(default_factory=list)  # age of the reporting copy, each look
    filled: list[Ticket] = field(default_factory=list)  # own orders that took something

    @property
    def ladder(self) -> Ladder:
        if self.ground.ladder is None:
            raise Unmeasurable(f"nothing is placed: {self.ground.no_ladder}")
        return self.ground.ladder

    @property
    def spot(self) -> Spot:
        if self.home is None:
            assert self.ladder  # without one no line can be read, and that is the reason to give
            raise Unmeasurable("no line to place on: none is listed that starts late enough")
        return self.home

    @property
    def unit(self) -> int:
        if not self.unit_cents:
            raise Unmeasurable("no order was taken")
        return self.unit_cents

    def far_price(self, side: Side) -> Price:
        return far_price(self.ladder, self.spot, side)

    async def resting(self, side: Side = 0) -> Ticket:
        """A smallest order far from the market, resting; Unmeasurable when it does not rest."""
        ticket = await self.desk.rest(self.spot.strike(side), self.far_price(side), self.unit)
        if not ticket.rests:
            words = ticket.refused or ticket.status or "nothing was heard of it"
            raise Unmeasurable(f"an order that should rest did not: {words}")
        return ticket


@dataclass(frozen=True, slots=True)
class Measurement:
    """One step of the run and the settings that it is about."""

    topic: str
    names: tuple[str, ...]
    measure: Callable[[Lab], Awaitable[None]]
