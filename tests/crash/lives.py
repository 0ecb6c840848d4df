"""How long each life took from its beginning to what it is there for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Final

from tests.crash.record import Request

LISTED_LAST: Final = "matching_status=partially_matched"  # the last third of what is alive
SEEDED_LAST: Final = "get_multiple_markets"
STREAMED: Final = ("mm/websocket", "mm/pusher")


@dataclass(frozen=True, slots=True)
class Life:
    """Seconds from the kill before it, None for what it never came to: its first request; all
    that rests was listed; the markets were; the stream was registered; its first order."""

    first_request_s: float | None
    orders_known_s: float | None
    markets_known_s: float | None
    stream_s: float | None
    quoting_s: float | None


def lives(requests: Sequence[Request], began_ns: Sequence[int], until_ns: int) -> list[Life]:
    """One per kill: what the daemon asked for between it and the next one."""
    ends_ns = [*began_ns[1:], until_ns]
    return [
        _life([r for r in requests if start < r.at_ns < end], start)
        for start, end in zip(began_ns, ends_ns, strict=True)
    ]


def table(told: Sequence[Life]) -> Iterator[tuple[str, str]]:
    """A line per step: its name, and how many lives came to it, median and longest."""
    for name in Life.__dataclass_fields__:
        seen = [value for life in told if (value := asdict(life)[name]) is not None]
        what = f"{name.removesuffix('_s').replace('_', ' ')} after"
        if seen:
            yield what, f"median {median(seen):.2f} s, longest {max(seen):.2f} s, {len(seen)} lives"


def _life(asked: Sequence[Request], began_ns: int) -> Life:
    def since(at_ns: int | None) -> float | None:
        return None if at_ns is None else round((at_ns - began_ns) / 1e9, 3)

    def answered(*words: str) -> float | None:
        good = (r for r in asked if r.status == 200 and any(one in r.path for one in words))
        return since(next((r.answered_ns for r in good), None))

    first = next((r.at_ns for r in asked), None)
    placed = next((r.at_ns for r in asked if r.places), None)
    return Life(
        since(first), answered(LISTED_LAST), answered(SEEDED_LAST), answered(*STREAMED),
        since(placed),
    )  # fmt: skip
