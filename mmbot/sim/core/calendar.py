"""Moves of events, markets and lines: listed, moved, live, over, suspended, and what they wipe."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from mmbot.sim.core import messages
from mmbot.sim.core.activation import MS
from mmbot.sim.core.lifecycle import Line, LineSpec, SportEvent
from mmbot.sim.core.orders import Order

if TYPE_CHECKING:
    from mmbot.sim.core.exchange import Exchange


class Calendar:
    """The venue's own hand on its programme; every move is told on the public channel."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def list_event(self, event: SportEvent, specs: Iterable[LineSpec], now_ns: int) -> SportEvent:
        """A new event; created but unlisted events are told to nobody."""
        event.updated_ns = now_ns
        event.live_disabled &= not self._exchange.rules.life.in_play
        self._exchange.listing.add_event(event, specs)
        if event.listed:
            bulletin = self._exchange.bulletin
            sequence = bulletin.sequence(now_ns)
            bulletin.put(messages.tournament_message(event.tournament, now_ns, sequence))
            self._announce(event, now_ns, op="c")
            self._announce_strikes(event.lines, "active", now_ns, op="c")
        self.follow_clock(event)
        return event

    def unlist(self, event: SportEvent, now_ns: int) -> None:
        """The event leaves the lists; its ids stay known and take no orders."""
        event.listed, event.updated_ns = False, now_ns
        sequence = self._exchange.bulletin.sequence(now_ns)
        self._exchange.bulletin.put(messages.event_removed(event, now_ns, sequence))
        if self._exchange.rules.life.unlisting_wipes:
            self.wipe(event, now_ns)

    def relist(self, event: SportEvent, now_ns: int, new_id: int = 0) -> SportEvent:
        """The event is back; a new id makes all strike ids new and leaves old orders behind."""
        if new_id and new_id != event.event_id:
            if new_id in self._exchange.listing.events:
                raise ValueError(f"event {new_id} is listed already")
            if event.listed:
                self.unlist(event, now_ns)
            self.wipe(event, now_ns)
            event = self._exchange.listing.reissue(event, new_id, now_ns)
            self.follow_clock(event)
        event.listed, event.updated_ns = True, now_ns
        self._announce(event, now_ns)
        self._announce_markets(event, now_ns)
        return event

    def move_start(self, event: SportEvent, start_ns: int, now_ns: int) -> None:
        """The game begins at another time; orders rest as before."""
        event.start_ns, event.updated_ns = start_ns, now_ns
        self._announce(event, now_ns)
        self.follow_clock(event)

    def follow_clock(self, event: SportEvent) -> None:
        """Go live at the start, unless it has been moved by then."""
        if self._exchange.rules.life.start == "on_time":
            self._exchange.schedule(event.start_ns, partial(self._start_due, event, event.start_ns))

    def _start_due(self, event: SportEvent, planned_ns: int, now_ns: int) -> None:
        current = self._exchange.listing.events.get(event.event_id) is event
        on_time = self._exchange.rules.life.start == "on_time"
        unmoved = event.status == "not_started" and event.start_ns == planned_ns
        if current and on_time and unmoved:
            self.go_live(event, now_ns)

    def go_live(self, event: SportEvent, now_ns: int) -> None:
        """The game runs: whatever rested before the start is wiped."""
        self._change(event, "live", now_ns)

    def end(self, event: SportEvent, now_ns: int) -> None:
        """The game is over; nothing rests any more."""
        self._change(event, "finished", now_ns)

    def set_status(self, event: SportEvent, status: str, now_ns: int) -> None:
        """Any other word: postponed, cancelled, or not_started again when a game is resumed."""
        self._change(event, status, now_ns)

    def _change(self, event: SportEvent, status: str, now_ns: int) -> None:
        event.status, event.updated_ns = status, now_ns
        self._announce(event, now_ns)
        self._announce_markets(event, now_ns)
        if status != "not_started":
            self.wipe(event, now_ns)

    def suspend(self, event: SportEvent, now_ns: int, *, on: bool, market_id: int = 0) -> None:
        """Markets take no orders for now; what rests stays and does not trade, or goes by rule."""
        event.updated_ns = now_ns
        if market_id and on:
            event.suspended_markets.add(market_id)
        elif market_id:
            event.suspended_markets.discard(market_id)
        else:
            event.suspended = on
        self._announce_markets(event, now_ns, market_id)
        if on and self._exchange.rules.life.suspending_wipes:
            self.wipe(event, now_ns, lambda line: market_id in (0, line.market_id))

    def move_line(self, line: Line, number: float, now_ns: int) -> Line:
        """The market moves to another number: the old strike ids become invalid."""
        if not self._exchange.listing.is_current(line):
            raise ValueError(f"{line.name} is not listed any more")
        moved = self._exchange.listing.move_line(line, number)
        self._exchange.listing.events[line.event_id].updated_ns = now_ns
        self._announce_strikes([line], "inactive", now_ns, op="d")
        self._announce_strikes([moved], "active", now_ns, op="c")
        if self._exchange.rules.life.line_move == "wipe":
            event = self._exchange.listing.events[line.event_id]
            self.wipe(event, now_ns, lambda one: one is line)
        return moved

    def wipe(self, event: SportEvent, now_ns: int, of: Callable[[Line], bool] | None = None) -> int:
        """Remove what rests on an event; each order is told, in batches, or not at all."""
        life = self._exchange.rules.life
        orders = [
            order
            for account in self._exchange.accounts.values()
            for order in account.alive.values()
            if order.line.event_id == event.event_id and (of is None or of(order.line))
        ]
        if life.wiped_messages == "each":
            return self._exchange.cancel_all(orders, now_ns, "wiped")
        for number, order in enumerate(orders):
            self._exchange.cancel(order, now_ns, "wiped", silent=True)
            if life.wiped_messages == "batches" and not order.account.internal:
                batch = number // life.wiped_batch_orders + 1
                due = now_ns + batch * life.wiped_batch_ms * MS
                self._exchange.schedule(due, partial(self._tell, order))
        return len(orders)

    def _tell(self, order: Order, now_ns: int) -> None:
        self._exchange.bulletin.tell(order, 0, now_ns)

    def _announce(self, event: SportEvent, now_ns: int, *, op: str = "u") -> None:
        sequence = self._exchange.bulletin.sequence(now_ns)
        self._exchange.bulletin.put(messages.event_message(event, now_ns, sequence, op))

    def _announce_markets(self, event: SportEvent, now_ns: int, market_id: int = 0) -> None:
        for one in dict.fromkeys(line.market_id for line in event.lines):
            if market_id in (0, one):
                sequence = self._exchange.bulletin.sequence(now_ns)
                status = event.status_of(one)
                message = messages.market_message(event, one, status, now_ns, sequence)
                self._exchange.bulletin.put(message)

    def _announce_strikes(
        self, lines: Iterable[Line], status: str, now_ns: int, *, op: str
    ) -> None:
        for line in lines:
            for strike in line.strikes:
                event = self._exchange.listing.events[line.event_id]
                news = (now_ns, self._exchange.bulletin.sequence(now_ns))
                message = messages.strike_message(event, (line, strike), status, news, op)
                self._exchange.bulletin.put(message)
