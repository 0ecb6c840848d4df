"""One rival maker: a lag behind the fair value, on most lines, sometimes away."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from mmbot.sim.core.exchange import MS, Exchange
from mmbot.sim.core.lifecycle import NS, Line
from mmbot.sim.core.orders import Order, OrderRequest
from mmbot.sim.core.prices import sigmoid
from mmbot.sim.market.fair import FairBoard
from mmbot.sim.market.options import RivalOptions
from mmbot.sim.market.takers import traders_account

RIVAL_CASH_CENTS = 10**11


@dataclass(slots=True)
class Stand:
    """What the rival has in one line."""

    line: Line
    half_spread: float = 0.07
    quoted_x: float = 0.0
    until_ns: int = 0
    away_until_ns: int = 0
    orders: list[Order] = field(default_factory=list)


class Rival:
    """Competes for the same takers, so that the book is never ours alone."""

    def __init__(
        self, exchange: Exchange, fair: FairBoard, options: RivalOptions, rng: Random
    ) -> None:
        self._exchange = exchange
        self._fair = fair
        self._options = options
        self._rng = rng
        self._account = traders_account(exchange, "rival", RIVAL_CASH_CENTS)
        self._count = 0
        self._round = 0
        lines = exchange.listing.lines
        wanted = max(1, round(len(lines) * options.lines_share))
        self._stands = [Stand(line) for line in rng.sample(lines, wanted)]

    def start(self, now_ns: int) -> None:
        self._round += 1
        for stand in self._stands:
            self._await(stand, now_ns, self._round)

    def stop(self, now_ns: int) -> None:
        self._round += 1
        self._exchange.cancel_all(list(self._account.alive.values()), now_ns)

    def _await(self, stand: Stand, now_ns: int, round_: int) -> None:
        wait_ms = self._options.look_every_ms * self._rng.uniform(0.5, 1.5)
        due = now_ns + int(wait_ms * MS)
        self._exchange.schedule(due, lambda at: self._look(stand, at, round_))

    def _look(self, stand: Stand, now_ns: int, round_: int) -> None:
        if round_ != self._round:
            return
        lagged = self._fair.x_at(stand.line.index, now_ns - self._options.lag_ms * MS)
        if now_ns < stand.away_until_ns:
            pass
        elif self._rng.random() < self._options.absence_share / 10:
            stand.away_until_ns = now_ns + int(self._options.absence_s * NS)
            self._withdraw(stand, now_ns)
        elif self._stale(stand, lagged, now_ns):
            self._withdraw(stand, now_ns)
            self._quote(stand, lagged, now_ns)
        self._await(stand, now_ns, round_)

    def _stale(self, stand: Stand, lagged: float, now_ns: int) -> bool:
        moved = abs(lagged - stand.quoted_x) > self._options.requote_logit
        taken = sum(order.alive for order in stand.orders) < 2
        return moved or taken or now_ns >= stand.until_ns

    def _withdraw(self, stand: Stand, now_ns: int) -> None:
        self._exchange.cancel_all(stand.orders, now_ns)
        stand.orders.clear()

    def _quote(self, stand: Stand, x: float, now_ns: int) -> None:
        options = self._options
        stand.half_spread = self._rng.uniform(options.half_spread_min, options.half_spread_max)
        stand.quoted_x = x
        stand.until_ns = now_ns + int(options.quote_life_s * self._rng.uniform(0.6, 1.4) * NS)
        book = self._exchange.books[stand.line.index]
        for strike in stand.line.strikes:
            own_x = x if strike.side == 0 else -x
            price = self._exchange.ladder.at_most(sigmoid(own_x - stand.half_spread))
            if price is None or next(book.crossing(strike.side, price), None) is not None:
                continue
            payout_usd = self._rng.uniform(options.payout_min_usd, options.payout_max_usd)
            cents = int(payout_usd * 100 * sigmoid(own_x))
            if cents < self._exchange.rules.quantity_min_cents:
                continue
            self._count += 1
            name = f"rival-{self._count}"
            request = OrderRequest(name, strike.strike_id, price, cents, "ALO")
            stand.orders.append(self._exchange.accept(self._account, request, now_ns))
