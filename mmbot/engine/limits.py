"""Limits as data: one set of figures for the account, and what is different for a part of it.

The figure that binds a line is the one of the most specific scope that sets it; a scope may
tighten or loosen. What is wider is measured on its own: a looser event never lifts the limit of
its tournament or of the whole. The code has no defaults: a person decides every figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mmbot.domain.catalog import Line, SportEvent

EXCHANGE_QUANTITY_MIN_CENTS: Final = 100
START_MARGIN_NS: Final = 120 * 10**9
RESOLVED_MAX: Final = 10_000  # then the cache begins anew: listings come and go for days

ORDER_FIGURES: Final = frozenset(
    {
        "order_quantity_max_cents",
        "strike_resting_max_cents",
        "market_resting_max_cents",
        "line_loss_max_cents",
        "market_loss_max_cents",
    }
)
EVENT_FIGURES: Final = frozenset({"event_loss_max_cents"})
TOURNAMENT_FIGURES: Final = frozenset({"tournament_held_max_cents", "tournament_loss_max_cents"})

# What is wider may not have the smaller figure: then the narrower one would never bind.
NARROW_AND_WIDE: Final = (
    ("order_quantity_max_cents", "strike_resting_max_cents"),
    ("strike_resting_max_cents", "market_resting_max_cents"),
    ("line_loss_max_cents", "market_loss_max_cents"),
    ("market_loss_max_cents", "event_loss_max_cents"),
    ("event_loss_max_cents", "tournament_loss_max_cents"),
    ("tournament_loss_max_cents", "total_loss_max_cents"),
    ("tournament_held_max_cents", "tournament_loss_max_cents"),
    ("tournament_held_max_cents", "total_held_max_cents"),
    ("total_held_max_cents", "total_loss_max_cents"),
)


@dataclass(frozen=True, slots=True)
class Limits:
    """All that binds one line. `resting`: stake that may still fill (intended, in doubt, open,
    cancelling, manual). `loss`: the worst case if everything fills; `held`: the worst case of
    what is filled or in doubt. `unmatched_cash_multiple_max` counts times our cash."""

    order_quantity_max_cents: int
    strike_resting_max_cents: int
    market_resting_max_cents: int
    open_orders_max: int
    line_loss_max_cents: int
    market_loss_max_cents: int
    event_loss_max_cents: int
    tournament_held_max_cents: int
    tournament_loss_max_cents: int
    total_held_max_cents: int
    total_loss_max_cents: int
    simultaneous_events_max: int | None  # None: resting orders of all events count
    balance_reserve_cents: int
    unmatched_cash_multiple_max: float
    price_age_max_ns: int
    fair_age_max_ns: int
    quantity_min_cents: int = EXCHANGE_QUANTITY_MIN_CENTS
    start_margin_ns: int = START_MARGIN_NS


@dataclass(frozen=True, slots=True)
class Scope:
    """Which lines a row is about: all that is given must fit; None fits all."""

    sport: str | None = None  # in lower case
    tournament: int | None = None
    market_type: str | None = None
    sub_type: str | None = None
    event: int | None = None

    def covers(self, event: SportEvent, line: Line) -> bool:
        return (
            self.event in {None, event.event_id}
            and self.tournament in {None, event.tournament_id}
            and self.sport in {None, event.sport_name.lower()}
            and self.market_type in {None, line.market_type}
            and self.sub_type in {None, line.sub_type}
        )

    @property
    def specificity(self) -> tuple[bool, ...]:
        """Event before market type before tournament before sport; two beat one of them."""
        given = (self.event, self.sub_type, self.market_type, self.tournament, self.sport)
        return tuple(one is not None for one in given)

    @property
    def settable(self) -> frozenset[str]:
        """The figures that mean something for it: an event has lines of more than one type."""
        if self.market_type is not None or self.sub_type is not None:
            return ORDER_FIGURES
        if self.event is not None:
            return ORDER_FIGURES | EVENT_FIGURES
        return ORDER_FIGURES | EVENT_FIGURES | TOURNAMENT_FIGURES

    def __str__(self) -> str:
        given = (
            ("sport", self.sport),
            ("tournament", self.tournament),
            ("market type", self.market_type),
            ("sub type", self.sub_type),
            ("event", self.event),
        )
        return ", ".join(f"{name} {value}" for name, value in given if value is not None)


@dataclass(frozen=True, slots=True)
class Override:
    """Figures of one scope, and the table in which a person has set them."""

    scope: Scope
    figures: Mapping[str, int]
    table: str


class LimitBook:
    """The limits of any line, looked up once."""

    def __init__(self, account: Limits, overrides: Sequence[Override] = ()) -> None:
        self.account = account
        self.overrides = tuple(sorted(overrides, key=lambda one: one.scope.specificity))
        self._resolved: dict[tuple[object, ...], Limits] = {}

    def of(self, event: SportEvent | None, line: Line | None) -> Limits:
        """What binds this line; of what is not listed only the account's figures are known."""
        if not self.overrides or event is None or line is None:
            return self.account
        key = (
            event.event_id,
            event.tournament_id,
            event.sport_name,
            line.market_type,
            line.sub_type,
        )
        limits = self._resolved.get(key)
        if limits is None:
            if len(self._resolved) >= RESOLVED_MAX:
                self._resolved.clear()
            limits = self._resolved[key] = self._resolve(event, line)
        return limits

    def _resolve(self, event: SportEvent, line: Line) -> Limits:
        limits = self.account
        for one in self.overrides:  # the most specific comes last
            if one.scope.covers(event, line):
                limits = replace(limits, **one.figures)
        return limits

    def table_of(self, figure: str, event: SportEvent | None, line: Line | None) -> str:
        """Where the figure that binds this line was set; "[risk]" is the account's table."""
        if event is not None and line is not None:
            for one in reversed(self.overrides):
                if figure in one.figures and one.scope.covers(event, line):
                    return one.table
        return "[risk]"
