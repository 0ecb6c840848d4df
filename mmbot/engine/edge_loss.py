"""Edge: what our fills are worth by fair values beyond what they cost, and its loss of the day.

Spread capture plus drift of section 9 of the maths, so without the luck of results: each fill at
the price its line has now, and at the last one before the start for ever. A fill on a line that
has had no price yet counts nothing. Prices are not in the journal, so what they have made of the
fills is noted there: after a restart the fills go on from the prices last noted.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Final

from mmbot.domain.entries import EdgeNoted, Mark
from mmbot.domain.ids import LineId
from mmbot.domain.order import Order
from mmbot.domain.price import profit_cents
from mmbot.engine.books import Share
from mmbot.engine.day_loss import DayLoss
from mmbot.engine.outbox import Outbox

PPM: Final = 1_000_000
NOTE_EVERY_NS: Final = 60_000_000_000
NOTE_PART: Final = 100  # of the first limit: so much may be unknown to the journal


@dataclass(slots=True)
class _Line:
    """Fills of ours on one line, per side: what they cost, and what comes back if it wins."""

    stake_cents: int = 0
    pot_cents: list[int] = field(default_factory=lambda: [0, 0])
    waiting_cents: int = 0  # stakes without a result
    mark: Mark | None = None
    value_cents: int = 0
    noted_cents: int = 0

    def revalue(self) -> int:
        """Returns how much more they are worth than before."""
        if self.mark is None:
            return 0
        first = self.mark.prob_ppm
        back = first * self.pot_cents[0] + (PPM - first) * self.pot_cents[1]
        before, self.value_cents = self.value_cents, back // PPM - self.stake_cents
        return self.value_cents - before


class EdgeLoss:
    """Told of each fill and each price. `day` has the rules of the first limit."""

    def __init__(self, out: Outbox) -> None:
        self.day = DayLoss()
        self.halt_cents = sys.maxsize
        self.made_cents = 0  # by all fills
        self._out = out
        self._lines: dict[LineId, _Line] = {}
        self._worst_cents = 0  # loss of the day: a way back does not lift a limit that was reached
        self._noted_ns = 0
        self._left_cents = 0  # not noted, on lines that have all their results

    # --- what happens ------------------------------------------------------------------------

    def filled(self, order: Order, change: Share) -> None:
        """More or less of an order is filled, or has a result; live or in a replay."""
        line = self._lines.setdefault(order.line_id, _Line())
        cents = change.filled_cents
        won = profit_cents(order.price, abs(cents))
        line.stake_cents += cents
        line.pot_cents[order.side] += cents + (won if cents > 0 else -won)
        line.waiting_cents += change.waiting_cents
        self.made_cents += line.revalue()
        if line.waiting_cents <= 0:
            self._left_cents += abs(line.value_cents - line.noted_cents)
            del self._lines[order.line_id]

    def lines(self) -> tuple[LineId, ...]:
        """Those that wait for a result, and so have a price to follow until their start."""
        return tuple(self._lines)

    def mark(self, line_id: LineId, prob: float) -> None:
        """The price of side 0 now."""
        line = self._lines[line_id]
        line.mark = Mark(line_id, round(prob * PPM))
        self.made_cents += line.revalue()

    # --- what it means -----------------------------------------------------------------------

    def look(self, now_ns: int) -> None:
        """At any time, after the prices are told."""
        before = self._limits_reached
        if self.day.look(self.made_cents, now_ns):
            self._worst_cents = 0
        self._worst_cents = max(self._worst_cents, self.day.cents)
        if self._limits_reached != before or self._owes_a_note(now_ns):
            self._note(now_ns)

    @property
    def reduce_only(self) -> bool:
        return self._worst_cents >= self.day.allowed_cents

    @property
    def halts(self) -> bool:
        return self._worst_cents >= self.halt_cents

    @property
    def worst_cents(self) -> int:
        """The largest loss since the day began, or a person resumed."""
        return self._worst_cents

    def resumed(self, now_ns: int) -> None:
        """A person has seen that a limit was reached and goes on: it counts anew from here."""
        if self.reduce_only:
            self.day.look(self.made_cents, now_ns)
            self.day.start_over()
            self._worst_cents = 0
            self._note(now_ns)

    @property
    def _limits_reached(self) -> tuple[bool, bool]:
        return self.reduce_only, self.halts

    # --- the journal -------------------------------------------------------------------------

    def _owes_a_note(self, now_ns: int) -> bool:
        if now_ns < self._noted_ns + NOTE_EVERY_NS:
            return False
        moved = sum(abs(one.value_cents - one.noted_cents) for one in self._lines.values())
        return (self._left_cents + moved) * NOTE_PART >= self.day.allowed_cents

    def _note(self, now_ns: int) -> None:
        marks = tuple(one.mark for one in self._lines.values() if one.mark is not None)
        began = self.day.began_cents
        self._out.note(EdgeNoted(self.made_cents, began, self._worst_cents, marks, now_ns))
        self._noted(now_ns)

    def _noted(self, at_ns: int) -> None:
        self._noted_ns, self._left_cents = at_ns, 0
        for line in self._lines.values():
            line.noted_cents = line.value_cents

    def replay(self, entry: EdgeNoted) -> None:
        """All that was replayed until then is in it."""
        for mark in entry.marks:
            line = self._lines.get(mark.line_id)
            if line is not None:
                line.mark = mark
                line.revalue()
        self.made_cents, self._worst_cents = entry.made_cents, entry.worst_cents
        self.day.recall(entry.began_cents, entry.made_cents, entry.at_ns)
        self._noted(entry.at_ns)

    def restart(self, now_ns: int) -> None:
        """No note is of the future, whatever the clock of the former process told."""
        self._noted_ns = min(self._noted_ns, now_ns)
