"""How the games end: the real score where it is known, else one draw consistent across lines."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from mmbot.sim.core import Exchange
from mmbot.sim.lifecycle import Line, SportEvent
from mmbot.sim.messages import Json, own_part
from mmbot.sim.orders import Account, Order
from mmbot.sim.prices import sigmoid


@dataclass(frozen=True, slots=True)
class Result:
    """Which side of each line won, and how we know."""

    event_id: int
    how: str
    text: str
    winners: dict[int, int | None]


def result_of(event: SportEvent, rng: Random) -> Result:
    score = event.game.score
    if score is not None:
        home, away = score
        winners = {line.index: _winner(line, _axis(line, home, away)) for line in event.lines}
        return Result(event.event_id, "real", f"{home}-{away} (home-away)", winners)
    winners = {}
    texts = []
    for kinds in (("moneyline", "spread"), ("total",)):
        lines = [line for line in event.lines if line.kind in kinds]
        if lines:
            lower, upper = _draw_interval(lines, rng.random())
            for line in lines:
                winners[line.index] = 0 if line.threshold <= lower else 1
            texts.append(_interval_text(kinds[0], lower, upper))
    return Result(event.event_id, "drawn", ", ".join(texts), winners)


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
    winners = {index: side for result in results for index, side in result.winners.items()}
    wiped: Json = {}
    fees: Json = {}
    for result in results:
        exchange.change_event(exchange.listing.events[result.event_id], "finished", now_ns)
    for account in exchange.accounts.values():
        in_play = [o for o in account.alive.values() if o.line.index in winners]
        wiped[account.name] = exchange.cancel_all(in_play, now_ns, "wiped")
        fees[account.name] = _settle_account(exchange, account, winners, now_ns)
    return {"wiped": wiped, "fees_cents": fees}


def _settle_account(
    exchange: Exchange, account: Account, winners: dict[int, int | None], now_ns: int
) -> int:
    markets: dict[tuple[int, int], list[Order]] = {}
    for order in account.filled.values():
        if order.line.index in winners and order.winning_status == "tbd":
            markets.setdefault((order.line.event_id, order.line.market_id), []).append(order)
    fills: dict[str, list[tuple[str, int, int]]] = {}
    for fill in account.fills:
        own, _, cents, counter = own_part(account, fill)
        fills.setdefault(own.order_id, []).append((fill.fill_id, cents, counter))
    fees = 0
    for orders in markets.values():
        net = 0
        last = ""
        for order in orders:
            # the box's own traders keep no fills of their own: one part stands for all
            parts = fills.get(order.order_id) or [("", order.filled_cents, order.counter_cents)]
            net += _pay(exchange, order, parts, (winners[order.line.index], now_ns))
            last = parts[-1][0]
        fees += exchange.wallet.charge(orders[-1], last, net, now_ns)
    return fees


def _pay(
    exchange: Exchange,
    order: Order,
    parts: list[tuple[str, int, int]],
    outcome: tuple[int | None, int],
) -> int:
    """Pay one order; returns its profit (negative: its loss) before fees."""
    winner, now_ns = outcome
    if winner is None:
        exchange.wallet.pay(order, [(i, own) for i, own, _ in parts], "PUSH", now_ns)
        order.winning_status = "push"
        profit = 0
    elif winner == order.strike.side:
        paid = [(i, own + counter) for i, own, counter in parts]
        exchange.wallet.pay(order, paid, "PAY", now_ns)
        order.winning_status, order.status = "profit", "settled"
        exchange.announce(order, "settled", now_ns)
        profit = order.counter_cents
    else:
        exchange.wallet.pay(order, [], "PAY", now_ns)
        order.winning_status = "loss"
        profit = -order.filled_cents
    order.status = "closed"
    exchange.announce(order, "closed", now_ns)
    return profit
