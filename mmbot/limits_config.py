"""The table [risk]: what a person writes in dollars and seconds becomes limits in cents and ns."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mmbot.engine.limits import (
    EXCHANGE_QUANTITY_MIN_CENTS,
    NARROW_AND_WIDE,
    LimitBook,
    Limits,
    Override,
    Scope,
)

NS_PER_S: Final = 10**9
CENTS: Final = "_cents"
USD: Final = "_usd"
CAPITAL: Final = "capital_usd"  # explains the limits and is none
SCOPES: Final = "[[risk.scopes]]"

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Usd = Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2, allow_inf_nan=False)]
UsdOrNone = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2, allow_inf_nan=False)]
OrderUsd = Annotated[Usd, Field(ge=1)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def figures(self) -> dict[str, int]:
        """What is given of `NAME_usd`, as `NAME_cents`."""
        return {
            name.removesuffix(USD) + CENTS: int(value * 100)
            for name, value in self
            if name.endswith(USD) and name != CAPITAL and value is not None
        }


class ScopeSettings(_Table):
    """What is different for a part of what is traded: whom it is about, and its figures."""

    sport: str | None = None
    tournament: int | None = None
    market_type: str | None = None
    sub_type: str | None = None
    event: int | None = None
    order_quantity_max_usd: OrderUsd | None = None
    strike_resting_max_usd: Usd | None = None
    market_resting_max_usd: Usd | None = None
    line_loss_max_usd: Usd | None = None
    market_loss_max_usd: Usd | None = None
    event_loss_max_usd: Usd | None = None
    tournament_held_max_usd: Usd | None = None
    tournament_loss_max_usd: Usd | None = None

    @property
    def scope(self) -> Scope:
        sport = None if self.sport is None else self.sport.lower()
        return Scope(sport, self.tournament, self.market_type, self.sub_type, self.event)

    @model_validator(mode="after")
    def _says_something(self) -> ScopeSettings:
        if not any(self.scope.specificity):
            raise ValueError("say whom it is about: sport, tournament, market_type, ... or event")
        if not self.figures:
            raise ValueError(f"sets no figure for {self.scope}")
        strange = sorted(self.figures.keys() - self.scope.settable)
        if strange:
            raise ValueError(f"{usd_name(strange[0])} means nothing for {self.scope} alone")
        return self


class RiskSettings(_Table):
    """No figure here has a default: the person who runs the daemon has to choose it."""

    capital_usd: Usd
    order_quantity_max_usd: OrderUsd
    strike_resting_max_usd: Usd
    market_resting_max_usd: Usd
    open_orders_max: Annotated[int, Field(ge=1, le=100_000)]
    line_loss_max_usd: Usd
    market_loss_max_usd: Usd
    event_loss_max_usd: Usd
    tournament_held_max_usd: Usd
    tournament_loss_max_usd: Usd
    total_held_max_usd: Usd
    total_loss_max_usd: Usd
    simultaneous_events_max: Annotated[int, Field(ge=1)] | Literal["all"]
    balance_reserve_usd: UsdOrNone
    unmatched_cash_multiple_max: Annotated[float, Field(gt=0, le=8, allow_inf_nan=False)]
    price_age_max_s: Seconds
    fair_age_max_s: Seconds
    scopes: tuple[ScopeSettings, ...] = ()

    @model_validator(mode="after")
    def _the_wide_holds_the_narrow(self) -> RiskSettings:
        limits = self.limits(EXCHANGE_QUANTITY_MIN_CENTS)
        for narrow, wide in NARROW_AND_WIDE:
            if getattr(limits, narrow) > getattr(limits, wide):
                raise ValueError(f"{usd_name(narrow)} is above {usd_name(wide)}")
            widest = max(one.figures.get(wide, 0) for one in (self, *self.scopes))
            for number, one in enumerate(self.scopes, start=1):
                if one.figures.get(narrow, 0) > widest:  # it could never bind
                    where = f"{SCOPES} #{number} ({one.scope})"
                    raise ValueError(f"{where} {usd_name(narrow)} is above {usd_name(wide)}")
        return self

    @model_validator(mode="after")
    def _scopes_are_told_apart(self) -> RiskSettings:
        times = Counter(one.scope for one in self.scopes)
        doubled = [str(scope) for scope, count in times.items() if count > 1]
        if doubled:
            raise ValueError(f"{SCOPES} two are about {doubled[0]}")
        return self

    @property
    def order_quantity_max_cents(self) -> int:
        return int(self.order_quantity_max_usd * 100)

    @property
    def line_loss_max_cents(self) -> int:
        return int(self.line_loss_max_usd * 100)

    @property
    def total_loss_max_cents(self) -> int:
        return int(self.total_loss_max_usd * 100)

    def limits(self, quantity_min_cents: int) -> Limits:
        """The account's own figures."""
        events = self.simultaneous_events_max
        return Limits(
            **self.figures,
            open_orders_max=self.open_orders_max,
            simultaneous_events_max=None if events == "all" else events,
            unmatched_cash_multiple_max=self.unmatched_cash_multiple_max,
            price_age_max_ns=round(self.price_age_max_s * NS_PER_S),
            fair_age_max_ns=round(self.fair_age_max_s * NS_PER_S),
            quantity_min_cents=quantity_min_cents,
        )

    def book(self, quantity_min_cents: int) -> LimitBook:
        """All figures, and of each in which table it was set."""
        rows = [
            Override(one.scope, one.figures, f"{SCOPES} #{number} ({one.scope})")
            for number, one in enumerate(self.scopes, start=1)
        ]
        return LimitBook(self.limits(quantity_min_cents), rows)


def usd_name(figure: str) -> str:
    """The key of a figure, as a person writes it."""
    return figure.removesuffix(CENTS) + USD
