"""The book of one line: price, then time; two opposite strikes trade when their prices cross."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from itertools import islice
from typing import Final

from mmbot.sim.core.orders import Order
from mmbot.sim.core.prices import complement, crosses, half_up, rank, ratio

FIRST_LOOK_ORDERS: Final = 4


def takeable_cents(maker_open_cents: int, maker_price: int) -> int:
    """The stake a taker can place against a resting order (the book's `value`)."""
    num, den = ratio(maker_price)
    return half_up(maker_open_cents * num, den)


def match_cents(
    taker_cents: int, maker_cents: int, maker_price: int, *, floor: bool = False
) -> tuple[int, int]:
    """Stakes of taker and maker used by one match; (0, 0) when it would be under a cent."""
    num, den = ratio(maker_price)
    taker_used = min(taker_cents, half_up(maker_cents * num, den))
    # the maker's stake is the taker's profit: the same fraction upside down
    used = taker_used * den // num if floor else half_up(taker_used * den, num)
    maker_used = min(used, maker_cents)
    return (taker_used, maker_used) if taker_used and maker_used else (0, 0)


class LineBook:
    """Resting orders of both sides, best for the other side first."""

    __slots__ = ("_levels", "_prices", "image_due", "sent_ns", "updated_ns")

    def __init__(self) -> None:
        # per side: price -> orders by id in time order, and the prices by growing odds
        self._levels: tuple[dict[int, dict[str, Order]], ...] = ({}, {})
        self._prices: tuple[list[int], ...] = ([], [])
        self.updated_ns = 0
        # when its image last went out, and whether the next one is on its way
        self.sent_ns = 0
        self.image_due = False

    def add(self, order: Order) -> None:
        side, price = order.side, order.price
        level = self._levels[side].get(price)
        if level is None:
            level = self._levels[side][price] = {}
            insort(self._prices[side], price, key=rank)
        level[order.order_id] = order

    def remove(self, order: Order) -> None:
        side, price = order.side, order.price
        level = self._levels[side].get(price)
        if level is None or level.pop(order.order_id, None) is None:
            return
        if not level:
            del self._levels[side][price]
            self._prices[side].remove(price)

    def resting(self, side: int) -> Iterator[Order]:
        """Resting orders of one side in the order in which they trade."""
        for price in self._prices[side]:
            yield from self._levels[side][price].values()

    def best_price(self, side: int) -> int | None:
        """Best resting price of one side, dust left out."""
        for price in self._prices[side]:
            if any(takeable_cents(o.open_cents, price) for o in self._levels[side][price].values()):
                return price
        return None

    def is_crossed_by(self, side: int, price: int) -> bool:
        """Whether an order on `side` at `price` would find somebody."""
        others = self._prices[1 - side]
        return bool(others) and crosses(price, others[0])

    def would_trade(self, side: int, price: int, cents: int) -> bool:
        """Whether an order would be filled; what is left of others may be worth under a cent."""
        crossing = self.crossing(side, price)
        return any(match_cents(cents, maker.open_cents, maker.price)[0] for maker in crossing)

    def crossing(self, side: int, price: int) -> Iterator[Order]:
        """Resting orders of the other side that an order on `side` at `price` can take.

        The book may change meanwhile: what was yielded may be gone when the next is asked for.
        """
        levels = self._levels[1 - side]
        for maker_price in tuple(self._prices[1 - side]):
            if not crosses(price, maker_price):
                return
            level = levels.get(maker_price, {})
            # most takers are content with the first few of a level that may be long
            first = list(islice(level.values(), FIRST_LOOK_ORDERS))
            yield from first
            if len(first) == FIRST_LOOK_ORDERS:
                yield from [order for order in level.values() if order not in first]

    def levels(
        self, side: int, levels_max: int, *, nominal: bool = False
    ) -> list[tuple[int, int, int]]:
        """What a taker can get on `side`: (taker price, maker cents behind, takeable cents).

        `nominal` shows the whole quantity of the orders behind a level, filled part included.
        """
        found: list[tuple[int, int, int]] = []
        for maker_price in self._prices[1 - side]:
            orders = self._levels[1 - side][maker_price].values()
            value = sum(takeable_cents(order.open_cents, maker_price) for order in orders)
            if value:
                quantity = sum(
                    order.quantity_cents if nominal else order.open_cents for order in orders
                )
                found.append((complement(maker_price), quantity, value))
            if len(found) == levels_max:
                break
        return found

    def resting_cents(self) -> int:
        return sum(o.open_cents for side in (0, 1) for o in self.resting(side))
