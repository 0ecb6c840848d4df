"""An engine with one line, one strategy and everything well, for tests of `handle`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from mmbot.domain.book import Book
from mmbot.domain.catalog import Catalog
from mmbot.domain.entries import Entry
from mmbot.domain.events import (
    BalanceSeen,
    BookUpdated,
    CatalogSeeded,
    Event,
    FairUpdated,
    HistoryRead,
    LadderLoaded,
    OrderSeen,
    SessionStateChanged,
    StreamStateChanged,
)
from mmbot.domain.order import Order
from mmbot.domain.price import Price
from mmbot.domain.quote import Quote
from mmbot.domain.view import MarketView
from mmbot.engine.breakers import BreakerLimits, Breakers
from mmbot.engine.core import Engine
from mmbot.engine.housekeeping import Housekeeping
from mmbot.engine.ledger import Ledger
from mmbot.engine.limits import LimitBook
from mmbot.engine.modes import Modes
from mmbot.engine.parts import Parts
from mmbot.engine.placing import Placing, Rights
from mmbot.engine.ports import Budget, Effects, Slot
from mmbot.engine.risk import Gate
from mmbot.engine.state import MarketState
from mmbot.engine.wishes import Wishes
from tests.builders import a_report
from tests.engine.situations import AWAY, BOOK, EVENT, HOME, LADDER, LINE, NEVER, NOW_NS, S

PLENTY = Budget(10)
BOTH_SIDES = (Quote(HOME, Price(105), 5_000), Quote(AWAY, Price(105), 5_000))


class Wanting:
    """A strategy that wants what the test says."""

    uses_fairs = True

    def __init__(self) -> None:
        self.wants: tuple[Quote, ...] | str = BOTH_SIDES

    def quotes(self, view: MarketView) -> Iterable[Quote]:
        raise AssertionError("asked through `ask`")


@dataclass
class Desk:
    """`tell` handles events at `now_ns`; `placed` is everything that was let out so far."""

    prefix: str = "mm"
    writable: bool = True
    whole_account: bool = True
    now_ns: int = NOW_NS
    placed: list[Order] = field(default_factory=list)
    strategy: Wanting = field(default_factory=Wanting)
    asked: int = 0  # how often
    limits: LimitBook = BOOK
    breakers: BreakerLimits = NEVER
    run: str = "0123456789ab"
    rules: Callable[[Ledger], None] = lambda ledger: None  # set before a replay
    former: Sequence[Entry] = ()  # the journal of the process before

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.prefix)
        self.rules(self.ledger)
        state, modes = MarketState(), Modes(self.now_ns)
        house = Housekeeping()
        slot = Slot("test", self.strategy, lambda event, line: True)
        wishes = Wishes([slot], self._ask, state, self.ledger, self.now_ns)
        self.ledger.line_of = state.line_with
        rights = Rights(self.writable)
        placing = Placing(Gate(self.limits), self.ledger, state, modes, house, wishes, rights)
        breakers = Breakers(self.breakers, self.ledger.cool_offs)
        whole = self.whole_account
        parts = Parts(self.ledger, state, modes, wishes, placing, house, breakers, whole)
        self.engine = Engine(parts)
        self.ledger.rebuild(self.former)
        self.ledger.begin_run(self.run, self.now_ns)

    def _ask(self, slot: Slot, view: MarketView) -> Sequence[Quote] | str:
        self.asked += 1
        return self.strategy.wants

    def tell(self, *events: Event, budget: Budget = PLENTY) -> Effects:
        effects = self.engine.handle(events, self.now_ns, budget)
        self.placed += [one.order for batch in effects.placements for one in batch.orders]
        return effects

    def wait(self, seconds: float, *events: Event) -> Effects:
        self.now_ns += round(seconds * S)
        return self.tell(*events)

    def recovered(self) -> Effects:
        """Start, and be told that the exchange holds nothing of ours."""
        self.ledger.start(self.now_ns)
        return self.tell(self.history())

    def all_well(self) -> Effects:
        """Recovered, connected, listed, with a book, a fair value and cash."""
        self.recovered()
        return self.tell(*self.market(), *self.account())

    def market(self) -> tuple[Event, ...]:
        return (
            LadderLoaded(LADDER),
            CatalogSeeded(Catalog.of([EVENT], [LINE])),
            self.book(),
            self.fair(),
        )

    def account(self) -> tuple[Event, ...]:
        return (
            BalanceSeen(1_000_000, self.now_ns, 1_000_000),
            SessionStateChanged(self.now_ns + 600 * S),
            StreamStateChanged(True, True, "1"),
        )

    def book(self) -> BookUpdated:
        return BookUpdated(Book(LINE.line_id, ((), ()), self.now_ns))

    def fair(self, prob: float = 0.5) -> FairUpdated:
        return FairUpdated(HOME, prob, 0.02, "feed", self.now_ns, self.now_ns)

    def history(self, *alive: Order) -> HistoryRead:
        now_ns = self.now_ns
        reports = tuple(a_report(order) for order in alive)
        return HistoryRead(0, reports, now_ns, now_ns, now_ns, alive_only=True)

    def opened(self, *orders: Order) -> tuple[OrderSeen, ...]:
        return tuple(OrderSeen(a_report(order), "stream", self.now_ns) for order in orders)

    def ended(self, *orders: Order) -> tuple[OrderSeen, ...]:
        reports = (a_report(order, status="canceled") for order in orders)
        return tuple(OrderSeen(report, "stream", self.now_ns) for report in reports)

    def quoting(self) -> tuple[Order, Order]:
        """Both orders of the line live at the exchange."""
        self.all_well()
        first, second = self.placed
        self.tell(*self.opened(first, second))
        return first, second
