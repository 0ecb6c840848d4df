"""Requests to the exchange as a budget with priorities: a pure window and a thin queue.

The exchange allows 50 requests per account in any sliding second. We stay at 45, counted when
sent. Out of these a share is kept for cancels, for queries and for the sentinel process.

Times here are monotonic: a wall clock that is set must not make a second of requests look old.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count
from typing import Final, Literal

from mmbot.domain.depth import Depth
from mmbot.domain.errors import TryAgain
from mmbot.runtime.clock import NS_PER_S, Clock

SECOND_NS: Final = NS_PER_S
# What is granted at once arrives one after the other, and a second later all at once: at the
# exchange that is less than a second. So each grant counts a little longer (kill -9, 2026-11).
ARRIVAL_SPREAD_NS: Final = 50_000_000
COUNTED_NS: Final = SECOND_NS + ARRIVAL_SPREAD_NS
WAITING_MAX: Final = 10_000
URGENT_WAITING: Final = 1_000  # of these, for cancels: reads that pile up keep none of them out

# Routes that the exchange's rules limit to one request per second each (substring of the path's
# name). `get_order/{id}` is not among them.
QUERY_ROUTES: Final = frozenset(
    {
        "get_tournaments", "get_sport_events", "get_markets", "get_multiple_markets",
        "get_strikes", "get_price_ladder", "get_balance", "get_order_history",
        "get_order_histories",
        "get_order_matched_detail", "get_trades", "get_transactions",
    }
)  # fmt: skip

# What asks the book for more. While it rests no new intent is worth making.
PLACING_ROUTES: Final = frozenset({"submit_multiple_orders", "place_batch_orders"})


class Priority(IntEnum):
    """Smaller goes first."""

    SESSION = 0  # one in minutes, and without a token not even a cancel leaves
    CANCEL = 1
    STREAM = 2  # where it is and who may hear it: until then nothing is quoted
    DOUBT = 3  # reads that end a doubt
    REDUCE = 4
    REPLACE = 5
    NEW = 6
    AUDIT = 7


Kind = Literal["cancel", "query", "other"]


def kind_of(priority: Priority, route: str) -> Kind:
    """Which share of the budget pays for a request."""
    if priority <= Priority.CANCEL:
        return "cancel"
    return "query" if route in QUERY_ROUTES else "other"


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests per sliding second; the reserves are part of `per_second_max`."""

    per_second_max: int = 45
    cancel_reserve: int = 15
    query_reserve: int = 2
    sentinel_reserve: int = 3
    # While the exchange says 429 only cancels go out, this slowly.
    paused_cancels_max: int = 2
    query_gap_ns: int = COUNTED_NS  # between two requests of one query route

    def __post_init__(self) -> None:
        if self.per_second_max <= self.cancel_reserve + self.query_reserve + self.sentinel_reserve:
            raise ValueError("the reserves leave nothing of per_second_max for placements")

    @classmethod
    def of_share(cls, per_second_max: int, share: float) -> Rates:
        """The part of one process, 0 < `share` <= 1, where several trade on one account.

        Rounded down, so that parts of a whole are never more than the whole. Each query route is
        asked that much less often; two processes may still ask within the same second.
        """
        if share == 1:
            return cls(per_second_max)
        whole = cls()
        return cls(
            int(per_second_max * share),
            max(1, int(whole.cancel_reserve * share)),
            max(1, int(whole.query_reserve * share)),
            max(1, int(whole.sentinel_reserve * share)),
            max(1, int(whole.paused_cancels_max * share)),
            round(whole.query_gap_ns / share),
        )


class Window:
    """What was granted in the last second, and what may be sent now. Pure: `now_ns` is given.

    The second before the start counts as full: a former process may have used it.
    """

    def __init__(self, rates: Rates, started_ns: int) -> None:
        self._rates = rates
        self._sent: deque[tuple[int, Kind]] = deque()
        self._used: dict[Kind, int] = {"cancel": 0, "query": 0, "other": 0}
        self._route_free_ns: dict[str, int] = {}
        self._closed_until_ns = started_ns + SECOND_NS
        self._paused_until_ns = 0
        self._rests_until_ns: dict[str, int] = {}

    @property
    def used(self) -> int:
        return len(self._sent)

    def pause(self, until_ns: int) -> None:
        """429: nothing but slow cancels until then. A shorter pause never shortens a longer."""
        self._paused_until_ns = max(self._paused_until_ns, until_ns)

    def resume(self) -> None:
        """The exchange is known to take requests again."""
        self._paused_until_ns = 0

    def rest(self, route: str, until_ns: int) -> None:
        """One route asks for nothing until then; cancels go on. A time that is over wakes it."""
        self._rests_until_ns[route] = until_ns

    def rests(self, routes: frozenset[str], now_ns: int) -> bool:
        return any(self._rests_until_ns.get(route, 0) > now_ns for route in routes)

    def room(self, kind: Kind, now_ns: int) -> int:
        """How many requests of a kind may go out now."""
        self._forget(now_ns)
        if now_ns < self._closed_until_ns:
            return 0
        used = self._used
        if now_ns < self._paused_until_ns:
            slow = self._rates.paused_cancels_max - used["cancel"]
            return max(0, slow) if kind == "cancel" else 0
        kept = self._rates.sentinel_reserve
        if kind != "cancel":
            kept += max(0, self._rates.cancel_reserve - used["cancel"])
        if kind != "query":
            kept += max(0, self._rates.query_reserve - used["query"])
        return max(0, self._rates.per_second_max - kept - len(self._sent))

    def free_at(self, priority: Priority, route: str, now_ns: int) -> int:
        """`now_ns` when a request may leave at once, else the earliest moment worth a look."""
        kind = kind_of(priority, route)
        own_ns = self._route_free_ns.get(route, 0) if route in QUERY_ROUTES else 0
        if kind != "cancel":
            own_ns = max(own_ns, self._rests_until_ns.get(route, 0))
        if self.room(kind, now_ns) > 0:
            return max(now_ns, own_ns)
        if now_ns < self._closed_until_ns:
            return self._closed_until_ns
        if now_ns < self._paused_until_ns and kind != "cancel":
            return max(self._paused_until_ns, own_ns)
        oldest_leaves_ns = (
            self._sent[0][0] + COUNTED_NS + 1 if self._sent else self._paused_until_ns
        )
        return max(oldest_leaves_ns, own_ns, now_ns + 1)

    def note_sent(self, priority: Priority, route: str, now_ns: int) -> None:
        kind = kind_of(priority, route)
        self._sent.append((now_ns, kind))
        self._used[kind] += 1
        if route in QUERY_ROUTES:
            self._route_free_ns[route] = now_ns + self._rates.query_gap_ns

    def _forget(self, now_ns: int) -> None:
        # Exactly one second apart still counts: any closed second then holds at most the limit.
        while self._sent and self._sent[0][0] < now_ns - COUNTED_NS:
            _, kind = self._sent.popleft()
            self._used[kind] -= 1


