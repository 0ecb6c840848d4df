"""What a client can see of the box, so told that two readings of the venue can be told apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from mmbot.sim.box import Box
from mmbot.sim.http.arrival import Arrival
from mmbot.sim.scenario import BoxOptions, with_table
from tests.sim.builders import NS, START_NS, Client, Stream, decoded

Seen = list[Any]
QUIET = {
    "takers": {"on": False},
    "rival": {"on": False},
    "drift": {"step_ms": 10_000},
    "feed": {"refresh_s": 60.0},
}
CHANGING = frozenset({"access_token", "refresh_token", "socket_id", "auth"})


def a_client(table: dict[str, Any]) -> Client:
    options = with_table(with_table(BoxOptions(), QUIET), table)
    return Client(Box(options, START_NS))


def tokenless(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {k: tokenless(v) for k, v in answer.items() if k not in CHANGING}
    return [tokenless(one) for one in answer] if isinstance(answer, list) else answer


class Eye:
    """Writes down every answer, without what is secret."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.seen: Seen = []

    def ask(self, method: str, path: str, body: object = None) -> Any:
        client = self.client
        headers = {"Authorization": f"Bearer {client.token}"}
        raw = b"" if body is None else json.dumps(body).encode()
        reply = client.box.http(method, "/partner" + path, headers, raw, client.now_ns)
        answer = json.loads(reply.body) if reply.body else None
        kept = {k: v for k, v in reply.headers.items() if k == "Retry-After"}
        self.seen.append([path, reply.status, kept, tokenless(answer)])
        return answer

    def frames(self, stream: Stream) -> None:
        for frame in stream.frames():
            data = frame.get("data")
            kind: object = None
            if isinstance(data, str) and "payload" in data:
                envelope = json.loads(data)
                kind = [envelope["change_type"], envelope["op"]]
                data = decoded(frame)
            self.seen.append([frame["event"], frame.get("channel"), kind, tokenless(data)])

    def order(self, strike: str, price: int, usd: float, **extra: object) -> dict[str, Any]:
        """Submitted, and whatever becomes of it in the next second; its two ids."""
        body = self.client.order(strike, price, usd, **extra)
        answer = self.ask("POST", "/v4/mm/submit_order", body)
        self.client.wait(1)
        order = (answer.get("data") or {}).get("order") or {}
        order_id = order.get("order_id") or order.get("id")
        if order_id:
            self.ask("GET", f"/v4/mm/get_order/{order_id}")
        return {"order_id": order_id, "external_id": body["external_id"]}

    def take(self, **how: object) -> None:
        self.client.call("POST", "/_box/do", {"action": "take", **how})
        self.client.wait(0.05)


def log_in(table: dict[str, Any]) -> Seen:
    """Log-ins until no session is left, a refresh, and more requests than allowed."""
    client = a_client(table)
    eye = Eye(client)
    keys = {"access_key": client.account.access_key, "secret_key": client.account.secret_key}
    answer = eye.ask("POST", "/auth/login", keys)
    fields = answer.get("data", answer)
    eye.ask("POST", "/auth/refresh", {"refresh_token": fields["refresh_token"]})
    for _ in range(4):
        eye.ask("POST", "/auth/login", keys)
    client.token = fields["access_token"]
    for _ in range(52):
        eye.ask("GET", "/v4/mm/get_balance")
    client.wait(900)
    eye.ask("GET", "/v4/mm/get_balance")
    eye.ask("POST", "/auth/login", keys)
    return eye.seen


def paths(table: dict[str, Any]) -> Seen:
    """The same questions in every dialect, and what is said of one that cannot be."""
    client = a_client(table)
    client.login()
    eye = Eye(client)
    stream = Stream(client.box, client.box.connect(client.box.hub.app.key, PUSHER, client.now_ns))
    wish = {"socket_id": stream.socket_id, "subscriptions": []}
    for path in ("/v4/mm/get_price_ladder", "/mm/get_odds_ladder", "/mm/get_balance"):
        eye.ask("GET", path)
    for path in ("/v4/mm/submit_order", "/mm/place_order", "/mm/place_wager"):
        eye.ask("POST", path, {})
    for path in ("/v4/mm/websocket", "/mm/websocket", "/mm/pusher"):
        eye.ask("POST", path, wish)
    eye.ask("GET", "/v4/mm/submit_order")
    return eye.seen


def market(table: dict[str, Any]) -> Seen:
    """Ladder, events, books with and without orders, suspended, live; strikes."""
    client = a_client(table)
    client.login()
    eye = Eye(client)
    event = next(iter(client.box.exchange.listing.events.values()))
    eye.ask("GET", "/v4/mm/get_price_ladder")
    eye.order(event.lines[0].strikes[0].strike_id, 100, 33.0)
    eye.order(event.lines[0].strikes[0].strike_id, -375, 33.0)
    client.call("POST", "/_box/do", {"action": "take", "usd": 11.5})
    both = f"{event.event_id},{event.event_id + 1}"
    for _ in range(2):
        eye.ask("GET", f"/v4/mm/get_markets?event_id={event.event_id}")
        eye.ask("GET", f"/v4/mm/get_multiple_markets?event_ids={both}")
        eye.ask("GET", "/mm/get_sport_events")
        client.call("POST", "/_box/do", {"action": "suspend", "event": 1})
    eye.ask("GET", "/mm/get_sport_events?tournament_id=424242")
    eye.ask("GET", f"/v4/mm/get_strikes?strike_ids={event.lines[0].strikes[0].strike_id}")
    client.call("POST", "/_box/do", {"action": "go_live", "event": 1})
    eye.ask("GET", "/mm/get_sport_events")
    eye.order(event.lines[0].strikes[0].strike_id, 100, 33.0)
    return eye.seen


