"""Cash: taken on fill, paid at settlement, 2 % of the net winnings of a market as commission."""

from __future__ import annotations

from collections.abc import Iterable

from mmbot.sim.orders import Account, Fill, Order, Transaction
from mmbot.sim.prices import half_up


class Wallet:
    """Moves cash and writes the rows that explain it."""

    def __init__(self, fee_bps: int) -> None:
        self._fee_bps = fee_bps
        self._count = 0

    def can_pay(self, account: Account, cents: int) -> bool:
        return account.cash_cents >= cents

    def take_stakes(self, fill: Fill) -> None:
        for order, cents in ((fill.taker, fill.taker_cents), (fill.maker, fill.maker_cents)):
            order.account.matched_cents += cents
            self._move(order, "TRADE", -cents, fill.at_ns, fill.fill_id)

    def pay(self, order: Order, parts: Iterable[tuple[str, int]], kind: str, at_ns: int) -> None:
        """Close the filled part of an order; each fill gives its cents back to the owner."""
        order.account.matched_cents -= order.filled_cents
        for trade_id, cents in parts:
            self._move(order, kind, cents, at_ns, trade_id)

    def commission_cents(self, net_cents: int) -> int:
        return half_up(max(0, net_cents) * self._fee_bps, 10_000)

    def charge(self, order: Order, trade_id: str, net_cents: int, at_ns: int) -> int:
        """Take the commission on the net of one market, named by one of its fills."""
        fee = self.commission_cents(net_cents)
        if fee:
            self._move(order, "COMMISSION", -fee, at_ns, trade_id)
        return fee

    def _move(self, order: Order, kind: str, cents: int, at_ns: int, trade_id: str) -> None:
        account = order.account
        account.cash_cents += cents
        if account.internal:
            return
        self._count += 1
        account.transactions.append(
            Transaction(
                number=self._count,
                kind=kind,
                amount_cents=cents,
                balance_cents=account.cash_cents,
                at_ns=at_ns,
                trade_id=trade_id,
                event_id=order.line.event_id,
                market_id=order.line.market_id,
            )
        )
