"""Matching an order with the book, and taking a fill back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmbot.sim.core.activation import MS
from mmbot.sim.core.bulletin import TradePrint
from mmbot.sim.core.matching import match_cents
from mmbot.sim.core.orders import INSUFFICIENT, Fill, Order
from mmbot.sim.core.prices import complement

if TYPE_CHECKING:
    from mmbot.sim.core.exchange import Exchange


def match(exchange: Exchange, taker: Order, now_ns: int) -> None:
    """Trade an order with what it crosses: best price first, then the older."""
    floor, can_pay = exchange.rules.profit_rounding == "floor", exchange.wallet.can_pay
    for maker in exchange.books[taker.line.index].crossing(taker.side, taker.price):
        if maker.account is taker.account:
            continue
        # again with the same maker: rounding can leave it a cent that trades as well
        while taker.open_cents and maker.open_cents:
            stakes = match_cents(taker.open_cents, maker.open_cents, maker.price, floor=floor)
            if stakes[0] == 0:
                break
            if not can_pay(maker, stakes[1]):
                _cannot_pay(exchange, maker, now_ns)
                break
            if not can_pay(taker, stakes[0]):
                _cannot_pay(exchange, taker, now_ns)
                return
            _fill(exchange, taker, maker, stakes, now_ns)
        if taker.open_cents == 0:
            return


def _cannot_pay(exchange: Exchange, order: Order, now_ns: int) -> None:
    order.reason = INSUFFICIENT
    exchange.cancel(order, now_ns)


def match_whole(exchange: Exchange, taker: Order, now_ns: int) -> None:
    """Trade an order only when all of it can trade now."""
    missing = taker.open_cents
    floor = exchange.rules.profit_rounding == "floor"
    for maker in exchange.books[taker.line.index].crossing(taker.side, taker.price):
        if maker.account is taker.account:
            continue
        stakes = match_cents(missing, maker.open_cents, maker.price, floor=floor)
        if exchange.wallet.can_pay(maker, stakes[1]):
            missing -= stakes[0]
    if missing == 0 and exchange.wallet.can_pay(taker, taker.open_cents):
        match(exchange, taker, now_ns)


def _fill(
    exchange: Exchange, taker: Order, maker: Order, stakes: tuple[int, int], now_ns: int
) -> None:
    exchange.fills_count += 1
    name, (taker_cents, maker_cents) = f"trade-{exchange.fills_count}", stakes
    price, taker_price = maker.price, complement(maker.price)
    fill = Fill(name, now_ns, taker, maker, taker_price, price, taker_cents, maker_cents)
    exchange.keep(fill)
    _count(maker, fill, price, maker_cents, taker_cents)
    _count(taker, fill, taker_price, taker_cents, maker_cents)
    exchange.wallet.take_stakes(fill)
    if maker.open_cents == 0:
        exchange.books[maker.line.index].remove(maker)
        exchange.no_longer_alive(maker)
    if taker.open_cents == 0:
        exchange.no_longer_alive(taker)
    exchange.book_changed(maker.line, now_ns)
    exchange.witness.filled(fill)
    if not maker.account.internal:
        exchange.bulletin.tell(maker, maker_cents, now_ns)
    if not taker.account.internal:
        exchange.bulletin.tell(taker, taker_cents, now_ns)
    _print(exchange, fill, now_ns)
    if exchange.rules.dust == "cancel":
        for order in (maker, taker):
            if 0 < order.open_cents < exchange.rules.quantity_min_cents:
                exchange.cancel(order, now_ns)


def _count(order: Order, fill: Fill, price: int, own: int, other: int) -> None:
    """One order's part of a fill."""
    account = order.account
    order.open_cents -= own
    order.filled_cents += own
    order.counter_cents += other
    order.updated_ns = fill.at_ns
    order.fill_price = price
    account.resting_cents -= own
    if account.internal:
        return
    account.filled[order.order_id] = order
    account.fills.append(fill)
    if order.fills is None:
        order.fills = [fill]
    else:
        order.fills.append(fill)


def _print(exchange: Exchange, fill: Fill, now_ns: int) -> None:
    """One public print per trade, or one per side."""
    bulletin = exchange.bulletin
    bulletin.put(TradePrint(fill, fill.taker, bulletin.sequence(now_ns)))
    if exchange.rules.trade_prints == "two":
        bulletin.put(TradePrint(fill, fill.maker, bulletin.sequence(now_ns)))


def take_back(exchange: Exchange, fill: Fill, kind: str, now_ns: int) -> None:
    """Undo a fill on both sides; an order that has nothing left is void."""
    fill.busted_ns = now_ns
    exchange.wallet.give_back(fill, kind, now_ns)
    exchange.witness.taken_back(fill)
    voids = exchange.rules.life.bust_form == "void"
    for order in (fill.maker, fill.taker):
        own, counter = fill.stakes(order)
        order.filled_cents -= own
        order.counter_cents -= counter
        if order.filled_cents == 0:
            order.account.filled.pop(order.order_id, None)
            if not order.alive and order.status == "open" and voids:
                order.status = "canceled" if order.rest_canceled else "void"
                order.winning_status = "no_result"
        exchange.changed(order, f"taken back {own}", now_ns)


def unpaid(exchange: Exchange, order: Order, now_ns: int) -> list[Fill]:
    """Fills of an order whose payment is still under way."""
    pay_ns = exchange.rules.money.fill_payment_ms * MS
    if not pay_ns:
        return []
    return [fill for fill in order.standing if now_ns < fill.at_ns + pay_ns]
