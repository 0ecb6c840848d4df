"""One call to the exchange: rate budget, token, 401 once, 429 heard. Meaning is added above."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Final
from urllib.parse import quote, urlencode

from mmbot.domain.errors import FindOut, TryAgain
from mmbot.exchange.attempts import Attempt, Attempts
from mmbot.exchange.breakers import Breakers
from mmbot.exchange.http import HttpPort, HttpReply, ReplyLate, ReplyLost, Unreachable
from mmbot.exchange.notices import Notices
from mmbot.exchange.old_words import newer
from mmbot.exchange.order_wire import Cleared
from mmbot.exchange.refusals import Refusal, asked_wait_s, refusal_of
from mmbot.exchange.routes import Route, Routes
from mmbot.exchange.session import Session
from mmbot.exchange.wire import Unreadable
from mmbot.runtime.clock import Clock
from mmbot.runtime.limiter import Limiter, Priority

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
GRANT_AGE_MAX_NS: Final = 50_000_000  # 45 requests in 1.05 s are less than 50 in one


class Throttled(TryAgain):
    """429: the exchange did not look at the request."""


class Unauthorised(TryAgain):
    """401 even with a new token: the request was not executed."""


@dataclass(frozen=True, slots=True)
class RestSettings:
    reply_timeout_s: float = 12.0
    read_timeout_s: float = 5.0  # reads take 0.15 s at most; one that hangs holds up a start
    register_timeout_s: float = 30.0  # it may take seconds; the first tries give up sooner,
    register_first_timeout_s: float = 8.0  # because without a stream nothing is quoted


@dataclass(frozen=True, slots=True)
class RestPorts:
    http: HttpPort
    session: Session
    limiter: Limiter
    clock: Clock
    notices: Notices
    routes: Routes


@dataclass(frozen=True, slots=True)
class Answer:
    """`refusal` is None for a 2xx. `sent_ns` and `received_ns` are our clock's."""

    reply: HttpReply = field(repr=False)
    refusal: Refusal | None
    sent_ns: int
    received_ns: int
    date_ns: int | None

    @property
    def body(self) -> bytes:
        return self.reply.body


@dataclass(frozen=True, slots=True)
class _Request:
    route: Route
    path: str
    priority: Priority
    body: bytes
    cleared: Cleared | None
    attempt: Attempt | None
    timeout_s: float
    headers: Mapping[str, str]


