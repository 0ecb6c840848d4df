"""What a socket may subscribe to: POST /v4/mm/websocket, connection-config."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from mmbot.sim.core.lifecycle import NS
from mmbot.sim.core.messages import Json
from mmbot.sim.core.orders import Account, Refusal
from mmbot.sim.faults.switches import Switches
from mmbot.sim.stream.channels import Service, event_channel, main_channel, user_channel
from mmbot.sim.stream.envelopes import V4_FORM, Form
from mmbot.sim.stream.hub import StreamHub, encode

SOCKET_ID = re.compile(r"\d{1,20}\.\d{1,20}", re.ASCII)
EVENT_ID = re.compile(r"\d{1,10}", re.ASCII)
EVENT_ID_MAX: Final = 2_147_483_647
ECHOED_CHARS_MAX: Final = 200
SUB_TYPE_CHARS_MAX: Final = 100
MALFORMED: Final = Refusal(400, "invalid_request", "socket_id or subscriptions malformed")
TOO_MANY: Final = Refusal(400, "exceed_subscription_count", "subscription limit exceeded")
BOOKS: Final = "market_selections"


def canonical_sub_type(text: str) -> str:
    """Lower case; blank, slash and dash become one underscore; other punctuation goes."""
    text = re.sub(r"[\s/\-]", "_", text.strip().lower())
    return re.sub(r"_+", "_", re.sub(r"[^a-z0-9_]", "", text)).strip("_")


@dataclass(slots=True)
class Wish:
    """The ids of a registration, each where it belongs; `scopes` are by channel name."""

    accepted: list[Json] = field(default_factory=list)
    rejected: list[Json] = field(default_factory=list)
    tournaments: list[str] = field(default_factory=list)
    scopes: dict[str, Json] = field(default_factory=dict)


def register(
    hub: StreamHub,
    account: Account,
    body: object,
    channel_limit: int,
    now_ns: int,
    switches: Switches | None = None,
) -> Json | Refusal:
    """The answer to a registration; the union of all wishes of a socket is counted."""
    entries = body.get("subscriptions") if isinstance(body, dict) else None
    socket_id = str(body.get("socket_id", "")) if isinstance(body, dict) else ""
    if not SOCKET_ID.fullmatch(socket_id) or not isinstance(entries, list | None):
        return MALFORMED
    wish = _understood(hub, entries or [], switches or Switches())
    connection = hub.connections.get(socket_id)
    union = set(wish.scopes) if wish is not None else set()
    if connection is not None:
        union |= connection.known
    if wish is None or len(union) > channel_limit:
        return TOO_MANY
    if connection is not None:
        connection.known = union
    service, form = hub.rules.channel_service, Form("order", hub.rules.shared_books_v4)
    hub.registered(socket_id, account.user_id, {service: form}, now_ns)
    channels = fixed_channels(hub, socket_id, account, wish.tournaments, V4_FORM, service)
    for name, scope in wish.scopes.items():
        channels.append(channel(hub, socket_id, name, [(BOOKS, BOOKS)]) | {"scope": scope})
    count = len(union) + (2 if hub.rules.channel_count == "all" else 0)
    data: Json = {
        "success": True,
        "status": "CONNECTED",
        "updated_at": now_ns // NS,
        "subscriptions": wish.accepted,
        "authorized_channel": channels,
        "channel_count": count,
        "channel_limit": channel_limit,
    }
    if hub.rules.signin_block:
        user_data = encode({hub.rules.user_data_key: account.user_id}).decode()
        auth = hub.app.user_auth(socket_id, user_data)
        data["authenticated"] = {"auth": auth, "user_data": user_data}
    if wish.rejected or hub.rules.rejected_when_none == "null":
        data["rejected"] = wish.rejected or None
    own = user_channel(account.user_id, service)
    return {"auth": hub.app.channel_auth(socket_id, own), "data": data}


def fixed_channels(
    hub: StreamHub,
    socket_id: str,
    account: Account,
    tournaments: Iterable[str],
    form: Form,
    service: Service,
) -> list[Json]:
    """The main public channel and the account's own: always open, never counted."""
    general = [(f"tournament_{one}", "tournament") for one in tournaments]
    private = hub.private_event(form.words)
    beat = ("health_check", "private_system_signal")
    shared = [*general, ("general", "general")]
    if hub.rules.health_check_on == "all":
        shared.append(beat)
    own = [(private, private), beat]
    return [
        channel(hub, socket_id, main_channel(service), shared),
        channel(hub, socket_id, user_channel(account.user_id, service), own),
    ]


