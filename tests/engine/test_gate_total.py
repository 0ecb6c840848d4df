"""The limit over everything, held against brute force. # faults: G6"""

from __future__ import annotations

import os
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.domain.catalog import Catalog
from mmbot.domain.ids import SportEventId
from mmbot.domain.view import Position
from mmbot.engine.limits import LimitBook
from mmbot.engine.risk import Approved, Gate, Refused
from mmbot.pricing.exposure import total_worst_case_cents
from mmbot.pricing.portfolio import Portfolio
from tests.engine.situations import ALL_IS_WELL, LIMITS, S, an_order
from tests.pricing.games import (
    GAME,
    Bet,
    a_moneyline,
    a_spread,
    a_total,
    by_brute_force,
    place_of,
    stakes_of,
)

FULL = os.environ.get("FULL") == "1"
FEE_PPM = 20_000
ALLOWED_CENTS = 6_000
OTHER = replace(GAME, event_id=SportEventId(502))
EVENTS = {event.event_id: event for event in (GAME, OTHER)}
LINES = (
    a_moneyline(),
    a_spread(-1.5),
    a_spread(0.5),
    a_total(2.5),
    a_moneyline(OTHER),
    a_total(2, OTHER),
)
WIDE = replace(
    LIMITS,
    line_loss_max_cents=10**9,
    market_loss_max_cents=10**9,
    event_loss_max_cents=10**9,
    tournament_loss_max_cents=10**9,
    total_loss_max_cents=ALLOWED_CENTS,
)


def answer(bets: list[Bet], new: Bet) -> Approved | Refused:
    """Of a gate that has no other limit, for one order more."""
    portfolio = Portfolio(FEE_PPM, None)
    portfolio.learn(Catalog.of(EVENTS.values(), LINES))
    for line in {bet.line.line_id: bet.line for bet in bets}.values():
        portfolio.put(place_of(line), stakes_of([bet for bet in bets if bet.line == line]))
    place = place_of(new.line)
    now = replace(
        ALL_IS_WELL,
        event=replace(EVENTS[new.line.event_id], start_ns=ALL_IS_WELL.now_ns + 7_200 * S),
        line=new.line,
        levels_now=portfolio.levels(place),
        levels_after=portfolio.levels_with(place, new.side, new.stake_cents),
    )
    strike = new.line.strikes[new.side]
    order = an_order(new.price, new.stake_cents, side=new.side)
    order = replace(order, line_id=new.line.line_id, strike_id=strike.strike_id)
    return Gate(LimitBook(WIDE)).review(order, now)


def lost_at_most(bets: list[Bet]) -> int:
    """Games are independent: the worst of each may come."""
    games = [[bet for bet in bets if bet.line.event_id == event] for event in EVENTS]
    return sum(by_brute_force(game, FEE_PPM, {"doubt", "rests"}) for game in games)


BETS = st.builds(
    Bet,
    line=st.sampled_from(LINES),
    side=st.sampled_from([0, 1]),
    price=st.sampled_from([-200, -110, 100, 110, 150]),
    stake_cents=st.integers(4, 40).map(lambda n: n * 100 + 1),
    state=st.sampled_from(["filled", "rests", "doubt"]),
)


@settings(max_examples=2_000 if FULL else 25, deadline=None)
@given(st.lists(BETS, min_size=2, max_size=5))
def test_nothing_passes_it_whatever_fills_and_however_the_games_end(tried: list[Bet]) -> None:
    bets: list[Bet] = []
    for new in tried:
        verdict = answer(bets, new)
        with_it = lost_at_most([*bets, replace(new, state="rests")])
        if isinstance(verdict, Approved):
            assert with_it <= ALLOWED_CENTS
            bets.append(new)
        else:  # and nothing is refused for less
            assert verdict.check == "within_total_loss"
            assert with_it > ALLOWED_CENTS


def test_lines_of_a_game_that_cannot_lose_together_take_one_room() -> None:
    """Home wins, or does not: of both stakes one is lost, not two."""
    home = Bet(a_moneyline(), 0, 100, 5_000)
    away = Bet(a_spread(0.5), 1, 100, 5_000, "rests")
    assert isinstance(answer([home], away), Approved)
    one_by_one = [(Position((5_000, 0), (5_000, 0)), (0, 0)), (Position(), (0, 5_000))]
    assert total_worst_case_cents(one_by_one) == 10_000 > ALLOWED_CENTS


def test_a_profit_of_one_game_does_not_pay_for_another() -> None:
    sure = [Bet(a_moneyline(), 0, 150, 5_000), Bet(a_moneyline(), 1, 150, 5_000)]
    elsewhere = Bet(a_total(2, OTHER), 0, 100, ALLOWED_CENTS + 1, "rests")
    assert isinstance(answer(sure, replace(elsewhere, stake_cents=ALLOWED_CENTS)), Approved)
    assert isinstance(answer(sure, elsewhere), Refused)
