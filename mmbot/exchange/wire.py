"""Bodies as the exchange sends them: only the fields that are used, every list nullable.

Unknown fields are ignored by msgspec. Items of lists stay raw where one bad item must not hide
the others. Numbers are exact (Decimal); ids may be numbers or text. Older names are aliases.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec

T = TypeVar("T")
Ident = int | str | None
Number = Decimal | None
Raw = msgspec.Raw
NOTHING: Final = Raw()

# Not only what is no JSON: also what is no text, and what is nested deeper than we can follow.
UNREADABLE: Final = (msgspec.DecodeError, UnicodeError, RecursionError)


class Unreadable(ValueError):
    """A body that is not what the contract says; the message holds no part of the body."""


class Envelope(msgspec.Struct):
    data: Raw = NOTHING
    next_cursor: str | None = None
    last_synced_at: str | int | float | None = None


class Tokens(msgspec.Struct):
    access_token: str = ""
    access_expire_time: Number = None
    refresh_token: str | None = None
    refresh_expire_time: Number = None


class Balance(msgspec.Struct):
    balance: Number = None
    matched_order_balance: Number = None
    gec_balance: Raw = NOTHING  # only shown: whatever stands there, the cash can be read


class Tournament(msgspec.Struct):
    id: Ident = None
    name: str | None = None


class Competitor(msgspec.Struct):
    name: str | None = None
    side: str | None = None


class SportEvent(msgspec.Struct):
    event_id: Ident = None
    name: str | None = None
    sub_type: str | None = None
    sport_name: str | None = None
    tournament_id: Ident = None
    tournament_name: str | None = None
    scheduled: str | int | float | None = None
    status: str | None = None
    competitors: list[Competitor] | None = None
    sequence_number: int | float | None = None


class Level(msgspec.Struct):
    """Floats, for speed: a level is an estimate, and no limit depends on it (contract 7.3)."""

    outcome_id: Ident = None
    name: str | None = None
    strike: float | None = None
    strike_id: Ident = None
    price: float | None = None
    value: float | None = None


class StreamLevel(msgspec.Struct, gc=False):
    """The same in a message of the stream, where nothing else of it is used."""

    strike_id: Ident = None
    price: float | None = None
    value: float | None = None


Selections = list[list[StreamLevel] | None] | None


class Market(msgspec.Struct):
    id: Ident = None
    event_id: Ident = None
    name: str | None = None
    type: str | None = None
    sub_type: str | None = None
    status: str | None = None
    strike: Number = None
    line: Number = None
    selections: Raw = NOTHING
    market_strikes: list[Raw] | None = None


class Order(msgspec.Struct):
    order_id: Ident = None
    id: Ident = None
    wager_id: Ident = None
    external_id: str | None = None
    sport_event_id: Ident = None
    market_id: Ident = None
    strike_id: Ident = None
    price: Number = None
    quantity: Number = None
    filled_quantity: Number = None
    total_filled_quantity: Number = None
    open_quantity: Number = None
    status: str | None = None
    matching_status: str | None = None
    winning_status: str | None = None
    profit_status: str | None = None
    update_type: str | None = None
    update_status: str | None = None
    created_at: str | int | float | None = None
    sequence_number: int | float | None = None


class Transaction(msgspec.Struct):
    id: Ident = None
    transaction_id: Ident = None
    trade_id: Ident = None
    transaction_type: str | None = None
    type: str | None = None
    amount: Number = None
    balance: Number = None
    sport_event_id: Ident = None
    event_id: Ident = None
    market_id: Ident = None
    created_at: str | int | float | None = None


class Trade(msgspec.Struct):
    id: Ident = None
    trade_id: Ident = None
    order_id: Ident = None
    wager_id: Ident = None
    quantity: Number = None
    stake: Number = None


class Page(msgspec.Struct):
    orders: list[Raw] | None = None
    transactions: list[Raw] | None = None
    trades: list[Raw] | None = None
    next_cursor: str | None = None


class RequestEcho(msgspec.Struct):
    external_id: str | None = None


class FailedOrder(msgspec.Struct):
    index: int | None = None
    external_id: str | None = None
    error: Any = None
    error_code: Any = None
    code: Any = None
    message: Any = None
    request: RequestEcho | None = None


class Submitted(msgspec.Struct):
    succeed_orders: list[Raw] | None = None
    failed_orders: list[Raw] | None = None


class CancelItem(msgspec.Struct):
    success: bool | None = None
    order: Raw = NOTHING
    order_id: Ident = None
    external_id: str | None = None
    statusCode: int | None = None
    error: Any = None
    error_code: Any = None
    message: Any = None


class ConnectionConfig(msgspec.Struct):
    key: str = ""
    cluster: str | None = None
    ws_host: str | None = None
    service: str | None = None


class Binding(msgspec.Struct):
    name: str | None = None
    type: str | None = None


class Scope(msgspec.Struct):
    event_id: Ident = None
    sub_type: str | None = None


class Channel(msgspec.Struct):
    channel_name: str = ""
    auth: str = ""
    binding_events: list[Binding | str] | None = None
    scope: Scope | None = None


class Signin(msgspec.Struct):
    auth: str = ""
    user_data: str = ""


class Rejected(msgspec.Struct):
    type: str | None = None
    id: Ident = None
    reason: str | None = None


class Registered(msgspec.Struct):
    authorized_channel: list[Channel] | None = None
    channel_count: int | None = None
    channel_limit: int | None = None
    authenticated: Signin | None = None
    rejected: list[Rejected] | None = None


class SelectionsInfo(msgspec.Struct):
    selections: Selections = None
    sequence_number: int | float | None = None


class SelectionsPayload(msgspec.Struct):
    info: SelectionsInfo | None = None


class OrderPayload(msgspec.Struct):
    info: Raw = NOTHING


class SportEventPayload(msgspec.Struct):
    id: Ident = None
    info: SportEvent | None = None


class MarketInfo(msgspec.Struct):
    id: Ident = None
    sport_event_id: Ident = None
    market_id: Ident = None
    strike_id: Ident = None
    status: str | None = None
    sequence_number: int | float | None = None


class MarketPayload(msgspec.Struct):
    id: Ident = None
    info: MarketInfo | None = None


def decode(body: bytes | Raw | str, kind: type[T]) -> T:
    """Typed reading; raises Unreadable."""
    try:
        return msgspec.json.decode(body, type=kind)  # msgspec caches what it knows of a type
    except UNREADABLE as error:
        raise Unreadable(f"{kind.__name__}: {type(error).__name__}") from None


def unwrap(body: bytes, kind: type[T]) -> T:
    """The content of `data`, or of the body itself when nothing is wrapped."""
    envelope = decode(body, Envelope)
    return decode(body if is_absent(envelope.data) else envelope.data, kind)


def is_absent(raw: Raw) -> bool:
    return bytes(raw) in {b"", b"null"}


def is_list(raw: Raw) -> bool:
    return bytes(raw).lstrip()[:1] == b"["


def is_object(raw: Raw) -> bool:
    return bytes(raw).lstrip()[:1] == b"{"


def raw_list(raw: Raw) -> list[Raw]:
    """The items of a list that may be null or absent."""
    return [] if is_absent(raw) else decode(raw, list[Raw])


def rows_of(body: bytes, *keys: str) -> list[Raw]:
    """A list that is `data` itself or stands below one of `keys` in it; null is empty."""
    data = unwrap(body, Raw)
    if is_list(data):
        return raw_list(data)
    fields = decode(data, dict[str, Raw])
    for key in keys:
        if key in fields:
            return raw_list(fields[key])
    raise Unreadable(f"no list named {keys[0]}")
