"""The screen of the demo as text: what stands on it, and that it fits."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from mmbot.ops.console.board import KEYS, PLAINLY, Scene, board
from mmbot.ops.console.rows import line_rows, strike_names


def a_strike(strike_id: str, name: str, fair: float, price: int | None) -> dict[str, Any]:
    return {
        "strike_id": strike_id, "name": name, "fair": fair,
        "taker_price": price, "taker_cents": 5_200 if price else 0,
    }  # fmt: skip


def a_state(lines: int = 14) -> dict[str, Any]:
    number_of = range(lines)
    return {
        "seed": 7,
        "latency_profile": "loopback",
        "lines": [
            {
                "event_id": 9, "event": f"Away at Home {n // 5}", "market_id": 18,
                "market": "total", "true_start": "2026-07-15T00:00:00Z",
                "start": "2026-11-22T13:45:00Z", "number": n + 0.5, "name": f"Total {n}.5",
                "strikes": [
                    a_strike(f"over{n}", f"over {n}.5", 0.6, -152),
                    a_strike(f"under{n}", f"under {n}.5", 0.4, None),
                ],
            }
            for n in number_of
        ],
        "accounts": [
            {"name": "rival", "internal": True, "fills": 3, "open_orders": 9},
            {
                "name": "maker", "internal": False, "fills": 12, "open_orders": 28,
                "requests_last_second": 4,
            },
        ],
        "trades": [
            {
                "event": "Away at Home 0", "taker_buys": "over 2.5", "taker_price": -110,
                "taker_cents": 2_500, "maker": maker, "taker": "takers",
            }
            for maker in ("maker", "rival")
        ],
    }  # fmt: skip


def a_status(side_of_over: int = 0) -> dict[str, Any]:
    return {
        "mode": "ENABLED",
        "recovered": True,
        "orders": {"open": 2, "in_doubt": 1, "placed": 40},
        "worst_case_cents": 123_400,
        "worst_case_limit_cents": 800_000,
        "book_age_s": 0.4,
        "fair_age_s": 1.25,
        "tick_to_trade_us": {"p50": 2_300, "p99": 9_000},
        "lines": [
            {
                "line_id": "9/18/2.5", "event": "Away at Home 0", "number": 2.5,
                "position": {"if_0": 5_000, "if_1": -4_200},
                "quotes": [
                    {"strike_id": "over2", "side": side_of_over, "price": 138,
                     "remaining_cents": 5_000, "in_doubt": False},
                    {"strike_id": "under2", "side": 1 - side_of_over, "price": -158,
                     "remaining_cents": 1_700, "in_doubt": True},
                ],
            }
        ],
    }  # fmt: skip


def drawn(scene: Scene) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=scene.width, height=scene.height).print(board(scene))
    return out.getvalue().splitlines()


def row_of(lines: list[str], name: str) -> str:
    [row] = [line for line in lines if line.startswith(name)]
    return row


def test_before_anything_answers_there_is_already_a_screen() -> None:
    shown = drawn(Scene(None, None, "starting ...", 0.1))
    assert PLAINLY in "\n".join(shown)
    assert any("daemon: not answering" in line for line in shown)
    assert any("starting ..." in line for line in shown)
    assert KEYS in shown


def test_a_line_shows_both_sides_our_quotes_and_our_results() -> None:
    row = row_of(drawn(Scene(a_state(), a_status(), "", 1)), "Total 2.5")
    assert row.split() == [
        "Total", "2.5", "over", "0.600", "-152", "$52", "+138", "$50",
        "under", "0.400", "-", "-158", "$17?", "+50", "-42",
    ]  # fmt: skip


def test_when_the_daemon_lists_the_outcomes_the_other_way_round_results_turn_too() -> None:
    [row] = [r for r in line_rows(a_state(), a_status(1)) if r.name == "Total 2.5"]
    assert [side.result_if_cents for side in row.sides] == [-4_200, 5_000]
    assert row.sides[0].ours == ((138, 5_000, False),)
    assert row.expected_cents == pytest.approx(0.6 * -4_200 + 0.4 * 5_000)


def test_figures() -> None:
    shown = "\n".join(drawn(Scene(a_state(), a_status(), "", 1)))
    for figure in (
        "daemon: ENABLED", "fills 12", "open 28", "in doubt 1", "worst case $1,234 of $8,000",
        "requests/s 4 of 50", "feed age 1.2 s", "tick to trade 2.3 ms", "PnL $+13",
        "played 2026-07-15, relisted for 13:45 UTC",
    ):  # fmt: skip
        assert figure in shown


@pytest.mark.parametrize("size", [(80, 24), (110, 30), (200, 60)])
def test_it_fits_and_keeps_caption_and_keys(size: tuple[int, int]) -> None:
    width, height = size
    shown = drawn(Scene(a_state(), a_status(), "what is happening", 1, width, height))
    assert len(shown) <= height
    assert max(map(len, shown)) <= width
    assert shown[-2].strip() == "what is happening"
    assert shown[-1] == KEYS
    assert all("…" not in line for line in shown)


def test_a_long_caption_takes_a_second_line_and_the_keys_stay() -> None:
    caption = "late news on a game with a very long name (+0.35 logit): pulled after 0.7 s, back"
    shown = drawn(Scene(a_state(), a_status(), caption, 1, 80, 24))
    assert len(shown) <= 24
    assert shown[-1] == KEYS


def test_a_recovering_daemon_and_a_halted_one_are_named() -> None:
    assert "daemon: recovering" in drawn(
        Scene(a_state(), a_status() | {"recovered": False}, "", 1)
    )[0]  # fmt: skip
    assert "daemon: HALTED" in drawn(Scene(a_state(), a_status() | {"mode": "HALTED"}, "", 1))[0]


def test_strike_names_say_event_line_and_outcome() -> None:
    assert strike_names(a_state())["over3"] == "Away at Home 0, Total 3.5: over 3.5"
