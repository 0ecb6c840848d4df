"""A hub with one application and sockets on it, for tests of the protocol alone."""

from __future__ import annotations

import base64
import json
from random import Random
from typing import Any

from mmbot.sim.box import DATA
from mmbot.sim.core.messages import Outgoing
from mmbot.sim.core.orders import Account
from mmbot.sim.scenario import SessionRules
from mmbot.sim.stream.channels import AppKey
from mmbot.sim.stream.connections import Connection
from mmbot.sim.stream.frames import Close
from mmbot.sim.stream.hub import StreamHub
from mmbot.sim.stream.rules import StreamRules

VECTORS = json.loads((DATA / "contract" / "pusher_signature_vectors.json").read_text())
APP = AppKey(VECTORS["key"], VECTORS["secret"])
TOURNAMENT = 31


class OneTournament:
    """A catalog whose every event is of one tournament, with one book each."""

    def tournament_of(self, event_id: int) -> int:
        return TOURNAMENT

    def tournaments(self) -> list[int]:
        return [TOURNAMENT]

    def images(self, event_id: int, sub_type: str, now_ns: int) -> list[Outgoing]:
        return [a_book(event_id, sub_type)]


def a_hub(session: SessionRules | None = None, **rules: Any) -> StreamHub:
    chosen = StreamRules(**rules)
    return StreamHub(APP, session or SessionRules(), Random(1), chosen, OneTournament())


def an_account(name: str = "a") -> Account:
    return Account(f"5f0a8c1e-2b7d-4e55-9a41-6c0d3b7e9f{ord(name):02x}", name, 0)


def a_book(event_id: int = 11, sub_type: str = "") -> Outgoing:
    level = {"strike": 0, "strike_id": "f8", "price": -122, "quantity": 5.0, "value": 6.1}
    info = {"id": 219, "strike": 0, "selections": [[level], [level]], "sequence_number": 1}
    payload: dict[str, object] = {"sport_event_id": event_id, "market_id": 219, "info": info}
    kind = "market_selections"
    return Outgoing(1, kind, kind, "u", payload, event_id=event_id, sub_type=sub_type)


def an_order_message(account: Account, **fields: object) -> Outgoing:
    info = {"order_id": "o-1", "price": -117, "quantity": 5.0, "winning_status": "tbd"} | fields
    return Outgoing(2, "orders", "orders", "u", {"info": info}, user_id=account.user_id)


def a_socket(hub: StreamHub, now_ns: int = 0, **query: str) -> Connection:
    connection = hub.connect(APP.key, {"protocol": "7"} | query, now_ns)
    said(connection)
    return connection


def said(connection: Connection) -> list[Any]:
    """What the server sent since the last look: frames, and closes as they are."""
    found = [one if isinstance(one, Close) else json.loads(one) for one in connection.out]
    connection.out.clear()
    return found


def send(hub: StreamHub, connection: Connection, event: str, data: object, now_ns: int = 0) -> Any:
    hub.receive(connection, json.dumps({"event": event, "data": data}), now_ns)
    return said(connection)


def subscribe(hub: StreamHub, connection: Connection, channel: str) -> Any:
    auth = hub.app.channel_auth(connection.socket_id, channel)
    return send(hub, connection, "pusher:subscribe", {"channel": channel, "auth": auth})


def payload(frame: Any) -> Any:
    data = frame["data"]
    body = json.loads(data) if isinstance(data, str) else data
    return json.loads(base64.b64decode(body["payload"]))
