"""What a set of orders may lose, for the judge that looks at every step."""

from __future__ import annotations

from dataclasses import dataclass

from mmbot.sim.core.orders import Order
from mmbot.sim.witness.record import LineRisk


@dataclass(slots=True)
class Seen:
    """What one order counted for when it was last looked at."""

    filled: int = 0
    winnings: int = 0
    open: int = 0
    changed_ns: int = 0


class AtRisk:
    """What a set of orders may lose, in cents, up to date after every event."""

    def __init__(self) -> None:
        self.worst_cents = 0
        self._lines: dict[int, LineRisk] = {}

    def move(self, order: Order, before: Seen, now: Seen) -> None:
        side, line = order.strike.side, order.line.index
        risk = self._lines.setdefault(line, LineRisk())
        worst_cents = risk.worst_cents()
        risk.filled[side] += now.filled - before.filled
        risk.winnings[side] += now.winnings - before.winnings
        risk.open[side] += now.open - before.open
        self.worst_cents += risk.worst_cents() - worst_cents

    def line_cents(self, order: Order) -> int:
        risk = self._lines.get(order.line.index)
        return 0 if risk is None else risk.worst_cents()
