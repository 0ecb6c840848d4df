"""Entries as JSON: one table of kinds. A kind's name is for ever, its class may be renamed."""

from __future__ import annotations

from typing import Final

import msgspec

from mmbot.domain.difference import DifferenceFound
from mmbot.domain.entries import (
    BalanceNoted,
    BreakerTripped,
    CaseClosed,
    CaseOpened,
    EdgeNoted,
    Entry,
    FillDisputed,
    FillReversed,
    OperatorNoted,
    OrderStepped,
    PlaceIntended,
    RunStarted,
    SettlementSeen,
    TransactionBooked,
)
from mmbot.domain.evidence import Evidence, Kind
from mmbot.domain.ids import ExternalId
from mmbot.domain.notes import IdExists, ManualSeen, RequestAnswered, RequestSent, ResendDecided
from mmbot.domain.order import Order, State, Step

KINDS: Final[dict[str, type[Entry]]] = {
    "run": RunStarted,
    "intent": PlaceIntended,
    "step": OrderStepped,
    "settlement": SettlementSeen,
    "transaction": TransactionBooked,
    "operator": OperatorNoted,
    "fill_reversed": FillReversed,
    "fill_disputed": FillDisputed,
    "balance": BalanceNoted,
    "case_opened": CaseOpened,
    "case_closed": CaseClosed,
    "sent": RequestSent,
    "answered": RequestAnswered,
    "resend": ResendDecided,
    "id_exists": IdExists,
    "manual": ManualSeen,
    "difference": DifferenceFound,
    "breaker": BreakerTripped,
    "edge": EdgeNoted,
}
# For the story alone (domain/notes.py): no ledger is rebuilt from them.
STORY_KINDS: Final = frozenset({"sent", "answered", "resend", "difference"})
_KIND_OF: Final = {cls: kind for kind, cls in KINDS.items()}
_DECODERS: Final[dict[str, msgspec.json.Decoder[Entry]]] = {
    kind: msgspec.json.Decoder(cls) for kind, cls in KINDS.items()
}
_encode: Final = msgspec.json.Encoder().encode


class _TextStep(msgspec.Struct):
    """A step as it was written before evidence had kinds."""

    external_id: ExternalId
    step: Step
    state: State
    filled_cents: int
    order_id: str
    cancel_wanted: bool
    evidence: str
    at_ns: int


_TEXT_STEP: Final = msgspec.json.Decoder(_TextStep)


class _LeanIntent(msgspec.Struct):
    """An intent without its story: why it was wished, and what the gate saw."""

    order: Order
    adopted: bool = False


_LEAN_INTENT: Final = msgspec.json.Decoder(_LeanIntent)


class UnknownKind(ValueError):
    """An entry of a later mmbot, or of a damaged file."""


def encode(entry: Entry) -> tuple[str, bytes]:
    return _KIND_OF[type(entry)], _encode(entry)


def decode(kind: str, body: bytes) -> Entry:
    """Raises UnknownKind or msgspec.MsgspecError."""
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise UnknownKind(f"entry of unknown kind {kind!r}")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        if decoder is not _DECODERS["step"]:
            raise
        return _text_step(_TEXT_STEP.decode(body))


def decode_lean(kind: str, body: bytes) -> Entry:
    """As `decode`, without what no ledger is rebuilt from."""
    if kind == "intent":
        intent = _LEAN_INTENT.decode(body)
        return PlaceIntended(intent.order, intent.adopted)
    return decode(kind, body)


def _text_step(old: _TextStep) -> OrderStepped:
    return OrderStepped(
        old.external_id,
        old.step,
        old.state,
        old.filled_cents,
        old.order_id,
        old.cancel_wanted,
        Evidence(Kind.TEXT, detail=old.evidence),
        old.at_ns,
    )