PUSHER = {"protocol": "7"}


def orders(table: dict[str, Any]) -> Seen:
    """Placing and cancelling in every way that sources disagree about."""
    client = a_client(table)
    client.login()
    eye = Eye(client)
    line = client.box.exchange.listing.lines[0]
    side, other = (strike.strike_id for strike in line.strikes)
    resting = eye.order(side, 100, 50.0)
    eye.order(other, 100, 20.0)  # would meet the order before it
    eye.order(side, 100, 0.37)
    eye.order(side, 100, 3.33)
    eye.order(side, 117, 3.33)
    eye.take(usd=10.0)
    eye.ask("POST", "/v4/mm/cancel_order", {"order_id": resting["order_id"]})
    for _ in range(2):
        eye.ask("POST", "/v4/mm/cancel_order", resting)
        client.wait(0.1)
        eye.ask("GET", f"/v4/mm/get_order/{resting['order_id']}")
        client.wait(1)
    young = client.order(side, 120, 10.0)
    answer = eye.ask("POST", "/v4/mm/submit_order", young)
    ids = {"order_id": _id(answer), "external_id": young["external_id"]}
    eye.ask("POST", "/v4/mm/cancel_all_orders", {})
    eye.ask("POST", "/v4/mm/cancel_order", ids)
    _cancel_young(eye, side)
    eye.ask("POST", "/v4/mm/cancel_multiple_orders", {"data": [{}, eye.order(side, 140, 10.0)]})
    twice = [client.order(side, 130, 10.0)] * 2
    eye.ask("POST", "/v4/mm/submit_multiple_orders", {"data": [*twice, {}]})
    client.wait(1)
    by_market = {"event_id": line.event_id, "market_id": line.market_id}
    for body in (by_market, by_market | {"market_id": str(line.market_id)}, {"event_id": 1}):
        eye.ask("POST", "/v4/mm/cancel_orders_by_market", body)
    client.wait(12)
    for name in ("get_order_history", "get_trades"):
        eye.ask("GET", f"/v4/mm/{name}?from={START_NS // NS}")
    return eye.seen


def _cancel_young(eye: Eye, strike: str) -> None:
    """A cancel at once, in the first pass, later, and while a fill is being paid; then a bust."""
    body = eye.client.order(strike, 120, 10.0)
    answer = eye.ask("POST", "/v4/mm/submit_order", body)
    ids = {"order_id": _id(answer), "external_id": body["external_id"]}
    for wait_s in (0.01, 0.1, 1):
        eye.ask("POST", "/v4/mm/cancel_order", ids)
        eye.client.wait(wait_s)
    for usd in (5.0, 0.0):
        ids = eye.order(strike, 120, 10.0)
        eye.take(usd=usd)
        eye.ask("POST", "/v4/mm/cancel_order", ids)
    eye.client.wait(1)
    eye.client.call("POST", "/_box/do", {"action": "bust"})
    eye.ask("GET", f"/v4/mm/get_order/{ids['order_id']}")


def in_play(table: dict[str, Any]) -> Seen:
    """An order that is cancelled while the game runs, again and again."""
    client = a_client(table)
    client.login()
    eye = Eye(client)
    line = client.box.exchange.listing.lines[0]
    client.call("POST", "/_box/do", {"action": "go_live", "event": 1})
    ids = eye.order(line.strikes[0].strike_id, 100, 10.0)
    for _ in range(6):
        eye.ask("POST", "/v4/mm/cancel_order", ids)
        client.wait(1)
    return eye.seen


def strategies(table: dict[str, Any]) -> Seen:
    """ALO and fillOrKill against somebody else's order."""
    client = a_client(table)
    maker = Client(client.box, client.box.add_account("other", "key-o", "secret-o"))
    line = client.box.exchange.listing.lines[0]
    side, other = (strike.strike_id for strike in line.strikes)
    maker.place(side, 100, 10.0)
    client.now_ns = maker.now_ns
    client.login()
    eye = Eye(client)
    eye.order(other, 100, 20.0, order_strategy="ALO")
    eye.order(other, 100, 20.0, order_strategy="fillOrKill")
    client.wait(3)
    eye.ask("GET", f"/v4/mm/get_order_history?from={START_NS // NS}")
    return eye.seen


