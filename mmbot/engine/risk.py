"""The one gate: an order leaves only as `Approved`, and only this module can make one.

Each check is one named question with a one-line answer. They cost the same whatever the size
of the portfolio: everything summed is summed by the ledger, as the orders move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import InitVar, dataclass
from typing import Final, TypeVar

from mmbot.domain.money import usd
from mmbot.domain.motive import Verdict
from mmbot.domain.order import Order
from mmbot.domain.price import crosses, profit_cents
from mmbot.engine.gate_case import Case, Moment, RestCase
from mmbot.engine.gate_limits import (
    leaves_the_reserve,
    within_event_loss,
    within_line_loss,
    within_market_loss,
    within_market_resting,
    within_open_orders,
    within_strike_resting,
    within_total_held,
    within_total_loss,
    within_tournament_held,
    within_tournament_loss,
    within_unmatched_cash,
)
from mmbot.engine.limits import LimitBook
from mmbot.engine.situation import Resting, Situation
from mmbot.pricing.exposure import (
    line_worst_case_cents,
    lowers_worst_case,
    result_if_cents,
)

SECOND_NS: Final = 10**9
AMERICAN_MAX: Final = 10_000  # decimal 101, and 1.01 on the other side: beyond is a slip
_SEAL: Final = object()
M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Approved:
    """An order that may be sent, once. `resend`: the same id again while in doubt."""

    order: Order
    resend: bool
    seal: InitVar[object]
    verdict: Verdict | None = None

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("only the risk gate approves an order")


@dataclass(frozen=True, slots=True)
class Refused:
    """The first check that said no, and its reason for people."""

    check: str
    detail: str


Check = Callable[[Case], str | None]
LastCheck = Callable[[Moment], str | None]
RestCheck = Callable[[Moment | RestCase], str | None]


def not_halted(case: Moment) -> str | None:
    return "halted; a person resumes" if case.now.halted or case.now.mode == "HALTED" else None


def may_write(case: Moment) -> str | None:
    return None if case.now.writable else "this process only observes"


def mode_places(case: Moment) -> str | None:
    return None if case.now.mode in {"ENABLED", "REDUCE_ONLY"} else f"mode is {case.now.mode}"


def mode_allows(case: Case) -> str | None:
    if case.now.mode == "REDUCE_ONLY":
        return None if _reduces(case) else "mode is REDUCE_ONLY, and it could add to the loss"
    return mode_places(case)


def _reduces(case: Case) -> bool:
    """Lowers the line's loss if filled, and never turns it round with all that rests beside."""
    position, side = case.now.exposure.position, case.order.side
    stake = case.order.quantity_cents
    if on_ladder(case) is not None or quantity_allowed(case) is not None:
        return False
    lowers = lowers_worst_case(position, side, stake, profit_cents(case.order.price, stake))
    after = result_if_cents(position, case.open_after, 1 if side == 0 else 0)
    return lowers and -after < line_worst_case_cents(position)


def market_is_open(case: Moment | RestCase) -> str | None:
    if case.now.line is None:
        return "the line is not listed"
    return None if case.now.line.status == "active" else f"the market is {case.now.line.status}"


def strike_is_of_line(case: Case) -> str | None:
    line, order = case.now.line, case.order
    if line is not None and line.strikes[order.side].strike_id == order.strike_id:
        return None
    return f"strike {order.strike_id} is not side {order.side} of its line"


def event_is_pre_match(case: Moment | RestCase) -> str | None:
    if case.now.event is None:
        return "the sport event is not listed"
    return None if case.now.event.pre_match else f"the sport event is {case.now.event.status}"


def start_is_far_enough(case: Moment | RestCase) -> str | None:
    if case.now.event is None:
        return "the sport event is not listed"
    left_ns = case.now.event.start_ns - case.now.now_ns
    return None if left_ns > case.limits.start_margin_ns else f"starts in {_s(left_ns)}"


def on_ladder(case: Case) -> str | None:
    if case.now.ladder is None:
        return "no price ladder is loaded"
    return None if case.order.price in case.now.ladder else f"{case.order.price} is no ladder price"


def price_in_range(case: Case) -> str | None:
    price = case.order.price
    return None if abs(price) <= AMERICAN_MAX else f"{price:+d} is beyond decimal 1.01 to 101"


