"""When the next log-in may leave: each burns one of the account's 20 sessions."""

from __future__ import annotations

from typing import Final

from mmbot.domain.errors import SetUpError, TryAgain
from mmbot.exchange.amounts import NS_PER_S
from mmbot.exchange.tokens import Tried
from mmbot.runtime.clock import Clock

FULL_WAIT_MAX_S: Final = 600.0  # the error table's word for session_num_exceed


class LoginRefused(SetUpError):
    """The exchange does not know these keys."""


class LoginPaced(TryAgain):
    """Too soon after the last log-in: nothing was asked, and waiting is all there is to do."""


class SessionsExhausted(TryAgain):
    """403 session_num_exceed: another log-in would make it worse (faults: D5)."""


class LoginPace:
    """One log-in in `gap_s`, counted from the end of the last: a slow answer left late.

    `tried` outlives the process. What is counted is monotonic, so that a clock that is set neither
    brings two log-ins together nor keeps them apart for longer than `gap_s`.
    """

    def __init__(self, clock: Clock, gap_s: float, tried: Tried) -> None:
        self.last = tried
        self._clock = clock
        self._gap_ns = round(gap_s * NS_PER_S)
        self._full_in_a_row = 0
        self._free_ns = clock.monotonic_ns() + max(0, self._gap_ns - self._age_ns(tried))

    def _age_ns(self, tried: Tried) -> int:
        """How long ago that was, at least.

        The count goes on from process to process and begins anew with the machine: then it shows
        too short an age, or none, and only our wall clock is left. A stamp of its future says that
        it was set back, and nothing more.
        """
        counted_ns = self._clock.monotonic_ns() - tried.counted_ns
        if tried.counted_ns and counted_ns >= 0:
            return counted_ns
        age_ns = self._clock.now_ns() - tried.wall_ns
        return age_ns if age_ns >= 0 else self._gap_ns

    @property
    def wait_s(self) -> float:
        """0 when a log-in may leave now."""
        return max(0, self._free_ns - self._clock.monotonic_ns()) / NS_PER_S

    def tried(self) -> None:
        """Said before one leaves, as a crash may follow, and again when it has ended."""
        self.last = Tried(self._clock.now_ns(), self._clock.monotonic_ns())
        self._free_ns = self.last.counted_ns + self._gap_ns

    def unsent(self) -> None:
        """What never left burned no session."""
        self.last, self._free_ns = Tried(), self._clock.monotonic_ns()

    def succeeded(self) -> None:
        self._full_in_a_row = 0

    def account_full(self) -> float:
        """session_num_exceed (D5): seconds to wait, twice as long each time, ten minutes at most.

        The refusal itself burns nothing, and one session that expires is all that it takes.
        """
        wait_ns = min(self._gap_ns << self._full_in_a_row, round(FULL_WAIT_MAX_S * NS_PER_S))
        self._full_in_a_row = min(self._full_in_a_row + 1, 10)
        self._free_ns = self._clock.monotonic_ns() + wait_ns
        return wait_ns / NS_PER_S
