"""What stands between an event and a cancel at the exchange's door, and a Sunday that rests."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from mmbot.app.departure import LastLook
from mmbot.app.dispatch import Dispatcher
from mmbot.domain.book import Book
from mmbot.domain.catalog import Catalog, Line, SportEvent, Strike
from mmbot.domain.commands import Command
from mmbot.domain.events import (
    BalanceSeen,
    BookUpdated,
    CatalogSeeded,
    Event,
    HistoryRead,
    LadderLoaded,
    OrderSeen,
    SessionStateChanged,
    StreamStateChanged,
)
from mmbot.domain.ids import LineId, MarketId, SportEventId, StrikeId
from mmbot.domain.order import Order
from mmbot.domain.price import Price
from mmbot.domain.quote import Quote
from mmbot.domain.view import MarketView
from mmbot.engine.breakers import Breakers
from mmbot.engine.core import Engine
from mmbot.engine.housekeeping import Housekeeping
from mmbot.engine.ledger import Ledger
from mmbot.engine.limits import LimitBook
from mmbot.engine.modes import Modes
from mmbot.engine.parts import Parts
from mmbot.engine.placing import Placing, Rights
from mmbot.engine.ports import Budget, Slot
from mmbot.engine.risk import Gate
from mmbot.engine.state import MarketState
from mmbot.engine.wishes import Wishes
from mmbot.exchange.gateway import Gateway
from mmbot.exchange.http import HttpReply
from mmbot.exchange.listing import Listing
from mmbot.exchange.notices import Notices
from mmbot.exchange.order_wire import Cleared
from mmbot.exchange.rest import Rest, RestPorts
from mmbot.exchange.routes import V4
from mmbot.exchange.session import Session, SessionPorts, SessionSettings
from mmbot.exchange.tokens import Credentials
from mmbot.runtime.clock import NS_PER_S, SystemClock
from mmbot.runtime.limiter import Limiter
from tests.builders import a_report
from tests.engine.situations import LADDER, LIMITS, NEVER
from tests.exchange.parts import tokens

ARRIVE_MAX_S: Final = 10.0
WIDE: Final = LimitBook(
    replace(
        LIMITS,
        open_orders_max=10_000,
        line_loss_max_cents=10**9,
        market_loss_max_cents=10**9,
        event_loss_max_cents=10**9,
        tournament_held_max_cents=10**9,
        tournament_loss_max_cents=10**9,
        total_held_max_cents=10**9,
        total_loss_max_cents=10**9,
    )
)
PRICES: Final = (Price(105), Price(110), Price(115))


@dataclass(frozen=True, slots=True)
class Size:
    """A Sunday; `rounds` of the bench."""

    games: int = 16
    lines: int = 25
    rounds: int = 5


@dataclass(slots=True)
class Door:
    """The exchange's side: when each request that cancels came."""

    clock: SystemClock
    came: list[tuple[int, int]] = field(default_factory=list)  # ns: wall, processor

    async def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        timeout_s: float,
        cleared: Cleared | None = None,
    ) -> HttpReply:
        if cleared is not None:
            assert not await cleared()
        if "cancel" in path:
            self.came.append((self.clock.monotonic_ns(), time.thread_time_ns()))
            return HttpReply(200, {}, b'{"data":{"success":true}}')
        answer = tokens()
        assert isinstance(answer, HttpReply)
        return answer


@dataclass(frozen=True, slots=True)
class Taken:
    """Requests, and milliseconds by the wall and of the processor."""

    requests: int
    wall_ms: float
    worked_ms: float


class Wanting:
    uses_fairs = False

    def quotes(self, view: MarketView) -> Iterable[Quote]:
        return [Quote(strike, price, 1_000) for strike in view.strikes for price in PRICES]


