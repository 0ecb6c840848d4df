"""Application messages of one connection as domain events."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from mmbot.domain.events import (
    BookUpdated,
    Event,
    MarketStatusChanged,
    OrderSeen,
    SportEventChanged,
    SportEventUnlisted,
)
from mmbot.domain.ids import MarketId, SportEventId, StrikeId
from mmbot.exchange import codec, frames, old_words, wire
from mmbot.exchange.amounts import whole
from mmbot.exchange.books import BookReader, selections_of
from mmbot.exchange.contract import MESSAGE, contract
from mmbot.exchange.drift import Finding, Shield, What
from mmbot.exchange.listing import Listing
from mmbot.exchange.notices import Notices
from mmbot.exchange.pusher import AppMessage

SEQUENCES_MAX: Final = 20_000
BOOKS_ONE_IN: Final = 128
WORD_CHARS_MAX: Final = 40

ORDER_WORDS: Final = frozenset({"orders", "order", "wagers", "wager"})
PRINT_WORDS: Final = frozenset({"matched_order", "trade_execution", "matched_bet"})
IGNORED_WORDS: Final = frozenset({"tournament", "general"})


class Kind(Enum):
    HEALTH = "health"
    BOOK = "book"
    ORDER = "order"
    SPORT_EVENT = "sport event"
    MARKET = "market"
    STRIKE = "strike"
    PRINT = "print"
    IGNORED = "ignored"
    UNKNOWN = "unknown"


PLACES: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.HEALTH: "stream.private_system_signal",
        Kind.BOOK: "stream.market_selections",
        Kind.ORDER: "stream.orders",
        Kind.SPORT_EVENT: "stream.sport_event",
        Kind.MARKET: "stream.market",
        Kind.STRIKE: "stream.market_strike",
        Kind.PRINT: "stream.matched_order",
    }
)


def kind_of(change_type: str, event: str) -> Kind:
    """By what the message says it is; by the event's name only when it says nothing."""
    for word in (change_type, event):
        match word:
            case "market_selections":
                return Kind.BOOK
            case "private_system_signal" | "health_check":
                return Kind.HEALTH
            case "sport_event":
                return Kind.SPORT_EVENT
            case "market":
                return Kind.MARKET
            case "market_strike" | "market_line":
                return Kind.STRIKE
            case _ if word in ORDER_WORDS:
                return Kind.ORDER
            case _ if word in PRINT_WORDS:
                return Kind.PRINT
            case _ if word in IGNORED_WORDS:
                return Kind.IGNORED
            case _:
                pass
    return Kind.UNKNOWN


class Sequences:
    """Drops images older than the newest of the same key; numbers of other keys say nothing.

    Bound to one connection. On equal numbers the later arrival wins. A gap means nothing.
    """

    def __init__(self, keys_max: int = SEQUENCES_MAX) -> None:
        self._newest: OrderedDict[Hashable, float] = OrderedDict()
        self._keys_max = keys_max
        self.dropped = 0

    def is_new(self, key: Hashable, number: float | None) -> bool:
        if not number:
            return True
        newest = self._newest.get(key)
        if newest is not None and number < newest:
            self.dropped += 1
            return False
        self._newest[key] = number
        self._newest.move_to_end(key)
        if len(self._newest) > self._keys_max:
            self._newest.popitem(last=False)
        return True


