"""One session of the account: log in as rarely as possible, refresh early, never storm.

Sessions are 20 and each log-in burns one until it expires, so tokens outlive the process, a
refresh is tried first, and log-ins are at least `login_gap_s` apart even across restarts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mmbot.domain.errors import FindOut, SetUpError, TryAgain
from mmbot.domain.events import Event, SessionStateChanged
from mmbot.exchange import codec, wire
from mmbot.exchange.amounts import NS_PER_S, http_date_ns
from mmbot.exchange.http import HttpPort, HttpReply, NotSent, ReplyLost
from mmbot.exchange.notices import Notices
from mmbot.exchange.refusals import refusal_of
from mmbot.exchange.routes import Route, Routes
from mmbot.exchange.tokens import (
    ACCESS_LIFE_MAX_S,
    REFRESH_LIFE_MAX_S,
    Credentials,
    TokenFile,
    Tokens,
    owner_of,
    until_ns,
)
from mmbot.runtime.clock import Clock
from mmbot.runtime.limiter import Limiter, Priority

REFRESH_DEAD: Final = frozenset({400, 401, 403})
OFFSET_MAX_NS: Final = 10**18
QUICK_REPLY_NS: Final = NS_PER_S


class LoginRefused(SetUpError):
    """The exchange does not know these keys."""


class LoginPaced(TryAgain):
    """Too soon after the last log-in: nothing was asked, and waiting is all there is to do."""


class SessionsExhausted(TryAgain):
    """403 session_num_exceed: another log-in would make it worse (faults: D5)."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    base_url: str
    credentials: Credentials
    state_file: Path | None = None
    refresh_after_s: float = 480.0
    refresh_share: float = 0.6  # of the token's life, when that is sooner
    refresh_jitter_s: float = 20.0
    refresh_gap_s: float = 5.0  # a fresh token that is refused is not refreshed again at once
    refresh_gap_max_s: float = 60.0
    login_gap_s: float = 120.0
    login_when_left_s: float = 60.0
    sessions_exhausted_wait_s: float = 600.0
    reply_timeout_s: float = 15.0


@dataclass(frozen=True, slots=True)
class SessionPorts:
    http: HttpPort
    limiter: Limiter
    clock: Clock
    notices: Notices
    routes: Routes
    draw: Callable[[], float]  # 0..1, from the process's own generator


