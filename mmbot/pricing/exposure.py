"""The most that one line, and all lines together, can lose: integer cents, never optimistic.

Every open order (intended, in doubt, open, cancelling) may fill in full, and of any set of
fills the worst subset is the losing one. A push pays nothing back but the stake, so no line
counts below zero: locked-in profit of one line never pays for the risk of another. Fees are
taken from wins alone, hence they cannot deepen the loss of a single line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from mmbot.domain.catalog import Side
from mmbot.domain.view import Position

OpenStakes = tuple[int, int]  # cents of our own stake that may still fill, per side
NOTHING_OPEN: OpenStakes = (0, 0)


@dataclass(frozen=True, slots=True)
class LineLimits:
    """What is still free: cents of loss on this line, and over everything."""

    line_loss_max_cents: int
    free_total_cents: int


def result_if_cents(position: Position, open_stakes: OpenStakes, side: Side) -> int:
    """Cash result if `side` wins after the open orders of the other side have all filled."""
    assert min(open_stakes) >= 0, "an open stake is never negative"
    return position.result_if(side) - open_stakes[1 - side]


class Staked(Protocol):
    """Filled stakes and what they win, per side: a `Position`, or sums that still change."""

    @property
    def stake_cents(self) -> Sequence[int]: ...

    @property
    def profit_cents(self) -> Sequence[int]: ...


def line_worst_case_cents(position: Staked, open_stakes: Sequence[int] = NOTHING_OPEN) -> int:
    """Largest possible loss of one line, with what is open; 0 or more.

    `result_if_cents` of both sides, written out: it is asked three times for every order.
    """
    open_0, open_1 = open_stakes
    assert open_0 >= 0 <= open_1, "an open stake is never negative"
    staked, won = position.stake_cents, position.profit_cents
    return max(0, staked[1] + open_1 - won[0], staked[0] + open_0 - won[1])


def total_worst_case_cents(lines: Iterable[tuple[Position, OpenStakes]]) -> int:
    """Sum over lines: a bound that no correlation between them can break."""
    return sum(line_worst_case_cents(position, open_stakes) for position, open_stakes in lines)


def room_cents(position: Position, open_stakes: OpenStakes, side: Side, limits: LineLimits) -> int:
    """Largest further stake on `side` that keeps both limits with the order counted as open."""
    now = line_worst_case_cents(position, open_stakes)
    if now > limits.line_loss_max_cents or limits.free_total_cents < 0:
        return 0
    other: Side = 1 if side == 0 else 0
    allowed = min(limits.line_loss_max_cents, now + limits.free_total_cents)
    return max(0, allowed + result_if_cents(position, open_stakes, other))


def lowers_worst_case(position: Position, side: Side, stake_cents: int, win_cents: int) -> bool:
    """True when the order, filled in full, would leave the line's filled loss smaller.

    A partial fill never leaves it larger than before either: the loss is convex in the stake.
    """
    stakes = [*position.stake_cents]
    wins = [*position.profit_cents]
    stakes[side] += stake_cents
    wins[side] += win_cents
    after = Position((stakes[0], stakes[1]), (wins[0], wins[1]))
    return line_worst_case_cents(after) < line_worst_case_cents(position)
