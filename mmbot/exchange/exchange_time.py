"""What time it is at the exchange, read from the Date of its replies."""

from __future__ import annotations

from typing import Final

from mmbot.exchange.amounts import NS_PER_S, http_date_ns
from mmbot.exchange.http import HttpReply
from mmbot.runtime.clock import Clock

OFFSET_MAX_NS: Final = 10**18
QUICK_REPLY_NS: Final = NS_PER_S


class ExchangeTime:
    """`offset_ns` is exchange time minus ours."""

    def __init__(self, clock: Clock) -> None:
        self.offset_ns = 0
        self._clock = clock
        self.heard_ns = 0  # when the last reply came, whatever it said; 0 = none yet
        self._dated = False  # a quick reply has told the exchange's time

    def now_ns(self) -> int:
        return self._clock.now_ns() + self.offset_ns

    def note(self, reply: HttpReply, sent_ns: int) -> int | None:
        """Take the exchange's time from a reply and return its Date, which has whole seconds.

        A reply may have been under way for seconds: slow ones count only until a quick one came.
        """
        self.heard_ns = self._clock.now_ns()
        date_ns = http_date_ns(reply.headers.get("date"))
        quick = self.heard_ns - sent_ns <= QUICK_REPLY_NS
        if date_ns is not None and (quick or not self._dated):
            self._dated = quick
            offset_ns = date_ns + NS_PER_S // 2 - self._clock.now_ns()
            if abs(offset_ns) < OFFSET_MAX_NS:
                # Within the second that Date hides there is nothing to correct.
                self.offset_ns = 0 if abs(offset_ns) <= NS_PER_S else offset_ns
        return date_ns
