"""From a neutral message to the text of a frame, in the words and the form a socket is told."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Final, Literal

from mmbot.sim.core.messages import Json, Outgoing
from mmbot.sim.dialects.words import in_wager_words
from mmbot.sim.stream.frames import encode
from mmbot.sim.stream.rules import StreamRules

Words = Literal["order", "wager"]
WAGER_CHANGE_TYPES: Final = {"market_strike": "market_line", "matched_order": "matched_bet"}
WAGER_RESULTS: Final = {"profit": "won", "loss": "lost"}


@dataclass(frozen=True, slots=True)
class Form:
    """What a registration promised its socket: the words, and books on the shared channel."""

    words: Words = "order"
    shared_books: bool = False


V4_FORM: Final = Form()


class Envelopes:
    """Frames as one set of rules writes them."""

    def __init__(self, rules: StreamRules) -> None:
        self._rules = rules

    def private_event(self, words: Words) -> str:
        rules = self._rules
        return rules.private_event if words == "order" else rules.private_event_legacy

    def text(self, message: Outgoing, channel: str, words: Words, tournament_id: int = 0) -> str:
        """`tournament_id` is given for a book that goes out on the shared channel."""
        event, change_type, payload = self._worded(message, words)
        if tournament_id:
            event = f"tournament_{tournament_id}"
        body: Json = {
            "timestamp": message.at_ns,
            "change_type": change_type,
            "payload": self._payload(payload),
            "op": message.op,
        }
        data = encode(body).decode() if self._rules.data_form == "string" else body
        return encode({"event": event, "channel": channel, "data": data}).decode()

    def _worded(self, message: Outgoing, words: Words) -> tuple[str, str, Json]:
        event, change_type, payload = message.event, message.change_type, message.payload
        rules = self._rules
        if change_type == "orders":
            event = change_type = self.private_event(words)
            payload = _update_named(payload, rules.update_field)
        elif change_type == "matched_order" and words == "order":
            change_type = rules.trade_print_name
        elif message.op == "d" and change_type == "sport_event":
            zero: Json = {"info": {"event_id": 0}}
            payload = payload | zero if rules.event_deleted == "zero_info" else payload
        if words == "wager":
            said = WAGER_CHANGE_TYPES.get(change_type, change_type)
            return event, said, _in_wager_words(payload)
        return event, change_type, payload

    def _payload(self, payload: Json) -> object:
        form = self._rules.payload_form
        if form == "object":
            return payload
        raw = encode(payload)
        if form == "text":
            return raw.decode()
        if form == "double":
            raw = encode(raw.decode())
        return base64.b64encode(raw).decode()


def _update_named(payload: Json, field: str) -> Json:
    """One page of the contract calls the field `update_status`."""
    info: Any = payload["info"]
    if field == "update_type" or "update_type" not in info:
        return payload
    rest = {key: value for key, value in info.items() if key != "update_type"}
    return payload | {"info": rest | {field: info["update_type"]}}


def _in_wager_words(payload: Json) -> Json:
    """As on the REST routes, except that a wager of the stream is known by `id`."""
    said: Any = in_wager_words(payload)
    info = said.get("info")
    if isinstance(info, dict) and "wager_id" in info:
        result = info.get("winning_status", "")
        info = {"id": info.pop("wager_id")} | info
        said["info"] = info | {"winning_status": WAGER_RESULTS.get(result, result)}
    return dict(said)
