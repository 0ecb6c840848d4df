"""The pure core alone: an exchange of two small games, some accounts, and short words to use it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from mmbot.sim.core.exchange import Exchange
from mmbot.sim.core.lifecycle import Line, Listing, SportEvent, Strike, event_id_of
from mmbot.sim.core.messages import Json, Outgoing
from mmbot.sim.core.orders import Account, Fill, Order, OrderRequest, Refusal, Strategy
from mmbot.sim.core.prices import Ladder, load_ladder
from mmbot.sim.games.fixtures import LineSpec, Tournament
from mmbot.sim.games.odds_files import Game
from mmbot.sim.rules import Rules

NS = 1_000_000_000
MS = 1_000_000
START_NS = 1_795_359_600 * NS
KICK_OFF_NS = START_NS + 3600 * NS
ACTIVATION_NS = 5 * MS
DATA = Path(__file__).resolve().parents[2] / "mmbot" / "data"
NFL = Tournament(31, "NFL", 16, "American Football")
SPECS = (
    LineSpec("moneyline", 0.0, 0.55, main=True),
    LineSpec("total", 44.5, 0.5, main=True),
    LineSpec("total", 47.5, 0.4),
)
_LADDER: Final = load_ladder(DATA / "price_ladder.json")


@dataclass(slots=True)
class Notes:
    """A witness that counts."""

    changes: list[tuple[str, str]] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    undone: list[Fill] = field(default_factory=list)

    def order_changed(self, order: Order, what: str, now_ns: int) -> None:
        self.changes.append((order.request.external_id, what))

    def filled(self, fill: Fill) -> None:
        self.fills.append(fill)

    def taken_back(self, fill: Fill) -> None:
        self.undone.append(fill)


class SmallVenue:
    """Time moves when it is told to; every order has a new external id."""

    def __init__(self, rules: Rules | None = None, *, games: int = 2, seed: int = 7) -> None:
        self.notes = Notes()
        self.now_ns = START_NS
        listing = Listing()
        for number in range(games):
            listing.add_event(a_game(number), SPECS)
        self.exchange = Exchange(
            listing, ladder(), rules or Rules(), self.notes, Random(seed), lambda: ACTIVATION_NS
        )
        self.exchange.now_ns = START_NS
        for event in listing.events.values():
            self.exchange.calendar.follow_clock(event)
        self._external = 0

    def account(self, name: str, usd: float = 10_000, *, internal: bool = False) -> Account:
        cents = round(usd * 100)
        return self.exchange.open_account(Account(f"user-{name}", name, cents, internal=internal))

    @property
    def event(self) -> SportEvent:
        return next(iter(self.exchange.listing.events.values()))

    def line(self, number: int = 0) -> Line:
        return self.event.lines[number]

    def sides(self, number: int = 0) -> tuple[Strike, Strike]:
        return self.line(number).strikes

    def wait(self, seconds: float) -> None:
        self.now_ns += round(seconds * NS)
        self.exchange.advance(self.now_ns)

    def submit(
        self, account: Account, strike: Strike, price: int, usd: float, strategy: Strategy = ""
    ) -> Order | Refusal:
        self._external += 1
        name = f"x-{self._external}"
        request = OrderRequest(name, strike.strike_id, price, round(usd * 100), strategy)
        return self.exchange.submit(account, request, self.now_ns)

    def place(
        self, account: Account, strike: Strike, price: int, usd: float, strategy: Strategy = ""
    ) -> Order:
        """Submit, which must be accepted, and wait until it is activated."""
        order = self.submit(account, strike, price, usd, strategy)
        assert isinstance(order, Order), order
        self.wait(0.1)
        return order

    def trade(self, maker: Account, taker: Account, usd: float, number: int = 0) -> Fill:
        """An even-money fill: the maker on side 0, the taker on side 1."""
        side_a, side_b = self.sides(number)
        self.place(maker, side_a, 100, usd)
        self.place(taker, side_b, 100, usd)
        return self.exchange.fills[-1]

    def messages(self) -> list[Outgoing]:
        return self.exchange.take_outbox()

    def infos(self, change_type: str) -> list[Json]:
        """What the messages of one kind say, since the last time."""
        found: list[Json] = []
        for message in self.messages():
            info = message.payload.get("info")
            if message.change_type == change_type and isinstance(info, dict):
                found.append(info)
        return found


def ladder() -> Ladder:
    return _LADDER


def a_game(number: int) -> SportEvent:
    game = Game(
        key=f"game-{number}",
        sport_key="americanfootball_nfl",
        title="NFL",
        home=f"Home {number}",
        away=f"Away {number}",
        true_start="2026-11-22T18:00:00Z",
        bookmakers=(),
        score=None,
    )
    return SportEvent(event_id_of(game), game, NFL, KICK_OFF_NS, updated_ns=START_NS)


def status(order: Order) -> str:
    """As a plain word, so that two looks at two moments may be compared."""
    return order.status
