"""Log-in, tokens and the request rate of each account."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import deque
from dataclasses import dataclass
from random import Random

import msgspec

from mmbot.sim.lifecycle import NS
from mmbot.sim.orders import Account, Refusal
from mmbot.sim.scenario import SessionRules

UNAUTHORIZED = Refusal(401, "unauthorized", "Unauthorized")


@dataclass(slots=True)
class Session:
    account: Account
    refresh_token: str
    refresh_expires_ns: int


class Sessions:
    """Issues tokens, answers whose token it is, and counts requests."""

    def __init__(self, rules: SessionRules, rng: Random) -> None:
        self._rules = rules
        self._secret = rng.randbytes(32)
        self._count = 0
        self._accounts: dict[str, Account] = {}
        self._access: dict[str, tuple[Account, int]] = {}
        self._sessions: dict[str, Session] = {}
        self._recent: dict[str, deque[int]] = {}

    def know(self, account: Account) -> None:
        self._accounts[account.access_key] = account
        self._recent[account.user_id] = deque()

    def by_key(self, access_key: str) -> Account | None:
        return self._accounts.get(access_key)

    def login(self, access_key: str, secret_key: str, now_ns: int) -> dict[str, object] | Refusal:
        account = self._accounts.get(access_key)
        if account is None or not hmac.compare_digest(
            account.secret_key.encode(), secret_key.encode()
        ):
            return UNAUTHORIZED
        self._drop_expired(now_ns)
        held = sum(1 for one in self._sessions.values() if one.account is account)
        if held >= self._rules.sessions_max:
            return Refusal(403, "session_num_exceed", "too many sessions")
        refresh_expires = now_ns + self._rules.refresh_life_s * NS
        refresh = self._token(account, "refresh", refresh_expires)
        self._sessions[refresh] = Session(account, refresh, refresh_expires)
        return self._access_fields(account, now_ns) | {
            "refresh_token": refresh,
            "refresh_expire_time": refresh_expires // NS,
        }

    def refresh(self, refresh_token: str, now_ns: int) -> dict[str, object] | Refusal:
        session = self._sessions.get(refresh_token)
        if session is None or session.refresh_expires_ns <= now_ns:
            return UNAUTHORIZED
        return self._access_fields(session.account, now_ns)

    def owner(self, authorization: str, now_ns: int) -> tuple[Account | None, bool]:
        """The account of a bearer header, and whether the token is still good."""
        token = authorization.removeprefix("Bearer ")
        found = self._access.get(token)
        if found is None or token == authorization:
            return None, False
        account, expires_ns = found
        return account, expires_ns > now_ns

    def admit(self, account: Account, now_ns: int) -> Refusal | None:
        """Count one request; refuse it when the last second is full."""
        recent = self._recent[account.user_id]
        while recent and recent[0] <= now_ns - NS:
            recent.popleft()
        if len(recent) >= self._rules.requests_per_second_max:
            return Refusal(
                429,
                "rate_limit_reached",
                f"{self._rules.requests_per_second_max} requests per second",
            )
        recent.append(now_ns)
        return None

    def next_allowed_ns(self, account: Account, now_ns: int) -> int:
        recent = self._recent[account.user_id]
        return recent[0] + NS if recent else now_ns

    def _access_fields(self, account: Account, now_ns: int) -> dict[str, object]:
        expires = now_ns + self._rules.access_life_s * NS
        token = self._token(account, "access", expires)
        self._access[token] = (account, expires)
        return {"access_token": token, "access_expire_time": expires // NS}

    def _token(self, account: Account, kind: str, expires_ns: int) -> str:
        self._count += 1
        claims = {"partnerID": account.user_id, "typ": kind, "n": self._count, "exp": expires_ns}
        head = _base64(b'{"alg":"HS256","typ":"JWT"}')
        body = _base64(msgspec.json.encode(claims))
        signature = hmac.new(self._secret, f"{head}.{body}".encode(), hashlib.sha256).digest()
        return f"{head}.{body}.{_base64(signature)}"

    def _drop_expired(self, now_ns: int) -> None:
        self._access = {token: found for token, found in self._access.items() if found[1] > now_ns}
        self._sessions = {
            token: one for token, one in self._sessions.items() if one.refresh_expires_ns > now_ns
        }


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
