"""Asking the strategy that owns a line what it wants there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mmbot.domain.catalog import Line, SportEvent
from mmbot.domain.facts import Fact, StrategyFailed
from mmbot.domain.price import profit_cents
from mmbot.domain.quote import Quote
from mmbot.domain.view import MarketView, Position
from mmbot.engine.ledger import Ledger
from mmbot.engine.modes import START_GRACE_NS
from mmbot.engine.ports import Ask, Slot
from mmbot.engine.state import MarketState
from mmbot.pricing.exposure import lowers_worst_case


class NotYet:
    """The line cannot be judged yet (no fair since our start): leave what rests there."""


NOT_YET: Final = NotYet()


class Wishes:
    def __init__(
        self, slots: Sequence[Slot], ask: Ask, state: MarketState, ledger: Ledger, started_ns: int
    ) -> None:
        self._slots = slots
        self._ask = ask
        self._state = state
        self._ledger = ledger
        self._grace_until_ns = started_ns + START_GRACE_NS
        self.only_reducing = False  # mode REDUCE_ONLY: what could add to a loss is not wished
        self.quarantined: dict[str, str] = {}  # owner: why it is not asked
        self._failing: dict[str, str] = {}
        self._owned: tuple[SportEvent, Line, Slot | None] | None = None
        self.shown: MarketView | None = None  # to the strategy that was asked last

    def quarantine(self, owner: str, reason: str) -> None:
        self.quarantined[owner] = reason
        self._owned = None

    def owner_of(self, event: SportEvent, line: Line) -> Slot | None:
        """The one strategy that owns the line (`mmbot check` refuses an overlap)."""
        if self._owned is not None and self._owned[0] is event and self._owned[1] is line:
            return self._owned[2]  # asked three times on the way of an order
        found = self._look_up(event, line)
        self._owned = (event, line, found)
        return found

    def _look_up(self, event: SportEvent, line: Line) -> Slot | None:
        for slot in self._slots:
            if slot.owner not in self.quarantined and slot.selects(event, line):
                return slot
        return None

    def of(
        self, event: SportEvent, line: Line, now_ns: int, facts: list[Fact]
    ) -> Sequence[Quote] | NotYet:
        """Valid quotes for the line; a failing strategy wants nothing."""
        slot = self.owner_of(event, line)
        ladder = self._state.ladder
        if slot is None or ladder is None:
            return ()
        fairs = self._state.fairs(line.line_id)
        if slot.quoter.uses_fairs and not fairs:
            return NOT_YET if now_ns < self._grace_until_ns else ()
        view = MarketView(
            now_ns,
            event,
            line,
            ladder,
            self._state.book(line.line_id),
            self._state.competing(line, self._ledger.live_on_line(line.line_id)),
            fairs,
            self._ledger.exposure(line.line_id).position,
        )
        self.shown = view
        answer = self._ask(slot, view)
        if isinstance(answer, str):
            if self._failing.get(slot.owner) != answer:
                self._failing[slot.owner] = answer
                facts.append(StrategyFailed(slot.owner, line.line_id, answer))
            return ()
        self._failing.pop(slot.owner, None)
        wanted = [q for q in answer if not 0 < q.valid_until_ns <= now_ns]
        return reducing(wanted, line, view.position) if self.only_reducing else wanted


def reducing(quotes: Sequence[Quote], line: Line, position: Position) -> list[Quote]:
    """Those that would leave the line's loss smaller, filled together with those before them."""
    kept: list[Quote] = []
    stakes, wins = [0, 0], [0, 0]
    for quote in quotes:
        side, stake = line.side_of(quote.strike_id), quote.quantity_cents
        won = profit_cents(quote.price, stake)
        if lowers_worst_case(position, side, stakes[side] + stake, wins[side] + won):
            stakes[side] += stake
            wins[side] += won
            kept.append(quote)
    return kept
