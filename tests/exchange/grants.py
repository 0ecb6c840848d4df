"""A registration that grants what is asked for, and counts as contract 9.3 says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mmbot.exchange.http import HttpReply
from tests.exchange.parts import Asked, FakeSocket, example, example_json, refused, reply

BOOKS = [{"name": "market_selections", "type": "market_selections"}]


@dataclass(slots=True)
class Grants:
    """Answers as a step of ScriptedHttp; `limit` is per socket, over all that it ever asked."""

    limit: int = 400
    told: int | None = None  # the figure in the answer, when it is not the true one
    fixed: int = 0  # channels that everybody has, where they are counted, too
    withheld: set[str] = field(default_factory=set)  # ids that are not granted
    counted: dict[str, set[str]] = field(default_factory=dict)

    def __call__(self, asked: Asked) -> HttpReply:
        ids = self.ids(asked)
        union = self.counted.get(asked.body["socket_id"], set()) | set(ids)
        if len(union) + self.fixed > self.limit:
            return reply(example("error.400.exceed_subscription_count.json"), 400)
        self.counted[asked.body["socket_id"]] = union
        body = example_json("websocket_register.response.v4.json")
        data = body["data"]
        data["authorized_channel"][2:] = [channel(one) for one in ids if one not in self.withheld]
        data["channel_count"] = len(union) + self.fixed
        data["channel_limit"] = self.limit if self.told is None else self.told
        return reply(body)

    @staticmethod
    def ids(asked: Asked) -> list[str]:
        """What was asked for, as it was written: "7" or "7:player_hits"."""
        return [
            one
            for subscription in asked.body["subscriptions"]
            if subscription["type"] != "tournament"
            for one in subscription["ids"]
        ]


def name_of(ident: str) -> str:
    event_id, _, sub_type = ident.partition(":")
    return f"private-event={event_id}" + (f"-subtype={sub_type}" if sub_type else "")


def channel(ident: str) -> dict[str, Any]:
    event_id, _, sub_type = ident.partition(":")
    scope: dict[str, Any] = {"event_id": int(event_id)} | (
        {"sub_type": sub_type} if sub_type else {}
    )
    return {
        "channel_name": name_of(ident),
        "auth": "key:signature",
        "binding_events": BOOKS,
        "scope": scope,
    }


def nothing_goes(_: Asked) -> HttpReply:
    return refused(500, "internal_error")


def names(*event_ids: int) -> set[str]:
    return {name_of(str(one)) for one in event_ids}


def carried(socket: FakeSocket) -> set[str]:
    """The event channels of a socket."""
    channels = [frame["data"]["channel"] for frame in socket.frames("pusher:subscribe")]
    left = {frame["data"]["channel"] for frame in socket.frames("pusher:unsubscribe")}
    return {one for one in channels if "=" in one and "service" not in one} - left
