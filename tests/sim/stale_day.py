"""A day beside the judge of staleness, played by hand."""

from __future__ import annotations

import json

from mmbot.sim.box import Box
from mmbot.sim.core.messages import Json, Outgoing
from mmbot.sim.core.orders import Order, OrderRequest
from mmbot.sim.faults.faulty_ports import Sent
from mmbot.sim.faults.kinds import route_kind
from mmbot.sim.scenario import BoxOptions
from mmbot.sim.stream.channels import event_channel, main_channel, user_channel
from mmbot.sim.stream.connections import Connection
from mmbot.sim.virtual.island import Island
from mmbot.sim.virtual.loop import VirtualLoop
from mmbot.sim.witness.stale import NS
from mmbot.sim.witness.stale_record import Row
from mmbot.sim.witness.stale_watch import StaleWatch

PLACE = "/partner/v4/mm/submit_multiple_orders"
CANCEL = "/partner/v4/mm/cancel_multiple_orders"
MARKETS = "/partner/v4/mm/get_multiple_markets"
BALANCE = "/partner/v4/mm/get_balance"


class Day:
    """One client of a box, whose wire and stream are played by hand; `s` is the time."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.box = Box(BoxOptions(seed=3), 0)
        self.box.control.takers({"on": False}, 0)
        self.watch = StaleWatch(self.box.hub, "mm", lambda: self.now_ns, self.box.switches)
        self._loop = VirtualLoop(1)
        self.client = self.island()
        line = self.box.exchange.listing.lines[0]
        self.strike_id, self.event_id = line.strikes[0].strike_id, line.event_id
        self.books = event_channel(self.event_id, "", 6)
        self.private = user_channel(self.box.maker.user_id, 6)
        self.socket = Connection("1.1", 0)
        self._loop.close()

    def island(self) -> Island:
        return Island(self._loop, "a daemon")

    def at(self, seconds: float) -> Day:
        self.now_ns = round(seconds * NS)
        return self

    def asks(
        self, path: str, body: object = None, status: int = 200, retry_after_s: str = ""
    ) -> None:
        raw = json.dumps(body or {}).encode()
        request = Sent("POST", path, {}, raw, route_kind(path), self.client)
        headers = {"Retry-After": retry_after_s} if retry_after_s else {}
        self.watch.sent(request, self.now_ns)
        self.watch.answered(request, (status, headers, raw), self.now_ns)

    def rests(self, ident: str = "mm-1") -> Order:
        request = OrderRequest(ident, self.strike_id, 3000, 500)
        order = self.box.exchange.accept(self.box.maker, request, self.now_ns)
        assert isinstance(order, Order)
        told = {"external_id": ident, "order_id": order.order_id, "price": -110, "quantity": 5}
        self.asks(PLACE, [told])
        return order

    def starts(self) -> Order:
        """A healthy daemon with one order, past the time that a start is given."""
        self.box.hub.members.join(self.socket, self.private)
        self.box.hub.members.join(self.socket, self.books)
        self.publishes(0, 105)
        self.asks(f"{MARKETS}?event_ids={self.event_id}")
        return self.at(0).rests()

    def starts_in_seed(self) -> Order:
        """The same, with the channel that all books share; what is quoted was listed before."""
        self.asks(f"{MARKETS}?event_ids={self.event_id}")
        self.books = main_channel(3)
        return self.starts()

    def beats(self, *seconds: float) -> None:
        for second in seconds:
            self.at(second).watch.heard("health", "", self.now_ns)

    def publishes(self, second: float, price: int = 110) -> None:
        selections = [[{"price": price}], [{"price": None}]]
        info: Json = {"info": {"id": 1, "strike": 0, "selections": selections}}
        image = Outgoing(0, "", "market_selections", "u", info, event_id=self.event_id)
        self.at(second).watch.published(image)

    def reads(self, *seconds: float) -> None:
        for second in seconds:
            self.at(second).asks(f"{MARKETS}?event_ids={self.event_id}")

    def hears_book(self, second: float) -> None:
        frame = f'{{"event":"market_selections","channel":"{self.books}"}}'
        self.at(second).watch.heard("books", frame, self.now_ns)

    def stale_s(self, at_s: float) -> float:
        return self.at(at_s).watch.verdict(self.orders()).stale_ns / NS

    def orders(self) -> list[Row]:
        rows = self.box.record.summary(self.box.maker, self.now_ns)["orders"]
        assert isinstance(rows, list)
        return rows
