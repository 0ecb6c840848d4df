"""When nothing of a client's may rest: from a halt to the next word, and near a game's start.

A game is closed to quotes from its guard time (start less a margin), or from the moment at which
the exchange says that it starts so soon, or anything else than that it has not started.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mmbot.sim.core.lifecycle import SportEvent
from mmbot.sim.core.messages import Outgoing
from mmbot.sim.witness.stale import EVERYTHING, Outage

NS: Final = 1_000_000_000
MARGIN_NS: Final = 120 * NS  # design, market making 2.6: stop_before_start
OBEYED_NS: Final = 3 * NS  # after a halt nothing rests
STARTED_NS: Final = 40 * NS  # a start has read what rests, and left what it shall not trade
LEFT_NS: Final = 2 * NS  # a game, when its time has come


class Forbidden:
    """Hears of the exchange's moves; `over` is what was forbidden, and since when."""

    def __init__(self, events: dict[int, SportEvent], now_ns: int) -> None:
        self._events = events
        self._from_ns: dict[int, int] = {}
        self._over: list[Outage] = []
        self._halted_ns: int | None = None
        self._unwatched_ns: int | None = None
        self._look(events.values(), now_ns)

    def published(self, message: Outgoing) -> None:
        """A message of the exchange, whether a client hears it or not."""
        if message.change_type == "sport_event":
            event = self._events.get(int(str(message.payload["id"])))
            self._look(() if event is None else (event,), message.at_ns)

    def halted(self, now_ns: int) -> None:
        if self._halted_ns is None:
            self._halted_ns = now_ns

    def resumed(self, now_ns: int) -> None:
        if self._halted_ns is not None:
            self._over.append(Outage(EVERYTHING, self._halted_ns, now_ns, OBEYED_NS))
            self._halted_ns = None

    def watched(self, everything: bool, now_ns: int) -> None:
        """Whoever starts from now on shall trade everything, or nothing of what is listed."""
        if not everything:
            self._unwatched_ns = now_ns
        elif self._unwatched_ns is not None:
            self._over.append(Outage(EVERYTHING, self._unwatched_ns, now_ns, STARTED_NS))
            self._unwatched_ns = None

    def over(self, now_ns: int) -> list[Outage]:
        """All until now, as outages of what a quote rests on."""
        found = list(self._over)
        if self._halted_ns is not None:
            found.append(Outage(EVERYTHING, self._halted_ns, now_ns, OBEYED_NS))
        found += (self._closed(event, since, now_ns) for event, since in self._from_ns.items())
        return [one for one in found if one.judged_ns < one.until_ns]

    def _look(self, events: Iterable[SportEvent], now_ns: int) -> None:
        for event in events:
            waits = event.status == "not_started"
            closes_ns = max(now_ns, event.start_ns - MARGIN_NS) if waits else now_ns
            before_ns = self._from_ns.get(event.event_id, now_ns)
            if before_ns < now_ns:
                if closes_ns == now_ns:
                    continue  # it was closed, and still is
                self._over.append(self._closed(event.event_id, before_ns, now_ns))
            self._from_ns[event.event_id] = closes_ns

    def _closed(self, event_id: int, from_ns: int, until_ns: int) -> Outage:
        return Outage(str(event_id), from_ns, until_ns, LEFT_NS)
