"""Exposure credit: what a market must pay back in every outcome may be staked before it ends.

`gec_cents` is the formula of the contract (8.4) with all stakes of the line as the cash share; what
was lent is subtracted from the balance instead. LEC has no published formula: it is taken as the
stake on one side that leaves the worst outcome as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from mmbot.sim.core.activation import MS
from mmbot.sim.core.orders import Account, Position
from mmbot.sim.rules import MoneyRules

Credit = Literal["off", "gec", "lec_and_gec"]


def gec_cents(position: Position) -> int:
    """GEC = max(0, min(0, p1 - s2, p2 - s1) + c)."""
    return max(0, position.worst_cents() + position.locked_cents())


def lec_cents(position: Position, side: int) -> int:
    """What may be staked on a side without making the worst outcome worse."""
    other = position.counter[1 - side] - position.staked[side]
    return max(0, other - position.worst_cents())


def backing_cents(account: Account) -> int:
    """What all unsettled lines of an account pay back whatever happens."""
    return sum(gec_cents(one) for one in account.positions.values() if not one.settled)


def available_cents(account: Account) -> int:
    """`gec_balance`: the credit as the wallet has it, without what is lent already."""
    return max(0, account.credit_cents - account.lent_cents)


def usable_cents(account: Account, position: Position | None, side: int, credit: Credit) -> int:
    """Credit for a stake on one side of one line, never more than markets stand for."""
    if credit == "off":
        return 0
    # the wallet's number is seconds old: a market that ended meanwhile stands for nothing
    general = max(0, min(account.credit_cents, backing_cents(account)) - account.lent_cents)
    if credit == "gec" or position is None or position.settled:
        return general
    return general + lec_cents(position, side)


class CreditDesk:
    """Computes the credit of all accounts now and then, and tells the wallet later."""

    def __init__(
        self,
        accounts: dict[str, Account],
        rules: MoneyRules,
        schedule: Callable[[int, Callable[[int], None]], None],
    ) -> None:
        self._accounts = accounts
        self._rules = rules
        self._schedule = schedule
        self._computed: dict[str, int] = {}
        # first the wallet, then the sum: what is computed now is in the wallet one round later
        schedule(0, self._sync)
        schedule(0, self._compute)

    def _compute(self, now_ns: int) -> None:
        for user_id, account in self._accounts.items():
            if not account.internal:
                self._computed[user_id] = backing_cents(account)
        self._schedule(now_ns + self._rules.credit_every_ms * MS, self._compute)

    def _sync(self, now_ns: int) -> None:
        for user_id, cents in self._computed.items():
            self._accounts[user_id].credit_cents = cents
        self._schedule(now_ns + self._rules.credit_sync_ms * MS, self._sync)
