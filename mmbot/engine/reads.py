"""Reads that the ledger asks for: paced, and one of a kind outstanding at a time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from mmbot.domain.commands import ReadHistory, ReadOrder
from mmbot.domain.depth import Depth
from mmbot.domain.events import HistoryRead
from mmbot.domain.ids import ExternalId, OrderId
from mmbot.engine.outbox import Outbox
from mmbot.engine.timers import Timers

SECOND_NS: Final = 1_000_000_000
HISTORY_GAP_NS: Final = SECOND_NS  # the exchange allows one history request a second
HISTORY_WAIT_NS: Final = 120 * SECOND_NS  # many pages, at one a second; then ask again
ORDER_GAP_NS: Final = SECOND_NS  # the same order is not read more often
PACE_NS: Final = SECOND_NS
ORDERS_PER_PACE: Final = 15  # of many; the rest of the request budget is for quoting
UNSYNCED_NS: Final = 30 * SECOND_NS  # a read without `last_synced_at` may be so old
CLOCK_MARGIN_NS: Final = 2 * SECOND_NS  # the Date header is cut to the second, and travels
ORDER_GAPS_MAX: Final = 4096
LAG_MAX_NS: Final = 300 * SECOND_NS  # reads may be so old, and are waited for
LATER_MAX: Final = 20_000  # who still needs more of them asks again
OFFSETS_KEPT: Final = 8  # some minutes: then a clock that was set is followed
FROM_MARGIN_NS: Final = 10 * SECOND_NS  # asked from before the intent: clocks differ
ROWS_OVERLAP_NS: Final = 120 * SECOND_NS  # rows may be written late: ids make it idempotent
HISTORY_SPAN_MAX_NS: Final = (7 * 24 - 2) * 3_600 * SECOND_NS  # the exchange's, less a margin


@dataclass(slots=True)
class _Kind:
    """One kind of history read; `wanted_from_ns` is the next one to ask for, in our time (of
    what changed: in the exchange's)."""

    wanted_from_ns: int | None = None
    waiting_until_ns: int = 0
    earliest_ns: int = 0


class Reads:
    """`offset_ns` = exchange clock minus ours, from the latest reads that showed a Date.

    A reply is older than it looks by its way to us, seconds under load: each sample says too
    little, and the largest of them is the nearest to the truth. Too small an offset would let the
    arrival bound pass too early.
    """

    def __init__(self, out: Outbox, timers: Timers) -> None:
        self._out = out
        self._timers = timers
        self._kinds = {"doubt": _Kind(), "alive": _Kind(), "changed": _Kind()}
        self._order_read_ns: dict[OrderId, int] = {}
        self._later: dict[OrderId, ExternalId] = {}  # of many, those that wait for their turn
        self._pace_ns = 0
        self._pace_left = 0
        self._offsets_ns: deque[int] = deque(maxlen=OFFSETS_KEPT)
        self.offset_ns = 0
        self.lag_ns = 0  # how old the last read was when it came
        self.booked_until_ns = 0  # exchange time of the youngest money row that is booked
        self.first_run_ns = 0  # when the first run began whose entries are known
        # The same as the journal tells it of former processes: our clock may be set between two.
        self._former_ns: deque[int] = deque(maxlen=OFFSETS_KEPT)

    def order(
        self, ident: ExternalId, order_id: OrderId | None, now_ns: int, ends_doubt: bool = False
    ) -> None:
        """Ask for one order, unless that was done a moment ago or its id is unknown."""
        if order_id is None:
            return
        last_ns = self._order_read_ns.get(order_id)
        if last_ns is not None and now_ns - last_ns < ORDER_GAP_NS:
            return
        if len(self._order_read_ns) >= ORDER_GAPS_MAX:
            self._order_read_ns.clear()
        self._order_read_ns[order_id] = now_ns
        self._out.ask(ReadOrder(ident, order_id, ends_doubt))

    def synced(self, synced_ns: int, now_ns: int) -> None:
        """A read came; it shows the exchange as of then (exchange time)."""
        self.lag_ns = min(LAG_MAX_NS, max(0, self.to_exchange(now_ns) - synced_ns))

    def shown_ns(self, synced_ns: int | None, now_ns: int) -> int:
        """Whatever happened before (our time), a read that came now shows."""
        return (
            now_ns - UNSYNCED_NS if synced_ns is None else self.to_ours(synced_ns) - CLOCK_MARGIN_NS
        )

    def young_ns(self, since_ns: int) -> int:
        """From when a read can be younger than what happened then, as old as reads are now."""
        return since_ns + self.lag_ns + CLOCK_MARGIN_NS + SECOND_NS

    def later(self, ident: ExternalId, order_id: OrderId | None, now_ns: int) -> None:
        """One of perhaps very many: at the pace that leaves the request budget to others."""
        if order_id is not None and (len(self._later) < LATER_MAX or order_id in self._later):
            self._later[order_id] = ident
            self._keep_pace(now_ns)

    @property
    def depth(self) -> Depth:
        """Reads that wait for their turn."""
        return Depth(len(self._later), LATER_MAX)

    def no_longer(self, order_id: OrderId | None) -> None:
        """It was read meanwhile, with others."""
        if order_id is not None:
            self._later.pop(order_id, None)

    def _keep_pace(self, now_ns: int) -> None:
        if self._later and now_ns >= self._pace_ns:
            self._pace_ns, self._pace_left = now_ns + PACE_NS, ORDERS_PER_PACE
            self._timers.at(self._pace_ns, "history")
        while self._later and self._pace_left:
            self._pace_left -= 1
            order_id = next(iter(self._later))
            self.order(self._later.pop(order_id), order_id, now_ns)

    @property
    def rows_from_ns(self) -> int:
        """From when money rows are asked for (exchange time): whoever asks, no read may begin after
        what is booked, for nobody would ever look into the gap. How far the copy lags is no matter.
        """
        first_ns = self.to_exchange(self.since_former(self.first_run_ns))
        return (self.booked_until_ns or first_ns) - ROWS_OVERLAP_NS

    def doubtful(self, from_ns: int, now_ns: int) -> None:
        """Ask for everything created since `from_ns` (our time): it may prove absence."""
        self._want("doubt", from_ns, now_ns)

    def alive(self, now_ns: int) -> None:
        """Ask for everything that rests on the account, ours or not."""
        self._want("alive", now_ns - HISTORY_SPAN_MAX_NS, now_ns)

    def changed(self, from_ns: int, now_ns: int) -> None:
        """Ask for everything that changed since `from_ns` (exchange time); what rests goes first:
        both take the same route, and a start waits for that."""
        self._want("changed", from_ns, now_ns)

    @property
    def changes_come(self) -> bool:
        """A list of what changed is under way, or about to be."""
        kind = self._kinds["changed"]
        return kind.waiting_until_ns > 0 or kind.wanted_from_ns is not None

    def exchange_ahead(self, offset_ns: int) -> None:
        """One more word about the exchange's clock, in nanoseconds that it is ahead of ours."""
        self._offsets_ns.append(offset_ns)
        self.offset_ns = max(self._offsets_ns)

    def formerly_ahead(self, offset_ns: int) -> None:
        """As `exchange_ahead`, said of a moment of a former process."""
        self._former_ns.append(offset_ns)

    def since_former(self, noted_ns: int) -> int:
        """What a former process noted, by our clock of today; if in doubt earlier, never later."""
        if not self._former_ns:
            return noted_ns
        return noted_ns + min(0, max(self._former_ns) - self.offset_ns)

    def answered(self, read: HistoryRead, now_ns: int) -> None:
        self.exchange_ahead(read.date_ns - read.received_ns)
        name = "changed" if read.changed_only else "alive" if read.alive_only else "doubt"
        self._done(name, now_ns)

    def failed(self, now_ns: int) -> None:
        """Which one failed is not said: all may be asked for again."""
        for name in self._kinds:
            self._done(name, now_ns)

    def fire(self, now_ns: int) -> None:
        self._keep_pace(now_ns)
        for name in self._kinds:
            self._send(name, now_ns)

    @property
    def exchange_known(self) -> bool:
        """False until the exchange has told its time once."""
        return bool(self._offsets_ns)

    def to_exchange(self, ours_ns: int) -> int:
        return ours_ns + self.offset_ns

    def to_ours(self, exchange_ns: int) -> int:
        return exchange_ns - self.offset_ns

    def _done(self, name: str, now_ns: int) -> None:
        self._kinds[name].waiting_until_ns = 0
        self._send(name, now_ns)
        self._send("changed", now_ns)

    def _want(self, name: str, from_ns: int, now_ns: int) -> None:
        kind = self._kinds[name]
        known = kind.wanted_from_ns
        kind.wanted_from_ns = from_ns if known is None else min(known, from_ns)
        self._send(name, now_ns)

    def _send(self, name: str, now_ns: int) -> None:
        kind = self._kinds[name]
        if kind.wanted_from_ns is None:
            return
        free_ns = max(kind.waiting_until_ns, kind.earliest_ns)
        if name == "changed":
            free_ns = max(free_ns, self._kinds["alive"].waiting_until_ns)
        if now_ns < free_ns:
            self._timers.at(free_ns, "history")
            return
        from_ns = kind.wanted_from_ns - FROM_MARGIN_NS
        if name != "changed":
            from_ns = self.to_exchange(max(kind.wanted_from_ns, now_ns - HISTORY_SPAN_MAX_NS))
            from_ns -= FROM_MARGIN_NS
        kind.wanted_from_ns = None
        kind.waiting_until_ns = now_ns + HISTORY_WAIT_NS
        kind.earliest_ns = now_ns + HISTORY_GAP_NS
        ask = ReadHistory(from_ns, name == "doubt", name == "alive", name == "changed")
        self._out.ask(ask)
