"""Tables of a scenario or of a JSON body: what fits is taken, what does not is named."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest

from mmbot.sim.tables import Between, ScenarioError, all_built, built, overlay


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Inner:
    size_min: float = 1.0
    size_max: float = 2.0


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    colour: Colour = Colour.RED
    share: Annotated[float, Between(0, 1)] = 0.5
    shift: Annotated[float, Between(-2, 2)] | None = None
    span: tuple[float, float] = (0.0, 1.0)
    on: frozenset[str] = frozenset()
    form: Literal["a", "b", 3] = "a"
    inner: Inner = Inner()  # frozen
    parts: tuple[Inner, ...] = ()
    free: dict[str, Any] | None = None
    count: int = 0
    yes: bool = False


def test_every_kind_of_value_is_taken() -> None:
    row = {
        "name": "one",
        "colour": "blue",
        "share": 1,
        "shift": -1.5,
        "span": [0, 3],
        "on": ["x", "y"],
        "form": 3,
        "inner": {"size_max": 9},
        "parts": [{}, {"size_min": 0}],
        "free": {"any": ["thing"]},
        "count": 4,
        "yes": True,
    }
    assert built(Row, row, "row") == Row(
        "one", Colour.BLUE, 1.0, -1.5, (0.0, 3.0), frozenset("xy"), 3,
        Inner(1.0, 9.0), (Inner(), Inner(0.0)), {"any": ["thing"]}, 4, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({}, "row.name is missing"),
        (7, "row must be a table"),
        ({"name": 7}, "row.name must be str, not 7"),
        ({"name": "x", "colur": "red"}, r"unknown key row.colur \(did you mean colour\?\)"),
        ({"name": "x", "colour": "green"}, "row.colour must be one of red, blue, not 'green'"),
        ({"name": "x", "share": 1.5}, "row.share must be between 0 and 1, not 1.5"),
        ({"name": "x", "share": float("nan")}, "row.share must be between 0 and 1"),
        ({"name": "x", "shift": -3}, "row.shift must be between -2 and 2"),
        ({"name": "x", "span": [1]}, "row.span must have 2 values"),
        ({"name": "x", "span": [1, "b"]}, r"row.span\[2\] must be float, not 'b'"),
        ({"name": "x", "on": "x"}, "row.on must be a list"),
        ({"name": "x", "form": True}, "row.form must be one of a, b, 3"),
        ({"name": "x", "inner": {"size_min": 3}}, "row.inner.size_min is above row.inner.size_max"),
        ({"name": "x", "inner": 3}, "row.inner must be a table"),
        ({"name": "x", "parts": [{}, {"size": 1}]}, r"unknown key row.parts\[2\].size"),
        ({"name": "x", "count": -1}, "row.count must be 0 or more"),
        ({"name": "x", "count": True}, "row.count must be int, not True"),
        ({"name": "x", "count": 1.5}, "row.count must be int, not 1.5"),
        ({"name": "x", "yes": 1}, "row.yes must be bool"),
        ({"name": "x", "free": 1}, "row.free must be dict"),
    ],
)
def test_what_does_not_fit_is_named(row: object, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        built(Row, row, "row")


def test_overlay_keeps_what_is_not_named() -> None:
    base = Row("one", Colour.BLUE, inner=Inner(0.5, 0.7))
    assert overlay(base, {"inner": {"size_min": 0.6}}) == Row(
        "one", Colour.BLUE, inner=Inner(0.6, 0.7)
    )
    with pytest.raises(ScenarioError, match="rows must be a list of tables"):
        all_built(Row, {"name": "x"}, "rows")
