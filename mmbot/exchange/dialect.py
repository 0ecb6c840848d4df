"""What a dialect of the API is: its routes, and how its stream is asked for (contract 0, 9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from mmbot.exchange import codec, routes, wire
from mmbot.exchange.channels import Topic, canonical
from mmbot.exchange.listing import Wish


@dataclass(frozen=True, slots=True)
class Dialect:
    """One row of the table below.

    register_body(socket_id, wish): what the registration is asked with
    register_headers(wish):         and what else says it
    channel_of(wish, granted):      which granted channel tells of each topic of the wish
    covers(granted, wish):          whether a socket that has the first wish serves the second
    declarative:                    topics have channels of their own, of which a socket has a
                                    limited number, and may be asked for on a socket that serves
    """

    routes: routes.Routes
    register_body: Callable[[str, Wish], bytes]
    register_headers: Callable[[Wish], Mapping[str, str]]
    channel_of: Callable[[Wish, Sequence[wire.Channel]], Mapping[Topic, str]]
    covers: Callable[[Wish, Wish], bool]
    declarative: bool


def _own_channels(wish: Wish, granted: Sequence[wire.Channel]) -> Mapping[Topic, str]:
    """By the scope in the answer, not by a channel's name or place (E10)."""
    found = {
        (str(one.scope.event_id), canonical(one.scope.sub_type or "")): one.channel_name
        for one in granted
        if one.scope is not None
    }
    names = {topic: (str(topic.event_id), topic.sub_type) for topic in wish.ranked}
    return {topic: found[name] for topic, name in names.items() if name in found}


def _shared_channel(wish: Wish, granted: Sequence[wire.Channel]) -> Mapping[Topic, str]:
    """All events of a tournament come as one kind of message on the main channel."""
    found = {
        one if isinstance(one, str) else one.name: channel.channel_name
        for channel in granted
        for one in channel.binding_events or ()
    }
    names = {topic: f"tournament_{wish.tournament_of[topic.event_id]}" for topic in wish.ranked}
    return {topic: found[name] for topic, name in names.items() if name in found}


def _covers_tournaments(has: Wish, wish: Wish) -> bool:
    return {*wish.tournament_ids} <= {*has.tournament_ids}


def _covers_topics(has: Wish, wish: Wish) -> bool:
    return wish.topics <= has.topics and _covers_tournaments(has, wish)


DIALECTS: Final[Mapping[str, Dialect]] = MappingProxyType(
    {
        "v4": Dialect(
            routes.V4,
            codec.register_body,
            lambda _: {},
            _own_channels,
            _covers_topics,
            declarative=True,
        ),
        "seed": Dialect(
            routes.SEED,
            codec.register_old_body,
            codec.register_old_headers,
            _shared_channel,
            _covers_tournaments,
            declarative=False,
        ),
    }
)
V4: Final = DIALECTS["v4"]