def channel(hub: StreamHub, socket_id: str, name: str, bindings: list[tuple[str, str]]) -> Json:
    """One authorised channel; its signature is good for this name and this socket only."""
    plain = hub.rules.binding_events == "strings"
    shown = [one if plain else {"name": one, "type": kind} for one, kind in bindings]
    return {
        "channel_name": name,
        "auth": hub.app.channel_auth(socket_id, name),
        "binding_events": shown,
    }


def connection_config(hub: StreamHub, host: str) -> Json:
    """GET /websocket/connection-config; `host` is where the box listens, its port included."""
    moved = hub.address.host
    if moved and ":" not in moved:
        moved += ":" + host.rpartition(":")[2]
    config: Json = {
        "app_id": "1840021",
        "key": hub.app.key,
        "cluster": hub.address.cluster,
        "ws_host": moved or host,
        "service": "pusher",
    }
    if not hub.rules.ws_host_shown:
        del config["ws_host"]
    return {"data": config} if hub.rules.config_wrapped else config


def _understood(hub: StreamHub, entries: list[object], switches: Switches) -> Wish | None:
    """Every id judged; nothing when there are more than a registration may hold."""
    wish, left = Wish(), hub.rules.ids_per_registration_max
    for entry in entries:
        ids: Any = entry.get("ids") if isinstance(entry, dict) else None
        left -= len(ids) + 1 if isinstance(ids, list) else 1
        if left < 0:
            return None
        _sort(hub, entry, wish, switches)
    return wish


def _sort(hub: StreamHub, entry: object, wish: Wish, switches: Switches) -> None:
    """Put the ids of one entry where they belong."""
    kind = str(entry.get("type"))[:ECHOED_CHARS_MAX] if isinstance(entry, dict) else "None"
    ids: Any = entry.get("ids") if isinstance(entry, dict) else None
    good: list[str] = []
    for raw in ids if isinstance(ids, list) else []:
        text = str(raw)
        reason = _reason(hub, kind, text)
        if switches.first_rejected and kind != "tournament" and not wish.rejected:
            reason = reason or "malformed_id"
        if reason:
            shown = text[:ECHOED_CHARS_MAX]
            wish.rejected.append({"type": kind, "id": shown, "reason": reason})
            continue
        good.append(text)
        if kind == "tournament":
            wish.tournaments.append(text)
            continue
        event_id, _, sub_type = text.partition(":")
        sub_type = canonical_sub_type(sub_type)
        scope: Json = {"event_id": int(event_id)}
        if sub_type:
            scope["sub_type"] = sub_type.upper() if switches.scopes_in_capitals else sub_type
        name = event_channel(int(event_id), sub_type, hub.rules.channel_service)
        wish.scopes[name] = scope
    if good:
        wish.accepted.append({"type": kind, "ids": good})


def _reason(hub: StreamHub, kind: str, text: str) -> str:
    known = ("event", "event_subtype", "tournament")
    refused = kind == "tournament" and hub.rules.tournament_entry == "unknown_type"
    if kind not in known or refused:
        return "unknown_type"
    if text in ("all", "*"):
        return "wildcard_not_allowed"
    event_id, colon, sub_type = text.partition(":")
    if not EVENT_ID.fullmatch(event_id) or not 1 <= int(event_id) <= EVENT_ID_MAX:
        return "malformed_id"
    sub_type = canonical_sub_type(sub_type)
    if kind == "event_subtype":
        fits = colon and sub_type and len(sub_type) <= SUB_TYPE_CHARS_MAX
        return "" if fits else "malformed_id"
    return "malformed_id" if colon else ""
