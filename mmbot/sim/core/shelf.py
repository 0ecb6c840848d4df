"""The orders of one account, by either id; those that ended without a fill can be put away.

A maker ends thousands of such orders a day. They never change again, but can be asked for until
the exchange forgets them, which is longer than most boxes live.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from heapq import merge
from operator import attrgetter
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from mmbot.sim.core.orders import Order

AT_HAND_MAX: Final = 1_000  # of those that ended unfilled
PUT_AWAY: Final = 500
by_number = attrgetter("number")


class Archive(Protocol):
    """Where orders lie that nobody changes any more; what it gives back are copies."""

    def keep(self, orders: Sequence[Order]) -> None: ...
    def find(self, order_id: str) -> Order | None: ...
    def knows_external(self, external_id: str) -> bool: ...
    def orders(self, *, newest_first: bool = False) -> Iterator[Order]: ...
    def __len__(self) -> int: ...


class Shelf:
    """Every order since the account was opened, oldest first."""

    def __init__(self) -> None:
        self.archive: Archive | None = None
        self._by_id: dict[str, Order] = {}
        self._by_external: dict[str, Order] = {}
        self._ended: deque[Order] = deque()

    def add(self, order: Order) -> None:
        self._by_id[order.order_id] = self._by_external[order.request.external_id] = order

    def ended_unfilled(self, order: Order) -> None:
        """Nothing will change this one again."""
        if self.archive is None:
            return
        self._ended.append(order)
        if len(self._ended) > AT_HAND_MAX:
            going = [self._ended.popleft() for _ in range(PUT_AWAY)]
            self.archive.keep(going)
            for one in going:
                del self._by_id[one.order_id], self._by_external[one.request.external_id]

    def get(self, order_id: str) -> Order | None:
        found = self._by_id.get(order_id)
        if found is None and self.archive is not None:
            return self.archive.find(order_id)
        return found

    def __getitem__(self, order_id: str) -> Order:
        found = self.get(order_id)
        if found is None:
            raise KeyError(order_id)
        return found

    def knows_external(self, external_id: str) -> bool:
        if external_id in self._by_external:
            return True
        return self.archive is not None and self.archive.knows_external(external_id)

    def __len__(self) -> int:
        return len(self._by_id) + (0 if self.archive is None else len(self.archive))

    def __iter__(self) -> Iterator[Order]:
        old = () if self.archive is None else self.archive.orders()
        return merge(old, self._by_id.values(), key=by_number)

    def __reversed__(self) -> Iterator[Order]:
        old = () if self.archive is None else self.archive.orders(newest_first=True)
        return merge(old, reversed(self._by_id.values()), key=by_number, reverse=True)
