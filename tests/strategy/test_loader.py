"""Strategies from a folder. # faults: H10 H11"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mmbot.strategy.api import QuotingStrategy
from mmbot.strategy.desk import QuotingCoroutine
from mmbot.strategy.foreign import ask
from mmbot.strategy.loader import Broken, Found, create, discover, load
from tests.strategy.views import a_book, a_view

GOOD = '''"""Rests on the best price."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mmbot.strategy.api import SIDES, MarketView, Quote, QuotingStrategy, cents


@dataclass(frozen=True, slots=True)
class Params:
    """Its settings."""

    quantity_usd: float
    levels: int = 1

    def __post_init__(self) -> None:
        if self.levels > 3:
            raise ValueError("levels must be at most 3")


class JoinBest(QuotingStrategy[Params]):
    """One order on the best price of each side."""

    def quotes(self, view: MarketView) -> Iterable[Quote]:
        for side in SIDES:
            best = view.competing.best(side)
            if best is not None:
                yield Quote(view.strikes[side], best.price, cents(self.params.quantity_usd))
'''


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def found(folder: Path, text: str = GOOD) -> Found:
    result = load(write(folder, "join_best.py", text))
    assert isinstance(result, Found), result
    return result


def test_a_new_file_in_the_folder_is_found_and_runs(tmp_path: Path) -> None:
    path_before = list(sys.path)
    strategy = found(tmp_path)
    assert (strategy.name, strategy.summary) == (
        "join_best",
        "One order on the best price of each side.",
    )
    made = create(strategy, {"quantity_usd": 40})
    assert isinstance(made, QuotingStrategy)
    book = a_book(over=[(110, 50)], under=[(105, 50)])
    answer = ask(made, a_view(book=book))
    assert [(q.price, q.quantity_cents) for q in answer if not isinstance(q, str)] == [
        (110, 4_000),
        (105, 4_000),
    ]
    assert sys.path == path_before


def test_the_strategies_that_come_with_mmbot_are_whole() -> None:
    folder = Path(__file__).resolve().parents[2] / "strategies"
    listed = discover(folder)
    assert [getattr(one, "name", one) for one in listed] == ["consensus", "ladder_maker"]
    for one in listed:
        assert isinstance(one, Found)
        assert isinstance(create(one, {"quantity_usd": 50}), QuotingStrategy)


BROKEN = [
    ("def f(:\n", ":1: SyntaxError"),
    ("x = 1\nraise ValueError('no\\nluck')\n", ":2: ValueError: no luck"),
    ("import sys\nsys.exit(0)\n", ":2: SystemExit: 0"),
    ("import no_such_module_anywhere\n", ":1: ModuleNotFoundError"),
    ("class A(:\n", ":1: SyntaxError"),
    ("x = 1\n", "expected, found none"),
    ("from mmbot.strategy.api import QuotingStrategy\n", "expected, found none"),
    (
        "from mmbot.strategy.api import QuotingStrategy\nclass A(QuotingStrategy): pass\n",
        "no method quotes",
    ),
    (f"{GOOD}\nclass Second(JoinBest): pass\n", "found JoinBest, Second"),
    (GOOD.replace('each side."""\n', 'each side."""\n\n    name = 3\n'), "name must be text"),
    ("raise BaseExceptionGroup('x', [GeneratorExit()])\n", ":1: BaseExceptionGroup"),
    ("\0", "null bytes"),
]


@pytest.mark.parametrize(("text", "said"), BROKEN)
def test_a_broken_file_is_one_line_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    file = write(tmp_path, "broken.py", text)
    write(tmp_path, "join_best.py", GOOD)
    first, second = discover(tmp_path)
    assert isinstance(first, Broken)
    assert first.problem.startswith(str(file))
    assert said in first.problem
    assert "\n" not in first.problem
    assert isinstance(second, Found)
    assert "mmbot_strategy_file_broken" not in sys.modules


def test_a_file_that_is_no_text_is_broken_too(tmp_path: Path) -> None:
    (tmp_path / "bytes.py").write_bytes(b"\xff\xfe\x00")
    (only,) = discover(tmp_path)
    assert isinstance(only, Broken)


def test_parts_and_folders_are_not_strategies(tmp_path: Path) -> None:
    write(tmp_path, "_shared.py", "raise ValueError\n")
    write(tmp_path, "notes.txt", "raise ValueError\n")
    (tmp_path / "folder.py").mkdir()
    assert discover(tmp_path) == []


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    missing = load(tmp_path / "nothing.py")
    assert missing == Broken(tmp_path / "nothing.py", f"{tmp_path / 'nothing.py'}: no such file")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({}, ["quantity_usd: required, and not given"]),
        (
            {"quantity": 5, "levels": "two"},
            [
                "quantity: unknown parameter (known: quantity_usd, levels)",
                "quantity_usd: required, and not given",
                "levels: Expected `int`, got `str`",
            ],
        ),
        ({"quantity_usd": float("nan")}, ["quantity_usd: nan is not a finite number"]),
        ({"quantity_usd": float("inf")}, ["quantity_usd: inf is not a finite number"]),
        ({"quantity_usd": "5"}, ["quantity_usd: Expected `float`, got `str`"]),
        ({"quantity_usd": 5, "levels": 2.5}, ["levels: Expected `int`, got `float`"]),
        ({"quantity_usd": 5, "levels": 4}, ["levels must be at most 3"]),
    ],
)
def test_every_wrong_parameter_is_one_line(
    tmp_path: Path, raw: dict[str, Any], said: list[str]
) -> None:
    assert create(found(tmp_path), raw) == tuple(said)


def test_a_constructor_that_raises_is_one_line(tmp_path: Path) -> None:
    text = (
        GOOD + "\n    def __init__(self, params: Params) -> None:\n        raise SystemExit('no')\n"
    )
    made = create(found(tmp_path, text), {"quantity_usd": 5})
    assert isinstance(made, tuple)
    assert "SystemExit: no" in made[0]


def test_a_strategy_without_parameters_takes_none(tmp_path: Path) -> None:
    text = GOOD.replace("QuotingStrategy[Params]", "QuotingStrategy")
    plain = found(tmp_path, text)
    assert isinstance(create(plain, {}), QuotingStrategy)
    assert create(plain, {"x": 1}) == ("x: unknown parameter (known: none)",)


def test_the_coroutine_form_is_found(tmp_path: Path) -> None:
    text = (
        "from mmbot.strategy.desk import Desk, QuotingCoroutine\n"
        "class Waits(QuotingCoroutine):\n"
        "    async def run(self, desk: Desk) -> None:\n"
        "        await desk.next_change()\n"
    )
    strategy = found(tmp_path, text)
    assert strategy.name == "join_best"
    assert isinstance(create(strategy, {}), QuotingCoroutine)


def test_a_file_that_changes_is_read_anew(tmp_path: Path) -> None:
    first = found(tmp_path)
    second = found(tmp_path, GOOD.replace("One order", "Another order"))
    assert replace(first, kind=second.kind, summary=second.summary) == second
    assert second.summary.startswith("Another")
