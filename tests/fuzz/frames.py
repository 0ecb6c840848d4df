"""Frames of a server that is right, wrong or broken, drawn from a seed."""

from __future__ import annotations

import base64
import binascii
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

EXAMPLES: Final = Path(__file__).resolve().parents[2] / "mmbot" / "data" / "contract"
DEPTHS: Final = (3, 200, 5_000)  # of nesting; the last is deeper than any parser here follows
TEXTS: Final = (
    "", "\x00", "é", "\ud800", "{}", "[]", "null", "e30=", "=", "1e400", "-0", "9" * 400, "NaN",
    "inf", "4001",
)  # fmt: skip
NUMBERS: Final = (
    0,
    -1,
    1,
    0.5,
    2**31,
    2**63,
    2**64,
    10**30,
    -(10**30),
    10**400,
    1e308,
    -0.0,
    1e-320,
)
CONTROLS: Final = (
    "pusher:connection_established", "pusher:error", "pusher:ping", "pusher:pong",
    "pusher:signin_success", "pusher_internal:subscription_succeeded",
    "pusher:subscription_succeeded", "pusher:subscription_error", "pusher:cache_miss",
    "pusher_internal:member_added", "pusher:", "pusher",
)  # fmt: skip
SOCKET_IDS: Final = ("", "9.9", 9.9, None)  # not ours
CODES: Final = (*range(4000, 4010), 4100, 4200, 4201, 4202, 4300, 4301, 0, -1, 1006, 10**12)


def examples() -> tuple[dict[str, Any], ...]:
    """Application frames of the contract, as they come on the wire."""
    names = sorted(EXAMPLES.glob("ws_*.wire.json"))
    assert names
    return tuple(json.loads(path.read_text(encoding="utf-8")) for path in names)


