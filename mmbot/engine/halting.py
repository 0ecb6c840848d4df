"""Emptying the account while halted: once in any case, and again while anything may rest."""

from __future__ import annotations

from typing import Final

from mmbot.domain.events import Event, ReadFailed
from mmbot.domain.facts import Alarm
from mmbot.engine.modes import Mode
from mmbot.engine.parts import Parts

SECOND_NS: Final = 1_000_000_000
REPEAT_NS: Final = 2 * SECOND_NS
FLAT_WITHIN_NS: Final = 10 * SECOND_NS  # later a person is called, and again at each doubling
NOT_FLAT: Final = "halted, not flat"


class Halting:
    """When the mass cancel goes out; a failed one is repeated, whoever's orders rest."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._again_ns = 0  # 0: not asked for since the word
        self._unproven = True
        self._since_ns = 0  # 0: not halted
        self._patience_ns = FLAT_WITHIN_NS

    def begin(self) -> None:
        """Not halted yet, or a person said it again."""
        self._again_ns = 0

    def hear(self, event: Event) -> None:
        """No answer to it, or a refusal: what rests is not known, and need not be ours."""
        if isinstance(event, ReadFailed) and event.what == "CancelEverything":
            self._unproven = True

    def due(self, mode: Mode, now_ns: int) -> bool:
        """Whether everything on the account is to be cancelled now."""
        if mode is not Mode.HALTED:
            self._again_ns = self._since_ns = 0
            return False
        self._since_ns = self._since_ns or now_ns
        if not self._parts.halt_whole_account or now_ns < self._again_ns:
            return False
        if self._again_ns and not self._parts.ledger.anything_rests and not self._unproven:
            return False
        self._again_ns = now_ns + REPEAT_NS
        self._unproven = False
        return True

    def late(self, now_ns: int) -> list[Alarm]:
        """Halted for long, and something may still fill: the page that a halt has of its own."""
        ledger, waited_ns = self._parts.ledger, now_ns - self._since_ns
        rests = ledger.anything_rests if self._parts.halt_whole_account else ledger.live_count
        if not self._since_ns or not rests:
            self._patience_ns = FLAT_WITHIN_NS
            return []
        if waited_ns < self._patience_ns:
            return []
        self._patience_ns *= 2
        live, doubts = ledger.live_count, ledger.in_doubt_count
        detail = f"{live} of ours may fill ({doubts} in doubt) after {waited_ns / 1e9:.0f} s"
        return [Alarm(NOT_FLAT, detail, page=True)]
