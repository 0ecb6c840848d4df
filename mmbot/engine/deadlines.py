"""What each deadline of the ledger means when it comes: it asks and repeats, it decides nothing."""

from __future__ import annotations

from typing import assert_never

from mmbot.domain.evidence import Evidence, Kind
from mmbot.domain.ids import ExternalId
from mmbot.domain.order import State, Step
from mmbot.engine.consequences import Consequences
from mmbot.engine.ledger_kit import Kit
from mmbot.engine.reading import PLACED_BY
from mmbot.engine.timers import Timer
from mmbot.engine.walk import Proof


class Deadlines:
    def __init__(self, kit: Kit, walk: Consequences) -> None:
        self._kit = kit
        self._walk = walk

    def fire(self, timer: Timer, now_ns: int) -> None:
        kit, ident = self._kit, ExternalId(timer.about)
        match timer.what:
            case "answer":
                order = kit.orders.get(ident)
                if order is not None and order.state is State.INTENDED:
                    silent = Evidence(Kind.TIMER, PLACED_BY, "no answer")
                    self._walk.step(ident, Step.LOST_REPLY, Proof(silent, now_ns))
            case "cancel":
                kit.cancels.fire(ident, now_ns)
            case "look":
                kit.doubts.fire(now_ns)
            case "sweep":
                order = kit.doubts.to_sweep(ident)
                if order is not None:
                    self._walk.sweep_or_wait(order, now_ns)
            case "history":
                kit.reads.fire(now_ns)
            case "recover":
                kit.recovery.fire(now_ns)
            case "audit":
                kit.recovery.audit(now_ns)
                kit.manual.look(now_ns)
            case "reread":
                order = kit.orders.get(ident)
                if order is not None and not order.terminal:
                    kit.reads.order(ident, order.order_id, now_ns)
                elif order is not None and kit.tombstones.unexplained(ident):
                    self._walk.reread(order, now_ns)
            case "settle":
                kit.changes.fire(now_ns)
            case "reversal":
                kit.reversals.fire(ident, now_ns)
            case "proof":
                kit.proofs.fire(ident, now_ns)
            case "activation":
                kit.activations.fire(ident, kit.orders.get(ident), now_ns)
            case "missed":
                kit.reconcile.fire(ident, now_ns)
            case _:
                assert_never(timer.what)
