"""`/_feed/odds`: the odds feed, apart from the exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmbot.sim.core.orders import Refusal
from mmbot.sim.faults.feed_faults import spoiled
from mmbot.sim.http.replies import Reply, json_headers, reply

if TYPE_CHECKING:
    from mmbot.sim.box import Box


class FeedRoute:
    """Neither counted as a request of an account nor part of the contract."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._feed_bytes = b"[]", '""'

    def odds(self, headers: dict[str, str], now_ns: int) -> Reply:
        """The Odds API v4 form, with an ETag."""
        switches = self._box.switches
        if switches.feed_down:
            return reply(Refusal(503, "unavailable", "feed is down"), now_ns)
        if not switches.feed_frozen:
            self._feed_bytes = spoiled(self._box.feed.body(), switches)
        body, tag = self._feed_bytes
        shown = json_headers(now_ns) | {"ETag": tag}
        if headers.get("if-none-match") == tag:
            return Reply(304, shown, b"")
        return Reply(200, shown, body)
