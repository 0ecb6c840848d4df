"""No two orders of the account may trade with each other: what an order could meet.

Counted is whatever may still fill: ours in every live state (intended, in doubt, a cancel on its
way), whichever strategy they are of, and those that a person placed. The exchange refuses what
crosses an own order, too (contract, section 7.2); in which form is unknown, and it costs a request.
"""

from __future__ import annotations

from collections.abc import Iterable

from mmbot.domain.catalog import Line
from mmbot.domain.ids import StrikeId
from mmbot.domain.order import Order
from mmbot.domain.price import Price, crosses
from mmbot.engine.ledger import Ledger


class Opposites:
    """Every strike that was ever the other outcome of one: a line that moves gets a new strike on
    one side, while orders still rest on the old one."""

    def __init__(self) -> None:
        self._of: dict[StrikeId, tuple[StrikeId, ...]] = {}

    def listed(self, lines: Iterable[Line]) -> None:
        """A listing has come."""
        for line in lines:
            first, second = line.strikes
            self._meets(first.strike_id, second.strike_id)
            self._meets(second.strike_id, first.strike_id)

    def _meets(self, strike_id: StrikeId, other: StrikeId) -> None:
        known = self._of.get(strike_id, ())
        if other not in known:
            self._of[strike_id] = (*known, other)

    def of(self, strike_id: StrikeId) -> tuple[StrikeId, ...]:
        return self._of.get(strike_id, ())


def prices_against(order: Order, opposites: Opposites, ledger: Ledger) -> tuple[Price, ...]:
    """Of everything on the account that rests, or may rest, against this order."""
    found: tuple[Price, ...] = ()
    for strike_id in opposites.of(order.strike_id):
        if live := ledger.live_on(strike_id):
            found += tuple(other.price for other in live)
        found += ledger.prices_by_hand(strike_id)
    return found


def meets(order: Order, prices: Iterable[Price]) -> str:
    """Why an order that was approved must not leave after all, or ""."""
    for price in prices:
        if crosses(order.price, price):
            return f"{order.price} would trade with our own {price}"
    return ""
