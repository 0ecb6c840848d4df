"""The far end of the bench: just enough of the exchange, and a clock on both sides of a tick.

It stamps just before it writes a book frame and when it has read the whole order: both stamps are
of one process. `python -m tests.bench.standin [CERTIFICATE]` prints its ports.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import ssl
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any, Final
from urllib.parse import parse_qs

from tests.bench import listing, wire
from tests.bench.burst import Burst, BurstPlan, run_burst

PREFIX: Final = "/partner"
HEALTH_EVERY_S: Final = 5.0
PAGE_ROWS: Final = 100
START_IN_S: Final = 5 * 3600


@dataclass(slots=True)
class Customer:
    """One stack under test: its connection, its orders, what it was last shown."""

    name: str
    stream: Connection | None = None
    burst: Burst | None = None
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    shown: dict[int, listing.Tick] = field(default_factory=dict)

    def send(self, payload: bytes) -> None:
        if self.stream is not None:
            self.stream.send(payload)


class Connection(asyncio.Protocol):
    """One TCP connection, first HTTP, perhaps later a WebSocket."""

    def __init__(self, exchange: StandIn) -> None:
        self._exchange = exchange
        self._buffer = bytearray()
        self.transport = asyncio.Transport()  # until there is one
        self._is_stream = False
        self.socket_id = ""
        self.customer: Customer | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._exchange.gone(self)

    def data_received(self, data: bytes) -> None:
        read_ns = time.perf_counter_ns()
        self._buffer += data
        while not self._is_stream and (request := wire.take_request(self._buffer)) is not None:
            if "sec-websocket-key" in request.headers:
                self._is_stream = True
                self.write(wire.upgrade(request))
                self._exchange.connected(self)
            else:
                self._exchange.answer(self, request, read_ns)
        if self._is_stream:
            for opcode, payload in wire.take_frames(self._buffer):
                self._exchange.heard(self, opcode, payload)

    def write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)

    def send(self, payload: bytes) -> None:
        self.write(wire.frame(payload))

    def reply(self, body: dict[str, Any] | list[Any], status: int = 200) -> None:
        data = json.dumps(body).encode("utf-8")
        self.write(wire.response(status, data, formatdate(usegmt=True)))


class StandIn:
    """Every route that the stacks call. Orders rest until they are cancelled; nothing fills."""

    def __init__(self) -> None:
        self.port = 0
        self.ladder = listing.load_ladder()
        self.customers: dict[str, Customer] = {}
        self.bursts: asyncio.Queue[tuple[Connection, Customer, BurstPlan]] = asyncio.Queue()
        self._streams: dict[str, Connection] = {}
        self._places = listing.places()
        self._orders_made = 0
        self._starts = datetime.fromtimestamp(time.time() + START_IN_S, UTC)

    # --- the stream ---------------------------------------------------------------------------

    def connected(self, connection: Connection) -> None:
        connection.socket_id = f"1.{len(self._streams) + 1}"
        self._streams[connection.socket_id] = connection
        data = json.dumps({"socket_id": connection.socket_id, "activity_timeout": 120})
        self._say(connection, "pusher:connection_established", {"data": data})

    def gone(self, connection: Connection) -> None:
        customer = connection.customer
        if customer is not None and customer.stream is connection:
            customer.stream = None

    def heard(self, connection: Connection, opcode: int, payload: bytes) -> None:
        if opcode == wire.CLOSE:
            connection.write(wire.frame(payload[:2], wire.CLOSE))
        elif opcode == wire.PING:
            connection.write(wire.frame(payload, wire.PONG))
        elif opcode == wire.TEXT:
            message = json.loads(payload)
            match message["event"]:
                case "pusher:ping":
                    self._say(connection, "pusher:pong", {"data": {}})
                case "pusher:signin":
                    self._say(connection, "pusher:signin_success", {"data": {}})
                case "pusher:subscribe":
                    self._subscribed(connection, message["data"]["channel"])

    def _subscribed(self, connection: Connection, channel: str) -> None:
        more = {"channel": channel, "data": "{}"}
        self._say(connection, "pusher_internal:subscription_succeeded", more)
        if channel == listing.EVENT_CHANNEL and connection.customer is not None:
            connection.customer.stream = connection

    @staticmethod
    def _say(connection: Connection, event: str, more: dict[str, Any]) -> None:
        connection.send(json.dumps({"event": event, **more}).encode("utf-8"))

    def health_check(self) -> None:
        for customer in self.customers.values():
            now_ns = time.time_ns()
            customer.send(listing.push("health_check", listing.PRIVATE_CHANNEL, {}, now_ns))

    # --- the routes ---------------------------------------------------------------------------

    def answer(self, connection: Connection, request: wire.Request, read_ns: int) -> None:
        path = request.path.removeprefix(PREFIX)
        if path == "/auth/login":
            name = json.loads(request.body)["access_key"]
            self.customers.setdefault(name, Customer(name))
            connection.reply({"data": listing.tokens(name)})
            return
        if path == "/_bench/customers":
            connection.reply([c.name for c in self.customers.values() if c.stream is not None])
            return
        if path == "/_bench/orders":
            name = parse_qs(request.query)["customer"][0]
            connection.reply([one["external_id"] for one in self.customers[name].orders.values()])
            return
        if path == "/_bench/burst":
            asked = json.loads(request.body)
            customer = self.customers[asked.pop("customer")]
            self.bursts.put_nowait((connection, customer, BurstPlan(**asked)))
            return
        known = self.customers.get(request.bearer)
        if known is None:
            connection.reply({"error": "unauthorized"}, 401)
            return
        match path:
            case "/v4/mm/submit_order" | "/v4/mm/submit_multiple_orders":
                self._submit(connection, known, json.loads(request.body), read_ns)
            case "/v4/mm/cancel_order" | "/v4/mm/cancel_multiple_orders":
                self._cancel(connection, known, json.loads(request.body), read_ns)
            case "/v4/mm/cancel_all_orders":
                self._cancel_all(connection, known)
            case "/v4/mm/websocket":
                stream = self._streams[json.loads(request.body)["socket_id"]]
                stream.customer = known
                connection.reply({"data": self._registered()})
            case "/auth/refresh":
                connection.reply({"data": listing.tokens(known.name)})
            case _:
                self._read(connection, known, path, parse_qs(request.query))

    def _read(
        self, connection: Connection, customer: Customer, path: str, query: dict[str, list[str]]
    ) -> None:
        match path.rsplit("/", 1)[-1]:
            case "connection-config":
                host = f"127.0.0.1:{self.port}"
                config = {"app_id": "1", "key": "bench", "cluster": "us2", "service": "pusher"}
                connection.reply({**config, "ws_host": host})
            case "get_tournaments":
                row = {"id": listing.TOURNAMENT_ID, "name": "Bench"}
                connection.reply({"data": {"tournaments": [row]}})
            case "get_sport_events":
                connection.reply({"data": self._sport_events(self._starts.isoformat())})
            case "get_multiple_markets":
                connection.reply({"data": self._markets(customer, query)})
            case "get_price_ladder":
                connection.reply({"data": list(self.ladder)})
            case "get_balance":
                connection.reply({"data": {"balance": 1_000_000.0, "matched_order_balance": 0.0}})
            case "get_order_history":
                connection.reply(_history(customer, query))
            case "get_transactions":
                connection.reply({"data": {"transactions": [], "next_cursor": ""}})
            case order_id if order_id in customer.orders:
                order = customer.orders[order_id]
                connection.reply({"data": {"order": order}, "last_synced_at": _now()})
            case _:
                connection.reply({"error": "not_found"}, 404)

    def _registered(self) -> dict[str, Any]:
        return listing.registration_body()

    def _sport_events(self, start: str) -> dict[str, Any]:
        return listing.sport_events_body(start)

    def _markets(self, customer: Customer, query: dict[str, list[str]]) -> dict[str, Any]:
        now_ns = time.time_ns()
        quiet = [listing.Tick(n, listing.START_STEP, False) for n in range(listing.LINES)]
        ticks = [customer.shown.get(tick.line, tick) for tick in quiet]
        books = [listing.selections(tick, self.ladder, now_ns) for tick in ticks]
        return listing.markets_body(books)

    # --- orders -------------------------------------------------------------------------------

    def _submit(
        self, connection: Connection, customer: Customer, asked: dict[str, Any], read_ns: int
    ) -> None:
        batch = asked.get("data")
        orders = [self._made(one) for one in (batch if batch is not None else [asked])]
        for order in orders:
            customer.orders[order["order_id"]] = order
            if customer.burst is not None:
                customer.burst.ordered(order, read_ns)
        if batch is None:
            connection.reply({"data": {"success": True, "order": orders[0]}})
        else:
            connection.reply({"data": {"succeed_orders": orders, "failed_orders": []}})
        for order in orders:
            order["status"] = "open"
            customer.send(listing.order_message(order, time.time_ns()))

    def _made(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._orders_made += 1
        line, side = self._places[asked["strike_id"]]
        return {
            "order_id": f"bench-order-{self._orders_made:08d}",
            "external_id": asked["external_id"],
            "user_id": listing.USER,
            "sport_event_id": listing.EVENT_ID,
            "market_id": listing.MARKET_ID,
            "outcome_id": 12 + side,
            "strike": listing.number_of(line),
            "strike_id": asked["strike_id"],
            "price": asked["price"],
            "quantity": asked["quantity"],
            "filled_quantity": 0,
            "open_quantity": asked["quantity"],
            "matching_status": "unmatched",
            "winning_status": "tbd",
            "status": "inactive",
            "created_at": _now(),
        }

    def _cancel(
        self, connection: Connection, customer: Customer, asked: dict[str, Any], read_ns: int
    ) -> None:
        batch = asked.get("data")
        ids = [one["order_id"] for one in (batch if batch is not None else [asked])]
        orders = [customer.orders[one] for one in ids]
        for order in orders:
            order.update(status="canceled", open_quantity=0)
            if customer.burst is not None:
                customer.burst.cancelled(order, read_ns)
        if batch is None:
            connection.reply({"data": {"success": True}})
        else:
            connection.reply({"data": [{"success": True, "order": order} for order in orders]})
        for order in orders:
            customer.send(listing.order_message(order, time.time_ns()))

    def _cancel_all(self, connection: Connection, customer: Customer) -> None:
        for order in customer.orders.values():
            if order["open_quantity"]:
                order.update(status="canceled", open_quantity=0)
        connection.reply({"data": {"success": True}})


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _history(customer: Customer, query: dict[str, list[str]]) -> dict[str, Any]:
    first = int(query.get("next_cursor", ["0"])[0])
    rows = list(customer.orders.values())[first : first + PAGE_ROWS]
    more = first + PAGE_ROWS < len(customer.orders)
    page = {"orders": rows, "next_cursor": str(first + PAGE_ROWS) if more else ""}
    return {"data": page, "last_synced_at": _now()}


async def keep_healthy(exchange: StandIn) -> None:
    while True:
        await asyncio.sleep(HEALTH_EVERY_S)
        exchange.health_check()


async def _conduct(exchange: StandIn) -> None:
    """Bursts one after the other: only one stack is under test at any moment."""
    while True:
        connection, customer, plan = await exchange.bursts.get()
        connection.reply(await run_burst(customer, plan, exchange.ladder))


async def serve(certificate: str) -> None:
    """One port for plain HTTP and the stream; with a certificate another one for HTTPS."""
    exchange = StandIn()
    securities: list[ssl.SSLContext | None] = [None]
    if certificate:
        securities.append(tls := ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        tls.load_cert_chain(certificate)
    print(*await listen(exchange, securities), flush=True)
    async with asyncio.TaskGroup() as group:
        group.create_task(keep_healthy(exchange), name="health checks")
        group.create_task(_conduct(exchange), name="conductor")


async def listen(exchange: StandIn, securities: Sequence[ssl.SSLContext | None]) -> list[int]:
    """The ports; the first one is plain and carries the stream, too."""
    ports: list[int] = []
    for security in securities:
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(exchange), "127.0.0.1", 0, backlog=512, ssl=security
        )
        ports.append(server.sockets[0].getsockname()[1])
    exchange.port = ports[0]
    gc.collect()
    gc.freeze()
    gc.disable()  # a pause here would be counted against whoever is measured
    return ports


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(*sys.argv[1:2] or [""]))
