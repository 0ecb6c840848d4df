"""Where to measure: events that do not start soon, their lines, and what can be taken there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from mmbot.domain.catalog import Line, Side, SportEvent
from mmbot.domain.errors import SetUpError
from mmbot.domain.ids import SportEventId
from mmbot.domain.price import Ladder, Price, complement, implied
from mmbot.exchange import codec, wire
from mmbot.exchange.books import Leaf, leaves
from mmbot.exchange.notices import Notices
from mmbot.probe.calls import Calls, Reply
from mmbot.runtime.clock import NS_PER_S

EVENTS: Final = "/mm/get_sport_events"
MARKETS: Final = "/v4/mm/get_multiple_markets"
LADDER: Final = "/v4/mm/get_price_ladder"
NOT_STARTED: Final = frozenset({"not_started", "scheduled"})
START_LEFT_S: Final = 1_800
EVENTS_READ_MAX: Final = 20
FAIR_WITHOUT_BOOK: Final = 0.5
# Our resting orders pay at most this share of what the others ask: nobody sells us at that.
FAR_SHARE: Final = 0.45


@dataclass(frozen=True, slots=True)
class Offer:
    """What a taker can get: its price and the stake that fits, in cents."""

    price: Price
    value_cents: int


@dataclass(frozen=True, slots=True)
class Spot:
    """One line as it was read at `read_ns`; `offers[i]` are for buying outcome i, best first."""

    line: Line
    offers: tuple[tuple[Offer, ...], tuple[Offer, ...]]
    read_ns: int

    @property
    def event_id(self) -> SportEventId:
        return self.line.event_id

    def strike(self, side: Side) -> str:
        return self.line.strikes[side].strike_id

    def best(self, side: Side) -> Offer | None:
        return self.offers[side][0] if self.offers[side] else None

    def offered_cents(self, side: Side, worst: Price) -> int:
        """How much can be taken at this price or better."""
        most = implied(worst)
        return sum(one.value_cents for one in self.offers[side] if implied(one.price) <= most)

    def fair(self, side: Side) -> float:
        """About the probability of an outcome, from what is asked for it or for the other one."""
        mine, other = self.best(side), self.best(_other(side))
        if mine is not None:
            return implied(mine.price)
        return FAIR_WITHOUT_BOOK if other is None else 1.0 - implied(other.price)


class Ground:
    """`open` reads it once; `again` reads one event afresh."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._notices = Notices()
        self.replies: dict[str, Reply] = {}
        self.ladder: Ladder | None = None
        self.no_ladder = "the ladder was not read"
        self.events: list[SportEvent] = []
        self.spots: list[Spot] = []

    async def open(self) -> None:
        self.replies[LADDER] = reply = await self._calls.get(LADDER)
        try:
            self.ladder = codec.ladder(reply.raw, self._notices)
        except SetUpError as error:
            self.no_ladder = str(error)
        self.replies[EVENTS] = reply = await self._calls.get(EVENTS)
        self.events = self._events(reply)
        if self.events:
            wanted = [event.event_id for event in self.events[:EVENTS_READ_MAX]]
            self.replies[MARKETS] = reply = await self._calls.get(
                MARKETS, event_ids=",".join(map(str, wanted))
            )
            self.spots = self._spots(reply)

    def _events(self, reply: Reply) -> list[SportEvent]:
        found = []
        for row in _rows(reply, "sport_events"):
            try:
                event = codec.sport_event(wire.decode(row, wire.SportEvent))
            except ValueError:
                continue
            left_s = (event.start_ns - reply.received_ns) / NS_PER_S
            if event.status in NOT_STARTED and left_s >= START_LEFT_S:
                found.append(event)
        return sorted(found, key=lambda one: (-one.start_ns, one.event_id))

    async def again(self, spot: Spot) -> Spot | None:
        """The line as it is now; None when it is not listed any more."""
        reply = await self._calls.get(MARKETS, event_ids=str(spot.event_id))
        fresh = {one.line.line_id: one for one in self._spots(reply)}
        self.spots = [fresh.get(one.line.line_id, one) for one in self.spots]
        return fresh.get(spot.line.line_id)

    def _spots(self, reply: Reply) -> list[Spot]:
        """Active two-sided lines whose prices can be read."""
        found = []
        for raw, event_id in _markets(reply):
            for leaf in leaves(raw, event_id, self._notices):
                spot = _spot(leaf, reply.received_ns)
                if spot is not None and leaf.line.status == "active":
                    found.append(spot)
        return found

    def thin(self, most_cents: int) -> list[tuple[Spot, Side]]:
        """Where the best offer is at most so large, smallest first."""
        return [(spot, side) for cents, spot, side in self._by_size() if cents <= most_cents]

    def _by_size(self) -> list[tuple[int, Spot, Side]]:
        sides: tuple[Side, Side] = (0, 1)
        found = [
            (offer.value_cents, spot, side)
            for spot in self.spots
            for side in sides
            if (offer := spot.best(side)) is not None
        ]
        return sorted(found, key=lambda one: (one[0], one[1].line.line_id, one[2]))


def _other(side: Side) -> Side:
    return 0 if side else 1


def _rows(reply: Reply, name: str) -> list[wire.Raw]:
    try:
        return wire.rows_of(reply.raw, name) if reply.ok else []
    except wire.Unreadable:
        return []


def _markets(reply: Reply) -> list[tuple[wire.Raw, SportEventId | None]]:
    """Market objects with their events, from either form of the answer."""
    if not reply.ok:
        return []
    try:
        data = wire.unwrap(reply.raw, wire.Raw)
        if wire.is_list(data):
            return [(raw, None) for raw in wire.raw_list(data)]
        by_event = wire.decode(data, dict[str, wire.Raw])
        return [
            (raw, SportEventId(int(event_id)))
            for event_id, raws in by_event.items()
            for raw in wire.raw_list(raws)
        ]
    except ValueError:
        return []


def _spot(leaf: Leaf, read_ns: int) -> Spot | None:
    try:
        first, second = (_offers(side) for side in leaf.sides)
    except ValueError:
        return None
    return Spot(leaf.line, (first, second), read_ns)


def _offers(levels: list[Any]) -> tuple[Offer, ...]:
    """ValueError when a price is not American."""
    found = []
    for level in levels:
        if not level.price or not level.value or level.value <= 0:
            continue
        if level.price != int(level.price) or -100 < level.price < 100:
            raise ValueError("not an American price")
        found.append(Offer(Price(int(level.price)), round(level.value * 100)))
    return tuple(sorted(found, key=lambda one: implied(one.price)))


def far_price(ladder: Ladder, spot: Spot, side: Side) -> Price:
    """A price for a resting order that nobody has a reason to take."""
    return ladder.snap_passive(spot.fair(side) * FAR_SHARE) or ladder.prices[0]


def resting_behind(offer: Offer) -> Price:
    """The price of the order that makes this offer."""
    return complement(offer.price)
