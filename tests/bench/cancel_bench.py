"""From bad news to the last cancel at the exchange's door, and how soon everything is cancelled.

`python -m tests.bench.cancel_bench [--quick] [--json]` exits 1 above a claim. Engine, ledger,
dispatcher, gateway, rate budget and session are the daemon's; the door is a port in memory that
stamps each request and answers at once: what is measured is our own time, to which a network adds
one request. Bad news is the work of one thread that waits for nothing: its median round in
processor time counts, so that it matters less what else the machine does; wall time is beside it.
All of a Sunday waits for the rate budget: wall time. 16 games, 25 lines, 3 orders on each strike.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from statistics import median
from typing import Final

from mmbot.app.compose import GC_ALLOCATIONS_MIN, GC_GENERATIONS, on_best_loop
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
    OperatorSaid,
    OrderSeen,
    SessionStateChanged,
    SportEventChanged,
    StreamStateChanged,
)
from mmbot.domain.ids import LineId, MarketId, SportEventId, StrikeId
from mmbot.domain.order import Order
from mmbot.domain.price import Price
from mmbot.domain.quote import Quote
from mmbot.domain.view import MarketView
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
from tests.bench.claim import Claim
from tests.bench.figures import machine
from tests.builders import a_report
from tests.engine.situations import LADDER, LIMITS
from tests.exchange.parts import tokens

NEWS_MS_MAX: Final = 5.0
EVERYTHING_S_MAX: Final = 1.0
ROUNDS: Final = 5
OPEN_S: Final = 1.1  # the second before a start counts as used up
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
    games: int = 16
    lines: int = 25
    rounds: int = ROUNDS


CLAIMED: Final = Size()
QUICK: Final = Size(2, 4, 1)


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
        return Engine(Parts(ledger, state, modes, wishes, placing, house, self.account))

    def tell(self, *events: Event) -> Sequence[Command]:
        return self.engine.handle(events, self.clock.now_ns(), Budget(0)).commands

    def open(self) -> int:
        """List everything and let everything rest; how many orders there are."""
        now_ns = self.clock.now_ns()
        ledger = self.engine.parts.ledger
        lines = [line for game in range(self.size.games) for line in _lines(game, self.size.lines)]
        events = [_game(game, now_ns) for game in range(self.size.games)]
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
                    order = _order(ledger, line, 1 if side else 0, price, now_ns)
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


def _game(game: int, now_ns: int) -> SportEvent:
    start_ns = now_ns + 7_200 * NS_PER_S
    return SportEvent(SportEventId(game + 1), f"game {game}", 31, "NFL", start_ns, "not_started")


def _lines(game: int, count: int) -> list[Line]:
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


def _order(ledger: Ledger, line: Line, side: int, price: Price, now_ns: int) -> Order:
    kept = 1 if side else 0
    return Order(
        ledger.next_external_id(), line.event_id, line.market_id, line.line_id,
        line.strikes[kept].strike_id, 1 if side else 0, price, 1_000, "ALO", "bench", now_ns,
    )  # fmt: skip


async def measure(
    size: Size, account: bool, news: Callable[[Daemon], Sequence[Event]]
) -> tuple[int, Taken]:
    """Orders that rested, and what it took."""
    daemon = Daemon(size, account=account)
    rested = daemon.open()

    async def serve() -> None:
        await daemon.dispatcher.run()

    async with asyncio.TaskGroup() as group:
        running = group.create_task(serve())
        await asyncio.sleep(OPEN_S)
        await daemon.session.token()
        taken = await daemon.after(*news(daemon))
        running.cancel()
    return rested, taken


def goes_live(daemon: Daemon) -> Sequence[Event]:
    return (SportEventChanged(replace(_game(0, daemon.clock.now_ns()), status="live")),)


def goes_live_watched(daemon: Daemon) -> Sequence[Event]:
    """The same where a person has traded: only our own orders may be named."""
    line = _lines(0, 1)[0]
    order = _order(daemon.engine.parts.ledger, line, 0, PRICES[0], daemon.clock.now_ns())
    report = replace(a_report(order, status="canceled"), external_id=None)
    daemon.tell(OrderSeen(report, "stream", daemon.clock.now_ns()))
    return goes_live(daemon)


def halt(_: Daemon) -> Sequence[Event]:
    return (OperatorSaid("halt", "bench"),)


async def _all(size: Size) -> list[Claim]:
    claims = []
    for name, account, news, limit, unit in (
        ("bad news, one game", True, goes_live, NEWS_MS_MAX, "ms"),
        ("bad news, a person trades", True, goes_live_watched, NEWS_MS_MAX * 5, "ms"),
        ("halt of the account", True, halt, EVERYTHING_S_MAX, "s"),
        ("halt of ours alone", False, halt, EVERYTHING_S_MAX, "s"),
    ):
        rounds = [await measure(size, account, news) for _ in range(size.rounds)]
        rested, first = rounds[0]
        wall_ms = [one.wall_ms for _, one in rounds]
        worked_ms = [one.worked_ms for _, one in rounds]
        took = median(worked_ms) if unit == "ms" else median(wall_ms) / 1_000
        seen = f"{rested} orders, {first.requests} requests, wall {median(wall_ms):.1f} ms"
        claims.append(Claim(name, took, unit, limit, False, seen))
    return claims


def main(size: Size = CLAIMED, *, as_json: bool = False) -> int:
    """0 when every claim is kept."""
    claims: list[Claim] = []
    gc.set_threshold(GC_ALLOCATIONS_MIN, GC_GENERATIONS, GC_GENERATIONS)

    async def work() -> int:
        claims.extend(await _all(size))
        return 0

    on_best_loop(work())
    if as_json:
        rows = [asdict(one) | {"kept": one.kept} for one in claims]
        print(json.dumps({"machine": machine(), "claims": rows}))
    else:
        for claim in claims:
            print(claim.line)
    return 0 if all(claim.kept for claim in claims) else 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small: proves nothing")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    options = _options(sys.argv[1:])
    raise SystemExit(main(QUICK if options.quick else CLAIMED, as_json=options.json))
