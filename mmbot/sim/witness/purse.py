"""What a client may take for its cash: the exchange moves it, and reads tell it late."""

from __future__ import annotations

from collections import deque
from typing import Final

from mmbot.sim.core.orders import Account
from mmbot.sim.faults.switches import Switches

NS: Final = 1_000_000_000
BELIEVED_NS: Final = 150 * NS  # a figure that was read: two minutes, and the reads on both sides


class Purse:
    """Looked into at each event of an order."""

    def __init__(self, switches: Switches, unknown_ns: int) -> None:
        """`unknown_ns`: how long a client need not know."""
        self._switches = switches
        self._unknown_ns = unknown_ns
        self._held: deque[tuple[int, int]] = deque()  # until when so many cents were there
        self._hidden_ns: int | None = None

    def look(self, account: Account, now_ns: int) -> None:
        held = self._held
        if held and held[-1][1] == account.cash_cents:
            held.pop()
        elif held:  # it may have been there until a moment ago
            held[-1] = now_ns, held[-1][1]
        held.append((now_ns, account.cash_cents))
        while held[0][0] + self._unknown_ns < now_ns:
            held.popleft()
        hidden = self._switches.balance_key_absent
        self._hidden_ns = (self._hidden_ns or now_ns) if hidden else None

    def most_cents(self) -> int:
        """The most that may be believed to be there."""
        return max(cents for _, cents in self._held)

    def hidden(self, now_ns: int) -> bool:
        """No answer has told it for so long that a client must know that it does not know."""
        return self._hidden_ns is not None and now_ns - self._hidden_ns > BELIEVED_NS
