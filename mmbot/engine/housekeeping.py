"""Reads that the engine asks for by the clock: each named, each with its own pace."""

from __future__ import annotations

from dataclasses import dataclass, field

from mmbot.domain.commands import (
    Command,
    ReadBalance,
    ReadHistory,
    ReadTransactions,
    ReloadLadder,
)
from mmbot.domain.events import BalanceSeen, HistoryRead, ReadFailed, TransactionsRead
from mmbot.engine.reads import HISTORY_SPAN_MAX_NS

SECOND_NS = 1_000_000_000
BALANCE_EVERY_NS = 15 * SECOND_NS
BALANCE_AGE_MAX_NS = 120 * SECOND_NS
TRANSACTIONS_EVERY_NS = 60 * SECOND_NS
TRANSACTIONS_AFTER_SETTLEMENT_NS = SECOND_NS
TRANSACTIONS_AGAIN_NS = 3 * SECOND_NS  # while rows of a settlement are missing
TRANSACTIONS_FAILED_NS = 5 * SECOND_NS  # after a read that failed: a report may be down
UNUSABLE_READS_MAX = 3  # in a row: then the balance is believed instead of the rows
ROWS_LATE_MAX_NS = 60 * SECOND_NS  # and what the copy lags: then they are believed complete
LADDER_EVERY_NS = 3_600 * SECOND_NS
LADDER_AGAIN_NS = 10 * SECOND_NS  # a price was refused, or the last read failed
PROOF_EVERY_NS = 5 * SECOND_NS


@dataclass(slots=True)
class Housekeeping:
    """When the next read of each kind is due. `cash_cents` is None while it is not known."""

    cash_cents: int | None = None
    cash_read_ns: int = 0
    credit_cents: int | None = None  # shown, never counted
    balance_cents: int | None = None  # the exchange's own figure, and when it was asked for
    balance_read_ns: int = 0
    row_balances: frozenset[int] = frozenset()  # after the youngest rows of money
    settled_ns: int = 0  # when the last settlement was seen
    lag_ns: int = 0  # of the reporting copy, by its own word: rows carry none
    transactions_read_ns: int = 0
    unusable_reads: int = 0  # in a row, of rows that cannot be booked
    unusable_read_ns: int = 0
    proven_empty_ns: int = 0  # when a read last showed nothing of ours alive
    _rows_unread: bool = False  # the last read of rows failed
    _ladder_asked_ns: int = 0
    _due: dict[str, int] = field(default_factory=dict)

    def apply(self, event: BalanceSeen | TransactionsRead | HistoryRead | ReadFailed) -> None:
        match event:
            case HistoryRead():
                if event.synced_ns is not None:
                    self.lag_ns = max(0, event.date_ns - event.synced_ns)
            case BalanceSeen(cash_cents, received_ns, balance_cents, asked_ns, credit_cents):
                self.credit_cents = credit_cents
                if cash_cents is not None:
                    self.cash_cents, self.cash_read_ns = cash_cents, received_ns
                self.balance_cents, self.balance_read_ns = balance_cents, asked_ns or received_ns
            case TransactionsRead(by_rows=False):
                self.unusable_reads += 1
                self.unusable_read_ns = event.asked_ns or event.received_ns
                self._soon(event.received_ns + TRANSACTIONS_AGAIN_NS)
            case TransactionsRead(rows):
                self.unusable_reads = 0
                self.transactions_read_ns = event.asked_ns or event.received_ns
                youngest_ns = max((row.created_ns for row in rows), default=0)
                young = [row.balance_cents for row in rows if row.created_ns == youngest_ns]
                self.row_balances = frozenset(cents for cents in young if cents is not None)
                if not self.money_booked:
                    self._soon(event.received_ns + TRANSACTIONS_AGAIN_NS)
            case ReadFailed("ReloadLadder"):
                self.want_ladder()
            case ReadFailed(what):
                self._rows_unread = self._rows_unread or what == "ReadTransactions"

    def settlement_seen(self, now_ns: int) -> None:
        self.settled_ns = now_ns
        self._soon(now_ns + TRANSACTIONS_AFTER_SETTLEMENT_NS)

    def _soon(self, at_ns: int) -> None:
        """Money rows and the balance that they must end in, read together."""
        for name in ("transactions", "balance"):
            self._due[name] = min(self._due.get(name, at_ns), at_ns)

    @property
    def money_booked(self) -> bool:
        """The rows of every settlement seen so far have come: the reporting copy may lag, so a
        later read proves it only when its rows end in the balance, or after a long while."""
        late_ns = self.settled_ns + ROWS_LATE_MAX_NS + self.lag_ns
        if self.unusable_reads >= UNUSABLE_READS_MAX:
            return min(self.unusable_read_ns, self.balance_read_ns) > late_ns
        if self.transactions_read_ns <= self.settled_ns:
            return False
        balanced = self.balance_read_ns > self.settled_ns and self.balance_cents is not None
        if balanced and self.balance_cents in self.row_balances:
            return True
        return self.transactions_read_ns > late_ns

    def usable_cash(self, now_ns: int) -> int | None:
        """Cash for the 8x rule; None (fail closed) when the figure is missing or old."""
        fresh = now_ns - self.cash_read_ns <= BALANCE_AGE_MAX_NS
        return self.cash_cents if fresh else None

    def due(self, now_ns: int, stopping: bool, live: int, rows_from_ns: int) -> list[Command]:
        """The reads to ask for now. `stopping` with nothing live asks for the proof."""
        commands: list[Command] = []
        if self._rows_unread:  # a settlement may wait for them, and a minute is long then
            self._rows_unread = False
            again_ns = now_ns + TRANSACTIONS_FAILED_NS
            self._due["transactions"] = min(self._due.get("transactions", again_ns), again_ns)
        if self._take("balance", now_ns, BALANCE_EVERY_NS):
            commands.append(ReadBalance())
        if self._take("transactions", now_ns, TRANSACTIONS_EVERY_NS):
            commands.append(ReadTransactions(rows_from_ns))
        if self._take("ladder", now_ns, LADDER_EVERY_NS, first=False):
            self._ladder_asked_ns = now_ns
            commands.append(ReloadLadder())
        if not (stopping and live == 0):
            self._due.pop("proof", None)  # else it would be overdue for ever after a resume
        elif self._take("proof", now_ns, PROOF_EVERY_NS):
            from_ns = now_ns - HISTORY_SPAN_MAX_NS  # so far back that no clock matters
            commands.append(ReadHistory(from_ns, alive_only=True))
        return commands

    def next_due_ns(self) -> int:
        return min(self._due.values(), default=0)

    def want_ladder(self) -> None:
        """A price was refused: the ladder may have changed. At most once in `LADDER_AGAIN_NS`."""
        self._due["ladder"] = self._ladder_asked_ns + LADDER_AGAIN_NS

    def _take(self, name: str, now_ns: int, every_ns: int, first: bool = True) -> bool:
        """Whether the read is due; `first` asks for it at the start as well."""
        if now_ns < self._due.setdefault(name, 0 if first else now_ns + every_ns):
            return False
        self._due[name] = now_ns + every_ns
        return True
