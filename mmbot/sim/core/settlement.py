"""Results into money: settled, by hand, pushed, void, taken back; reversed as often as needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Final, Literal

from mmbot.sim.core.lifecycle import NS, Line, SportEvent
from mmbot.sim.core.orders import Account, Fill, Order, Position, Status
from mmbot.sim.core.trading import take_back
from mmbot.sim.core.wallet import Cause, Posting, cause_of

if TYPE_CHECKING:
    from mmbot.sim.core.exchange import Exchange

# the side that won, or why nobody did; None is a push
Verdict = int | None | Literal["push", "draw", "no_result", "void", "dead_heat"]
Winners = Mapping[int, Verdict]
How = Literal["automatic", "manual"]

# verdict -> winning_status, transaction_type of the money back, status in the end
MONEY_BACK: Final[Mapping[str, tuple[str, str, Status]]] = {
    "push": ("push", "PUSH", "closed"),
    "draw": ("draw", "PUSH", "closed"),
    "no_result": ("no_result", "REFUND", "closed"),
    "void": ("no_result", "VOID", "void"),
    # half of each pot for either side; an order says of itself whether that was a gain
    "dead_heat": ("", "PAY", "manually_settled"),
}


@dataclass(slots=True)
class Settled:
    """What was done for one market, so that it can be undone."""

    winners: dict[int, Verdict] = field(default_factory=dict)
    halves_cents: int = 0
    odd_cents: int = 0
    how: How = "automatic"
    postings: list[Posting] = field(default_factory=list)
    orders: list[tuple[Order, Status]] = field(default_factory=list)
    positions: list[tuple[Account, Position]] = field(default_factory=list)


class Settlement:
    """Pays the pots out; remembers per market what it did."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._done: dict[tuple[int, int], Settled] = {}

    def settle(
        self, event: SportEvent, winners: Winners, now_ns: int, *, how: How = "automatic"
    ) -> dict[str, int]:
        """End the event and pay every line of it that has a verdict; the fees by account."""
        if event.status != "finished":
            self._exchange.calendar.end(event, now_ns)
        lines = [line for line in (*event.lines, *event.gone_lines) if line.index in winners]
        return self._settle(lines, winners, now_ns, how)

    def push(self, line: Line, now_ns: int) -> None:
        """The result lands exactly on the line: the money goes back."""
        self._judge(line, "push", now_ns)

    def draw(self, line: Line, now_ns: int) -> None:
        self._judge(line, "draw", now_ns)

    def no_result(self, line: Line, now_ns: int) -> None:
        self._judge(line, "no_result", now_ns)

    def dead_heat(self, line: Line, now_ns: int) -> None:
        """Both sides get half of the pots; an odd cent stays with the house."""
        self._judge(line, "dead_heat", now_ns)

    def void(self, what: SportEvent | Line | Order, now_ns: int) -> None:
        """Operations void an event, a line or one order, before or after its settlement."""
        if isinstance(what, Order):
            self._reopened(what.line, now_ns, lambda: self._void_order(what, now_ns))
        elif isinstance(what, Line):
            self._judge(what, "void", now_ns)
        else:
            for line in (*what.lines, *what.gone_lines):
                self._judge(line, "void", now_ns)

    def bust(self, fill: Fill, now_ns: int, *, waive: bool = False) -> bool:
        """Take a fill back, at most a quarter of an hour later unless that limit is waived."""
        window_ns = self._exchange.rules.life.bust_window_s * NS
        if fill.busted_ns or (now_ns > fill.at_ns + window_ns and not waive):
            return False
        line = fill.taker.line
        self._reopened(line, now_ns, lambda: take_back(self._exchange, fill, "REFUND", now_ns))
        return True

    def reverse(self, event: SportEvent, now_ns: int) -> None:
        """Take a settlement back: what was paid is paid back, the orders wait for a result."""
        markets = {line.market_id for line in (*event.lines, *event.gone_lines)}
        for market_id in sorted(markets):
            self._reverse((event.event_id, market_id), now_ns)

    def is_settled(self, line: Line) -> bool:
        done = self._done.get((line.event_id, line.market_id))
        return done is not None and line.index in done.winners

    # -- one market -----------------------------------------------------------------------

    def _judge(self, line: Line, verdict: Verdict, now_ns: int) -> None:
        """One line gets its verdict, whether it had one before or not."""
        key = (line.event_id, line.market_id)
        before = self._reverse(key, now_ns) if self.is_settled(line) else None
        self._end_open(line, "void" if verdict == "void" else "wiped", now_ns)
        if before is None:
            self._settle([line], {line.index: verdict}, now_ns, "automatic")
            return
        winners = before.winners | {line.index: verdict}
        lines = [self._exchange.listing.lines[index] for index in winners]
        self._settle(lines, winners, now_ns, before.how)

    def _reopened(self, line: Line, now_ns: int, action: Callable[[], None]) -> None:
        """Do it while the market has no result; then settle as before."""
        before = self._reverse((line.event_id, line.market_id), now_ns)
        action()
        if before is not None:
            lines = [self._exchange.listing.lines[index] for index in before.winners]
            self._settle(lines, before.winners, now_ns, before.how)

    def _void_order(self, order: Order, now_ns: int) -> None:
        if order.alive:
            self._exchange.cancel(order, now_ns, "void")
        for fill in order.standing:
            take_back(self._exchange, fill, "VOID", now_ns)
        if order.status != "void" and not order.filled_cents:
            order.status, order.winning_status = "void", "no_result"
            self._exchange.changed(order, "void", now_ns)

    def _end_open(self, line: Line, what: str, now_ns: int) -> None:
        for account in self._exchange.accounts.values():
            mine = [account.at_strike.get(one.strike_id, {}) for one in line.strikes]
            alive = sorted(chain(*(one.values() for one in mine)), key=attrgetter("number"))
            self._exchange.cancel_all(alive, now_ns, what)

    def _reverse(self, key: tuple[int, int], now_ns: int) -> Settled | None:
        done = self._done.pop(key, None)
        if done is None:
            return None
        self._exchange.listing.events[key[0]].settled_lines -= done.winners.keys()
        for posting in reversed(done.postings):
            self._exchange.wallet.undo(posting, now_ns)
        self._exchange.wallet.shift("fees", "pot", done.odd_cents)
        for account, position in done.positions:
            position.settled = False
            account.matched_cents += position.locked_cents()
        for order, status in done.orders:
            order.status, order.winning_status, order.settled_ns = status, "tbd", 0
            self._exchange.changed(order, "reversed", now_ns)
        return done

    # -- paying ---------------------------------------------------------------------------

    def _settle(
        self, lines: Iterable[Line], winners: Winners, now_ns: int, how: How
    ) -> dict[str, int]:
        markets: dict[tuple[int, int], list[Line]] = {}
        for line in lines:
            if not self.is_settled(line):
                markets.setdefault((line.event_id, line.market_id), []).append(line)
        for key, of_market in markets.items():
            done = self._done.setdefault(key, Settled(how=how))
            done.winners |= {line.index: winners[line.index] for line in of_market}
            self._exchange.listing.events[key[0]].settled_lines |= done.winners.keys()
        fees = {}
        for account in self._exchange.accounts.values():
            by_line: dict[int, list[Order]] = {}
            for order in account.filled.values():
                if order.winning_status == "tbd":
                    by_line.setdefault(order.line.index, []).append(order)
            fees[account.name] = 0
            for key, of_market in markets.items():
                held = [account.positions.get(line.index) for line in of_market]
                mine = [one for one in held if one is not None and one.locked_cents()]
                if mine:
                    paying = _Paying(self._exchange, account, self._done[key], now_ns)
                    fees[account.name] += paying.market(mine, by_line)
        for key, of_market in markets.items():
            self._keep_odd_cents(self._done[key], {line.index for line in of_market})
        return fees

    def _keep_odd_cents(self, done: Settled, lines: set[int]) -> None:
        """What the halves of a dead heat left in the pots goes to the house."""
        halved = {index for index in lines if done.winners[index] == "dead_heat"}
        positions = [one for _, one in done.positions if one.line.index in halved]
        odd = sum(one.locked_cents() for one in positions) - done.halves_cents
        done.halves_cents = 0
        done.odd_cents += odd
        self._exchange.wallet.shift("pot", "fees", odd)


