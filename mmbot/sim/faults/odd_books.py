"""Books that no healthy market shows, for clients that must not quote off them."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from mmbot.sim.core.prices import complement

Level = dict[str, Any]
DEAD_PRICES = (5000, -5000)  # 0.02 and 0.98
CROSSED = 150  # both sides pay 2.5 for 1


def draw(sides: list[list[Level]], image: str) -> list[list[Level]]:
    """The same outcomes with another first level each; `image` as the switch says."""
    if len(sides) != 2 or not all(sides):
        return sides
    first = sides[0][0]["price"] or 100
    prices: tuple[int | None, int | None]
    match image:
        case "crossed":
            prices = (CROSSED, CROSSED)
        case "locked":
            prices = (first, complement(first))
        case "dead":
            prices = DEAD_PRICES
        case "one_sided":
            prices = (first, None)
        case _:
            return sides
    return [[_level(levels[0], price)] for levels, price in zip(sides, prices, strict=True)]


def _level(level: Level, price: int | None) -> Level:
    money = 0 if price is None else 50
    return level | {
        "price": price,
        "display_price": "" if price is None else f"{price:+d}",
        "quantity": money,
        "value": money,
    }


def drawn_frame(frame: str, image: str) -> str:
    """A book message of the stream with such a book in it."""
    try:
        outer = msgspec.json.decode(frame)
        data = msgspec.json.decode(outer["data"])
        payload = msgspec.json.decode(base64.b64decode(data["payload"]))
        payload["info"]["selections"] = draw(payload["info"]["selections"], image)
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return frame
    data["payload"] = base64.b64encode(msgspec.json.encode(payload)).decode()
    outer["data"] = msgspec.json.encode(data).decode()
    return msgspec.json.encode(outer).decode()
