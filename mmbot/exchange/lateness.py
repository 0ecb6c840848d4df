"""How late a connection's messages come: its health_checks say when they were sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mmbot.domain.events import Lagged
from mmbot.exchange import frames
from mmbot.exchange.amounts import NS_PER_S
from mmbot.exchange.pusher import AppMessage

TOLD_NS: Final = NS_PER_S  # less is no news, and clocks are not known better


class Lateness:
    def __init__(self, exchange_now_ns: Callable[[], int]) -> None:
        self._exchange_now_ns = exchange_now_ns
        self._lag_ns = 0

    def told_by(self, message: AppMessage) -> tuple[Lagged, ...]:
        """What waited on the way as long as this message did, when that is news or no longer so."""
        sent_ns = frames.sent_ns(message.data)
        if sent_ns is None:
            return ()
        before_ns, self._lag_ns = self._lag_ns, max(0, self._exchange_now_ns() - sent_ns)
        told = max(before_ns, self._lag_ns) > TOLD_NS
        return (Lagged("stream", self._lag_ns),) if told else ()
