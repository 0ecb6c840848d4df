"""The reporting copy: what the read routes show, which may lag behind the exchange."""

from __future__ import annotations

from collections import deque
from typing import Final

from mmbot.sim.core import messages
from mmbot.sim.core.lifecycle import NS, iso_utc
from mmbot.sim.core.messages import Json
from mmbot.sim.core.orders import Fill, Order
from mmbot.sim.faults.switches import Switches

TIMES: Final = frozenset({"created_at", "updated_at", "settled_at"})


class Reporting:
    """Keeps versions of orders only while there is a lag to show."""

    def __init__(self, lag_s: float, switches: Switches | None = None) -> None:
        self._lag_ns = int(lag_s * NS)
        self._switches = Switches() if switches is None else switches
        self._unlisted: set[str] = set()  # orders that lists leave out while they are told to
        self._versions: dict[str, list[tuple[int, Json]]] = {}
        self._ended: deque[tuple[int, Order]] = deque()  # unfilled: nothing changes them again

    def until_ns(self, now_ns: int) -> int:
        return now_ns - self._lag_ns

    def synced_at(self, now_ns: int) -> str:
        return iso_utc(self.until_ns(now_ns))

    def left_out(self, order: Order) -> bool:
        if not self._switches.changes_unlisted:
            self._unlisted.clear()
        return order.order_id in self._unlisted

    def changed(self, order: Order, now_ns: int) -> None:
        if self._switches.changes_unlisted:
            self._unlisted.add(order.order_id)
        if not self._lag_ns:
            return
        versions = self._versions.setdefault(order.order_id, [])
        versions.append((now_ns, messages.history_row(order)))
        if not (order.alive or order.filled_cents):
            self._ended.append((now_ns, order))
        until = self.until_ns(now_ns)
        while len(versions) > 1 and versions[1][0] <= until:
            versions.pop(0)  # nobody can see it any more
        while self._ended and self._ended[0][0] <= until:
            self._versions.pop(self._ended.popleft()[1].order_id, None)

    def filled(self, fill: Fill) -> None:
        for order in (fill.maker, fill.taker):
            if not order.account.internal:
                self.changed(order, fill.at_ns)

    def history_row(self, order: Order, now_ns: int) -> Json | None:
        """The order as the copy has it; nothing when it has not arrived there yet."""
        if not self._lag_ns:
            return messages.history_row(order)
        seen = self._seen(order, now_ns)
        return None if seen is None else seen[1]

    def updated_ns(self, order: Order, now_ns: int) -> int:
        if order.order_id not in self._versions:
            return order.updated_ns
        seen = self._seen(order, now_ns)
        return 0 if seen is None else seen[0]

    def status(self, order: Order, now_ns: int) -> str:
        """As a row would say, without writing it; "" when there is none yet."""
        if order.order_id not in self._versions:
            return order.status
        seen = self._seen(order, now_ns)
        return "" if seen is None else str(seen[1]["status"])

    def _seen(self, order: Order, now_ns: int) -> tuple[int, Json] | None:
        until = self.until_ns(now_ns)
        versions = self._versions.get(order.order_id)
        if versions is None:  # it has arrived in the copy as it is
            return order.updated_ns, messages.history_row(order)
        return next((one for one in reversed(versions) if one[0] <= until), None)


def without_times(row: Json) -> Json:
    """An order as `get_order` shows it: a row of the history without its times."""
    return {k: v for k, v in row.items() if k not in TIMES}
