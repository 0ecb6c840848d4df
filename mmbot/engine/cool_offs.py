"""Cool-offs: who is pulled by a breaker, until when, and why.

A minute, and twice as long when it trips again within as long after. Kept in the journal by
instants of the wall clock: one goes on over a restart, however long the process was away.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Final, get_args

from mmbot.domain.entries import Breaker, BreakerTripped
from mmbot.domain.ids import SportEventId
from mmbot.engine.outbox import Outbox

SECOND_NS: Final = 1_000_000_000
COOL_OFF_NS: Final = 60 * SECOND_NS
COOL_OFF_MAX_NS: Final = 32 * COOL_OFF_NS
BREAKERS: Final[tuple[Breaker, ...]] = get_args(Breaker)

Scope = SportEventId | None  # None: everything


class CoolOffs:
    """The last trip of each scope, as long as it matters."""

    def __init__(self, out: Outbox) -> None:
        self._out = out
        self._last: dict[Scope, BreakerTripped] = {}
        self.trips: Counter[Breaker] = Counter()  # since the start of this process

    def trip(self, breaker: Breaker, scope: Scope, why: str, now_ns: int) -> None:
        """What comes while it cools off, of orders on their way, does not make it longer."""
        last = self._last.get(scope)
        if last is not None and now_ns < last.until_ns:
            return
        length_ns = COOL_OFF_NS
        if last is not None and now_ns < last.until_ns + last.length_ns:
            length_ns = min(COOL_OFF_MAX_NS, 2 * last.length_ns)
        self._last[scope] = tripped = BreakerTripped(scope, breaker, why, length_ns, now_ns)
        self.trips[breaker] += 1
        self._out.note(tripped)
        whom = "everything" if scope is None else f"sport event {scope}"
        detail = f"{why}: {whom} is pulled for {length_ns // SECOND_NS} s"
        self._out.alarm("breaker", detail, scope)

    def replay(self, entry: BreakerTripped) -> None:
        self._last[entry.event_id] = entry

    def restart(self, now_ns: int) -> None:
        """None began in the future, whatever the clock of the former process told."""
        for scope, last in self._last.items():
            self._last[scope] = replace(last, at_ns=min(last.at_ns, now_ns))

    def cooling(self, now_ns: int) -> dict[Scope, BreakerTripped]:
        """Who is pulled now; what ended so long ago that it doubles nothing is forgotten."""
        for scope, last in list(self._last.items()):
            if now_ns >= last.until_ns + last.length_ns:
                del self._last[scope]
        return {scope: last for scope, last in self._last.items() if now_ns < last.until_ns}
