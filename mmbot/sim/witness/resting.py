"""Which of our orders stand on which strike at which price, for the judge at every step."""

from __future__ import annotations

from collections import Counter

from mmbot.sim.core.orders import Order

Place = tuple[str, int]  # strike and price


class Resting:
    """What lands after it was given up stands there for `unknown_ns` before anybody can know."""

    def __init__(self, on_strike_max: int, unknown_ns: int) -> None:
        """`on_strike_max`: orders that may be alive on one strike; 0: that is not judged."""
        self._on_strike_max = on_strike_max
        self._unknown_ns = unknown_ns
        self._places: dict[str, Place] = {}
        self._at_price: Counter[Place] = Counter()
        self._on_strike: Counter[str] = Counter()
        self._late_ns: dict[str, int] = {}  # per strike, when such an order came

    def __contains__(self, ident: str) -> bool:
        return ident in self._places

    def come(self, ident: str, order: Order, given_up: bool, now_ns: int) -> list[str]:
        """It is alive; what must not be so."""
        strike_id = order.strike.strike_id
        place = self._places[ident] = (strike_id, order.price)
        self._at_price[place] += 1
        self._on_strike[strike_id] += 1
        if given_up:
            self._late_ns[strike_id] = now_ns
        if now_ns - self._late_ns.get(strike_id, -self._unknown_ns) < self._unknown_ns:
            return []
        found = []
        if self._at_price[place] > 1:
            found.append(f"two orders alive on one strike at {order.price:+d}")
        if 0 < self._on_strike_max < self._on_strike[strike_id]:
            found.append(f"more than {self._on_strike_max} alive on one strike")
        return found

    def leave(self, ident: str) -> None:
        place = self._places.pop(ident, None)
        if place is not None:
            self._at_price[place] -= 1
            self._on_strike[place[0]] -= 1
