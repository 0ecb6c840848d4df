"""What the gate refused last, quote by quote: told once, and counted while it goes on."""

from __future__ import annotations

from collections import Counter
from typing import Final

from mmbot.domain.ids import StrikeId
from mmbot.domain.price import Price

ASKED_AGAIN_NS: Final = 3_000_000_000  # each line with a wish is judged once a second


class Refusals:
    def __init__(self) -> None:
        self._last: dict[tuple[StrikeId, Price], tuple[str, int]] = {}

    def refused(self, strike_id: StrikeId, price: Price, check: str, now_ns: int) -> bool:
        """True when it is news."""
        known, _ = self._last.get((strike_id, price), ("", 0))
        self._last[strike_id, price] = check, now_ns
        return known != check

    def passed(self, strike_id: StrikeId, price: Price) -> None:
        self._last.pop((strike_id, price), None)

    def going_on(self, now_ns: int) -> Counter[str]:
        """Quotes that are wanted and refused now, by the check that refused them."""
        since_ns = now_ns - ASKED_AGAIN_NS
        return Counter(check for check, at_ns in self._last.values() if at_ns >= since_ns)
