"""How the games end: the real score where it is known, else one draw consistent across lines."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from mmbot.sim.core.exchange import Exchange
from mmbot.sim.core.lifecycle import Line, SportEvent
from mmbot.sim.core.messages import Json
from mmbot.sim.core.prices import sigmoid


@dataclass(frozen=True, slots=True)
class Result:
    """Which side of each line won, and how we know."""

    event_id: int
    how: str
    text: str
    winners: dict[int, int | None]


def result_of(event: SportEvent, rng: Random) -> Result:
    """The real score where it tells; one draw for each other axis: margin, total, each prop."""
    score = event.game.score
    winners: dict[int, int | None] = {}
    texts = []
    for (kind, label), lines in _axes(event):
        if score is not None and not label:
            home, away = score
            winners |= {line.index: _winner(line, _axis(line, home, away)) for line in lines}
            continue
        lower, upper = _draw_interval(lines, rng.random())
        for line in lines:
            winners[line.index] = 0 if line.threshold <= lower else 1
        if not label:
            texts.append(_interval_text(kind, lower, upper))
    if score is None:
        return Result(event.event_id, "drawn", ", ".join(texts), winners)
    text = f"{score[0]}-{score[1]} (home-away)"
    return Result(event.event_id, "real", text, winners)


def _axes(event: SportEvent) -> list[tuple[tuple[str, str], list[Line]]]:
    """Lines by what decides them: the margin, the total, and each labelled market."""
    axes: dict[tuple[str, str], list[Line]] = {("margin", ""): [], ("total", ""): []}
    for line in (*event.lines, *event.gone_lines):
        kind = "total" if line.kind == "total" else "margin"
        axes.setdefault((kind, line.spec.label), []).append(line)
    return [(axis, lines) for axis, lines in axes.items() if lines]


def _axis(line: Line, home: int, away: int) -> float:
    return home + away if line.kind == "total" else home - away


def _winner(line: Line, value: float) -> int | None:
    if value == line.threshold:
        return None
    return 0 if value > line.threshold else 1


def _draw_interval(lines: list[Line], draw: float) -> tuple[float, float]:
    """The gap between two thresholds into which one draw of the result falls.

    P(result > threshold) comes from the bookmakers' de-vigged prices, made to fall with the
    threshold, so that no draw can contradict itself across the lines of one game.
    """
    below, upper = float("-inf"), float("inf")
    ceiling = 1.0
    for line in sorted(lines, key=lambda one: one.threshold):
        ceiling = min(ceiling, sigmoid(line.base_logit))
        if draw >= ceiling:
            upper = line.threshold
            break
        below = line.threshold
    return below, upper


def _interval_text(kind: str, lower: float, upper: float) -> str:
    word = "total" if kind == "total" else "home margin"
    if lower == float("-inf"):
        return f"{word} below {upper:g}"
    if upper == float("inf"):
        return f"{word} above {lower:g}"
    return f"{word} between {lower:g} and {upper:g}"


def settle(exchange: Exchange, results: list[Result], now_ns: int) -> Json:
    """Wipe what still rests, pay every filled order, take the commission; returns the money."""
    wiped: Json = {}
    fees: dict[str, int] = {}
    ended = {result.event_id for result in results}
    for account in exchange.accounts.values():
        alive = account.alive.values()
        wiped[account.name] = sum(order.line.event_id in ended for order in alive)
        fees[account.name] = 0
    events = exchange.listing.events
    for result in results:
        exchange.calendar.end(events[result.event_id], now_ns)
    for result in results:
        paid = exchange.settlement.settle(events[result.event_id], result.winners, now_ns)
        for name, cents in paid.items():
            fees[name] += cents
    return {"wiped": wiped, "fees_cents": dict(fees)}
