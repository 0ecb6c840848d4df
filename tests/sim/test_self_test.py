"""The examples against the box: all agree, and every wrong edit of an example is seen."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mmbot.sim.conformance.request_checks import FORM_EXAMPLE, FRAMES, REQUESTS
from mmbot.sim.conformance.self_test import (
    EXAMPLES,
    INDEX,
    compared,
    main,
    played,
    read_examples,
)

EXAMPLE_FILES = read_examples(EXAMPLES)
ANSWERS = played()
# A null stands for a sub-type that is not known, and for an amount that nobody looked up.
FREE_TO_BE_NULL = {"sub_type", "web_page_usd"}
# A vector without user_data is one of a channel; the third event may be null or absent.
FREE_TO_GO = {"user_data", "10079124", "10079125"}


def difference_lines(name: str, content: Any) -> list[str]:
    """What the self-test says when this one example is in the folder instead of its own."""
    index = EXAMPLE_FILES[INDEX] | {"files": [{"file": name, "what": ""}]}
    examples = {INDEX: index, name: content}
    twin = name.replace(".wire.", ".decoded.")
    examples.setdefault(twin, EXAMPLE_FILES.get(twin, content))
    answers = [one for one in ANSWERS if one[0] == name]
    return [one for one in compared(examples, answers).lines if one.startswith(f"{name}: ")]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in inner:
        yield (*path, key)
        if isinstance(one, dict | list):
            yield from places(one, (*path, key))


def edits(holder: Any, key: Any) -> Iterator[tuple[str, Callable[[Any], None]]]:
    """Wrong edits of one place: gone, misspelt, of another kind, nested, null."""
    old = holder[key]
    if isinstance(key, str) and key not in FREE_TO_GO:
        yield "gone", lambda one: one.pop(key)
        if not key.isdecimal():
            yield "misspelt", lambda one: one.update({f"{key}x": one.pop(key)})
    if old is None:
        return
    other: Any = 7 if isinstance(old, str) else "x"
    yield "of another kind", lambda one: one.__setitem__(key, other)
    yield "nested", lambda one: one.__setitem__(key, [old])
    if key not in FREE_TO_BE_NULL | FREE_TO_GO:
        yield "null", lambda one: one.__setitem__(key, None)


def at(content: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        content = content[key]
    return content


def test_the_box_agrees_with_every_example() -> None:
    report = compared(EXAMPLE_FILES, ANSWERS)
    assert report.lines == []
    assert report.examples == len(EXAMPLE_FILES) > 130


@pytest.mark.parametrize("name", sorted(EXAMPLE_FILES.keys() - {INDEX}))
def test_a_wrong_edit_of_an_example_is_seen(name: str) -> None:
    content = EXAMPLE_FILES[name]
    sent = name in REQUESTS or name in FRAMES or name == FORM_EXAMPLE
    every = list(places(content))
    step = max(1, len(every) // (3 if sent else 12))
    for path in every[::step]:
        for what, edit in edits(at(content, path[:-1]), path[-1]):
            wrong = copy.deepcopy(content)
            edit(at(wrong, path[:-1]))
            assert difference_lines(name, wrong), f"{what}: {path}"


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("submit_order.response.v4.json", "data.order.profit", 100.01),
        ("submit_order.response.v4.json", "data.order.status", "inactiv"),
        ("get_markets.response.v4.json", "data.markets.0.selections.0.0.display_price", "+122"),
        ("get_markets.response.v4.json", "data.markets.0.selections.0.0.value", 611.0),
        ("error.401.json", "error", "unauthorised"),
        ("cancel_multiple_orders.response.v4.json", "data.1.statusCode", 500),
        ("pusher_signature_vectors.json", "vectors.0.auth", "278d425bdf160c739803:00"),
        ("observed_levels.v4.json", "rows.0.quantity", 30.0),
        ("submit_order.request.v4.json", "price", -100),
        ("ws_order.activated.wire.json", "data", "{}"),
        ("ws_frame.signin.json", "event", "pusher:sign_in"),
    ],
)
def test_a_wrong_value_is_seen(name: str, place: str, value: object) -> None:
    content = copy.deepcopy(EXAMPLE_FILES[name])
    *path, last = (int(one) if one.isdecimal() else one for one in place.split("."))
    at(content, tuple(path))[last] = value
    assert difference_lines(name, content)


def test_the_command_says_one_line_per_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in EXAMPLE_FILES.items():
        (tmp_path / name).write_text(json.dumps(content))
    wrong = {"data": {"balance": "100"}}
    (tmp_path / "get_balance.response.v4.json").write_text(json.dumps(wrong))
    (tmp_path / "stray.json").write_text("{}")
    assert main(tmp_path, as_json=True) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is False
    assert "get_balance.response.v4.json: data.balance: text in the example" in "".join(
        said["differences"]
    )
    assert "index.json: stray.json is there and not listed" in said["differences"]


def test_a_folder_that_holds_no_examples_is_a_wrong_set_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(tmp_path, as_json=False) == 2
    (tmp_path / "index.json").write_text("[1")
    assert main(tmp_path, as_json=False) == 2
    assert "index.json" in capsys.readouterr().err
