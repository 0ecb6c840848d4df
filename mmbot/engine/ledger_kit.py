"""The parts of the ledger and how they hang together."""

from __future__ import annotations

from dataclasses import dataclass

from mmbot.engine.adoption import Adoption
from mmbot.engine.cancels import Cancels
from mmbot.engine.doubt import Doubts
from mmbot.engine.ledger_orders import Orders
from mmbot.engine.ledger_sums import LineSums
from mmbot.engine.manual import ManualOrders
from mmbot.engine.missed import Missed
from mmbot.engine.outbox import Outbox
from mmbot.engine.reads import Reads
from mmbot.engine.recovery import Recovery
from mmbot.engine.settlement import Settlement
from mmbot.engine.timers import Timers
from mmbot.engine.tombstones import Tombstones
from mmbot.engine.walk import Walk


@dataclass(frozen=True, slots=True)
class Kit:
    """The parts of the ledger, wired once."""

    orders: Orders
    sums: LineSums
    out: Outbox
    timers: Timers
    reads: Reads
    walk: Walk
    cancels: Cancels
    doubts: Doubts
    recovery: Recovery
    settlement: Settlement
    adoption: Adoption
    tombstones: Tombstones
    manual: ManualOrders
    missed: Missed
    arrival_bound_ns: int

    @classmethod
    def make(cls, prefix: str, arrival_bound_ns: int) -> Kit:
        sums, out, timers = LineSums(), Outbox(), Timers()
        orders, reads = Orders(sums), Reads(out, timers)
        doubts = Doubts(orders, out, timers, reads, arrival_bound_ns)
        return cls(
            orders=orders,
            sums=sums,
            out=out,
            timers=timers,
            reads=reads,
            walk=Walk(orders, out),
            cancels=Cancels(orders, out, timers, reads),
            doubts=doubts,
            recovery=Recovery(orders, timers, reads, doubts),
            settlement=Settlement(orders, out),
            adoption=Adoption(prefix, orders, out, reads, arrival_bound_ns),
            tombstones=Tombstones(prefix, orders, arrival_bound_ns),
            manual=ManualOrders(sums, reads),
            missed=Missed(out, timers),
            arrival_bound_ns=arrival_bound_ns,
        )
