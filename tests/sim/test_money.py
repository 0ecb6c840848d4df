"""Money: every cent is somewhere, whatever happens; funds, caps, fees, credit, results."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.sim.core.credit import backing_cents
from mmbot.sim.core.exchange import Exchange
from mmbot.sim.core.lifecycle import Line, SportEvent
from mmbot.sim.core.orders import Account, Order, Strategy
from mmbot.sim.core.settlement import Verdict
from mmbot.sim.rules import ActivationRules, LifeRules, MoneyRules, Rules
from tests.sim.small_venue import SmallVenue

PRICES = (-5000, -230, -117, -117, -101, 100, 100, 104, 114, 114, 185, 900)
STRATEGIES: tuple[Strategy, ...] = ("", "", "", "ALO", "fillOrKill")
VERDICTS: tuple[Verdict, ...] = (0, 1, None, "push", "draw", "no_result", "void", "dead_heat")


class Chaos:
    """Draws what happens next; every deed may find that there is nothing to do."""

    def __init__(self, rules: Rules, seed: int) -> None:
        self.venue = SmallVenue(rules, seed=seed)
        self.exchange = self.venue.exchange
        self.rng = Random(seed)
        self.accounts = [
            self.venue.account("one", 300),
            self.venue.account("two", 5_000),
            self.venue.account("traders", 100_000, internal=True),
        ]
        self.deeds: dict[Callable[[], object], int] = {
            self.submit: self.rng.choice((400, 4_000)),
            self.wait: self.rng.choice((100, 800)),
            self.cancel: 40,
            self.mass_cancel: 10,
            self.deposit: 10,
            self.bust: 25,
            self.settle: 6,
            self.reverse: 20,
            self.judge: 8,
            self.void: 8,
            self.suspend: 6,
            self.go_live: 3,
            self.move_line: 4,
            self.relist: 6,
        }

    def step(self) -> None:
        [deed] = self.rng.choices(list(self.deeds), list(self.deeds.values()))
        deed()
        self.venue.wait(0)

    def submit(self) -> None:
        account, line = self.rng.choice(self.accounts), self.any_line()
        cents, price = self.rng.randint(100, 30_000), self.rng.choice(PRICES)
        strategy = self.rng.choice(STRATEGIES)
        self.venue.submit(account, self.rng.choice(line.strikes), price, cents / 100, strategy)

    def wait(self) -> None:
        self.venue.wait(self.rng.choice((0.006, 0.1, 1, 3, 12)))

    def cancel(self) -> None:
        order = self.any_order()
        if order and self.exchange.cancel_refusal(order, self.venue.now_ns) is None:
            self.exchange.cancel(order, self.venue.now_ns)

    def mass_cancel(self) -> None:
        alive = list(self.rng.choice(self.accounts).alive.values())
        self.exchange.mass_cancel(alive, self.venue.now_ns)

    def settle(self) -> None:
        event = self.any_line_event()
        winners = {line.index: self.rng.choice(VERDICTS) for line in event.lines}
        how = self.rng.choice(("automatic", "manual"))
        settlement = self.exchange.settlement
        if how == "manual":
            settlement.settle(event, winners, self.venue.now_ns, how="manual")
        else:
            settlement.settle(event, winners, self.venue.now_ns)

    def judge(self) -> None:
        settlement, line = self.exchange.settlement, self.any_line()
        word = self.rng.choice((settlement.push, settlement.draw, settlement.no_result))
        word(line, self.venue.now_ns)

    def reverse(self) -> None:
        self.exchange.settlement.reverse(self.any_line_event(), self.venue.now_ns)

    def void(self) -> None:
        what: Line | Order | None = self.rng.choice(
            (self.any_line(), self.any_order(), self.any_order())
        )
        if what is not None:
            self.exchange.settlement.void(what, self.venue.now_ns)

    def bust(self) -> None:
        if self.exchange.fills:
            fill = self.rng.choice(self.exchange.fills)
            self.exchange.settlement.bust(fill, self.venue.now_ns)

    def suspend(self) -> None:
        event, on = self.any_line_event(), self.rng.random() < 0.2
        market_id = self.rng.choice((0, event.lines[0].market_id))
        self.exchange.calendar.suspend(event, self.venue.now_ns, on=on, market_id=market_id)

    def go_live(self) -> None:
        self.exchange.calendar.go_live(self.any_line_event(), self.venue.now_ns)

    def move_line(self) -> None:
        totals = [line for line in self.any_line_event().lines if line.kind == "total"]
        line, number = self.rng.choice(totals), 30.5 + self.rng.randrange(20)
        if all(one.number != number for one in totals):
            self.exchange.calendar.move_line(line, number, self.venue.now_ns)

    def relist(self) -> None:
        event, calendar = self.any_line_event(), self.exchange.calendar
        calendar.unlist(event, self.venue.now_ns)
        if self.rng.random() < 0.8:
            calendar.relist(event, self.venue.now_ns)

    def deposit(self) -> None:
        account = self.rng.choice(self.accounts)
        self.exchange.set_cash(account, account.cash_cents + 5_000, self.venue.now_ns)

    def any_line(self) -> Line:
        return self.rng.choice([one for one in self.exchange.listing.lines if self.is_listed(one)])

    def is_listed(self, line: Line) -> bool:
        return self.exchange.listing.is_current(line)

    def any_line_event(self) -> SportEvent:
        return self.rng.choice(list(self.exchange.listing.events.values()))

    def any_order(self) -> Order | None:
        orders = list(self.exchange.orders.values())
        return self.rng.choice(orders) if orders else None


def check(exchange: Exchange, *, credit: bool) -> None:
    """What holds at every moment."""
    accounts, chests = list(exchange.accounts.values()), exchange.wallet.chests
    assert exchange.wallet.balance_cents(accounts) == 0
    staked = sum(
        position.locked_cents()
        for account in accounts
        for position in account.positions.values()
        if not position.settled
    )
    assert chests["pot"] == staked == sum(account.matched_cents for account in accounts)
    assert chests["loans"] == -sum(account.lent_cents for account in accounts)
    assert chests["fees"] >= 0
    reserved = sum(order.open_cents for order in exchange.orders.values() if order.reserved)
    assert chests["reserve"] == reserved
    for account in accounts:
        alive = account.alive.values()
        assert account.resting_cents == sum(order.open_cents for order in alive)
        by_strike = [order for mine in account.at_strike.values() for order in mine.values()]
        assert sorted(o.number for o in by_strike) == sorted(o.number for o in alive)
        assert account.delayed_orders == sum(o.delayed_until_ns > 0 for o in alive)
        if not account.internal:
            moved = sum(row.amount_cents for row in account.transactions)
            assert account.cash_cents == account.start_cents + moved
            _check_positions(account)
        if credit:
            assert account.lent_cents <= backing_cents(account)
    for order in exchange.orders.values():
        assert order.filled_cents + order.open_cents <= order.request.quantity_cents
        assert order.open_cents >= 0
        assert order.filled_cents >= 0


def _check_positions(account: Account) -> None:
    """Positions are what the fills say, order by order."""
    held: dict[tuple[int, int], int] = {}
    for order in account.orders:
        assert order.filled_cents == sum(fill.stakes(order)[0] for fill in order.standing)
        assert order.counter_cents == sum(fill.stakes(order)[1] for fill in order.standing)
        key = (order.line.index, order.side)
        held[key] = held.get(key, 0) + order.filled_cents
    for position in account.positions.values():
        for side in (0, 1):
            assert position.staked[side] == held.get((position.line.index, side), 0)


RULES = (
    Rules(),
    Rules(money=MoneyRules(funds="on_placement"), fill_or_kill="all_or_nothing"),
    Rules(money=MoneyRules(credit="gec"), profit_rounding="floor"),
    Rules(money=MoneyRules(credit="lec_and_gec", fee_net="order")),
    Rules(
        money=MoneyRules(fill_payment_ms=2_000, mass_cancel_refunds=True),
        quantity_after_cancel="shrunk",
        life=LifeRules(in_play=True, wiped_messages="batches", wiped_partly="wiped"),
        activation=ActivationRules(delay="spread", in_play_delay_ms=500),
    ),
)


@pytest.mark.parametrize("rules", RULES)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), steps=st.integers(50, 250))
def test_every_cent_is_somewhere_whatever_happens(rules: Rules, seed: int, steps: int) -> None:
    # faults: B13 F11 G10
    chaos = Chaos(rules, seed)
    credit = rules.money.credit != "off"
    for _ in range(steps):
        chaos.step()
        check(chaos.exchange, credit=credit)
    chaos.venue.wait(30)
    chaos.exchange.take_outbox()
    events = list(chaos.exchange.listing.events.values())
    for event in events:
        lines = (*event.lines, *event.gone_lines)
        winners = {line.index: chaos.rng.choice((0, 1)) for line in lines}
        chaos.exchange.settlement.settle(event, winners, chaos.venue.now_ns)
    check(chaos.exchange, credit=credit)
    chests = chaos.exchange.wallet.chests
    assert (chests["pot"], chests["reserve"], chests["loans"]) == (0, 0, 0)
    cash = sum(account.cash_cents for account in chaos.accounts)
    assert cash + chests["fees"] == -chests["world"]
