"""From the strategies of the configuration to the slots of the engine and their coroutines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from mmbot.config import Settings, StrategySettings
from mmbot.domain.errors import SetUpError
from mmbot.domain.events import WishesChanged
from mmbot.domain.ids import StrikeId
from mmbot.domain.quote import Quote
from mmbot.domain.view import MarketView
from mmbot.engine.ports import Slot
from mmbot.runtime.supervisor import Restart, Service
from mmbot.strategy.desk import LineDesk, QuotingCoroutine
from mmbot.strategy.loader import Broken, create, load
from mmbot.strategy.selection import Claim, Selection, overlaps


@dataclass(slots=True)
class Enabled:
    """What the configuration enables; `problems` are for a person, all at once."""

    slots: list[Slot] = field(default_factory=list)
    coroutines: list[tuple[str, QuotingCoroutine[Any], DeskQuoter]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class DeskQuoter:
    """The pure face of a coroutine: its quotes are what it last wished on these strikes."""

    def __init__(self, owner: str, uses_fairs: bool) -> None:
        self.uses_fairs = uses_fairs
        self._owner = owner
        self._wished: dict[StrikeId, tuple[Quote, ...]] = {}
        self._tell: Callable[[WishesChanged], None] | None = None
        self.desk = LineDesk(self._wish)

    def connect(self, tell: Callable[[WishesChanged], None]) -> None:
        self._tell = tell

    def quotes(self, view: MarketView) -> Iterable[Quote]:
        self.desk.offer(view)
        return [quote for strike in view.strikes for quote in self._wished.get(strike, ())]

    def forget(self) -> None:
        """A coroutine that failed wants nothing any more."""
        strikes = tuple(self._wished)
        self._wished.clear()
        if strikes and self._tell is not None:
            self._tell(WishesChanged(self._owner, strikes))

    def _wish(self, strike_ids: Sequence[StrikeId], quotes: Sequence[Quote]) -> None:
        for strike in strike_ids:
            self._wished[strike] = tuple(q for q in quotes if q.strike_id == strike)
        if self._tell is not None:
            self._tell(WishesChanged(self._owner, tuple(strike_ids)))


def enabled(settings: Settings) -> Enabled:
    """Load every enabled strategy; raises nothing for what is wrong with one."""
    result = Enabled()
    claims: list[Claim] = []
    for wanted in settings.strategies:
        if not wanted.enabled:
            continue
        selection = _selection(wanted)
        claims.append(Claim(wanted.name, selection))
        _add(result, settings.strategies_path, wanted, selection)
    result.problems += overlaps(claims)
    return result


def _add(result: Enabled, folder: Path, wanted: StrategySettings, selection: Selection) -> None:
    found = load(folder / wanted.file)
    if isinstance(found, Broken):
        result.problems.append(found.problem)
        return
    made = create(found, wanted.params)
    if isinstance(made, tuple):
        result.problems += [f"strategy {wanted.name}: {problem}" for problem in made]
    elif isinstance(made, QuotingCoroutine):
        quoter = DeskQuoter(wanted.name, made.uses_fairs)
        result.coroutines.append((wanted.name, made, quoter))
        result.slots.append(Slot(wanted.name, quoter, selection.selects))
    else:
        result.slots.append(Slot(wanted.name, made, selection.selects))


def _selection(wanted: StrategySettings) -> Selection:
    lines = wanted.lines
    return Selection(
        frozenset(lines.tournaments),
        frozenset(lines.events),
        frozenset(lines.market_types),
        frozenset(lines.sub_types),
    )


def require(settings: Settings) -> Enabled:
    """The same for a start: any problem ends it."""
    result = enabled(settings)
    if result.problems:
        raise SetUpError("\n".join(result.problems))
    return result


def services(result: Enabled, tell: Callable[[WishesChanged], None]) -> list[Service]:
    """One inner service per coroutine; its wishes end with it."""

    async def run(strategy: QuotingCoroutine[Any], quoter: DeskQuoter) -> None:
        try:
            await strategy.run(quoter.desk)
        finally:
            quoter.forget()

    made = []
    for name, strategy, quoter in result.coroutines:
        quoter.connect(tell)
        made.append(Service(f"strategy {name}", partial(run, strategy, quoter), Restart.ON_ERROR))
    return made
