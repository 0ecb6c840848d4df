"""Methods and paths of each dialect, as data: nothing else in mmbot spells a path."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

PAGE_ROWS_MAX: Final = 100
HISTORY_WINDOW_MAX_S: Final = 7 * 86_400
CHANGES_WINDOW_MAX_S: Final = 2 * 86_400


@dataclass(frozen=True, slots=True)
class Route:
    """`name` is the last part of the path: the limiter knows query routes by it."""

    name: str
    method: str
    path: str
    writes: bool = False  # asks something of the book: never repeated by the HTTP layer
    old_words: bool = False  # its answer may name things as the wager generation did
    unsure: bool = False  # no page of its dialect names it: a 404 may say that there is none


@dataclass(frozen=True, slots=True)
class Routes:
    login: Route
    refresh: Route
    connection_config: Route
    register: Route
    tournaments: Route
    sport_events: Route
    balance: Route
    ladder: Route
    markets: Route
    submit: Route
    cancel: Route
    cancel_by_market: Route | None  # None: the dialect has no such route
    cancel_by_event: Route | None
    cancel_all: Route | None
    order: Route
    history: Route
    transactions: Route | None
    trades: Route | None = None

    @property
    def order_paths(self) -> frozenset[str]:
        """Paths that change the book: they get connections of their own."""
        routes = (getattr(self, one.name) for one in fields(self))
        return frozenset(route.path for route in routes if route is not None and route.writes)


def _get(path: str, old_words: bool = False, unsure: bool = False) -> Route:
    return Route(path.rsplit("/", 1)[1], "GET", path, old_words=old_words, unsure=unsure)


def _post(path: str, writes: bool = False, old_words: bool = False, unsure: bool = False) -> Route:
    return Route(path.rsplit("/", 1)[1], "POST", path, writes, old_words, unsure)


V4: Final = Routes(
    login=_post("/auth/login"),
    refresh=_post("/auth/refresh"),
    connection_config=_get("/websocket/connection-config"),
    register=_post("/v4/mm/websocket"),
    # These two have no v4 form (contract 4).
    tournaments=_get("/mm/get_tournaments"),
    sport_events=_get("/mm/get_sport_events"),
    balance=_get("/v4/mm/get_balance"),
    ladder=_get("/v4/mm/get_price_ladder"),
    markets=_get("/v4/mm/get_multiple_markets"),
    submit=_post("/v4/mm/submit_multiple_orders", writes=True),
    cancel=_post("/v4/mm/cancel_multiple_orders", writes=True),
    cancel_by_market=_post("/v4/mm/cancel_orders_by_market", writes=True),
    cancel_by_event=_post("/v4/mm/cancel_orders_by_event", writes=True),
    cancel_all=_post("/v4/mm/cancel_all_orders", writes=True),
    order=_get("/v4/mm/get_order"),
    history=_get("/v4/mm/get_order_history"),
    transactions=_get("/v4/mm/get_transactions"),
    trades=_get("/v4/mm/get_trades"),
)

# What is unsure, its page does not name: the guides of 2026 write it so, without a version.
SEED: Final = Routes(
    login=V4.login,
    refresh=V4.refresh,
    connection_config=V4.connection_config,
    register=_post("/mm/pusher"),
    tournaments=V4.tournaments,
    sport_events=V4.sport_events,
    balance=_get("/mm/get_balance", old_words=True),
    ladder=_get("/mm/get_price_ladder"),
    markets=_get("/mm/get_multiple_markets", old_words=True),  # seen in sandbox, 2026-08
    submit=_post("/mm/place_batch_orders", writes=True),
    cancel=_post("/mm/cancel_batch_orders", writes=True, old_words=True),
    cancel_by_market=_post("/mm/cancel_orders_by_market", writes=True, unsure=True),
    cancel_by_event=_post("/mm/cancel_orders_by_event", writes=True, unsure=True),
    cancel_all=_post("/mm/cancel_all_orders", writes=True, unsure=True),
    order=_get("/mm/get_order", old_words=True),
    history=_get("/mm/get_order_histories", old_words=True),
    transactions=_get("/mm/get_transactions", unsure=True),
    trades=_get("/mm/get_trades", unsure=True),
)
