"""`[breakers]`: what may happen within seconds before quotes are pulled; nothing has a default."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from mmbot.engine.breakers import BreakerLimits
from mmbot.engine.day_loss import DayLoss, DayOf
from mmbot.engine.edge_loss import EdgeLoss

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Usd = Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2, allow_inf_nan=False)]


def _zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)  # UTC is known without a database


def _known(name: str) -> str:
    try:
        _zone(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"no time zone {name} is known here; America/New_York is one") from None
    return name


class BreakerSettings(BaseModel):
    """Counts, dollars and log-odds; each is explained in the shipped files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_fills_max: Count
    event_filled_max_usd: Usd
    total_fills_max: Count
    total_filled_max_usd: Usd
    jump_max_logit: Annotated[float, Field(gt=0, le=20, allow_inf_nan=False)]
    refusals_max: Count
    edge_loss_reduce_usd: Usd
    edge_loss_halt_usd: Usd
    cash_loss_max_usd: Usd
    day_time_zone: Annotated[str, AfterValidator(_known)]

    @model_validator(mode="after")
    def _reduces_before_it_halts(self) -> BreakerSettings:
        if self.edge_loss_reduce_usd >= self.edge_loss_halt_usd:
            raise ValueError("edge_loss_reduce_usd is not below edge_loss_halt_usd")
        return self

    def limits(self) -> BreakerLimits:
        return BreakerLimits(
            self.event_fills_max,
            int(self.event_filled_max_usd * 100),
            self.total_fills_max,
            int(self.total_filled_max_usd * 100),
            self.jump_max_logit,
            self.refusals_max,
        )

    @property
    def cash_loss_max_cents(self) -> int:
        return int(self.cash_loss_max_usd * 100)

    def rule(self, cash: DayLoss, edge: EdgeLoss) -> None:
        """The limits of a day; before a replay."""
        cash.day_of = edge.day.day_of = self.day_of
        cash.allowed_cents = self.cash_loss_max_cents
        edge.day.allowed_cents = int(self.edge_loss_reduce_usd * 100)
        edge.halt_cents = int(self.edge_loss_halt_usd * 100)

    @property
    def day_of(self) -> DayOf:
        """The number of the day in which a moment lies."""
        zone = _zone(self.day_time_zone)
        return lambda at_ns: datetime.fromtimestamp(at_ns // 10**9, zone).toordinal()
