"""Examples of requests and of client frames: their fields, and what the box does with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from mmbot.sim.conformance.fields import Spec, misfits
from mmbot.sim.conformance.stage import Stage
from mmbot.sim.rules import Rules

ORDER: Final = {
    "external_id": "text",
    "strike_id": "text",
    "price": "number",
    "quantity": "number",
}
WITH_STRATEGY: Final = {**ORDER, "order_strategy": "text"}
WAGER: Final = {
    "external_id": "text",
    "line_id": "text",
    "odds": "number",
    "stake": "number",
    "wager_strategy": "text",
}
PAIR: Final = {"order_id": "text", "external_id": "text"}
WISH: Final = {"type": "text", "ids": ["text"]}
REGISTRATION: Final = {"socket_id": "text", "service": "text", "subscriptions": [WISH]}


@dataclass(frozen=True, slots=True)
class Sent:
    """Where an example goes and which fields it has."""

    path: str
    fields: Spec


REQUESTS: Final = {
    "auth_login.request.json": Sent("/auth/login", {"access_key": "text", "secret_key": "text"}),
    "auth_refresh.request.json": Sent("/auth/refresh", {"refresh_token": "text"}),
    "submit_order.request.v4.json": Sent("/v4/mm/submit_order", ORDER),
    "submit_order.request.v4.alo.json": Sent("/v4/mm/submit_order", WITH_STRATEGY),
    "submit_order.request.v4.fill_or_kill.json": Sent("/v4/mm/submit_order", WITH_STRATEGY),
    "submit_multiple_orders.request.v4.json": Sent(
        "/v4/mm/submit_multiple_orders", {"data": [ORDER]}
    ),
    "place_order.request.seed.json": Sent("/mm/place_order", ORDER),
    "place_wager.request.legacy.json": Sent("/mm/place_wager", WAGER),
    "cancel_order.request.v4.json": Sent("/v4/mm/cancel_order", PAIR),
    "cancel_order.request.seed.json": Sent("/mm/cancel_order", PAIR),
    "cancel_wager.request.legacy.json": Sent(
        "/mm/cancel_wager", {"wager_id": "text", "external_id": "text"}
    ),
    "cancel_multiple_orders.request.v4.json": Sent(
        "/v4/mm/cancel_multiple_orders", {"data": [PAIR]}
    ),
    "cancel_all_orders.request.v4.json": Sent("/v4/mm/cancel_all_orders", {}),
    "cancel_orders_by_event.request.v4.json": Sent(
        "/v4/mm/cancel_orders_by_event", {"event_id": "number"}
    ),
    "cancel_orders_by_market.request.v4.json": Sent(
        "/v4/mm/cancel_orders_by_market",
        {"event_id": "number", "market_id": "number", "strike_id": "text"},
    ),
    "websocket_register.request.v4.json": Sent("/v4/mm/websocket", REGISTRATION),
    "websocket_register.request.v4.private_only.json": Sent("/v4/mm/websocket", REGISTRATION),
    "pusher_auth.request.legacy_json.json": Sent(
        "/mm/pusher", {"socket_id": "text", "subscriptions": [WISH]}
    ),
}
FORM_EXAMPLE: Final = "pusher_auth.request.legacy_form.json"
FORM: Final = {
    "content_type": "text",
    "headers": {"Authorization": "text", "header-subscriptions": "text"},
    "body": "text",
}
FRAMES: Final[dict[str, tuple[Spec, str]]] = {
    "ws_frame.signin.json": ({"auth": "text", "user_data": "text"}, "pusher:signin_success"),
    "ws_frame.subscribe.json": (
        {"auth": "text", "channel": "text"},
        "pusher_internal:subscription_succeeded",
    ),
    "ws_frame.unsubscribe.json": ({"channel": "text"}, ""),
    "ws_frame.ping.json": ({}, "pusher:pong"),
    "ws_frame.pong.json": ({}, ""),
}


def request_problems(name: str, content: Any) -> Iterator[str]:
    """What is wrong with an example of a request, by its fields and by the box's own answer."""
    if name in FRAMES:
        yield from _frame_problems(name, content)
        return
    spec = FORM if name == FORM_EXAMPLE else REQUESTS[name].fields
    found = list(misfits(content, spec, ""))
    yield from found
    if not found:
        yield from _form_refused(content) if name == FORM_EXAMPLE else _refused(name, content)


# -- sending ------------------------------------------------------------------------------


