"""Each breaker as `/status` shows it: its state, whom it has pulled, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmbot.domain.money import usd
from mmbot.engine.cool_offs import BREAKERS
from mmbot.engine.parts import Parts
from mmbot.runtime.clock import NS_PER_S


def breaker_rows(parts: Parts, now_ns: int) -> list[dict[str, Any]]:
    """One row each, and one for each sport event that it has pulled; `event` None: everything."""
    return [*_pulling(parts, now_ns), _edge_loss(parts), _cash_loss(parts)]


def _pulling(parts: Parts, now_ns: int) -> Iterator[dict[str, Any]]:
    cooling = parts.ledger.cool_offs.cooling(now_ns).values()
    for breaker in BREAKERS:
        tripped = [one for one in cooling if one.breaker == breaker]
        if not tripped:
            yield _row(breaker, "armed")
        for one in tripped:
            left_s = round((one.until_ns - now_ns) / NS_PER_S, 3)
            yield _row(breaker, "cooling off", one.why) | {"event": one.event_id, "left_s": left_s}


def _edge_loss(parts: Parts) -> dict[str, Any]:
    edge = parts.ledger.edge
    state = "halted" if edge.halts else "reducing" if edge.reduce_only else "armed"
    allowed_cents = edge.halt_cents if edge.reduce_only else edge.day.allowed_cents
    return _loss("edge loss", state, edge.worst_cents, allowed_cents)


def _cash_loss(parts: Parts) -> dict[str, Any]:
    day = parts.ledger.accounting.day
    return _loss("cash loss", "halted" if day.exceeded else "armed", day.cents, day.allowed_cents)


def _loss(breaker: str, state: str, lost_cents: int, allowed_cents: int) -> dict[str, Any]:
    """`allowed_cents`: the next limit."""
    reason = f"{usd(lost_cents)} of {usd(allowed_cents)} USD lost today"
    amounts = {"lost_cents": lost_cents, "allowed_cents": allowed_cents}
    return _row(breaker, state, reason) | amounts


def _row(breaker: str, state: str, reason: str = "") -> dict[str, Any]:
    return {"breaker": breaker, "state": state, "event": None, "reason": reason, "left_s": None}
