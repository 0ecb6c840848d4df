"""What the engine does about the freshness of books: reads, withdrawals, another connection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mmbot.domain.commands import ReadMarkets
from mmbot.domain.events import Event, ReadFailed, StreamStateChanged
from mmbot.domain.facts import Alarm
from mmbot.domain.ids import LineId
from mmbot.engine.state import MarketState

CHANNEL_MUTE: Final = "a channel is mute"  # whoever owns the stream renews it


class SpotAudit:
    def __init__(self, state: MarketState) -> None:
        self._state = state

    def stream(self, event: StreamStateChanged, now_ns: int) -> Iterator[ReadMarkets]:
        """The stream replays nothing, and no first image comes by it: read what it carries."""
        state = self._state
        state.fresh.hears(event.public and event.private)
        if state.fresh.stream(event.public, event.live_since_ns, state.events, now_ns):
            yield from self.read_all(now_ns)

    def read_all(self, now_ns: int) -> Iterator[ReadMarkets]:
        if events := tuple(self._state.events):
            self._state.fresh.ask_all(events, now_ns)
            yield ReadMarkets(events)

    def distrust(self, now_ns: int) -> Iterator[ReadMarkets]:
        """After a gap of our own: no book is believed until it was read."""
        self._state.distrust_books(now_ns)
        yield from self.read_all(now_ns)

    def look(self, now_ns: int) -> set[LineId]:
        """Lines whose books are stale from now on, or are believed again."""
        changed: set[LineId] = set()
        for event_id in self._state.fresh.tick(now_ns):
            changed.update(self._state.lines_of_event.get(event_id, ()))
        return changed

    def due(self, now_ns: int) -> Iterator[ReadMarkets]:
        if events := tuple(self._state.fresh.due(self._state.events, now_ns)):
            yield ReadMarkets(events)

    def hear(self, event: Event, now_ns: int) -> None:
        """A read that failed, for want of a session perhaps, is not waited out for a round."""
        if isinstance(event, ReadFailed) and event.what == "ReadMarkets":
            self._state.fresh.unanswered(now_ns)

    def alarms(self, now_ns: int) -> Iterator[Alarm]:
        fresh = self._state.fresh
        if fresh.wants_renewal(now_ns):
            yield Alarm(CHANNEL_MUTE, f"of sport events {sorted(fresh.silent)}")
