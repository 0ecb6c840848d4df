"""Requests of the probe: counted before they leave, written down when they are answered."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

import msgspec

from mmbot.domain.errors import FindOut, MmbotError, TryAgain
from mmbot.exchange.http import HttpPort, HttpReply
from mmbot.exchange.old_words import newer
from mmbot.exchange.order_wire import Cleared
from mmbot.exchange.rest import Rest
from mmbot.exchange.routes import Route
from mmbot.exchange.wire import Unreadable
from mmbot.probe.allowance import Allowance
from mmbot.probe.transcript import HEADERS_KEPT, Transcript, readable
from mmbot.runtime.clock import Clock
from mmbot.runtime.limiter import Priority

READ_TRIES_MAX: Final = 5
RETRY_S_MAX: Final = 130.0  # a log-in whose answer was lost is tried again after two minutes


class NoRoute(MmbotError):
    """The dialect has no route for this; nothing was asked."""


LADDER_SEED: Final = "/mm/get_price_ladder"  # bare numbers: its key is no word of an order
# A route is named by its v4 path everywhere else; how the seed dialect calls it (contract 4).
SEED_PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/v4/mm/get_balance": "/mm/get_balance",
        "/v4/mm/get_price_ladder": LADDER_SEED,
        "/v4/mm/get_markets": "/mm/get_markets",
        "/v4/mm/get_multiple_markets": "/mm/get_multiple_markets",
        "/v4/mm/submit_order": "/mm/place_order",
        "/v4/mm/submit_multiple_orders": "/mm/place_batch_orders",
        "/v4/mm/cancel_order": "/mm/cancel_order",
        "/v4/mm/cancel_multiple_orders": "/mm/cancel_batch_orders",
        "/v4/mm/get_order": "/mm/get_order",
        "/v4/mm/get_order_history": "/mm/get_order_histories",
    }
)


def in_seed(path: str) -> str:
    """The seed dialect's path of a v4 path; NoRoute when its page names none."""
    if not path.startswith("/v4/"):
        return path
    for v4, seed in SEED_PATHS.items():
        if path == v4 or path.startswith(f"{v4}/"):
            return seed + path.removeprefix(v4)
    raise NoRoute(f"the seed dialect has no {path.rsplit('/', 1)[1]}")


class RecordedHttp:
    """An HttpPort before another one: no request leaves without the allowance, the log-in's
    neither. `last` keeps the newest answer of each path for who wants the bare text."""

    def __init__(
        self, http: HttpPort, allowance: Allowance, transcript: Transcript, clock: Clock
    ) -> None:
        self._http = http
        self._allowance = allowance
        self._transcript = transcript
        self._clock = clock
        self.last: dict[str, HttpReply] = {}

    async def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        timeout_s: float,
        cleared: Cleared | None = None,
    ) -> HttpReply:
        self._allowance.request()
        sent_ns = self._clock.now_ns()
        asked = {"method": method, "path": path, "body": readable(body)}
        try:
            reply = await self._http.request(method, path, headers, body, timeout_s, cleared)
        except (TryAgain, FindOut) as error:
            self._transcript.write("no answer", sent_ns, **asked, error=str(error))
            raise
        self._transcript.write(
            "answer",
            sent_ns,
            **asked,
            status=reply.status,
            took_ms=round((self._clock.now_ns() - sent_ns) / 1e6, 3),
            headers={name: reply.headers[name] for name in HEADERS_KEPT & reply.headers.keys()},
            answer=readable(reply.body),
        )
        self.last[path.partition("?")[0]] = reply
        return reply


@dataclass(frozen=True, slots=True)
class Reply:
    """`body` is JSON as plain values (None when it is no JSON), `code` the word of a refusal."""

    status: int
    code: str
    message: str
    body: Any = field(repr=False)
    raw: bytes = field(repr=False)
    sent_ns: int
    received_ns: int
    date_ns: int | None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def data(self) -> Any:
        """What stands below `data`, or the body itself when nothing is wrapped."""
        return self.body.get("data", self.body) if isinstance(self.body, dict) else self.body


class Calls:
    """Raises what `Rest.call` raises; a read is tried again before it does."""

    def __init__(self, rest: Rest, http: RecordedHttp, clock: Clock, *, seed: bool = False) -> None:
        """In the seed dialect paths are translated, and answers read in the newer words."""
        self.rest = rest
        self.http = http
        self.seed = seed
        self._clock = clock

    @property
    def verbatim(self) -> Calls:
        """The same without any translation."""
        return Calls(self.rest, self.http, self._clock)

    async def get(self, path: str, **query: str | int) -> Reply:
        """Errors of the exchange's own are no answer to the question, either."""
        for _ in range(READ_TRIES_MAX - 1):
            try:
                reply = await self._call("GET", path, query, b"")
            except TryAgain as error:
                await self._clock.sleep(min(RETRY_S_MAX, error.retry_after_s))
                continue
            except FindOut:
                continue
            if reply.status < 500:
                return reply
        return await self._call("GET", path, query, b"")

    async def post(
        self, path: str, body: object, priority: Priority = Priority.NEW, writes: bool = True
    ) -> Reply:
        """One try: what it did to the book is for the caller to find out.

        Raises FindOut for an error of the exchange's own that has no word we know.
        """
        content = msgspec.json.encode(body)
        reply = await self._call("POST", path, {}, content, priority, writes)
        if reply.status >= 500 and "retry" not in reply.code:
            raise FindOut(f"{path}: {reply.status} {reply.code}")
        return reply

    async def _call(
        self,
        method: str,
        path: str,
        query: dict[str, str | int],
        body: bytes,
        priority: Priority = Priority.DOUBT,
        writes: bool = False,
    ) -> Reply:
        register = self.rest.routes.register
        path = in_seed(path) if self.seed else path
        route = Route(path.rsplit("/", 1)[1], method, path, writes)
        if path == register.path:
            route = register  # it has a timeout of its own
        answer = await self.rest.call(route, priority, query or None, body)
        if self.seed and answer.refusal is None and path != LADDER_SEED:
            with contextlib.suppress(Unreadable):
                answer = replace(answer, reply=replace(answer.reply, body=newer(answer.body)))
        body_seen = readable(answer.body)
        refusal = answer.refusal
        return Reply(
            answer.reply.status,
            refusal.code if refusal else "",
            refusal.message if refusal else "",
            None if isinstance(body_seen, str) else body_seen,
            answer.body,
            answer.sent_ns,
            answer.received_ns,
            answer.date_ns,
        )


def dig(found: Any, *path: str) -> Any:
    """The value below these keys; None as soon as one of them is missing."""
    for key in path:
        if not isinstance(found, dict):
            return None
        found = found.get(key)
    return found
