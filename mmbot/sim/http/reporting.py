"""The reporting copy: what the read routes show, which may lag behind the exchange."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from mmbot.sim.core import messages
from mmbot.sim.core.lifecycle import NS, iso_utc
from mmbot.sim.core.messages import Json
from mmbot.sim.core.orders import Fill, Order
from mmbot.sim.faults.switches import Switches

TIMES: Final = frozenset({"created_at", "updated_at", "settled_at"})


class Reporting:
    """Keeps versions of orders only while there is a lag to show, or it stands still."""

    def __init__(self, lag_s: float, switches: Switches | None = None) -> None:
        self._lag_ns = int(lag_s * NS)
        self._stood_ns = 0  # nothing that happened later arrives; 0: it does
        self._listed_ns = 0  # lists of orders stand still since then, alone
        self._money_ns = 0  # and those of money
        self._switches = Switches() if switches is None else switches
        self._unlisted: set[str] = set()  # orders that lists leave out while they are told to
        self.tells: Callable[[Order], bool] = lambda order: False  # and of which they tell still
        self._versions: dict[str, list[tuple[int, Json]]] = {}
        self._ended: deque[tuple[int, Order]] = deque()  # unfilled: nothing changes them again

    def until_ns(self, now_ns: int) -> int:
        """What happened before can be seen."""
        if self._switches.copy_stands_still:
            self._stood_ns = self._stood_ns or now_ns - self._lag_ns
            return self._stood_ns
        if self._stood_ns:
            self._stood_ns = 0
            self._goes_on()
        return now_ns - self._lag_ns

    def _goes_on(self) -> None:
        if not self._lag_ns:
            self._versions.clear()
            self._ended.clear()

    def listed_ns(self, now_ns: int) -> int:
        """The moment for which a list of orders is written."""
        if self._switches.history_stands:
            self._listed_ns = self._listed_ns or now_ns
            return self._listed_ns
        if self._listed_ns:
            self._listed_ns = 0
            self._goes_on()
        return now_ns

    def money_ns(self, now_ns: int) -> int:
        """The moment for which a list of transactions is written."""
        self._money_ns = (self._money_ns or now_ns) if self._switches.money_stands else 0
        return self._money_ns or now_ns

    def synced_at(self, now_ns: int) -> str:
        return iso_utc(self.until_ns(now_ns))

    def left_out(self, order: Order) -> bool:
        if not self._switches.changes_unlisted:
            self._unlisted.clear()
        return order.order_id in self._unlisted and not self.tells(order)

    def changed(self, order: Order, now_ns: int) -> None:
        if self._switches.changes_unlisted:
            self._unlisted.add(order.order_id)
        self.money_ns(now_ns)
        until = self.until_ns(self.listed_ns(now_ns))
        if until == now_ns:
            return
        versions = self._versions.setdefault(order.order_id, [])
        # Of one that is older than a halt there is no older image, where there was no lag.
        known = not (self._lag_ns or versions or order.created_ns > until)
        versions.append((until if known else now_ns, messages.history_row(order)))
        if not (order.alive or order.filled_cents):
            self._ended.append((now_ns, order))
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