def money(table: dict[str, Any]) -> Seen:
    """Caps, the balance before and after fills, a refunded fill, the result with its fee."""
    client = a_client({"cash_usd": 200} | table)
    client.login()
    eye = Eye(client)
    lines = client.box.exchange.listing.lines
    eye.ask("GET", "/v4/mm/get_balance")
    eye.order(lines[0].strikes[0].strike_id, 100, 60.0)
    eye.ask("GET", "/v4/mm/get_balance")
    eye.take()
    eye.ask("GET", "/v4/mm/get_balance")
    eye.order(lines[3].strikes[0].strike_id, 100, 20.0)
    eye.order(lines[4].strikes[1].strike_id, 100, 20.0)
    eye.take()
    client.call("POST", "/_box/do", {"action": "cash", "usd": 20})
    for n in range(22, 0, -1):
        eye.order(lines[1 + n % 2].strikes[0].strike_id, 150, 19.0)
    client.call("POST", "/_box/do", {"action": "cash", "usd": 2})
    client.login()
    eye.order(lines[1].strikes[0].strike_id, 150, 1.0)
    client.wait(12)
    eye.ask("GET", "/v4/mm/get_balance")
    client.call("POST", "/_box/do", {"action": "settle"})
    eye.ask("GET", "/v4/mm/get_transactions?limit=100")
    eye.ask("GET", "/v4/mm/get_balance")
    return eye.seen


def reports(table: dict[str, Any]) -> Seen:
    """History, fills, trades and transactions, at once and later, in pages of many sizes."""
    client = a_client(table)
    client.login()
    eye = Eye(client)
    line = client.box.exchange.listing.lines[0]
    since = START_NS // NS
    names = ("get_order_history", "get_order_matched_detail", "get_trades")
    for name in names:
        eye.ask("GET", f"/v4/mm/{name}?from={since}")
    body = client.order(line.strikes[0].strike_id, 400, 10.0)
    eye.ask("POST", "/v4/mm/submit_order", body)
    client.wait(13)
    eye.ask("GET", f"/v4/mm/get_order_history?from={since}&to={since}")
    for n in range(12):
        eye.order(line.strikes[0].strike_id, 100 + 2 * n, 10.0)
        eye.take()
        eye.take()
    for limit in ("", "&limit=101", "&limit=501", "&limit=1000"):
        for name in (*names, "get_transactions"):
            eye.ask("GET", f"/v4/mm/{name}?from={since}{limit}")
    return eye.seen


def stream(table: dict[str, Any]) -> Seen:
    """Registration and everything that comes, from the first frame to the result."""
    client = a_client(table)
    client.login()
    eye = Eye(client)
    box = client.box
    event = next(iter(box.exchange.listing.events.values()))
    socket = Stream(box, box.connect(box.hub.app.key, PUSHER, client.now_ns))
    tournament = str(event.tournament.id)
    events = [str(event.event_id), "1", "2"]
    wish = [{"type": "event", "ids": events}, {"type": "tournament", "ids": [tournament]}]
    answer = _registered(eye, {"socket_id": socket.socket_id, "subscriptions": wish})
    if answer is None:
        return eye.seen
    eye.ask("GET", "/websocket/connection-config")
    strike = event.lines[0].strikes[0].strike_id
    client.place(strike, 110, 10.0)
    socket.send("pusher:signin", answer["data"]["authenticated"])
    for channel in answer["data"]["authorized_channel"]:
        data = {"channel": channel["channel_name"], "auth": channel["auth"]}
        socket.send("pusher:subscribe", data)
    eye.order(strike, 100, 20.0)
    eye.order(strike, 105, 20.0)
    eye.take(usd=5.0)
    client.wait(6)
    for action in ("bust", "go_live", "settle"):
        how = {} if action == "bust" else {"event": 1}
        client.call("POST", "/_box/do", {"action": action, **how})
        client.wait(2)
    for _ in range(11):
        client.wait(60)
        socket.send("pusher:ping", {})
    eye.frames(socket)
    eye.seen.append(socket.connection.closed)
    eye.ask("GET", f"/v4/mm/get_order_history?from={START_NS // NS}")
    return eye.seen


def _registered(eye: Eye, body: dict[str, Any]) -> dict[str, Any] | None:
    """The answer and how long it took; nothing when it was refused."""
    client = eye.client
    headers = {"Authorization": f"Bearer {client.token}"}
    raw = json.dumps(body).encode()
    box = client.box
    found = box.arrive("POST", "/partner/v4/mm/websocket", headers, raw, client.now_ns)
    assert isinstance(found, Arrival)
    eye.seen.append(box.delays_ns(found))
    reply = box.execute(found, client.now_ns)
    answer: dict[str, Any] = json.loads(reply.body)
    eye.seen.append([reply.status, tokenless(answer)])
    return answer if reply.status == 200 else None


def _id(answer: dict[str, Any]) -> str:
    order = answer["data"]["order"]
    return str(order.get("order_id") or order.get("id"))


PROBES: dict[str, Callable[[dict[str, Any]], Seen]] = {
    "log_in": log_in,
    "paths": paths,
    "market": market,
    "orders": orders,
    "in_play": in_play,
    "strategies": strategies,
    "money": money,
    "reports": reports,
    "stream": stream,
}
