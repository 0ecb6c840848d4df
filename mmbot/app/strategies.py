"""From the strategies of the configuration to the slots of the engine and their coroutines."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from mmbot.app.quarantine import Quarantine
from mmbot.config import Settings, StrategySettings
from mmbot.domain.errors import MmbotError, SetUpError
from mmbot.domain.events import Event, StrategyQuarantined, WishesChanged
from mmbot.domain.ids import LineId, StrikeId
from mmbot.domain.quote import Quote
from mmbot.domain.view import MarketView
from mmbot.engine.ports import Slot
from mmbot.runtime.clock import NS_PER_S, Clock
from mmbot.runtime.supervisor import Restart, Service
from mmbot.strategy.desk import LineDesk, QuotingCoroutine
from mmbot.strategy.loader import Broken, create, load
from mmbot.strategy.selection import Claim, Selection, overlaps

FAILURES_MAX: Final = 5  # of one coroutine; the supervisor's own limit would end the daemon
FAILURES_WITHIN_NS: Final = 600 * NS_PER_S


@dataclass(slots=True)
class Enabled:
    """What the configuration enables; `problems` are for a person, all at once."""

    slots: list[Slot] = field(default_factory=list)
    coroutines: list[tuple[str, QuotingCoroutine[Any], DeskQuoter]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    quarantined: dict[str, str] = field(default_factory=dict)  # owner: why; not even loaded


class DeskQuoter:
    """The pure face of a coroutine: its quotes are what it last wished on these strikes."""

    def __init__(self, owner: str, uses_fairs: bool) -> None:
        self.uses_fairs = uses_fairs
        self.owner = owner
        self._wished: dict[StrikeId, tuple[Quote, ...]] = {}
        self._offered: dict[LineId, MarketView] = {}
        self._tell: Callable[[WishesChanged], None] | None = None
        self.desk = LineDesk(self._wish)

    def connect(self, tell: Callable[[WishesChanged], None]) -> None:
        self._tell = tell

    def quotes(self, view: MarketView) -> Iterable[Quote]:
        # A wish makes us be asked again: an unchanged view would answer it for ever.
        last = self._offered.get(view.line.line_id)
        if last is None or replace(view, now_ns=last.now_ns) != last:
            self._offered[view.line.line_id] = view
            self.desk.offer(view)
        return [quote for strike in view.strikes for quote in self._wished.get(strike, ())]

    def forget(self) -> None:
        """A coroutine that failed wants nothing any more."""
        strikes = tuple(self._wished)
        self._wished.clear()
        self._offered.clear()
        if strikes and self._tell is not None:
            self._tell(WishesChanged(self.owner, strikes))

    def _wish(self, strike_ids: Sequence[StrikeId], quotes: Sequence[Quote]) -> None:
        for strike in strike_ids:
            self._wished[strike] = tuple(q for q in quotes if q.strike_id == strike)
        if self._tell is not None:
            self._tell(WishesChanged(self.owner, tuple(strike_ids)))


def enabled(settings: Settings) -> Enabled:
    """Load every enabled strategy; raises nothing for what is wrong with one."""
    result = Enabled()
    claims: list[Claim] = []
    held = _held(settings.state_dir, result)
    for wanted in settings.strategies:
        if not wanted.enabled:
            continue
        selection = _selection(wanted)
        claims.append(Claim(wanted.name, selection))
        if wanted.file in held:
            result.quarantined[wanted.name] = held[wanted.file]
        else:
            _add(result, settings.strategies_path, wanted, selection)
    result.problems += overlaps(claims)
    return result


def _held(state_dir: Path, result: Enabled) -> dict[str, str]:
    try:
        return Quarantine(state_dir).held()
    except SetUpError as error:
        result.problems.append(str(error))
        return {}


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


def services(result: Enabled, tell: Callable[[Event], None], clock: Clock) -> list[Service]:
    """One inner service per coroutine; its wishes end with it, and so does a hopeless one."""

    async def run(strategy: QuotingCoroutine[Any], quoter: DeskQuoter, ends: deque[int]) -> None:
        if len(ends) == FAILURES_MAX and clock.monotonic_ns() - ends[0] < FAILURES_WITHIN_NS:
            tell(StrategyQuarantined(quoter.owner, f"its coroutine failed {FAILURES_MAX} times"))
            return
        try:
            await strategy.run(quoter.desk)
        except MmbotError as error:  # our own words for "all of us" are not a strategy's to say
            raise RuntimeError(f"{type(error).__name__}: {error}") from error
        finally:
            ends.append(clock.monotonic_ns())
            quoter.forget()

    for owner, why in result.quarantined.items():
        tell(StrategyQuarantined(owner, why))
    made = []
    for name, strategy, quoter in result.coroutines:
        quoter.connect(tell)
        work = partial(run, strategy, quoter, deque(maxlen=FAILURES_MAX))
        made.append(Service(f"strategy {name}", work, Restart.ON_ERROR))
    return made
