"""`[breakers]`: what may happen within seconds before quotes are pulled; nothing has a default."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from mmbot.engine.breakers import BreakerLimits

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Usd = Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2, allow_inf_nan=False)]


class BreakerSettings(BaseModel):
    """Counts, dollars and log-odds; each is explained in the shipped files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_fills_max: Count
    event_filled_max_usd: Usd
    total_fills_max: Count
    total_filled_max_usd: Usd
    jump_max_logit: Annotated[float, Field(gt=0, le=20, allow_inf_nan=False)]
    refusals_max: Count

    def limits(self) -> BreakerLimits:
        return BreakerLimits(
            self.event_fills_max,
            int(self.event_filled_max_usd * 100),
            self.total_fills_max,
            int(self.total_filled_max_usd * 100),
            self.jump_max_logit,
            self.refusals_max,
        )
