"""Against a toy exchange behind a bad network: in the end both sides tell the same story."""
# faults: A1 A2 A3 A3b A4 A6 A8 A9 A16 B3 B4 C2 H1 H3

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import pytest

from mmbot.domain.entries import Entry
from mmbot.domain.ids import ExternalId
from mmbot.domain.order import State
from mmbot.domain.price import Price
from mmbot.engine.ledger import Ledger
from tests.builders import AWAY, HOME, NOW, PREFIX, SECOND, an_order, lines_of
from tests.engine.small_exchange import SmallExchange

STEP_NS = SECOND // 4
NOISY_S = 60
CALM_S = 240  # longer than the arrival bound, its two reads and an audit


@dataclass
class World:
    """The client's loop: hear, decide, journal, send. `crash` keeps only the journal."""

    rng: Random
    exchange: SmallExchange
    ledger: Ledger = field(default_factory=lambda: Ledger(PREFIX, line_of=lines_of()))
    journal: list[Entry] = field(default_factory=list)
    ever_used: set[ExternalId] = field(default_factory=set)
    fills: dict[ExternalId, int] = field(default_factory=dict)
    now_ns: int = NOW
    runs: int = 0

    def start(self) -> None:
        self.ledger = Ledger(PREFIX, line_of=lines_of())
        for entry in self.journal:
            self.ledger.replay(entry)
        self.runs += 1
        self.ledger.begin_run(f"run{self.runs}", self.now_ns)
        for command in self.ledger.start(self.now_ns):
            self.exchange.perform(command)
        self.send()

    def crash(self) -> None:
        self.exchange.forget_the_client()
        self.start()

    def intend(self) -> None:
        home = self.rng.random() < 0.5
        order = an_order(
            self.ledger.next_external_id(),
            side=0 if home else 1,
            strike_id=HOME if home else AWAY,
            price=Price(150 if home else -130),
            quantity=self.rng.randint(1, 100) * 100,
            intended_ns=self.now_ns,
        )
        assert order.external_id not in self.ever_used
        self.ever_used.add(order.external_id)
        self.ledger.intend(order)
        self.journal.extend(self.ledger.drain().entries)
        if self.rng.random() < 0.95 or self.exchange.calm:  # else: killed before it was sent
            self.exchange.place(order)
        else:
            self.crash()

    def step(self) -> None:
        self.now_ns += STEP_NS
        for event in self.exchange.until(self.now_ns):
            self.ledger.apply(event, self.now_ns)
        self.ledger.tick(self.now_ns)
        if not self.exchange.calm:
            self.disturb()
        self.send()
        if self.rng.random() < 0.05:
            self.ledger.check_sums()
        for order in self.ledger.orders():
            before = self.fills.get(order.external_id, 0)
            assert order.filled_cents >= before, f"{order.external_id} lost a fill"
            self.fills[order.external_id] = order.filled_cents

    def disturb(self) -> None:
        dice = self.rng.random()
        live = self.ledger.live()
        if dice < 0.35 and len(live) < 12:
            self.intend()
        elif dice < 0.55 and live:
            self.ledger.want_cancel(self.rng.choice(live).external_id, self.now_ns)
        elif dice < 0.7:
            self.exchange.fill_something()
        elif dice < 0.72:
            self.exchange.wipe_something()
        elif dice < 0.8:
            for order in live:
                if self.ledger.may_resend(order.external_id, self.now_ns):
                    self.ledger.note_resend(order.external_id, self.now_ns)
                    self.exchange.place(order)
        elif dice < 0.82:
            self.crash()

    def send(self) -> None:
        drained = self.ledger.drain()
        self.journal.extend(drained.entries)
        for command in drained.commands:
            self.exchange.perform(command)


def a_world(seed: int) -> World:
    rng = Random(seed)
    world = World(rng, SmallExchange(rng))
    world.start()
    return world


@pytest.mark.parametrize("seed", range(8))
def test_an_order_in_the_ledger_is_never_placed_twice_nor_lost(seed: int) -> None:
    world = a_world(seed)
    while world.now_ns < NOW + NOISY_S * SECOND:
        world.step()
    world.exchange.calm = True
    while world.now_ns < NOW + (NOISY_S + CALM_S) * SECOND:
        world.step()
    theirs = world.exchange.orders
    assert world.ledger.recovered
    assert world.ledger.in_doubt_count == 0
    assert open_here(world) == {i for i, r in theirs.items() if r.open_cents}
    for ident, resting in theirs.items():
        order = world.ledger.order(ident)
        assert order is not None
        assert order.filled_cents == resting.filled, ident
        assert (order.state is State.FILLED) == (resting.filled == order.quantity_cents)
    for order in world.ledger.live():
        assert not order.cancel_wanted, f"{order.external_id} should be gone by now"


@pytest.mark.parametrize("seed", range(8, 14))
def test_nothing_that_rests_is_ever_left_out_of_the_exposure(seed: int) -> None:
    world = a_world(seed)
    while world.now_ns < NOW + NOISY_S * SECOND:
        world.step()
        resting = {i: r for i, r in world.exchange.orders.items() if r.open_cents}
        counted = {o.external_id: o for o in world.ledger.live()}
        for ident, there in resting.items():
            assert ident in counted, f"{ident} rests and the ledger holds it ended"
            mine = counted[ident]
            assert mine.filled_cents + mine.remaining_cents >= there.filled + there.open_cents


def open_here(world: World) -> set[ExternalId]:
    return {order.external_id for order in world.ledger.live()}
