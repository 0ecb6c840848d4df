"""Box state and daemon status joined, line by line, into the rows that a person looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SideRow:
    """One strike: the exchange's view of it, and ours."""

    name: str
    fair: float
    taker_price: int | None
    taker_cents: int
    ours: tuple[tuple[int, int, bool], ...]  # price, remaining cents, in doubt
    result_if_cents: int  # what our fills make if this side wins

    @property
    def short_name(self) -> str:
        """`over`, `under`, or the last word of a team's name."""
        words = [
            word for word in self.name.split() if not word.lstrip("+-").replace(".", "").isdigit()
        ]
        return words[-1] if words else self.name


@dataclass(frozen=True, slots=True)
class LineRow:
    event: str
    true_date: str
    start_time: str  # as relisted, HH:MM
    name: str
    sides: tuple[SideRow, SideRow]

    @property
    def expected_cents(self) -> float:
        """Our fills valued at the box's fair."""
        return sum(side.fair * side.result_if_cents for side in self.sides)


def line_rows(state: Json, status: Json | None) -> list[LineRow]:
    """One row per listed line, in the exchange's order."""
    ours = {} if status is None else {_our_key(line): line for line in status.get("lines", [])}
    return [_row(line, ours.get(_their_key(line))) for line in state["lines"]]


def _their_key(line: Json) -> tuple[str, str, float]:
    return str(line["event_id"]), str(line["market_id"]), abs(line["number"] or 0.0)


def _our_key(line: Json) -> tuple[str, str, float]:
    event, market, *_ = [*str(line["line_id"]).split("/"), "", ""]
    return event, market, abs(line["number"] or 0.0)


def _row(line: Json, own: Json | None) -> LineRow:
    ids = [strike["strike_id"] for strike in line["strikes"]]
    quotes: Sequence[Json] = [] if own is None else own.get("quotes", [])
    # Which outcome comes first is the reader's choice; the strike id tells.
    turned = any(ids.index(quote["strike_id"]) != quote["side"] for quote in quotes)
    position = {} if own is None else own.get("position") or {}
    results = [position.get("if_0", 0), position.get("if_1", 0)]
    if turned:
        results.reverse()
    first, second = (
        SideRow(
            strike["name"],
            strike["fair"],
            strike["taker_price"],
            strike["taker_cents"],
            tuple(
                (quote["price"], quote["remaining_cents"], quote.get("in_doubt", False))
                for quote in quotes
                if quote["strike_id"] == strike["strike_id"]
            ),
            result,
        )
        for strike, result in zip(line["strikes"], results, strict=True)
    )
    start_time = line["start"][11:16]
    played = line["true_start"][:10]
    return LineRow(line["event"], played, start_time, line["name"], (first, second))


def strike_names(state: Json) -> dict[str, str]:
    """Strike id -> "event, line: outcome"."""
    return {
        strike["strike_id"]: f"{line['event']}, {line['name']}: {strike['name']}"
        for line in state["lines"]
        for strike in line["strikes"]
    }


def maker_account(state: Json) -> Json:
    """The account that the daemon trades; the box's own traders are internal."""
    return next((one for one in state["accounts"] if not one["internal"]), {})
