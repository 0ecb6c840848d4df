"""The witness: every order, fill, cent and request that the box itself saw."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from mmbot.sim.core.lifecycle import NS, Line, Listing
from mmbot.sim.core.messages import Json, own_part
from mmbot.sim.core.orders import Account, Fill, Order
from mmbot.sim.core.prices import implied
from mmbot.sim.market.fair import FairBoard

QUOTED_WITHIN = 0.08
MEASURED_FROM_S = 10
OUTSIDE = frozenset({"reversed", "void"})
HEARD_NS = 90 * NS  # what the exchange took back is known by then, were its message lost


@dataclass(slots=True)
class Presence:
    """How long a strike had a near enough open order."""

    present: bool = False
    since_ns: int = 0
    total_ns: int = 0


@dataclass(slots=True)
class LineRisk:
    """Per side of one line: filled stake, what it may win, and the open stakes."""

    filled: list[int] = field(default_factory=lambda: [0, 0])
    winnings: list[int] = field(default_factory=lambda: [0, 0])
    open: list[int] = field(default_factory=lambda: [0, 0])

    def worst_cents(self) -> int:
        """Loss in the worse outcome when every open order that loses there fills."""
        losses = [self.filled[1 - won] + self.open[1 - won] - self.winnings[won] for won in (0, 1)]
        return max(0, *losses)


@dataclass(slots=True)
class AccountRecord:
    """What is kept about one account, each figure up to date after every event."""

    account: Account
    presence: dict[str, Presence] = field(default_factory=dict)
    alive: dict[str, dict[str, Order]] = field(default_factory=dict)
    at_price: Counter[tuple[str, int]] = field(default_factory=Counter)
    risk: dict[int, LineRisk] = field(default_factory=dict)
    requests: deque[int] = field(default_factory=deque)
    by_route: Counter[str] = field(default_factory=Counter)
    by_status: Counter[str] = field(default_factory=Counter)
    worst_cents: int = 0
    worst_cents_max: int = 0
    same_price_twice: int = 0
    requests_total: int = 0
    per_second_max: int = 0
    first_quote_ns: int | None = None
    wiped_at_settle: int = 0
    outside_ns: int = -HEARD_NS * 1_000  # when a fill or a result was last taken back
    settled: set[str] = field(default_factory=set)  # orders whose fills are risk no more

    def watch_line(self, line: Line) -> None:
        self.risk[line.index] = LineRisk()
        for strike in line.strikes:
            self.presence[strike.strike_id] = Presence()
            self.alive[strike.strike_id] = {}


class Record:
    """Writes down what happens to the accounts that are not the box's own."""

    def __init__(self, listing: Listing, fair: FairBoard, started_ns: int) -> None:
        self._listing = listing
        self._fair = fair
        self._started_ns = started_ns
        self._from_ns = started_ns + MEASURED_FROM_S * NS
        self.stop_ns: int | None = None
        self._accounts: dict[str, AccountRecord] = {}
        listing.line_added.append(self._watch_line)

    def watch(self, account: Account) -> None:
        record = self._accounts[account.user_id] = AccountRecord(account)
        for line in self._listing.lines:
            record.watch_line(line)

    def _watch_line(self, line: Line) -> None:
        for record in self._accounts.values():
            record.watch_line(line)

    def of(self, account: Account) -> AccountRecord:
        return self._accounts[account.user_id]

    # -- what the exchange tells ----------------------------------------------------------

    def request(self, account: Account, route: str, status: int) -> None:
        record = self._accounts[account.user_id]
        record.requests_total += 1
        record.by_route[route] += 1
        record.by_status[str(status)] += 1

    def arrived(self, account: Account, now_ns: int) -> None:
        """A request reached the box, whatever its answer will be."""
        record = self._accounts[account.user_id]
        recent = record.requests
        recent.append(now_ns)
        while recent[0] <= now_ns - NS:
            recent.popleft()
        record.per_second_max = max(record.per_second_max, len(recent))

    def order_changed(self, order: Order, what: str, now_ns: int) -> None:
        record = self._accounts.get(order.account.user_id)
        if record is None:
            return
        strike_id = order.strike.strike_id
        if order.history is None:
            order.history = []
        order.history.append((now_ns, what))
        mine = record.alive[strike_id]
        if what == "accepted":
            mine[order.order_id] = order
            record.at_price[strike_id, order.price] += 1
            if record.at_price[strike_id, order.price] > 1:
                record.same_price_twice += 1
        elif not order.alive and mine.pop(order.order_id, None) is not None:
            record.at_price[strike_id, order.price] -= 1
            if not record.at_price[strike_id, order.price]:
                del record.at_price[strike_id, order.price]
        if what == "open" and record.first_quote_ns is None:
            record.first_quote_ns = now_ns
        before_cents = record.worst_cents
        self._risk_changed(record, order)
        if what in OUTSIDE or what.startswith("taken back"):
            record.outside_ns = now_ns
        if (
            what == "accepted"
            and record.worst_cents > before_cents
            and now_ns - record.outside_ns > HEARD_NS
        ):  # only what the maker did, knowing of all that the exchange did
            record.worst_cents_max = max(record.worst_cents_max, record.worst_cents)
        self._look(record, strike_id, now_ns)

    def filled(self, fill: Fill) -> None:
        self._risk_moved(fill, 1, "filled", fill.at_ns)

    def taken_back(self, fill: Fill) -> None:
        """A fill was undone: what it had put at risk is at risk no more."""
        self._risk_moved(fill, -1, "taken back", fill.busted_ns)

    def _risk_moved(self, fill: Fill, sign: int, word: str, now_ns: int) -> None:
        for order, own, other in (
            (fill.maker, fill.maker_cents, fill.taker_cents),
            (fill.taker, fill.taker_cents, fill.maker_cents),
        ):
            record = self._accounts.get(order.account.user_id)
            if record is None:
                continue
            risk = record.risk[order.line.index]
            before = risk.worst_cents()
            risk.filled[order.strike.side] += sign * own
            risk.winnings[order.strike.side] += sign * other
            record.worst_cents += risk.worst_cents() - before
            self.order_changed(order, f"{word} {own}", now_ns)

    def fair_moved(self, now_ns: int) -> None:
        """Look again at every quoted strike: the yardstick has moved."""
        for record in self._accounts.values():
            for strike_id in record.presence:
                self._look(record, strike_id, now_ns)

    def stop_mark(self, now_ns: int) -> None:
        """The measured time ends; later calls change nothing."""
        if self.stop_ns is None:
            self.fair_moved(now_ns)
            self.stop_ns = now_ns

    # -- figures --------------------------------------------------------------------------

    def _risk_changed(self, record: AccountRecord, order: Order) -> None:
        risk = record.risk[order.line.index]
        before = risk.worst_cents()
        alive = record.alive[order.strike.strike_id].values()
        risk.open[order.side] = sum(one.open_cents for one in alive)
        _result_counted(record, order)
        record.worst_cents += risk.worst_cents() - before

    def _look(self, record: AccountRecord, strike_id: str, now_ns: int) -> None:
        known = self._listing
        strike = known.strikes.get(strike_id) or known.gone[strike_id]
        floor = self._fair.probability(strike.line_index, strike.side) - QUOTED_WITHIN
        present = any(
            order.status == "open" and implied(order.price) >= floor
            for order in record.alive[strike_id].values()
        )
        seen = record.presence[strike_id]
        if seen.present:
            seen.total_ns += self._measured_ns(seen.since_ns, now_ns)
        seen.present, seen.since_ns = present, now_ns

    def _measured_ns(self, from_ns: int, to_ns: int) -> int:
        end = to_ns if self.stop_ns is None else min(to_ns, self.stop_ns)
        return max(0, end - max(from_ns, self._from_ns))

    def quoted_shares(self, account: Account, now_ns: int) -> dict[str, float]:
        """Per strike, the share of the measured time with a near enough open order."""
        record = self._accounts[account.user_id]
        window = self._measured_ns(self._from_ns, now_ns)
        shares = {}
        for strike_id, seen in record.presence.items():
            total = seen.total_ns
            if seen.present:
                total += self._measured_ns(seen.since_ns, now_ns)
            shares[strike_id] = total / window if window else 0.0
        return shares

    def summary(self, account: Account, now_ns: int) -> Json:
        """The whole record of one account; orders in the order of their arrival."""
        record = self._accounts[account.user_id]
        shares = self.quoted_shares(account, now_ns)
        open_now = len(account.alive)
        first = record.first_quote_ns
        return {
            "access_key_tail": account.access_key[-4:],
            "started_ns": self._started_ns,
            "now_ns": now_ns,
            "stop_ns": self.stop_ns,
            "strikes": len(self._listing.strikes),
            "orders_placed": len(account.orders),
            "fills_count": len(account.fills),
            "open_orders_now": open_now,
            "wiped_at_settle": record.wiped_at_settle,
            "open_orders_at_end": open_now + record.wiped_at_settle,
            "cash_cents_start": account.start_cents,
            "cash_cents_now": account.cash_cents,
            "pnl_cents": account.cash_cents - account.start_cents,
            "quoted_share_min": min(shares.values(), default=0.0),
            "quoted_share": shares,
            "worst_case_cents": record.worst_cents,
            "worst_case_cents_max": record.worst_cents_max,
            "same_price_twice": record.same_price_twice,
            "first_quote_s": None if first is None else (first - self._started_ns) / NS,
            "requests": {
                "total": record.requests_total,
                "per_second_max": record.per_second_max,
                "by_route": dict(record.by_route),
                "by_status": dict(record.by_status),
            },
            "orders": [self._order(record, order) for order in account.orders],
            "fills": [_fill(account, fill) for fill in account.fills],
            "transactions": [
                {
                    "id": row.number,
                    "kind": row.kind,
                    "amount_cents": row.amount_cents,
                    "balance_cents": row.balance_cents,
                    "at_ns": row.at_ns,
                    "trade_id": row.trade_id,
                    "event_id": row.event_id,
                    "market_id": row.market_id,
                }
                for row in account.transactions
            ],
        }

    @staticmethod
    def _order(record: AccountRecord, order: Order) -> Json:
        return {
            "external_id": order.request.external_id,
            "order_id": order.order_id,
            "event_id": order.line.event_id,
            "market_id": order.line.market_id,
            "strike_id": order.strike.strike_id,
            "price": order.price,
            "strategy": order.request.strategy,
            "quantity_cents": order.request.quantity_cents,
            "filled_cents": order.filled_cents,
            "counter_cents": order.counter_cents,
            "open_cents": order.open_cents,
            "status": order.status,
            "matching_status": order.matching_status,
            "winning_status": order.winning_status,
            "created_ns": order.created_ns,
            "updated_ns": order.updated_ns,
            "history": order.history or [],
        }


def _result_counted(record: AccountRecord, order: Order) -> None:
    """A result ends the risk of an order's fills; one that is taken back restores it."""
    settled = order.winning_status != "tbd" and order.filled_cents > 0
    if settled == (order.order_id in record.settled):
        return
    sign = -1 if settled else 1
    risk, side = record.risk[order.line.index], order.strike.side
    risk.filled[side] += sign * order.filled_cents
    risk.winnings[side] += sign * order.counter_cents
    (record.settled.add if settled else record.settled.discard)(order.order_id)


def _fill(account: Account, fill: Fill) -> Json:
    order, price, cents, counter = own_part(account, fill)
    return {
        "fill_id": fill.fill_id,
        "at_ns": fill.at_ns,
        "order_id": order.order_id,
        "external_id": order.request.external_id,
        "strike_id": order.strike.strike_id,
        "price": price,
        "stake_cents": cents,
        "wins_cents": counter,
        "as": "maker" if fill.maker is order else "taker",
    }
