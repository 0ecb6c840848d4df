"""What a report of the exchange says about an order, as steps of the order table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from mmbot.domain.events import Channel, OrderSeen
from mmbot.domain.evidence import Evidence, Kind
from mmbot.domain.order import VENUE_ENDS, Order, OrderReport, State, Step

CANCELED: Final = frozenset({"canceled", "cancelled"})
SETTLED: Final = frozenset({"settled", "closed"})
KNOWN_STATUSES: Final = CANCELED | SETTLED | VENUE_ENDS | {"inactive", "open"}
NO_RESULT_YET: Final = frozenset({"", "tbd"})

DETAIL_CHARS_MAX: Final = 80  # a status may be any text

# Sources of evidence: the request that was answered, or the channel.
PLACED_BY: Final = "place"
CANCELLED_BY: Final = "cancel"
SOURCES: Final[Mapping[Channel, str]] = MappingProxyType(
    {"reply": PLACED_BY, "stream": "orders", "read": "order"}
)
KINDS: Final[Mapping[Channel, Kind]] = MappingProxyType(
    {"reply": Kind.REPLY, "stream": Kind.MESSAGE, "read": Kind.READ}
)


@dataclass(frozen=True, slots=True)
class Sight:
    """How we came to see a report; `synced_ns` only of reads that carry it.

    `source` is the route, or the channel; `sequence` and `exchange_ns` as in `OrderSeen`.
    """

    channel: Channel
    received_ns: int
    synced_ns: int | None = None
    source: str = ""
    sequence: int | None = None
    exchange_ns: int | None = None

    @classmethod
    def of(cls, seen: OrderSeen) -> Sight:
        source = seen.route or SOURCES[seen.channel]
        return cls(
            seen.channel, seen.received_ns, seen.synced_ns, source, seen.sequence, seen.exchange_ns
        )

    def evidence(self, report: OrderReport, resent: bool = False) -> Evidence:
        """`resent`: the id went out more than once, so a reply may be to any of them."""
        kind = KINDS[self.channel]
        if kind is Kind.REPLY and self.source == CANCELLED_BY:
            kind = Kind.CANCEL_ITEM
        elif kind is Kind.REPLY and resent:
            kind = Kind.SAME_ID
        detail = f"{report.status} {report.matching_status}".rstrip()[:DETAIL_CHARS_MAX]
        return Evidence(kind, self.source, detail, self.exchange_ns, self.synced_ns, self.sequence)


@dataclass(frozen=True, slots=True)
class Reading:
    """Steps in the order in which to walk them; `look` = only a read of the order can tell."""

    steps: tuple[Step, ...]
    look: bool = False
    strange: str = ""


def read_report(order: Order, report: OrderReport, channel: Channel) -> Reading:
    """Fills first, since a fill always counts; then what the report says of the rest."""
    full = max(order.filled_cents, report.filled_cents) >= order.quantity_cents
    gained = report.filled_cents > order.filled_cents
    fills: tuple[Step, ...] = ()
    if gained or (full and not order.terminal):
        fills = (Step.FILLED_UP if full else Step.PART_FILL,)
    if report.alive:
        # Once ended, even an image that is surely older is worth one read.
        return Reading((*fills, Step.SEEN_ALIVE) if order.terminal or not full else fills)
    if full:
        return Reading(fills)
    rest = _end(order, report, channel)
    return Reading((*fills, *rest.steps), rest.look and not order.terminal, rest.strange)


def _end(order: Order, report: OrderReport, channel: Channel) -> Reading:
    """The report does not show the order alive, and it is not filled up."""
    if report.status in VENUE_ENDS or report.status in SETTLED:
        return Reading((Step.ENDED_BY_VENUE,))
    strange = "" if report.status in KNOWN_STATUSES else f"unknown status {report.status!r}"
    if report.open_cents > 0:
        # `canceled` with an open part, or a status that nobody has seen: a read decides.
        if report.status in CANCELED and channel == "read":
            return Reading((Step.CANCEL_CONFIRMED,))
        return Reading((), look=True, strange=strange)
    if strange:
        return Reading((Step.ENDED_BY_VENUE,), strange=strange)
    expected = order.cancel_wanted or order.state is State.CANCELLING
    if report.status in CANCELED or expected or channel == "read":
        return Reading((Step.CANCEL_CONFIRMED,))
    # `open`, nothing open, not filled up, and we cancelled nothing: perhaps a completion that
    # overtook its last fill. The read shows both.
    return Reading((), look=True)
