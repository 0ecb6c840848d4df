"""I7 at every step: requests as they leave, and what waits in the queues of the daemon."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mmbot.sim.witness.stale_record import HINDERED

NS: Final = 1_000_000_000
SENT_PER_SECOND_MAX: Final = 45  # decision 9, as sent; the exchange refuses the 51st
QUERY_GAP_NS: Final = NS - 1_000_000
QUERIES: Final = frozenset(
    {
        "get_tournaments", "get_sport_events", "get_multiple_markets", "get_markets",
        "get_balance", "get_order_history", "get_order_matched_detail", "get_trades",
        "get_transactions", "get_matched_bets",
    }
)  # fmt: skip
LOOK_NS: Final = NS
UNSERVED_NS: Final = 330 * NS  # some wait 300 s by plan, and then for a reply
# What they hold lies ahead: it is not waiting. An order may stay inactive as long as it rests.
CALENDARS: Final = frozenset({"deadlines", "activations"})
REFUSED_NS: Final = 30 * NS  # reads are answered so and only so: no session, or only 429
STANDS_NS: Final = 90 * NS  # longer than the pace of an audit: a calendar grows no more
SAME_ID_WITHIN_NS: Final = 10 * NS
SAME_ID_MAX: Final = 10  # within that: a resend each 2 s, and some of them again after a 401

# By name: how much waits, and how much may. Nothing while no daemon runs.
Depths = Callable[[], Mapping[str, tuple[int, int]]]


@dataclass(slots=True)
class _Queue:
    """`since_ns`, `then`: when it began to grow without being served, and what waited then.

    `grew_ns`: when it last grew.
    """

    since_ns: int
    then: int
    last: int
    grew_ns: int


class Load:
    def __init__(self) -> None:
        self.depths: Depths = dict
        self._recent: deque[int] = deque()
        self._asked_ns: dict[str, int] = {}
        self._placed: dict[str, tuple[int, int]] = {}  # since when, and how often
        self._queues: dict[str, _Queue] = {}
        self._looked_ns = 0
        self._refused_ns: tuple[int, int] | None = None  # reads: since when, and the last time

    def began(self) -> None:
        """A process begins: what another one left waiting is none of its queues."""
        self._queues.clear()

    def requests(self, route: str, now_ns: int) -> Iterator[str]:
        """One more has left."""
        self._recent.append(now_ns)
        while self._recent[0] <= now_ns - NS:
            self._recent.popleft()
        if len(self._recent) > SENT_PER_SECOND_MAX:
            yield f"I7: {len(self._recent)} requests left within one second"
        if route in QUERIES:
            before_ns, self._asked_ns[route] = self._asked_ns.get(route, 0), now_ns
            if now_ns - before_ns < QUERY_GAP_NS:
                gap_s = (now_ns - before_ns) / NS
                yield f"I7: {route} asked again after {gap_s:.3f} s, at most once a second"

    def read(self, status: int, now_ns: int) -> bool:
        """A read was answered so; whether reads have been refused for long, and only refused."""
        since_ns = now_ns if self._refused_ns is None else self._refused_ns[0]
        self._refused_ns = (since_ns, now_ns) if status in HINDERED else None
        return self._refused(now_ns)

    def _refused(self, now_ns: int) -> bool:
        """Whether nobody could serve a queue, who goes on trying."""
        if self._refused_ns is None:
            return False
        since_ns, last_ns = self._refused_ns
        return last_ns - since_ns > REFUSED_NS > now_ns - last_ns

    def placements(self, ids: Sequence[str], now_ns: int) -> Iterator[str]:
        """What is lost is sent again at a pace, not as fast as it goes."""
        for one in ids:
            since_ns, times = self._placed.get(one, (now_ns, 0))
            if now_ns - since_ns > SAME_ID_WITHIN_NS:
                since_ns, times = now_ns, 0
            self._placed[one] = since_ns, times + 1
            if times == SAME_ID_MAX:
                yield f"I7: {one} left more than {times} times within {SAME_ID_WITHIN_NS // NS} s"

    def queues(self, now_ns: int) -> Iterator[str]:
        """At most once a second: none above its bound, none that only grows."""
        if now_ns - self._looked_ns < LOOK_NS:
            return
        self._looked_ns = now_ns
        depths = self.depths()
        if not depths or self._refused(now_ns):
            self._queues.clear()
        for name, (waiting, most) in depths.items():
            seen = self._queues.get(name)
            if waiting > most:
                yield f"I7: {waiting} wait in {name}, at most {most}"
            if (
                seen is None
                or waiting <= seen.then
                or waiting < seen.last
                or (name in CALENDARS and now_ns - seen.grew_ns > STANDS_NS)
            ):
                self._queues[name] = _Queue(now_ns, waiting, waiting, now_ns)
                continue
            if waiting > seen.last:
                seen.last, seen.grew_ns = waiting, now_ns
            if now_ns - seen.since_ns > UNSERVED_NS:
                yield (
                    f"I7: {name} grew from {seen.then} to {waiting} and was not served for "
                    f"{(now_ns - seen.since_ns) / NS:.0f} s"
                )
                del self._queues[name]
