"""Every route of the exchange as data: method, path, what it does, and whose words it speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

# `all` says the same in every wording; `seed_legacy` is one path that both dialects call
Dialect = Literal["all", "v4", "seed", "legacy", "seed_legacy"]


@dataclass(frozen=True, slots=True)
class Route:
    """One row; a path that ends with a slash is followed by an id."""

    method: str
    path: str
    operation: str
    dialect: Dialect
    version: int = 1
    respelled: bool = False


# What each operation is called in v4: latency, faults and switches know only these names.
V4_PATHS: Final = {
    "balance": "/v4/mm/get_balance",
    "ladder": "/v4/mm/get_price_ladder",
    "markets": "/v4/mm/get_markets",
    "multiple_markets": "/v4/mm/get_multiple_markets",
    "strikes": "/v4/mm/get_strikes",
    "submit": "/v4/mm/submit_order",
    "submit_many": "/v4/mm/submit_multiple_orders",
    "cancel": "/v4/mm/cancel_order",
    "cancel_many": "/v4/mm/cancel_multiple_orders",
    "cancel_all": "/v4/mm/cancel_all_orders",
    "cancel_by_event": "/v4/mm/cancel_orders_by_event",
    "cancel_by_market": "/v4/mm/cancel_orders_by_market",
    "order": "/v4/mm/get_order/",
    "history": "/v4/mm/get_order_history",
    "matched_detail": "/v4/mm/get_order_matched_detail",
    "trades": "/v4/mm/get_trades",
    "transactions": "/v4/mm/get_transactions",
    "register": "/v4/mm/websocket",
}
WRITES: Final = frozenset(
    {
        *("submit", "submit_many", "cancel", "cancel_many", "cancel_all"),
        *("cancel_by_event", "cancel_by_market", "register"),
    }
)
SUBMITS: Final = frozenset({"submit", "submit_many"})
CANCELS: Final = frozenset(
    {"cancel", "cancel_many", "cancel_all", "cancel_by_event", "cancel_by_market"}
)
# stopped while the reports are down; a single order can be read all the same
REPORTS: Final = frozenset({"history", "matched_detail", "trades", "bets", "transactions"})
# legacy operations of their own that faults and latency take for their v4 kin
CANONICAL: Final = V4_PATHS | {"bets": V4_PATHS["trades"], "pusher": V4_PATHS["register"]}


def _method(operation: str) -> str:
    return "POST" if operation in WRITES else "GET"


def _v4() -> tuple[Route, ...]:
    return tuple(Route(_method(name), path, name, "v4") for name, path in V4_PATHS.items())


# Pages of 2026 write v4 names without the version, and one omits `/mm`.
_UNVERSIONED: Final = tuple(
    Route(_method(name), path.removeprefix("/v4"), name, "v4", respelled=True)
    for name, path in V4_PATHS.items()
    if name not in ("balance", "markets", "multiple_markets", "cancel", "order", "ladder")
)
_RESPELLED: Final = (
    *_UNVERSIONED,
    Route("POST", "/v4/submit_order", "submit", "v4", respelled=True),
)

_SHARED: Final = (
    Route("POST", "/auth/login", "login", "all"),
    Route("POST", "/auth/refresh", "refresh", "all"),
    Route("POST", "/auth/keys", "new_keys", "all"),
    Route("GET", "/mm/get_tournaments", "tournaments", "all"),
    Route("GET", "/mm/get_sport_events", "events", "all"),
    Route("GET", "/websocket/connection-config", "stream_config", "all"),
    Route("GET", "/mm/get_balance", "balance", "seed_legacy"),
    Route("GET", "/mm/get_markets", "markets", "seed_legacy"),
    Route("GET", "/mm/get_multiple_markets", "multiple_markets", "seed_legacy"),
    Route("POST", "/mm/pusher", "pusher", "seed_legacy"),
)
_SEED: Final = (
    Route("GET", "/mm/get_price_ladder", "ladder", "seed"),
    Route("POST", "/mm/place_order", "submit", "seed"),
    Route("POST", "/mm/place_batch_orders", "submit_many", "seed"),
    Route("POST", "/mm/place_multiple_order", "submit_many", "seed"),
    Route("POST", "/mm/cancel_order", "cancel", "seed"),
    Route("POST", "/mm/cancel_batch_orders", "cancel_many", "seed"),
    Route("GET", "/mm/get_order/", "order", "seed"),
    Route("GET", "/mm/get_order_histories", "history", "seed"),
)
_LEGACY: Final = (
    Route("GET", "/mm/get_odds_ladder", "ladder", "legacy"),
    *(
        Route("GET", f"/v{version}/mm/{path}", name, "legacy", version=version)
        for version in (2, 3)
        for path, name in (
            ("get_markets", "markets"),
            ("get_multiple_markets", "multiple_markets"),
        )
    ),
    Route("GET", "/mm/search_markets", "search_markets", "legacy"),
    Route("GET", "/mm/get_players", "players", "legacy"),
    Route("GET", "/mm/get_players/", "player", "legacy"),
    Route("POST", "/mm/place_wager", "submit", "legacy"),
    Route("POST", "/mm/place_multiple_wagers", "submit_many", "legacy"),
    Route("POST", "/mm/cancel_wager", "cancel", "legacy"),
    Route("POST", "/mm/cancel_multiple_wagers", "cancel_many", "legacy"),
    Route("POST", "/mm/cancel_all_wagers", "cancel_all", "legacy"),
    Route("POST", "/mm/cancel_wagers_by_event", "cancel_by_event", "legacy"),
    Route("POST", "/mm/cancel_wagers_by_market", "cancel_by_market", "legacy"),
    Route("GET", "/mm/get_wager/", "order", "legacy"),
    Route("GET", "/mm/get_wager_histories", "history", "legacy"),
    Route("GET", "/v2/mm/get_wager_histories", "history", "legacy", version=2),
    Route("GET", "/mm/get_wager_matching_detail", "matched_detail", "legacy"),
    Route("GET", "/v2/mm/get_wager_matching_detail", "matched_detail", "legacy", version=2),
    Route("GET", "/mm/get_matched_bets", "bets", "legacy"),
    Route("GET", "/v2/mm/get_transactions", "transactions", "legacy", version=2),
    Route("POST", "/v4/mm/pusher", "pusher", "legacy", version=4),
    Route("POST", "/mm/pusher/ping", "pusher_ping", "legacy"),
)
ROUTES: Final = (*_v4(), *_SHARED, *_SEED, *_LEGACY, *_RESPELLED)
_BY_PATH: Final = {
    path: {route.method: route for route in ROUTES if route.path == path}
    for path in {route.path for route in ROUTES}
}


def find(method: str, path: str) -> tuple[Route | None, tuple[str, ...]]:
    """The route of a request, and the methods that its path knows (none: an unknown path)."""
    methods = _BY_PATH.get(path)
    if methods is None or path.endswith("/"):
        head, slash, rest = path.rpartition("/")
        methods = _BY_PATH.get(head + slash) if rest else None
    if methods is None:
        return None, ()
    return methods.get(method), tuple(methods)
