"""Entries as JSON: one table of kinds. A kind's name is for ever, its class may be renamed."""

from __future__ import annotations

from typing import Final

import msgspec

from mmbot.domain.entries import (
    Entry,
    OperatorNoted,
    OrderStepped,
    PlaceIntended,
    RunStarted,
    SettlementSeen,
    TransactionBooked,
)

KINDS: Final[dict[str, type[Entry]]] = {
    "run": RunStarted,
    "intent": PlaceIntended,
    "step": OrderStepped,
    "settlement": SettlementSeen,
    "transaction": TransactionBooked,
    "operator": OperatorNoted,
}
_KIND_OF: Final = {cls: kind for kind, cls in KINDS.items()}
_DECODERS: Final[dict[str, msgspec.json.Decoder[Entry]]] = {
    kind: msgspec.json.Decoder(cls) for kind, cls in KINDS.items()
}
_encode: Final = msgspec.json.Encoder().encode


class UnknownKind(ValueError):
    """An entry of a later mmbot, or of a damaged file."""


def encode(entry: Entry) -> tuple[str, bytes]:
    return _KIND_OF[type(entry)], _encode(entry)


def decode(kind: str, body: bytes) -> Entry:
    """Raises UnknownKind or msgspec.MsgspecError."""
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise UnknownKind(f"entry of unknown kind {kind!r}")
    return decoder.decode(body)
