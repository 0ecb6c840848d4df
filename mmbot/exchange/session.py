"""One session of the account: log in as rarely as possible, refresh early, never storm.

Sessions are 20 and each log-in burns one until it expires, so tokens outlive the process, a
refresh is tried first, and log-ins are at least `login_gap_s` apart even across restarts.

The exchange alone judges a token; our clock, which may be wrong, only suspects it. A token that
was not refused is used while no other can be had, and a cancel waits for no renewal at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from mmbot.domain.errors import FindOut, MmbotError, SetUpError, TryAgain
from mmbot.domain.events import Event, SessionStateChanged
from mmbot.exchange import codec
from mmbot.exchange.amounts import NS_PER_S
from mmbot.exchange.exchange_time import ExchangeTime
from mmbot.exchange.http import HttpPort, HttpReply, NotSent, ReplyLost
from mmbot.exchange.logins import LoginPace, LoginPaced, LoginRefused, SessionsExhausted
from mmbot.exchange.notices import Notices
from mmbot.exchange.refusals import refusal_of
from mmbot.exchange.routes import Route, Routes
from mmbot.exchange.tokens import (
    Credentials,
    TokenFile,
    Tokens,
    owner_of,
    tokens_of,
)
from mmbot.runtime.clock import Clock
from mmbot.runtime.limiter import Limiter, Priority

REFRESH_DEAD: Final = frozenset({400, 401, 403})
LOOK_AGAIN_S: Final = 10.0  # a clock that was set is noticed within this
LOGIN_SHARE: Final = 0.25  # of a short-lived token: a refresh that fails once is no reason
# Withdrawing quotes begins 20 s before the end (engine/modes.py): a refresh comes before that.
SUCCESSOR_LEFT_S: Final = 25.0


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
        self._due_ns = self._refresh_due_ns()
        self._pace = LoginPace(ports.clock, settings.login_gap_s, saved.login)
        self._refused = ""  # the token that the exchange would not take
        self._renewed_ns: int | None = None  # tried last, monotonic as all paces are
        self._refused_young = 0  # renewals in a row of tokens that should have lived
        self._lock = asyncio.Lock()
        self._group: asyncio.TaskGroup | None = None  # of the service
        self._changed = asyncio.Event()
        self._announced_ns = -1
        self.time = ExchangeTime(ports.clock)
        self.logins = 0
        self.refreshes = 0

    @property
    def usable_until_ns(self) -> int:
        return self._tokens.access_until_ns if self._tokens.access else 0

    def exchange_now_ns(self) -> int:
        return self.time.now_ns()

    @property
    def clock_offset_ns(self) -> int:
        """Exchange time minus ours."""
        return self.time.offset_ns

    async def token(self, urgent: bool = False) -> str:
        """A token to use now; logs in when there is none. Raises TryAgain, FindOut or SetUpError.

        `urgent` takes what there is, out of date by our clock or not, unless it was refused.
        """
        held = self._tokens.access
        if held and self._clock.now_ns() < self._tokens.access_until_ns:
            return held
        if urgent and self._may_live(held):
            return held
        try:
            return await self.renewed(held)
        except (TryAgain, FindOut):
            if self._may_live(held):
                return held
            raise

    def _may_live(self, token: str) -> bool:
        return bool(token) and token != self._refused

    def newest(self, token: str) -> str:
        """What has taken the place of `token` while a request waited for its turn."""
        return self._tokens.access or token

    def refused(self, token: str) -> None:
        """401: if our clock, too, says that this one is out of date, it is."""
        self._refused = token

    async def renewed(self, used: str) -> str:
        """Another token than `used`: one renewal at a time serves all who wait (single-flight).

        Raises TryAgain when the pace of renewals forbids another one now (faults: D4). Once the
        service runs, the end of a caller is not the end of its renewal: a log-in whose answer
        nobody waits for would have burned a session for nothing.
        """
        if self._group is None:
            return await self._renewed(used)
        renewal = self._group.create_task(self._outcome(used))
        await asyncio.wait({renewal})
        outcome = TryAgain("the session ends") if renewal.cancelled() else renewal.result()
        if isinstance(outcome, MmbotError):
            raise outcome
        return outcome

    async def _outcome(self, used: str) -> str | MmbotError:
        """As a value: an error must not end the group of the service."""
        try:
            return await self._renewed(used)
        except MmbotError as error:
            return error

    async def _renewed(self, used: str) -> str:
        async with self._lock:
            if self._tokens.access != used and self._tokens.access:
                return self._tokens.access
            now_ns, last_ns = self._clock.monotonic_ns(), self._renewed_ns
            wait_s = 0.0 if last_ns is None else (last_ns - now_ns) / NS_PER_S + self._gap_s()
            if wait_s > 0:
                raise TryAgain("new tokens are refused or not to be had; waiting", wait_s)
            self._refused_young = min(self._refused_young + 1, 10) if self._young else 0
            self._renewed_ns = now_ns
            await self._renew()
            return self._tokens.access

    @property
    def _young(self) -> bool:
        return bool(self._tokens.access) and self._until_refresh_s() > 0

    def _gap_s(self) -> float:
        """A token that is refused while it should live makes the next renewal wait longer."""
        settings = self._settings
        if not self._young:
            return settings.refresh_gap_s
        return min(settings.refresh_gap_max_s, settings.refresh_gap_s * 2.0**self._refused_young)

    async def run(self, emit: Callable[[Event], None]) -> None:
        """Service: keep a usable token for ever, and say until when the present one lives."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                await self._keep_usable(emit)
            finally:
                self._group = None

    async def _keep_usable(self, emit: Callable[[Event], None]) -> None:
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
            await self._sleep_or_change(min(wait_s, LOOK_AGAIN_S))

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
        return max(0, self._due_ns - self._clock.now_ns()) / NS_PER_S

    def _refresh_due_ns(self) -> int:
        """When to replace the present token, drawn once for each; 0 when there is none."""
        tokens, s = self._tokens, self._settings
        # One from the future was made by a clock that was set back: its end means nothing.
        if not tokens.access or tokens.refreshed_ns > self._clock.now_ns():
            return 0
        life_s = self._life_s
        due_s = min(s.refresh_after_s, life_s * s.refresh_share, life_s - SUCCESSOR_LEFT_S)
        jitter_s = min(s.refresh_jitter_s, due_s * 0.1) * self._draw()
        return tokens.refreshed_ns + round(max(0.0, due_s - jitter_s) * NS_PER_S)

    @property
    def _life_s(self) -> float:
        return (self._tokens.access_until_ns - self._tokens.refreshed_ns) / NS_PER_S

    async def _renew(self) -> None:
        tokens, failure = self._tokens, "there is no refresh token"
        if tokens.refresh:  # its own end is the exchange's to tell: a refusal costs nothing
            try:
                reply = await self._post(
                    self._routes.refresh, codec.refresh_body(tokens.refresh), tokens.access
                )
                if reply.status == 200:
                    self._take(reply, tokens)
                    self.refreshes += 1
                    return
                dead, failure = reply.status in REFRESH_DEAD, refusal_of(reply).text
            except (NotSent, ReplyLost) as error:
                dead, failure = False, str(error)
            left_s = (tokens.access_until_ns - self._clock.now_ns()) / NS_PER_S
            enough_s = min(self._settings.login_when_left_s, self._life_s * LOGIN_SHARE)
            # Refused before its time, and the refresh was down before: it has no life left.
            ended = tokens.access == self._refused and self._refused_young > 1
            if not dead and not ended and left_s >= enough_s:
                raise TryAgain(f"the token could not be refreshed: {failure}")
        await self._log_in(failure)

    async def _log_in(self, why: str) -> None:
        if wait_s := self._pace.wait_s:
            raise LoginPaced(f"the next log-in may be tried in {wait_s:.0f} s ({why})", wait_s)
        keys = self._settings.credentials
        body = codec.login_body(keys.access_key, keys.secret_key)
        left = True
        await self._turn(self._routes.login)
        self._pace.tried()
        self._keep()
        try:
            reply = await self._send(self._routes.login, body, "")
        except NotSent:
            left = False
            raise
        finally:
            # Once more: the exchange may have got it at any moment until now.
            self._pace.tried() if left else self._pace.unsent()
            self._keep()
        if reply.status != 200:
            self._raise_login(reply)
        self._take(reply, Tokens())
        self._pace.succeeded()
        self.logins += 1

    def _raise_login(self, reply: HttpReply) -> NoReturn:
        refusal = refusal_of(reply)
        if refusal.code == "session_num_exceed":
            wait_s = self._pace.account_full()
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
            self._pace.unsent()
            self._keep()
            raise LoginRefused(f"{text}; check the access key, the secret key and the base URL")
        raise TryAgain(f"log-in answered {reply.status} {refusal.text}")

    async def _post(self, route: Route, body: bytes, bearer: str) -> HttpReply:
        await self._turn(route)
        return await self._send(route, body, bearer)

    async def _turn(self, route: Route) -> None:
        """Wait for the rate budget as a cancel does: without a token no cancel leaves."""
        await self._limiter.acquire(Priority.SESSION, route.name)

    async def _send(self, route: Route, body: bytes, bearer: str) -> HttpReply:
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        sent_ns = self._clock.now_ns()
        reply = await self._http.request(
            route.method, route.path, headers, body, self._settings.reply_timeout_s
        )
        self.time.note(reply, sent_ns)
        return reply

    def _take(self, reply: HttpReply, former: Tokens) -> None:
        """ReplyLost when a 200 cannot be read: a token may have been made."""
        self._tokens, sure = tokens_of(
            reply.body, former, self._clock.now_ns(), self.clock_offset_ns
        )
        if not sure:
            self._notices.count("access_expiry_unusable")
        self._due_ns = self._refresh_due_ns()
        self._keep()
        self._changed.set()

    def _keep(self) -> None:
        try:
            self._file.save(self._tokens, self._pace.last)
        except SetUpError as error:
            if not self._tokens.access:
                raise
            # We had good tokens and orders rest: a full disk costs the next start a log-in.
            self._notices.alarm("session_not_kept", str(error))
