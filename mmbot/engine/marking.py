"""At which price each line stands on which we hold fills.

By the fair values of its sources; where its strategy uses none, by the middle of its book. Never by
the one and then the other: how they differ would count as a loss.
"""

from __future__ import annotations

from typing import Final

from mmbot.domain.catalog import Line
from mmbot.engine.parts import Parts
from mmbot.engine.state import ACTIVE
from mmbot.pricing.book_fair import book_fair
from mmbot.pricing.consensus import blend

LOOK_NS: Final = 1_000_000_000
BOOK_SD_MAX_LOGIT: Final = 0.2  # a wider book says little of what its line is worth
SD_LEAST_LOGIT: Final = 0.001  # a source may claim to be certain


class Marking:
    """`look` as often as one likes: it is paced. A line keeps its last price from the start on."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._due_ns = 0

    def look(self, now_ns: int) -> None:
        if now_ns < self._due_ns:
            return
        self._due_ns = now_ns + LOOK_NS
        edge, state = self._parts.ledger.edge, self._parts.state
        for line_id in edge.lines():
            line = state.lines.get(line_id)
            event = None if line is None else state.event(line.event_id, now_ns)
            if line is None or event is None or not event.pre_match or now_ns >= event.start_ns:
                continue
            owner = self._parts.wishes.owner_of(event, line)
            by_book = owner is not None and not owner.quoter.uses_fairs
            prob = self._middle(line, now_ns) if by_book else self._fair(line, now_ns)
            if prob is not None:
                edge.mark(line_id, prob)
        edge.look(now_ns)

    def _fair(self, line: Line, now_ns: int) -> float | None:
        oldest_ns = now_ns - self._parts.placing.limits.account.fair_age_max_ns
        fairs = [
            fair
            for fair in self._parts.state.fairs(line.line_id)
            if fair.received_ns >= oldest_ns and 0 < fair.prob < 1
        ]
        if not fairs:
            return None
        sds = [max(fair.sd_logit, SD_LEAST_LOGIT) for fair in fairs]
        return blend([fair.prob for fair in fairs], sds).prob

    def _middle(self, line: Line, now_ns: int) -> float | None:
        state = self._parts.state
        if line.status != ACTIVE or state.fresh.why_stale(line, now_ns):
            return None
        own = self._parts.ledger.live_on_line(line.line_id)
        book = book_fair(state.competing(line, own), 0)
        return None if book is None or book.sd_logit > BOOK_SD_MAX_LOGIT else book.mid
