"""The story of one order out of its journal entries: `mmbot why`. Pure: entries in, words out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from mmbot.domain.entries import (
    Entry,
    FillReversed,
    OrderStepped,
    PlaceIntended,
    RunStarted,
    SettlementSeen,
)
from mmbot.domain.evidence import Evidence
from mmbot.domain.ids import OrderId
from mmbot.domain.money import usd
from mmbot.domain.notes import ManualSeen, RequestAnswered, RequestSent
from mmbot.domain.order import TERMINAL, Order, Step
from mmbot.ops import telling

WIDE: Final = frozenset({"sweep", "mass cancel"})


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that happened; `entry` is what the sentence was made of.

    `wide_ns`: of a cancel that named no order, and of its answer, when that cancel was sent.
    """

    at_ns: int
    text: str
    entry: Entry
    wide_ns: int | None = None


@dataclass(slots=True)
class Story:
    """`order` is as its last entry left it; None for an order that is not ours."""

    ident: str
    told: list[Told] = field(default_factory=list)
    order: Order | None = None
    ended: OrderStepped | FillReversed | None = None
    settled: str = ""
    shown_ns: int | None = None  # when the exchange last showed it, by our clock

    @property
    def began_ns(self) -> int:
        if self.order is not None:
            return self.order.intended_ns
        return self.told[0].at_ns if self.told else 0

    @property
    def title(self) -> str:
        order = self.order
        if order is None:
            return f"{self.ident} is not ours: a person's order, counted and left alone"
        theirs = f", order {order.order_id}" if order.order_id else ""
        return f"{self.ident}{theirs}: {order.state}"

    @property
    def ending(self) -> str:
        """How it ended and who said so, or how it stands."""
        order = self.order
        if order is None:
            return ""
        filled = f"{usd(order.filled_cents)} of {usd(order.quantity_cents)} filled"
        if self.ended is None:
            return f"it lives: {order.state}, {filled}"
        settled = f", settled as {self.settled}" if self.settled else ""
        return f"it ended {order.state}, {filled}{settled}; {_teller(self.ended.evidence)}"

    @property
    def unproven(self) -> str:
        order = self.order
        if order is None:
            return ""
        if order.terminal and order.filled_cents and not self.settled:
            return "the result of what has filled"
        return telling.unproven(order, self.shown_ns)


def _teller(evidence: Evidence) -> str:
    return f"{telling.who(evidence)} proved it"


def story(ident: str, entries: Iterable[Entry], run: RunStarted | None = None) -> Story:
    """From entries in journal order; `run` is the one that intended the order."""
    teller = _Teller(ident, run.checks if run is not None else ())
    for entry in entries:
        teller.take(entry)
    told, ended = teller.story.told, teller.story.ended
    ended_ns = None if ended is None else ended.at_ns
    if ended_ns is not None:  # it could not concern an order that had ended
        told = [one for one in told if one.wide_ns is None or one.wide_ns <= ended_ns]
    teller.story.told = sorted(told, key=lambda one: one.at_ns)
    return teller.story


class _Teller:
    def __init__(self, ident: str, checks: Sequence[str]) -> None:
        self.story = Story(ident)
        self._checks = checks
        self._requests: dict[int, RequestSent] = {}
        self._placed = False

    def take(self, entry: Entry) -> None:
        match entry:
            case PlaceIntended():
                self._intended(entry)
            case OrderStepped():
                self._stepped(entry)
            case RequestSent():
                self._sent(entry)
            case RequestAnswered(number):
                request = self._requests.get(number)
                if request is not None:
                    text = telling.answered(entry, request, self.story.ident)
                    self._tell(entry.at_ns, text, entry, _wide_ns(request))
            case ManualSeen():
                self._tell(entry.at_ns, telling.manual(entry), entry)
            case FillReversed():
                self._reversed(entry)
            case _:
                if isinstance(entry, RunStarted):
                    self._requests.clear()  # numbers start anew
                elif isinstance(entry, SettlementSeen):
                    self.story.settled = entry.winning_status
                self._tell(entry.at_ns, telling.other(entry), entry)

    def _tell(self, at_ns: int, text: str, entry: Entry, wide_ns: int | None = None) -> None:
        self.story.told.append(Told(at_ns, text, entry, wide_ns))

    def _intended(self, entry: PlaceIntended) -> None:
        order, at_ns = entry.order, entry.order.intended_ns
        if self.story.order is not None and not self.story.order.terminal:
            self._tell(at_ns, f"its line became known: {order.line_id}", entry)
        else:
            if entry.motive is not None:
                self._tell(at_ns, telling.view(order, entry.motive), entry)
            if entry.verdict is not None:
                self._tell(at_ns, telling.verdict(entry.verdict, self._checks), entry)
            self._tell(at_ns, telling.intent(entry), entry)
        self.story.order = order
        self.story.ended = None

    def _stepped(self, entry: OrderStepped) -> None:
        before = self.story.order
        if before is None:
            return
        self._tell(entry.at_ns, telling.step(entry, before), entry)
        after = replace(
            before,
            state=entry.state,
            filled_cents=entry.filled_cents,
            order_id=OrderId(entry.order_id) if entry.order_id else before.order_id,
            cancel_wanted=entry.cancel_wanted,
        )
        if entry.step is Step.SEEN_ALIVE or entry.step in telling.FILLS:
            self.story.shown_ns = entry.at_ns
        self._became(after, entry)

    def _reversed(self, entry: FillReversed) -> None:
        self._tell(entry.at_ns, telling.other(entry), entry)
        if self.story.order is not None:
            after = replace(self.story.order, state=entry.state, filled_cents=entry.filled_cents)
            self._became(after, entry)

    def _became(self, after: Order, entry: OrderStepped | FillReversed) -> None:
        before, self.story.order = self.story.order, after
        if not after.terminal:
            self.story.ended = None
        elif before is None or before.state not in TERMINAL or after.state is not before.state:
            self.story.ended = entry

    def _sent(self, entry: RequestSent) -> None:
        order = self.story.order
        elsewhere = order is None or entry.strike_id not in {None, order.strike_id}
        if entry.what in WIDE and elsewhere:
            return
        again = entry.what == "place" and self._placed
        self._placed = self._placed or entry.what == "place"
        self._requests[entry.number] = entry
        self._tell(entry.at_ns, telling.sent(entry, again), entry, _wide_ns(entry))


def _wide_ns(request: RequestSent) -> int | None:
    return request.at_ns if request.what in WIDE else None
