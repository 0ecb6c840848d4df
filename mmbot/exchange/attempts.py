"""What left on the wire to change the book, and what came back: for the story of an order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from mmbot.domain.events import (
    CancelAcknowledged,
    CancelLost,
    CancelRefused,
    Event,
    OrderSeen,
    PlaceLost,
    PlaceNotSent,
    PlaceRefused,
    ReadFailed,
)
from mmbot.domain.ids import ExternalId, StrikeId
from mmbot.domain.notes import Note, Request, RequestAnswered, RequestSent
from mmbot.exchange.order_wire import Cleared
from mmbot.runtime.clock import Clock

WORDS_CHARS_MAX: Final = 100  # of one outcome

Keep = Callable[[Note], None]


def _nobody(note: Note) -> None:
    """Before the daemon listens, and in tools without a journal."""


class Attempts:
    """Numbers the attempts of one run; whoever sets `keep` is told of each."""

    def __init__(self, clock: Clock) -> None:
        self.keep: Keep = _nobody
        self._clock = clock
        self._number = 0

    def begin(
        self, what: Request, idents: Sequence[ExternalId] = (), strike_id: StrikeId | None = None
    ) -> Attempt:
        return Attempt(self, RequestSent(0, what, tuple(idents), 0, strike_id))

    def now_ns(self) -> int:
        return self._clock.now_ns()

    def next_number(self) -> int:
        self._number += 1
        return self._number


class Attempt:
    """One request until the last word about it. Sent again after a 401 it gets a new number.

    Nothing here stands between an order and its write: what left is told when the loop is free.
    """

    def __init__(self, log: Attempts, request: RequestSent) -> None:
        self._log = log
        self._request = request  # without number and time
        self._number = 0  # 0: nothing has left since the last answer
        self._left_ns = 0
        self._status = 0
        self.code = ""  # of the last answer
        self._came_ns = 0

    async def cleared(self, inner: Cleared | None) -> str:
        """The last gate before the write, as `inner` has it."""
        reason = "" if inner is None else await inner()
        if not reason:
            self._left_ns = self._log.now_ns()
            if not self._number:
                self._number = self._log.next_number()
                asyncio.get_running_loop().call_soon(self._tell_sent, self._number)
        return reason

    def _tell_sent(self, number: int) -> None:
        one = self._request
        self._log.keep(
            RequestSent(number, one.what, one.external_ids, self._left_ns, one.strike_id)
        )

    def came(self, status: int, code: str) -> None:
        """An answer: 0 and the reason when there is none."""
        self._status, self.code, self._came_ns = status, code, self._log.now_ns()

    def again(self) -> None:
        """The book was not asked; the same request goes out once more."""
        self._answered(("not executed",))

    def told(self, events: Sequence[Event], done: str = "done") -> None:
        """What the answer was taken for: one event per order, or none for `done`."""
        words = [outcome(event) for event in events] or [done]
        self._answered(tuple(words[:1] if len(set(words)) == 1 else words))

    def _answered(self, outcomes: tuple[str, ...]) -> None:
        number, self._number = self._number, 0
        if number:
            at_ns = self._came_ns or self._log.now_ns()
            note = RequestAnswered(number, self._status, self.code, outcomes, at_ns)
            # In its place behind what was sent, which may not have been told yet.
            asyncio.get_running_loop().call_soon(self._log.keep, note)
        self._status, self.code, self._came_ns = 0, "", 0


def outcome(event: Event) -> str:
    """In a few words of our own and the exchange's code; never a body."""
    match event:
        case OrderSeen(report):
            words = report.status
        case PlaceRefused(_, code) | CancelRefused(_, code):
            words = f"refused {code}"
        case PlaceLost(_, reason) | CancelLost(_, reason):
            words = f"lost: {reason}"
        case PlaceNotSent(_, reason):
            words = f"not asked: {reason}"
        case CancelAcknowledged(_, reason):
            words = f"acknowledged: {reason}"
        case ReadFailed(_, reason):
            words = f"failed: {reason}"
        case _:
            words = type(event).__name__
    return words[:WORDS_CHARS_MAX]
