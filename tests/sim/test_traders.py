"""The market around us: drift, feed, takers, the rival, news and results."""

from __future__ import annotations

import statistics
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from mmbot.sim.box import Box
from mmbot.sim.core.lifecycle import Listing
from mmbot.sim.core.orders import OrderRequest
from mmbot.sim.core.prices import implied, logit, sigmoid
from mmbot.sim.games.results import result_of
from mmbot.sim.market.fair import FairBoard
from mmbot.sim.market.options import (
    BurstOptions,
    Drift,
    FeedOptions,
    MakerOptions,
    RivalOptions,
    SniperOptions,
    Style,
    TakerOptions,
)
from mmbot.sim.market.takers import offered, take, traders_account
from mmbot.sim.scenario import BoxOptions
from tests.sim.builders import MS, NS, START_NS, Client, a_box
from tests.sim.test_listing import GAMES


def test_the_drift_is_a_martingale_of_the_size_of_a_demo() -> None:
    listing = Listing(GAMES, START_NS, 7200)
    moves, values = [], []
    for seed in range(120):
        board = FairBoard(listing, Drift(), Random(seed))
        before = board.probability(0)
        for step in range(240):
            board.step(step)
        moves.append(board.shift(0))
        values.append(board.probability(0) - before)
    assert 0.02 < statistics.pstdev(moves) < 0.045
    error = statistics.pstdev(values) / len(values) ** 0.5
    assert abs(statistics.fmean(values)) < 4 * error


def test_one_seed_is_one_market_and_another_is_another() -> None:
    def market(seed: int) -> list[tuple[int, int, int]]:
        box = a_box(traders=True, seed=seed)
        Client(box).wait(20)
        return [(fill.at_ns, fill.taker_price, fill.taker_cents) for fill in box.exchange.fills]

    first = market(1)
    assert len(first) > 20
    assert first == market(1)
    assert first != market(2)


def _quote_everything(box: Any, client: Client, half_spread: float, seconds: int) -> None:
    """A plain maker: one order of about 50 dollars payout per strike, kept near the fair."""
    held: dict[str, tuple[Any, float]] = {}
    for turn in range(seconds * 2):
        client.wait(0.5)
        for strike in box.exchange.listing.strikes.values():
            x = box.fair.x(strike.line_index) * (1 if strike.side == 0 else -1)
            order, quoted = held.get(strike.strike_id, (None, 0.0))
            if order is not None and order.alive and abs(x - quoted) < 0.03:
                continue
            if order is not None and order.alive:
                box.exchange.cancel(order, client.now_ns)
            price = box.exchange.ladder.at_most(sigmoid(x - half_spread))
            cents = max(100, int(10_000 * sigmoid(x)))
            name = f"q-{turn}-{strike.strike_id}"
            request = OrderRequest(name, strike.strike_id, price, cents, "ALO")
            if not box.exchange.crosses_own(client.account, request):
                accepted = box.exchange.accept(client.account, request, client.now_ns)
                held[strike.strike_id] = (accepted, x)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_maker_near_the_fair_gets_a_fill_a_second(seed: int) -> None:
    box = a_box(traders=True, seed=seed)
    client = Client(box)
    _quote_everything(box, client, 0.06, 60)
    record = client.record()
    assert record["fills_count"] >= 60
    assert len({fill["strike_id"] for fill in record["fills"]}) >= 20
    assert record["quoted_share_min"] > 0.9
    others = [f for f in box.exchange.fills if f.maker.account is not client.account]
    assert len(others) > 10


def test_a_maker_far_away_gets_next_to_nothing() -> None:
    box = a_box(traders=True)
    client = Client(box)
    _quote_everything(box, client, 0.4, 30)
    assert client.record()["fills_count"] <= 5


def test_traders_leave_when_told() -> None:
    box = a_box(traders=True)
    client = Client(box)
    client.wait(10)
    assert client.call("POST", "/_box/takers", {"on": False}) == (200, {"on": False})
    fills = len(box.exchange.fills)
    client.wait(10)
    assert len(box.exchange.fills) == fills
    _, state = client.call("GET", "/_box/state")
    assert all(line["resting_cents"] == 0 for line in state["lines"])
    client.call("POST", "/_box/takers", {"on": True})
    client.wait(10)
    assert len(box.exchange.fills) > fills
    assert client.call("POST", "/_box/takers", {"on": 1})[0] == 400


def _prices(feed: list[dict[str, Any]], home: str) -> dict[tuple[str, str, str, float], int]:
    [event] = [event for event in feed if event["home_team"] == home]
    return {
        (book["key"], market["key"], one["name"], one.get("point", 0.0)): one["price"]
        for book in event["bookmakers"]
        for market in book["markets"]
        for one in market["outcomes"]
    }


