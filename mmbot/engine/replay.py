"""Rebuilding the ledger from the journal: entries in, memory out; nothing is asked or said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from mmbot.domain.difference import DifferenceFound
from mmbot.domain.entries import (
    BalanceNoted,
    BreakerTripped,
    CaseClosed,
    CaseOpened,
    EdgeNoted,
    Entry,
    FillDisputed,
    FillReversed,
    OperatorNoted,
    OrderStepped,
    PlaceIntended,
    RunStarted,
    SettlementSeen,
    TransactionBooked,
)
from mmbot.domain.ids import ExternalId, OrderId
from mmbot.domain.notes import IdExists, ManualSeen, RequestAnswered, RequestSent, ResendDecided
from mmbot.domain.order import TERMINAL, State
from mmbot.engine.ledger_kit import Kit
from mmbot.engine.ledger_orders import stepped
from mmbot.engine.manual import UNKNOWN_LINE


class Replay:
    """`last_ns`: when the last step was, 0 without one."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self.last_ns = 0
        self._waiting: dict[ExternalId, OrderStepped] = {}

    def all(self, entries: Iterable[Entry]) -> None:
        """Journalled entries, in journal order."""
        for entry in entries:
            if isinstance(entry, OrderStepped):
                self._step(entry)
            elif isinstance(entry, PlaceIntended) and entry.order.external_id not in self._waiting:
                self._take(entry)  # what other orders went through since does not touch it
            else:
                self._take_waiting()
                self._take(entry)
        self._take_waiting()

    def _take(self, entry: Entry) -> None:
        kit = self._kit
        match entry:
            case RunStarted(run, at_ns):
                kit.adoption.runs.add(run)
                kit.reads.first_run_ns = kit.reads.first_run_ns or at_ns
            case PlaceIntended(order):
                known = kit.orders.get(order.external_id)
                if known is not None and known.terminal and not order.terminal:
                    kit.orders.forget(order.external_id)  # left memory, then seen alive again
                kit.orders.put(order)
                if order.line_id == UNKNOWN_LINE:
                    kit.adoption.without_line(order)
            case OrderStepped():
                self._take_step(entry)
            case SettlementSeen(ident, winning_status, at_ns):
                kit.proofs.heard(ident, at_ns)
                kit.settlement.see(ident, winning_status, at_ns)
                kit.tombstones.settled(ident, at_ns)
                self._money(at_ns)
            case TransactionBooked(row, at_ns):
                if kit.settlement.book(row):
                    kit.reversals.row(row)
                self._money(at_ns)
            case BalanceNoted() | CaseOpened() | CaseClosed():
                kit.accounting.replay(entry)
            case FillDisputed():
                kit.reversals.replay(entry)
            case FillReversed():
                self._reversal(entry)
                self._money(entry.at_ns)
            case IdExists(ident):
                kit.doubts.exists(ident)
            case OperatorNoted("resume"):
                kit.accounting.day.resumed()
            case OperatorNoted():
                pass
            case ManualSeen():
                kit.manual.see(entry.report, entry.at_ns, entry.at_ns)
            case BreakerTripped():
                kit.cool_offs.replay(entry)
            case EdgeNoted():
                kit.edge.replay(entry)
            case RequestSent() | RequestAnswered() | ResendDecided():
                pass
            case DifferenceFound():
                pass
            case _:
                assert_never(entry)

    def _step(self, entry: OrderStepped) -> None:
        """A step holds all that has changed since the intent, so that the next one makes up for
        it: of those without a fill the last is taken, when something else is to be told.
        """
        ident, self.last_ns = entry.external_id, entry.at_ns
        if entry.evidence.exchange_ns is not None:
            self._kit.reads.formerly_ahead(entry.evidence.exchange_ns - entry.at_ns)
        before = self._waiting.get(ident) or self._kit.orders.get(ident)
        assert before is not None, f"{ident}: a step without an intent"
        was_terminal, terminal = before.state in TERMINAL, entry.state in TERMINAL
        if entry.filled_cents == before.filled_cents and not was_terminal:
            self._waiting[ident] = entry
        else:
            self._take_waiting()
            self._take_step(entry)
        if terminal and not was_terminal:
            self._kit.tombstones.ended(ident, entry.at_ns)
        elif was_terminal and not terminal:
            self._kit.tombstones.revived(ident)

    def _money(self, at_ns: int) -> None:
        self._kit.accounting.day.look(self._kit.accounting.books.realised_cents, at_ns)

    def _take_waiting(self) -> None:
        for entry in self._waiting.values():
            self._take_step(entry)
        self._waiting.clear()

    def _take_step(self, entry: OrderStepped) -> None:
        order = self._kit.orders.get(entry.external_id)
        assert order is not None
        order_id = OrderId(entry.order_id) if entry.order_id else None
        if order_id is not None:
            self._kit.manual.ours(order_id)
        if entry.filled_cents != order.filled_cents:
            self._kit.proofs.heard(entry.external_id, entry.at_ns)
        self._kit.orders.put(
            stepped(order, entry.state, entry.filled_cents, order_id, entry.cancel_wanted)
        )
        if entry.filled_cents != order.filled_cents:
            self._money(entry.at_ns)

    def _reversal(self, entry: FillReversed) -> None:
        kit, ident = self._kit, entry.external_id
        order = kit.orders.get(ident)
        assert order is not None, f"{ident}: a reversal without an intent"
        wanted = order.cancel_wanted or entry.state is State.CANCELLING
        kit.orders.put(stepped(order, entry.state, entry.filled_cents, order.order_id, wanted))
        kit.reversals.done(ident, entry.rows, entry.reversed_cents, entry.at_ns)
        kit.proofs.heard(ident, entry.at_ns)
        if order.terminal and entry.state is State.CANCELLING:
            kit.tombstones.revived(ident)
        elif order.state is not entry.state:
            kit.tombstones.ended(ident, entry.at_ns)
