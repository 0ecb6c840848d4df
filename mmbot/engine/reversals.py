"""Fills that are taken back: a read shows fewer of them, and money proves it; then, once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mmbot.domain.commands import ReadTransactions
from mmbot.domain.entries import FillDisputed
from mmbot.domain.evidence import Evidence
from mmbot.domain.fill import Transaction
from mmbot.domain.ids import ExternalId
from mmbot.domain.order import Order, OrderReport
from mmbot.engine.books import NO_SHARE, Books, Place, Share, place_of, share_of
from mmbot.engine.ledger_orders import Orders
from mmbot.engine.outbox import Outbox
from mmbot.engine.reading import NO_RESULT_YET, Sight
from mmbot.engine.reads import CLOCK_MARGIN_NS, ORDER_GAP_NS, ROWS_OVERLAP_NS, Reads
from mmbot.engine.timers import Timers

SECOND_NS: Final = 1_000_000_000
LOOK_NS: Final = 2_500_000_000  # longer than the margin between the clocks
LOOK_MAX_NS: Final = 60 * SECOND_NS
READS_APART_NS: Final = 10 * SECOND_NS  # of two reads that carry no `last_synced_at`
MONEY_EVERY_NS: Final = 5 * SECOND_NS  # while a read waits for the row that proves it
ROWS_KEPT_MAX: Final = 200  # per market; the oldest are dropped
ROWS_TRIED_MAX: Final = 24  # youngest first, for the sum that a reversal needs
SUMS_TRIED_MAX: Final = 10_000

# The money of a fill comes back by these words, with the trade that it belonged to.
GIVEN_BACK: Final = frozenset({"REFUND", "VOID", "CANCEL", "ADJUSTMENT_INCREASE"})


@dataclass(slots=True)
class _Claim:
    """An order that was shown with fewer fills than we counted, `ours_cents` of them.

    `least_cents` is the fewest that anything has shown since: so many are beyond dispute.
    """

    ours_cents: int
    least_cents: int
    since_ns: int
    first_read_ns: int | None = None
    report: OrderReport | None = None  # of a read that is young enough to be believed
    evidence: Evidence | None = None
    twice: bool = False  # two such reads, `READS_APART_NS` apart
    wait_ns: int = LOOK_NS
    said: bool = False


@dataclass(frozen=True, slots=True)
class Proven:
    """What both witnesses say: the order, its report, and the rows that gave the money back."""

    order: Order
    report: OrderReport
    evidence: Evidence
    rows: tuple[str, ...]


class Reversals:
    """Decision 4: a smaller number in a message is only a reason to look."""

    def __init__(
        self,
        orders: Orders,
        books: Books,
        shared: Collection[Place],
        out: Outbox,
        timers: Timers,
        reads: Reads,
    ) -> None:
        """`shared`: markets in which a person trades, too."""
        self._orders = orders
        self._books = books
        self._shared = shared
        self._out = out
        self._timers = timers
        self._reads = reads
        self._claims: dict[ExternalId, _Claim] = {}
        self._rows: dict[Place, dict[str, int]] = {}  # cents given back, not yet explained
        self._lowered: dict[ExternalId, int] = {}  # when a total was lowered
        self._money_asked_ns = 0
        self._rows_asked_ns = 0  # when the youngest rows that we have were asked for

    # --- what is said ------------------------------------------------------------------------

    def see(self, order: Order, report: OrderReport, sight: Sight, now_ns: int) -> None:
        """A report of an order, after its fills were counted."""
        ident = order.external_id
        claim = self._claims.get(ident)
        if claim is not None and (gained := order.filled_cents - claim.ours_cents) > 0:
            # It filled once more: a read from before tells nothing of the new total.
            claim = _Claim(order.filled_cents, claim.least_cents + gained, now_ns)
            self._claims[ident] = claim
        if report.filled_cents >= order.filled_cents:
            if claim is not None and sight.channel == "read" and self._young(claim, sight, now_ns):
                del self._claims[ident]
                self._note(ident, 0, now_ns)
            return
        if sight.channel == "reply":  # often older than what came by other ways
            return
        if claim is None or claim.ours_cents != order.filled_cents:
            claim = self._claims[ident] = _Claim(order.filled_cents, order.filled_cents, now_ns)
            self._timers.at(now_ns + LOOK_NS, "reversal", ident)
        if report.filled_cents < claim.least_cents:
            claim.least_cents = report.filled_cents
            self._note(ident, order.filled_cents - report.filled_cents, now_ns)
        if sight.channel != "read":
            self._reads.order(ident, order.order_id, now_ns)
        elif self._young(claim, sight, now_ns):
            if claim.report is None or claim.report.filled_cents != report.filled_cents:
                claim.first_read_ns = now_ns
            first_ns = now_ns if claim.first_read_ns is None else claim.first_read_ns
            claim.twice = now_ns - first_ns >= READS_APART_NS
            claim.report, claim.evidence = report, sight.evidence(report)
            self._ask_for_money(claim, now_ns)

    def _young(self, claim: _Claim, sight: Sight, now_ns: int) -> bool:
        """Whether a read must hold every fill that we had counted when the claim began."""
        return self._after(claim.since_ns, sight, now_ns)

    def _after(self, at_ns: int, sight: Sight, now_ns: int) -> bool:
        if sight.synced_ns is not None:
            return sight.synced_ns > self._reads.to_exchange(at_ns) + CLOCK_MARGIN_NS
        return now_ns - at_ns >= READS_APART_NS

    def row(self, row: Transaction) -> None:
        """A booked row, once each, live or in a replay."""
        place = (row.event_id, row.market_id)
        if row.kind not in GIVEN_BACK or row.amount_cents <= 0 or not row.trade_id:
            return
        rows = self._rows.setdefault(place, {})
        rows[row.transaction_id] = row.amount_cents
        if len(rows) > ROWS_KEPT_MAX:
            del rows[next(iter(rows))]

    def rows_read(self, asked_ns: int) -> None:
        """All rows until then are booked (our time)."""
        self._rows_asked_ns = max(self._rows_asked_ns, asked_ns)

    def done(self, ident: ExternalId, rows: Sequence[str], cents: int, at_ns: int) -> None:
        """A reversal of so many cents is booked; `rows` have explained it and explain no other.

        Where a person trades nobody can tell whose a row was: what it gave back beyond these cents
        stays, or another fill that was taken back would never find its own.
        """
        self._claims.pop(ident, None)
        self._orders.dispute(ident, 0)
        self._lowered[ident] = at_ns
        for place, known in self._rows.items():
            used = [row for row in rows if row in known]
            beyond_cents = sum(known.pop(row) for row in used) - cents
            if used and beyond_cents > 0 and place in self._shared:
                known[used[-1]] = beyond_cents

    def weighed(self, order: Order, report: OrderReport, sight: Sight, now_ns: int) -> OrderReport:
        """The report, without a total that an image from before a reversal would show as well.

        Only a younger read raises a total that was lowered. Nothing is at risk meanwhile that is
        not counted: what may fill again is still resting.
        """
        at_ns = self._lowered.get(order.external_id)
        if at_ns is None or report.filled_cents <= order.filled_cents:
            return report
        if sight.channel == "read" and self._after(at_ns, sight, now_ns):
            return report
        return replace(report, filled_cents=order.filled_cents)

    def forget(self, ident: ExternalId) -> None:
        self._lowered.pop(ident, None)

    # --- what follows ------------------------------------------------------------------------

    def disputed(self, ident: ExternalId) -> bool:
        """While true, nobody knows how much of the order a result is about."""
        return ident in self._claims

    def places(self) -> set[Place]:
        """Markets of which nobody knows yet how much is filled."""
        orders = [self._orders.get(ident) for ident in self._claims]
        return {place_of(order) for order in orders if order is not None}

    def unproven(self) -> Iterator[tuple[Order, int]]:
        """Orders that a read showed with fewer fills, and how many cents of them."""
        for ident, claim in self._claims.items():
            order = self._orders.get(ident)
            if order is not None and claim.report is not None:
                yield order, claim.report.filled_cents

    @property
    def any_disputed(self) -> bool:
        return bool(self._claims)

    def proven(self, by_balance_cents: int | None, now_ns: int) -> list[Proven]:
        """Claims that money confirms by now; they are closed.

        `by_balance_cents` is what came back by the balance where no rows can be had, else None.
        """
        found = []
        for ident, claim in tuple(self._claims.items()):
            order = self._orders.get(ident)
            if order is None:
                del self._claims[ident]
                continue
            if claim.report is None or claim.evidence is None:
                continue
            gone_cents = order.filled_cents - claim.report.filled_cents
            if by_balance_cents is None:
                rows = self._rows_for(order, claim, gone_cents)
            elif claim.twice and gone_cents <= by_balance_cents:
                rows, by_balance_cents = (), by_balance_cents - gone_cents
            else:
                rows = None
            if rows is not None:
                self.done(ident, rows, gone_cents, now_ns)
                found.append(Proven(order, claim.report, claim.evidence, rows))
        return found

    def _note(self, ident: ExternalId, cents: int, now_ns: int) -> None:
        self._orders.dispute(ident, cents)
        self._out.note(FillDisputed(ident, cents, now_ns))

    def replay(self, entry: FillDisputed) -> None:
        """A dispute that outlived the process goes on: `restart` looks again."""
        ident = entry.external_id
        self._orders.dispute(ident, entry.cents)
        order = self._orders.get(ident)
        if entry.cents and order is not None:
            least_cents = order.filled_cents - entry.cents
            self._claims[ident] = _Claim(order.filled_cents, least_cents, entry.at_ns)
        else:
            self._claims.pop(ident, None)

    def restart(self, now_ns: int) -> None:
        """Claims are looked at again. What was said was said by now, whatever the clock of the
        former process told: no read would ever be younger than the future."""
        for ident, claim in self._claims.items():
            claim.since_ns = min(claim.since_ns, now_ns)
            self._timers.at(now_ns + LOOK_NS, "reversal", ident)
        for ident, at_ns in self._lowered.items():
            self._lowered[ident] = min(at_ns, now_ns)

    def _change(self, place: Place) -> Share:
        """What the books of a market would change by, were every claim in it true."""
        change = NO_SHARE
        for ident, claim in self._claims.items():
            order = self._orders.get(ident)
            if order is not None and claim.report is not None and place_of(order) == place:
                # A result, or that there is none, waits while the fill is disputed; the rows
                # have followed it.
                told = claim.report.winning_status
                lower = replace(order, filled_cents=claim.report.filled_cents)
                lower_share = share_of(lower, None if told in NO_RESULT_YET else told)
                held = share_of(order, self._orders.result_of(ident))
                change = change.plus(lower_share.minus(held))
        return change

    def _rows_for(self, order: Order, claim: _Claim, cents: int) -> tuple[str, ...] | None:
        """Rows that gave back just so much; or others, when with the lower total the rows of the
        whole market add up: at once when they gave back more, since then a fill of which nobody
        told had come before; else when reads go on saying so and no row is missing. Where a
        person trades no sum of the market tells ours: enough given back, and lasting reads."""
        place = place_of(order)
        rows = self._rows.get(place, {})
        found = rows_of_sum(rows, cents)
        if found is not None:
            return found
        seen_ns = claim.first_read_ns
        lasting = claim.twice and seen_ns is not None and seen_ns < self._rows_asked_ns
        enough = sum(rows.values()) >= cents
        if not enough and not lasting:
            return None
        by_both = enough and lasting and place in self._shared
        if not by_both and not self._books.markets[place].adds_up(self._change(place)):
            return None
        least, total = [], 0
        for ident in list(rows)[::-1]:
            if total < cents:
                least.append(ident)
                total += rows[ident]
        return tuple(least)

    # --- asking ------------------------------------------------------------------------------

    def fire(self, ident: ExternalId, now_ns: int) -> None:
        claim, order = self._claims.get(ident), self._orders.get(ident)
        if claim is None or order is None:
            return
        if claim.report is not None and not claim.said:
            claim.said = True
            shown = claim.report.filled_cents
            detail = f"{ident}: a read shows {shown} of {claim.ours_cents} cents, no money yet"
            self._out.alarm("fewer fills than counted", detail, order.event_id)
        self._reads.order(ident, order.order_id, now_ns)
        self._ask_for_money(claim, now_ns)
        due_ns = now_ns + claim.wait_ns
        readable_ns = self._reads.young_ns(claim.since_ns)
        if now_ns + ORDER_GAP_NS <= readable_ns < due_ns:
            due_ns = readable_ns  # the first read that can be believed is not slept past
        else:
            claim.wait_ns = min(LOOK_MAX_NS, claim.wait_ns * 2)
        self._timers.at(due_ns, "reversal", ident)

    def _ask_for_money(self, claim: _Claim, now_ns: int) -> None:
        if claim.report is None or now_ns < self._money_asked_ns + MONEY_EVERY_NS:
            return
        self._money_asked_ns = now_ns
        since_ns = min(one.since_ns for one in self._claims.values())
        since_ns = self._reads.to_exchange(since_ns) - ROWS_OVERLAP_NS
        self._out.ask(ReadTransactions(min(since_ns, self._reads.rows_from_ns)))


def rows_of_sum(rows: Mapping[str, int], cents: int) -> tuple[str, ...] | None:
    """Rows that make exactly this sum, the youngest first; None when there are none."""
    sums: dict[int, tuple[str, ...]] = {0: ()}
    for ident in list(rows)[::-1][:ROWS_TRIED_MAX]:
        for total, used in tuple(sums.items()):
            more = total + rows[ident]
            if more <= cents and more not in sums and len(sums) < SUMS_TRIED_MAX:
                sums[more] = (*used, ident)
        if cents in sums:
            return sums[cents]
    return None
