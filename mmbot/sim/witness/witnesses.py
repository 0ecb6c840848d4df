"""Who hears of every change of the exchange: truth, record, reporting copy, and chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from mmbot.sim.core.orders import INSUFFICIENT, Account, Fill, Order
from mmbot.sim.faults.board import NS, FaultBoard
from mmbot.sim.faults.plan import Fault, Target
from mmbot.sim.http.reporting import Reporting
from mmbot.sim.witness.record import Record
from mmbot.sim.witness.truth import Truth

NEVER: Final = "never"  # the reason of an order that stays inactive


@dataclass(slots=True)
class Witnesses:
    """The order matters: what is written down was so before chance interfered."""

    record: Record
    reporting: Reporting
    truth: Truth
    board: FaultBoard
    # takes a fill back at a time; set when the exchange exists
    bust_at: Callable[[int, Fill], None] | None = None
    # judges that watch the accounts of clients while the box lives: (order, what, when)
    hearers: list[Callable[[Order, str, int], None]] = field(default_factory=list)

    def order_changed(self, order: Order, what: str, now_ns: int) -> None:
        self.truth.order(order, what, now_ns)
        if order.account.internal:
            return
        self.reporting.changed(order, now_ns)
        self.record.order_changed(order, what, now_ns)
        for hear in self.hearers:
            hear(order, what, now_ns)
        if what == "accepted" and not self.board.quiet:
            self._accepted(order, now_ns)

    def filled(self, fill: Fill) -> None:
        self.truth.fill(fill)
        self.reporting.filled(fill)
        self.record.filled(fill)
        self._heard(fill, "filled", fill.at_ns)
        if not self.board.quiet and self.bust_at is not None:
            self._filled(fill)

    def taken_back(self, fill: Fill) -> None:
        self.truth.taken_back(fill)
        self.reporting.filled(fill)
        self.record.taken_back(fill)
        self._heard(fill, "taken back", fill.busted_ns)

    def _heard(self, fill: Fill, word: str, now_ns: int) -> None:
        for order, cents in ((fill.maker, fill.maker_cents), (fill.taker, fill.taker_cents)):
            if not order.account.internal:
                for hear in self.hearers:
                    hear(order, f"{word} {cents}", now_ns)

    def _accepted(self, order: Order, now_ns: int) -> None:
        target = names(order.account)
        hit = self.board.order(Fault.ACTIVATION_FAILS, now_ns, target)
        if hit is not None:
            order.reason = INSUFFICIENT
        else:
            hit = self.board.order(Fault.NEVER_ACTIVATED, now_ns, target)
            if hit is None:
                return
            order.reason = NEVER
        self.board.note(hit, order.request.external_id, now_ns)

    def _filled(self, fill: Fill) -> None:
        for order in (fill.maker, fill.taker):
            account = order.account
            hit = None
            if not account.internal:
                hit = self.board.order(Fault.FILL_TAKEN_BACK, fill.at_ns, names(account))
            if hit is not None and self.bust_at is not None:
                self.board.note(hit, fill.fill_id, fill.at_ns)
                self.bust_at(fill.at_ns + round(hit.delay_s * NS), fill)
                return


def names(account: Account) -> Target:
    return Target((account.name, account.access_key))
