"""Orders on the account that are not ours: counted in every exposure, never touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from mmbot.domain.catalog import Line, Side
from mmbot.domain.events import HistoryRead
from mmbot.domain.ids import ExternalId, LineId, OrderId, StrikeId
from mmbot.domain.order import OrderReport
from mmbot.domain.price import Price
from mmbot.engine.books import Place
from mmbot.engine.ledger_sums import LineSums, Stakes, fill_profit_cents
from mmbot.engine.reading import KNOWN_STATUSES, NO_RESULT_YET
from mmbot.engine.reads import Reads

LineOf = Callable[[StrikeId], Line | None]
LOOKS_MAX: Final = 10
PLACES_MAX: Final = 10_000
UNKNOWN_LINE: Final = LineId("?")  # every stake on one side: nothing offsets anything


def no_lines(_: StrikeId) -> Line | None:
    return None


@dataclass(frozen=True, slots=True)
class _Manual:
    report: OrderReport
    line_id: LineId
    side: Side
    stakes: Stakes
    since_ns: int  # when we heard that so much of it is filled


class ManualOrders:
    """Alive ones, and those with fills that are not settled."""

    def __init__(self, sums: LineSums, reads: Reads) -> None:
        self._sums = sums
        self._reads = reads
        self._orders: dict[OrderId, _Manual] = {}
        self._resting: dict[StrikeId, dict[OrderId, Price]] = {}
        self.line_of: LineOf = no_lines
        self._heard_ns: int | None = None  # since when every message comes (our time)
        self._listed_ns = 0  # until when lists have shown what rests (our time)
        self.anybody = False  # an order that is not ours has ever been told
        self.places: set[Place] = set()  # where a person traded: rows there are not only ours

    def see(self, report: OrderReport, now_ns: int, shown_ns: int = 0) -> bool:
        """True when it was not known and carries risk.

        `shown_ns`: of a read, what happened before (our time) it shows: then a fill that we heard
        of earlier and that it does not show was taken back.
        """
        self.anybody = True
        old, since_ns = self._orders.pop(report.order_id, None), now_ns
        self._rests(report, 0)
        filled = report.filled_cents
        if old is not None:
            held = old.stakes.filled_cents
            filled = filled if old.since_ns <= shown_ns else max(filled, held)
            since_ns = old.since_ns if filled == held else now_ns
            report = replace(report, filled_cents=filled)
            self._sums.add(old.line_id, old.side, Stakes().minus(old.stakes))
        if filled and len(self.places) < PLACES_MAX:
            self.places.add((int(report.event_id), str(report.market_id)))
        unsettled = filled if report.winning_status in NO_RESULT_YET else 0
        ended = not report.alive and report.status in KNOWN_STATUSES  # else it may fill
        resting = 0 if ended else report.open_cents
        if not unsettled and not resting:
            return False
        line = self.line_of(report.strike_id)
        line_id, side = UNKNOWN_LINE, 0
        if line is not None:
            line_id, side = line.line_id, line.side_of(report.strike_id)
        kept: Side = 1 if side else 0
        stakes = Stakes(unsettled, fill_profit_cents(report.price, unsettled), resting)
        self._orders[report.order_id] = _Manual(report, line_id, kept, stakes, since_ns)
        self._sums.add(line_id, kept, stakes)
        self._rests(report, resting)
        return old is None

    def _rests(self, report: OrderReport, cents: int) -> None:
        there = self._resting.setdefault(report.strike_id, {})
        there.pop(report.order_id, None)
        if cents:
            there[report.order_id] = report.price
        if not there:
            del self._resting[report.strike_id]

    def prices_on(self, strike_id: StrikeId) -> tuple[Price, ...]:
        """Of those that may still fill."""
        there = self._resting.get(strike_id)
        return () if there is None else tuple(there.values())

    def restart(self, now_ns: int) -> None:
        """Heard by now, whatever the clock of the former process told."""
        for ident, manual in self._orders.items():
            self._orders[ident] = replace(manual, since_ns=min(manual.since_ns, now_ns))

    def ours(self, order_id: OrderId) -> None:
        """It was an order of ours: a report that did not say so came first."""
        known = self._orders.pop(order_id, None)
        if known is not None:
            self._rests(known.report, 0)
            self._sums.add(known.line_id, known.side, Stakes().minus(known.stakes))

    def filled_cents(self, order_id: OrderId) -> int:
        manual = self._orders.get(order_id)
        return 0 if manual is None else manual.report.filled_cents

    def hears(self, up: bool, now_ns: int) -> None:
        """The private channel is up, or it is not."""
        if not up:
            self._heard_ns = None
        elif self._heard_ns is None:
            self._heard_ns = now_ns

    def history(self, read: HistoryRead, now_ns: int) -> None:
        """One that a list of everything alive leaves out has ended: read how."""
        if read.alive_only or self._reads.to_ours(read.from_ns) <= self._listed_ns:
            shown_ns = self._reads.shown_ns(read.synced_ns, now_ns)
            self._listed_ns = max(self._listed_ns, shown_ns)
        if not read.alive_only:
            return
        listed = {report.order_id for report in read.reports}
        for order_id, manual in self._orders.items():
            if manual.stakes.resting_cents and order_id not in listed:
                self._read(manual.report, now_ns)

    def look(self, now_ns: int) -> None:
        """A few that wait for their result: what is read goes to the end of the row."""
        filled = (one.report for one in self._orders.values() if not one.stakes.resting_cents)
        for report in tuple(islice(filled, LOOKS_MAX)):
            self._read(report, now_ns)

    def _read(self, report: OrderReport, now_ns: int) -> None:
        ident = report.external_id or ExternalId(report.order_id)
        self._reads.later(ident, report.order_id, now_ns)

    def locate(self) -> None:
        """The catalogue came: move what stood on the unknown line."""
        for manual in tuple(self._orders.values()):
            if manual.line_id == UNKNOWN_LINE and self.line_of(manual.report.strike_id):
                self.see(manual.report, manual.since_ns)

    @property
    def told(self) -> bool:
        """A list has come that is younger than the beginning of what we hear."""
        return self._heard_ns is not None and self._listed_ns > self._heard_ns

    def may_rest_on(self, strike_id: StrikeId) -> bool:
        """Whether one rests there; what came while we heard nothing, only a list can tell."""
        return not self.told or any(
            manual.report.strike_id == strike_id and manual.stakes.resting_cents
            for manual in self._orders.values()
        )

    @property
    def may_trade(self) -> bool:
        """Whether a person trades on the account at all: of his newest order the message may be
        on its way, or lost."""
        return not self.told or self.anybody

    def known(self, order_id: OrderId) -> OrderReport | None:
        """The last report of one that is counted."""
        manual = self._orders.get(order_id)
        return None if manual is None else manual.report

    @property
    def any_rests(self) -> bool:
        return any(manual.stakes.resting_cents for manual in self._orders.values())

    def stakes(self) -> dict[tuple[LineId, int], Stakes]:
        """Per line and side, for the check of the sums."""
        total: dict[tuple[LineId, int], Stakes] = {}
        for manual in self._orders.values():
            key = (manual.line_id, manual.side)
            total[key] = total.get(key, Stakes()).minus(Stakes().minus(manual.stakes))
        return total

    def waiting_cents(self) -> dict[Place, int]:
        """Filled stakes without a result, per market."""
        total: dict[Place, int] = {}
        for manual in self._orders.values():
            place = int(manual.report.event_id), str(manual.report.market_id)
            total[place] = total.get(place, 0) + manual.stakes.filled_cents
        return total

    def reports(self) -> tuple[OrderReport, ...]:
        return tuple(manual.report for manual in self._orders.values())
