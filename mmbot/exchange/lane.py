"""One socket's place in the feed: the link that serves, and the next one while it changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from mmbot.domain.errors import FindOut, TryAgain
from mmbot.exchange import wire
from mmbot.exchange.channels import Load
from mmbot.exchange.link import Ended, Link, LinkOwner, LinkPorts, LinkSettings
from mmbot.exchange.listing import Wish
from mmbot.exchange.pauses import Pauses, PauseSettings
from mmbot.exchange.pusher_states import CloseClass, close_class
from mmbot.exchange.whereabouts import Whereabouts

NS_PER_S: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class LaneSettings:
    overlap_s: float = 5.0  # the old connection goes on while the engine reconciles
    healthy_after_s: float = 5.0  # live that long: delays start over
    pauses: PauseSettings = field(default_factory=PauseSettings)
    link: LinkSettings = field(default_factory=LinkSettings)


class LaneOwner(LinkOwner, Protocol):
    whereabouts: Whereabouts

    def next_number(self) -> int: ...

    def lane_ended(self, lane: Lane, link: Link | None, number: int, ended: Ended) -> None:
        """One connection came to its end: the owner calls `over`, in its own turn."""
        ...


class Lane:
    """Decides without awaiting; each connection is a task of the owner's group."""

    def __init__(
        self,
        number: int,
        owner: LaneOwner,
        ports: LinkPorts,
        settings: LaneSettings,
        draw: Callable[[], float],
        group: asyncio.TaskGroup,
    ) -> None:
        self.number = number
        self.share = Wish()  # what this socket shall carry
        self.current: Link | None = None
        self.coming: Link | None = None
        self._owner = owner
        self._ports = ports
        self._covers = ports.dialect.covers
        self._clock = ports.rest.clock
        self._notices = ports.notices
        self._settings = settings
        self._group = group
        self._blind = Pauses(settings.pauses, draw)  # failures with no connection left
        self._changing = Pauses(settings.pauses, draw)  # failures of a second connection
        self._leaving: Link | None = None  # to be replaced although it carries all
        self._opening = 0  # number of the connection being opened, 0 = none
        self._opening_task: asyncio.Task[None] | None = None
        self._failed = False  # to connect, since it last served
        self._closed = False

    @property
    def changing(self) -> bool:
        return bool(self._opening) or (self.current is not None and self.current.extending)

    @property
    def expected(self) -> bool:
        """On its way for the first time since it last served."""
        return self.current is None and not self._failed

    @property
    def settled(self) -> bool:
        """What serves is what is wanted."""
        return not self.changing and not self._change_needed()

    def load(self) -> Load:
        """For the planner: a connection that is being replaced or made has all its room."""
        link = self.current
        if link is None or self._opening:
            return Load(self.number, self.share.topics)
        topics = self.share.topics if link.extending else link.wish.topics
        return Load(self.number, topics, link.counted | topics)

    def replace_link(self) -> None:
        """Another connection in place of the present one, which goes on until then."""
        self._leaving = self.current

    def ask_again(self, limit: bool = False) -> None:
        """What was not granted may be there by now: on this socket, else on another one.

        `limit`: also where all was granted, for the answer tells how many channels there are. That
        is never worth another socket: it might be granted less than this one carries.
        """
        link = self.current
        if link is None or self.changing:
            return
        missing = not self.share.topics <= link.streamed
        if missing and not (link.live and link.extendable):
            self.replace_link()
        elif link.live and (missing or limit):
            link.extend(self.share)

    def look(self, delay_s: float = 0.0) -> None:
        """Change what serves if it is not what is wanted: on its socket, else by another one."""
        link = self.current
        if self.changing or self._closed:
            return
        if not self._change_needed():
            assert link is not None
            link.widen(self.share)
            return
        if link is not None and link.live and link.extendable and not self._move_needed(link):
            link.extend(self.share)
        else:
            self._open(delay_s)

    def drain(self) -> None:
        """No connection more; the present one goes on until `close`."""
        self._closed = True
        if self.coming is not None:
            self.coming.stop("not needed")
        elif self._opening and self._opening_task is not None:
            self._opening_task.cancel()
        self._opening, self.coming = 0, None

    def close(self) -> None:
        """What it carried is carried by others."""
        if self.current is not None:
            self._group.create_task(self._retire(self.current), name=f"retire {self.current.name}")
            self.current = None

    def promote(self, link: Link) -> None:
        """`coming` is live: it serves from now on, and the old one goes on for a little."""
        old, self.current, self.coming, self._opening = self.current, link, None, 0
        self._changing.over()
        if old is not None:
            self._group.create_task(self._retire(old), name=f"retire {old.name}")

    def over(self, link: Link | None, number: int, ended: Ended) -> None:
        """A connection ended: open another one, unless what serves is all that is wanted."""
        was_current = link is not None and link is self.current
        if was_current:
            assert link is not None
            healthy_s = (self._clock.now_ns() - link.live_since_ns) / NS_PER_S
            if healthy_s >= self._settings.healthy_after_s:
                self._blind.over()
            self._changing.over()
            self.current, self._failed = None, False
            if self._opening and self.coming is None and self._opening_task is not None:
                # A replacement that still waits for its turn is too late for a blind engine.
                self._opening_task.cancel()
                self._opening = 0
        if number == self._opening:
            self._opening, self.coming = 0, None
            self._failed = True
        elif not was_current:
            return  # an old connection that was replaced
        self._notices.count("stream_ended", ended.reason)
        if not self._opening and not self._closed and self._change_needed():
            self._open(self._delay_s(link, ended))
        # Otherwise another one is on its way, or the present one still serves.

    def _change_needed(self) -> bool:
        """Less to watch is no reason for a new connection; more, or another host, is."""
        link = self.current
        return link is None or self._move_needed(link) or not self._covers(link.wish, self.share)

    def _move_needed(self, link: Link) -> bool:
        config = self._owner.whereabouts.config
        return link is self._leaving or (config is not None and config != link.config)

    def _delay_s(self, link: Link | None, ended: Ended) -> float:
        pauses = self._blind if self.current is None else self._changing
        lived_ns = self._clock.monotonic_ns() - link.began_ns if link is not None else 0
        delay_s = pauses.after(ended.code, lived_ns / NS_PER_S)
        if close_class(ended.code) is CloseClass.CHANGE_FIRST:
            self._owner.whereabouts.distrust()
            if pauses.refusals > 1:
                self._notices.alarm("stream_refused", ended.reason)
        return delay_s

    def _open(self, delay_s: float) -> None:
        number = self._opening = self._owner.next_number()
        self._opening_task = self._group.create_task(
            self._link(number, delay_s), name=f"stream-{number}"
        )

    async def _link(self, number: int, delay_s: float) -> None:
        """One connection from its delay to its end."""
        link: Link | None = None
        try:
            if delay_s:
                await self._clock.sleep(delay_s)
            config = await self._owner.whereabouts.ready()
            carried = self.current.wish.topics if self.current is not None else frozenset()
            settings = self._settings.link
            link = Link(number, config, self.share, self._ports, self._owner, settings, carried)
            if self._opening == number:
                self.coming = link
            ended = await link.run()
        except (TryAgain, FindOut, wire.Unreadable) as error:
            ended = Ended(str(error))
        self._owner.lane_ended(self, link, number, ended)

    async def _retire(self, link: Link) -> None:
        await self._clock.sleep(self._settings.overlap_s)
        link.stop("replaced")