class Rest:
    """Raises NotSent, Throttled, Unauthorised (nothing was asked) or ReplyLost (find out)."""

    def __init__(self, ports: RestPorts, settings: RestSettings | None = None) -> None:
        self.routes = ports.routes
        self.settings = settings or RestSettings()
        self.clock = ports.clock
        self.session = ports.session
        self.notices = ports.notices
        self.attempts = Attempts(ports.clock)
        self._http = ports.http
        self._limiter = ports.limiter
        self._breakers = Breakers(ports.limiter, ports.clock, ports.notices)
        self._registrations_late = 0  # in a row

    async def call(
        self,
        route: Route,
        priority: Priority,
        query: dict[str, str | int] | None = None,
        body: bytes = b"",
        item: str = "",
        cleared: Cleared | None = None,
        attempt: Attempt | None = None,
        timeout_max_s: float = math.inf,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Answer:
        """`item` is a further path element, such as an order id.

        `cleared` is awaited when all is ready, just before each write; the reason that it gives
        is raised as NotSent. `attempt` is told of each write and each answer.
        """
        path = route.path + (f"/{quote(item, safe='')}" if item else "")
        if query:
            path += "?" + urlencode(query, safe=",")
        wait_s = min(timeout_max_s, self._timeout_s(route))
        one = _Request(route, path, priority, body, cleared, attempt, wait_s, headers)
        token = await self._turn(one, await self._token(one.priority))
        answer = await self._once(one, token)
        if answer.reply.status == 401:
            # Not executed. Only this request is repeated, whatever batch it belongs to (C8).
            if attempt is not None:
                attempt.again()
            token = await self._turn(one, await self._token(one.priority, refused=token))
            answer = await self._once(one, token)
            if answer.reply.status == 401:
                self.notices.count("unauthorised_with_a_new_token", route.name)
                raise Unauthorised(f"{route.name}: 401 with a new token")
        return answer

    async def _token(self, priority: Priority, refused: str = "") -> str:
        """Trouble with the session is never doubt about the request: it has not been executed."""
        try:
            if refused:
                self.session.refused(refused)
                return await self.session.renewed(refused)
            return await self.session.token(urgent=priority is Priority.CANCEL)
        except FindOut as error:
            raise Unauthorised(f"no token: {error}") from None

    async def _turn(self, one: _Request, token: str) -> str:
        """The turn may be minutes away, as after a 429: the token is the one of that moment."""
        await self._limiter.acquire(one.priority, one.route.name)
        return self.session.newest(token)

    async def _once(self, one: _Request, token: str) -> Answer:
        route, cleared, attempt = one.route, one.cleared, one.attempt
        sent_ns, left_ns = self.clock.now_ns(), self.clock.monotonic_ns()
        if cleared is not None:
            cleared = partial(self._in_budget, cleared, one.priority, route, sent_ns)
        if attempt is not None:
            cleared = partial(attempt.cleared, cleared)
        headers = {**one.headers, "Authorization": f"Bearer {token}"}
        registers = route is self.routes.register
        try:
            reply = await self._http.request(
                route.method, one.path, headers, one.body, one.timeout_s, cleared
            )
        except (Unreachable, ReplyLost) as error:
            self._registrations_late += registers and isinstance(error, ReplyLate)
            self._breakers.failed(route.name, left_ns)
            raise
        if registers:
            self._registrations_late = 0
        received_ns = self.clock.now_ns()
        date_ns = self.session.time.note(reply, sent_ns)
        refusal = None if 200 <= reply.status < 300 else refusal_of(reply)
        if attempt is not None:
            attempt.came(reply.status, "" if refusal is None else refusal.code)
        if reply.status == 429 and refusal is not None:
            raise self._throttled(route, reply, refusal, left_ns)
        self._breakers.answered(route.name, refusal, left_ns)
        if refusal is None:
            if route.old_words:
                reply = _in_newer_words(reply)
            return Answer(reply, None, sent_ns, received_ns, date_ns)
        if 300 <= reply.status < 400:
            raise ReplyLost(f"{route.name}: redirected ({reply.status})")
        refusal.tell(self.notices, route.name)
        return Answer(reply, refusal, sent_ns, received_ns, date_ns)

    def _timeout_s(self, route: Route) -> float:
        """How long to wait for an answer. A read that is given up leaves no doubt behind."""
        settings = self.settings
        if route is self.routes.register:
            patient_s = settings.register_first_timeout_s * 2.0 ** min(self._registrations_late, 6)
            return min(settings.register_timeout_s, patient_s)
        if route.method == "GET":
            return min(settings.read_timeout_s, settings.reply_timeout_s)
        return settings.reply_timeout_s

    async def _in_budget(
        self, cleared: Cleared, priority: Priority, route: Route, granted_ns: int
    ) -> str:
        """What is granted counts from now; a request that leaves much later needs it again."""
        reason = await cleared()
        if not reason and self.clock.now_ns() - granted_ns > GRANT_AGE_MAX_NS:
            await self._limiter.acquire(priority, route.name)
            reason = await cleared()
        return reason

    def _throttled(
        self, route: Route, reply: HttpReply, refusal: Refusal, left_ns: int
    ) -> Throttled:
        self.notices.count(f"refused:{refusal.code or 429}", route.name)
        asked_s = asked_wait_s(reply, refusal, self.session.exchange_now_ns())
        wait_s = self._breakers.throttled(route.name, refusal, asked_s, left_ns)
        return Throttled(f"{route.name}: 429 {refusal.code}", wait_s)


def _in_newer_words(reply: HttpReply) -> HttpReply:
    """A body that is no JSON stays as it is: its reader says so."""
    with suppress(Unreadable):
        return replace(reply, body=newer(reply.body))
    return reply
