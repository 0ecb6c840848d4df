"""Which socket is believed of what, while several tell of it."""

from __future__ import annotations

from collections.abc import Hashable

from mmbot.domain.events import (
    BookUpdated,
    Event,
    MarketStatusChanged,
    SportEventChanged,
    SportEventUnlisted,
)


class Tellers:
    """A thing belongs to the newest open link that has told of it."""

    def __init__(self) -> None:
        self._teller: dict[Hashable, int] = {}
        self._open: set[int] = set()

    def opened(self, number: int) -> None:
        self._open.add(number)

    def ended(self, number: int) -> None:
        self._open.discard(number)

    def believed(self, event: Event, number: int) -> bool:
        """Whether what link `number` tells is to be heard; from then on it is the teller."""
        subject = _subject(event)
        if subject is None:
            return True
        teller = self._teller.get(subject, 0)
        if teller > number and teller in self._open:
            return False
        self._teller[subject] = number
        return True


def _subject(event: Event) -> Hashable:
    """What an image is of; None for what is never an image of a whole, such as an order's news."""
    match event:
        case BookUpdated(book):
            return book.line_id
        case MarketStatusChanged():
            return event.event_id, event.market_id, event.strike_id
        case SportEventChanged(fixture):
            return fixture.event_id
        case SportEventUnlisted(event_id):
            return event_id
        case _:
            return None
