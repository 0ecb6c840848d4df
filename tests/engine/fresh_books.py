"""One line and its freshness, as seconds go by; and what an engine does of it."""

from __future__ import annotations

from dataclasses import replace

from mmbot.domain.book import Book, Level
from mmbot.domain.catalog import SportEvent
from mmbot.domain.commands import CancelOrders
from mmbot.domain.events import BookUpdated, Event
from mmbot.domain.ids import SportEventId
from mmbot.domain.price import Price
from mmbot.engine.freshness import Freshness
from tests.engine.desk import Desk
from tests.engine.situations import EVENT, LINE, S

ONE = EVENT.event_id


class Books:
    """One line of one sport event; seconds go by as a test says."""

    def __init__(self) -> None:
        self.fresh = Freshness()
        self.now_ns = 1_000 * S
        self.fresh.listed({LINE.line_id: LINE})
        self._live_since_ns: dict[str, int] = {}

    def wait(self, seconds: float) -> Books:
        self.now_ns += round(seconds * S)
        self.fresh.tick(self.now_ns)
        return self

    def up(self, connection: str = "stream-1") -> Books:
        """That connection leads: a new one, or one that was there before."""
        since_ns = self._live_since_ns.setdefault(connection, self.now_ns)
        self.fresh.hears(True)
        self.fresh.stream(True, since_ns, [ONE], self.now_ns)
        return self.games_listed()

    def games_listed(self, whole: bool = True) -> Books:
        """As in SportEventsListed."""
        self.fresh.sport_events_listed(whole)
        return self

    def down(self) -> Books:
        self.fresh.hears(False)
        self.fresh.stream(False, 0, [ONE], self.now_ns)
        return self

    def streamed(self, price: int = 105) -> Books:
        self.fresh.streamed(LINE, self.book(price))
        return self

    def read(self, price: int = 105, asked_s_ago: float = 0.1) -> Books:
        asked_ns = self.now_ns - round(asked_s_ago * S)
        self.fresh.read(LINE, self.book(price), asked_ns, self.now_ns)
        self.fresh.tick(self.now_ns)
        return self

    def book(self, price: int) -> Book:
        return Book(LINE.line_id, ((Level(Price(price), 500),), ()), self.now_ns)

    def mute(self) -> Books:
        """REST has shown another price, and the stream never did."""
        return self.up().streamed(105).wait(60).read(110).wait(1)

    def polled(self) -> Books:
        """Its channel is mute, and reads agree."""
        return self.mute().wait(3).read(110)

    @property
    def why(self) -> str:
        return self.fresh.why_stale(LINE, self.now_ns)


def events(count: int) -> dict[SportEventId, SportEvent]:
    ids = map(SportEventId, range(1, count + 1))
    return {one: replace(EVENT, event_id=one) for one in ids}


def cancelled(desk: Desk, *happened: Event, after_s: float = 0.0) -> int:
    effects = desk.wait(after_s, *happened)
    return sum(len(one.refs) for one in effects.commands if isinstance(one, CancelOrders))


def a_read(desk: Desk, price: int | None = None) -> BookUpdated:
    levels = ((Level(Price(price), 500),) if price else (), ())
    return BookUpdated(Book(LINE.line_id, levels, desk.now_ns), asked_ns=desk.now_ns)
