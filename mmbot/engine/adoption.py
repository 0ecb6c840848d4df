"""Whose order is it? Ours and unknown is adopted; a foreign run means a second daemon."""

from __future__ import annotations

from dataclasses import replace

from mmbot.domain.catalog import Side
from mmbot.domain.entries import PlaceIntended
from mmbot.domain.events import Channel
from mmbot.domain.ids import ExternalId, LineId, run_of
from mmbot.domain.order import Order, OrderReport
from mmbot.engine.ledger_orders import Orders
from mmbot.engine.manual import UNKNOWN_LINE, LineOf, no_lines
from mmbot.engine.outbox import Outbox
from mmbot.engine.reading import NO_RESULT_YET
from mmbot.engine.reads import CLOCK_MARGIN_NS, Reads


class Adoption:
    def __init__(
        self, prefix: str, orders: Orders, out: Outbox, reads: Reads, arrival_bound_ns: int
    ) -> None:
        self._prefix = prefix
        self._orders = orders
        self._out = out
        self._reads = reads
        self._bound_ns = arrival_bound_ns
        self._homeless: dict[ExternalId, None] = {}
        self._foreign_runs: set[str] = set()
        self._odd_runs: set[str] = set()
        self.runs: set[str] = set()
        self.start_ns: int | None = None
        self.line_of: LineOf = no_lines

    def is_ours(self, ident: str | None) -> bool:
        return ident is not None and run_of(self._prefix, ident) is not None

    def adopt(
        self, report: OrderReport, channel: Channel, now_ns: int, all_known: bool = True
    ) -> Order | None:
        """Take an order of ours into the ledger; None when there is nothing left to count."""
        ident = report.external_id
        assert ident is not None
        # A read without a time may show any old order, and so may a message before all is known.
        if report.created_ns or (all_known and channel != "read"):
            self._watch_run(ident, report, now_ns)
        open_risk = report.filled_cents and report.winning_status in NO_RESULT_YET
        if not report.alive and not open_risk:
            return None
        line = self.line_of(report.strike_id)
        order = Order(
            external_id=ident,
            event_id=report.event_id,
            market_id=report.market_id,
            line_id=UNKNOWN_LINE if line is None else line.line_id,
            strike_id=report.strike_id,
            side=0 if line is None else line.side_of(report.strike_id),
            price=report.price,
            quantity_cents=report.quantity_cents,
            order_strategy="",
            owner="",
            intended_ns=self._reads.to_ours(report.created_ns) if report.created_ns else now_ns,
        )
        self._orders.put(order)
        self._out.note(PlaceIntended(order, adopted=True))
        self._out.alarm("adopted", f"{ident}: unknown to the ledger ({channel})", order.event_id)
        if line is None:
            self.without_line(order)
            self._out.alarm("unknown strike", f"{ident}: {report.strike_id}", order.event_id)
        return order

    def without_line(self, order: Order) -> None:
        """Its stake offsets nothing until the catalogue tells its line."""
        self._homeless[order.external_id] = None

    def locate(self) -> bool:
        """Move orders to their lines when the catalogue has come; True when one moved."""
        moved = False
        for ident in tuple(self._homeless):
            order = self._orders.get(ident)
            line = None if order is None else self.line_of(order.strike_id)
            if order is not None and line is None:
                continue
            del self._homeless[ident]
            if order is not None and line is not None:
                moved = True
                self._move(order, line.line_id, line.side_of(order.strike_id))
        return moved

    def _move(self, order: Order, line_id: LineId, side: Side) -> None:
        moved = replace(order, line_id=line_id, side=side)
        self._orders.put(moved)
        self._out.note(PlaceIntended(moved, adopted=True))

    def _watch_run(self, ident: ExternalId, report: OrderReport, now_ns: int) -> None:
        run = run_of(self._prefix, ident)
        if run is None or run in self.runs or run in self._foreign_runs or self.start_ns is None:
            return
        created_ns = report.created_ns or self._reads.to_exchange(now_ns)
        if created_ns > self._reads.to_exchange(self.start_ns + self._bound_ns):
            self._foreign_runs.add(run)
            self._out.alarm("second daemon", f"{ident} is of a run that is not ours")
        elif created_ns > self._reads.to_exchange(self.start_ns) and run not in self._odd_runs:
            self._odd_runs.add(run)
            if not self.suspicion(now_ns):
                return
            detail = f"{ident} came after our start: no placement until the arrival bound"
            self._out.alarm("unknown run", detail)

    def suspicion(self, now_ns: int) -> str:
        """Late orders of a lost ledger, or a second daemon? Two that place would fight; the
        arrival bound tells, since after it only a daemon that lives can still place."""
        if not self._odd_runs or self.start_ns is None:
            return ""
        waits = now_ns <= self.start_ns + self._bound_ns + CLOCK_MARGIN_NS
        return f"orders of an unknown run ({min(self._odd_runs)})" if waits else ""
