"""The parts of the ledger and how they hang together."""

from __future__ import annotations

from dataclasses import dataclass

from mmbot.engine.accounting import Accounting
from mmbot.engine.activation import Activations
from mmbot.engine.adoption import Adoption
from mmbot.engine.books import Books
from mmbot.engine.cancels import Cancels
from mmbot.engine.changes import Changes
from mmbot.engine.cool_offs import CoolOffs
from mmbot.engine.doubt import Doubts
from mmbot.engine.edge_loss import EdgeLoss
from mmbot.engine.ledger_orders import Orders
from mmbot.engine.ledger_sums import LineSums
from mmbot.engine.manual import ManualOrders
from mmbot.engine.outbox import Outbox
from mmbot.engine.proofs import Proofs
from mmbot.engine.reads import Reads
from mmbot.engine.reconcile import Reconciliation
from mmbot.engine.recovery import Recovery
from mmbot.engine.reversals import Reversals
from mmbot.engine.settlement import Settlement
from mmbot.engine.timers import Timers
from mmbot.engine.tombstones import Tombstones
from mmbot.engine.trades import Trades
from mmbot.engine.walk import Walk
from mmbot.pricing.portfolio import Portfolio


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
    reversals: Reversals
    proofs: Proofs
    accounting: Accounting
    adoption: Adoption
    tombstones: Tombstones
    manual: ManualOrders
    reconcile: Reconciliation
    trades: Trades
    changes: Changes
    activations: Activations
    cool_offs: CoolOffs
    edge: EdgeLoss
    arrival_bound_ns: int

    @classmethod
    def make(cls, prefix: str, arrival_bound_ns: int, portfolio: Portfolio | None = None) -> Kit:
        sums, out, timers = LineSums(portfolio), Outbox(), Timers()
        books, edge = Books(), EdgeLoss(out)
        books.told = edge.filled
        orders, reads = Orders(sums, books), Reads(out, timers)
        proofs = Proofs(orders, timers, reads)
        doubts = Doubts(orders, out, timers, reads, arrival_bound_ns)
        manual, reconcile = ManualOrders(sums, reads), Reconciliation(out, timers)
        reversals = Reversals(orders, books, manual.places, out, timers, reads)
        trades = Trades(orders, out, manual, reads, reconcile)
        changes = Changes(orders, timers, reads)
        accounting = Accounting(books, out, reads, manual, reversals)
        accounting.differs = proofs.differs
        accounting.opened = reconcile.money
        proofs.ask_changes, changes.listed = changes.ask, proofs.listed
        return cls(
            orders=orders,
            sums=sums,
            out=out,
            timers=timers,
            reads=reads,
            walk=Walk(orders, out),
            cancels=Cancels(orders, out, timers, reads),
            doubts=doubts,
            recovery=Recovery(orders, timers, reads, doubts, reconcile, trades, changes),
            settlement=Settlement(orders, out, reads, accounting.book),
            reversals=reversals,
            proofs=proofs,
            accounting=accounting,
            adoption=Adoption(prefix, orders, out, reads, arrival_bound_ns),
            tombstones=Tombstones(prefix, orders, arrival_bound_ns),
            manual=manual,
            reconcile=reconcile,
            trades=trades,
            changes=changes,
            activations=Activations(timers, reads, reconcile),
            cool_offs=CoolOffs(out),
            edge=edge,
            arrival_bound_ns=arrival_bound_ns,
        )

    def restart(self, now_ns: int) -> None:
        """What was rebuilt from the journal begins a new life."""
        for part in (
            self.reversals,
            self.settlement,
            self.manual,
            self.proofs,
            self.cool_offs,
            self.edge,
        ):
            part.restart(now_ns)
