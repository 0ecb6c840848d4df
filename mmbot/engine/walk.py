"""Walking the order table: the only place where an order changes state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mmbot.domain.entries import FillReversed, OrderStepped
from mmbot.domain.evidence import Evidence, Kind
from mmbot.domain.facts import FillCounted, FillTakenBack, OrderMoved
from mmbot.domain.ids import OrderId, SportEventId
from mmbot.domain.order import PROVEN_BY, TABLE, Order, State, Step, Then
from mmbot.engine.ledger_orders import Orders, stepped
from mmbot.engine.outbox import Outbox

OURS: Final = frozenset({Step.NOT_SENT, Step.CANCEL_WANTED})  # steps that we take ourselves
FILLS: Final = frozenset({Step.PART_FILL, Step.FILLED_UP})
LOUD: Final = frozenset({Then.DASH, Then.COUNT, Then.ALARM})


@dataclass(frozen=True, slots=True)
class Proof:
    """Why a step is taken, and what came with it."""

    evidence: Evidence
    now_ns: int
    filled_cents: int = 0
    order_id: OrderId | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """One walked cell."""

    before: Order
    order: Order
    then: Then
    at_ns: int


class Walk:
    """`distrusted` holds the sport events that must stay in CANCEL_ONLY until reconciled."""

    def __init__(self, orders: Orders, out: Outbox) -> None:
        self._orders = orders
        self._out = out
        self.distrusted: set[SportEventId] = set()

    def step(self, order: Order, step: Step, proof: Proof) -> Moved:
        """Look the cell up, do it, journal it, say it."""
        assert proof.evidence.kind in PROVEN_BY[step], (
            f"{order.external_id}: {proof.evidence} proves no {step}"
        )
        cell = TABLE[order.state, step]
        if cell.then is Then.DASH and step in OURS:
            raise AssertionError(f"{order.external_id} is {order.state}: our step {step}")
        filled = max(order.filled_cents, proof.filled_cents) if step in FILLS else 0
        wanted = step is Step.CANCEL_WANTED and not order.terminal
        after = stepped(
            order,
            cell.state,
            max(order.filled_cents, filled),
            order.order_id or proof.order_id,
            order.cancel_wanted or wanted,
        )
        if after != order or cell.then in LOUD:
            self._take(order, after, step, proof)
        if cell.then in LOUD:
            self._loud(after, step, cell.then, proof)
        return Moved(order, after, cell.then, proof.now_ns)

    def correct(self, order: Order, step: Step, state: State, proof: Proof) -> Moved:
        """A trusted read contradicts an end that we had believed: the read wins, loudly."""
        assert order.terminal, f"{order.external_id} is {order.state}, not an end"
        assert proof.evidence.kind is Kind.READ, f"{order.external_id}: {proof.evidence}"
        after = stepped(
            order,
            state,
            order.filled_cents,
            order.order_id or proof.order_id,
            order.cancel_wanted or state is State.CANCELLING,
        )
        self._take(order, after, step, proof)
        self._out.alarm(
            "end contradicted",
            f"{order.external_id} was {order.state}, now {state}: {proof.evidence}",
            order.event_id,
        )
        return Moved(order, after, Then.NOTHING, proof.now_ns)

    def take_back(
        self, order: Order, filled_cents: int, state: State, rows: tuple[str, ...], proof: Proof
    ) -> Moved:
        """Fills were undone: the one way in which a filled total falls."""
        assert proof.evidence.kind is Kind.READ, f"{order.external_id}: {proof.evidence}"
        gone = order.filled_cents - filled_cents
        assert 0 < gone <= order.filled_cents, f"{order.external_id}: {filled_cents} filled"
        wanted = order.cancel_wanted or state is State.CANCELLING
        after = stepped(order, state, filled_cents, order.order_id, wanted)
        self._orders.put(after)
        ident = after.external_id
        self._out.note(
            FillReversed(ident, state, filled_cents, gone, rows, proof.evidence, proof.now_ns)
        )
        self._out.tell(FillTakenBack(ident, after.line_id, after.strike_id, after.price, gone))
        if state is not order.state:
            self._out.tell(OrderMoved(after, order.state, str(proof.evidence)))
        detail = f"{ident}: {gone} of {order.filled_cents} cents, {filled_cents} stand"
        self._out.alarm("fill taken back", detail, after.event_id)
        return Moved(order, after, Then.NOTHING, proof.now_ns)

    def _take(self, before: Order, after: Order, step: Step, proof: Proof) -> None:
        self._orders.put(after)
        self._out.note(
            OrderStepped(
                after.external_id,
                step,
                after.state,
                after.filled_cents,
                after.order_id or "",
                after.cancel_wanted,
                proof.evidence,
                proof.now_ns,
            )
        )
        gained = after.filled_cents - before.filled_cents
        if gained:
            self._out.tell(
                FillCounted(after.external_id, after.line_id, after.strike_id, after.price, gained)
            )
        if after.state is not before.state:
            self._out.tell(OrderMoved(after, before.state, str(proof.evidence)))
        if after.filled_cents > after.quantity_cents and gained:
            self._out.alarm(
                "filled above quantity",
                f"{after.external_id}: {after.filled_cents} of {after.quantity_cents} cents",
                after.event_id,
            )

    def _loud(self, order: Order, step: Step, then: Then, proof: Proof) -> None:
        self._out.alarm(
            "fill after the end" if then is Then.COUNT else "impossible step",
            f"{order.external_id} is {order.state}: {step} ({proof.evidence})",
            order.event_id,
        )
        if then is not Then.ALARM:
            self.distrusted.add(order.event_id)
