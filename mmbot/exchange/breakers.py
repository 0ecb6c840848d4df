"""Who rests after the exchange has said no or nothing, and for how long. The limiter enforces it.

Three reasons, each doubling while it lasts:
- 429 about the account: nothing but slow cancels leaves;
- 429 about one route (its queue is full): this route rests, the others go on (faults: D8);
- a route fails again and again: it rests for a moment. When one of those works again the exchange
  is back, and all that rested for this reason are woken.
Cancels never rest for the sake of a route.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from mmbot.exchange.amounts import NS_PER_S
from mmbot.exchange.notices import Notices
from mmbot.exchange.refusals import Refusal
from mmbot.runtime.clock import Clock
from mmbot.runtime.limiter import QUERY_ROUTES, Limiter

PAUSE_MAX_S: Final = 60.0
FAILURES_MAX: Final = 5  # in a row, before a route rests
REST_MAX_S: Final = 8.0
DOUBLED_MAX: Final = 10

# These 429s are about one route only.
ROUTE_CODES: Final = frozenset({"too_many_delayed_requests"})
# A 5xx with another word is an answer about an order: the route works.
FAILURE_CODES: Final = frozenset({"", "internal_error", "unknown_error", "reporting_not_available"})


@dataclass(slots=True)
class _Breaker:
    """Times are monotonic."""

    failures: int = 0  # in a row
    in_a_row: int = 0  # rests, each after another
    since_ns: int = 0
    until_ns: int = 0
    told: bool = False  # the exchange said how long

    def trip(self, now_ns: int, left_ns: int, asked_s: float | None, wait_max_s: float) -> float:
        """Seconds to rest. What left before the last rest was over says nothing new."""
        if left_ns >= self.until_ns:
            self.in_a_row = min(self.in_a_row + 1, DOUBLED_MAX)
        wait_s = 2.0 ** (self.in_a_row - 1)
        if asked_s is not None:
            # A hint that was kept and did not help is not believed alone.
            wait_s = asked_s if self.in_a_row == 1 else max(wait_s, asked_s)
        wait_s = min(wait_s, wait_max_s)
        self.told, self.since_ns = asked_s is not None, now_ns
        self.until_ns = max(self.until_ns, now_ns + round(wait_s * NS_PER_S))
        return wait_s

    def proves(self, left_ns: int) -> bool:
        """Is a good answer to what left then the end of the rest?"""
        return left_ns >= (self.until_ns if self.told else self.since_ns)


class Breakers:
    """Hears of every answer and of every one that did not come; `left_ns` is monotonic."""

    def __init__(self, limiter: Limiter, clock: Clock, notices: Notices) -> None:
        self._limiter = limiter
        self._clock = clock
        self._notices = notices
        self._account = _Breaker()
        self._full: defaultdict[str, _Breaker] = defaultdict(_Breaker)
        self._failing: defaultdict[str, _Breaker] = defaultdict(_Breaker)

    def throttled(self, route: str, refusal: Refusal, asked_s: float | None, left_ns: int) -> float:
        """429: seconds until it is worth another try. `asked_s` is the exchange's own word."""
        now_ns = self._clock.monotonic_ns()
        if refusal.code in ROUTE_CODES:
            wait_s = self._full[route].trip(now_ns, left_ns, asked_s, PAUSE_MAX_S)
            self._rest(route)
        else:
            wait_s = self._account.trip(now_ns, left_ns, asked_s, PAUSE_MAX_S)
            self._limiter.pause(self._account.until_ns)
        return wait_s

    def failed(self, route: str, left_ns: int) -> None:
        """No answer, or one that no part of the exchange but its gate has given."""
        breaker = self._failing[route]
        breaker.failures += 1
        if breaker.failures >= FAILURES_MAX:
            breaker.trip(self._clock.monotonic_ns(), left_ns, None, REST_MAX_S)
            self._notices.count("route_rests", route)
            self._rest(route)

    def answered(self, route: str, refusal: Refusal | None, left_ns: int) -> None:
        """Any answer but a 429."""
        if refusal is not None and refusal.status >= 500 and refusal.code in FAILURE_CODES:
            self.failed(route, left_ns)
            return
        if self._account.in_a_row and self._account.proves(left_ns):
            self._account = _Breaker()
            self._limiter.resume()
        woken: set[str] = set()
        full = self._full.get(route)
        if full is not None and full.proves(left_ns):
            del self._full[route]
            woken.add(route)
        failing = self._failing.pop(route, None)
        if failing is not None and failing.in_a_row:
            woken |= {route, *self._failing}
            self._failing.clear()
        for name in sorted(woken):
            self._rest(name)

    def _rest(self, route: str) -> None:
        # A query route is asked once a second at most: that is rest enough when it only fails.
        why = (self._full,) if route in QUERY_ROUTES else (self._full, self._failing)
        until_ns = [one[route].until_ns for one in why if route in one]
        self._limiter.rest(route, max(until_ns, default=0))
