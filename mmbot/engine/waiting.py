"""What waits inside the ledger: each queue with its bound."""

from __future__ import annotations

from mmbot.domain.depth import Depth
from mmbot.engine.ledger_kit import Kit


def depths(kit: Kit) -> dict[str, Depth]:
    """By name; a proof is at most one per order."""
    return {
        "deadlines": kit.timers.depth,
        "order_reads": kit.reads.depth,
        "change_reads": kit.changes.depth,
        "proofs": Depth(kit.proofs.waiting, len(kit.orders)),
        "activations": kit.activations.depth,
    }
