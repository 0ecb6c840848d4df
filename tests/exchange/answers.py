"""What a venue says to placements and cancels, for scripts."""

from __future__ import annotations

from typing import Final

from mmbot.domain.commands import CancelRef
from mmbot.domain.ids import ExternalId, OrderId
from mmbot.exchange.http import HttpReply
from tests.exchange.parts import Asked, reply, wire_order

SUBMIT: Final = "/v4/mm/submit_multiple_orders"
CANCEL: Final = "/v4/mm/cancel_multiple_orders"


def accepting(asked: Asked) -> HttpReply:
    """Every order of the batch is accepted."""
    names = [one["external_id"] for one in asked.body["data"]]
    orders = [wire_order(int(name.rpartition("-")[2])) for name in names]
    return reply({"data": {"succeed_orders": orders, "failed_orders": None}})


def ref(n: int) -> CancelRef:
    return CancelRef(ExternalId(f"mm-0a-{n}"), OrderId(f"theirs-{n}"))
