"""What the exchange says, kept as facts and put into words when somebody takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from mmbot.sim.core import messages
from mmbot.sim.core.lifecycle import Line
from mmbot.sim.core.matching import LineBook
from mmbot.sim.core.messages import Outgoing
from mmbot.sim.core.orders import Fill, Order, OrderNews
from mmbot.sim.rules import Rules


class TradePrint(Struct, frozen=True, gc=False):
    """A public print of a fill, seen from the taker's or from the maker's side."""

    fill: Fill
    order: Order
    sequence: int

    def words(self) -> Outgoing:
        return messages.trade_print(self.fill, self.sequence, self.order)


class BookImage(Struct, frozen=True, gc=False):
    """The book of one line changed; the image is drawn when it is taken."""

    line: Line
    book: LineBook
    at_ns: int
    sequence: int

    def words(self, rules: Rules) -> Outgoing:
        nominal = rules.book_quantity == "nominal"
        return messages.book_message(
            self.line, self.book, self.at_ns, self.sequence, rules.book_levels_max, nominal=nominal
        )


Fact = OrderNews | TradePrint | BookImage | Outgoing


Unit = Literal["us", "ns"]
TICKS_NS: Final[Mapping[Unit, int]] = {"us": 1000, "ns": 1}


class Bulletin:
    """Numbers the facts; the number grows as the vendor's own do, with the clock."""

    def __init__(self, rules: Rules) -> None:
        self.facts: list[Fact] = []
        self._rules = rules
        self._tick_ns = TICKS_NS[rules.sequence_unit]
        self._sequence = 0
        self._epoch_ns = 0

    def restart(self, now_ns: int) -> None:
        """Count from the beginning, as after a restart of the exchange."""
        self._sequence, self._epoch_ns = 0, now_ns

    def count_in(self, unit: Unit) -> None:
        """From now on; another unit makes the numbers leap, upwards or back."""
        self._tick_ns, self._sequence = TICKS_NS[unit], 0

    def sequence(self, now_ns: int) -> int:
        """Monotonic; microseconds (or nanoseconds) of the clock."""
        ticks = (now_ns - self._epoch_ns) // self._tick_ns
        self._sequence = ticks if ticks > self._sequence else self._sequence + 1
        return self._sequence

    def tell(self, order: Order, taken_cents: int, now_ns: int) -> None:
        """Put out how an order is now; it gets its names when it is put into words."""
        ticks = (now_ns - self._epoch_ns) // self._tick_ns
        self._sequence = sequence = ticks if ticks > self._sequence else self._sequence + 1
        self.facts.append(
            OrderNews(
                order,
                now_ns,
                sequence,
                taken_cents,
                order.status,
                order.winning_status,
                order.open_cents,
                order.filled_cents,
                order.quantity_cents,
                order.fill_price,
            )
        )

    def put(self, fact: Fact) -> None:
        self.facts.append(fact)

    def take(self) -> list[Outgoing]:
        """Everything since the last time, in words."""
        facts, self.facts = self.facts, []
        return [self._words(fact) for fact in facts]

    def _words(self, fact: Fact) -> Outgoing:
        if isinstance(fact, OrderNews):
            return messages.order_message(fact)
        if isinstance(fact, TradePrint):
            return fact.words()
        if isinstance(fact, BookImage):
            return fact.words(self._rules)
        return fact
