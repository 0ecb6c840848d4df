"""Orders on lines that are not listed: no strategy can want them, so they rest on sufferance."""

from __future__ import annotations

from typing import Final

from mmbot.domain.ids import LineId
from mmbot.engine.ledger import Ledger
from mmbot.engine.modes import Modes
from mmbot.engine.state import MarketState

UNLISTED: Final = "its line is not listed"


class Strays:
    """A start loads the listing beside the orders: until the grace is over it is waited for."""

    def __init__(self, ledger: Ledger, state: MarketState, modes: Modes) -> None:
        self._ledger = ledger
        self._state = state
        self._modes = modes

    def judge(self, line_id: LineId, withdrawn: str, now_ns: int) -> bool:
        """Cancel what rests on a line that is not listed; True: look again, it may yet be."""
        live = self._ledger.live_on_line(line_id)
        if live and not (withdrawn or self._state.listed) and self._modes.in_grace(now_ns):
            return True
        for order in live:
            self._ledger.want_cancel(order.external_id, now_ns, withdrawn or UNLISTED)
        return False