class _Facts:
    """Ids that are alive on a stage, to stand for those of an example."""

    def __init__(self) -> None:
        self.stage = stage = Stage(rules=Rules(first_pass_ms=0))
        self.caller = stage.maker
        self.line = stage.line()
        home, away = self.line.strikes
        tokens = self.caller.login()["data"]
        self.listener = self.caller.listen()
        rests = [self.caller.place(home.strike_id, 150, 10.0) for _ in range(2)]
        stage.other.place(away.strike_id, -200, 10.0)
        self.pairs = rests
        self.strikes = [home.strike_id, away.strike_id]
        self.values: dict[str, Callable[[int], object]] = {
            **{key: _always(value) for key, value in self.caller.keys().items()},
            "refresh_token": lambda _: tokens["refresh_token"],
            "socket_id": lambda _: self.listener.socket_id,
            "event_id": lambda _: self.line.event_id,
            "market_id": lambda _: self.line.market_id,
            "order_id": lambda n: rests[n % 2]["order_id"],
            "wager_id": lambda n: rests[n % 2]["order_id"],
        }

    def alive(self, content: Any, number: int = 0) -> Any:
        """The example with ids of this box where it has ids of its own."""
        if isinstance(content, list):
            return [self.alive(one, n) for n, one in enumerate(content)]
        if not isinstance(content, dict):
            return content
        said = {key: self.alive(value, number) for key, value in content.items()}
        for key, value in self.values.items():
            if key in said:
                said[key] = value(number)
        if "order_id" in said or "wager_id" in said:
            if "external_id" in said:
                said["external_id"] = self.pairs[number % 2]["external_id"]
        else:
            for key in ("strike_id", "line_id"):
                if key in said and said[key] != "unknown":
                    said[key] = self.strikes[0]
        return said


def _always(value: object) -> Callable[[int], object]:
    return lambda _: value


def _refused(name: str, content: Any) -> Iterator[str]:
    facts = _Facts()
    status, answer = facts.caller.ask("POST", REQUESTS[name].path, facts.alive(content))
    if status != 200:
        yield f"the box answers {status} {answer}"
        return
    data = answer["data"]
    if isinstance(data, dict) and data.get("succeed_orders") == []:
        yield f"the box takes none of the batch: {data['failed_orders']}"
    if isinstance(data, list) and not all(item["success"] for item in data):
        yield f"the box refuses an item: {data}"


def _form_refused(content: Any) -> Iterator[str]:
    facts = _Facts()
    fields = dict(parse_qsl(content["body"]))
    if "socket_id" in fields:
        fields["socket_id"] = facts.listener.socket_id
    headers = {key: value for key, value in content["headers"].items() if key != "Authorization"}
    headers["Content-Type"] = content["content_type"]
    raw = urlencode(fields).encode()
    status, answer = facts.caller.ask("POST", "/mm/pusher", raw, headers)
    if status != 200:
        yield f"the box answers {status} {answer}"
        return
    names = [one["channel_name"] for one in answer["data"]["authorized_channel"]]
    if fields.get("channel_name") not in names:
        yield f"body: channel_name {fields.get('channel_name')!r} is none of {names}"
    if "header-subscriptions" not in headers:
        yield "headers.header-subscriptions: needed by the box, not in the example"


def _frame_problems(name: str, content: Any) -> Iterator[str]:
    spec, answer = FRAMES[name]
    yield from misfits(content, {"event": "text", "data": spec}, "")
    facts = _Facts()
    stage, listener = facts.stage, facts.listener
    event, data = content.get("event"), content.get("data")
    wanted = name.removeprefix("ws_frame.").removesuffix(".json")
    if event != f"pusher:{wanted}":
        yield f"event: {event!r} is not pusher:{wanted}"
        return
    if isinstance(data, dict):
        hub, socket_id = stage.box.hub, listener.socket_id
        if "user_data" in data:
            user_data = json.dumps({"id": stage.box.maker.user_id})
            data = {"user_data": user_data, "auth": hub.app.user_auth(socket_id, user_data)}
        elif "auth" in data:
            channel = str(data.get("channel"))
            data = {"channel": channel, "auth": hub.app.channel_auth(socket_id, channel)}
    listener.frames()
    listener.seen.clear()
    listener.send(str(event), data)
    heard = [frame["event"] for frame in listener.frames()]
    if answer and answer not in heard:
        yield f"the box says {heard} instead of {answer}"