class _Paying:
    """The settlement of one market for one account."""

    def __init__(self, exchange: Exchange, account: Account, done: Settled, now_ns: int) -> None:
        self._exchange = exchange
        self._account = account
        self._done = done
        self._now_ns = now_ns

    def market(self, positions: list[Position], by_line: Mapping[int, list[Order]]) -> int:
        """Pay all positions of one market; the fee is on their net winnings."""
        wallet = self._exchange.wallet
        net, fee, last = 0, 0, ""
        for position in positions:
            orders = by_line.get(position.line.index, [])
            verdict = self._done.winners[position.line.index]
            profits = self._position(position, orders, verdict)
            net += sum(profits)
            fee += sum(wallet.commission_cents(one) for one in profits)
            last = orders[-1].standing[-1].fill_id if orders else ""
            position.settled = True
            self._account.matched_cents -= position.locked_cents()
            self._done.positions.append((self._account, position))
        if self._exchange.rules.money.fee_net == "market":
            fee = wallet.commission_cents(net)
        line = positions[-1].line
        cause = Cause(self._now_ns, last, line.event_id, line.market_id)
        if fee:
            self._post(-fee, "COMMISSION", cause, to_fees=True)
        self._done.postings += wallet.collect(self._account, cause)
        return fee

    def _position(self, position: Position, orders: list[Order], verdict: Verdict) -> list[int]:
        """Pay one line; the profit of each order (of each side, for the box's own traders)."""
        if not self._account.internal:
            return [self._order(order, verdict) for order in orders]
        line = position.line
        cause = Cause(self._now_ns, "", line.event_id, line.market_id)
        profits = []
        for side in (0, 1):
            own, counter = position.staked[side], position.counter[side]
            paid, kind = _paid(verdict, side, own, counter)
            self._pay(paid, kind, cause, verdict)
            profits.append(paid - own)
        return profits

    def _order(self, order: Order, verdict: Verdict) -> int:
        self._done.orders.append((order, order.status))
        gained = 0
        for fill in order.standing:
            own, counter = fill.stakes(order)
            paid, kind = _paid(verdict, order.side, own, counter)
            gained += paid - own
            self._pay(paid, kind, cause_of(order, self._now_ns, fill.fill_id), verdict)
        order.settled_ns = self._now_ns
        self._conclude(order, verdict, gained)
        return gained

    def _conclude(self, order: Order, verdict: Verdict, gained: int) -> None:
        """The words on the order: what it won, and how it ended."""
        exchange, now_ns = self._exchange, self._now_ns
        if not isinstance(verdict, int):
            order.winning_status, _, order.status = MONEY_BACK[verdict or "push"]
            if verdict == "dead_heat":
                order.winning_status = "manually_won" if gained > 0 else "manually_lost"
        elif self._done.how == "manual":
            won = verdict == order.side
            order.winning_status = "manually_won" if won else "manually_lost"
            order.status = "manually_settled"
        else:
            won = verdict == order.side
            order.winning_status = "profit" if won else "loss"
            if won and exchange.rules.life.winner_status == "settled_then_closed":
                order.status = "settled"
                exchange.changed(order, "settled", now_ns)
            order.status = "closed"
        exchange.changed(order, order.status, now_ns)

    def _pay(self, cents: int, kind: str, cause: Cause, verdict: Verdict) -> None:
        if verdict == "dead_heat":
            self._done.halves_cents += cents
        if cents:
            self._post(cents, kind, cause)

    def _post(self, cents: int, kind: str, cause: Cause, *, to_fees: bool = False) -> None:
        wallet = self._exchange.wallet
        chest: Literal["fees", "pot"] = "fees" if to_fees else "pot"
        wallet.post(self._account, cents, chest, kind, cause)
        self._done.postings.append(Posting(self._account, cents, chest, kind, cause))


def _paid(verdict: Verdict, side: int, own: int, counter: int) -> tuple[int, str]:
    """What a stake gets under a verdict, and the word for it."""
    if verdict == "dead_heat":
        return (own + counter) // 2, "PAY"
    if not isinstance(verdict, int):
        return own, MONEY_BACK[verdict or "push"][1]
    return (own + counter, "PAY") if verdict == side else (0, "PAY")
