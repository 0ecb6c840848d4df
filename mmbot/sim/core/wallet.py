"""Cash in double entry: whatever an account gains, another account or a chest of the house loses.

The chests: `world` (where deposits come from), `reserve` (debited at placement), `pot` (stakes of
matched orders), `fees`, and `loans` (credit lent against what a market must pay back anyway).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct, structs

from mmbot.sim.core.credit import backing_cents, usable_cents
from mmbot.sim.core.lifecycle import Line
from mmbot.sim.core.orders import Account, Fill, Order, Position, Transaction
from mmbot.sim.core.prices import half_up
from mmbot.sim.rules import MoneyRules

Chest = Literal["world", "reserve", "pot", "fees", "loans"]


class Cause(Struct, frozen=True, gc=False):
    """What a movement belongs to."""

    at_ns: int
    trade_id: str = ""
    event_id: int = 0
    market_id: int = 0


class Posting(Struct, frozen=True, gc=False):
    """One movement: cents that an account gained from a chest (lost to it, when negative)."""

    account: Account
    cents: int
    chest: Chest
    kind: str
    cause: Cause


class Wallet:
    """Moves cash and writes the rows that explain it."""

    def __init__(self, fee_bps: int, money: MoneyRules) -> None:
        self.chests: dict[Chest, int] = dict.fromkeys(
            ("world", "reserve", "pot", "fees", "loans"), 0
        )
        self.told: Callable[[Posting], None] | None = None  # who writes every cent down
        self._fee_bps = fee_bps
        self._money = money
        self._count = 0
        self._no_credit = money.credit == "off"
        self._on_placement = money.funds == "on_placement"

    def balance_cents(self, accounts: list[Account]) -> int:
        """Everybody's cash and every chest together: always zero."""
        return sum(account.cash_cents for account in accounts) + sum(self.chests.values())

    def post(self, account: Account, cents: int, chest: Chest, kind: str, cause: Cause) -> None:
        """Move cents from a chest to an account, and write the row."""
        self.chests[chest] -= cents
        account.cash_cents += cents
        if not account.internal:
            self._count += 1
            row = Transaction(
                self._count,
                kind,
                cents,
                account.cash_cents,
                cause.at_ns,
                cause.trade_id,
                cause.event_id,
                cause.market_id,
            )
            account.transactions.append(row)
        if self.told is not None:
            self.told(Posting(account, cents, chest, kind, cause))

    # -- stakes ---------------------------------------------------------------------------

    def can_pay(self, order: Order, cents: int) -> bool:
        """Whether the owner of an order has these cents for it."""
        account = order.account
        if self._on_placement:  # the stake was put aside when the order came
            return True
        if account.cash_cents >= cents:
            return True
        position = account.positions.get(order.line.index)
        credit = usable_cents(account, position, order.side, self._money.credit)
        return account.cash_cents + credit >= cents

    def reserve(self, order: Order, now_ns: int) -> bool:
        """Debit an order when it is placed; False when that cannot be."""
        if order.account.cash_cents < order.open_cents:
            return False
        order.reserved = True
        self.post(order.account, -order.open_cents, "reserve", "TRADE", cause_of(order, now_ns))
        return True

    def release(self, order: Order, now_ns: int) -> None:
        """Give back what was put aside for the open part of an order."""
        if order.open_cents:
            self.post(order.account, order.open_cents, "reserve", "CANCEL", cause_of(order, now_ns))

    def take_stakes(self, fill: Fill) -> None:
        """Both stakes go into the pot."""
        cause = cause_of(fill.taker, fill.at_ns, fill.fill_id)
        self._take(fill.taker, fill.taker_cents, fill.maker_cents, cause)
        self._take(fill.maker, fill.maker_cents, fill.taker_cents, cause)

    def _take(self, order: Order, cents: int, counter: int, cause: Cause) -> None:
        account, line, side = order.account, order.line, order.side
        position = account.positions.get(line.index)
        if position is None:
            position = account.positions[line.index] = Position(line)
        account.matched_cents += cents
        if self._on_placement:
            self.shift("reserve", "pot", cents)
        else:
            lent = 0 if self._no_credit else self._lend(account, position, side, cents)
            self.post(account, lent - cents, "pot", "TRADE", cause)
        position.staked[side] += cents
        position.counter[side] += counter

    def _lend(self, account: Account, position: Position, side: int, cents: int) -> int:
        """Credit is spent before cash."""
        lent = min(cents, usable_cents(account, position, side, self._money.credit))
        account.lent_cents += lent
        self.shift("loans", "pot", lent)
        return lent

    def give_back(self, fill: Fill, kind: str, at_ns: int) -> None:
        """Undo a fill: both stakes go out of the pot again."""
        for order in (fill.taker, fill.maker):
            cents, counter = fill.stakes(order)
            order.account.matched_cents -= cents
            order.account.positions[order.line.index].add(order.side, -cents, -counter)
            cause = cause_of(order, at_ns, fill.fill_id)
            self.post(order.account, cents, "pot", kind, cause)
            self.collect(order.account, cause)

    def shift(self, source: Chest, target: Chest, cents: int) -> None:
        """From chest to chest, past every account."""
        self.chests[source] -= cents
        self.chests[target] += cents

    # -- results --------------------------------------------------------------------------

    def commission_cents(self, net_cents: int) -> int:
        return half_up(max(0, net_cents) * self._fee_bps, 10_000)

    def collect(self, account: Account, cause: Cause) -> list[Posting]:
        """Take back the part of a loan that no market stands for any more."""
        if not account.lent_cents:
            return []
        due = account.lent_cents - min(account.lent_cents, backing_cents(account))
        if not due:
            return []
        account.lent_cents -= due
        self.post(account, -due, "loans", "ADJUSTMENT_REDUCE", cause)
        return [Posting(account, -due, "loans", "ADJUSTMENT_REDUCE", cause)]

    def undo(self, posting: Posting, at_ns: int) -> None:
        """The opposite of a movement, as an adjustment of its own."""
        account, cents, chest = posting.account, posting.cents, posting.chest
        if chest == "loans":
            account.lent_cents -= cents
        kind = "ADJUSTMENT_REDUCE" if cents > 0 else "ADJUSTMENT_INCREASE"
        self.post(account, -cents, chest, kind, structs.replace(posting.cause, at_ns=at_ns))


def cause_of(order: Order, at_ns: int, trade_id: str = "") -> Cause:
    line: Line = order.line
    return Cause(at_ns, trade_id, line.event_id, line.market_id)
