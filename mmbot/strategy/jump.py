"""A fair value that leaps is news: be away from the whole sport event first, then come back wide.

Whoever heard it before us takes what still rests at the old price.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from mmbot.domain.ids import LineId, SportEventId
from mmbot.domain.view import MarketView

SECOND_NS: Final = 10**9
SAMPLES_MAX: Final = 64
EVENTS_MAX: Final = 2_000
WIDE: Final = 2.0


@dataclass(frozen=True, slots=True)
class JumpRules:
    """A move of `jump_logit` within `window_s` withdraws for `away_s`, then doubles the spread."""

    jump_logit: float = 0.10
    window_s: float = 60.0
    away_s: float = 30.0
    wide_s: float = 300.0


@dataclass(slots=True)
class _Watched:
    """One sport event: the last jump, and recent (time, log-odds) per line."""

    jumped_ns: int | None = None
    recent: dict[LineId, deque[tuple[int, float]]] = field(default_factory=dict)


class JumpWatch:
    """Remembers at most a window per line; `now_ns` and values come with the views."""

    def __init__(self, rules: JumpRules) -> None:
        self._rules = rules
        self._events: dict[SportEventId, _Watched] = {}

    def widening(self, view: MarketView, x: float) -> float | None:
        """Factor on the half-spread after news, or None: stay away. `x`: fair in log-odds."""
        watched = self._events.setdefault(view.event.event_id, _Watched())
        if len(self._events) > EVENTS_MAX:
            del self._events[next(iter(self._events))]
        if self._leapt(watched, view, x):
            watched.jumped_ns = view.now_ns
            watched.recent.clear()  # the move is counted once
            self._leapt(watched, view, x)
        if watched.jumped_ns is None:
            return 1.0
        since_s = (view.now_ns - watched.jumped_ns) / SECOND_NS
        if since_s < self._rules.away_s:
            return None
        return WIDE if since_s < self._rules.away_s + self._rules.wide_s else 1.0

    def _leapt(self, watched: _Watched, view: MarketView, x: float) -> bool:
        recent = watched.recent.setdefault(view.line.line_id, deque(maxlen=SAMPLES_MAX))
        window_ns = int(self._rules.window_s * SECOND_NS)
        while recent and view.now_ns - recent[0][0] > window_ns:
            recent.popleft()
        # Samples stand apart, so that a busy line cannot push the start of its window out.
        if not recent or view.now_ns - recent[-1][0] >= window_ns // SAMPLES_MAX:
            recent.append((view.now_ns, x))
        return any(abs(x - before) > self._rules.jump_logit for _, before in recent)
