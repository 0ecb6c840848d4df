"""The stream as a service: as many sockets as the wish needs, each replaced before it is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, assert_never

from mmbot.domain.errors import SetUpError, Stop
from mmbot.domain.events import Event, SportEventUnlisted, StreamStateChanged
from mmbot.domain.ids import SportEventId
from mmbot.exchange.channels import Limits, Room, Topic, Worth, plan
from mmbot.exchange.lane import Lane, LaneSettings
from mmbot.exchange.link import Ended, Link, LinkPorts
from mmbot.exchange.listing import Wish
from mmbot.exchange.tellers import Tellers
from mmbot.exchange.token_bond import TokenBond
from mmbot.exchange.whereabouts import Whereabouts

NS_PER_S: Final = 1_000_000_000
CLOCK_LOOK_S: Final = 5.0
CHANNELS_MAX: Final = 10_000  # of one socket, whatever an answer says


@dataclass(frozen=True, slots=True)
class FeedSettings:
    config_poll_s: float = 1_800.0
    renew_every_s: float = 300.0  # each registration costs the exchange seconds
    ask_again_s: float = 120.0  # for channels that were not granted or had no room
    channels_max: int = 400  # of one socket, until an answer tells its own figure
    sockets_max: int = 4
    lane: LaneSettings = field(default_factory=LaneSettings)


@dataclass(frozen=True, slots=True)
class _Live:
    link: Link


@dataclass(frozen=True, slots=True)
class _Over:
    lane: Lane
    link: Link | None
    number: int
    ended: Ended


@dataclass(frozen=True, slots=True)
class _WantsChange:
    pass


_News = _Live | _Over | _WantsChange


class Feed:
    """`watch(wish)` at any time; `run(emit)` and `poll_config()` are services.

    A lane is the place of one socket. Each carries the private and the main channel, too: what
    two sockets tell, the newest teller is believed in, and the private channel is up while one
    of them has it.
    """

    def __init__(
        self,
        ports: LinkPorts,
        settings: FeedSettings,
        draw: Callable[[], float],
        worth: Callable[[], Mapping[Topic, Worth]] = dict,
    ) -> None:
        """`draw` gives 0..1 for the jitter of delays; `worth` tells what is more than watched."""
        self.whereabouts = Whereabouts(ports.rest, settings.config_poll_s)
        self._ports = ports
        self._clock = ports.rest.clock
        self._notices = ports.notices
        self._settings = settings
        self._draw = draw
        self._worth = worth
        self._wish = Wish()
        limits = Limits(settings.channels_max, settings.sockets_max)
        self._room = Room(limits if ports.dialect.declarative else Limits(CHANNELS_MAX, 1))
        self._news: asyncio.Queue[_News] = asyncio.Queue()
        self._lanes: dict[int, Lane] = {}
        self._closing: list[Lane] = []  # given up once all others are what they shall be
        self._lead: Link | None = None  # the connection that the engine was told of
        self._missing: frozenset[SportEventId] = frozenset()  # nobody asks for their channels
        self._left_out = False  # by the plan: not every channel that is wanted has room
        self._renew_again_ns = 0
        self._asked_ns = self._clock.now_ns()  # again, for what was not granted
        self._bond = TokenBond(ports.rest)
        self._numbers = 0
        self._token_doubted = False
        self._tellers = Tellers()
        self._told: tuple[bool, bool, str, int] | None = None
        self._emit: Callable[[Event], None] = _nobody
        self._emitted: Callable[[], None] = _nothing

    @property
    def health_ns(self) -> int:
        """When a present connection last heard a health_check; 0 without one."""
        return max((link.health_ns for link in self._serving()), default=0)

    def watch(self, wish: Wish) -> None:
        """What the stream shall carry from now on."""
        if wish != self._wish:
            self._wish = wish
            self._news.put_nowait(_WantsChange())

    def renew(self) -> None:
        """The present connections seem to lose messages: others first, then leave them."""
        now_ns = self._clock.now_ns()
        if self._lead is None or now_ns < self._renew_again_ns:
            return
        self._renew_again_ns = now_ns + round(self._settings.renew_every_s * NS_PER_S)
        self._notices.count("stream_renewed", self._lead.name)
        for lane in self._lanes.values():
            lane.replace_link()
        self._news.put_nowait(_WantsChange())

    async def run(
        self, emit: Callable[[Event], None], emitted: Callable[[], None] | None = None
    ) -> None:
        """`emitted` is called when all that has come together was emitted."""
        self._emit, self._emitted = emit, emitted or _nothing
        try:
            async with asyncio.TaskGroup() as group:
                self._share_out(group)
                group.create_task(self._heed_the_clock(), name="clock of the stream")
                while True:
                    self._turn(await self._news.get(), group)
        except* (SetUpError, Stop) as errors:
            raise _first(errors) from None
        finally:
            self._lanes, self._closing = {}, []
            self._tell("the feed ended")

    def _turn(self, news: _News, group: asyncio.TaskGroup) -> None:
        delay_s = 0.0
        match news:
            case _WantsChange():
                pass
            case _Live(link):
                lane = self._lane_of(link)
                if lane is None or not link.live:
                    return
                lane.promote(link)
                self._learn(link)
                delay_s = self._settings.lane.pauses.first_s
                self._tell("")
            case _Over(lane, link, number, ended):
                self._tellers.ended(number)
                lane.over(link, number, ended)
                if link is not None and ended.code is not None:
                    self._bond.ended(link)
                self._tell(ended.reason)
            case _:
                assert_never(news)
        self._share_out(group, delay_s)
        self._leave_out()

    def _share_out(self, group: asyncio.TaskGroup, delay_s: float = 0.0) -> None:
        """Give each lane its part of the wish; what serves is changed one after the other."""
        ranked = self._wish.ranked
        alike = not self._wish.subtypes and len(ranked) <= self._room.limits.channels_max
        worth = {} if alike else self._worth()
        wanted = {
            topic: worth.get(topic, Worth.WATCHED)
            for topic in ranked
            if not topic.sub_type or topic in worth  # props are too many to watch for nothing
        }
        loads = [lane.load() for lane in self._lanes.values()]
        planned = plan(wanted, loads, self._room.limits)
        self._left_out = bool(planned.left_out)
        for share in planned.shares:
            lane = self._lanes.get(share.number)
            if lane is None:
                lane = self._lanes[share.number] = self._lane(share.number, group)
            lane.share = self._wish.part(share.topics)
            if share.renew:
                lane.replace_link()
        kept = {share.number for share in planned.shares}
        for number in self._lanes.keys() - kept:  # first: nobody waits for one that is given up
            lane = self._lanes.pop(number)
            lane.drain()
            self._closing.append(lane)
        for lane in self._lanes.values():
            if lane.current is None or not any(one.changing for one in self._lanes.values()):
                lane.look(delay_s)
        if all(lane.settled for lane in self._lanes.values()):
            for lane in self._closing:
                lane.close()
            self._closing = []

    async def _heed_the_clock(self) -> None:
        """Where sockets end with their tokens, each is replaced before; refusals are forgotten, and
        what was not granted is asked for again, as is the limit where it leaves something out."""
        while True:
            await self._clock.sleep(CLOCK_LOOK_S)
            now_ns = self._clock.now_ns()
            changed = self._room.forget(now_ns)
            if now_ns - self._asked_ns >= self._settings.ask_again_s * NS_PER_S:
                self._asked_ns, changed = now_ns, True
                limit = self._left_out and self._room.as_told
                for lane in self._lanes.values():
                    lane.ask_again(limit)
                    limit = limit and not lane.changing  # one answer is enough
            for lane in self._lanes.values():
                if lane.current is not None and self._bond.due(lane.current):
                    lane.replace_link()
                    changed = True
            if changed:
                self._news.put_nowait(_WantsChange())

    def _lane(self, number: int, group: asyncio.TaskGroup) -> Lane:
        return Lane(number, self, self._ports, self._settings.lane, self._draw, group)

    def _learn(self, link: Link) -> None:
        self._learn_limit(link)
        if link.refused:
            self._room.refused(link.refused, len(link.wish.topics), self._clock.now_ns())

    def _learn_limit(self, link: Link) -> None:
        if link.channels_max:
            self._room.told(link.channels_max)

    def _leave_out(self) -> None:
        """What no open channel carries is not traded: it counts as unlisted until one does."""
        if self._lead is None:
            return  # blind as a whole
        serving = self._serving()
        listing = self._ports.listing
        streamed = {
            topic.event_id for link in serving for topic in link.streamed if not topic.sub_type
        }
        before, unstreamed = listing.unstreamed, frozenset(self._wish.event_ids) - streamed
        listing.unstreamed = unstreamed
        self._alarm(unstreamed)
        for event_id in sorted(unstreamed - before):
            self._emit(SportEventUnlisted(event_id))
        if before - unstreamed:
            listing.want_reseed()

    async def poll_config(self) -> None:
        """Service: a changed key, cluster or host makes `run` move to a new connection."""
        await self.whereabouts.poll(lambda: self._news.put_nowait(_WantsChange()))

    def _alarm(self, unstreamed: frozenset[SportEventId]) -> None:
        """For what nobody is asking for; what was asked a moment ago may well be granted."""
        changing = (lane.share.event_ids for lane in self._lanes.values() if lane.changing)
        missing = unstreamed.difference(*changing)
        if missing - self._missing:
            self._notices.alarm("events_without_channel", f"{len(missing)} events")
        self._missing = missing

    # --- asked by lanes -------------------------------------------------------------------

    def next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def lane_ended(self, lane: Lane, link: Link | None, number: int, ended: Ended) -> None:
        self._news.put_nowait(_Over(lane, link, number, ended))

    # --- told by links --------------------------------------------------------------------

    def link_events(self, link: Link, events: Iterable[Event]) -> None:
        for event in events:
            if self._tellers.believed(event, link.number):
                self._emit(event)

    def link_quiet(self) -> None:
        self._emitted()

    def link_changed(self, link: Link) -> None:
        if link.live:
            self._tellers.opened(link.number)
        if any(link is lane.coming for lane in self._lanes.values()):
            if link.live:
                self._news.put_nowait(_Live(link))
        elif link in self._serving():
            blind = "" if link.private else "no health_check on the private channel"
            self._tell(link.ended.reason if link.ended else blind)
            if link.ended is None:
                self._leave_out()

    def link_extended(self, link: Link) -> None:
        self._learn_limit(link)
        self._news.put_nowait(_WantsChange())

    def _serving(self) -> list[Link]:
        lanes = (*self._lanes.values(), *self._closing)
        return [lane.current for lane in lanes if lane.current is not None]

    def _lane_of(self, link: Link) -> Lane | None:
        return next((lane for lane in self._lanes.values() if lane.coming is link), None)

    def _tell(self, reason: str) -> None:
        """Private is up while one link has it; the engine goes on with the one it knows.

        Up again is told when each lane has come or has failed once, so that not all but the
        first count as unlisted for the moment until they come.
        """
        if self._lead is None and any(lane.expected for lane in self._lanes.values()):
            return
        live = [link for link in self._serving() if link.live]
        private = [link for link in live if link.private]
        if self._lead not in private:
            self._lead = next(iter((*private, *live)), None)
        state = (False, False, "", 0)
        if self._lead is not None:
            public = all(link.public for link in live)
            state = (self._lead.private, public, self._lead.name, self._lead.live_since_ns)
        if state != self._told:
            self._told = state
            self._ports.listing.streams(state[0] and state[1], self._clock.now_ns())
            self._emit(StreamStateChanged(*state[:3], reason, state[3]))


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error inside, however deep: a caller wants it, not the groups around it."""
    found = errors.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


def _nobody(_: Event) -> None:
    """Before `run`."""


def _nothing() -> None:
    """Nobody waits for the end of a batch."""
