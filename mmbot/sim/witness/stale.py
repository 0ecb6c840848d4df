"""Seconds quoted on stale data, beyond the time in which its maker could know: from outside.

Pure: outages, quotes and excuses go in as spans of one clock, findings come out. What counts is
what a client asks, not what the exchange makes of it: a lost cancel is not its staleness, but it
has to be repeated. Times are ns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

NS: Final = 1_000_000_000
SILENT_NS: Final = 12 * NS  # two health_checks missed, and a look
VISIBLE_NS: Final = NS  # a close, a refusal, a channel that was never granted
MUTE_NS: Final = 60 * NS  # one channel tells nothing while its socket lives (fault E4)
REPEAT_NS: Final = 20 * NS  # longer than an answer is waited for
EVERYTHING: Final = ""  # the part that every quote rests on: the private channel

Span = tuple[int, int]  # from, until


@dataclass(frozen=True, slots=True)
class Outage:
    """A part of the data tells nothing from its last sign of life until it is whole again.

    `part` is a sport event's id or EVERYTHING; `knowable_ns` is how long it may go unnoticed.
    """

    part: str
    from_ns: int
    until_ns: int
    knowable_ns: int

    @property
    def judged_ns(self) -> int:
        return self.from_ns + self.knowable_ns


@dataclass(frozen=True, slots=True)
class Quote:
    """One order: `sent_ns` when its placement left, `told_ns` when its maker could name it to a
    cancel, `until_ns` when it could no longer fill, `asked_ns` each time a cancel asked for it.
    """

    name: str
    part: str
    sent_ns: int
    told_ns: int
    until_ns: int
    asked_ns: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    quote: str
    outage: Outage
    spans: tuple[Span, ...]

    def __str__(self) -> str:
        seconds = sum(until - since for since, until in self.spans) / NS
        part = f"sport event {self.outage.part}" if self.outage.part else "the private channel"
        return (
            f"{self.quote}: quoted {seconds:.3f} s on stale data, from {self.spans[0][0] / NS:.3f}:"
            f" {part} told nothing since {self.outage.from_ns / NS:.3f}"
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """`stale_ns`: as long as at least one quote was stale."""

    findings: tuple[Finding, ...]

    @property
    def stale_ns(self) -> int:
        spans = merged(span for finding in self.findings for span in finding.spans)
        return sum(until - since for since, until in spans)


def judge(
    outages: Sequence[Outage],
    quotes: Iterable[Quote],
    excuses: Iterable[Span] = (),
    repeat_ns: int = REPEAT_NS,
) -> Verdict:
    """`excuses`: nobody could act (no process runs, no session, nothing but 429). For `repeat_ns`
    after each cancel that was asked for, the order is not held against its maker.
    """
    idle = merged(excuses)
    found = []
    for quote in quotes:
        covered = merged([*idle, *((at, at + repeat_ns) for at in quote.asked_ns)])
        for outage in outages:
            if outage.part not in (EVERYTHING, quote.part):
                continue
            spans = minus(_exposed(quote, outage), covered)
            if spans:
                found.append(Finding(quote.name, outage, tuple(spans)))
    return Verdict(tuple(found))


def _exposed(quote: Quote, outage: Outage) -> Span:
    """While it rests on an outage that can be known; placed in one, from the first moment."""
    placed_blind = outage.judged_ns < quote.sent_ns < outage.until_ns
    since = quote.sent_ns if placed_blind else max(outage.judged_ns, quote.told_ns + VISIBLE_NS)
    return since, min(quote.until_ns, outage.until_ns)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time as disjoint spans, in order."""
    joined: list[Span] = []
    for since, until in sorted(span for span in spans if span[0] < span[1]):
        if joined and since <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], until)
        else:
            joined.append((since, until))
    return joined


def minus(span: Span, covered: Sequence[Span]) -> list[Span]:
    """What is left of a span; `covered` as `merged` returns it."""
    left: list[Span] = []
    since, end = span
    for begin, until in covered:
        if begin < end and since < until:
            left.append((since, begin))
            since = until
    left.append((since, end))
    return [one for one in left if one[0] < one[1]]
