"""Seeding: what is listed, compared again and again, because the stream replays nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from mmbot.domain.catalog import Catalog, Line, SportEvent
from mmbot.domain.commands import MARKET_EVENTS_MAX
from mmbot.domain.errors import FindOut, TryAgain
from mmbot.domain.events import CatalogSeeded, Event, SportEventsListed
from mmbot.domain.ids import LineId, SportEventId, StrikeId
from mmbot.exchange import codec, wire
from mmbot.exchange.books import leaves
from mmbot.exchange.listing import Listing, Wish, wish_of
from mmbot.exchange.page import page
from mmbot.exchange.reads import ReadGateway
from mmbot.exchange.rest import Answer
from mmbot.exchange.routes import Route
from mmbot.runtime.limiter import Priority

OUTRIGHTS: Final = "outrights"


@dataclass(frozen=True, slots=True)
class CatalogSettings:
    tournament_ids: frozenset[int] = frozenset()  # empty: all
    event_ids: frozenset[int] = frozenset()  # empty: all
    events_max: int = 400
    reseed_s: float = 900.0  # the vendor asks for a comparison every 15 min
    # When the stream spoke of something unknown: for each request of markets, and at the most;
    # twice as long after each that found nothing new.
    reseed_first_s: float = 3.0
    reseed_gap_s: float = 30.0
    look_s: float = 0.25


@dataclass(frozen=True, slots=True)
class Seeding:
    """`events` begins with CatalogSeeded; books follow."""

    events: tuple[Event, ...]
    catalog: Catalog
    wish: Wish
    events_new: frozenset[SportEventId]
    events_gone: frozenset[SportEventId]
    lines_new: frozenset[LineId]
    lines_gone: frozenset[LineId]


class CatalogSeeder:
    """`seed_once()` for the start, `run(emit)` as a service."""

    def __init__(
        self,
        reads: ReadGateway,
        listing: Listing,
        settings: CatalogSettings,
        watch: Callable[[Wish], None],
    ) -> None:
        """`watch` is told what the stream shall carry, after each seeding."""
        self._reads = reads
        self._rest = reads.rest
        self._listing = listing
        self._settings = settings
        self._watch = watch
        self._notices = reads.notices
        self._seeded_ns: int | None = None
        self._tournament_names: dict[int, str] = {}
        self._gap_s = settings.reseed_first_s
        self._wished: frozenset[SportEventId] = frozenset()  # to be carried by the stream

    async def run(self, emit: Callable[[Event], None]) -> None:
        """Service: seed, unless that is done, then compare; a failure is retried and the old
        catalog kept."""
        clock, settings, listing = self._rest.clock, self._settings, self._listing
        while True:
            gap_s = self._gap_s if listing.reseed_wanted else settings.reseed_s
            try:
                if listing.missed and listing.streamed:
                    emit(await self.catch_up())
                elif _older(self._seeded_ns, clock.now_ns(), gap_s):
                    for event in (await self.seed_once()).events:
                        emit(event)
            except (TryAgain, FindOut) as error:
                self._notices.count("seeding_failed", str(error))
                if not listing.missed:  # else nothing is quoted until then
                    await clock.sleep(min(5.0, settings.reseed_gap_s))
            await clock.sleep(settings.look_s)

    async def catch_up(self) -> SportEventsListed:
        """Which games are still to come, by one request: the stream told it to nobody while it
        was away, and nothing is quoted until it is known. Raises TryAgain or FindOut."""
        listing = self._listing
        listing.missed = False
        try:
            events = await self._sport_events(self._tournament_names, Priority.STREAM)
        except (TryAgain, FindOut, wire.Unreadable) as error:
            listing.missed = True
            if isinstance(error, wire.Unreadable):
                raise TryAgain(f"a listing that cannot be read: {error}") from None
            raise
        listing.want_reseed()  # new games and lines can wait a little
        return SportEventsListed(tuple(events), whole=not listing.missed)

    async def seed_once(self) -> Seeding:
        """A complete seeding. Raises TryAgain or FindOut: then nothing changed."""
        # What the stream speaks of from now on may not be in the answers.
        listing = self._listing
        wanted, listing.reseed_wanted = listing.reseed_wanted, False
        asked_ns = self._rest.clock.now_ns()
        try:
            seeding = await self._seed()
        except (TryAgain, FindOut, wire.Unreadable) as error:
            listing.reseed_wanted |= wanted
            if isinstance(error, wire.Unreadable):
                raise TryAgain(f"a listing that cannot be read: {error}") from None
            raise
        listing.asked_ns = asked_ns
        wished = frozenset(seeding.wish.event_ids)
        found = seeding.events_new or seeding.lines_new or wished - self._wished
        first_s = self._settings.reseed_first_s * (1 + len(wished) // MARKET_EVENTS_MAX)
        gap_s = 2 * self._gap_s if wanted and not found else first_s
        self._gap_s = min(gap_s, self._settings.reseed_gap_s)
        self._wished, self._seeded_ns = wished, self._rest.clock.now_ns()
        return seeding

    async def _seed(self) -> Seeding:
        listing, former = self._listing, self._listing.catalog
        self._tournament_names = await self._tournaments()
        events = await self._sport_events(self._tournament_names, Priority.AUDIT)
        new: set[SportEventId] = set()  # wished for first, and listed when they have a channel
        if self._seeded_ns is not None:
            new = {event.event_id for event in events if event.pre_match} - self._wished
        absent = listing.unstreamed | new
        present = [event.event_id for event in events if event.event_id not in absent]
        answers = await self._markets(present)
        absent |= listing.unstreamed  # one may have lost its channel meanwhile
        traded = [event for event in events if event.event_id not in absent]
        lines = [line for line in self._lines(answers) if line.event_id not in absent]
        wish = wish_of(Catalog.of(events, lines))
        catalog = Catalog.of(traded, lines)
        listing.replace(catalog)
        listing.unstreamed |= new
        books = [
            book
            for answer, by_event in answers
            for event_id, raws in by_event.items()
            for book in self._reads.books_of(event_id, raws, answer)
        ]
        self._watch(wish)
        return Seeding(
            events=(CatalogSeeded(catalog), *books),
            catalog=catalog,
            wish=wish,
            events_new=frozenset(catalog.events.keys() - former.events.keys()),
            events_gone=frozenset(former.events.keys() - catalog.events.keys()),
            lines_new=frozenset(catalog.lines.keys() - former.lines.keys()),
            lines_gone=frozenset(former.lines.keys() - catalog.lines.keys()),
        )

    async def _tournaments(self) -> dict[int, str]:
        rows = await self._rows(
            self._rest.routes.tournaments, {"has_active_events": "true"}, "tournaments"
        )
        found: dict[int, str] = {}
        for row in rows:
            try:
                seen = wire.decode(row, wire.Tournament)
                found[int(seen.id or 0)] = seen.name or ""
            except ValueError as error:
                self._notices.count("tournament_unreadable", str(error))
        wanted = self._settings.tournament_ids
        for ident in sorted(wanted - found.keys()):
            self._notices.count("tournament_not_listed", str(ident))
        return {ident: name for ident, name in found.items() if not wanted or ident in wanted}

    async def _sport_events(
        self, tournaments: dict[int, str], priority: Priority
    ) -> list[SportEvent]:
        """One call lists all open events; with one tournament wanted, only its own."""
        query: dict[str, str | int] = {}
        if len(self._settings.tournament_ids) == 1:
            query["tournament_id"] = next(iter(self._settings.tournament_ids))
        rows = await self._rows(self._rest.routes.sport_events, query, "sport_events", priority)
        found: dict[SportEventId, SportEvent] = {}
        ignored: set[SportEventId] = set()
        for row in rows:
            try:
                seen = wire.decode(row, wire.SportEvent)
                event = codec.sport_event(seen)
            except ValueError as error:
                self._notices.count("sport_event_unreadable", str(error))
                continue
            if seen.sub_type == OUTRIGHTS or not self._is_wanted(event, tournaments):
                ignored.add(event.event_id)
            else:
                found[event.event_id] = event
                if not event.pre_match:  # in play or over, as far as anyone knows (15.33)
                    self._notices.count(f"event_status:{event.status}", event.name)
        nearest = sorted(found.values(), key=lambda one: (one.start_ns, one.event_id))
        if len(nearest) > self._settings.events_max:
            self._notices.alarm("events_max", f"{len(nearest)} events are listed")
        del nearest[self._settings.events_max :]
        ignored.update(found.keys() - {event.event_id for event in nearest})
        self._listing.ignored = frozenset(ignored)
        return nearest

    def _is_wanted(self, event: SportEvent, tournaments: dict[int, str]) -> bool:
        settings = self._settings
        if settings.event_ids and event.event_id not in settings.event_ids:
            return False
        return not settings.tournament_ids or event.tournament_id in tournaments

    async def _markets(
        self, event_ids: list[SportEventId]
    ) -> list[tuple[Answer, dict[SportEventId, list[wire.Raw]]]]:
        return [
            await self._reads.markets_of(event_ids[start : start + MARKET_EVENTS_MAX])
            for start in range(0, len(event_ids), MARKET_EVENTS_MAX)
        ]

    def _lines(
        self, answers: Iterable[tuple[Answer, dict[SportEventId, list[wire.Raw]]]]
    ) -> list[Line]:
        """Two-outcome lines; a strike or a line id that occurs twice is refused, not guessed."""
        lines: dict[LineId, Line] = {}
        owners: dict[StrikeId, LineId] = {}
        for _, by_event in answers:
            for event_id, raws in by_event.items():
                for raw in raws:
                    for leaf in leaves(raw, event_id, self._notices):
                        line = leaf.line
                        if line.line_id in lines or any(
                            strike.strike_id in owners for strike in line.strikes
                        ):
                            if lines.get(line.line_id) != line:
                                self._notices.count("line_twice", line.line_id)
                            continue
                        if not line.sub_type:
                            self._notices.count("market_without_sub_type", line.market_name)
                        lines[line.line_id] = line
                        owners.update({s.strike_id: line.line_id for s in line.strikes})
        return list(lines.values())

    async def _rows(
        self,
        route: Route,
        query: dict[str, str | int],
        key: str,
        priority: Priority = Priority.AUDIT,
    ) -> list[wire.Raw]:
        answer = await page(self._rest, route, priority, query)
        if answer.refusal is not None:
            raise TryAgain(f"{route.name}: {answer.refusal.text}")
        return wire.rows_of(answer.body, key)


def _older(since_ns: int | None, now_ns: int, seconds: float) -> bool:
    return since_ns is None or now_ns - since_ns >= seconds * 1e9
