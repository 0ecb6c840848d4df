"""The coroutine form of a strategy: it waits for changes and says its wishes when it likes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Generic, Protocol, TypeVar

from mmbot.domain.ids import LineId, StrikeId
from mmbot.domain.quote import Quote
from mmbot.domain.view import MarketView

LINES_WAITING_MAX: Final = 2_000

P = TypeVar("P")
Tell = Callable[[Sequence[StrikeId], Sequence[Quote]], None]


class Desk(Protocol):
    """What the coroutine has in its hands."""

    async def next_change(self) -> MarketView:
        """The newest view of a line that changed since it was last given."""
        ...

    def wish(self, strike_ids: Iterable[StrikeId], quotes: Iterable[Quote]) -> None:
        """From now on exactly these quotes are wanted on these strikes."""
        ...


class QuotingCoroutine(Generic[P]):
    """For a strategy that has to wait for something by itself."""

    name: str = ""
    uses_fairs: bool = True

    def __init__(self, params: P) -> None:
        self.params = params

    async def run(self, desk: Desk) -> None:
        raise NotImplementedError


class LineDesk:
    """A desk that keeps only the newest view per line: who is slow skips, and never queues."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._waiting: dict[LineId, MarketView] = {}
        self._changed = asyncio.Event()

    def offer(self, view: MarketView) -> None:
        """A line changed. Beyond the limit the line that waits longest is skipped."""
        self._waiting[view.line.line_id] = view
        if len(self._waiting) > LINES_WAITING_MAX:
            del self._waiting[next(iter(self._waiting))]
        self._changed.set()

    async def next_change(self) -> MarketView:
        while not self._waiting:
            self._changed.clear()
            await self._changed.wait()
        return self._waiting.pop(next(iter(self._waiting)))

    def wish(self, strike_ids: Iterable[StrikeId], quotes: Iterable[Quote]) -> None:
        strikes, wanted = tuple(strike_ids), tuple(quotes)
        if any(quote.strike_id not in strikes for quote in wanted):
            raise ValueError("a quote on a strike that was not named")
        self._tell(strikes, wanted)
