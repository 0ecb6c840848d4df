"""Breakers: too many fills, prices that jump, refusals without end. Each pulls and cools off.

They stop what no limit of size stops: a wrong price that is picked off again and again. What is
counted lies in a window; above its figure the sport event, or everything, is pulled and cools off
(engine/cool_offs.py). A profit and a loss count alike: none of these knows what a fill is worth.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from mmbot.domain.book import Book
from mmbot.domain.ids import LineId, SportEventId
from mmbot.domain.money import usd
from mmbot.domain.price import Price
from mmbot.engine.cool_offs import CoolOffs, Scope
from mmbot.pricing.book_fair import book_fair
from mmbot.pricing.odds import logit

SECOND_NS: Final = 1_000_000_000
FILLS_WITHIN_NS: Final = 10 * SECOND_NS
JUMP_WITHIN_NS: Final = 10 * SECOND_NS
REFUSALS_WITHIN_NS: Final = 60 * SECOND_NS
LINES_MAX: Final = 20_000  # whose prices are remembered
MIDS_MAX: Final = 64  # of each line


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """What may be, at most: in 10 s per sport event and in all, and refusals in 60 s."""

    event_fills_max: int
    event_filled_max_cents: int
    total_fills_max: int
    total_filled_max_cents: int
    jump_max_logit: float  # of the middle of a line's book, without our own orders
    refusals_max: int


class _Window:
    """Amounts of the last so many nanoseconds, with their sum."""

    def __init__(self, within_ns: int) -> None:
        self._within_ns = within_ns
        self._seen: deque[tuple[int, int]] = deque()
        self.total = 0

    def add(self, amount: int, now_ns: int) -> int:
        """Returns how many are in it."""
        seen = self._seen
        seen.append((now_ns, amount))
        self.total += amount
        while seen[0][0] <= now_ns - self._within_ns:
            self.total -= seen.popleft()[1]
        return len(seen)


class Breakers:
    """Told what happens. A restart begins with empty windows; a cool-off goes on."""

    def __init__(self, limits: BreakerLimits, cool_offs: CoolOffs) -> None:
        self.limits = limits
        self.cool_offs = cool_offs
        self._fills: dict[Scope, _Window] = {}
        self._refusals = _Window(REFUSALS_WITHIN_NS)
        self._tops: dict[LineId, tuple[Price, ...]] = {}
        self._mids: dict[LineId, deque[tuple[int, float]]] = {}  # since when, and log-odds

    def filled(self, event_id: SportEventId, cents: int, now_ns: int) -> None:
        """So much of an order of ours was filled."""
        limits = self.limits
        bounds = limits.event_fills_max, limits.event_filled_max_cents
        self._burst(event_id, cents, bounds, now_ns)
        bounds = limits.total_fills_max, limits.total_filled_max_cents
        self._burst(None, cents, bounds, now_ns)

    def _burst(self, scope: Scope, cents: int, bounds: tuple[int, int], now_ns: int) -> None:
        window = self._fills.setdefault(scope, _Window(FILLS_WITHIN_NS))
        count = window.add(cents, now_ns)
        if count > bounds[0] or window.total > bounds[1]:
            self.cool_offs.trip(
                "fill burst", scope, f"{count} fills of {usd(window.total)} USD in 10 s", now_ns
            )
            del self._fills[scope]

    def refused(self, code: str, now_ns: int) -> bool:
        """The exchange refused an order; True when that was one too many."""
        count = self._refusals.add(1, now_ns)
        if count <= self.limits.refusals_max:
            return False
        self.cool_offs.trip(
            "reject loop", None, f"{count} orders refused in 60 s, at last for {code}", now_ns
        )
        self._refusals = _Window(REFUSALS_WITHIN_NS)
        return True

    def priced(self, event_id: SportEventId, book: Book, now_ns: int) -> bool:
        """A line's book without our own orders; True when its middle has jumped.

        A price holds until the next one comes, however quiet the book is.
        """
        best, line_id = (book.best(0), book.best(1)), book.line_id
        prices = tuple(one.price for one in best if one is not None)
        if self._tops.get(line_id) == prices:
            return False
        if len(self._tops) >= LINES_MAX:
            self._tops.clear()
            self._mids.clear()
        self._tops[line_id] = prices
        fair = book_fair(book, 0)
        if fair is None:
            return False
        mid, seen = logit(fair.mid), self._mids.setdefault(line_id, deque(maxlen=MIDS_MAX))
        while len(seen) > 1 and seen[1][0] <= now_ns - JUMP_WITHIN_NS:
            seen.popleft()
        before = max(seen, key=lambda one: abs(one[1] - mid), default=(now_ns, mid))[1]
        jumped = abs(mid - before) > self.limits.jump_max_logit
        if jumped:
            why = f"the price of {line_id} moved {mid - before:+.2f} in log-odds within 10 s"
            self.cool_offs.trip("price jump", event_id, why, now_ns)
        seen.append((now_ns, mid))
        return jumped
