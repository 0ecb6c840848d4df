"""A quote is a wish: what a strategy wants to rest on one strike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mmbot.domain.ids import StrikeId
from mmbot.domain.price import Price

OrderStrategy = Literal["ALO", "fillOrKill", ""]


@dataclass(frozen=True, slots=True)
class Quote:
    """Wanted: `quantity_cents` of stake at `price`, until `valid_until_ns` (0 = while fresh).

    `price` is a ladder point already: the strategy has snapped it passively.
    """

    strike_id: StrikeId
    price: Price
    quantity_cents: int
    order_strategy: OrderStrategy = "ALO"
    valid_until_ns: int = 0
    keep_ticks: int = 0  # a live order up to this many ladder steps cheaper may stay
