"""Why the exchange refuses: a submission, an activation, a cancel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from mmbot.sim.core.credit import usable_cents
from mmbot.sim.core.lifecycle import Line, SportEvent
from mmbot.sim.core.orders import INSUFFICIENT, Account, Order, OrderRequest, Refusal
from mmbot.sim.core.prices import crosses
from mmbot.sim.core.trading import unpaid

if TYPE_CHECKING:
    from mmbot.sim.core.exchange import Exchange

MS = 1_000_000
EXISTED = Refusal(400, "order_external_id_existed", "external id was used before")
UNKNOWN_STRIKE = Refusal(400, "strike_id_invalid", "strike id is unknown")
EVENT_CLOSED = Refusal(400, "event_not_available", "event is not available")
NOT_BOOKED = Refusal(400, "sport_event_is_not_booked", "event is not booked")
PRE_MATCH_ONLY = Refusal(
    400, "supplemental_market_pre_match_only", "the market takes orders before the start only"
)
DELAYED = Refusal(429, "too_many_delayed_requests", "too many delayed requests")
NO_FUNDS = Refusal(403, "insufficient_amount", "funds do not cover the order")
SELF_MATCH = Refusal(400, "self_match", "order would trade with an own order")
WOULD_TAKE = Refusal(400, "invalid_request", "order would take liquidity")

CANCELLED = Refusal(400, "order_already_cancelled", "order already cancelled")
NOT_FOUND = Refusal(404, "data_not_found", "no such order")
IS_PLACING = Refusal(409, "order_is_placing", "order is being placed")
FIRST_PASS: Final = {
    425: Refusal(425, "order_opened_retry", "retry after 300ms"),
    500: Refusal(500, "opened_retry", "retry after 300ms"),
}
# the text is what the vendor's own tests know it by; the code says nothing
UNDER_WAY: Final = {
    "refuse_422": Refusal(422, "invalid_request", "order is processing, payment pending"),
    "refuse_500": Refusal(500, "invalid_request", "order is processing, payment pending"),
}


def submission_refusal(
    exchange: Exchange, account: Account, request: OrderRequest
) -> Refusal | None:
    """What the exchange finds at once, before it answers."""
    rules, listing = exchange.rules, exchange.listing
    if account.orders.knows_external(request.external_id):
        return EXISTED
    strike = listing.strikes.get(request.strike_id)
    if strike is None:
        return UNKNOWN_STRIKE
    line = listing.lines[strike.line_index]
    event = line.event
    if event.status != "not_started" or not event.accepts(line):
        refusal = _closed(exchange, account, event, line)
        if refusal is not None:
            return refusal
    money = rules.money
    over = account.resting_cents > account.cash_cents * rules.delayed_cash_multiple
    if over and money.delayed == "refuse":
        return DELAYED
    if money.resting_cap == "refuse" and _cap_reason(exchange, account, request):
        return NO_FUNDS
    others = account.at_strike.get(line.strikes[1 - strike.side].strike_id)
    if others and rules.self_match == "refuse" and crossing(others, request.price):
        return SELF_MATCH
    if request.strategy == "ALO" and rules.alo_crossing == "reject":
        book = exchange.books[line.index]
        if book.would_trade(strike.side, request.price, request.quantity_cents):
            return WOULD_TAKE
    return None


def _closed(exchange: Exchange, account: Account, event: SportEvent, line: Line) -> Refusal | None:
    """Why an event that is not in its quiet time before the start takes no order."""
    if not event.listed:
        return NOT_BOOKED
    if not event.accepts(line):
        return EVENT_CLOSED
    if event.in_play and line.kind == "sup_moneyline":
        return PRE_MATCH_ONLY
    queue_max = exchange.rules.activation.in_play_orders_max
    return DELAYED if event.in_play and account.delayed_orders >= queue_max else None


def is_over_delayed_cap(exchange: Exchange, account: Account) -> bool:
    """Whether so much rests that the exchange slows the account down."""
    return account.resting_cents > account.cash_cents * exchange.rules.delayed_cash_multiple


def _cap_reason(
    exchange: Exchange, account: Account, request: OrderRequest, *, counted: bool = False
) -> str:
    """The internal reason why funds or caps do not allow an order, or nothing.

    `counted`: the order is among what the account has resting already.
    """
    rules, cents, cash = exchange.rules, request.quantity_cents, account.cash_cents
    more = 0 if counted else cents
    if cents > cash or account.resting_cents + more > cash * rules.resting_cash_multiple_max:
        on_placement = rules.money.funds == "on_placement"
        funds = _funds_cents(exchange, account, request)
        if not (counted and on_placement) and cents > funds:
            return INSUFFICIENT
        if account.resting_cents + more > funds * rules.resting_cash_multiple_max:
            return "" if on_placement else "max_stake_exceeded"
    if rules.money.strike_resting_usd_max:
        mine = account.at_strike.get(request.strike_id, {})
        resting = sum(order.open_cents for order in mine.values())
        if resting + more > rules.money.strike_resting_usd_max * 100:
            return "max_stake_exceeded"
    return ""


def _funds_cents(exchange: Exchange, account: Account, request: OrderRequest) -> int:
    """What may be staked with this request: cash, and the credit that counts for it."""
    strike = exchange.listing.strikes.get(request.strike_id)
    credit = exchange.rules.money.credit
    if strike is None or credit == "off":
        return account.cash_cents
    position = account.positions.get(strike.line_index)
    return account.cash_cents + usable_cents(account, position, strike.side, credit)


def crossing(others: Mapping[str, Order], price: int) -> list[Order]:
    """Of some orders on the opposite strike those that an order at this price would take."""
    return [one for one in others.values() if crosses(price, one.price)]


def activation_refusal(exchange: Exchange, order: Order, crossed: bool) -> str:
    """What becomes of an order that does not become open, or nothing; `reason` says why."""
    account, request, line = order.account, order.request, order.line
    if not line.event.accepts(line):
        return "wiped"
    reason, rules, cash = order.reason, exchange.rules, account.cash_cents
    if not (reason or account.internal):
        reason = exchange.activation.failure()
    if not reason and (
        request.quantity_cents > cash
        or account.resting_cents > cash * rules.resting_cash_multiple_max
        or rules.money.strike_resting_usd_max
    ):  # most are far from every cap
        reason = _cap_reason(exchange, account, request, counted=True)
    if reason:
        order.reason = reason
        return "invalid"
    if not crossed:
        return ""
    book = exchange.books[line.index]
    if request.strategy == "ALO" and book.would_trade(order.side, order.price, order.open_cents):
        order.reason = "would_take"
        return "canceled" if rules.alo_crossing == "canceled" else "invalid"
    others = account.at_strike.get(line.strikes[1 - order.side].strike_id, {})
    if any(other.status == "open" for other in crossing(others, order.price)):
        order.reason = "self_match"
        return "invalid"
    return ""


def cancel_refusal(exchange: Exchange, order: Order, now_ns: int) -> Refusal | None:
    """Why a single cancel is refused; a mass cancel does not ask."""
    rules = exchange.rules
    if rules.money.fill_payment_ms:
        paying = rules.money.cancel_while_paying
        if paying != "allow" and unpaid(exchange, order, now_ns):
            return UNDER_WAY[paying]
    if order.open_cents:
        if order.status == "inactive":
            stuck = order.delayed_until_ns > 0 or rules.cancel_inactive == "conflict"
            return IS_PLACING if stuck else None
        too_early = now_ns - order.opened_ns < rules.first_pass_ms * MS
        return FIRST_PASS[rules.first_pass_status] if too_early else None
    if order.status == "invalid":
        return Refusal(400, "order_is_invalid", "order is invalid")
    if order.status in ("canceled", "wiped", "void") or order.rest_canceled:
        again = rules.cancel_again == "refuse_400"
        return CANCELLED if again else NOT_FOUND
    return Refusal(400, "order_already_filled", "order already matched")
