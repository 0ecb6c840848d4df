"""POST /mm/pusher, the older model: one route that registers a socket and that signs a channel."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from mmbot.sim.core.messages import Json
from mmbot.sim.core.orders import Account, Refusal
from mmbot.sim.http.registration import EVENT_ID, MALFORMED, SOCKET_ID, fixed_channels
from mmbot.sim.stream.channels import EVENT_CHANNEL, Service, main_channel, user_channel
from mmbot.sim.stream.envelopes import Form, Words
from mmbot.sim.stream.hub import StreamHub

# No word is published for a channel of somebody else.
NOT_YOURS: Final = Refusal(403, "forbidden", "channel is not allowed for this account")


def authorize(
    hub: StreamHub,
    account: Account,
    fields: object,
    subscriptions_header: str = "",
    service: Service = 3,
    words: Words | None = None,
    now_ns: int = 0,
) -> Json | Refusal:
    """Both uses: `fields` are the JSON body or the form, with or without a channel_name."""
    if not isinstance(fields, dict):
        return MALFORMED
    socket_id = str(fields.get("socket_id", ""))
    tournaments = _tournaments(hub, subscriptions_header or fields.get("subscriptions"))
    if not SOCKET_ID.fullmatch(socket_id) or tournaments is None:
        return MALFORMED
    form = _form(hub, service, words)
    wanted = str(fields.get("channel_name") or main_channel(service))
    if not _may_open(account, wanted):
        return NOT_YOURS
    hub.registered(socket_id, account.user_id, {service: form}, now_ns)
    channels = fixed_channels(hub, socket_id, account, tournaments, form, service)
    data: Json = {"success": True, "status": "CONNECTED", "authorized_channel": channels}
    return {"auth": hub.app.channel_auth(socket_id, wanted), "data": data}


def _form(hub: StreamHub, service: Service, words: Words | None) -> Form:
    rules = hub.rules
    if service == 6:
        return Form(words or "order", rules.shared_books_v4)
    return Form(words or rules.pusher_words, rules.shared_books_legacy)


def _may_open(account: Account, name: str) -> bool:
    own = {user_channel(account.user_id, service) for service in (6, 3)}
    shared = {main_channel(6), main_channel(3)}
    return name in own | shared or EVENT_CHANNEL.fullmatch(name) is not None


def _tournaments(hub: StreamHub, wish: object) -> list[str] | None:
    """Ids of the wish, from a header, a form field or a list; all of them when none is named."""
    listed = [str(one) for one in hub.catalog.tournaments()] if hub.catalog is not None else []
    entries: Any = wish
    if isinstance(wish, str):
        try:
            entries = msgspec.json.decode(wish)
        except (msgspec.DecodeError, RecursionError):
            return None
    if entries is None:
        return listed
    if not isinstance(entries, list):
        return None
    found: dict[str, None] = {}
    for entry in entries[: hub.rules.ids_per_registration_max]:
        ids = entry.get("ids") if isinstance(entry, dict) else None
        if not isinstance(ids, list) or entry.get("type") != "tournament":
            continue
        for one in ids[: hub.rules.ids_per_registration_max] or listed:
            if EVENT_ID.fullmatch(str(one)):
                found[str(one)] = None
    return list(found) or listed