class Session:
    """`token()` for a request, `renewed(used)` after a 401, `run(emit)` as a service."""

    def __init__(self, settings: SessionSettings, ports: SessionPorts) -> None:
        self._settings = settings
        self._http = ports.http
        self._limiter = ports.limiter
        self._clock = ports.clock
        self._notices = ports.notices
        self._routes = ports.routes
        self._draw = ports.draw
        self._file = TokenFile(
            settings.state_file, owner_of(settings.base_url, settings.credentials)
        )
        saved = self._file.load()
        self._tokens: Tokens = saved.tokens
        self._login_tried_ns = saved.login_tried_ns
        self._login_not_before_ns = 0
        self._renewal_tried_ns = 0
        self._refused_young = 0  # renewals in a row of tokens that should have lived
        self._lock = asyncio.Lock()
        self._changed = asyncio.Event()
        self._announced_ns = -1
        self._dated = False  # a quick reply has told the exchange's time
        self.clock_offset_ns = 0  # exchange time minus ours, from Date headers
        self.logins = 0
        self.refreshes = 0

    @property
    def usable_until_ns(self) -> int:
        return self._tokens.access_until_ns if self._tokens.access else 0

    def exchange_now_ns(self) -> int:
        return self._clock.now_ns() + self.clock_offset_ns

    def note_date(self, reply: HttpReply, sent_ns: int) -> int | None:
        """Take the exchange's time from a reply; its Date has whole seconds.

        A reply may have been under way for seconds: slow ones count only until a quick one came.
        """
        date_ns = http_date_ns(reply.headers.get("date"))
        quick = self._clock.now_ns() - sent_ns <= QUICK_REPLY_NS
        if date_ns is not None and (quick or not self._dated):
            self._dated = quick
            offset_ns = date_ns + NS_PER_S // 2 - self._clock.now_ns()
            if abs(offset_ns) < OFFSET_MAX_NS:
                # Within the second that Date hides there is nothing to correct.
                self.clock_offset_ns = 0 if abs(offset_ns) <= NS_PER_S else offset_ns
        return date_ns

    async def token(self) -> str:
        """A token to use now; logs in when there is none. Raises TryAgain or SetUpError."""
        if self._tokens.access and self._clock.now_ns() < self._tokens.access_until_ns:
            return self._tokens.access
        return await self.renewed(self._tokens.access)

    async def renewed(self, used: str) -> str:
        """Another token than `used`: one renewal at a time serves all who wait (single-flight).

        Raises TryAgain when the pace of renewals forbids another one now (faults: D4).
        """
        async with self._lock:
            if self._tokens.access != used and self._tokens.access:
                return self._tokens.access
            now_ns = self._clock.now_ns()
            wait_s = (self._renewal_tried_ns - now_ns) / NS_PER_S + self._gap_s(now_ns)
            if wait_s > 0:
                raise TryAgain("new tokens are refused or not to be had; waiting", wait_s)
            await self._renew(now_ns)
            return self._tokens.access

    def _gap_s(self, now_ns: int) -> float:
        """A token that is refused while it should live makes the next renewal wait longer."""
        settings = self._settings
        if now_ns < self._tokens.access_until_ns and self._until_refresh_s() > 0:
            return min(
                settings.refresh_gap_max_s, settings.refresh_gap_s * 2.0**self._refused_young
            )
        return settings.refresh_gap_s

    async def run(self, emit: Callable[[Event], None]) -> None:
        """Service: keep a usable token for ever, and say until when the present one lives."""
        failures = 0
        while True:
            try:
                await self._keep_fresh()
                failures = 0
            except (TryAgain, FindOut) as error:
                failures += 1
                self._notices.count("session_renewal_failed", str(error))
                if failures == 3:
                    self._notices.alarm("session_renewal_failed", str(error))
            self._announce(emit)
            wait_s = self._until_refresh_s() if not failures else min(10.0, 2.0**failures)
            await self._sleep_or_change(wait_s)

    async def _keep_fresh(self) -> None:
        if self._until_refresh_s() <= 0:
            used = self._tokens.access
            await self.renewed(used)

    async def _sleep_or_change(self, seconds: float) -> None:
        """Sleep, but wake up when another task renewed the token meanwhile."""
        self._changed.clear()
        try:
            async with asyncio.timeout(max(0.05, seconds)):
                await self._changed.wait()
        except TimeoutError:
            pass

    def _announce(self, emit: Callable[[Event], None]) -> None:
        if self.usable_until_ns != self._announced_ns:
            self._announced_ns = self.usable_until_ns
            emit(SessionStateChanged(self.usable_until_ns))

    def _until_refresh_s(self) -> float:
        """Seconds until the present token should be replaced; 0 when there is none."""
        tokens, s = self._tokens, self._settings
        if not tokens.access:
            return 0.0
        life_s = (tokens.access_until_ns - tokens.refreshed_ns) / NS_PER_S
        age_s = (self._clock.now_ns() - tokens.refreshed_ns) / NS_PER_S
        due_s = min(s.refresh_after_s, life_s * s.refresh_share)
        jitter_s = min(s.refresh_jitter_s, due_s * 0.1) * self._draw()
        return max(0.0, due_s - jitter_s - age_s)

    async def _renew(self, now_ns: int) -> None:
        young = self._until_refresh_s() > 0 and bool(self._tokens.access)
        self._refused_young = min(self._refused_young + 1, 10) if young else 0
        self._renewal_tried_ns = now_ns
        tokens, failure = self._tokens, "there is no refresh token"
        if tokens.refresh and now_ns < tokens.refresh_until_ns:
            try:
                reply = await self._post(
                    self._routes.refresh, codec.refresh_body(tokens.refresh), tokens.access
                )
                if reply.status == 200:
                    self.refreshes += 1
                    self._take(reply, tokens)
                    return
                dead, failure = reply.status in REFRESH_DEAD, refusal_of(reply).text
            except (NotSent, ReplyLost) as error:
                dead, failure = False, str(error)
            left_s = (tokens.access_until_ns - self._clock.now_ns()) / NS_PER_S
            if not dead and left_s >= self._settings.login_when_left_s:
                raise TryAgain(f"the token could not be refreshed: {failure}")
        await self._log_in(failure)

    async def _log_in(self, why: str) -> None:
        now_ns = self._clock.now_ns()
        gap_ns = round(self._settings.login_gap_s * NS_PER_S)
        # A time stamp from the future is a clock that was set back, not a log-in of ours.
        tried_ns = self._login_tried_ns if self._login_tried_ns <= now_ns else 0
        earliest_ns = max(tried_ns + gap_ns if tried_ns else 0, self._login_not_before_ns)
        if now_ns < earliest_ns:
            wait_s = (earliest_ns - now_ns) / NS_PER_S
            raise LoginPaced(f"the next log-in may be tried in {wait_s:.0f} s ({why})", wait_s)
        self._login_tried_ns = now_ns
        self._keep(now_ns)
        keys = self._settings.credentials
        body = codec.login_body(keys.access_key, keys.secret_key)
        try:
            reply = await self._post(self._routes.login, body, "")
        except NotSent:
            self._login_tried_ns = tried_ns  # what never left burned no session
            self._keep(tried_ns)
            raise
        if reply.status == 200:
            self.logins += 1
            self._take(reply, Tokens())
            return
        self._raise_login(reply)

    def _raise_login(self, reply: HttpReply) -> None:
        refusal = refusal_of(reply)
        if refusal.code == "session_num_exceed":
            wait_s = self._settings.sessions_exhausted_wait_s
            self._login_not_before_ns = self._clock.now_ns() + round(wait_s * NS_PER_S)
            self._notices.alarm(
                "session_num_exceed", f"the account has 20 sessions; next log-in in {wait_s:.0f} s"
            )
            raise SessionsExhausted("the account has 20 sessions already", wait_s)
        if reply.status in {400, 401, 403, 404}:
            text = f"the exchange refused the log-in ({reply.status} {refusal.text})"
            if self.logins or self._tokens.refresh:
                # It worked before: the keys are right, so a person is told and we keep trying.
                self._notices.alarm("login_refused", text)
                raise TryAgain(text, self._settings.login_gap_s)
            # A refused log-in burns no session: the corrected secret may be tried at once.
            self._file.save(self._tokens, 0)
            raise LoginRefused(f"{text}; check the access key, the secret key and the base URL")
        raise TryAgain(f"log-in answered {reply.status} {refusal.text}")

    async def _post(self, route: Route, body: bytes, bearer: str) -> HttpReply:
        await self._limiter.acquire(Priority.DOUBT, route.name)
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        sent_ns = self._clock.now_ns()
        reply = await self._http.request(
            route.method, route.path, headers, body, self._settings.reply_timeout_s
        )
        self.note_date(reply, sent_ns)
        return reply

    def _take(self, reply: HttpReply, former: Tokens) -> None:
        """ReplyLost when a 200 cannot be read: a token may have been made."""
        try:
            answer = wire.unwrap(reply.body, wire.Tokens)
        except wire.Unreadable as error:
            raise ReplyLost(f"the session's answer cannot be read: {error}") from None
        if not answer.access_token:
            raise ReplyLost("the session's answer has no access token")
        now_ns, exchange_ns = self._clock.now_ns(), self.exchange_now_ns()
        access_end_ns, sure = until_ns(answer.access_expire_time, exchange_ns, ACCESS_LIFE_MAX_S)
        if not sure:
            self._notices.count("access_expiry_unusable")
        refresh, refresh_until_ns = former.refresh, former.refresh_until_ns
        if answer.refresh_token:
            end_ns, sure = until_ns(answer.refresh_expire_time, exchange_ns, REFRESH_LIFE_MAX_S)
            lasting_ns = exchange_ns + REFRESH_LIFE_MAX_S * NS_PER_S
            # A doubtful end of a refresh token costs one refused refresh at worst.
            refresh = answer.refresh_token
            refresh_until_ns = (end_ns if sure else lasting_ns) - self.clock_offset_ns
        self._tokens = Tokens(
            answer.access_token,
            access_end_ns - self.clock_offset_ns,
            now_ns,
            refresh,
            refresh_until_ns,
        )
        self._keep(self._login_tried_ns)
        self._changed.set()

    def _keep(self, tried_ns: int) -> None:
        try:
            self._file.save(self._tokens, tried_ns)
        except SetUpError as error:
            if not self._tokens.access:
                raise
            # We had good tokens and orders rest: a full disk costs the next start a log-in.
            self._notices.alarm("session_not_kept", str(error))
