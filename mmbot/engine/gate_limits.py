"""The checks of money and size: each asks one limit, and at the limit is within it.

An order counts as if it rested already, beside all that may still fill; one that is sent again
is counted by the ledger.
"""

from __future__ import annotations

from mmbot.domain.money import usd
from mmbot.engine.gate_case import Case


def within_strike_resting(case: Case) -> str | None:
    after, allowed = case.strike_resting_after_cents, case.limits.strike_resting_max_cents
    return None if after <= allowed else f"{usd(after)} would rest on the strike of {usd(allowed)}"


def within_market_resting(case: Case) -> str | None:
    after = case.now.market_resting_cents + case.added_cents
    allowed = case.limits.market_resting_max_cents
    return None if after <= allowed else f"{usd(after)} would rest on the market of {usd(allowed)}"


def within_open_orders(case: Case) -> str | None:
    after, allowed = case.now.open_orders + (not case.resend), case.limits.open_orders_max
    return None if after <= allowed else f"it would be open order {after} of {allowed}"


def within_market_loss(case: Case) -> str | None:
    after = case.now.levels_after.market.everything_cents
    return _could_lose("the market", after, case.limits.market_loss_max_cents)


def within_event_loss(case: Case) -> str | None:
    after = case.now.levels_after.event.everything_cents
    return _could_lose("the sport event", after, case.limits.event_loss_max_cents)


def within_tournament_loss(case: Case) -> str | None:
    after = case.now.levels_after.tournament.everything_cents
    return _could_lose("the tournament", after, case.limits.tournament_loss_max_cents)


def within_tournament_held(case: Case) -> str | None:
    before, after = case.now.levels_now.tournament, case.now.levels_after.tournament
    allowed = case.limits.tournament_held_max_cents
    return _could_hold("the tournament", before.held_cents, after.held_cents, allowed)


def within_total_loss(case: Case) -> str | None:
    after = case.now.levels_after.portfolio.everything_cents
    return _could_lose("everything", after, case.limits.total_loss_max_cents)


def within_total_held(case: Case) -> str | None:
    before, after = case.now.levels_now.portfolio, case.now.levels_after.portfolio
    allowed = case.limits.total_held_max_cents
    return _could_hold("everything", before.held_cents, after.held_cents, allowed)


def _could_lose(what: str, after: int, allowed: int) -> str | None:
    return None if after <= allowed else f"{what} could lose {usd(after)} of {usd(allowed)}"


def _could_hold(what: str, before: int, after: int, allowed: int) -> str | None:
    """Above the limit one may still place what can only lower it: a way back has to be open."""
    if after <= max(before, allowed):
        return None
    return f"{what} would hold a loss of {usd(after)} of {usd(allowed)} once this fills"


def within_line_loss(case: Case) -> str | None:
    return _could_lose("the line", case.line_worst_after_cents, case.limits.line_loss_max_cents)


def within_unmatched_cash(case: Case) -> str | None:
    if case.now.cash_cents is None:
        return "the balance is unknown"
    after, allowed = case.now.unmatched_cents + case.added_cents, case.unmatched_limit_cents
    return None if after <= allowed else f"unmatched {usd(after)} of {usd(allowed)}"


def leaves_the_reserve(case: Case) -> str | None:
    """What one order needs has to be there, beside the cash that none may need."""
    if case.now.cash_cents is None:
        return "the balance is unknown"
    free = case.now.cash_cents - case.limits.balance_reserve_cents
    needs = case.order.quantity_cents
    return None if needs <= free else f"it needs {usd(needs)} of {usd(max(0, free))} free cash"