@dataclass(slots=True)
class Daemon:
    """The part of it between an event and a request."""

    size: Size
    clock: SystemClock = field(default_factory=SystemClock)
    account: bool = True

    def __post_init__(self) -> None:
        self.door = Door(self.clock)
        notices, limiter = Notices(), Limiter(self.clock)
        session = Session(
            SessionSettings("http://127.0.0.1/partner", Credentials("key", "secret"), None),
            SessionPorts(self.door, limiter, self.clock, notices, V4, lambda: 0.5),
        )
        self.session = session
        rest = Rest(RestPorts(self.door, session, limiter, self.clock, notices, V4))
        gateway = Gateway(rest, Listing())
        self.engine = self._engine()
        look = LastLook(self.engine.drop_reason, self.clock)
        self.dispatcher = Dispatcher(gateway, gateway, self.answers.append, look)

    answers: list[Event] = field(default_factory=list)
    door: Door = field(init=False)
    session: Session = field(init=False)
    engine: Engine = field(init=False)
    dispatcher: Dispatcher = field(init=False)

    def _engine(self) -> Engine:
        now_ns = self.clock.now_ns()
        ledger, state, modes = Ledger("mm"), MarketState(), Modes(now_ns)
        house = Housekeeping()
        slot = Slot("bench", Wanting(), lambda event, line: True)

        def ask(slot: Slot, view: MarketView) -> Sequence[Quote] | str:
            return tuple(slot.quoter.quotes(view))

        wishes = Wishes([slot], ask, state, ledger, now_ns)
        ledger.line_of = state.line_with
        placing = Placing(Gate(WIDE), ledger, state, modes, house, wishes, Rights(True))
        ledger.begin_run("0123456789ab", now_ns)
        breakers = Breakers(NEVER, ledger.cool_offs)
        return Engine(Parts(ledger, state, modes, wishes, placing, house, breakers, self.account))

    def tell(self, *events: Event) -> Sequence[Command]:
        return self.engine.handle(events, self.clock.now_ns(), Budget(0)).commands

    def open(self) -> int:
        """List everything and let everything rest; how many orders there are."""
        now_ns = self.clock.now_ns()
        ledger = self.engine.parts.ledger
        lines = [
            line for game in range(self.size.games) for line in lines_of(game, self.size.lines)
        ]
        events = [game_of(game, now_ns) for game in range(self.size.games)]
        ledger.start(now_ns)
        self.tell(
            HistoryRead(0, (), now_ns + 2 * NS_PER_S, now_ns, now_ns, alive_only=True),
            LadderLoaded(LADDER),
            CatalogSeeded(Catalog.of(events, lines)),
            BalanceSeen(10**9, now_ns, 10**9),
            SessionStateChanged(now_ns + 600 * NS_PER_S),
            StreamStateChanged(True, True, "1"),
        )
        late = HistoryRead(0, (), now_ns + 9 * NS_PER_S, now_ns, now_ns, alive_only=True)
        self.tell(late, *(BookUpdated(Book(line.line_id, ((), ()), now_ns)) for line in lines))
        for line in lines:
            for side in (0, 1):
                for price in PRICES:
                    order = order_on(ledger, line, 1 if side else 0, price, now_ns)
                    ledger.intend(order)
                    ledger.apply(OrderSeen(a_report(order), "stream", now_ns), now_ns)
        for _ in range(4):  # turns enough to look at every line
            self.tell()
        live = ledger.live()
        assert not any(order.cancel_wanted for order in live), "all that rests is wanted"
        return len(live)

    async def after(self, *events: Event) -> Taken:
        """What it took until the last cancel came."""
        for _ in range(4):
            self.tell()  # the rounds that came due while we slept
        self.door.came.clear()
        gc.collect()
        gc.freeze()  # as after a start (app/compose.py)
        wall_ns, worked_ns = self.clock.monotonic_ns(), time.thread_time_ns()
        self.dispatcher.commands(self.tell(*events))
        async with asyncio.timeout(ARRIVE_MAX_S):
            while self.dispatcher.in_flight:
                await self.clock.sleep(0.001)
        gc.unfreeze()
        last_ns, done_ns = max(self.door.came)
        return Taken(len(self.door.came), (last_ns - wall_ns) / 1e6, (done_ns - worked_ns) / 1e6)


def game_of(game: int, now_ns: int) -> SportEvent:
    start_ns = now_ns + 7_200 * NS_PER_S
    return SportEvent(SportEventId(game + 1), f"game {game}", 31, "NFL", start_ns, "not_started")


def lines_of(game: int, count: int) -> list[Line]:
    return [
        Line(
            LineId(f"{game + 1}/{number}/0"),
            SportEventId(game + 1),
            MarketId(number),
            "moneyline",
            "moneyline",
            "Moneyline",
            None,
            (
                Strike(StrikeId(f"{game}-{number}-a"), 0, "a", None),
                Strike(StrikeId(f"{game}-{number}-b"), 1, "b", None),
            ),
        )
        for number in range(count)
    ]


def order_on(ledger: Ledger, line: Line, side: int, price: Price, now_ns: int) -> Order:
    kept = 1 if side else 0
    return Order(
        ledger.next_external_id(), line.event_id, line.market_id, line.line_id,
        line.strikes[kept].strike_id, 1 if side else 0, price, 1_000, "ALO", "bench", now_ns,
    )  # fmt: skip