def test_the_feed_holds_the_bookmakers_prices_and_moves() -> None:
    box = a_box()
    client = Client(box)
    status, feed = client.call("GET", "/_feed/odds")
    assert status == 200
    assert len(feed) == 3
    listed = {event.game.home: event for event in box.exchange.listing.events.values()}
    for event in feed:
        assert event["commence_time"].startswith("2026-11-22T")
        source = listed[event["home_team"]].game
        assert [book["key"] for book in event["bookmakers"]] == [b.key for b in source.bookmakers]
    before = _prices(feed, "France")
    assert ("pinnacle", "h2h", "Draw", 0.0) in before
    reply = box.http("GET", "/_feed/odds", {}, b"", client.now_ns)
    tag = {"If-None-Match": reply.headers["ETag"]}
    assert box.http("GET", "/_feed/odds", tag, b"", client.now_ns).status == 304
    client.wait(60)
    reply = box.http("GET", "/_feed/odds", tag, b"", client.now_ns)
    assert reply.status == 200
    _, feed = client.call("GET", "/_feed/odds")
    after = _prices(feed, "France")
    assert after.keys() == before.keys()
    moved = [abs(logit(implied(after[key])) - logit(implied(before[key]))) for key in before]
    assert 0 < statistics.median(moved) < 0.12
    assert before["pinnacle", "h2h", "Draw", 0.0] == after["pinnacle", "h2h", "Draw", 0.0]


def test_news_moves_fair_at_once_and_the_feed_within_its_lag() -> None:
    # faults: F12
    box = a_box()
    client = Client(box)
    client.wait(5)
    event = next(iter(box.exchange.listing.events.values()))
    line = event.lines[2]
    x = box.fair.x(line.index)
    before = _prices(client.call("GET", "/_feed/odds")[1], event.game.home)
    news = {"event_id": event.event_id, "shift_logit": 0.5}
    assert client.call("POST", "/_box/news", news)[0] == 200
    assert box.fair.x(line.index) == pytest.approx(x + 0.5)
    client.wait(0.6)
    after = _prices(client.call("GET", "/_feed/odds")[1], event.game.home)
    moves = [
        logit(implied(after[key])) - logit(implied(before[key]))
        for key in before
        if key[2] == "Over"
    ]
    assert all(0.35 < move < 0.65 for move in moves)
    assert client.call("POST", "/_box/news", {"event_id": 5})[0] == 404
    assert client.call("POST", "/_box/news", {"shift_logit": "up"})[0] == 400
    _, drawn = client.call("POST", "/_box/news")
    assert abs(drawn["shift_logit"]) == 0.35


def test_who_is_informed_takes_a_stale_quote_a_second_after_the_news() -> None:
    box = a_box(traders=True)
    client = Client(box)
    client.wait(1)
    event = next(iter(box.exchange.listing.events.values()))
    line = event.lines[2]
    fair = box.fair.probability(line.index, 1)
    price = box.exchange.ladder.at_most(sigmoid(logit(fair) - 0.15))
    assert price is not None
    order = client.place(line.strikes[1].strike_id, price, 50.0)
    news_ns = client.now_ns
    client.call("POST", "/_box/news", {"event_id": event.event_id, "shift_logit": 0.6})
    client.wait(3)
    hits = [
        fill
        for fill in box.exchange.fills
        if fill.maker.order_id == order["order_id"] and fill.taker.account.name == "informed"
    ]
    assert hits
    assert hits[0].at_ns - news_ns >= 1000 * MS
    assert hits[0].at_ns - news_ns < 2 * NS + 500 * MS


def test_drawn_results_agree_across_the_lines_of_a_game() -> None:
    listing = Listing(GAMES, START_NS, 7200)
    counts: dict[int, int] = {}
    draws = 400
    for seed in range(draws):
        for event in listing.events.values():
            result = result_of(event, Random(seed))
            if event.game.score is not None:
                assert result.how == "real"
                assert set(result.winners.values()) == {1}
                continue
            sides = [result.winners[line.index] for line in event.lines]
            assert sides == sorted(sides, key=lambda side: side or 0)
            for line in event.lines:
                counts[line.index] = counts.get(line.index, 0) + (result.winners[line.index] == 0)
    for index, count in counts.items():
        fair = sigmoid(listing.lines[index].base_logit)
        assert count / draws == pytest.approx(fair, abs=0.09)


def test_settlement_happens_once_and_ends_trading() -> None:
    box = a_box(traders=True)
    client = Client(box)
    client.wait(5)
    first = client.call("POST", "/_box/settle")
    assert client.call("POST", "/_box/settle") == first
    assert client.call("POST", "/_box/takers", {"on": True})[1] == {"on": False}
    strike_id = next(iter(box.exchange.listing.strikes))
    answer = client.api("POST", "/v4/mm/submit_order", client.order(strike_id, 900, 5.0))
    assert answer[1]["error"] == "event_not_available"


def _only(**options: Any) -> tuple[Any, Client]:
    """A box where nobody trades but those named, and the client."""
    quiet = TakerOptions(arrivals_per_s=0.001, informed_every_ms=86_400_000)
    chosen = BoxOptions(takers=quiet, rival=RivalOptions(on=False), **options)
    box = Box(chosen, START_NS)
    return box, Client(box)


