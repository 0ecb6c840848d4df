"""What the stream asks of the exchange: tournaments, and books for a first image."""

from __future__ import annotations

from mmbot.sim.core import messages
from mmbot.sim.core.exchange import Exchange
from mmbot.sim.core.messages import Outgoing


class ExchangeCatalog:
    """Answers from the listing and the books as they are now."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def tournament_of(self, event_id: int) -> int:
        event = self._exchange.listing.events.get(event_id)
        return event.tournament.id if event is not None else 0

    def tournaments(self) -> list[int]:
        return [one.id for one in self._exchange.listing.tournaments()]

    def images(self, event_id: int, sub_type: str, now_ns: int) -> list[Outgoing]:
        """The books of one event channel, whole, as a change of each would show them."""
        exchange = self._exchange
        event = exchange.listing.events.get(event_id)
        levels = exchange.rules.book_levels_max
        return [
            message
            for line in (event.lines if event is not None else ())
            if (
                message := messages.book_message(
                    line, exchange.books[line.index], now_ns, exchange.sequence(), levels
                )
            ).sub_type
            == sub_type
        ]
