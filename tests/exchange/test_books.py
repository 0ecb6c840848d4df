"""Books: whose level it is, what is dropped, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.book import Book
from mmbot.domain.catalog import Catalog, Line
from mmbot.domain.ids import SportEventId
from mmbot.domain.price import Price, complement, implied, profit_ratio
from mmbot.exchange import wire
from mmbot.exchange.books import BookReader, Leaf, leaves, selections_of
from mmbot.exchange.listing import Listing
from mmbot.exchange.notices import Notices
from tests.exchange.parts import EVENT_ID, example_json, seeded


def level(strike_id: str, price: Any, value: Any = 100.0, **more: Any) -> dict[str, Any]:
    return {"strike_id": strike_id, "price": price, "value": value, "strike": 0, **more}


def market(selections: Any, **more: Any) -> wire.Raw:
    body = {"id": 219, "type": "moneyline", "status": "active", "selections": selections, **more}
    return wire.Raw(json.dumps(body).encode())


def walked(raw: wire.Raw, notices: Notices | None = None) -> list[Leaf]:
    return list(leaves(raw, EVENT_ID, notices or Notices()))


def book_of(raw: wire.Raw) -> Book | None:
    (leaf,) = walked(raw)
    listing = Listing()
    listing.replace(Catalog.of((), [leaf.line]))
    return BookReader(listing, Notices()).read_leaf(leaf, 7)


def test_a_level_on_one_outcome_is_an_order_resting_on_the_other() -> None:
    # faults: J6
    book = book_of(market([[level("a", -122, 610.0)], [level("b", 117, 100.0)]]))
    assert book is not None
    resting_on_a, resting_on_b = book.levels
    assert [(one.price, one.stake_cents) for one in resting_on_a] == [(-117, 11_700)]
    assert [(one.price, one.stake_cents) for one in resting_on_b] == [(122, 50_000)]


def test_a_dictionary_by_line_holds_both_sides_below_one_key() -> None:
    """A total has one number for both outcomes; levels below a key may be nested once more."""
    over, under = level("a", -122, outcome_id=12), level("b", 117, outcome_id=13)
    over["strike"] = under["strike"] = 3.5
    for selections in ({"3.5": [over, under]}, {"3.5": [[over], [under]]}):
        (leaf,) = walked(market(selections, type="total", strike=3.5))
        assert [strike.strike_id for strike in leaf.line.strikes] == ["a", "b"]


@given(st.integers(-10_000, 10_000).filter(lambda p: abs(p) >= 100), st.integers(1, 10**9))
def test_the_stake_behind_a_level_never_exceeds_what_the_taker_would_win(
    raw_price: int, value_cents: int
) -> None:
    price = Price(100) if raw_price == -100 else Price(raw_price)
    book = book_of(market([[level("a", price, value_cents / 100)], [level("b", None, 0)]]))
    assert book is not None
    exact = profit_ratio(price) * value_cents
    if exact >= 1:
        (made,) = book.levels[1]
        assert made.price == complement(price)
        assert made.stake_cents == int(exact)


@given(st.lists(st.sampled_from([-150, -120, -101, 100, 105, 130, 200]), min_size=1, max_size=10))
def test_levels_are_dearest_first_whatever_the_order_on_the_wire(prices: list[int]) -> None:
    book = book_of(market([[level("a", p) for p in prices], [level("b", None, 0)]]))
    assert book is not None
    costs = [implied(one.price) for one in book.levels[1]]
    assert costs == sorted(costs, reverse=True)


@pytest.mark.parametrize(
    "empty",
    [[level("b", None, 0)], [level("b", 0, 0)], [level("b", 120, 0)]],
)
def test_a_placeholder_is_no_liquidity(empty: Any) -> None:
    # faults: E11
    book = book_of(market([[level("a", -122)], empty]))
    assert book is not None
    assert book.levels[0] == ()
    assert len(book.levels[1]) == 1


@pytest.mark.parametrize("price", [50, -99.5, 1.95, 110.5])
def test_a_price_that_cannot_be_empties_the_whole_image(price: float) -> None:
    # faults: A13 G1
    book = book_of(market([[level("a", price)], [level("b", 120)]]))
    assert book is not None
    assert book.levels == ((), ())


def test_sides_keep_their_place_when_the_wire_swaps_them() -> None:
    here, there = [level("a", -122, outcome_id=4)], [level("b", 117, outcome_id=5)]
    (one,), (other,) = walked(market([here, there])), walked(market([there, here]))
    assert one.line == other.line


def test_a_parent_is_no_line_and_children_inherit() -> None:
    child = {"strike": 1.5, "selections": [[level("a", -122)], [level("b", 117)]]}
    nested = {"id": 66, "strike": 2.0, "market_strikes": [child]}
    raw = market(None, type="total", status="suspended", market_strikes=[nested, child])
    found = walked(raw)
    assert [leaf.line.market_id for leaf in found] == [66, 219]
    assert {leaf.line.status for leaf in found} == {"suspended"}


@pytest.mark.parametrize(
    "selections",
    [
        [[level("a", 120)], [level("b", 120)], [level("c", 120)]],
        [[level("a", 120)]],
        [[level("a", 120)], []],
        [[level("a", 120)], [[]]],
        [[level("a", 120)], [level("a", 120)]],
        [[level("a", 120)], [level("", 120)]],
        None,
        "odds",
    ],
)
def test_what_is_no_two_outcome_line_is_counted_and_skipped(selections: Any) -> None:
    notices = Notices()
    assert walked(market(selections), notices) == []
    assert sum(notices.counts.values()) == 1


@pytest.mark.parametrize("kind", ["spread", "total"])
def test_the_number_of_a_line_is_never_guessed(kind: str) -> None:
    # faults: F9
    sides = [[{"strike_id": "a", "price": 110}], [{"strike_id": "b", "price": 110}]]
    assert walked(market(sides, type=kind)) == []
    one_sided = [[level("a", 110)], [{"strike_id": "b", "price": 110}]]
    assert walked(market(one_sided, type="spread", strike=-3.5)) == []


def test_one_unreadable_market_does_not_hide_the_others() -> None:
    notices = Notices()
    assert walked(wire.Raw(b'{"id": {"a": 1}}'), notices) == []
    assert notices.counts == {"market_unreadable": 1}


def test_flat_nested_and_keyed_selections_read_alike() -> None:
    a, b = level("a", -122), level("b", 117)
    forms = ([a, b], [[a], [b]], {"x": [a], "y": [b]})
    assert len({repr(walked(market(form))) for form in forms}) == 1


def test_the_vendors_flat_sample_reads_over_first() -> None:
    markets = example_json("doc_value_quantity_sample.v4_flat.json")["data"]["10073803"]
    (leaf,) = leaves(wire.Raw(json.dumps(markets[0]).encode()), SportEventId(10073803), Notices())
    assert [strike.name for strike in leaf.line.strikes] == ["over 7.5", "under 7.5"]
    assert leaf.line.number == 7.5


def test_observed_levels_give_the_stakes_that_were_computed_by_hand() -> None:
    for row in example_json("observed_levels.v4.json")["rows"]:
        book = book_of(market([[level("a", row["price"], row["value"])], [level("b", None, 0)]]))
        assert book is not None
        assert book.levels[1][0].stake_cents == pytest.approx(row["value_times_b"] * 100, abs=1)


def test_a_book_of_an_unknown_strike_asks_for_a_new_seeding() -> None:
    listing = seeded(Listing())
    reader = BookReader(listing, Notices())
    assert reader.read([[wire.Level(strike_id="new")], []], 1) is None
    assert listing.reseed_wanted


def test_sides_of_two_lines_make_no_book() -> None:
    listing = seeded(Listing())
    lines: list[Line] = list(listing.catalog.lines.values())
    mixed = [[wire.Level(strike_id=line.strikes[0].strike_id)] for line in lines[:2]]
    assert BookReader(listing, Notices()).read(mixed, 1) is None


@pytest.mark.parametrize("empty_side", [[], [[]], None])
def test_an_image_with_an_empty_side_is_read(empty_side: Any) -> None:
    payload = {"info": {"selections": [[level("a", -122)], empty_side], "sequence_number": 3}}
    info = selections_of(json.dumps(payload).encode())
    assert info.sequence_number == 3
    assert info.selections is not None
    assert [level.strike_id for level in info.selections[0] or ()] == ["a"]
