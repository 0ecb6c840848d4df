"""What touches money or a side, and is not what the contract says, is not used."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from mmbot.domain.errors import SetUpError
from mmbot.domain.ids import StrikeId
from mmbot.exchange import codec, wire
from mmbot.exchange.books import BookReader, leaves
from mmbot.exchange.listing import Listing
from mmbot.exchange.notices import Notices
from tests.exchange.parts import EVENT_ID, example, example_json, seeded

ABSENT: Any = "<absent>"
NO_NUMBER: tuple[Any, ...] = (ABSENT, None, "x", "", [], {}, True)
NO_IDENT: tuple[Any, ...] = (ABSENT, None, "", [], {}, True)


def changed(row: dict[str, Any], name: str, value: Any) -> bytes:
    row = copy.deepcopy(row)
    row.pop(name)
    if value is not ABSENT:
        row[name] = value
    return json.dumps(row).encode()


def is_refused(read: Any, raw: bytes) -> bool:
    try:
        read(wire.Raw(raw))
    except ValueError:
        return True
    return False


@pytest.mark.parametrize("value", NO_NUMBER, ids=repr)
def test_an_order_without_a_figure_is_no_order(value: Any) -> None:
    # faults: A13 F9
    row = example_json("get_order.response.v4.flat.json")["data"]
    used = [
        name
        for name in (
            "price", "quantity", "filled_quantity", "open_quantity", "sport_event_id", "market_id",
        )
        if not is_refused(lambda raw: codec.order_report(raw, Notices()), changed(row, name, value))
    ]  # fmt: skip
    assert not used


@pytest.mark.parametrize("value", NO_IDENT, ids=repr)
def test_an_order_without_a_side_or_an_id_is_no_order(value: Any) -> None:
    # faults: A13 F9
    row = example_json("get_order.response.v4.flat.json")["data"]
    for name in ("strike_id", "order_id"):
        assert is_refused(lambda raw: codec.order_report(raw, Notices()), changed(row, name, value))


@pytest.mark.parametrize("value", [ABSENT, None, "", "word_of_next_year"], ids=repr)
def test_an_order_in_a_status_of_tomorrow_does_not_count_as_working(value: Any) -> None:
    # faults: A13
    row = example_json("get_order.response.v4.flat.json")["data"]
    report = codec.order_report(changed(row, "status", value), Notices())
    assert report.open_cents
    assert not report.alive


@pytest.mark.parametrize("name", ["balance", "matched_order_balance"])
@pytest.mark.parametrize("value", NO_NUMBER, ids=repr)
def test_a_balance_without_a_figure_is_no_cash(name: str, value: Any) -> None:
    # faults: G3
    data = changed(example_json("get_balance.response.v4.json")["data"], name, value)
    assert codec.balance_seen(b'{"data": ' + data + b"}", 7).cash_cents is None


@pytest.mark.parametrize("name", ["id", "amount", "transaction_type"])
@pytest.mark.parametrize("value", [ABSENT, None, [], {}, True], ids=repr)
def test_a_money_row_without_id_kind_or_amount_is_not_booked(name: str, value: Any) -> None:
    row = example_json("get_transactions.response.v4.json")["data"]["transactions"][0]
    assert is_refused(codec.transaction, changed(row, name, value))


@pytest.mark.parametrize("price", [None, "x", 1.95, 50, [], {}, True], ids=repr)
def test_a_ladder_with_one_price_that_is_none_is_no_ladder(price: Any) -> None:
    # faults: G1
    body = json.loads(example("get_price_ladder.response.v4.json"))
    body["data"][5] = price
    with pytest.raises(SetUpError):
        codec.ladder(json.dumps(body).encode(), Notices())


@pytest.mark.parametrize("name", ["strike_id", "price", "value"])
@pytest.mark.parametrize("value", [ABSENT, None, "x", [], {}], ids=repr)
def test_a_level_that_is_none_makes_no_liquidity_and_no_side_is_guessed(
    name: str, value: Any
) -> None:
    # faults: E11 F9
    markets = example_json("get_multiple_markets.response.v4.json")["data"][str(EVENT_ID)]
    market = next(one for one in markets if one.get("selections"))
    reader = BookReader(seeded(Listing()), Notices())
    whole = _books(reader, market)
    assert any(any(levels) for levels in whole.values())
    level = market["selections"][0][0]
    market["selections"][0][0] = json.loads(changed(level, name, value))
    for strikes, levels in _books(reader, market).items():
        assert strikes in whole or name == "strike_id"
        assert all(
            set(now) <= set(before) for now, before in zip(levels, whole[strikes], strict=True)
        )


def _books(reader: BookReader, market: Any) -> dict[frozenset[StrikeId], Any]:
    found = {}
    for leaf in leaves(wire.Raw(json.dumps(market).encode()), EVENT_ID, Notices()):
        book = reader.read_leaf(leaf, 7)
        if book is not None:
            found[frozenset(one.strike_id for one in leaf.line.strikes)] = book.levels
    return found
