"""The stream as a service: always one good connection, and a second one while it changes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, assert_never

from mmbot.domain.errors import FindOut, SetUpError, Stop, TryAgain
from mmbot.domain.events import BookUpdated, Event, SportEventUnlisted, StreamStateChanged
from mmbot.domain.ids import LineId, SportEventId
from mmbot.exchange import wire
from mmbot.exchange.link import Ended, Link, LinkPorts, LinkSettings
from mmbot.exchange.listing import Wish
from mmbot.exchange.pusher_states import CloseClass, close_class
from mmbot.runtime.limiter import Priority

NS_PER_S: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class FeedSettings:
    config_poll_s: float = 1_800.0
    config_retry_s: float = 60.0
    config_failures_alarm: int = 10
    overlap_s: float = 5.0  # the old connection goes on while the engine reconciles
    delay_first_s: float = 0.5
    delay_max_s: float = 30.0
    renew_every_s: float = 300.0  # each registration costs the exchange seconds
    healthy_after_s: float = 30.0  # live that long: delays start over
    link: LinkSettings = field(default_factory=LinkSettings)


@dataclass(frozen=True, slots=True)
class _Live:
    link: Link


@dataclass(frozen=True, slots=True)
class _Over:
    link: Link | None
    number: int
    ended: Ended


@dataclass(frozen=True, slots=True)
class _WantsChange:
    pass


_News = _Live | _Over | _WantsChange


class Feed:
    """`watch(wish)` at any time; `run(emit)` and `poll_config()` are services.

    Each turn is a fresh connection.
    """

    def __init__(self, ports: LinkPorts, settings: FeedSettings, draw: Callable[[], float]) -> None:
        """`draw` gives 0..1 for the jitter of delays."""
        self._ports = ports
        self._rest = ports.rest
        self._clock = ports.rest.clock
        self._notices = ports.notices
        self._settings = settings
        self._draw = draw
        self._wish = Wish()
        self._config: wire.ConnectionConfig | None = None
        self._news: asyncio.Queue[_News] = asyncio.Queue()
        self._current: Link | None = None
        self._coming: Link | None = None
        self._doubted: Link | None = None
        self._renew_again_ns = 0
        self._opening = 0  # number of the connection being opened, 0 = none
        self._opening_task: asyncio.Task[None] | None = None
        self._numbers = 0
        self._failures = 0  # in a row, with no connection left
        self._change_failures = 0  # in a row, of a second connection
        self._token_doubted = False
        self._image_from: dict[LineId, int] = {}
        self._told: tuple[bool, bool, str] | None = None
        self._emit: Callable[[Event], None] = _nobody
        self._emitted: Callable[[], None] = _nothing

    @property
    def health_ns(self) -> int:
        """When the present connection last heard a health_check; 0 without one."""
        return self._current.health_ns if self._current is not None else 0

    def watch(self, wish: Wish) -> None:
        """What the stream shall carry from now on."""
        if wish != self._wish:
            self._wish = wish
            self._news.put_nowait(_WantsChange())

    def renew(self) -> None:
        """The present connection seems to lose messages: another one first, then leave it."""
        now_ns = self._clock.now_ns()
        if self._current is None or now_ns < self._renew_again_ns:
            return
        self._renew_again_ns = now_ns + round(self._settings.renew_every_s * NS_PER_S)
        self._doubted = self._current
        self._notices.count("stream_renewed", self._current.name)
        self._news.put_nowait(_WantsChange())

    async def run(
        self, emit: Callable[[Event], None], emitted: Callable[[], None] | None = None
    ) -> None:
        """`emitted` is called when all that has come together was emitted."""
        self._emit, self._emitted = emit, emitted or _nothing
        try:
            async with asyncio.TaskGroup() as group:
                self._open(group, 0.0)
                while True:
                    self._turn(await self._news.get(), group)
        except* (SetUpError, Stop) as errors:
            raise _first(errors) from None
        finally:
            self._current = self._coming = None
            self._opening = 0
            self._tell("the feed ended")

    def _turn(self, news: _News, group: asyncio.TaskGroup) -> None:
        match news:
            case _WantsChange():
                if not self._opening and self._change_needed():
                    self._open(group, 0.0)
            case _Live(link):
                self._promote(link, group)
            case _Over(link, number, ended):
                self._over(link, number, ended, group)
            case _:
                assert_never(news)

    def _change_needed(self) -> bool:
        """Less to watch is no reason for a new connection; more, or another host, is."""
        link = self._current
        if link is None:
            return True
        if link is self._doubted or (self._config is not None and self._config != link.config):
            return True
        return not self._ports.dialect.covers(link.wish, self._wish)

    def _open(self, group: asyncio.TaskGroup, delay_s: float) -> None:
        self._numbers += 1
        self._opening = self._numbers
        self._opening_task = group.create_task(
            self._link(self._numbers, delay_s), name=f"stream-{self._numbers}"
        )

    async def _link(self, number: int, delay_s: float) -> None:
        """One connection from its delay to its end."""
        link: Link | None = None
        try:
            if delay_s:
                await self._clock.sleep(delay_s)
            if self._token_doubted:
                self._token_doubted = False
                await self._renew_token()
            if self._config is None:
                self._config = await self._fetch_config()
            link = Link(number, self._config, self._wish, self._ports, self, self._settings.link)
            if self._opening == number:
                self._coming = link
            ended = await link.run()
        except (TryAgain, FindOut, wire.Unreadable) as error:
            ended = Ended(str(error))
        self._news.put_nowait(_Over(link, number, ended))

    async def _renew_token(self) -> None:
        """Another token, unless the session has just made one."""
        session = self._rest.session
        used = await session.token()
        with contextlib.suppress(TryAgain):
            await session.renewed(used)

    def _promote(self, link: Link, group: asyncio.TaskGroup) -> None:
        if link is not self._coming or not link.live:
            return
        old, self._current, self._coming, self._opening = self._current, link, None, 0
        self._change_failures = 0
        self._leave_out(link.unstreamed)
        self._tell("")
        if old is not None:
            group.create_task(self._retire(old), name=f"retire {old.name}")
        if self._change_needed():
            self._open(group, self._settings.delay_first_s)

    def _leave_out(self, unstreamed: frozenset[SportEventId]) -> None:
        """What has no channel is not traded: it counts as unlisted until it has one (E8 E9)."""
        listing = self._ports.listing
        before, listing.unstreamed = listing.unstreamed, unstreamed
        if unstreamed:
            self._notices.alarm("events_without_channel", f"{len(unstreamed)} events")
        for event_id in sorted(unstreamed - before):
            self._emit(SportEventUnlisted(event_id))
        if before - unstreamed:
            listing.want_reseed()

    async def _retire(self, link: Link) -> None:
        await self._clock.sleep(self._settings.overlap_s)
        link.stop("replaced")

    def _over(self, link: Link | None, number: int, ended: Ended, group: asyncio.TaskGroup) -> None:
        was_current = link is not None and link is self._current
        if was_current:
            assert link is not None
            healthy_s = (self._clock.now_ns() - link.live_since_ns) / NS_PER_S
            if healthy_s >= self._settings.healthy_after_s:
                self._failures = 0
            self._change_failures = 0
            self._current = None
            self._tell(ended.reason)
            if self._opening and self._coming is None and self._opening_task is not None:
                # A replacement that still waits for its turn is too late for a blind engine.
                self._opening_task.cancel()
                self._opening = 0
        if number == self._opening:
            self._opening, self._coming = 0, None
        elif not was_current:
            return  # an old connection that was replaced
        self._notices.count("stream_ended", ended.reason)
        if not self._opening and self._change_needed():
            self._open(group, self._delay_s(ended))
        # Otherwise another one is on its way, or the present one still serves.

    def _delay_s(self, ended: Ended) -> float:
        """By the class of the close code; repeated failures wait longer, with jitter."""
        settings = self._settings
        if self._current is None:
            self._failures += 1
            failures = self._failures
        else:
            self._change_failures += 1
            failures = self._change_failures
        backed_off_s = min(
            settings.delay_max_s, settings.delay_first_s * 2.0 ** min(failures - 1, 10)
        ) * (0.5 + 0.5 * self._draw())
        match close_class(ended.code):
            case CloseClass.AT_ONCE:
                return 0.0 if failures == 1 else backed_off_s
            case CloseClass.PAUSE:
                return max(1.0, backed_off_s)
            case CloseClass.CHANGE_FIRST:
                # Not again as it was: another config and another token first, then slowly.
                self._config, self._token_doubted = None, True
                if failures == 1:
                    return settings.delay_first_s
                self._notices.alarm("stream_refused", ended.reason)
                return settings.delay_max_s
            case CloseClass.BACK_OFF:
                return backed_off_s

    async def poll_config(self) -> None:
        """Service: a changed key, cluster or host makes `run` move to a new connection."""
        failures = 0
        wait_s = self._settings.config_poll_s
        while True:
            await self._clock.sleep(wait_s)
            try:
                config = await self._fetch_config()
            except (TryAgain, FindOut, wire.Unreadable) as error:
                failures += 1
                self._notices.count("config_poll_failed", str(error))
                if failures % self._settings.config_failures_alarm == 0:
                    self._notices.alarm("config_poll_failed", f"{failures} times: {error}")
                wait_s = min(self._settings.config_retry_s, self._settings.config_poll_s)
                continue
            failures, wait_s = 0, self._settings.config_poll_s
            if config != self._config:
                self._config = config
                self._news.put_nowait(_WantsChange())

    async def _fetch_config(self) -> wire.ConnectionConfig:
        answer = await self._rest.call(self._rest.routes.connection_config, Priority.DOUBT)
        if answer.refusal is not None:
            raise TryAgain(f"connection-config: {answer.refusal.text}")
        config = wire.unwrap(answer.body, wire.ConnectionConfig)
        if not config.key or not (config.ws_host or config.cluster):
            raise TryAgain("connection-config: key or host is missing")
        return config

    # --- told by links --------------------------------------------------------------------

    def link_events(self, link: Link, events: Iterable[Event]) -> None:
        """While two connections overlap, a line belongs to the newer one that showed it."""
        for event in events:
            if isinstance(event, BookUpdated):
                line_id = event.book.line_id
                if self._image_from.get(line_id, 0) > link.number:
                    continue
                self._image_from[line_id] = link.number
            self._emit(event)

    def link_quiet(self) -> None:
        self._emitted()

    def link_changed(self, link: Link) -> None:
        if link is self._current:
            blind = "" if link.private else "no health_check on the private channel"
            self._tell(link.ended.reason if link.ended else blind)
        elif link is self._coming and link.live:
            self._news.put_nowait(_Live(link))

    def _tell(self, reason: str) -> None:
        link = self._current
        state = (False, False, "")
        if link is not None and link.live:
            state = (link.private, link.public, link.name)
        if state != self._told:
            self._told = state
            self._emit(StreamStateChanged(*state, reason=reason))


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error inside, however deep: a caller wants it, not the groups around it."""
    found = errors.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


def _nobody(_: Event) -> None:
    """Before `run`."""


def _nothing() -> None:
    """Nobody waits for the end of a batch."""
