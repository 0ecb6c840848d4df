"""What the wire did that we did not expect: counted, shown once, alarmed when it matters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mmbot.exchange.drift import DriftLog, Finding, What
from mmbot.exchange.pusher_states import Step

KINDS_MAX: Final = 500
STRANGE_FRAMES: Final = frozenset({Step.UNKNOWN.value, Step.UNREADABLE.value})

Say = Callable[[str, str], None]


def _silent(kind: str, detail: str) -> None:
    """For those who only want the counts."""


class Notices:
    """`counts` and `drift` are for metrics; `first` and `alarm` are for logs and people."""

    def __init__(self, first: Say = _silent, alarm: Say = _silent) -> None:
        self.counts: dict[str, int] = {}
        self._first = first
        self._alarm = alarm
        self.drift = DriftLog(self._drifted)

    def _drifted(self, finding: Finding, sample: str) -> None:
        say = self._alarm if finding.matters else self._first
        say(str(finding), sample)

    def count(self, kind: str, detail: str = "") -> None:
        """Something odd but harmless; `first` hears only the first of its kind."""
        if kind not in self.counts and len(self.counts) >= KINDS_MAX:
            kind = "other"
        seen = self.counts.get(kind, 0)
        self.counts[kind] = seen + 1
        if seen == 0:
            self._first(kind, detail)

    def frame(self, what: str, detail: str) -> None:
        """A frame of the socket that is out of place; one that nobody knows is drift, too."""
        self.count(f"stream_odd:{what}", detail)
        if what in STRANGE_FRAMES:
            self.drift.note(Finding(What.UNKNOWN_MESSAGE, "stream.frame", what), detail)

    def alarm(self, kind: str, detail: str) -> None:
        """A person should look; said every time, so callers pace themselves."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self._alarm(kind, detail)
