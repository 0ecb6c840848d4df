"""What the exchange's own book says a line is worth, once our own orders are taken out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mmbot.domain.book import Book, Level
from mmbot.domain.price import implied
from mmbot.pricing.odds import expit, logit

THIN_SD_LOGIT: Final = 0.05
WIDTH_PER_SD: Final = 1.5


@dataclass(frozen=True, slots=True)
class BookFair:
    """Fair probability of side 0 from resting orders of others.

    `mid` is halfway in log-odds; `micro` leans away from the larger size. `bid` and `ask` are
    what takers get for selling and pay for buying side 0, as probabilities.
    """

    bid: float
    ask: float
    mid: float
    micro: float
    sd_logit: float


def contracts(level: Level) -> float:
    """Units paying one cent that a resting level stands for."""
    return level.stake_cents / implied(level.price)


def logit_mid(bid: float, ask: float) -> float:
    return expit((logit(bid) + logit(ask)) / 2.0)


def micro_price(bid: float, ask: float, contracts_bid: float, contracts_ask: float) -> float:
    """Log-odds mean in which each side's price counts by the size on the opposite side."""
    total = contracts_bid + contracts_ask
    return expit((contracts_bid * logit(ask) + contracts_ask * logit(bid)) / total)


def book_fair(competing: Book, depth_min_cents: int) -> BookFair | None:
    """None when a side is empty or the sides cross (an image in passing, or our own alone)."""
    on_first, on_second = competing.best(0), competing.best(1)
    if on_first is None or on_second is None:
        return None
    bid, ask = implied(on_first.price), 1.0 - implied(on_second.price)
    if not 0.0 < bid < ask < 1.0:
        return None
    sizes = contracts(on_first), contracts(on_second)
    mid = logit_mid(bid, ask)
    micro = micro_price(bid, ask, *sizes) if sum(sizes) > 0.0 else mid
    shown = min(sum(level.stake_cents for level in side) for side in competing.levels)
    thin = THIN_SD_LOGIT if shown < depth_min_cents else 0.0
    half_width = (logit(ask) - logit(bid)) / 2.0
    return BookFair(bid, ask, mid, micro, half_width / WIDTH_PER_SD + thin)
