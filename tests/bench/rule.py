"""The vendor-style stack's own decision: book in, price out. It shares no line with the daemon."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any, Final

HALF_SPREAD: Final = 0.01
WIDTH_MAX: Final = 0.05
QUANTITY_USD: Final = 10.0
LIVE_USD_MAX: Final = 8_000.0
TOLERANCE: Final = 1e-9

Selections = list[list[dict[str, Any]]]


def implied(price: int) -> float:
    """Probability of an American price."""
    return 100 / (price + 100) if price > 0 else -price / (100 - price)


@dataclass(slots=True)
class Maker:
    """Book, rule and risk check of the stack; quotes the first side of each line."""

    ladder: list[int]  # cheapest first
    costs: list[float]  # what each of them costs, as a probability
    book: dict[tuple[int, float], Selections] = field(default_factory=dict)
    live: dict[str, dict[str, Any]] = field(default_factory=dict)  # strike -> our order
    live_usd: float = 0.0
    orders: int = 0

    @classmethod
    def on(cls, prices: list[int]) -> Maker:
        ladder = sorted(prices, key=implied)
        return cls(ladder, [implied(price) for price in ladder])

    def wanted(self, selections: Selections) -> int | None:
        """Price for the first side, None for none: the middle less half a spread, snapped."""
        if not selections[0] or not selections[1]:
            return None
        ask = implied(selections[0][0]["price"])
        bid = 1.0 - implied(selections[1][0]["price"])
        if ask - bid > WIDTH_MAX:
            return None
        affordable = bisect_right(self.costs, (bid + ask) / 2.0 - HALF_SPREAD + TOLERANCE)
        return self.ladder[affordable - 1] if affordable else None

    def allowed(self) -> bool:
        return self.live_usd + QUANTITY_USD <= LIVE_USD_MAX
