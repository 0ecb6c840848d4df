"""A box without traders and the judge of every step, for its tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from mmbot.sim.box import Box
from mmbot.sim.core.orders import Order, OrderRequest
from mmbot.sim.faults.faulty_ports import Sent
from mmbot.sim.faults.kinds import route_kind
from mmbot.sim.scenario import BoxOptions
from mmbot.sim.witness.watch import Bounds, Watch

NS: Final = 10**9
BORN_NS: Final = 1_795_359_600 * NS
SECRET: Final = "a-secret-that-is-long-enough"
BOUNDS: Final = Bounds("mm", 100_00, 150_00, 0, {"secret_key": SECRET})
PLACE: Final = "/partner/v4/mm/submit_multiple_orders"
BALANCE: Final = "/partner/v4/mm/get_balance"


class Scene:
    """A box without traders, its maker, and the judge."""

    def __init__(self, bounds: Bounds = BOUNDS) -> None:
        self.box = Box(BoxOptions(seed=3), BORN_NS)
        self.box.control.takers({"on": False}, BORN_NS)
        self.now_ns = BORN_NS + NS
        self.watch = Watch(bounds, self.now_ns)
        self.box.witnesses.hearers.append(self.watch.order_changed)
        self.strikes = self.box.exchange.listing.lines[0].strikes

    def sent(self, path: str, ids: Iterable[str] = (), after_s: float = 0.0) -> None:
        self.now_ns += round(after_s * NS)
        body = json.dumps({"data": [{"external_id": one} for one in ids]}).encode()
        request = Sent("POST", path, {}, body, route_kind(path), None)
        self.watch.sent(request, self.now_ns)

    def rests(self, ident: str, usd: int = 10, side: int = 0, price: int = 3000) -> Order:
        """An order that nobody can trade with, durable and sent as it must be."""
        self.watch.intended(ident)
        self.sent(PLACE, [ident], 0.1)
        return self.accepts(ident, usd, side, price)

    def accepts(self, ident: str, usd: int = 10, side: int = 0, price: int = 3000) -> Order:
        request = OrderRequest(ident, self.strikes[side].strike_id, price, usd * 100)
        order = self.box.exchange.accept(self.box.maker, request, self.now_ns)
        assert isinstance(order, Order)
        return order

    def ledger(self, order: Order, **otherwise: Any) -> Mapping[str, Any]:
        as_it_is = {"state": "OPEN", "filled_cents": order.filled_cents}
        return {"external_id": order.request.external_id} | as_it_is | otherwise

    def found(self) -> str:
        return "\n".join(self.watch.findings)