def _stale_order(box: Any, client: Client) -> tuple[Any, dict[str, Any]]:
    """An order that is right now and very wrong after the news; and the line it is on."""
    line = next(iter(box.exchange.listing.events.values())).lines[2]
    fair = box.fair.probability(line.index, 1)
    price = box.exchange.ladder.at_most(sigmoid(logit(fair) - 0.15))
    return line, client.place(line.strikes[1].strike_id, price, 200.0)


def test_snipers_hit_a_stale_quote_before_the_feed_has_moved() -> None:
    # faults: F12 G5
    box, client = _only(snipers=SniperOptions(on=True), feed=FeedOptions(news_lag_ms=1000))
    client.wait(1)
    line, order = _stale_order(box, client)
    news_ns = client.now_ns
    news = {"event_id": line.event_id, "shift_logit": 0.6}
    client.call("POST", "/_box/news", news)
    client.wait(0.4)
    [fill] = [fill for fill in box.exchange.fills if fill.maker.order_id == order["order_id"]]
    assert fill.taker.account.name == "snipers"
    assert 40 * MS <= fill.at_ns - news_ns <= 250 * MS


def test_snipers_leave_a_quote_that_is_still_right() -> None:
    box, client = _only(snipers=SniperOptions(on=True))
    line, _ = _stale_order(box, client)
    client.call("POST", "/_box/news", {"event_id": line.event_id, "shift_logit": -0.6})
    client.wait(2)
    assert not box.exchange.fills


def test_crowds_run_to_one_side_of_one_game() -> None:
    bursts = BurstOptions(on=True, starts_per_h=1200, followers=0.9, follow_s=0.5)
    box, client = _only(bursts=bursts, makers=(MakerOptions("ladder", lines_share=1.0),))
    client.wait(30)
    fills = [fill for fill in box.exchange.fills if fill.taker.account.name == "crowd"]
    assert len(fills) > 30
    same = sum(
        one.taker.line.event_id == two.taker.line.event_id
        and one.taker.strike.side == two.taker.strike.side
        for one, two in pairwise(fills)
    )
    # six sides of three games: by chance about one pair in six would agree
    assert same / len(fills) > 0.5


def test_a_crowd_ends_and_has_a_largest_size() -> None:
    bursts = BurstOptions(on=True, starts_per_h=360_000, followers=0.95, follow_s=0.01, size_max=5)
    box, client = _only(bursts=bursts, makers=(MakerOptions("ladder", lines_share=1.0),))
    client.wait(2)
    taken = [fill for fill in box.exchange.fills if fill.taker.account.name == "crowd"]
    assert 0 < len(taken) <= 2 * 100 * 5 * 1.5


@pytest.mark.parametrize("style", ["ladder", "joiner", "wide", "skewed"])
def test_each_style_of_maker_rests_near_the_fair_and_never_crosses(style: Style) -> None:
    box, client = _only(makers=(MakerOptions(style, lines_share=1.0, payout_usd=100),))
    client.wait(20)
    for line in box.exchange.listing.lines:
        book = box.exchange.books[line.index]
        paid = []
        for strike in line.strikes:
            orders = list(book.resting(strike.side))
            assert len(orders) == (3 if style == "ladder" else 1)
            fair = box.fair.probability(line.index, strike.side)
            best = implied(orders[0].price)
            assert 0.0 < logit(fair) - logit(best) < 0.6
            paid.append(best)
        assert sum(paid) < 1.0
    assert not box.exchange.fills


def test_a_skewed_maker_leans_against_what_it_holds() -> None:
    box, client = _only(makers=(MakerOptions("skewed", lines_share=1.0, skew_logit=0.5),))
    client.wait(5)
    line = box.exchange.listing.lines[0]
    taker = traders_account(box.exchange, "friend", 10**9)

    def lean() -> float:
        """How far its price for side 0 is below the fair one."""
        best = implied(next(box.exchange.books[line.index].resting(0)).price)
        return logit(box.fair.probability(line.index, 0)) - logit(best)

    before = lean()
    for _ in range(5):
        price = offered(box.exchange, line.strikes[1])
        assert price is not None
        take(box.exchange, taker, line.strikes[1], (price, 1000.0), client.now_ns)
        client.wait(3)
    assert lean() > before + 0.05


def test_news_come_by_themselves_when_the_scenario_says_so() -> None:
    box, client = _only(drift=Drift(news_per_h=3600, news_sd_logit=0.3))
    client.wait(20)
    assert set(box.fair.news_ns) == set(box.exchange.listing.events)


def test_a_taker_buys_a_payout() -> None:
    box, client = _only(makers=(MakerOptions("wide", lines_share=1.0, payout_usd=500),))
    client.wait(5)
    strike = box.exchange.listing.lines[0].strikes[0]
    taker = traders_account(box.exchange, "friend", 10**9)
    price = offered(box.exchange, strike) or 0
    order = take(box.exchange, taker, strike, (price, 50.0), client.now_ns)
    assert (order.filled_cents + order.counter_cents) / 100 == pytest.approx(50.0, rel=0.02)
