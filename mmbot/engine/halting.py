"""Emptying the account while halted: once in any case, and again while anything may rest."""

from __future__ import annotations

from typing import Final

from mmbot.domain.events import Event, ReadFailed

SECOND_NS: Final = 1_000_000_000
REPEAT_NS: Final = 2 * SECOND_NS


class Halting:
    """When the mass cancel goes out; a failed one is repeated, whoever's orders rest."""

    def __init__(self) -> None:
        self._again_ns = 0  # 0: not asked for since the word
        self._unproven = True

    def begin(self) -> None:
        """Not halted yet, or a person said it again."""
        self._again_ns = 0

    def hear(self, event: Event) -> None:
        """No answer to it, or a refusal: what rests is not known, and need not be ours."""
        if isinstance(event, ReadFailed) and event.what == "CancelEverything":
            self._unproven = True

    def due(self, resting: bool, now_ns: int) -> bool:
        if now_ns < self._again_ns:
            return False
        if self._again_ns and not resting and not self._unproven:
            return False
        self._again_ns = now_ns + REPEAT_NS
        self._unproven = False
        return True