class StreamReader:
    """Reads the messages of one connection. `prints` counts public trades that were seen."""

    def __init__(self, listing: Listing, notices: Notices) -> None:
        self._listing = listing
        self._notices = notices
        self._books = BookReader(listing, notices)
        self._books_come = 0
        self._shield = Shield(contract(), notices.drift)
        self.sequences = Sequences()
        self.prints = 0

    def read(self, message: AppMessage, now_ns: int) -> tuple[Kind, tuple[Event, ...]]:
        """Never raises for what a message holds: it is counted, and the next one is read."""
        try:
            change_type, op, payload = frames.message_of(message.data)
            if old_words.is_old(payload):
                payload = old_words.newer(payload)
            kind = kind_of(change_type, message.event)
            if kind is not Kind.BOOK or self._is_turn_of_a_book():
                self._shield.body(MESSAGE, frames.inner_json(message.data))
                self._shield.body(PLACES.get(kind, ""), payload)
            match kind:
                case Kind.BOOK:
                    return kind, self._book(payload, now_ns)
                case Kind.ORDER:
                    return kind, self._order(payload, now_ns)
                case Kind.SPORT_EVENT:
                    return kind, self._sport_event(payload, op)
                case Kind.MARKET:
                    return kind, self._market(payload, op)
                case Kind.STRIKE:
                    return kind, self._strike(payload, op)
                case Kind.PRINT:
                    self.prints += 1  # a hint about volume, never a fill of ours
                case Kind.UNKNOWN:
                    word = (change_type or message.event)[:WORD_CHARS_MAX]
                    self._notices.drift.note(
                        Finding(What.UNKNOWN_MESSAGE, "stream", word), message.channel
                    )
                case Kind.HEALTH | Kind.IGNORED:
                    pass
            return kind, ()
        except ValueError as error:
            self._notices.count("message_unreadable", f"{message.event}: {error}")
            return Kind.UNKNOWN, ()

    def _is_turn_of_a_book(self) -> bool:
        """The first image and then one in so many is held against the contract: for speed."""
        self._books_come += 1
        return self._books_come % BOOKS_ONE_IN == 1

    def _book(self, payload: bytes, now_ns: int) -> tuple[Event, ...]:
        info = selections_of(payload)
        book = self._books.read(info.selections or (), now_ns)
        if book is None or not self.sequences.is_new(book.line_id, info.sequence_number):
            return ()
        self._listing.note_streamed(book)
        return (BookUpdated(book),)

    def _order(self, payload: bytes, now_ns: int) -> tuple[Event, ...]:
        raw = wire.decode(payload, wire.OrderPayload).info or wire.Raw(payload)
        report = codec.order_report(raw, self._notices, streamed=True)
        order = wire.decode(raw, wire.Order)
        # Status and fills may be numbered by two services: each is compared with its own kind.
        key = ("order", report.order_id, order.update_type or order.update_status or "")
        if not self.sequences.is_new(key, order.sequence_number):
            return ()
        number = order.sequence_number
        sequence = None if number is None else int(number)
        return (OrderSeen(report, "stream", now_ns, sequence=sequence),)

    def _sport_event(self, payload: bytes, op: str) -> tuple[Event, ...]:
        seen = wire.decode(payload, wire.SportEventPayload)
        # An unlisting carries only the outer id, or an inner one of 0.
        event_id = SportEventId(whole(seen.id or (seen.info.event_id if seen.info else None)))
        number = seen.info.sequence_number if seen.info else None
        if not self.sequences.is_new(("sport_event", event_id), number):
            return ()
        if op == "d":
            return (SportEventUnlisted(event_id),)
        if seen.info is None:
            raise wire.Unreadable("a sport event without info")
        seen.info.event_id = event_id
        changed = codec.sport_event(seen.info)
        known = self._listing.catalog.events.get(event_id)
        if known is None or known.start_ns != changed.start_ns:
            self._listing.want_reseed(event_id)  # feeds find a sport event by its listed start
        return (SportEventChanged(changed),)

    def _market(self, payload: bytes, op: str) -> tuple[Event, ...]:
        seen = wire.decode(payload, wire.MarketPayload)
        info = seen.info or wire.MarketInfo()
        event_id = SportEventId(whole(info.sport_event_id or seen.id))
        market_id = MarketId(whole(info.id if info.id is not None else info.market_id))
        if not self.sequences.is_new(("market", event_id, market_id), info.sequence_number):
            return ()
        if op == "c":
            self._listing.want_reseed(event_id)
        return (_changed(event_id, market_id, None, info, op),)

    def _strike(self, payload: bytes, op: str) -> tuple[Event, ...]:
        info = wire.decode(payload, wire.MarketPayload).info or wire.MarketInfo()
        if info.strike_id in {None, ""}:
            raise wire.Unreadable("a strike without its id")
        strike_id = StrikeId(str(info.strike_id))
        event_id = SportEventId(whole(info.sport_event_id))
        market_id = MarketId(whole(info.market_id))
        if not self.sequences.is_new(("strike", strike_id), info.sequence_number):
            return ()
        if self._listing.place_of(strike_id) is None and op != "d":
            self._listing.want_reseed(event_id)
        return (_changed(event_id, market_id, strike_id, info, op),)


def _changed(
    event_id: SportEventId,
    market_id: MarketId,
    strike_id: StrikeId | None,
    info: wire.MarketInfo,
    op: str,
) -> MarketStatusChanged:
    """A status that is not told is not `active` (fails closed)."""
    return MarketStatusChanged(
        event_id, market_id, strike_id, info.status or "unknown", deleted=op == "d"
    )
