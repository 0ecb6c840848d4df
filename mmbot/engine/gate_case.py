"""What the gate's checks look at: one moment, one line on which orders rest, or one order."""

from __future__ import annotations

from dataclasses import dataclass

from mmbot.domain.motive import Verdict
from mmbot.domain.order import Order
from mmbot.engine.limits import Limits
from mmbot.engine.situation import Resting, Situation
from mmbot.pricing.exposure import OpenStakes, line_worst_case_cents


def added_cents(order: Order, resend: bool) -> int:
    """Stake that the ledger does not count yet: a resent order it counts; what is no whole
    number of cents `quantity_allowed` refuses."""
    return 0 if resend or type(order.quantity_cents) is not int else max(0, order.quantity_cents)


def unmatched_limit_cents(cash_cents: int, limits: Limits) -> int:
    """What may rest on this cash (decision "8x cash")."""
    return int(max(0, cash_cents) * limits.unmatched_cash_multiple_max)


@dataclass(frozen=True, slots=True)
class Moment:
    """What is asked whatever the order is."""

    now: Situation
    limits: Limits


@dataclass(frozen=True, slots=True)
class RestCase:
    """What is asked of a line on which orders rest."""

    now: Resting
    limits: Limits


@dataclass(frozen=True, slots=True)
class Case(Moment):
    """One order before the gate."""

    order: Order
    resend: bool

    added_cents: int  # stake that the ledger does not count yet; a resent order it counts
    open_after: OpenStakes
    line_worst_after_cents: int

    @classmethod
    def of(cls, now: Situation, limits: Limits, order: Order, resend: bool) -> Case:
        added = added_cents(order, resend)
        first, second = now.exposure.resting_cents
        after = (first + added, second) if order.side == 0 else (first, second + added)
        worst = line_worst_case_cents(now.exposure.position, after)
        return cls(now, limits, order, resend, added, after, worst)

    @property
    def strike_resting_after_cents(self) -> int:
        return self.open_after[self.order.side]

    @property
    def unmatched_limit_cents(self) -> int:
        """0 while the balance is unknown."""
        return unmatched_limit_cents(self.now.cash_cents or 0, self.limits)

    def verdict(self) -> Verdict:
        now, limits = self.now, self.limits
        return Verdict(
            now.mode,
            now.levels_now.line.held_cents,
            self.line_worst_after_cents,
            limits.line_loss_max_cents,
            now.levels_after.portfolio.everything_cents,
            limits.total_loss_max_cents,
            now.unmatched_cents + self.added_cents,
            self.unmatched_limit_cents,
        )