class Frames:
    """`next(channels)` is a frame that a server might send to who has these channels."""

    def __init__(self, draw: random.Random, corpus: Sequence[dict[str, Any]]) -> None:
        self._draw = draw
        self._corpus = corpus

    def next(self, socket_id: str, channels: Sequence[str]) -> str | bytes:
        kinds: tuple[Callable[[], Any], ...] = (
            lambda: self._control(socket_id, channels),
            lambda: self._message(channels),
            lambda: self.bent(self._control(socket_id, channels)),
            lambda: self.bent(self._message(channels)),
            lambda: self._bent_inside(self._message(channels)),
        )
        frame = self._draw.choices(kinds, (6, 4, 2, 2, 4))[0]()
        return self._on_the_wire(frame)

    # --- what a server means ----------------------------------------------------------------

    def _control(self, socket_id: str, channels: Sequence[str]) -> dict[str, Any]:
        draw = self._draw
        event = draw.choice(CONTROLS)
        frame: dict[str, Any] = {"event": event}
        match event.partition(":")[2]:
            case "connection_established":
                frame["data"] = {"socket_id": draw.choice((socket_id,) * 6 + SOCKET_IDS)}
                if draw.random() < 0.5:
                    frame["data"]["activity_timeout"] = draw.choice((*NUMBERS, 30, 120, "30"))
            case "error":
                if draw.random() < 0.9:  # or no life would be long
                    return {"event": "pusher:ping"}
                frame["data"] = {"code": draw.choice((*CODES, None, "4001")), "message": "no"}
            case "subscription_succeeded" | "subscription_error":
                frame["channel"] = draw.choice((*channels, *channels, "private-nobodys"))
                frame["data"] = draw.choice(({}, {"type": "AuthError", "status": 401}, None))
            case _:
                frame["data"] = {}
        if draw.random() < 0.5 and "data" in frame:
            frame["data"] = json.dumps(frame["data"])
        return frame

    def _message(self, channels: Sequence[str]) -> dict[str, Any]:
        frame = dict(self._draw.choice(self._corpus))
        if channels and self._draw.random() < 0.5:
            frame["channel"] = self._draw.choice(channels)
        return frame

    # --- what comes of it -------------------------------------------------------------------

    def bent(self, frame: Any) -> Any:
        """One to three nodes of it are something else, gone, or under another name."""
        for _ in range(self._draw.randint(1, 3)):
            frame = self._bend(frame)
        return frame

    def _bend(self, node: Any) -> Any:
        draw = self._draw
        if isinstance(node, dict) and node and draw.random() < 0.8:
            key = draw.choice(sorted(node))
            bent = {name: value for name, value in node.items() if name != key}
            match draw.randrange(6):
                case 0:
                    return bent
                case 1:
                    return bent | {draw.choice(TEXTS): node[key]}
                case _:
                    return bent | {key: self._bend(node[key])}
        if isinstance(node, list) and node and draw.random() < 0.8:
            at = draw.randrange(len(node))
            return [*node[:at], self._bend(node[at]), *node[at + draw.randint(0, 1) :]]
        return self._anything()

    def _anything(self) -> Any:
        draw = self._draw
        match draw.randrange(7):
            case 0:
                return None
            case 1:
                return draw.choice((True, False))
            case 2:
                return draw.choice(NUMBERS)
            case 3:
                return draw.choice(TEXTS)
            case 4:
                return [self._anything() for _ in range(draw.randint(0, 3))]
            case 5:
                return {draw.choice(("id", "info", "data", "")): self._anything()}
            case _:
                return draw.randbytes(draw.randint(0, 40)).decode("latin-1")

    def _bent_inside(self, frame: dict[str, Any]) -> dict[str, Any]:
        """The payload, two wrappings further in, is bent and wrapped again, in any way."""
        draw = self._draw
        try:
            data = json.loads(frame["data"])
            payload = json.loads(base64.b64decode(data["payload"]))
        except (KeyError, TypeError, ValueError, binascii.Error):
            return frame
        inner = json.dumps(self.bent(payload))
        if draw.random() < 0.05:
            depth = draw.choice(DEPTHS)
            inner = f'{{"info":{"[" * depth}{"]" * depth}}}'
        raw = inner.encode(errors="surrogatepass")
        if draw.random() < 0.2:
            raw = self._damaged(raw)
        data["payload"] = base64.b64encode(raw).decode()
        match draw.randrange(8):
            case 0:
                data["payload"] = inner
            case 1:
                data["payload"] = base64.b64encode(json.dumps(inner).encode()).decode()
            case 2:
                return frame | {"data": data}
            case _:
                pass
        return frame | {"data": json.dumps(data)}

    def _on_the_wire(self, frame: Any) -> str | bytes:
        draw = self._draw
        text = json.dumps(frame, ensure_ascii=draw.random() < 0.5)
        match draw.randrange(40):
            case 0:
                return self._damaged(text.encode(errors="surrogatepass"))
            case 1:
                return self._deep()
            case 2:
                return text[: draw.randint(0, len(text))]
            case 3:
                return draw.randbytes(draw.randint(0, 200))
            case 4:
                return text  # as the socket in memory gives it
            case _:
                return text.encode(errors="surrogatepass")

    def _deep(self) -> str:
        """A tower of brackets, in a place that we read or in one that we do not know."""
        draw = self._draw
        depth = draw.choice(DEPTHS)
        tower = "[" * depth + "]" * depth
        data = draw.choice((tower, f'{{"new":{tower}}}', f'{{"payload":{tower}}}'))
        data = draw.choice((data, json.dumps(data)))
        return f'{{"event":"{draw.choice(("orders", *CONTROLS))}","data":{data}}}'

    def _damaged(self, raw: bytes) -> bytes:
        damaged = bytearray(raw)
        for _ in range(self._draw.randint(1, 4)):
            if damaged:
                damaged[self._draw.randrange(len(damaged))] = self._draw.randrange(256)
        return bytes(damaged)
