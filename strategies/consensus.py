"""Quotes both sides around the consensus of the fair-value sources, leaning against inventory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from mmbot.domain.price import implied
from mmbot.pricing.book_fair import book_fair
from mmbot.pricing.consensus import disputed
from mmbot.pricing.odds import expit, kelly_fraction, logit
from mmbot.pricing.quoting import (
    LEVELS_MAX,
    SpreadRules,
    clamp_to_edge,
    half_spread_logit,
    reservation_logit,
    stale_add_logit,
)
from mmbot.strategy.api import (
    SIDES,
    MarketView,
    Price,
    Quote,
    QuotingStrategy,
    Side,
    cents,
    net_usd,
    positive,
    side_prob,
    snap,
)
from mmbot.strategy.fair_value import Blended, Patience, blended
from mmbot.strategy.jump import JumpRules, JumpWatch
from mmbot.strategy.steady import Steady

DEPTH_MIN_CENTS = 1_000
QUANTITY_MIN_CENTS = 100
ROOM_TOLERANCE = 0.25


@dataclass(frozen=True, slots=True)
class Params:
    """Distances are in log-odds: 0.04 of them is about one percent of probability at even odds."""

    quantity_usd: float = 25.0  # stake of the first level
    levels: int = 1  # per side, each half as large again as the first
    level_step_logit: float = 0.03
    risk_capital_usd: float = 10_000.0  # the smaller, the harder we lean against inventory
    kelly_share: float = 0.1
    position_max_usd: float = 1_000.0  # won or lost per line; the side that adds shrinks up to it
    base_logit: float = 0.06  # half-spread of a perfectly known fair value
    sd_factor: float = 1.0  # half-spread for each unit of its uncertainty
    edge_min_prob: float = 0.005  # least expected gain of a fill, per dollar of payout
    requote_logit: float = 0.02  # smaller moves leave the orders where they are
    keep_ticks: int = 2  # orders this much cheaper than wished keep their place in the queue
    jump_logit: float = 0.10  # a move this large within a minute is news
    jump_away_s: float = 30.0  # after news nothing rests this long
    jump_wide_s: float = 300.0  # and then at twice the half-spread this long
    fair_soft_s: float = 120.0  # an older fair value widens the quotes
    fair_hard_s: float = 600.0  # and at this age withdraws them

    def __post_init__(self) -> None:
        problems = list(
            positive(
                quantity_usd=self.quantity_usd,
                risk_capital_usd=self.risk_capital_usd,
                kelly_share=self.kelly_share,
                position_max_usd=self.position_max_usd,
                edge_min_prob=self.edge_min_prob,
                jump_logit=self.jump_logit,
                fair_soft_s=self.fair_soft_s,
                seconds_between_fair_soft_s_and_fair_hard_s=self.fair_hard_s - self.fair_soft_s,
            )
        )
        if not 1 <= self.levels <= LEVELS_MAX:
            problems.append(f"levels must be 1 to {LEVELS_MAX}, got {self.levels}")
        if problems:
            raise ValueError("\n".join(problems))


@dataclass(frozen=True, slots=True)
class Target:
    """Where one line stands: fair value, half-spread, and per side the share of size allowed."""

    prob: float
    centre: float
    half: float
    room: tuple[float, float]

    @property
    def inputs(self) -> tuple[float, ...]:
        return self.centre, self.half, *self.room


class Consensus(QuotingStrategy[Params]):
    """Fair value from the sources, inventory skew in log-odds, passive prices on both sides."""

    name = "consensus"

    def __init__(self, params: Params) -> None:
        super().__init__(params)
        near = params.requote_logit
        self._steady = Steady((near, near, ROOM_TOLERANCE, ROOM_TOLERANCE))
        self._jumps = JumpWatch(
            JumpRules(params.jump_logit, 60.0, params.jump_away_s, params.jump_wide_s)
        )
        self._patience = Patience(params.fair_soft_s, params.fair_hard_s)
        self._spread = SpreadRules(base_logit=params.base_logit, sd_factor=params.sd_factor)

    def quotes(self, view: MarketView) -> Iterable[Quote]:
        fair = blended(view, self._patience)
        target = None if fair is None else self._target(view, fair)
        if fair is None or target is None:
            return ()
        quotes = self._steady.last(view, target.inputs)
        if quotes is None or not self._still_earn(view, quotes, target.prob):
            fresh = (q for side in SIDES for q in self._side(view, side, target))
            quotes = self._steady.keep(view, target.inputs, tuple(fresh))
        return [replace(quote, valid_until_ns=fair.valid_until_ns) for quote in quotes]

    def _target(self, view: MarketView, fair: Blended) -> Target | None:
        """None while nothing should rest: news, a dispute with the book, or an old fair value."""
        wider = self._jumps.widening(view, logit(fair.prob))
        book = book_fair(view.competing, DEPTH_MIN_CENTS)
        doubt = book and disputed((fair.prob, fair.sd_logit), (book.mid, book.sd_logit))
        half = half_spread_logit(self._spread, fair.sd_logit)
        stale = stale_add_logit(fair.age_s, *self._patience.of(view), half)
        if wider is None or doubt or stale is None:
            return None
        half = half_spread_logit(self._spread, fair.sd_logit, stale=stale) * wider
        held = net_usd(view, 0)
        centre = reservation_logit(fair.prob, held, 1.0 / self.params.risk_capital_usd)
        full = self.params.position_max_usd
        room = (min(1.0, max(0.0, 1.0 - held / full)), min(1.0, max(0.0, 1.0 + held / full)))
        return Target(fair.prob, centre, half, room)

    def _side(self, view: MarketView, side: Side, target: Target) -> Iterable[Quote]:
        prob = side_prob(target.prob, side)
        centre = target.centre if side == 0 else -target.centre
        quotes: dict[int, Quote] = {}
        for level in range(self.params.levels):
            limit = expit(centre - target.half - level * self.params.level_step_logit)
            clamped = clamp_to_edge(limit, prob, self.params.edge_min_prob, 0.0)
            price = None if clamped is None else snap(view, clamped)
            if price is None or price in quotes:
                continue
            quantity = self._quantity_cents(prob, price, target.room[side], level)
            if quantity:
                strike, keep = view.strikes[side], self.params.keep_ticks
                quotes[price] = Quote(strike, price, quantity, keep_ticks=keep)
        return quotes.values()

    def _quantity_cents(self, prob: float, price: Price, room: float, level: int) -> int:
        """Never less than the exchange takes while there is room at all: both sides stay alive."""
        capital_usd = self.params.risk_capital_usd * self.params.kelly_share
        first_usd = min(self.params.quantity_usd, kelly_fraction(prob, price) * capital_usd)
        wished = cents(first_usd * (1.0 + level / 2.0) * room)
        return max(QUANTITY_MIN_CENTS, wished) if room > 0.0 else 0

    def _still_earn(self, view: MarketView, quotes: Iterable[Quote], prob: float) -> bool:
        """Half of the least edge may melt before an order is moved for it; no more than that."""
        least = self.params.edge_min_prob / 2.0
        return all(
            side_prob(prob, view.line.side_of(quote.strike_id)) - implied(quote.price) >= least
            for quote in quotes
        )
