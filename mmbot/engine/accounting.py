"""Our books against the exchange's: the balance, the rows, and a case for every difference."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from mmbot.domain.case import Case, CaseKind
from mmbot.domain.entries import BalanceNoted, CaseClosed, CaseOpened
from mmbot.domain.events import BalanceSeen, TransactionsRead
from mmbot.domain.fill import Transaction
from mmbot.domain.ids import SportEventId
from mmbot.engine.books import Books, Market, Place
from mmbot.engine.day_loss import DayLoss
from mmbot.engine.housekeeping import UNUSABLE_READS_MAX
from mmbot.engine.manual import ManualOrders
from mmbot.engine.outbox import Outbox
from mmbot.engine.reads import Reads
from mmbot.engine.reversals import Reversals

SECOND_NS: Final = 1_000_000_000
CASE_AFTER_NS: Final = 90 * SECOND_NS  # rows and reports lag: a difference must last
CASES_MAX: Final = 200  # open at once; more are one problem, not many


@dataclass(frozen=True, slots=True)
class _Base:
    """A balance, and what our books held when it was read."""

    balance_cents: int
    filled_cents: int
    waiting_cents: int


def _unheard(_: Case, __: int) -> None:
    """Nobody counts them."""


def _unread(_: SportEventId, __: int) -> None:
    """Nobody reads them."""


class Accounting:
    """Cases open and close by comparison alone; nothing here changes an order."""

    def __init__(
        self, books: Books, out: Outbox, reads: Reads, manual: ManualOrders, reversals: Reversals
    ) -> None:
        self.books = books
        self.day = DayLoss()
        self.cases: dict[str, Case] = {}
        self.opened: Callable[[Case, int], None] = _unheard  # told each case when it opens
        self.differs: Callable[[SportEventId, int], None] = _unread  # told where rows do
        self._out = out
        self._reads = reads
        self._manual = manual
        self._reversals = reversals
        self._noticed: dict[str, tuple[Case, int]] = {}
        self._watched: set[Place] = set()  # markets to compare: touched, or not yet equal
        self._opening: BalanceNoted | None = None
        self._instead: BalanceNoted | None = None  # the PnL while rows cannot be booked
        self._rows_cents = 0  # of all rows after the opening, payments too
        self._paid_in_cents = 0  # deposits and the like after the opening
        self._pnl_cents = 0  # of the rows that come from trading
        self._last_balances: frozenset[int] = frozenset()  # after the youngest rows
        self._youngest_ns = 0
        self._seen: BalanceSeen | None = None
        self._unusable_reads = 0
        self._base: _Base | None = None
        self._gap_cents = 0
        self._gap_twice = False

    # --- what comes in -----------------------------------------------------------------------

    def replay(self, entry: BalanceNoted | CaseOpened | CaseClosed) -> None:
        match entry:
            case BalanceNoted(why="opening"):
                self._opening = entry
            case BalanceNoted():
                self._instead = entry if entry.why == "instead of rows" else None
            case CaseOpened(case):
                self.cases[case.case_id] = case
            case CaseClosed(case_id):
                self.cases.pop(case_id, None)

    def book(self, row: Transaction) -> None:
        """A row that is new, live or in a replay."""
        self.books.book(row)
        if row.from_trading:
            self._pnl_cents += row.amount_cents
        if self._opening is None or row.created_ns > self._opening.at_ns:
            self._rows_cents += row.amount_cents
            if not row.from_trading:
                self._paid_in_cents += row.amount_cents
        if row.balance_cents is not None and row.created_ns >= self._youngest_ns:
            same = self._last_balances if row.created_ns == self._youngest_ns else frozenset()
            self._last_balances = same | {row.balance_cents}
            self._youngest_ns = row.created_ns

    def balance(self, seen: BalanceSeen, now_ns: int) -> None:
        """The exchange's own figure; where no row can be booked it is the evidence."""
        if seen.balance_cents is None:
            return
        self._seen = seen
        if self._opening is None and not self.books.filled_cents and not self.books.markets:
            at_ns = self._reads.to_exchange(seen.asked_ns or seen.received_ns)
            self._note(BalanceNoted(seen.balance_cents, 0, "opening", at_ns))
        self._compare_balances(seen.balance_cents)
        if self.by_balance:
            self._note_instead(seen.balance_cents, now_ns)
        self._judge_cash(now_ns)

    def transactions(self, read: TransactionsRead, now_ns: int) -> None:
        """After its rows were booked."""
        if not read.by_rows:
            self._unusable_reads += 1
            if self._unusable_reads == UNUSABLE_READS_MAX and self._instead is None:
                detail = "rows without an amount: the PnL follows the balance from now on"
                self._out.alarm("money rows cannot be booked", detail)
            return
        self._unusable_reads = 0
        if self._instead is not None:
            self._note(replace(self._instead, why="rows again", at_ns=now_ns))
        if self._opening is None and len(self._last_balances) == 1:
            (cents,) = self._last_balances  # a ledger that is older than this kind of entry
            self._note(BalanceNoted(cents, self._pnl_cents, "opening", self._youngest_ns))
        self._judge(read, now_ns)

    @property
    def by_balance(self) -> bool:
        return self._unusable_reads >= UNUSABLE_READS_MAX or self._instead is not None

    @property
    def pnl_cents(self) -> int:
        """The cash that trading made: by the rows, or by the balance where they cannot tell."""
        return self._pnl_cents if self._instead is None else self._instead.pnl_cents

    @property
    def pnl_is_instead(self) -> bool:
        """Whether the PnL is the balance's word."""
        return self._instead is not None

    @property
    def returned_cents(self) -> int | None:
        """What came back by the balance for fills taken back; None where rows prove it."""
        if not self.by_balance:
            return None
        return max(0, self._gap_cents) if self._gap_twice else 0

    # --- the balance as evidence -------------------------------------------------------------

    def _note(self, entry: BalanceNoted) -> None:
        self.replay(entry)
        self._out.note(entry)
        if entry.why == "opening":
            self._rows_cents = self._paid_in_cents = 0

    def _note_instead(self, balance_cents: int, now_ns: int) -> None:
        opening = self._opening
        if opening is None:
            return
        gained_cents = balance_cents - opening.balance_cents
        pnl_cents = opening.pnl_cents + gained_cents - self._paid_in_cents
        if self._instead is None or self._instead.pnl_cents != pnl_cents:
            self._note(BalanceNoted(balance_cents, pnl_cents, "instead of rows", now_ns))

    def _compare_balances(self, balance_cents: int) -> None:
        """How far the balance is above what our fills explain, and whether it stays there."""
        books, base = self.books, self._base
        if base is not None:
            moved_cents = books.filled_cents - base.filled_cents
            gap_cents = balance_cents - base.balance_cents + moved_cents
            settled = books.waiting_cents - base.waiting_cents != moved_cents
            if gap_cents and not settled:
                self._gap_twice = gap_cents == self._gap_cents
                self._gap_cents = gap_cents
                return
        self._gap_cents, self._gap_twice = 0, False
        self._base = _Base(balance_cents, books.filled_cents, books.waiting_cents)

    # --- comparing ---------------------------------------------------------------------------

    def _judge(self, read: TransactionsRead, now_ns: int) -> None:
        self._watched |= self.books.touched
        self.books.touched.clear()
        disputed = self._reversals.places()
        for place in sorted(self._watched):
            market = self.books.markets[place]
            if place in self._manual.places or place in disputed or self.books.unplaced:
                continue
            if self._judge_market(place, market, now_ns):
                self._watched.discard(place)
        self._judge_reversals(now_ns)
        self._judge_cash(now_ns)

    def _judge_market(self, place: Place, market: Market, now_ns: int) -> bool:
        """The sum of its rows, within what rounding and the fee can explain; a fill that came and
        went before we heard of it is in neither."""
        theirs = market.net_cents
        least, most = market.expected_cents()
        ours = min(max(theirs, least), most)
        detail = f"fills and results make {least} to {most} cents, the rows {theirs}"
        about = f"event {place[0]} market {place[1]}"
        kind = CaseKind.MARKET
        rows = tuple(market.row_ids)
        return self._compare(
            Case(f"{kind} {about}", kind, about, ours, theirs, detail, rows), now_ns
        )

    def _judge_reversals(self, now_ns: int) -> None:
        waiting = dict(self._reversal_cases())
        for ident in [i for i, c in self.cases.items() if c.kind is CaseKind.REVERSAL]:
            if ident not in waiting:
                case = self.cases[ident]
                self._compare(replace(case, theirs_cents=case.ours_cents), now_ns)
        for case in waiting.values():
            self._compare(case, now_ns)

    def _reversal_cases(self) -> Iterable[tuple[str, Case]]:
        for order, shown_cents in self._reversals.unproven():
            about = str(order.external_id)
            detail = f"a read shows {shown_cents} of {order.filled_cents} cents, no money came back"
            kind = CaseKind.REVERSAL
            yield (
                f"{kind} {about}",
                Case(f"{kind} {about}", kind, about, order.filled_cents, shown_cents, detail),
            )

    def _judge_cash(self, now_ns: int) -> None:
        opening, seen = self._opening, self._seen
        if opening is None or seen is None or self.by_balance:
            return
        ours = opening.balance_cents + self._rows_cents
        if self._last_balances and ours not in self._last_balances:
            what, theirs = "the youngest row says", max(self._last_balances)
        elif ours in {seen.balance_cents, seen.cash_cents} or seen.balance_cents is None:
            what, theirs = "and the balance is", ours
        else:
            what, theirs = "the balance is", seen.balance_cents
        detail = f"opening {opening.balance_cents} and the rows make {ours}, {what} {theirs}"
        self._compare(Case("cash account", CaseKind.CASH, "account", ours, theirs, detail), now_ns)

    def _compare(self, case: Case, now_ns: int) -> bool:
        """True when equal. A case opens when the same difference lasted, and closes by itself."""
        ident = case.case_id
        if not case.difference_cents:
            self._noticed.pop(ident, None)
            if self.cases.pop(ident, None) is not None:
                self._out.note(CaseClosed(ident, case.detail, now_ns))
            return True
        first = self._noticed.get(ident)
        if first is None or first[0].difference_cents != case.difference_cents:
            self._noticed[ident] = (case, now_ns)
            if case.kind is CaseKind.MARKET:
                self.differs(_event_of(case), now_ns)
            return False
        known = self.cases.get(ident)
        if known is not None and known.difference_cents == case.difference_cents:
            return False
        if now_ns - first[1] >= CASE_AFTER_NS and len(self.cases) < CASES_MAX:
            self.cases[ident] = case
            self._out.note(CaseOpened(case, now_ns))
            self.opened(case, now_ns)
            event_id = None
            if case.kind is CaseKind.MARKET:
                event_id = _event_of(case)
            self._out.alarm("money differs", f"{ident}: {case.detail}", event_id)
        return False


def _event_of(market: Case) -> SportEventId:
    return SportEventId(int(market.about.split()[1]))
