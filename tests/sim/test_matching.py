"""Matching: price then time, the worked example of the contract, and a conserved pot."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.sim.core.matching import match_cents, takeable_cents
from mmbot.sim.core.prices import complement, half_up, ratio
from tests.sim.builders import Client, a_box, a_line, a_second_client

PRICES = (-5000, -880, -230, -117, -101, 100, 104, 114, 185, 900, 4500)


@given(st.integers(1, 10**8), st.integers(1, 10**8), st.sampled_from(PRICES))
def test_a_match_takes_no_more_than_both_sides_have(taker: int, maker: int, price: int) -> None:
    taker_used, maker_used = match_cents(taker, maker, price)
    assert 0 <= taker_used <= taker
    assert 0 <= maker_used <= maker
    assert (taker_used == 0) == (maker_used == 0)
    if 0 < maker_used < maker:
        num, den = ratio(complement(price))
        assert maker_used == half_up(taker_used * num, den)


def test_worked_example_of_the_contract() -> None:
    box = a_box()
    maker, taker = Client(box), a_second_client(box)
    side_a, side_b = a_line(box).strikes
    private = maker.listen()
    resting = maker.place(side_a.strike_id, -117, 117.0)
    private.frames()
    taken = taker.place(side_b.strike_id, 114, 50.0)
    assert taken["filled_quantity"] == 50.0
    assert box.exchange.orders[taken["order_id"]].counter_cents == 5850
    after = maker.read(resting["order_id"])
    assert (after["filled_quantity"], after["open_quantity"]) == (58.5, 58.5)
    assert after["matching_status"] == "partially_matched"
    [message] = private.payloads("orders")
    assert message["info"]["filled_quantity"] == 58.5
    assert message["info"]["total_filled_quantity"] == 58.5
    assert message["info"]["fill_price"] == -117
    assert message["info"]["update_type"] == "matching"


def test_the_better_price_trades_first_then_the_older() -> None:
    box = a_box()
    maker, taker = Client(box), a_second_client(box)
    side_a, side_b = a_line(box).strikes
    older = maker.place(side_a.strike_id, 105, 20.0)
    newer = maker.place(side_a.strike_id, 105, 20.0)
    better = maker.place(side_a.strike_id, 102, 10.0)
    taker.wait(0.5)
    taker.place(side_b.strike_id, -105, takeable_cents(1000, 102) / 100 + 21.0)
    filled = [maker.read(o["order_id"])["filled_quantity"] for o in (better, older, newer)]
    assert filled == [10.0, 20.0, 0.0]
    fills = box.exchange.fills
    assert [fill.taker_price for fill in fills] == [-102, -105]


def test_the_same_strike_never_trades_with_itself() -> None:
    box = a_box()
    maker, other = Client(box), a_second_client(box)
    side_a, _ = a_line(box).strikes
    maker.place(side_a.strike_id, -300, 50.0)
    other.place(side_a.strike_id, 300, 50.0)
    assert box.exchange.fills == []


orders = st.tuples(
    st.booleans(),
    st.integers(0, 1),
    st.sampled_from(PRICES),
    st.integers(101, 40_000),
    st.sampled_from(["", "ALO", "fillOrKill"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(orders, min_size=1, max_size=25), st.booleans())
def test_every_cent_is_somewhere(items: list[tuple[bool, int, int, int, str]], won: bool) -> None:
    """Cash plus pots never changes by matching; settlement only takes the commission away."""
    box = a_box()
    clients = (Client(box), a_second_client(box))
    line = a_line(box)
    for second, side, price, cents, strategy in items:
        client = clients[second]
        client.now_ns = box.exchange.now_ns
        extra = {"order_strategy": strategy} if strategy else {}
        strike_id = line.strikes[side].strike_id
        body = client.order(strike_id, price, cents / 100, **extra)
        client.api("POST", "/v4/mm/submit_order", body)
        client.wait(0.05)
    accounts = list(box.exchange.accounts.values())
    start = sum(account.start_cents for account in accounts)
    pots = sum(fill.taker_cents + fill.maker_cents for fill in box.exchange.fills)
    assert sum(account.cash_cents for account in accounts) + pots == start
    for order in box.exchange.orders.values():
        assert order.filled_cents + order.open_cents <= order.request.quantity_cents
        assert order.open_cents >= 0
    for account in accounts:
        assert account.resting_cents == sum(o.open_cents for o in account.alive.values())
        assert account.matched_cents == sum(o.filled_cents for o in account.filled.values())
    _, answer = clients[0].call("POST", "/_box/settle")
    fees = sum(answer["fees_cents"].values())
    assert sum(account.cash_cents for account in accounts) == start - fees
    for account in accounts:
        assert account.matched_cents == account.resting_cents == 0
        if not account.internal:
            moved = sum(row.amount_cents for row in account.transactions)
            assert account.cash_cents == account.start_cents + moved
