"""Asking for channels: what one socket is granted, and how many it may have (contract 9.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from mmbot.domain.errors import TryAgain
from mmbot.exchange import wire
from mmbot.exchange.channels import Topic
from mmbot.exchange.dialect import Dialect
from mmbot.exchange.http import ReplyLost
from mmbot.exchange.listing import Wish
from mmbot.exchange.pusher import ChannelAuth
from mmbot.exchange.rest import Answer, Rest, Throttled
from mmbot.exchange.stream import ORDER_WORDS
from mmbot.runtime.limiter import Priority

THROTTLED_MAX: Final = 3  # 429s in a row on one socket; the pauses between them grow
TRIES_MAX: Final = 10  # half as many each time: from 400 to none
HEALTH_WORDS: Final = frozenset({"health_check", "private_system_signal"})


@dataclass(frozen=True, slots=True)
class Granted:
    """What a socket may subscribe to from now on."""

    wish: Wish  # what was asked for in the end
    channels: tuple[wire.Channel, ...]
    signin: wire.Signin | None
    private: str  # the channel of our orders
    channels_max: int  # of this socket; 0 when the answer does not tell

    @property
    def auths(self) -> list[ChannelAuth]:
        return [ChannelAuth(one.channel_name, one.auth) for one in self.channels]


class Registrar:
    """The registrations of one socket; what it was ever asked for counts until it closes."""

    def __init__(self, rest: Rest, dialect: Dialect, socket_id: str) -> None:
        self.counted: frozenset[Topic] = frozenset()
        self._rest = rest
        self._dialect = dialect
        self._notices = rest.notices
        self._socket_id = socket_id

    async def ask(self, wish: Wish, carried: frozenset[Topic] = frozenset()) -> Granted:
        """For a new socket: the whole wish, or as much of it as there is room for (E8).

        What is `carried` by the socket in whose place it comes goes before the rest.

        Raises TryAgain, FindOut or wire.Unreadable.
        """
        for _ in range(TRIES_MAX):
            granted = await self.again(wish)
            if granted is not None:
                return granted
            room = await self._room(len(wish.topics), len(carried & wish.topics))
            wish = wish.first(room, carried)
        raise TryAgain("the registration exceeds the channel limit")

    async def again(self, wish: Wish) -> Granted | None:
        """Each wish replaces the former; None when it is too much: then the former one stands.

        Raises TryAgain, FindOut or wire.Unreadable.
        """
        answer = await self._register(wish)
        if answer is None:
            return None
        self.counted |= wish.topics
        return self._granted(answer, wish)

    async def _register(self, wish: Wish) -> wire.Registered | None:
        """None when it is too much."""
        said = self._dialect
        body, headers = said.register_body(self._socket_id, wish), said.register_headers(wish)
        answer = await self._answer(body, headers)
        if answer.refusal is None:
            return wire.unwrap(answer.body, wire.Registered)
        if answer.refusal.code != "exceed_subscription_count":
            raise TryAgain(answer.refusal.text)
        self._notices.alarm("exceed_subscription_count", f"{len(wish.topics)} channels")
        return None

    async def _answer(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """What is no answer says nothing of the socket: a wish that is said twice is said once.

        After a 429 it goes again when the pause is over, and at once, but once only, after a lost
        answer or an error of the exchange's own.
        """
        ask = partial(self._rest.call, self._rest.routes.register, Priority.STREAM)
        for _ in range(THROTTLED_MAX):
            try:
                answer = await ask(body=body, headers=headers)
            except Throttled:
                continue
            except ReplyLost:
                break
            if answer.refusal is None or answer.reply.status < 500:
                return answer
            break
        return await ask(body=body, headers=headers)

    async def _room(self, refused: int, carried: int) -> int:
        """How many to ask for after so many were refused; who wishes for nothing is told.

        Untold it is half as many each time, and as many as are carried once on the way.
        """
        answer = await self._register(Wish())
        told = answer.channel_limit if answer is not None else None
        if told and 0 < told < refused:
            return told
        return carried if refused // 2 < carried < refused else refused // 2

    def _granted(self, answer: wire.Registered, wish: Wish) -> Granted:
        for one in answer.rejected or ():
            self._notices.count(f"subscription_rejected:{one.reason}"[:60], f"{one.type} {one.id}")
        channels = tuple(one for one in answer.authorized_channel or () if one.channel_name)
        private = _private_of(channels)
        if not private:  # everybody has one: such an answer is not to be believed
            raise wire.Unreadable("it offers no private channel")
        # The exchange may count the channels that everybody has, too.
        others = max(0, (answer.channel_count or 0) - len(self.counted))
        return Granted(
            wish,
            channels,
            answer.authenticated,
            private,
            max(0, (answer.channel_limit or 0) - others),
        )


def _private_of(channels: Iterable[wire.Channel]) -> str:
    """By what is bound to it, not by its name: orders, and the health check only without such.

    The older pages give the health check to every session, on the main public channel.
    """
    unscoped = [one for one in channels if one.scope is None]
    for wanted in (ORDER_WORDS, HEALTH_WORDS):
        for channel in unscoped:
            for binding in channel.binding_events or ():
                words = {binding} if isinstance(binding, str) else {binding.name, binding.type}
                if words & wanted:
                    return channel.channel_name
    return ""
