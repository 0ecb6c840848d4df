"""What we know of the market now: listing, ladder, books, fair values, and how fresh they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from mmbot.domain.book import Book, Level
from mmbot.domain.catalog import Line, SportEvent
from mmbot.domain.events import (
    BookUpdated,
    CatalogSeeded,
    FairUpdated,
    FixtureTold,
    LadderLoaded,
    MarketStatusChanged,
    OrderSeen,
    PlaceRefused,
    SourceStateChanged,
    SportEventChanged,
    SportEventsListed,
    SportEventUnlisted,
    StreamStateChanged,
)
from mmbot.domain.facts import Alarm
from mmbot.domain.ids import ExternalId, LineId, SportEventId, StrikeId
from mmbot.domain.order import Order
from mmbot.domain.price import Ladder, Price
from mmbot.domain.view import Fair
from mmbot.engine.freshness import Freshness
from mmbot.engine.go_live import GoLive
from mmbot.engine.reopening import OPENED, Reopening
from mmbot.engine.self_match import Opposites

MarketEvent = (
    CatalogSeeded
    | LadderLoaded
    | SportEventChanged
    | SportEventUnlisted
    | SportEventsListed
    | MarketStatusChanged
    | BookUpdated
    | FairUpdated
    | FixtureTold
    | SourceStateChanged
    | StreamStateChanged
)
ACTIVE = "active"
Dirty = set[LineId]
OrderOf = Callable[[ExternalId], Order | None]
Stakes = dict[Price, list[int]]  # of our orders at each price


class MarketState:
    """Mutable, owned by the engine alone; every change names the lines that it touches."""

    def __init__(self) -> None:
        self.ladder: Ladder | None = None
        self.events: dict[SportEventId, SportEvent] = {}
        self.lines: dict[LineId, Line] = {}
        self.line_of: dict[StrikeId, LineId] = {}
        self.lines_of_event: dict[SportEventId, list[LineId]] = {}
        self.private_up = False
        self.public_up_since_ns = 0  # 0 = down
        self.listed = False  # a listing has come since our start
        self.fresh = Freshness()
        self.go_live = GoLive()
        self.opposites = Opposites()
        self._reopening = Reopening()
        self._books: dict[LineId, Book] = {}
        self._competing: dict[LineId, tuple[Book, tuple[Order, ...], Book]] = {}  # last asked for
        self._fairs: dict[LineId, dict[str, Fair]] = {}
        self._sick_sources: set[str] = set()

    # --- input -------------------------------------------------------------------------------

    def apply(self, event: MarketEvent, now_ns: int) -> Dirty:
        """Take one event; returns the lines whose view changed."""
        match event:
            case CatalogSeeded():
                return self._seed(event, now_ns)
            case LadderLoaded(ladder):
                self.ladder = ladder
                return set(self.lines)
            case SportEventChanged(fixture):
                return self._changed(fixture, now_ns)
            case SportEventUnlisted(event_id):
                return self._unlisted(event_id, now_ns)
            case SportEventsListed(listed, whole):
                for fixture in listed:
                    if fixture.event_id in self.events:
                        self._changed(fixture, now_ns)
                for event_id in self.events.keys() - {one.event_id for one in listed}:
                    self._unlisted(event_id, now_ns)
                self.fresh.sport_events_listed(whole)
                return set(self.lines)
            case FixtureTold(event_id):
                self.go_live.told(event)
                return self._lines_of(event_id)
            case MarketStatusChanged():
                return self._market_status(event, now_ns)
            case BookUpdated(book, asked_ns):
                line = self.lines.get(book.line_id)
                if line is None:
                    return set()
                if asked_ns:
                    self.fresh.read(line, book, asked_ns, now_ns)
                else:
                    self.fresh.streamed(line, book)
                self._books[book.line_id] = book
                return {book.line_id}
            case FairUpdated():
                return self._fair(event)
            case SourceStateChanged(source, healthy):
                (self._sick_sources.discard if healthy else self._sick_sources.add)(source)
                return {line for line, fairs in self._fairs.items() if source in fairs}
            case StreamStateChanged(private, public):
                self.private_up = private
                if not public:
                    self.public_up_since_ns = 0
                elif self.public_up_since_ns == 0:
                    self.public_up_since_ns = now_ns
                return set(self.lines)
            case _:
                assert_never(event)

    def perhaps_started(
        self, event: OrderSeen | PlaceRefused, order: OrderOf, now_ns: int
    ) -> Dirty:
        """What the exchange did to an order may say that its sport event has begun."""
        match event:
            case OrderSeen(report, "stream") if report.status == "wiped":
                # Of messages; a read may show an order that was wiped long ago.
                self.go_live.doubt(report.event_id, "its orders were wiped", now_ns)
                return self._lines_of(report.event_id)
            case PlaceRefused(ident, "event_not_available") if (asked := order(ident)) is not None:
                line = self.lines.get(asked.line_id)
                if line is not None and line.status == ACTIVE:
                    self.go_live.refused(asked.event_id, asked.market_id, now_ns)
                    return self._lines_of(asked.event_id)
            case _:
                pass
        return set()

    def price_refused(self, price: Price) -> None:
        """It is off the ladder until that is read anew: no other line need be refused it, too."""
        if self.ladder is not None:
            self.ladder = self.ladder.without(price)

    def doubtful_starts(self, now_ns: int) -> list[Alarm]:
        """Sport events of which the exchange should say anew whether they have begun."""
        return self.go_live.ask(self.events, now_ns)

    def event(self, event_id: SportEventId, now_ns: int) -> SportEvent | None:
        """As all clocks see it now; `events` has what the exchange says."""
        listed = self.events.get(event_id)
        return None if listed is None else self.go_live.judged(listed, now_ns)

    def line(self, line_id: LineId, now_ns: int) -> Line | None:
        """As it may be traded now; `lines` has what the exchange says."""
        line = self.lines.get(line_id)
        held = line is not None and self._reopening.holds(line_id, now_ns)
        return replace(line, status=OPENED) if line is not None and held else line

    def _changed(self, fixture: SportEvent, now_ns: int) -> Dirty:
        self.events[fixture.event_id] = self._completed(fixture)
        self.go_live.heard(fixture, now_ns)
        return self._lines_of(fixture.event_id)

    def _unlisted(self, event_id: SportEventId, now_ns: int) -> Dirty:
        self.events.pop(event_id, None)
        self.go_live.unlisted((event_id,), now_ns)
        return self._lines_of(event_id)

    def _lines_of(self, event_id: SportEventId) -> Dirty:
        return set(self.lines_of_event.get(event_id, ()))

    def _completed(self, changed: SportEvent) -> SportEvent:
        """What a message leaves out stays: limits may be set for a sport or a tournament."""
        known = self.events.get(changed.event_id, changed)
        return replace(
            changed,
            tournament_id=changed.tournament_id or known.tournament_id,
            sport_name=changed.sport_name or known.sport_name,
        )

    def _seed(self, event: CatalogSeeded, now_ns: int) -> Dirty:
        catalog = event.catalog
        self.listed = True
        gone = set(self.lines) - set(catalog.lines)
        self.go_live.unlisted(self.events.keys() - catalog.events.keys(), now_ns)
        self.go_live.listed(catalog.events)
        self.opposites.listed(catalog.lines.values())
        self._reopening.listed(catalog.lines)
        self.events = dict(catalog.events)
        for fixture in self.events.values():
            self.go_live.heard(fixture, now_ns)
        # A line that is gone stays known, closed: our orders may still rest on it.
        kept = {line: replace(self.lines[line], status="unlisted") for line in gone}
        self.lines = {**kept, **catalog.lines}
        self.line_of.update(catalog.line_of)
        self.lines_of_event = {}
        for line in self.lines.values():
            self.lines_of_event.setdefault(line.event_id, []).append(line.line_id)
        self.fresh.listed(self.lines)
        return set(self.lines)

    def _market_status(self, event: MarketStatusChanged, now_ns: int) -> Dirty:
        status = "deleted" if event.deleted else event.status
        touched: Dirty = set()
        for line_id in self.lines_of_event.get(event.event_id, ()):
            line = self.lines[line_id]
            strikes = {strike.strike_id for strike in line.strikes}
            if line.market_id == event.market_id and (
                event.strike_id is None or event.strike_id in strikes
            ):
                if line.status != status == ACTIVE:
                    self._reopening.opened(line_id, now_ns)
                self.lines[line_id] = replace(line, status=status)
                touched.add(line_id)
        if status != ACTIVE:
            self.go_live.suspended(event.event_id, event.market_id, now_ns)
            touched |= self._lines_of(event.event_id)
        return touched

    def _fair(self, event: FairUpdated) -> Dirty:
        line_id = self.line_of.get(event.strike_id)
        if line_id is None:
            return set()
        side = self.lines[line_id].side_of(event.strike_id)
        prob = event.prob if side == 0 else 1 - event.prob
        event_id = self.lines[line_id].event_id
        jumped = self.go_live.moved(self.events.get(event_id), event)
        fair = Fair(prob, event.sd_logit, event.source, event.source_ns, event.received_ns)
        self._fairs.setdefault(line_id, {})[event.source] = fair
        return self._lines_of(event_id) if jumped else {line_id}

    def distrust_books(self, now_ns: int) -> None:
        """After a gap in our own time: every book is old until it is read again."""
        if self.public_up_since_ns:
            self.public_up_since_ns = now_ns

    # --- views -------------------------------------------------------------------------------

    def line_with(self, strike_id: StrikeId) -> Line | None:
        line_id = self.line_of.get(strike_id)
        return None if line_id is None else self.lines[line_id]

    def book(self, line_id: LineId) -> Book:
        return self._books.get(line_id) or Book(line_id)

    def fairs(self, line_id: LineId) -> tuple[Fair, ...]:
        """One per healthy source, stated for side 0."""
        known = self._fairs.get(line_id, {})
        return tuple(fair for name, fair in known.items() if name not in self._sick_sources)

    def fair_age_ns(self, line_id: LineId, now_ns: int) -> int | None:
        """Age of the freshest fair value by our own clock; None without any."""
        fairs = self.fairs(line_id)
        return now_ns - max(fair.received_ns for fair in fairs) if fairs else None

    def book_age_ns(self, line_id: LineId, now_ns: int) -> int | None:
        """Age of the book; None when never seen.

        A quiet book on a live stream is not old (fault E2): messages come on change only. An
        image from before the present connection ages from the moment it came, and so does the
        image of a prop, whose channel is not asked for: only REST shows it.
        """
        book = self._books.get(line_id)
        if book is None:
            return None
        since = self.public_up_since_ns
        if since and book.received_ns >= since and not self.lines[line_id].is_prop:
            return 0
        return now_ns - book.received_ns

    def competing(self, line: Line, own: tuple[Order, ...]) -> Book:
        """The book without our own orders; what is only ours is no information."""
        book = self.book(line.line_id)
        if not own:
            return book
        known = self._competing.get(line.line_id)
        if known is not None and known[0] is book and known[1] is own:
            return known[2]
        rest = self._without(book, own)
        self._competing[line.line_id] = (book, own, rest)
        return rest

    @staticmethod
    def _without(book: Book, own: tuple[Order, ...]) -> Book:
        ours: tuple[Stakes, Stakes] = ({}, {})
        for order in own:
            ours[order.side].setdefault(order.price, []).append(order.remaining_cents)
        first, second = book.levels
        return replace(book, levels=(_less(first, ours[0]), _less(second, ours[1])))


STAKE_ESTIMATE_SLACK_CENTS = 2  # a level's stake is value * b, rounded twice on its way here


def _slack_cents(price: Price, orders: int) -> int:
    """The exchange rounds each `value` to the cent; a steep price makes more of half a cent."""
    steepness = -price if price < 0 else 0
    return STAKE_ESTIMATE_SLACK_CENTS + steepness * orders // 200


def _less(levels: tuple[Level, ...], ours: Stakes) -> tuple[Level, ...]:
    if not ours:
        return levels
    rest = []
    for level in levels:
        own = ours.get(level.price, ())
        stake = level.stake_cents - sum(own)
        if not own:
            rest.append(level)
        elif stake > _slack_cents(level.price, len(own)):
            rest.append(Level(level.price, stake))
    return tuple(rest)
