"""What a set of orders may lose, for the judge that looks at every step."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from mmbot.sim.core.orders import Order
from mmbot.sim.witness.event_worst import Held, worst_cents


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
    """What a set of orders may lose, in cents, up to date after every event.

    `worst_cents`: line by line, as if each came out worst: never less than `total_cents`.
    """

    def __init__(self, fee_bps: int) -> None:
        self.worst_cents = 0
        self._fee_bps = fee_bps
        self._events: dict[int, dict[int, Held]] = {}

    def move(self, order: Order, before: Seen, now: Seen) -> None:
        side, line = order.strike.side, order.line
        lines = self._events.setdefault(line.event_id, {})
        if line.index not in lines:
            lines[line.index] = Held.on(line)
        risk = lines[line.index].risk
        before_cents = risk.worst_cents()
        risk.filled[side] += now.filled - before.filled
        risk.winnings[side] += now.winnings - before.winnings
        risk.open[side] += now.open - before.open
        self.worst_cents += risk.worst_cents() - before_cents

    def line_cents(self, order: Order) -> int:
        held = self._events.get(order.line.event_id, {}).get(order.line.index)
        return 0 if held is None else held.risk.worst_cents()

    def total_cents(self, enough_cents: int = 0) -> int:
        """Of all sport events on their worst scores; line by line where that is little enough."""
        if self.worst_cents <= enough_cents:
            return self.worst_cents
        events = self._events.values()
        return sum(worst_cents(list(lines.values()), self._fee_bps) for lines in events)
