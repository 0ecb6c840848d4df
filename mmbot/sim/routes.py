"""From method, path, headers and body to status, headers and body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import msgspec

from mmbot.sim.box_routes import BoxRoutes
from mmbot.sim.order_routes import OrderRoutes
from mmbot.sim.orders import Account, Refusal
from mmbot.sim.read_routes import ReadRoutes
from mmbot.sim.registration import register
from mmbot.sim.replies import NOT_FOUND, Answer, Reply, bad_gateway, rate_limited, reply
from mmbot.sim.reporting import Reporting
from mmbot.sim.requests import INVALID_BODY
from mmbot.sim.sessions import UNAUTHORIZED

if TYPE_CHECKING:
    from mmbot.sim.box import Box

PREFIX = "/partner"
ORDER_PATH = "/v4/mm/get_order/"
REPORTING_PATHS = ("get_order", "get_trades", "get_transactions")
BODY_BYTES_MAX = 1 << 20
Query = dict[str, str]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request that was let in and waits to be executed."""

    method: str
    route: str
    query: Query
    body: object
    account: Account

    @property
    def name(self) -> str:
        """Its route as the record counts it."""
        route = ORDER_PATH + "{id}" if self.route.startswith(ORDER_PATH) else self.route
        return f"{self.method} {route}"


