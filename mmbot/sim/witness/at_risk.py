"""What a set of orders may lose, for the judge that looks at every step."""

from __future__ import annotations

from collections import deque
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


class Outside:
    """By how many cents a client may take its risk for smaller than it is, since the exchange
    undid something and its word of that may be lost for `unknown_ns`.
    """

    def __init__(self, unknown_ns: int) -> None:
        self._unknown_ns = unknown_ns
        self._moves: deque[tuple[int, int, int]] = deque()  # when, sport event, cents

    def move(self, order: Order, before: Seen, now: Seen) -> None:
        staked = now.filled + now.open - before.filled - before.open
        # No outcome loses more by it; and as much again, where another order was taken for it.
        cents = 2 * max(abs(staked), abs(now.winnings - before.winnings))
        self._moves.append((now.changed_ns, order.line.event_id, cents))

    def cents(self, now_ns: int, event_id: int | None = None) -> int:
        """Of one sport event, or of all."""
        while self._moves and self._moves[0][0] + self._unknown_ns < now_ns:
            self._moves.popleft()
        return sum(cents for _, event, cents in self._moves if event_id in {None, event})


class Strangers:
    """Orders of a person: until a message tells of one, or `unknown_ns` after its last change, a
    client need not count it, and may take its risk for smaller by all that it stakes.
    """

    def __init__(self, unknown_ns: int) -> None:
        self._unknown_ns = unknown_ns
        self._changed: dict[str, tuple[int, int, int]] = {}  # when, sport event, cents
        self.known: set[str] = set()

    def told(self, external_id: str) -> None:
        self.known.add(external_id)
        self._changed.pop(external_id, None)

    def move(self, external_id: str, order: Order, now: Seen) -> None:
        if external_id not in self.known:
            cents = now.filled + now.open
            self._changed[external_id] = now.changed_ns, order.line.event_id, cents

    def cents(self, now_ns: int, event_id: int | None = None) -> int:
        """Of one sport event, or of all."""
        for ident, (changed_ns, _, _) in tuple(self._changed.items()):
            if changed_ns + self._unknown_ns < now_ns:
                del self._changed[ident]
        return sum(cents for _, event, cents in self._changed.values() if event_id in {None, event})


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
