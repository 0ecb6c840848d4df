"""Markets of the wire as lines and books.

A level lists what a taker can get on outcome i (contract 7.3). It is made by an order that rests
on the other outcome: at `complement(price)`, with `value * b(price)` of the maker's own stake.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from mmbot.domain.book import Book, Level
from mmbot.domain.catalog import Line, Side, Strike
from mmbot.domain.ids import LineId, MarketId, SportEventId, StrikeId, line_id
from mmbot.domain.price import Price, complement
from mmbot.exchange import wire
from mmbot.exchange.amounts import whole
from mmbot.exchange.listing import Listing
from mmbot.exchange.notices import Notices

MARKET_DEPTH_MAX: Final = 6
LEVELS_MAX: Final = 50
USD_MAX: Final = 1e13
LEVELS_KNOWN_MAX: Final = 20_000
NOT_MADE: Final = Level(Price(0), 0)
NUMBERLESS: Final = frozenset({"moneyline", "sup_moneyline"})

Sides = list[list[wire.Level]]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One tradable line as the wire shows it, sides in the order of their outcome ids."""

    line: Line
    sides: Sides


def leaves(raw: wire.Raw, event_id: SportEventId | None, notices: Notices) -> Iterator[Leaf]:
    """All two-outcome lines of one market object, however deep they are nested."""
    try:
        market = wire.decode(raw, wire.Market)
    except wire.Unreadable as error:
        notices.count("market_unreadable", str(error))
        return
    if event_id is None:
        try:
            event_id = SportEventId(whole(market.event_id))
        except ValueError:
            notices.count("market_without_event")
            return
    yield from _walk(market, event_id, notices, 0)


def _walk(
    market: wire.Market, event_id: SportEventId, notices: Notices, depth: int
) -> Iterator[Leaf]:
    if market.market_strikes:
        # A parent may repeat one of its children as its own selections: only leaves count.
        if depth >= MARKET_DEPTH_MAX:
            notices.count("market_too_deep")
            return
        for raw in market.market_strikes:
            try:
                child = wire.decode(raw, wire.Market)
            except wire.Unreadable as error:
                notices.count("market_unreadable", str(error))
                continue
            yield from _walk(_inherit(child, market), event_id, notices, depth + 1)
        return
    try:
        leaf = _leaf(market, event_id)
    except ValueError as error:
        notices.count("line_skipped", f"event {event_id} market {market.id}: {error}")
        return
    if leaf is None:
        notices.count("market_not_two_outcomes", f"event {event_id} market {market.id}")
    else:
        yield leaf


def _inherit(child: wire.Market, parent: wire.Market) -> wire.Market:
    """A child repeats only some fields; a parent that is not active closes its children."""
    child.id = parent.id if child.id is None else child.id
    child.type = child.type or parent.type
    child.sub_type = child.sub_type or parent.sub_type
    child.name = child.name or parent.name
    if parent.status not in {None, "active"} or child.status is None:
        child.status = parent.status
    return child


def _leaf(market: wire.Market, event_id: SportEventId) -> Leaf | None:
    sides = _sides(market.selections)
    if len(sides) != 2:
        return None
    if not all(sides):
        raise ValueError("a side without a strike id")
    first, second = sides[0][0], sides[1][0]
    if _outcome(first) > _outcome(second):  # one order, whatever the order on the wire
        sides.reverse()
        first, second = second, first
    kind = market.type or ""
    numbers = _numbers(kind, market, first, second)
    strikes = (
        Strike(_strike_id(first), 0, first.name or "", numbers[0]),
        Strike(_strike_id(second), 1, second.name or "", numbers[1]),
    )
    if strikes[0].strike_id == strikes[1].strike_id:
        raise ValueError("both sides have one strike id")
    market_id = MarketId(whole(market.id))
    line = Line(
        line_id=line_id(event_id, market_id, numbers[0]),
        event_id=event_id,
        market_id=market_id,
        market_type=kind,
        sub_type=market.sub_type or "",
        market_name=market.name or "",
        number=numbers[0],
        strikes=strikes,
        status=market.status or "unknown",
    )
    return Leaf(line, sides)


def _sides(raw: wire.Raw) -> Sides:
    """One list of levels per outcome, from the nested or the flat form."""
    if wire.is_object(raw):  # by line, seen by a third party: both sides of a total have one key
        by_line = wire.decode(raw, dict[str, wire.Raw]).values()
        items = [item for one in by_line for item in _flat(one)]
    else:
        items = wire.raw_list(raw)
        if all(wire.is_list(item) for item in items):
            return [_side(item) for item in items]
    by_strike: dict[StrikeId, list[wire.Level]] = {}
    for item in items:
        level = wire.decode(item, wire.Level)
        by_strike.setdefault(_strike_id(level), []).append(level)
    return list(by_strike.values())


def _flat(raw: wire.Raw) -> Iterator[wire.Raw]:
    for item in wire.raw_list(raw):
        if wire.is_list(item):
            yield from wire.raw_list(item)
        else:
            yield item


def _side(raw: wire.Raw) -> list[wire.Level]:
    """The levels of one outcome; an inner empty list means no liquidity."""
    return [wire.decode(item, wire.Level) for item in wire.raw_list(raw) if not wire.is_list(item)]


