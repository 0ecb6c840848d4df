"""The reporting copy: what the read routes show, which may lag behind the exchange."""

from __future__ import annotations

from mmbot.sim import messages
from mmbot.sim.lifecycle import NS, iso_utc
from mmbot.sim.messages import Json
from mmbot.sim.orders import Fill, Order


class Reporting:
    """Keeps versions of orders only while there is a lag to show."""

    def __init__(self, lag_s: float) -> None:
        self._lag_ns = int(lag_s * NS)
        self._versions: dict[str, list[tuple[int, Json]]] = {}

    def until_ns(self, now_ns: int) -> int:
        return now_ns - self._lag_ns

    def synced_at(self, now_ns: int) -> str:
        return iso_utc(self.until_ns(now_ns))

    def changed(self, order: Order, now_ns: int) -> None:
        if self._lag_ns:
            versions = self._versions.setdefault(order.order_id, [])
            versions.append((now_ns, messages.history_row(order)))

    def filled(self, fill: Fill) -> None:
        for order in (fill.maker, fill.taker):
            if not order.account.internal:
                self.changed(order, fill.at_ns)

    def history_row(self, order: Order, now_ns: int) -> Json | None:
        """The order as the copy has it; nothing when it has not arrived there yet."""
        if not self._lag_ns:
            return messages.history_row(order)
        seen = [
            row
            for at_ns, row in self._versions.get(order.order_id, ())
            if at_ns <= self.until_ns(now_ns)
        ]
        return seen[-1] if seen else None

    def order_fields(self, order: Order, now_ns: int) -> Json | None:
        row = self.history_row(order, now_ns)
        if row is None:
            return None
        return {k: v for k, v in row.items() if k not in ("created_at", "updated_at")}

    def updated_ns(self, order: Order, now_ns: int) -> int:
        if not self._lag_ns:
            return order.updated_ns
        times = [
            at_ns
            for at_ns, _ in self._versions.get(order.order_id, ())
            if at_ns <= self.until_ns(now_ns)
        ]
        return times[-1] if times else 0
