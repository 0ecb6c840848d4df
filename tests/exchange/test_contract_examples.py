"""Every v4 body of the contract is read, or is exactly what we send."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, Final

import pytest

from mmbot.domain.events import (
    BookUpdated,
    Event,
    MarketStatusChanged,
    OrderSeen,
    SportEventChanged,
    SportEventUnlisted,
)
from mmbot.domain.ids import MarketId
from mmbot.domain.order import OrderReport
from mmbot.exchange import frames, wire
from mmbot.exchange.amounts import time_ns
from mmbot.exchange.listing import Listing
from mmbot.exchange.notices import Notices
from mmbot.exchange.pusher import AppMessage
from mmbot.exchange.stream import Kind, StreamReader
from tests.exchange.parts import (
    EVENT_ID,
    EXAMPLES,
    example,
    example_json,
    seeded,
)

STREAMED: Final[dict[str, tuple[Kind, tuple[type[Event], ...]]]] = {
    "ws_health_check": (Kind.HEALTH, ()),
    "ws_health_check.data_object": (Kind.HEALTH, ()),
    "ws_market.update": (Kind.MARKET, (MarketStatusChanged,)),
    "ws_market_selections.double_encoded_payload": (Kind.BOOK, (BookUpdated,)),
    "ws_market_selections.empty_side": (Kind.BOOK, (BookUpdated,)),
    "ws_market_selections.event": (Kind.BOOK, (BookUpdated,)),
    "ws_market_selections.subtype": (Kind.BOOK, (BookUpdated,)),
    "ws_market_strike.create": (Kind.STRIKE, (MarketStatusChanged,)),
    "ws_matched_order": (Kind.PRINT, ()),
    "ws_order.activated": (Kind.ORDER, (OrderSeen,)),
    "ws_order.canceled_rest": (Kind.ORDER, (OrderSeen,)),
    "ws_order.canceled_unfilled": (Kind.ORDER, (OrderSeen,)),
    "ws_order.closed_loss": (Kind.ORDER, (OrderSeen,)),
    "ws_order.full_fill": (Kind.ORDER, (OrderSeen,)),
    "ws_order.invalid": (Kind.ORDER, (OrderSeen,)),
    "ws_order.partial_fill": (Kind.ORDER, (OrderSeen,)),
    "ws_order.settled_profit": (Kind.ORDER, (OrderSeen,)),
    "ws_order.wiped": (Kind.ORDER, (OrderSeen,)),
    "ws_sport_event.create": (Kind.SPORT_EVENT, (SportEventChanged,)),
    "ws_sport_event.delete": (Kind.SPORT_EVENT, (SportEventUnlisted,)),
    "ws_sport_event.update_live": (Kind.SPORT_EVENT, (SportEventChanged,)),
    "ws_tournament": (Kind.IGNORED, ()),
}


def read(name: str, notices: Notices | None = None) -> tuple[Kind, tuple[Event, ...]]:
    frame = wire.decode(example(f"{name}.wire.json"), frames.Frame)
    reader = StreamReader(seeded(Listing()), notices or Notices())
    return reader.read(AppMessage(frame.event, frame.channel or "", frame.data), 7)


@pytest.mark.parametrize("name", STREAMED)
def test_a_stream_message_is_read(name: str) -> None:
    notices = Notices()
    kind, events = read(name, notices)
    assert (kind, tuple(type(event) for event in events)) == STREAMED[name]
    assert notices.counts == {}


@pytest.mark.parametrize("name", [name for name in STREAMED if "double" not in name])
def test_a_decoded_example_holds_what_the_wire_form_holds(name: str) -> None:
    frame = wire.decode(example(f"{name}.wire.json"), frames.Frame)
    decoded = example_json(f"{name}.decoded.json")
    _, op, payload = frames.message_of(frame.data)
    assert (json.loads(payload), op) == (decoded["payload"], decoded["op"])


@pytest.mark.parametrize("shape", ["object", "text", "text of text", "base64 of text"])
def test_a_payload_may_be_wrapped_in_any_way(shape: str) -> None:
    payload = example_json("ws_order.activated.decoded.json")["payload"]
    text = json.dumps(payload)
    wrapped: Any = {
        "object": payload,
        "text": text,
        "text of text": json.dumps(text),
        "base64 of text": base64.b64encode(json.dumps(text).encode()).decode(),
    }[shape]
    message = {"change_type": "orders", "op": "u", "payload": wrapped}
    for data in (message, json.dumps(message)):
        reader = StreamReader(Listing(), Notices())
        frame = AppMessage("orders", "", wire.Raw(json.dumps(data).encode()))
        _, events = reader.read(frame, 7)
        assert [type(event) for event in events] == [OrderSeen]


def _report(name: str) -> OrderReport:
    _, (event,) = read(name)
    assert isinstance(event, OrderSeen)
    assert event.channel == "stream"
    return event.report


@pytest.mark.parametrize(
    ("name", "filled", "open_", "status", "alive"),
    [
        ("ws_order.activated", 0, 11_700, "open", True),
        ("ws_order.partial_fill", 5_850, 5_850, "open", True),
        ("ws_order.full_fill", 11_700, 0, "open", False),
        ("ws_order.canceled_rest", 5_850, 0, "open", False),  # faults: B6
        ("ws_order.canceled_unfilled", 0, 0, "canceled", False),
        ("ws_order.closed_loss", 11_700, 0, "closed", False),
        ("ws_order.settled_profit", 11_700, 0, "settled", False),
        ("ws_order.invalid", 0, 0, "invalid", False),
        ("ws_order.wiped", 0, 0, "wiped", False),
    ],
)
def test_what_a_private_message_says(
    name: str, filled: int, open_: int, status: str, alive: bool
) -> None:
    report = _report(name)
    assert (report.filled_cents, report.open_cents) == (filled, open_)
    assert (report.status, report.alive) == (status, alive)
    assert report.external_id == "mm1-20261122-000001"
    assert (report.price, report.quantity_cents) == (-117, 11_700)


def test_the_book_on_the_event_channel_is_turned_to_resting_orders() -> None:
    _, (event,) = read("ws_market_selections.event")
    assert isinstance(event, BookUpdated)
    book = event.book
    assert book.line_id == "10079123/219/0"
    assert [(one.price, one.stake_cents) for one in book.levels[0]] == [
        (-117, 11_700),
        (-115, 79_999),
    ]
    assert [(one.price, one.stake_cents) for one in book.levels[1]] == [
        (122, 50_000),
        (124, 125_000),
    ]


def test_a_market_update_tells_which_market() -> None:
    _, events = read("ws_market.update")
    expected = MarketStatusChanged(EVENT_ID, MarketId(219), None, "suspended")
    assert events == (expected,)


def test_an_unlisted_event_is_known_by_its_outer_id() -> None:
    assert read("ws_sport_event.delete")[1] == (SportEventUnlisted(EVENT_ID),)


def test_an_event_that_went_live_is_not_pre_match() -> None:
    _, (event,) = read("ws_sport_event.update_live")
    assert isinstance(event, SportEventChanged)
    assert not event.event.pre_match
    assert event.event.start_ns == time_ns("2026-11-22T18:00:00Z")


OTHER_FILES: Final = (
    "test_codec.py", "test_books.py", "test_placing.py", "test_cancelling.py", "test_reads.py",
    "stage.py", "test_registration.py", "test_session.py", "test_pusher.py", "test_catalog.py",
    "test_refusals.py", "pusher_parts.py", "test_pusher_states.py", "test_pusher_channels.py",
)  # fmt: skip
NOT_USED: Final = frozenset(
    {
        # Routes and frames that this client has no need of.
        "cancel_order.request.v4", "cancel_order.response.v4", "cancel_orders_by_event.request.v4",
        "cancel_orders_by.response.v4", "get_markets.response.v4.no_markets",
        "get_order_matched_detail.response.v4", "get_strikes.response.v4",
        "get_trades.response.v4", "pusher_signature_vectors", "index",
    }
)  # fmt: skip


def test_no_v4_example_is_forgotten() -> None:
    tested = "".join((Path(__file__).parent / name).read_text("utf-8") for name in OTHER_FILES)
    names = {
        path.name.removesuffix(".json")
        for path in EXAMPLES.glob("*.json")
        if "legacy" not in path.name and "seed" not in path.name
    }
    streamed = {f"{name}.{form}" for name in STREAMED for form in ("wire", "decoded")}
    assert {name for name in names - streamed - NOT_USED if name not in tested} == set()