def quantity_allowed(case: Case) -> str | None:
    quantity, limits = case.order.quantity_cents, case.limits
    if type(quantity) is not int:
        return f"{quantity!r} is not whole cents"
    if quantity < limits.quantity_min_cents:
        return f"{usd(quantity)} is less than {usd(limits.quantity_min_cents)}"
    if quantity > limits.order_quantity_max_cents:
        return f"{usd(quantity)} is more than {usd(limits.order_quantity_max_cents)}"
    return None


def profit_at_least_a_cent(case: Case) -> str | None:
    won = profit_cents(case.order.price, case.order.quantity_cents)
    return None if won >= 1 else "it would win less than a cent"


def data_is_fresh(case: Moment | RestCase) -> str | None:
    book, fair = case.now.book_age_ns, case.now.fair_age_ns
    if book is None:
        return "the book has never been seen"
    if case.now.stale:
        return case.now.stale
    if book > case.limits.price_age_max_ns:
        return f"the book is {_s(book)} old"
    if fair is not None and fair > case.limits.fair_age_max_ns:
        return f"the fair value is {_s(fair)} old"
    return None


def not_blind(case: Moment) -> str | None:
    return "fills cannot be seen now" if case.now.blind else None


def not_crossing_ourselves(case: Case) -> str | None:
    for price in case.now.opposite_live:
        if crosses(case.order.price, price):
            return f"{case.order.price} would trade with our own {price}"
    return None


def not_twice_at_one_price(case: Case) -> str | None:
    # A resent order is itself the one that lives at its price.
    if case.now.same_price_live and not case.resend:
        return f"an order of ours lives at {case.order.price}"
    return None


def _s(duration_ns: int) -> str:
    return f"{duration_ns / SECOND_NS:.1f} s"


CHECKS: Final[tuple[Check, ...]] = (
    not_halted,
    may_write,
    mode_allows,
    market_is_open,
    strike_is_of_line,
    event_is_pre_match,
    start_is_far_enough,
    on_ladder,
    quantity_allowed,
    profit_at_least_a_cent,
    price_in_range,
    data_is_fresh,
    not_blind,
    not_crossing_ourselves,
    not_twice_at_one_price,
    within_strike_resting,
    within_market_resting,
    within_open_orders,
    within_line_loss,
    within_market_loss,
    within_event_loss,
    within_tournament_loss,
    within_tournament_held,
    within_total_loss,
    within_total_held,
    within_unmatched_cash,
    leaves_the_reserve,
)

CHECK_NAMES: Final = tuple(check.__name__ for check in CHECKS)

LAST_CHECKS: Final[tuple[LastCheck, ...]] = (
    not_halted,
    may_write,
    mode_places,
    market_is_open,
    event_is_pre_match,
    start_is_far_enough,
    data_is_fresh,
    not_blind,
)

# What rests on a market that cannot be judged any more is pulled, not only left unreplaced.
REST_CHECKS: Final[tuple[RestCheck, ...]] = (
    market_is_open,
    event_is_pre_match,
    start_is_far_enough,
    data_is_fresh,
)


class Gate:
    """Asks every check in order; the first refusal is the answer."""

    def __init__(self, limits: LimitBook) -> None:
        self.limits = limits

    def review(
        self, order: Order, situation: Situation, resend: bool = False
    ) -> Approved | Refused:
        """`situation` must be of this moment; approve, then intend, then build the next one."""
        limits = self.limits.of(situation.event, situation.line)
        case = Case.of(situation, limits, order, resend)
        for check in CHECKS:
            detail = check(case)
            if detail is not None:
                return Refused(check.__name__, detail)
        return Approved(order, resend, _SEAL, case.verdict())

    def still_good(self, situation: Situation) -> str:
        """A last look between commit and write: why not to send after all, or ""."""
        limits = self.limits.of(situation.event, situation.line)
        failed = _first_failing(LAST_CHECKS, Moment(situation, limits))
        return f"{failed.check}: {failed.detail}" if failed else ""

    def may_rest(self, resting: Resting) -> Refused | None:
        """Whether orders may go on resting on this line; asked without one in particular."""
        limits = self.limits.of(resting.event, resting.line)
        return _first_failing(REST_CHECKS, RestCase(resting, limits))


def _first_failing(checks: Iterable[Callable[[M], str | None]], moment: M) -> Refused | None:
    for check in checks:
        detail = check(moment)
        if detail is not None:
            return Refused(check.__name__, detail)
    return None
