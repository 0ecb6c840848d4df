"""All that a strategy needs: look at one line, say what you want to rest there.

    @dataclass(frozen=True, slots=True)
    class Params:
        quantity_usd: float = 25.0

    class MyStrategy(QuotingStrategy[Params]):
        name = "my_strategy"

        def quotes(self, view: MarketView) -> Iterable[Quote]: ...

Sides are 0 and 1, the two strikes of the line. A quote buys its strike: when the fair value of
side 0 rises, its quote becomes dearer and that of side 1 cheaper.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from mmbot.domain.catalog import Side
from mmbot.domain.price import Price
from mmbot.domain.quote import Quote
from mmbot.domain.view import MarketView

__all__ = ["SIDES", "MarketView", "NoParams", "Price", "Quote", "QuotingStrategy", "Side", "cents",
           "net_usd", "positive", "side_prob", "snap"]  # fmt: skip

SIDES: Final[tuple[Side, Side]] = (0, 1)


@dataclass(frozen=True, slots=True)
class NoParams:
    """For a strategy without settings."""


P = TypeVar("P")


class QuotingStrategy(Generic[P]):
    """Wishes, not orders: it has no client, no clock and no chance.

    Memory may be kept per line, if the same views in the same order give the same quotes.
    """

    name: str = ""  # "" = the name of its file
    uses_fairs: bool = True  # False: quotes on the book alone, whatever the sources say

    def __init__(self, params: P) -> None:
        self.params = params

    def quotes(self, view: MarketView) -> Iterable[Quote]:
        """Everything that it wants to rest on this line now; what is not named is cancelled."""
        raise NotImplementedError


def snap(view: MarketView, prob_max: float) -> Price | None:
    """The dearest ladder price that costs at most `prob_max`; None when there is none."""
    return view.ladder.snap_passive(prob_max)


def cents(usd: float) -> int:
    """Dollars to whole cents."""
    return round(usd * 100)


def side_prob(prob: float, side: Side) -> float:
    """The probability of `side`, given that of side 0."""
    return prob if side == 0 else 1.0 - prob


def net_usd(view: MarketView, side: Side) -> float:
    """Dollars won or lost per unit of probability of `side`; above 0, that side is held."""
    return (view.position.swing_cents if side == 0 else -view.position.swing_cents) / 100


def positive(**values: float) -> Iterator[str]:
    """For `__post_init__` of parameters: one line for each value that is not above 0."""
    for name, value in values.items():
        if not value > 0:
            yield f"{name} must be above 0, got {value}"
