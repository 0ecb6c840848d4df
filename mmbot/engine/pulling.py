"""Breakers at work: what they are told of a turn, and whom they pull."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from mmbot.domain.events import BookUpdated, Event, LadderLoaded, OperatorSaid, PlaceRefused
from mmbot.domain.facts import Alarm, Fact, FillCounted, ModeChanged
from mmbot.domain.ids import LineId
from mmbot.domain.money import usd
from mmbot.domain.price import Ladder, Price
from mmbot.engine.holdoff import CLOSED, OFF_LADDER
from mmbot.engine.marking import Marking
from mmbot.engine.parts import Parts


class Pulling:
    """Tells the modes what is pulled; the engine withdraws the wishes there."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._breakers = parts.breakers
        self._marking = Marking(parts)
        self._ladder: Ladder | None = None  # as it was read last
        self._off_ladder: Counter[Price] = Counter()  # refused since then
        self._news = ""  # of the ladder, not told yet

    def heard(self, event: Event, now_ns: int) -> bool:
        """After the event was taken; True when something has to be pulled in this turn."""
        match event:
            case BookUpdated(book):
                state = self._parts.state
                line = state.lines.get(book.line_id)
                if line is None:
                    return False
                own = self._parts.ledger.live_on_line(line.line_id)
                return self._breakers.priced(line.event_id, state.competing(line, own), now_ns)
            case PlaceRefused(ident, code) if code in OFF_LADDER:
                if (order := self._parts.ledger.order(ident)) is not None:
                    self._off_ladder[order.price] += 1
                return False  # held against us only if the ladder has it after all
            case LadderLoaded(ladder):
                return self._ladder_read(ladder, now_ns)
            case PlaceRefused(_, code) if not any(word in code for word in CLOSED):
                return self._breakers.refused(code, now_ns)  # closed: one asks now and then
            case OperatorSaid("resume"):
                self._parts.ledger.accounting.day.resumed()
                self._parts.ledger.edge.resumed(now_ns)
                return False
            case _:
                return False

    def _ladder_read(self, ladder: Ladder, now_ns: int) -> bool:
        before, self._ladder = self._ladder, ladder
        if before is not None and (gone := set(before.prices) ^ set(ladder.prices)):
            left = sum(price in before for price in gone)
            self._news = f"{left} prices left, {len(gone) - left} came"
        wrongly = sum(count for price, count in self._off_ladder.items() if price in ladder)
        self._off_ladder.clear()
        return any(self._breakers.refused("invalid_price", now_ns) for _ in range(wrongly))

    def filled(self, facts: Iterable[Fact], now_ns: int) -> None:
        for fact in facts:
            if isinstance(fact, FillCounted):
                order = self._parts.ledger.order(fact.external_id)
                assert order is not None, f"{fact.external_id}: a fill without an order"
                self._breakers.filled(order.event_id, fact.stake_cents, now_ns)

    def _day(self, now_ns: int, facts: list[Fact]) -> None:
        accounting = self._parts.ledger.accounting
        day = accounting.day
        day.look(accounting.books.realised_cents, now_ns)
        if not day.exceeded or self._parts.modes.halted:
            return
        why = f"{usd(day.cents)} of {usd(day.allowed_cents)} USD were lost today"
        self._parts.modes.halted = f"cash loss: {why}"
        facts.append(Alarm("cash loss", why, page=True))

    def _edge(self, now_ns: int, facts: list[Fact]) -> None:
        self._marking.look(now_ns)
        edge, modes = self._parts.ledger.edge, self._parts.modes
        before, modes.reducing = modes.reducing, ""
        if edge.reduce_only:
            of = edge.halt_cents if edge.halts else edge.day.allowed_cents
            why = f"{usd(edge.worst_cents)} of {usd(of)} USD of edge were lost today"
            modes.reducing = before or f"edge loss: {why}"
            if not before:
                facts.append(Alarm("edge loss: reducing only", why))
            if edge.halts and not modes.halted:
                modes.halted = f"edge loss: {why}"
                facts.append(Alarm("edge loss", why, page=True))
        self._parts.wishes.only_reducing = bool(modes.reducing)

    def look(self, now_ns: int, facts: list[Fact]) -> set[LineId]:
        """Whom to look at: lines of sport events that are pulled, or not any more, since now."""
        modes, state = self._parts.modes, self._parts.state
        if self._news:
            facts.append(Alarm("price ladder changed", self._news))
            self._news = ""
        self._day(now_ns, facts)
        self._edge(now_ns, facts)
        cooling = self._breakers.cool_offs.cooling(now_ns)
        whole = cooling.pop(None, None)
        modes.tripped = whole.why if whole else ""
        before, modes.pulled = (
            modes.pulled,
            {event_id: off.why for event_id, off in cooling.items() if event_id is not None},
        )
        changed = before.keys() ^ modes.pulled.keys()
        for event_id in sorted(changed):
            went = ("CANCEL_ONLY", "ENABLED") if event_id in before else ("ENABLED", "CANCEL_ONLY")
            why = modes.pulled.get(event_id, "cooled off")
            facts.append(ModeChanged(str(event_id), *went, why))
        return {line for event_id in changed for line in state.lines_of_event.get(event_id, ())}
