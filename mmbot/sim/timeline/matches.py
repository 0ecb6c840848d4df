"""Moves in the life of a game: listed, moved, live, over, settled, and settled otherwise."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

from mmbot.sim.core.lifecycle import NS, Line, SportEvent, event_id_of
from mmbot.sim.core.messages import Json
from mmbot.sim.core.orders import Refusal
from mmbot.sim.core.settlement import How
from mmbot.sim.games.fixtures import specs_of, tournament_of
from mmbot.sim.games.generated import Habits, generated_games
from mmbot.sim.games.props import prop_specs
from mmbot.sim.games.results import result_of
from mmbot.sim.market.options import EventOptions
from mmbot.sim.timeline import entries as wanted
from mmbot.sim.timeline.entries import Action

if TYPE_CHECKING:
    from mmbot.sim.box import Box

FIRST_NEW_GAME = 1001
RELISTED_ID_STEP = 9_000_000
NO_EVENT = Refusal(404, "sport_event_not_found", "no such event")
GAME_OVER = Refusal(400, "event_not_available", "the game is over, it cannot go live again")
GAME_ON = Refusal(400, "event_not_available", "the game has begun, or is over")
NO_LINE = Refusal(404, "data_not_found", "no such line")


class EventMoves:
    """Finds the event or line that is meant and tells the exchange's calendar or settlement."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._new_games = 0
        # a relisted game keeps its place, whatever its id
        self._places = list(box.exchange.listing.events)
        seed = box.options.seed
        self._games_rng = Random(f"{seed}:new games")
        self._results_rng = Random(f"{seed}:timeline results")
        self.doers: dict[type[Action], Callable[[Any, int], Json | Refusal]] = {
            wanted.Suspend: lambda action, at: self._suspend(action, at, on=True),
            wanted.Reopen: lambda action, at: self._suspend(action, at, on=False),
            wanted.GoLive: self._go_live,
            wanted.End: self._end,
            wanted.ListEvent: self._list,
            wanted.Unlist: self._unlist,
            wanted.Relist: self._relist,
            wanted.MoveStart: self._move_start,
            wanted.ChangeStatus: self._change_status,
            wanted.MoveLine: self._move_line,
            wanted.Settle: self._settle,
            wanted.Void: self._void,
            wanted.Push: self._push,
            wanted.Draw: self._draw,
            wanted.Reverse: self._reverse,
            wanted.Bust: self._bust,
        }

    def event(self, number: int) -> SportEvent | Refusal:
        """By place in the listing from 1, or by id."""
        events = self._box.exchange.listing.events
        if 1 <= number <= len(self._places):
            number = self._places[number - 1]
        return events.get(number, NO_EVENT)

    def _events(self, number: int) -> list[SportEvent] | Refusal:
        if number == 0:
            return list(self._box.exchange.listing.events.values())
        event = self.event(number)
        return event if isinstance(event, Refusal) else [event]

    def _lines(self, number: int, line: int) -> list[Line] | Refusal:
        event = self.event(number)
        if isinstance(event, Refusal):
            return event
        if line > len(event.lines):
            return NO_LINE
        return event.lines[line - 1 : line] if line else list(event.lines)

    # -- listing --------------------------------------------------------------------------

    def _suspend(
        self, action: wanted.Suspend | wanted.Reopen, now_ns: int, *, on: bool
    ) -> Json | Refusal:
        events = self._events(action.event)
        if isinstance(events, Refusal):
            return events
        for event in events:
            for market_id in _markets(event, action.market):  # 0 is all of them
                self._box.exchange.calendar.suspend(event, now_ns, on=on, market_id=market_id)
        return {"events": [event.event_id for event in events], "on": on}

    def _go_live(self, action: wanted.GoLive, now_ns: int) -> Json | Refusal:
        event = self.event(action.event)
        if isinstance(event, SportEvent) and event.status == "finished":
            return GAME_OVER
        return self._tell(action.event, self._box.exchange.calendar.go_live, now_ns)

    def _end(self, action: wanted.End, now_ns: int) -> Json | Refusal:
        return self._tell(action.event, self._box.exchange.calendar.end, now_ns)

    def _unlist(self, action: wanted.Unlist, now_ns: int) -> Json | Refusal:
        return self._tell(action.event, self._box.exchange.calendar.unlist, now_ns)

    def _tell(
        self, number: int, told: Callable[[SportEvent, int], object], now_ns: int
    ) -> Json | Refusal:
        event = self.event(number)
        if isinstance(event, Refusal):
            return event
        told(event, now_ns)
        return {"event_id": event.event_id, "status": event.status}

    def _list(self, action: wanted.ListEvent, now_ns: int) -> Json | Refusal:
        options = EventOptions(count=1, lines=action.lines, props=action.props)
        number = FIRST_NEW_GAME + self._new_games
        self._new_games += 1
        [game] = generated_games(options, Habits(), self._games_rng, number)
        event = SportEvent(
            event_id=event_id_of(game),
            game=game,
            tournament=tournament_of(game),
            start_ns=now_ns + round(action.start_after_s * NS),
            updated_ns=now_ns,
        )
        specs = specs_of(game) + prop_specs(game)
        self._box.exchange.calendar.list_event(event, specs, now_ns)
        self._places.append(event.event_id)
        return {"event_id": event.event_id, "lines": len(event.lines)}

    def _relist(self, action: wanted.Relist, now_ns: int) -> Json | Refusal:
        event = self.event(action.event)
        if isinstance(event, Refusal):
            return event
        new_id = event.event_id + RELISTED_ID_STEP if action.new_id else 0
        try:
            found = self._box.exchange.calendar.relist(event, now_ns, new_id=new_id)
        except ValueError as error:
            return Refusal(400, "invalid_param", str(error))
        if event.event_id in self._places:
            self._places[self._places.index(event.event_id)] = found.event_id
        return {"event_id": found.event_id}

    def _move_start(self, action: wanted.MoveStart, now_ns: int) -> Json | Refusal:
        event = self.event(action.event)
        if isinstance(event, Refusal):
            return event
        if action.in_s is None:
            start_ns = event.start_ns + round(action.by_s * NS)
        else:
            start_ns = now_ns + round(action.in_s * NS)
        self._box.exchange.calendar.move_start(event, start_ns, now_ns)
        return {"event_id": event.event_id, "start_ns": start_ns}

    def _change_status(self, action: wanted.ChangeStatus, now_ns: int) -> Json | Refusal:
        event = self.event(action.event)
        if isinstance(event, SportEvent) and event.status in ("live", "finished"):
            return GAME_ON
        set_status = self._box.exchange.calendar.set_status
        return self._tell(action.event, lambda one, at: set_status(one, action.status, at), now_ns)

    def _move_line(self, action: wanted.MoveLine, now_ns: int) -> Json | Refusal:
        lines = self._lines(action.event, action.line)
        if isinstance(lines, Refusal):
            return lines
        of_kind = [line for line in lines if line.kind == action.kind and not line.spec.label]
        line = next((line for line in of_kind if line.favourite), None) or next(iter(of_kind), None)
        if line is None:
            return NO_LINE
        try:
            moved = self._box.exchange.calendar.move_line(line, line.number + action.by, now_ns)
        except ValueError as error:
            return Refusal(400, "invalid_param", str(error))
        return {"number": moved.number, "strike_ids": [one.strike_id for one in moved.strikes]}

    # -- results --------------------------------------------------------------------------

    def _settle(self, action: wanted.Settle, now_ns: int) -> Json | Refusal:
        events = self._events(action.event)
        if isinstance(events, Refusal):
            return events
        for event in events:
            winners = result_of(event, self._results_rng).winners
            how: How = "manual" if action.by_hand else "automatic"
            self._box.exchange.settlement.settle(event, winners, now_ns, how=how)
        return {"events": [event.event_id for event in events]}

    def _void(self, action: wanted.Void, now_ns: int) -> Json | Refusal:
        return self._each(action, self._box.exchange.settlement.void, now_ns)

    def _push(self, action: wanted.Push, now_ns: int) -> Json | Refusal:
        return self._each(action, self._box.exchange.settlement.push, now_ns)

    def _draw(self, action: wanted.Draw, now_ns: int) -> Json | Refusal:
        return self._each(action, self._box.exchange.settlement.draw, now_ns)

    def _each(
        self,
        action: wanted.Void | wanted.Push | wanted.Draw,
        told: Callable[[Line, int], object],
        now_ns: int,
    ) -> Json | Refusal:
        lines = self._lines(action.event, action.line)
        if isinstance(lines, Refusal):
            return lines
        event = self.event(action.event)
        if not action.line and isinstance(event, SportEvent):
            lines += event.gone_lines  # those that moved to another number, too
        for line in lines:
            told(line, now_ns)
        return {"lines": len(lines)}

    def _reverse(self, action: wanted.Reverse, now_ns: int) -> Json | Refusal:
        return self._tell(action.event, self._box.exchange.settlement.reverse, now_ns)

    def _bust(self, action: wanted.Bust, now_ns: int) -> Json | Refusal:
        fills = [
            fill
            for account in self._box.exchange.accounts.values()
            for fill in account.fills
            if not account.internal and not fill.busted_ns
        ]
        fills.sort(key=lambda fill: fill.at_ns)
        newest = fills[-action.fills :]
        for fill in newest:
            self._box.exchange.settlement.bust(fill, now_ns)
        return {"fills": [fill.fill_id for fill in newest]}


def _markets(event: SportEvent, market: str) -> list[int]:
    """Ids of the markets of a kind or sub_type, each once; a single 0 when none is named."""
    found = [line.market_id for line in event.lines if market in (line.kind, line.sub_type)]
    return list(dict.fromkeys(found)) if market else [0]
