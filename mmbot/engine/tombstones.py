"""Ended orders: when they ended, when they leave memory, and that they once were ours."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mmbot.domain.ids import REMEMBERED_N_MAX, ExternalId, IdRange
from mmbot.engine.ledger_orders import Orders

HOUR_NS: Final = 3_600_000_000_000
REREADS_MAX: Final = 8
REREAD_NS: Final = 2_500_000_000  # longer than the margin between the clocks
REREAD_MAX_NS: Final = 60_000_000_000


@dataclass(slots=True)
class _Looked:
    tries: int = 0
    due_ns: int = 0


class Tombstones:
    """Keeps an order an hour past the arrival bound; after that only a bit per number."""

    def __init__(self, prefix: str, orders: Orders, arrival_bound_ns: int) -> None:
        self._prefix = prefix
        self._orders = orders
        self._keep_ns = arrival_bound_ns + HOUR_NS
        self._ended_ns: dict[ExternalId, int] = {}
        self._queue: deque[tuple[int, ExternalId]] = deque()
        self._gone: dict[str, bytearray] = {}
        self._looked: dict[ExternalId, _Looked] = {}

    def ended(self, ident: ExternalId, at_ns: int) -> None:
        self._ended_ns[ident] = at_ns
        self._queue.append((at_ns, ident))

    def settled(self, ident: ExternalId, at_ns: int) -> None:
        """An order with fills stays until its result is known, and then as long again."""
        if ident in self._ended_ns:
            self._queue.append((at_ns, ident))

    def revived(self, ident: ExternalId) -> None:
        self._ended_ns.pop(ident, None)
        self._looked.pop(ident, None)

    def restart(self, now_ns: int) -> None:
        """What ended in a former process has ended by now, whatever its clock said."""
        for ident, ended_ns in self._ended_ns.items():
            self._ended_ns[ident] = min(ended_ns, now_ns)

    def ended_ns(self, ident: ExternalId) -> int:
        return self._ended_ns[ident]

    def reread_after_ns(self, ident: ExternalId, now_ns: int) -> int | None:
        """Of an ended order that looks alive: None = no read now, else how long until the next.

        However often it is shown, reads follow their own pace and stop after a few.
        """
        looked = self._looked.setdefault(ident, _Looked())
        if now_ns < looked.due_ns or looked.tries >= REREADS_MAX:
            return None
        looked.tries += 1
        after_ns = min(REREAD_MAX_NS, REREAD_NS << (looked.tries - 1))
        looked.due_ns = now_ns + after_ns
        return after_ns

    def reads_wait(self, ident: ExternalId, until_ns: int) -> bool:
        """No read of it before then; False when that is known."""
        looked = self._looked.setdefault(ident, _Looked())
        if looked.due_ns >= until_ns:
            return False
        looked.due_ns = until_ns
        return True

    def unexplained(self, ident: ExternalId) -> bool:
        """True while a read should tell how an ended order can look alive."""
        return ident in self._looked

    def explained(self, ident: ExternalId) -> None:
        """A read has told how the order stands."""
        self._looked.pop(ident, None)

    def to_forget(self, now_ns: int) -> Iterator[ExternalId]:
        """Orders to drop from memory now; the caller drops each before it asks for the next."""
        while self._queue and self._queue[0][0] + self._keep_ns <= now_ns:
            _, ident = self._queue.popleft()
            order = self._orders.get(ident)
            if order is None or not order.terminal or not self._over(ident, now_ns):
                continue
            unsettled = order.filled_cents and self._orders.result_of(ident) is None
            if not unsettled and self._remember(ident):
                self._ended_ns.pop(ident, None)
                self._looked.pop(ident, None)
                yield ident

    def spent(self, ids: IdRange) -> None:
        """These have left memory already: the journal keeps them, and a start need not."""
        for n in range(ids.first, ids.last + 1):
            self._remember(ExternalId(f"{ids.stem}-{n}"))

    def was_ours(self, ident: ExternalId) -> bool:
        """True for an order that has left memory."""
        found = self._parts(ident)
        if found is None:
            return False
        run, n = found
        bits = self._gone.get(run, bytearray())
        return n >> 3 < len(bits) and bool(bits[n >> 3] >> (n & 7) & 1)

    def _over(self, ident: ExternalId, now_ns: int) -> bool:
        ended_ns = self._ended_ns.get(ident)
        return ended_ns is not None and ended_ns + self._keep_ns <= now_ns

    def _remember(self, ident: ExternalId) -> bool:
        found = self._parts(ident)
        if found is None or found[1] > REMEMBERED_N_MAX:
            return False
        run, n = found
        bits = self._gone.setdefault(run, bytearray())
        if n >> 3 >= len(bits):
            bits.extend(bytes((n >> 3) + 1 - len(bits)))
        bits[n >> 3] |= 1 << (n & 7)
        return True

    def _parts(self, ident: ExternalId) -> tuple[str, int] | None:
        run, _, n = ident.removeprefix(f"{self._prefix}-").rpartition("-")
        return (run, int(n)) if run and n.isdecimal() else None
