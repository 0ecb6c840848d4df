"""Lines upon one game for the tests of exposure, and what they pay on a score, by definition."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import ceil
from typing import Literal

from mmbot.domain.catalog import Catalog, Competitor, Line, Side, SportEvent, Strike
from mmbot.domain.ids import MarketId, StrikeId, line_id
from mmbot.domain.price import Price, profit_cents
from mmbot.pricing.portfolio import LineStakes, Place, Portfolio
from tests.builders import an_event

TEAMS = (Competitor("Home", "home"), Competitor("Away", "away"))
GAME = an_event(competitors=TEAMS, sport_name="American Football")
MARKETS = {"moneyline": 219, "spread": 223, "total": 225}


def a_moneyline(event: SportEvent = GAME, period: str = "") -> Line:
    return _line(event, "moneyline", period, 0, ("Home", None), ("Away", None))


def a_spread(home: float, event: SportEvent = GAME, period: str = "") -> Line:
    """`home` is the number of the home side."""
    first, second = (f"Home {home:+g}", home), (f"Away {-home:+g}", -home)
    return _line(event, "spread", period, home, first, second)


def a_total(number: float, event: SportEvent = GAME, period: str = "") -> Line:
    first, second = (f"Over {number:g}", number), (f"Under {number:g}", number)
    return _line(event, "total", period, number, first, second)


def a_prop(number: float, event: SportEvent = GAME) -> Line:
    return replace(a_total(number, event, "player_hits"), market_id=MarketId(900))


def turned(line: Line) -> Line:
    """The same line with its sides the other way round."""
    first, second = line.strikes
    return replace(line, strikes=(replace(second, side=0), replace(first, side=1)))


def _line(
    event: SportEvent,
    family: str,
    period: str,
    number: float,
    first: tuple[str, float | None],
    second: tuple[str, float | None],
) -> Line:
    market = MarketId(MARKETS[family] + (1000 * len(period)))
    ident = line_id(event.event_id, market, number)
    strikes = (
        Strike(StrikeId(f"{ident} 0"), 0, first[0], first[1]),
        Strike(StrikeId(f"{ident} 1"), 1, second[0], second[1]),
    )
    sub_type = f"{period}_{family}" if period else family
    return Line(ident, event.event_id, market, family, sub_type, family, number, strikes)


State = Literal["filled", "rests", "doubt"]


@dataclass(frozen=True, slots=True)
class Bet:
    """An order of the tests: cents at a price on one side of a line."""

    line: Line
    side: Side
    price: int
    stake_cents: int
    state: State = "filled"

    @property
    def profit_cents(self) -> int:
        return profit_cents(Price(self.price), self.stake_cents)

    def pays(self, margin: int, total: int) -> int:
        """If filled, on that score (home minus away, sum): 3.1 of the design, word for word."""
        strike = self.line.strikes[self.side]
        team = strike.name.split()[0]
        if self.line.market_type == "total":
            ahead = total - (strike.number or 0)
            ahead = ahead if team == "Over" else -ahead
        else:
            ahead = (margin if team == "Home" else -margin) + (strike.number or 0)
        if ahead == 0:
            return 0
        return self.profit_cents if ahead > 0 else -self.stake_cents


def catalog_of(*bets: Bet, events: tuple[SportEvent, ...] = (GAME,)) -> Catalog:
    return Catalog.of(events, {bet.line.line_id: bet.line for bet in bets}.values())


def place_of(line: Line) -> Place:
    return Place(line.event_id, line.market_id, line.line_id)


def stakes_of(bets: list[Bet]) -> LineStakes:
    """Of one line."""
    staked, won, rests, doubt = [0, 0], [0, 0], [0, 0], [0, 0]
    for bet in bets:
        if bet.state == "filled":
            staked[bet.side] += bet.stake_cents
            won[bet.side] += bet.profit_cents
        else:
            rests[bet.side] += bet.stake_cents
            doubt[bet.side] += bet.stake_cents if bet.state == "doubt" else 0
    pairs = [(one[0], one[1]) for one in (staked, won, rests, doubt)]
    return LineStakes(*pairs)


def a_portfolio(
    *bets: Bet,
    fee_ppm: int = 0,
    events: tuple[SportEvent, ...] = (GAME,),
    most: int | None = None,
) -> Portfolio:
    """Fed as the ledger feeds it, order by order."""
    portfolio = Portfolio(fee_ppm, most)
    portfolio.learn(catalog_of(*bets, events=events))
    for n, bet in enumerate(bets):
        on_line = [one for one in bets[: n + 1] if one.line == bet.line]
        portfolio.put(place_of(bet.line), stakes_of(on_line))
    return portfolio


GRID = [(m, t) for t in range(10) for m in range(-t, t + 1, 2)]


def by_brute_force(bets: Sequence[Bet], fee_ppm: int, may_fill: set[str]) -> int:
    """Largest loss of one game over every score and every set of fills; by definition, and slow."""
    sure = [bet for bet in bets if bet.state == "filled"]
    unsure = [bet for bet in bets if bet.state in may_fill]
    worst = 0
    for margin, total in GRID:
        for chosen in product([False, True], repeat=len(unsure)):
            of_market: dict[int, int] = defaultdict(int)
            filled = [bet for bet, is_filled in zip(unsure, chosen, strict=True) if is_filled]
            for bet in (*sure, *filled):
                of_market[bet.line.market_id] += bet.pays(margin, total)
            fees = (ceil(Fraction(max(0, won) * fee_ppm, 10**6)) for won in of_market.values())
            worst = max(worst, sum(fees) - sum(of_market.values()))
    return worst
