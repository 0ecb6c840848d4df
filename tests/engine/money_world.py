"""The box's own money beside our ledger: real core, real words, an unreliable way between."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec

from mmbot.domain import catalog
from mmbot.domain.commands import CancelOrders, Command, ReadHistory, ReadOrder, ReadTransactions
from mmbot.domain.entries import Entry, RunStarted
from mmbot.domain.events import BalanceSeen, HistoryRead, OrderSeen, TransactionsRead
from mmbot.domain.facts import Alarm
from mmbot.domain.ids import LineId, MarketId, OrderId, SportEventId, StrikeId
from mmbot.domain.order import OrderReport
from mmbot.domain.price import Price
from mmbot.engine.ledger import Ledger
from mmbot.exchange import codec, wire
from mmbot.exchange.notices import Notices
from mmbot.sim.core import orders as box
from mmbot.sim.core.lifecycle import Line
from mmbot.sim.core.messages import history_row, transaction_row
from mmbot.sim.rules import Rules
from tests.builders import PREFIX, RUN, an_order
from tests.sim.small_venue import SmallVenue

NS = 1_000_000_000
PRICES = (-250, -130, 100, 118, 170, 400)
NOTICES = Notices()
VERDICTS = (0, 1, 0, 1, "push", "draw", "no_result", "void", "dead_heat")


def raw(fields: Any) -> wire.Raw:
    return wire.Raw(msgspec.json.encode(fields))


@dataclass
class MoneyWorld:
    """`do` makes something happen at the box; `tell` lets the ledger hear of it, or not.

    With `late` answers are lost or come when they are old, and rows are written late.
    """

    seed: int
    rules: Rules = field(default_factory=Rules)
    lossy: float = 0.3
    late: bool = False
    journal: list[Entry] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    deposited_cents: int = 0
    runs: int = 0
    under_way: list[OrderSeen] = field(default_factory=list)
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        self.venue = SmallVenue(self.rules, games=2, seed=self.seed)
        self.exchange = self.venue.exchange
        self.maker = self.venue.account("maker", 50_000)
        self.taker = self.venue.account("taker", 50_000, internal=True)
        self.lines = [
            line for event in self.exchange.listing.events.values() for line in event.lines
        ]
        self.ours: list[box.Order] = []
        self.waiting: list[dict[str, Any]] = []
        self.ledger = Ledger(PREFIX, line_of=self._line_of)
        self.journal.append(RunStarted(RUN, self.now_ns))
        self.ledger.begin_run(RUN, self.now_ns)
        self.ledger.drain()
        self.commands: list[Command] = list(self.ledger.start(self.now_ns))
        self.balance()
        self.venue.wait(1)

    @property
    def now_ns(self) -> int:
        return self.venue.now_ns

    def _line_of(self, strike_id: StrikeId) -> catalog.Line | None:
        strike = self.exchange.listing.strikes.get(strike_id)
        return None if strike is None else our_line(self.exchange.listing.lines[strike.line_index])

    # --- at the box --------------------------------------------------------------------------

    def fill(self) -> None:
        """We rest, somebody takes some of it, perhaps in two pieces."""
        rng, line = self.rng, self.rng.choice(self.lines)
        side, price = rng.randrange(2), rng.choice(PRICES)
        strike = line.strikes[side]
        cents = rng.randrange(300, 9_000)
        ident = self.ledger.next_external_id()
        placed = self.exchange.submit(
            self.maker, box.OrderRequest(ident, strike.strike_id, price, cents, "ALO"), self.now_ns
        )
        if not isinstance(placed, box.Order):
            return
        order = an_order(
            ident,
            event_id=SportEventId(line.event_id),
            market_id=MarketId(line.market_id),
            line_id=our_line(line).line_id,
            strike_id=StrikeId(strike.strike_id),
            side=side,
            price=Price(price),
            quantity=cents,
            intended_ns=self.now_ns,
        )
        self.ledger.intend(order)
        self.venue.wait(0.1)
        self.ours.append(placed)
        against = 100 if price in {100, -100} else -price
        for _ in range(rng.randrange(1, 3)):
            usd = rng.randrange(200, 6_000) / 100
            self.venue.submit(self.taker, line.strikes[1 - side], against, usd, "take")
            self.venue.wait(0.1)
        self.exchange.mass_cancel(list(self.taker.alive.values()), self.now_ns)

    def cancel(self) -> None:
        self.exchange.mass_cancel(list(self.maker.alive.values()), self.now_ns)

    def bust(self) -> None:
        mine = [f for f in self.exchange.fills if self.maker in {f.maker.account, f.taker.account}]
        if mine:
            self.exchange.settlement.bust(self.rng.choice(mine), self.now_ns)

    def void_order(self) -> None:
        if self.ours:
            self.exchange.settlement.void(self.rng.choice(self.ours), self.now_ns)

    def settle(self) -> None:
        event = self.rng.choice(list(self.exchange.listing.events.values()))
        winners: Any = {line.index: self.rng.choice(VERDICTS) for line in event.lines}
        by_hand = self.rng.random() < 0.3
        how: Any = "manual" if by_hand else "automatic"
        self.exchange.settlement.settle(event, winners, self.now_ns, how=how)

    def reverse(self) -> None:
        event = self.rng.choice(list(self.exchange.listing.events.values()))
        self.exchange.settlement.reverse(event, self.now_ns)

    def pay(self) -> None:
        change = self.rng.choice((-5_000, 7_700))
        self.deposited_cents += change
        self.exchange.set_cash(self.maker, self.maker.cash_cents + change, self.now_ns)

    def restart(self) -> None:
        """We die and come back with the journal; what was asked for is never answered."""
        self._collect()
        ledger = Ledger(PREFIX, line_of=self._line_of)
        ledger.rebuild(self.journal)
        self.ledger, self.under_way, self.runs = ledger, [], self.runs + 1
        ledger.begin_run(f"{self.runs:012x}", self.now_ns)
        self.commands = list(ledger.start(self.now_ns))
        self._collect()

    # --- between the two ---------------------------------------------------------------------

    def tell(self) -> None:
        """Messages: lost, doubled and in any order, but never twice the same way."""
        told = [one for one in self.venue.messages() if one.change_type == "orders"]
        infos: list[Any] = [one.payload["info"] for one in told]
        self.waiting += [info for info in infos if info["user_id"] == self.maker.user_id]
        self.rng.shuffle(self.waiting)
        keep = self.rng.randrange(len(self.waiting) + 1)
        for info in self.waiting[keep:]:
            if self.rng.random() >= self.lossy and not self._older(info):
                report = codec.order_report(raw(info), NOTICES, streamed=True)
                for _ in range(self.rng.randrange(1, 3)):
                    self.ledger.apply(OrderSeen(report, "stream", self.now_ns), self.now_ns)
        del self.waiting[keep:]
        self._collect()

    def _older(self, info: Any) -> bool:
        """As the stream's reader drops it: an older image of the same kind."""
        key, number = (info["order_id"], info["update_type"]), info["sequence_number"]
        if number < self.numbers.get(key, 0):
            return True
        self.numbers[key] = number
        return False

    def money(self, from_ns: int = 0) -> None:
        rows = [codec.transaction(raw(transaction_row(row))) for row in self.maker.transactions]
        self.rng.shuffle(rows)
        until_ns = self.now_ns - NS * (self.rng.choice((0, 5, 40)) if self.late else 0)
        rows = [row for row in rows if from_ns <= row.created_ns <= until_ns]
        rows.sort(key=lambda row: int(row.transaction_id.split("-")[1]))
        read = TransactionsRead(tuple(rows), from_ns, self.now_ns, self.now_ns)
        self.ledger.apply(read, self.now_ns)

    def balance(self) -> None:
        cents = self.maker.cash_cents
        self.ledger.apply(BalanceSeen(cents, self.now_ns, cents, self.now_ns), self.now_ns)
        self._collect()

    def serve(self) -> None:
        """Time passes, and what the ledger asks for is answered."""
        self.venue.wait(self.rng.choice((0.5, 3.0, 11.0)))
        self.ledger.tick(self.now_ns)
        self._collect()
        commands, self.commands = self.commands, []
        for seen in self.under_way:
            self.ledger.apply(seen, self.now_ns)
        self.under_way = []
        for command in commands:
            match command:
                case ReadOrder(_, order_id):
                    self._answer(order_id)
                case ReadTransactions(from_ns):
                    self.money(from_ns)
                case ReadHistory():
                    self._history(command)
                case CancelOrders(refs):
                    placed = [self.maker.orders[ref.order_id] for ref in refs]
                    self.exchange.mass_cancel(placed, self.now_ns)
                case _:
                    pass
        self._collect()

    def _answer(self, order_id: OrderId) -> None:
        seen = OrderSeen(self._report(order_id), "read", self.now_ns, self.now_ns)
        fate = self.rng.random() if self.late else 1.0
        if fate >= 0.5:
            self.ledger.apply(seen, self.now_ns)
        elif fate >= 0.1:
            self.under_way.append(seen)

    def _report(self, order_id: OrderId) -> OrderReport:
        return codec.order_report(raw(history_row(self.maker.orders[order_id])), NOTICES)

    def _history(self, asked: ReadHistory) -> None:
        orders = list(self.maker.alive.values() if asked.alive_only else self.maker.orders)
        if asked.changed_only:
            orders = [order for order in orders if order.updated_ns >= asked.from_ns]
        reports = tuple(self._report(OrderId(order.order_id)) for order in orders)
        now_ns = self.now_ns
        only = asked.alive_only, asked.changed_only
        read = HistoryRead(asked.from_ns, reports, now_ns, now_ns, now_ns, *only)
        self.ledger.apply(read, now_ns)

    def _collect(self) -> None:
        said = self.ledger.drain()
        self.journal += said.entries
        self.commands += said.commands
        self.alarms += [fact.what for fact in said.facts if isinstance(fact, Alarm)]

    def calm(self, rounds: int = 60) -> None:
        """Nothing happens any more; messages still come, and what is asked for is answered."""
        self.cancel()
        for turn in range(rounds + 20 * self.late):
            self.tell()
            if turn % 6 == 0:
                self.money()
                self.balance()
            self.serve()


def our_line(line: Line) -> catalog.Line:
    first, second = line.strikes
    return catalog.Line(
        LineId(f"{line.event_id}/{line.market_id}/{line.index}"),
        SportEventId(line.event_id),
        MarketId(line.market_id),
        line.kind,
        line.kind,
        line.kind,
        line.number,
        (
            catalog.Strike(StrikeId(first.strike_id), 0, "first", None),
            catalog.Strike(StrikeId(second.strike_id), 1, "second", None),
        ),
    )