@dataclass(slots=True, eq=False)
class _Waiter:
    ticket: int  # in order of asking
    granted: asyncio.Future[None] = field(repr=False)


class Limiter:
    """Grants requests: higher priority first, in order of asking inside a priority."""

    def __init__(self, clock: Clock, rates: Rates | None = None) -> None:
        self._clock = clock
        rates = rates or Rates()
        self.per_second_max = rates.per_second_max
        self._window = Window(rates, clock.monotonic_ns())
        # Those of one priority and route leave one after the other: only the first is looked at.
        self._queues: dict[tuple[Priority, str], deque[_Waiter]] = {}
        self._tickets = count()
        self._timer: asyncio.TimerHandle | None = None
        self.waiting = 0
        self.granted_total = 0

    async def acquire(self, priority: Priority, route: str) -> None:
        """Return when the request may be sent; send it at once then. TryAgain: too many wait."""
        waiting_max = WAITING_MAX - (URGENT_WAITING if priority > Priority.CANCEL else 0)
        if self.waiting >= waiting_max:
            raise TryAgain(f"{self.waiting} requests wait for the rate budget")
        waiter = _Waiter(next(self._tickets), asyncio.get_running_loop().create_future())
        queue = self._queues.setdefault((priority, route), deque())
        queue.append(waiter)
        self.waiting += 1
        self._pump()
        if waiter.granted.done():
            return
        try:
            await waiter.granted
        except asyncio.CancelledError:
            if waiter in queue:
                queue.remove(waiter)
                self.waiting -= 1
            raise

    @property
    def depth(self) -> Depth:
        return Depth(self.waiting, WAITING_MAX)

    @property
    def used(self) -> int:
        """Requests sent within the last second."""
        self._window.room("cancel", self._clock.monotonic_ns())
        return self._window.used

    def placements_now(self) -> int:
        """How many requests that place orders would leave at once."""
        now_ns = self._clock.monotonic_ns()
        if self._window.rests(PLACING_ROUTES, now_ns):
            return 0
        waiting = sum(len(queue) for key, queue in self._queues.items() if kind_of(*key) == "other")
        return max(0, self._window.room("other", now_ns) - waiting)

    def placements_open_in_ns(self) -> int:
        """How soon the next one may leave, were nobody else in the queue."""
        now_ns = self._clock.monotonic_ns()
        free_ns = (self._window.free_at(Priority.NEW, one, now_ns) for one in PLACING_ROUTES)
        return max(free_ns) - now_ns

    def pause(self, until_ns: int) -> None:
        """After a 429: until then (monotonic) only cancels leave, slowly."""
        self._window.pause(until_ns)

    def resume(self) -> None:
        self._window.resume()
        self._pump()

    def rest(self, route: str, until_ns: int) -> None:
        """One route asks for nothing until then (monotonic), cancels excepted."""
        self._window.rest(route, until_ns)
        self._pump()

    def _pump(self) -> None:
        now_ns = self._clock.monotonic_ns()
        next_ns: int | None = None
        heads = [(key[0], queue[0].ticket, key) for key, queue in self._queues.items() if queue]
        heapq.heapify(heads)
        while heads:
            priority, _, key = heads[0]
            queue = self._queues[key]
            at_ns = self._window.free_at(*key, now_ns)
            if at_ns > now_ns:
                next_ns = at_ns if next_ns is None else min(next_ns, at_ns)
                heapq.heappop(heads)
                continue
            waiter = queue.popleft()
            self.waiting -= 1
            if not waiter.granted.done():
                self._window.note_sent(*key, now_ns)
                self.granted_total += 1
                waiter.granted.set_result(None)
            if queue:
                heapq.heapreplace(heads, (priority, queue[0].ticket, key))
            else:
                heapq.heappop(heads)
        self._look_again(next_ns, now_ns)

    def _look_again(self, at_ns: int | None, now_ns: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if at_ns is not None:
            # A little late rather than early: a look that comes too soon only costs another one.
            delay_s = (max(0, at_ns - now_ns) + 50_000) / NS_PER_S
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._pump)
