"""`/_feed` and `/_box`: the odds feed and the steering of the box, apart from the exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmbot.sim.messages import Json
from mmbot.sim.orders import Refusal
from mmbot.sim.replies import NOT_FOUND, Answer, Reply, json_headers, reply
from mmbot.sim.requests import integer
from mmbot.sim.stream import Close

if TYPE_CHECKING:
    from mmbot.sim.box import Box

VERSION = "0.1.0"
Query = dict[str, str]


class BoxRoutes:
    """Neither counted as requests of an account nor part of the contract."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._feed_bytes = b"[]", '""'

    def odds(self, headers: dict[str, str], now_ns: int) -> Reply:
        """The Odds API v4 form, with an ETag."""
        switches = self._box.switches
        if switches.feed_down:
            return reply(Refusal(503, "unavailable", "feed is down"), now_ns)
        if not switches.feed_frozen:
            self._feed_bytes = self._box.feed.body()
        body, tag = self._feed_bytes
        shown = json_headers(now_ns) | {"ETag": tag}
        if headers.get("if-none-match") == tag:
            return Reply(304, shown, b"")
        return Reply(200, shown, body)

    def control(self, method: str, name: str, query: Query, body: object, now_ns: int) -> Answer:
        box = self._box
        if isinstance(body, Refusal):
            return body
        if method == "GET":
            return self._look(name, query, now_ns)
        if name == "news":
            return box.control.news(body, now_ns, box.options.drift.news_logit)
        if name == "event":
            return box.control.event(body, now_ns)
        if name == "takers":
            return box.control.takers(body, now_ns)
        if name == "stop_mark":
            return box.control.stop_mark(now_ns)
        if name == "settle":
            return box.control.settle(now_ns)
        if name == "faults":
            return box.switches.set_all(body) or box.switches.shown()
        if name == "disconnect":
            code = integer(body.get("code", 4200)) if isinstance(body, dict) else 4200
            if code is None or not 3000 <= code < 5000:
                return Refusal(400, "invalid_param", "code must be a close code from 3000 on")
            box.hub.close_all(Close(code, "closed by the box"))
            return {"code": code}
        return NOT_FOUND

    def _look(self, name: str, query: Query, now_ns: int) -> Answer:
        box = self._box
        if name == "whoami":
            return {
                "box": "mmbot exchange",
                "version": VERSION,
                "seed": box.options.seed,
                "latency_profile": box.options.latency_profile,
            }
        if name == "state":
            head: Json = {
                "seed": box.options.seed,
                "latency_profile": box.options.latency_profile,
                "started_ns": box.started_ns,
            }
            return head | box.control.state(now_ns, box.started_ns)
        if name == "record":
            account = box.sessions.by_key(query.get("account", box.maker.access_key))
            if account is None:
                return Refusal(404, "data_not_found", "no such account")
            summary = box.record.summary(account, now_ns)
            return {"latency_profile": box.options.latency_profile} | summary
        if name == "faults":
            return box.switches.shown()
        return NOT_FOUND
