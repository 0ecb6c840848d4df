"""The shield: each difference from the contract is seen, counted by place, and told once."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.exchange import contract as known
from mmbot.exchange.contract import contract, contract_of
from mmbot.exchange.dialect import DIALECTS
from mmbot.exchange.drift import (
    BODY_BYTES_MAX,
    FINDINGS_MAX,
    ITEMS_MAX,
    LARGE_ONE_IN,
    DriftLog,
    Finding,
    Seen,
    Shield,
    What,
)
from mmbot.exchange.http import HttpReply
from mmbot.exchange.judged import JudgedHttp
from mmbot.exchange.notices import Notices
from mmbot.exchange.routes import V4, Route
from mmbot.exchange.shapes import Shape, kind_of, shape_of
from mmbot.exchange.stream import PLACES
from mmbot.runtime.clock import LoopClock
from tests.exchange.parts import EPOCH_NS, EXAMPLES, ScriptedHttp, example, run

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=20,
)
STRANGE: Any = {"text": "x", "number": 7, "null": None}


def findings(place: str, *bodies: Any) -> dict[Finding, Seen]:
    log = DriftLog(lambda finding, sample: None)
    shield = Shield(contract(), log)
    for body in bodies:
        shield.body(place, body if isinstance(body, bytes) else json.dumps(body).encode())
    return log.seen


@lru_cache(maxsize=1)
def examples() -> dict[str, list[Any]]:
    """By place, as the shapes were made of them."""
    found: dict[str, list[Any]] = {place: [] for place in contract()}
    for file in sorted(EXAMPLES.glob("*.json")):
        content = json.loads(file.read_bytes())
        for place in contract_of([(file.name, content)]):
            if place != known.MESSAGE:
                found[place].append(content["payload"] if "decoded" in file.name else content)
    return found


def places_in(value: Any, shape: Shape, path: tuple[Any, ...] = ()) -> Iterator[Any]:
    """(path, shape) of each field that the example holds."""
    if isinstance(value, dict):
        for key, item in value.items():
            inner = shape.fields.get(key, shape.each)
            assert inner is not None
            yield (*path, key), inner
            yield from places_in(item, inner, (*path, key))
    elif isinstance(value, list) and shape.each is not None:
        for number, item in enumerate(value):
            yield from places_in(item, shape.each, (*path, number))


def holder(body: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        body = body[key]
    return body


def test_the_examples_themselves_differ_in_nothing() -> None:
    for place, bodies in examples().items():
        assert findings(place, *bodies) == {}, place


def test_every_route_and_every_kind_of_message_has_its_place() -> None:
    for dialect in DIALECTS.values():
        assert {route.name for route in vars_of(dialect.routes)} <= contract().keys()
    assert set(PLACES.values()) <= contract().keys()


def vars_of(routes: Any) -> list[Route]:
    found = [getattr(routes, name) for name in routes.__slots__]
    return [one for one in found if isinstance(one, Route)]


def test_each_single_change_of_each_example_is_seen_at_its_place() -> None:
    # faults: A13 G3
    changes = 0
    for place, bodies in examples().items():
        for body in bodies:
            for path, shape in places_in(body, contract()[place]):
                changes += 1
                for kind, strange in STRANGE.items():
                    if kind not in shape.kinds:
                        changed = copy.deepcopy(body)
                        holder(changed, path)[path[-1]] = strange
                        assert Finding(What.CHANGED_TYPE, place, shape.path) in findings(
                            place, changed
                        )
                value = holder(body, path)[path[-1]]
                if shape.words is not None and isinstance(value, (str, int)):
                    changed = copy.deepcopy(body)
                    holder(changed, path)[path[-1]] = "dreaming" if isinstance(value, str) else 1.95
                    assert findings(place, changed).keys() == {
                        Finding(What.UNKNOWN_VALUE, place, shape.path)
                    }
    assert changes > 500


def test_each_field_that_every_example_has_is_missed_and_each_new_one_is_seen() -> None:
    # faults: A13 G3
    missed = 0
    for place, bodies in examples().items():
        for body in bodies:
            for path, shape in places_in(body, contract()[place]):
                if shape.path.endswith("[]"):
                    continue
                changed = copy.deepcopy(body)
                value = holder(changed, path).pop(path[-1])
                seen = findings(place, changed)
                assert seen.keys() <= {Finding(What.MISSING_FIELD, place, shape.path)}
                missed += len(seen)
                holder(changed, path)[path[-1]] = value
                holder(changed, path)["hologram"] = 1
                outer = shape.path.rpartition(".")[0]
                new = Finding(What.UNKNOWN_FIELD, place, f"{outer}.hologram".lstrip("."))
                assert findings(place, changed).keys() == {new}
    assert missed > 400


@pytest.mark.parametrize(
    "field", ["balance", "matched_order_balance", "unmatched_order_balance_status"]
)
def test_a_missing_balance_is_missed_and_matters(field: str) -> None:
    # faults: G3
    body = json.loads(example("get_balance.response.v4.json"))
    del body["data"][field]
    (finding,) = findings("get_balance", body)
    assert finding == Finding(What.MISSING_FIELD, "get_balance", f"data.{field}")
    assert finding.matters is (not field.startswith("unmatched"))


@pytest.mark.parametrize(
    ("price", "strange"), [(50, True), (-99, True), (1.95, True), (-100, False)]
)
def test_a_price_that_is_none_is_seen(price: float, strange: bool) -> None:
    # faults: G1
    body = json.loads(example("get_price_ladder.response.v4.json"))
    body["data"].append(price)
    found = findings("get_price_ladder", body)
    assert bool(found) is strange
    assert all(finding.matters for finding in found)


def test_what_the_contract_calls_optional_is_not_missed() -> None:
    body = json.loads(example("get_multiple_markets.response.v4.json"))
    for markets in body["data"].values():
        for market in markets or ():
            del market["strike"]
    assert findings("get_multiple_markets", body) == {}


def test_a_new_field_is_not_used_so_it_does_not_matter_whatever_its_name() -> None:
    (finding,) = findings("get_balance", {**_first("get_balance"), "amount": 1})
    assert not finding.matters


def test_a_difference_is_counted_each_time_and_told_once_with_its_sample() -> None:
    told: list[tuple[str, str]] = []
    notices = Notices(
        first=lambda kind, detail: told.append((kind, detail)),
        alarm=lambda kind, detail: told.append((f"ALARM {kind}", detail)),
    )
    shield = Shield(contract(), notices.drift)
    body = json.loads(example("get_balance.response.v4.json"))
    body["data"] |= {"new_money": 12.5, "balance": "12.50"}
    for _ in range(5):
        shield.body("get_balance", json.dumps(body).encode())
    assert told == [
        ("ALARM changed type: get_balance data.balance", '"12.50"'),
        ("unknown field: get_balance data.new_money", "12.5"),
    ]
    assert [(row["count"], row["matters"]) for row in notices.drift.rows()] == [
        (5, True),
        (5, False),
    ]


@pytest.mark.parametrize(
    ("place", "value"),
    [("login", "hunter2"), ("websocket", "hunter2"), ("get_balance", "hunter2" * 20)],
)
def test_a_sample_shows_no_secret(place: str, value: str) -> None:
    # faults: I5
    (seen,) = findings(place, {**_first(place), "new": value}).values()
    assert seen.sample == f"text of {len(value)} characters"


def _first(place: str) -> dict[str, Any]:
    body = examples()[place][0]
    assert isinstance(body, dict)
    return body


def test_a_sample_is_short_and_stays_text() -> None:
    samples = {"new": {"a": 1}, "newer": [1, 2], "last": None, "line": "a\nb", "yes": True}
    seen = findings("get_balance", {**_first("get_balance"), **samples})
    assert sorted(one.sample for one in seen.values()) == sorted(
        ["object", "list of 2", "null", '"a\\nb"', "true"]
    )


@settings(max_examples=30, deadline=None)
@given(JSON)
def test_whatever_comes_no_judgement_raises(value: Any) -> None:
    for place in ("get_order", "get_multiple_markets", "stream.orders", "refusal"):
        findings(place, value)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"data": ', b"\xff", b"[" * 5000])
def test_what_is_no_json_is_unreadable(body: bytes) -> None:
    # faults: A5
    assert findings("get_balance", body).keys() == {Finding(What.UNREADABLE, "get_balance")}


def test_endless_novelties_do_not_fill_the_memory() -> None:
    # faults: I7
    body = _first("get_balance")
    seen = findings("get_balance", *[{**body, f"f{n}": 1} for n in range(3 * FINDINGS_MAX)])
    assert len(seen) == FINDINGS_MAX + 1
    assert seen[Finding(What.OTHER, "")].count == 2 * FINDINGS_MAX
    assert max(len(finding.field) for finding in findings("get_balance", {"x" * 10**6: 1})) < 200


def test_of_a_long_list_items_are_looked_at_from_its_beginning_to_its_end() -> None:
    body = json.loads(example("get_trades.response.v4.json"))
    row = body["data"]["trades"][0]
    body["data"]["trades"] = [{**row, "new": 1}] * (2 * ITEMS_MAX + 1)
    (seen,) = findings("get_trades", body).values()
    assert ITEMS_MAX / 2 <= seen.count <= ITEMS_MAX


def test_of_large_bodies_one_in_so_many_is_looked_at() -> None:
    large = b'{"new": "' + b"x" * BODY_BYTES_MAX + b'"}'
    seen = findings("get_trades", *[large] * (LARGE_ONE_IN + 1))
    assert seen[Finding(What.UNKNOWN_FIELD, "get_trades", "new")].count == 2


def test_ids_as_keys_are_no_fields() -> None:
    shape = shape_of([{"10": [{"a": 1}], "11": []}])
    assert (shape.fields, shape.each and shape.each.path) == ({}, "[]")
    assert kind_of(None) == "null"


def answers(path: str, status: int, body: bytes) -> dict[Finding, Seen]:
    log = DriftLog(lambda finding, sample: None)

    async def ask() -> None:
        http = ScriptedHttp(LoopClock(EPOCH_NS))
        http.on(path, HttpReply(status, {}, body))
        judged = JudgedHttp(http, Shield(contract(), log), V4)
        assert (await judged.request("GET", path, {}, b"", 1.0)).body == body

    run(ask())
    return log.seen


@pytest.mark.parametrize(
    ("path", "status", "place"),
    [
        ("/v4/mm/get_balance", 200, "get_balance"),
        ("/v4/mm/get_order/7d1f6a90-53c2", 200, "get_order"),
        ("/v4/mm/get_balance", 404, "refusal"),
    ],
)
def test_each_answer_is_held_against_its_place(path: str, status: int, place: str) -> None:
    assert {finding.place for finding in answers(path, status, b"{}")} == {place}


def test_a_refusal_with_a_word_of_tomorrow_is_seen() -> None:
    # faults: A13
    body = b'{"error": "market_dreams", "message": "x"}'
    assert answers("/v4/mm/get_balance", 400, body).keys() == {
        Finding(What.UNKNOWN_VALUE, "refusal", "error")
    }
    assert answers("/v4/mm/get_balance", 502, b"<html>") == {}
