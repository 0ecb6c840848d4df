"""Answers and frames that are well formed and strange: what a tolerant reader must survive."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

Fields = dict[str, Any]


def _unknown_field(fields: Fields) -> None:
    fields["field_of_next_year"] = {"of": [1, None, "x"]}


def _unknown_word(fields: Fields) -> None:
    for name in ("status", "matching_status", "winning_status", "update_type"):
        if name in fields:
            fields[name] = "word_of_next_year"
            return


def _null_average(fields: Fields) -> None:
    for name in ("fill_price", "profit", "average_price", "value"):
        if name in fields:
            fields[name] = None


def _price_zero(fields: Fields) -> None:
    for name in ("fill_price", "price"):
        if name in fields:
            fields[name] = 0


def _no_strike(fields: Fields) -> None:
    fields.pop("strike", None)


def _text_numbers(fields: Fields) -> None:
    for name in ("quantity", "price", "market_id", "outcome_id"):
        if name in fields:
            fields[name] = str(fields[name])


def _no_external_id(fields: Fields) -> None:
    fields.pop("external_id", None)


ODDITIES: Final[tuple[Callable[[Fields], None], ...]] = (
    _unknown_field,
    _unknown_word,
    _null_average,
    _price_zero,
    _no_strike,
    _text_numbers,
)
# Not of an answer: a list without them would prove that orders in doubt are absent.
ODD_FRAMES: Final = (*ODDITIES, _no_external_id)


def odd_answer(body: bytes, chance: float) -> bytes:
    """A REST answer in which one thing about every order, fill or level is odd."""
    try:
        answer = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body
    _spoil(answer, ODDITIES[int(chance * len(ODDITIES))])
    return msgspec.json.encode(answer)


def odd_frame(frame: str, chance: float) -> str:
    """A frame of the stream with something odd in its payload."""
    try:
        outer = msgspec.json.decode(frame)
        data = msgspec.json.decode(outer["data"])
        payload = msgspec.json.decode(base64.b64decode(data["payload"]))
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return frame
    _spoil(payload, ODD_FRAMES[int(chance * len(ODD_FRAMES))])
    data["payload"] = base64.b64encode(msgspec.json.encode(payload)).decode()
    outer["data"] = msgspec.json.encode(data).decode()
    return msgspec.json.encode(outer).decode()


def _spoil(found: object, oddity: Callable[[Fields], None]) -> None:
    for fields in _rows(found):
        oddity(fields)


def _rows(found: object) -> Iterator[Fields]:
    """Every object that speaks of an order, a fill or a price level."""
    if isinstance(found, dict):
        if "price" in found or "strike_id" in found or "fill_price" in found:
            yield found
        for inner in list(found.values()):
            yield from _rows(inner)
    elif isinstance(found, list):
        for inner in found:
            yield from _rows(inner)