def _numbers(
    kind: str, market: wire.Market, first: wire.Level, second: wire.Level
) -> tuple[float | None, float | None]:
    """The signed numbers of both sides; never guessed (faults: F9)."""
    if kind in NUMBERLESS and not first.strike and not second.strike:
        return None, None
    if first.strike is not None and second.strike is not None:
        return float(first.strike), float(second.strike)
    shared = market.strike if market.strike is not None else market.line
    if kind == "total" and shared is not None:
        return float(shared), float(shared)
    if first.strike is None and second.strike is None and not shared:
        if kind in {"spread", "total"}:
            raise ValueError("the number of the line is missing")
        return None, None
    raise ValueError("the number of a side is missing")


def _outcome(level: wire.Level) -> tuple[int, int | str]:
    ident = level.outcome_id
    if isinstance(ident, str) and ident.isdigit():
        ident = int(ident)
    return (1, "") if ident is None else (0, ident) if isinstance(ident, int) else (1, ident)


def _strike_id(level: wire.Level) -> StrikeId:
    if level.strike_id in {None, ""}:
        raise ValueError("a strike id is missing")
    return StrikeId(str(level.strike_id))


class Takeable(Protocol):
    """What a book needs of a level, whether it came by REST or by the stream."""

    @property
    def strike_id(self) -> wire.Ident: ...

    @property
    def price(self) -> float | None: ...

    @property
    def value(self) -> float | None: ...


class BookReader:
    """Images of lines that the listing knows; everything else is counted and skipped."""

    def __init__(self, listing: Listing, notices: Notices) -> None:
        self._listing = listing
        self._notices = notices
        self._known: dict[tuple[float | None, float | None], Level | None] = {}

    def read(self, sides: Iterable[Sequence[Takeable] | None], now_ns: int) -> Book | None:
        """One image. A level that cannot be read empties it: nothing is quoted off it."""
        found: LineId | None = None
        levels: list[tuple[Level, ...]] = [(), ()]
        readable = True
        for taker_levels in sides:
            if not taker_levels:
                continue
            place = self._place(taker_levels[0])
            if place is None or (found is not None and place[0] != found):
                return None
            found, side = place
            try:
                levels[1 - side] = self._resting(taker_levels)
            except ValueError as error:
                self._notices.count("level_unreadable", str(error))
                readable = False
        if found is None:
            return None
        return Book(found, (levels[0], levels[1]) if readable else ((), ()), now_ns)

    def read_leaf(self, leaf: Leaf, now_ns: int) -> Book | None:
        return self.read(leaf.sides, now_ns)

    def _resting(self, taker_levels: Sequence[Takeable]) -> tuple[Level, ...]:
        """The maker orders behind a side, dearest first.

        Most of the twenty levels of a message were in the one before, so they are not made again.
        """
        known, found = self._known, []
        for level in taker_levels[:LEVELS_MAX]:
            key = (level.price, level.value)
            made = known.get(key, NOT_MADE)
            if made is NOT_MADE:
                if len(known) >= LEVELS_KNOWN_MAX:
                    known.clear()
                made = known[key] = _maker_level(*key)
            if made is not None:
                found.append(made)
        found.sort()  # the smaller the integer, the dearer the price
        return tuple(found)

    def _place(self, level: Takeable) -> tuple[LineId, Side] | None:
        if not level.strike_id:
            self._notices.count("book_without_strike")
            return None
        place = self._listing.place_of(StrikeId(str(level.strike_id)))
        if place is None:
            self._notices.count("book_of_unlisted_strike", str(level.strike_id)[:40])
            self._listing.want_reseed()
        return place


def _maker_level(shown: float | None, value: float | None) -> Level | None:
    """The maker order behind a level, None for a placeholder (faults: E11)."""
    if not shown or not value or value <= 0:
        return None
    price = int(shown)
    if value > USD_MAX or price != shown or -100 < price < 100:
        raise ValueError("a level that is no price and amount")
    value_cents = round(value * 100)
    stake = value_cents * price // 100 if price > 0 else value_cents * 100 // -price
    return Level(complement(Price(price)), stake) if stake > 0 else None


_SELECTIONS: Final = msgspec.json.Decoder(wire.SelectionsPayload)


def selections_of(payload: bytes) -> wire.SelectionsInfo:
    """The image inside a `market_selections` message."""
    try:
        info = _SELECTIONS.decode(payload).info
    except msgspec.DecodeError:
        # One inner list may be flat or null in a rare form: read it the slow way.
        loose = wire.decode(payload, _LooseSelections).info or _LooseInfo()
        sides: wire.Selections = [list(map(_streamed, one)) for one in _sides(loose.selections)]
        info = wire.SelectionsInfo(sides, loose.sequence_number)
    if info is None:
        raise wire.Unreadable("selections without info")
    return info


def _streamed(level: wire.Level) -> wire.StreamLevel:
    return wire.StreamLevel(level.strike_id, level.price, level.value)


class _LooseInfo(msgspec.Struct):
    selections: wire.Raw = wire.NOTHING
    sequence_number: int | float | None = None


class _LooseSelections(msgspec.Struct):
    info: _LooseInfo | None = None
