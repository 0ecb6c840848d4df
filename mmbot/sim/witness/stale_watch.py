"""The judge of staleness beside a day in memory: it hears box and wire, and judges at the end."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from mmbot.sim.core.messages import Outgoing
from mmbot.sim.core.orders import Order
from mmbot.sim.faults.faulty_ports import Reply, Sent
from mmbot.sim.faults.kinds import FrameKind, external_ids
from mmbot.sim.faults.plan import Injected
from mmbot.sim.faults.switches import Switches
from mmbot.sim.stream.channels import event_of, is_private, main_channel
from mmbot.sim.stream.connections import Connection
from mmbot.sim.stream.hub import StreamHub
from mmbot.sim.virtual.island import Island
from mmbot.sim.witness.stale import NS, REPEAT_NS, Outage, Span, Verdict, judge
from mmbot.sim.witness.stale_parts import Event, Private
from mmbot.sim.witness.stale_record import HINDERED, Cancel, Placement, Row, quotes_of

START_NS: Final = 16 * NS  # a start leaves what rests until it can judge it
LIST_NS: Final = 10 * NS  # it comes in pages, one a second, and is read when it is whole
UNSAVED_NS: Final = 30 * NS  # what was told so late may be gone with the process that was killed
SHOWN_MAX: Final = 5
MARKETS: Final = ("get_multiple_markets", "get_markets")
ORDER_IDS: Final = ("order_id", "wager_id", "id")
PRICES: Final = ("price", "odds")
QUANTITIES: Final = ("quantity", "stake")
ALL_BOOKS: Final = main_channel(3)  # in the older dialects, of the tournaments wished for: all
_CHANNEL: Final = re.compile(r'"channel"\s*:\s*"([^"\\]+)"')


class StaleWatch:
    """A tap of the wire, and a hearer of the stream."""

    def __init__(
        self,
        hub: StreamHub,
        prefix: str,
        now_ns: Callable[[], int],
        switches: Switches | None = None,
    ) -> None:
        hub.members.hearers.append(self.subscribed)
        hub.hearers.append(self.published)
        self._prefix = prefix
        self._now_ns = now_ns
        self._switches = switches or Switches()
        self._private = Private()
        self._shared = 0  # sockets with the channel on which all books come
        self._events: dict[str, Event] = {}
        self._props: set[tuple[str, str]] = set()  # markets with channels of their own
        self._cancels: list[Cancel] = []
        self._sent_ns: dict[str, int] = {}
        self._told_ns: dict[str, int] = {}
        self._asked_ns: dict[Sent, int] = {}
        self._client: Island | None = None
        self._died_ns: int = 0
        self._refused_ns: int | None = None
        self._excuses: list[Span] = []
        self._unread: set[str] = set()  # events whose books were asked for last, and did not come

    def findings(self, orders: Iterable[Row]) -> list[str]:
        """The first few, and how much it is in all."""
        verdict = self.verdict(orders)
        told = [f"stale: {finding}" for finding in verdict.findings[:SHOWN_MAX]]
        if told:
            count = len(verdict.findings)
            told.append(f"stale: {verdict.stale_ns / NS:.3f} s in all, {count} findings")
        return told

    def shown(self, order: Order) -> bool:
        """Whether the books of its sport event were told as they are; those of props only age."""
        ident = str(order.line.event_id)
        event = self._events.get(ident)
        prop = (ident, str(order.line.market_id)) in self._props
        return not prop and (event is None or event.shown)

    def verdict(self, orders: Iterable[Row]) -> Verdict:
        """Over all until now; `orders` as in the record of the box."""
        now_ns = self._now_ns()
        outages: list[Outage] = [*self._private.over(now_ns)]
        for event in self._events.values():
            outages += event.over(now_ns)
        main = (row for row in orders if _market_of(row) not in self._props)
        return self.against([one for one in outages if one.until_ns > one.judged_ns], main)

    def unheard(self) -> list[Span]:
        """When a client could not know that it hears nothing."""
        silences = self._private.over(self._now_ns())
        return [(one.from_ns, one.judged_ns) for one in silences]

    def against(
        self,
        outages: Sequence[Outage],
        orders: Iterable[Row],
        repeat_ns: int = REPEAT_NS,
        unheard: Iterable[Span] = (),
    ) -> Verdict:
        """What was quoted while it should not be, beyond what its maker could help."""
        now_ns = self._now_ns()
        excuses = [*self._excuses, *unheard]
        for since_ns in (self._refused_ns, self._died_ns):
            if since_ns is not None:
                excuses.append((since_ns, now_ns))
        placements = {
            ident: Placement(at_ns, self._told_ns.get(ident))
            for ident, at_ns in self._sent_ns.items()
        }
        quotes = quotes_of(orders, self._cancels, placements, self._prefix)
        return judge(outages, quotes, excuses, repeat_ns)

    # --- the stream ----------------------------------------------------------------------------

    def subscribed(self, connection: Connection, channel: str, joined: bool) -> None:
        now_ns, event = self._now_ns(), event_of(channel)
        parts: list[Private | Event] = []
        if event is not None:
            parts = [] if event[1] else [self._event(str(event[0]))]
        elif is_private(channel):
            parts = [self._private]
        elif channel == ALL_BOOKS:
            parts = [*self._events.values()]
            self._shared += 1 if joined else -1
        for part in parts:
            (part.joined if joined else part.left)(now_ns)

    def published(self, message: Outgoing) -> None:
        if message.change_type != "market_selections":
            return
        info: Any = message.payload["info"]
        if message.sub_type:  # its maker lets it age: it is not judged
            self._props.add((str(message.event_id), str(info["id"])))
        else:
            best = tuple(side[0]["price"] for side in info["selections"])
            line = info["id"], info["strike"]
            self._event(str(message.event_id)).published(line, best, self._now_ns())

    def heard(self, kind: FrameKind, frame: str, now_ns: int) -> None:
        if kind == "orders":
            self._told(external_ids(frame.encode()), now_ns)
        elif kind == "health":
            self._private.heard(now_ns)
        elif kind == "books" and (channel := _CHANNEL.search(frame)):
            event = event_of(channel[1])
            ident = _told_of(frame) if event is None else "" if event[1] else str(event[0])
            if ident:
                self._event(ident).heard(now_ns)

    def _event(self, ident: str) -> Event:
        found = self._events.get(ident)
        if found is None:
            found = self._events[ident] = Event(ident)
            for _ in range(self._shared):
                found.joined(self._now_ns())
        return found

    # --- the wire ------------------------------------------------------------------------------

    def sent(self, request: Sent, now_ns: int) -> None:
        if request.island is not None and request.island is not self._client:
            self._begins(request.island, now_ns)
        self._asked_ns[request] = now_ns
        if request.kind == "place":
            for ident in external_ids(request.body):
                self._sent_ns.setdefault(ident, now_ns)
        elif request.kind == "cancel":
            self._cancels.append(Cancel(now_ns, request.path, request.body))

    def answered(self, request: Sent, reply: Reply, now_ns: int) -> None:
        asked_ns = self._asked_ns.pop(request, now_ns)
        status, headers, body = reply
        if request.kind in ("place", "order", "report") and status == 200:
            self._told(named(body), now_ns + (LIST_NS if request.kind == "report" else 0))
        if (url := urlsplit(request.path)).path.endswith(MARKETS):
            for ident in asked_for(url.query):
                self._books_read(self._event(ident), status == 200, asked_ns, now_ns)
        if status in HINDERED and (request.kind != "place" or "Retry-After" in headers):
            self._refused_ns = self._refused_ns or now_ns
        elif status == 200 and self._refused_ns is not None and request.kind != "auth":
            self._excuses.append((self._refused_ns, now_ns))
            for event in self._events.values():
                event.served(now_ns)
            self._refused_ns = None

    def _books_read(self, event: Event, came: bool, asked_ns: int, now_ns: int) -> None:
        """Its client asked for the books of this event; until they come it cannot compare them."""
        if not came:
            self._unread.add(event.part)
            return
        if event.part in self._unread:
            self._unread.discard(event.part)
            event.served(now_ns)
        if self._switches.book_image:  # in the reads, too
            event.drawn(asked_ns, now_ns)
        else:
            event.read(asked_ns, now_ns)

    def struck(self, entry: Injected, frame: str) -> None:
        """What a fault does shows on the wire."""

    # --- lives ---------------------------------------------------------------------------------

    def _begins(self, island: Island, now_ns: int) -> None:
        """A client that has just begun cannot be judged; what the last one heard may be gone."""
        self._excuses.append((self._died_ns, now_ns + START_NS))
        self._client, self._died_ns = island, 1 << 62
        island.on_abandon.append(self._dies)

    def _dies(self) -> None:
        self._died_ns = self._now_ns()
        unsaved_ns = self._died_ns - UNSAVED_NS
        self._told_ns = {one: at for one, at in self._told_ns.items() if at < unsaved_ns}

    def _told(self, idents: Iterable[str], now_ns: int) -> None:
        for ident in idents:
            self._told_ns.setdefault(ident, now_ns)


def asked_for(query: str) -> Iterable[str]:
    """The sport events that a read of markets asks for."""
    asked = parse_qs(query)
    events = ",".join([*asked.get("event_ids", ()), *asked.get("event_id", ())])
    return filter(None, events.split(","))


def named(body: bytes) -> Iterator[str]:
    """External ids of the orders that an answer names together with the id that a cancel needs."""
    try:
        todo = [json.loads(body)]
    except ValueError:  # an odd reply
        return
    while todo:
        found = todo.pop()
        if isinstance(found, list):
            todo += found
        elif isinstance(found, dict):
            todo += found.values()
            ident = found.get("external_id")
            named = any(found.get(key) for key in ORDER_IDS) and _believable(found)
            if isinstance(ident, str) and named:
                yield ident


def _believable(order: Row) -> bool:
    """A client does well to believe no word of an order without its figures (fault A13)."""
    return all(
        any(order.get(key) and type(order[key]) in (int, float) for key in keys)
        for keys in (PRICES, QUANTITIES)
    )


def _market_of(order: Row) -> tuple[str, str]:
    return str(order["event_id"]), str(order["market_id"])


def _told_of(frame: str) -> str:
    """The event of an image that came on the shared channel; "" when its client cannot read it."""
    try:
        message = json.loads(json.loads(frame)["data"])
        return str(json.loads(b64decode(message["payload"]))["sport_event_id"])
    except (ValueError, KeyError, TypeError):
        return ""