class Routes:
    """The table of routes and what all of them share: tokens, rate, errors, dates."""

    def __init__(self, box: Box, reporting: Reporting) -> None:
        self._box = box
        self._own = BoxRoutes(box)
        orders = OrderRoutes(box.exchange, box.switches)
        reads = ReadRoutes(box.exchange, reporting)
        self._reads = reads
        self._get: dict[str, Callable[[Account, Query, int], Answer]] = {
            "/mm/get_tournaments": reads.tournaments,
            "/mm/get_sport_events": reads.sport_events,
            "/v4/mm/get_balance": reads.balance,
            "/v4/mm/get_price_ladder": self._price_ladder,
            "/v4/mm/get_markets": reads.markets,
            "/v4/mm/get_multiple_markets": reads.multiple_markets,
            "/v4/mm/get_strikes": reads.strikes,
            "/v4/mm/get_order_history": reads.history,
            "/v4/mm/get_order_matched_detail": reads.matched_detail,
            "/v4/mm/get_trades": reads.trades,
            "/v4/mm/get_transactions": reads.transactions,
            "/websocket/connection-config": self._connection_config,
        }
        self._post: dict[str, Callable[[Account, object, int], Answer]] = {
            "/v4/mm/submit_order": orders.submit,
            "/v4/mm/submit_multiple_orders": orders.submit_many,
            "/v4/mm/cancel_order": orders.cancel,
            "/v4/mm/cancel_multiple_orders": orders.cancel_many,
            "/v4/mm/cancel_all_orders": orders.cancel_all,
            "/v4/mm/cancel_orders_by_event": orders.cancel_by_event,
            "/v4/mm/cancel_orders_by_market": orders.cancel_by_market,
            "/v4/mm/websocket": self._register,
        }

    # -- the exchange ---------------------------------------------------------------------

    def arrive(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, now_ns: int
    ) -> Arrival | Reply:
        """What happens at the door: log-in, tokens, the rate; the rest is done by `execute`."""
        parts = urlsplit(path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        given = {name.lower(): value for name, value in headers.items()}
        if parts.path == "/_feed/odds":
            return self._own.odds(given, now_ns)
        try:
            decoded: object = msgspec.json.decode(body) if body else None
        except msgspec.DecodeError:
            decoded = INVALID_BODY
        if parts.path.startswith("/_box/"):
            answer = self._own.control(method, parts.path[6:], query, decoded, now_ns)
            return reply(answer, now_ns)
        if not parts.path.startswith(PREFIX + "/"):
            return reply(NOT_FOUND, now_ns)
        route = parts.path[len(PREFIX) :]
        if route in ("/auth/login", "/auth/refresh"):
            return self._auth(method, route, decoded, now_ns)
        account, valid = self._box.sessions.owner(given.get("authorization", ""), now_ns)
        if account is None:
            return reply(UNAUTHORIZED, now_ns)
        arrival = Arrival(method, route, query, decoded, account)
        refused = self._refused(arrival, now_ns, valid=valid)
        if refused is not None:
            self._box.record.request(account, arrival.name, refused.status)
            return refused
        return arrival

    def _refused(self, arrival: Arrival, now_ns: int, *, valid: bool) -> Reply | None:
        """The answer at the door when the request may not come in."""
        box, switches = self._box, self._box.switches
        box.record.arrived(arrival.account, now_ns)
        refusal = box.sessions.admit(arrival.account, now_ns)
        if switches.rate_limited_all:
            refusal = Refusal(429, "rate_limit_reached", "50 requests per second")
        if switches.unavailable_502:
            return bad_gateway()
        if refusal is not None:
            next_ns = box.sessions.next_allowed_ns(arrival.account, now_ns)
            retry_after = box.options.session.retry_after
            return rate_limited(refusal, next_ns, now_ns, retry_after=retry_after)
        if switches.unauthorized_all or not valid:
            return reply(UNAUTHORIZED, now_ns)
        if "submit_" in arrival.route and switches.place_request_lost:
            return Reply(0, {}, b"", lost=True)
        return None

    def execute(self, arrival: Arrival, now_ns: int) -> Reply:
        switches = self._box.switches
        answer = self._dispatch(arrival, now_ns)
        lost = ("submit_" in arrival.route and switches.place_reply_lost) or (
            "cancel_" in arrival.route and switches.cancel_reply_lost
        )
        done = reply(answer, now_ns, lost=lost)
        self._box.record.request(arrival.account, arrival.name, done.status)
        return done

    def _dispatch(self, arrival: Arrival, now_ns: int) -> Answer:
        route, account = arrival.route, arrival.account
        if isinstance(arrival.body, Refusal):
            return arrival.body
        if arrival.method == "GET":
            reporting = any(word in route for word in REPORTING_PATHS)
            if reporting and self._box.switches.reporting_down:
                return Refusal(503, "reporting_not_available", "reporting is in maintenance")
            if route.startswith(ORDER_PATH):
                return self._reads.order(account, route[len(ORDER_PATH) :], now_ns)
            read = self._get.get(route)
            return NOT_FOUND if read is None else read(account, arrival.query, now_ns)
        write = self._post.get(route) if arrival.method == "POST" else None
        return NOT_FOUND if write is None else write(account, arrival.body, now_ns)

    def _auth(self, method: str, route: str, body: object, now_ns: int) -> Reply:
        box = self._box
        fields = body if isinstance(body, dict) and method == "POST" else {}
        if route == "/auth/login":
            access_key = str(fields.get("access_key", ""))
            secret_key = str(fields.get("secret_key", ""))
            account = box.sessions.by_key(access_key)
            if account is not None:
                box.record.arrived(account, now_ns)
            found = box.sessions.login(access_key, secret_key, now_ns)
            if box.switches.refuse_login:
                found = UNAUTHORIZED
        else:
            account = None
            found = box.sessions.refresh(str(fields.get("refresh_token", "")), now_ns)
            if box.switches.refuse_refresh:
                found = UNAUTHORIZED
        answer: Answer = found if isinstance(found, Refusal) else {"data": found}
        done = reply(answer, now_ns)
        if account is not None:
            box.record.request(account, f"{method} {route}", done.status)
        return done

    def _price_ladder(self, account: Account, query: Query, now_ns: int) -> Answer:
        if self._box.switches.ladder_empty:
            return {"data": None}
        return self._reads.price_ladder(account, query, now_ns)

    def _connection_config(self, account: Account, query: Query, now_ns: int) -> Answer:
        host = self._box.switches.ws_host or self._box.ws_host
        return {
            "app_id": "1840021",
            "key": self._box.hub.app.key,
            "cluster": "mt1",
            "ws_host": host,
            "service": "pusher",
        }

    def _register(self, account: Account, body: object, now_ns: int) -> Answer:
        limit = self._box.options.session.channel_limit
        return register(self._box.hub, account, body, limit, now_ns)
