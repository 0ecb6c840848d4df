"""One `market_selections` frame in a hot loop: to a book, and through the engine's decision.

Time is processor time of this process, rounds take turns, and the median of the rounds counts.
"""

from __future__ import annotations

import base64
import gc
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from statistics import median
from typing import Any, Final

from mmbot.domain.catalog import Catalog, SportEvent
from mmbot.domain.events import BookUpdated, CatalogSeeded, LadderLoaded
from mmbot.domain.ids import SportEventId
from mmbot.domain.price import Ladder
from mmbot.engine.ports import Budget
from mmbot.exchange import wire
from mmbot.exchange.books import leaves
from mmbot.exchange.listing import Listing
from mmbot.exchange.notices import Notices
from mmbot.exchange.pusher import AppMessage, PusherProtocol
from mmbot.exchange.stream import StreamReader
from tests.bench import listing
from tests.bench.claim import Claim
from tests.bench.figures import quantile
from tests.bench.flood_listing import Flood, frames, markets
from tests.bench.rule import Maker
from tests.engine.desk import Desk, Wanting

FRAME_US_MAX: Final = 40.0
GROWTH_MAX: Final = 1.2
ROUNDS: Final = 41
FRAMES_PER_ROUND: Final = 200
SHOWN_LINES: Final = 10  # whose images come again and again, however many there are
ESTABLISHED: Final = (
    b'{"event":"pusher:connection_established",'
    b'"data":"{\\"socket_id\\":\\"1.1\\",\\"activity_timeout\\":120}"}'
)

Step = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Spread:
    """Microseconds a frame: the rounds' median, and their 10th and 90th of a hundred."""

    p50_us: float
    low_us: float
    high_us: float

    @classmethod
    def of(cls, rounds_us: Sequence[float]) -> Spread:
        return cls(median(rounds_us), quantile(rounds_us, 0.1), quantile(rounds_us, 0.9))

    def __str__(self) -> str:
        return f"{self.p50_us:.1f} us ({self.low_us:.1f}..{self.high_us:.1f})"


class Reader:
    """The client's half: from the text of a frame to the event that the engine gets."""

    def __init__(self, flood: Flood, now_ns: int) -> None:
        self._now_ns = now_ns
        self.catalog = _catalog(flood, now_ns)
        known = Listing()
        known.replace(self.catalog)
        self._stream = StreamReader(known, Notices())
        self._protocol = PusherProtocol(now_ns)
        self._protocol.receive(ESTABLISHED, now_ns)

    def book(self, text: bytes) -> BookUpdated:
        (message,) = self._protocol.receive(text, self._now_ns)
        assert isinstance(message, AppMessage)
        _, (updated,) = self._stream.read(message, self._now_ns)
        assert isinstance(updated, BookUpdated)
        return updated


class Quiet(Wanting):
    """Asked for every line that changed, and never wants anything."""

    uses_fairs = False

    def __init__(self) -> None:
        super().__init__()
        self.wants = ()


class Trader:
    """Reader and engine, everything well; `update` is what one frame costs the daemon's thread."""

    def __init__(self, flood: Flood, now_ns: int) -> None:
        self._reader = Reader(flood, now_ns)
        self._desk = desk = Desk(now_ns=now_ns, strategy=Quiet())
        self._budget = Budget(10)
        desk.recovered()
        ladder = Ladder.of(listing.load_ladder())
        desk.tell(LadderLoaded(ladder), CatalogSeeded(self._reader.catalog), *desk.account())
        assert desk.engine.mode.name == "ENABLED"

    def update(self, text: bytes) -> None:
        book = self._reader.book(text)
        self._desk.engine.handle([book], self._desk.now_ns, self._budget)


def _catalog(flood: Flood, now_ns: int) -> Catalog:
    """As the client reads it from the answer to `get_multiple_markets`."""
    start_ns = now_ns + 5 * 3600 * 10**9
    events = [
        SportEvent(SportEventId(ident), "Bench", 31, "Bench", start_ns, "not_started")
        for ident in flood.events
    ]
    lines = [
        leaf.line
        for event_id, (market,) in markets(flood, iter(flood.events), now_ns).items()
        for leaf in leaves(
            wire.Raw(json.dumps(market).encode()), SportEventId(int(event_id)), Notices()
        )
    ]
    assert len(lines) == flood.lines
    return Catalog.of(events, lines)


def vendor_book(maker: Maker, text: bytes) -> None:
    """The vendor-style stack's way from a frame to its book (`vendor.VendorStack._on_book`)."""
    data: Any = json.loads(json.loads(text)["data"])
    payload = json.loads(base64.b64decode(data["payload"]))
    info = payload["info"]
    maker.book[payload["market_id"], info["strike"]] = info["selections"]


def measure(ways: dict[str, tuple[Step, Sequence[bytes]]], rounds: int) -> dict[str, Spread]:
    """Each way of reading its own frames, in turns."""
    took_us: dict[str, list[float]] = {name: [] for name in ways}
    feeds = {name: cycle(texts) for name, (_, texts) in ways.items()}
    gc.collect()
    for _ in range(rounds):
        for name, (step, _) in ways.items():
            batch = list(islice(feeds[name], FRAMES_PER_ROUND))
            began_ns = time.process_time_ns()
            for text in batch:
                step(text)
            took_us[name].append((time.process_time_ns() - began_ns) / 1e3 / len(batch))
    return {name: Spread.of(rounds_us) for name, rounds_us in took_us.items()}


def frame_claims(seed: int, now_ns: int, rounds: int = ROUNDS) -> list[Claim]:
    """A frame to a book, beside the vendor-style stack."""
    flood = Flood(channels=2, strikes=2 * SHOWN_LINES)
    texts = _images(flood, range(SHOWN_LINES), seed, now_ns)
    reader, maker = Reader(flood, now_ns), Maker.on(list(listing.load_ladder()))

    def ours(text: bytes) -> None:
        reader.book(text)

    def theirs(text: bytes) -> None:
        vendor_book(maker, text)

    found = measure({"ours": (ours, texts), "theirs": (theirs, texts)}, rounds)
    spread = (
        f"({found['ours'].low_us:.1f}..{found['ours'].high_us:.1f}), {len(texts[0]):,} bytes; "
        f"vendor style {found['theirs']}, {found['theirs'].p50_us / found['ours'].p50_us:.2f}x"
    )
    return [Claim("frame to book", found["ours"].p50_us, "us", FRAME_US_MAX, False, spread)]


def growth_claims(seed: int, now_ns: int, most: int, rounds: int = ROUNDS) -> list[Claim]:
    """The same ten lines' frames through reader and engine, among ten lines and among many."""
    few = Flood(channels=2, strikes=2 * SHOWN_LINES)
    many = Flood(channels=1 + min(399, most), strikes=2 * most)
    spots = range(0, most, most // SHOWN_LINES)
    found = measure(
        {
            "few": (Trader(few, now_ns).update, _images(few, range(SHOWN_LINES), seed, now_ns)),
            "many": (Trader(many, now_ns).update, _images(many, spots, seed, now_ns)),
        },
        rounds,
    )
    ratio = found["many"].p50_us / found["few"].p50_us
    spread = f"frame to decision: {found['few']} of {SHOWN_LINES}, {found['many']} of {most:,}"
    return [Claim("one update, many lines / few", ratio, "x", GROWTH_MAX, False, spread)]


def _images(flood: Flood, lines: range, seed: int, now_ns: int) -> list[bytes]:
    def shown() -> Iterator[int]:
        for _ in range(flood.images):
            yield from lines

    return list(frames(flood, shown(), seed, now_ns))
