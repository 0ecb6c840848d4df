"""What a dialect of the API is: its routes, and how its stream is asked for (contract 0, 9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from mmbot.domain.ids import SportEventId
from mmbot.exchange import codec, routes, wire
from mmbot.exchange.listing import Wish


@dataclass(frozen=True, slots=True)
class Dialect:
    """One row of the table below.

    register_body(socket_id, wish): what the registration is asked with
    unstreamed(wish, granted):      events of the wish whose books no granted channel carries
    covers(granted, wish):          whether a socket that has the first wish serves the second
    """

    routes: routes.Routes
    register_body: Callable[[str, Wish], bytes]
    unstreamed: Callable[[Wish, Sequence[wire.Channel]], frozenset[SportEventId]]
    covers: Callable[[Wish, Wish], bool]


def _without_channel(wish: Wish, granted: Sequence[wire.Channel]) -> frozenset[SportEventId]:
    """Each event has a channel of its own, known by its scope."""
    scopes = {str(one.scope.event_id) for one in granted if one.scope is not None}
    return frozenset(ident for ident in wish.event_ids if str(ident) not in scopes)


def _without_tournament(wish: Wish, granted: Sequence[wire.Channel]) -> frozenset[SportEventId]:
    """All events of a tournament come as one kind of message on the main channel."""
    names = {
        one if isinstance(one, str) else one.name
        for channel in granted
        for one in channel.binding_events or ()
    }
    return frozenset(
        ident
        for ident, tournament_id in zip(wish.event_ids, wish.event_tournaments, strict=True)
        if f"tournament_{tournament_id}" not in names
    )


def _covers_tournaments(has: Wish, wish: Wish) -> bool:
    return set(wish.tournament_ids) <= set(has.tournament_ids)


def _covers_events(has: Wish, wish: Wish) -> bool:
    return (
        set(wish.event_ids) <= set(has.event_ids)
        and set(wish.subtypes) <= set(has.subtypes)
        and _covers_tournaments(has, wish)
    )


DIALECTS: Final[Mapping[str, Dialect]] = MappingProxyType(
    {
        "v4": Dialect(routes.V4, codec.register_body, _without_channel, _covers_events),
        "seed": Dialect(
            routes.SEED, codec.register_old_body, _without_tournament, _covers_tournaments
        ),
    }
)
V4: Final = DIALECTS["v4"]
