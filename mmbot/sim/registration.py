"""POST /v4/mm/websocket: the wish of a socket, answered with signed channels."""

from __future__ import annotations

import re
from typing import Any

from mmbot.sim.lifecycle import NS
from mmbot.sim.messages import Json
from mmbot.sim.orders import Account, Refusal
from mmbot.sim.stream import (
    MAIN_CHANNEL,
    StreamHub,
    encode,
    event_channel,
    user_channel,
)

SOCKET_ID = re.compile(r"\d+\.\d+")


def canonical_sub_type(text: str) -> str:
    """Lower case; blank, slash and dash become one underscore; other punctuation goes."""
    text = re.sub(r"[\s/\-]", "_", text.strip().lower())
    return re.sub(r"_+", "_", re.sub(r"[^a-z0-9_]", "", text)).strip("_")


def register(
    hub: StreamHub, account: Account, body: object, channel_limit: int, now_ns: int
) -> Json | Refusal:
    """The answer to a registration; the union of all wishes of a socket is counted."""
    wish = body.get("subscriptions") if isinstance(body, dict) else None
    socket_id = str(body.get("socket_id", "")) if isinstance(body, dict) else ""
    if not SOCKET_ID.fullmatch(socket_id) or not isinstance(wish, list | None):
        return Refusal(400, "invalid_request", "socket_id or subscriptions malformed")
    accepted: list[Json] = []
    rejected: list[Json] = []
    scopes: dict[str, Json] = {}
    tournaments: list[str] = []
    for entry in wish or []:
        _sort(entry, (accepted, rejected, tournaments), scopes)
    connection = hub.connections.get(socket_id)
    union = set(scopes) | (connection.known if connection is not None else set())
    if len(union) > channel_limit:
        return Refusal(400, "exceed_subscription_count", "subscription limit exceeded")
    if connection is not None:
        connection.known = union
    own = user_channel(account.user_id)
    user_data = encode({"id": account.user_id}).decode()
    general: list[Json] = [{"name": f"tournament_{t}", "type": "tournament"} for t in tournaments]
    channels = [
        _channel(hub, socket_id, MAIN_CHANNEL, [*general, {"name": "general", "type": "general"}]),
        _channel(
            hub,
            socket_id,
            own,
            [
                {"name": "orders", "type": "orders"},
                {"name": "health_check", "type": "private_system_signal"},
            ],
        ),
    ]
    binding: list[Json] = [{"name": "market_selections", "type": "market_selections"}]
    for name, scope in scopes.items():
        channels.append(_channel(hub, socket_id, name, binding) | {"scope": scope})
    data: Json = {
        "success": True,
        "status": "CONNECTED",
        "updated_at": now_ns // NS,
        "subscriptions": accepted,
        "authorized_channel": channels,
        "channel_count": len(union),
        "channel_limit": channel_limit,
        "authenticated": {
            "auth": hub.app.user_auth(socket_id, user_data),
            "user_data": user_data,
        },
    }
    if rejected:
        data["rejected"] = rejected
    return {"auth": hub.app.channel_auth(socket_id, own), "data": data}


def _sort(
    entry: object,
    lists: tuple[list[Json], list[Json], list[str]],
    scopes: dict[str, Json],
) -> None:
    """Put the ids of one wish where they belong: accepted, rejected, tournaments, scopes."""
    accepted, rejected, tournaments = lists
    kind = entry.get("type") if isinstance(entry, dict) else None
    ids: Any = entry.get("ids") if isinstance(entry, dict) else None
    good: list[str] = []
    for raw in ids if isinstance(ids, list) else []:
        text = str(raw)
        reason = _reason(str(kind), text)
        if reason:
            rejected.append({"type": kind, "id": text, "reason": reason})
            continue
        good.append(text)
        if kind == "tournament":
            tournaments.append(text)
            continue
        event_id, _, sub_type = text.partition(":")
        sub_type = canonical_sub_type(sub_type)
        scope: Json = {"event_id": int(event_id)}
        if sub_type:
            scope["sub_type"] = sub_type
        scopes[event_channel(int(event_id), sub_type)] = scope
    if good:
        accepted.append({"type": kind, "ids": good})


def _reason(kind: str, text: str) -> str:
    if kind not in ("event", "event_subtype", "tournament"):
        return "unknown_type"
    if text in ("all", "*"):
        return "wildcard_not_allowed"
    event_id, colon, sub_type = text.partition(":")
    if not event_id.isdecimal():
        return "malformed_id"
    if kind == "event_subtype" and not (colon and canonical_sub_type(sub_type)):
        return "malformed_id"
    return "malformed_id" if kind != "event_subtype" and colon else ""


def _channel(hub: StreamHub, socket_id: str, name: str, bindings: list[Json]) -> Json:
    return {
        "channel_name": name,
        "auth": hub.app.channel_auth(socket_id, name),
        "binding_events": bindings,
    }
