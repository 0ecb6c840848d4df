"""A market that opens again is not entered at once: one that flaps would be a storm of orders."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from mmbot.domain.ids import LineId

SECOND_NS: Final = 1_000_000_000
HOLD_NS: Final = SECOND_NS  # doubles with each opening soon after the last hold
HOLD_MAX_NS: Final = 5 * SECOND_NS  # then it is open, and not to quote costs, too
FORGIVEN_NS: Final = 30 * SECOND_NS  # after a hold without another opening
OPENED: Final = "open again only now"


class Reopening:
    def __init__(self) -> None:
        self._held: dict[LineId, tuple[int, int]] = {}  # until when, and for how long

    def opened(self, line_id: LineId, now_ns: int) -> None:
        until_ns, hold_ns = self._held.get(line_id, (0, 0))
        again = now_ns < until_ns + FORGIVEN_NS
        hold_ns = min(HOLD_MAX_NS, hold_ns * 2) if again else HOLD_NS
        self._held[line_id] = now_ns + hold_ns, hold_ns

    def holds(self, line_id: LineId, now_ns: int) -> bool:
        held = self._held.get(line_id)
        return held is not None and now_ns < held[0]

    def listed(self, lines: Collection[LineId]) -> None:
        """Others are forgotten."""
        self._held = {line_id: held for line_id, held in self._held.items() if line_id in lines}
