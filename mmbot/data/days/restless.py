"""Quotes that move on a beat: for simulated days, where orders matter and profit does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from zlib import crc32

from mmbot.domain.ids import LineId
from mmbot.pricing.book_fair import book_fair
from mmbot.pricing.odds import expit, logit
from mmbot.strategy.api import SIDES, MarketView, Quote, QuotingStrategy, cents, net_usd, snap

NS = 10**9


@dataclass(frozen=True, slots=True)
class Params:
    every_s: float = 32.0  # the lines of an event move this often, all at one moment
    pause_s: float = 4.0  # and for so long nothing rests, so that all is placed in one batch
    quantity_usd: float = 15.0
    half_spread_logit: float = 0.04
    sway_logit: float = 0.04  # how far the quotes lean to either side on a beat
    position_max_usd: float = 400.0  # beyond it only the other side


class Restless(QuotingStrategy[Params]):
    """Both sides of other people's mid, leaning to one side by turns; repeats itself in between."""

    name = "restless"
    uses_fairs = False

    def __init__(self, params: Params) -> None:
        super().__init__(params)
        self._beats: dict[LineId, tuple[int, tuple[Quote, ...]]] = {}

    def quotes(self, view: MarketView) -> Iterable[Quote]:
        line_id = view.line.line_id
        phase = crc32(str(view.event.event_id).encode())
        every_ns = round(self.params.every_s * NS)
        beat, since_ns = divmod(view.now_ns + phase * 1000 % every_ns, every_ns)
        if since_ns < self.params.pause_s * NS:
            return ()
        last = self._beats.get(line_id)
        if last is not None and last[0] == beat and all(q.price in view.ladder for q in last[1]):
            return last[1]
        book = book_fair(view.competing, depth_min_cents=0)
        if book is None:
            return ()
        sway = (crc32(f"{beat} {line_id}".encode()) % 1000 / 500.0 - 1.0) * self.params.sway_logit
        quotes = tuple(self._both(view, logit(book.mid) + sway))
        self._beats[line_id] = (beat, quotes)
        return quotes

    def _both(self, view: MarketView, centre: float) -> Iterator[Quote]:
        half, quantity = self.params.half_spread_logit, cents(self.params.quantity_usd)
        for side in SIDES:
            price = snap(view, expit((centre if side == 0 else -centre) - half))
            if price is not None and net_usd(view, side) < self.params.position_max_usd:
                yield Quote(view.strikes[side], price, quantity)
