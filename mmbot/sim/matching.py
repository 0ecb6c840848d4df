"""The book of one line: price, then time; two opposite strikes trade when their prices cross."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator

from mmbot.sim.orders import Order
from mmbot.sim.prices import at_least_as_good, complement, half_up, ratio


def takeable_cents(maker_open_cents: int, maker_price: int) -> int:
    """The stake a taker can place against a resting order (the book's `value`)."""
    num, den = ratio(maker_price)
    return half_up(maker_open_cents * num, den)


def match_cents(taker_cents: int, maker_cents: int, maker_price: int) -> tuple[int, int]:
    """Stakes of taker and maker used by one match; (0, 0) when it would be under a cent."""
    taker_used = min(taker_cents, takeable_cents(maker_cents, maker_price))
    num, den = ratio(complement(maker_price))
    maker_used = min(half_up(taker_used * num, den), maker_cents)
    return (taker_used, maker_used) if taker_used and maker_used else (0, 0)


class LineBook:
    """Resting orders of both sides, best for the other side first."""

    __slots__ = ("_levels", "_prices", "updated_ns")

    def __init__(self) -> None:
        # per side: price -> orders by id in time order, and the prices by growing odds
        self._levels: tuple[dict[int, dict[str, Order]], ...] = ({}, {})
        self._prices: tuple[list[tuple[float, int]], ...] = ([], [])
        self.updated_ns = 0

    def add(self, order: Order) -> None:
        side = order.strike.side
        level = self._levels[side].get(order.price)
        if level is None:
            level = self._levels[side][order.price] = {}
            insort(self._prices[side], _rank(order.price))
        level[order.order_id] = order

    def remove(self, order: Order) -> None:
        side = order.strike.side
        level = self._levels[side].get(order.price)
        if level is None or level.pop(order.order_id, None) is None:
            return
        if not level:
            del self._levels[side][order.price]
            self._prices[side].remove(_rank(order.price))

    def resting(self, side: int) -> Iterator[Order]:
        """Resting orders of one side in the order in which they trade."""
        for _, price in self._prices[side]:
            yield from self._levels[side][price].values()

    def best_price(self, side: int) -> int | None:
        """Best resting price of one side, dust left out."""
        for _, price in self._prices[side]:
            if any(takeable_cents(o.open_cents, price) for o in self._levels[side][price].values()):
                return price
        return None

    def crossing(self, side: int, price: int) -> Iterator[Order]:
        """Resting orders of the other side that an order on `side` at `price` can take."""
        for _, maker_price in list(self._prices[1 - side]):
            if not at_least_as_good(complement(maker_price), price):
                return
            yield from list(self._levels[1 - side].get(maker_price, {}).values())

    def levels(self, side: int, levels_max: int) -> list[tuple[int, int, int]]:
        """What a taker can get on `side`: (taker price, maker cents behind, takeable cents)."""
        found: list[tuple[int, int, int]] = []
        for _, maker_price in self._prices[1 - side]:
            orders = self._levels[1 - side][maker_price].values()
            value = sum(takeable_cents(order.open_cents, maker_price) for order in orders)
            if value:
                quantity = sum(order.open_cents for order in orders)
                found.append((complement(maker_price), quantity, value))
            if len(found) == levels_max:
                break
        return found

    def resting_cents(self) -> int:
        return sum(o.open_cents for side in (0, 1) for o in self.resting(side))


def _rank(price: int) -> tuple[float, int]:
    num, den = ratio(price)
    return num / den, price
