"""Log-in, tokens, key pairs and the request rate of each account."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import deque
from dataclasses import dataclass
from random import Random
from typing import Final

import msgspec

from mmbot.sim.core.lifecycle import NS
from mmbot.sim.core.orders import Account, Refusal
from mmbot.sim.dialects.errors import refusal
from mmbot.sim.rules import SessionRules

UNAUTHORIZED = refusal("unauthorized")
# A client that refreshes in a loop may not fill the memory; the oldest tokens die first.
ACCESS_TOKENS_MAX = 10_000
_UNIT_NS: Final = {"s": NS, "ms": 1_000_000, "us": 1_000, "ns": 1}


@dataclass(slots=True)
class Session:
    account: Account
    refresh_token: str
    refresh_expires_ns: int
    access_expires_ns: int


class Sessions:
    """Issues tokens, answers whose token it is, and counts requests."""

    def __init__(self, rules: SessionRules, rng: Random) -> None:
        self._rules = rules
        self._rng = rng
        self._secret = rng.randbytes(32)
        self._count = 0
        self._keys: dict[str, tuple[Account, str]] = {}
        self._access: dict[str, tuple[Account, int]] = {}
        self._sessions: dict[str, Session] = {}
        self._recent: dict[str, deque[int]] = {}
        self._suspended: set[str] = set()
        self._walletless: set[str] = set()

    def use(self, rules: SessionRules) -> None:
        """Other rules from now on; tokens that were issued keep their life."""
        self._rules = rules

    # -- accounts -------------------------------------------------------------------------

    def know(self, account: Account) -> None:
        self._keys[account.access_key] = account, account.secret_key
        self._recent[account.user_id] = deque()

    def by_key(self, access_key: str) -> Account | None:
        found = self._keys.get(access_key)
        return None if found is None else found[0]

    def suspend(self, account: Account, on: bool) -> None:
        """A suspended account still logs in, reads and cancels; it places nothing."""
        (self._suspended.add if on else self._suspended.discard)(account.user_id)

    def suspended(self, account: Account) -> bool:
        return account.user_id in self._suspended

    def take_wallet(self, account: Account) -> None:
        self._walletless.add(account.user_id)

    def without_wallet(self, account: Account) -> bool:
        return account.user_id in self._walletless

    def web_token(self, account: Account) -> str:
        """What the account's owner has in the browser: good for making key pairs only."""
        text = hmac.new(self._secret, account.user_id.encode(), hashlib.sha256).hexdigest()
        return f"web-{text}"

    def new_keys(self, authorization: str) -> dict[str, object] | Refusal:
        """One more key pair for the owner of a web token."""
        token = authorization.removeprefix("Bearer ")
        owners = {account.user_id: account for account, _ in self._keys.values()}
        account = next((a for a in owners.values() if self._is_web_token(a, token)), None)
        if account is None:
            return UNAUTHORIZED
        held = sum(1 for owner, _ in self._keys.values() if owner is account)
        if held >= self._rules.keys_max:
            return refusal("keypair_num_exceed")
        access_key, secret_key = self._rng.randbytes(16).hex(), self._rng.randbytes(16).hex()
        self._keys[access_key] = account, secret_key
        return {"access_key": access_key, "secret_key": secret_key}

    def _is_web_token(self, account: Account, token: str) -> bool:
        return _same(self.web_token(account), token)

    # -- sessions -------------------------------------------------------------------------

    def login(self, access_key: str, secret_key: str, now_ns: int) -> dict[str, object] | Refusal:
        account, secret = self._keys.get(access_key, (None, ""))
        if account is None or not _same(secret, secret_key):
            return UNAUTHORIZED
        self._end_expired(now_ns)
        held = [one for one in self._sessions.values() if one.account is account]
        if self._rules.counted_until == "access_expiry":
            held = [one for one in held if one.access_expires_ns > now_ns]
        if len(held) >= self._rules.sessions_max:
            return refusal("session_num_exceed")
        return self._access_fields(account, now_ns) | self._refresh_fields(account, now_ns)

    def refresh(self, refresh_token: str, now_ns: int) -> dict[str, object] | Refusal:
        session = self._sessions.get(refresh_token)
        if session is None or session.refresh_expires_ns <= now_ns:
            return UNAUTHORIZED
        fields = self._access_fields(session.account, now_ns)
        if not self._rules.refresh_rotates:
            session.access_expires_ns = now_ns + self._rules.access_life_s * NS
            return fields
        del self._sessions[refresh_token]
        return fields | self._refresh_fields(session.account, now_ns)

    def owner(self, authorization: str, now_ns: int) -> tuple[Account | None, bool]:
        """The account of a bearer header, and whether the token is still good."""
        token = authorization.removeprefix("Bearer ")
        found = self._access.get(token)
        if found is None or token == authorization:
            return None, False
        account, expires_ns = found
        return account, expires_ns > now_ns

    def expire_access(self, account: Account, now_ns: int) -> int:
        """Every access token of the account dies now; refresh tokens stay. How many died."""
        alive = [t for t, (a, at) in self._access.items() if a is account and at > now_ns]
        for token in alive:
            self._access[token] = account, now_ns
        return len(alive)

    def end_sessions(self, account: Account, now_ns: int) -> int:
        """All sessions of the account end; only a log-in helps. How many ended."""
        self.expire_access(account, now_ns)
        held = [token for token, one in self._sessions.items() if one.account is account]
        for token in held:
            del self._sessions[token]
        return len(held)

    # -- the rate -------------------------------------------------------------------------

    def admit(self, account: Account, now_ns: int) -> Refusal | None:
        """Count one request; refuse it when the last second is full."""
        recent = self._recent[account.user_id]
        while recent and recent[0] <= now_ns - NS:
            recent.popleft()
        limit = self._rules.requests_per_second_max
        if len(recent) >= limit:
            return refusal("rate_limit_reached", f"{limit} requests per second")
        recent.append(now_ns)
        return None

    def next_allowed_ns(self, account: Account, now_ns: int) -> int:
        recent = self._recent[account.user_id]
        return recent[0] + NS if recent else now_ns

    # -- tokens ---------------------------------------------------------------------------

    def _access_fields(self, account: Account, now_ns: int) -> dict[str, object]:
        expires = now_ns + self._rules.access_life_s * NS
        token = self._token(account, "access", expires)
        self._access[token] = (account, expires)
        self._drop_expired(now_ns)
        return {"access_token": token, "access_expire_time": self._expiry(expires, now_ns)}

    def _refresh_fields(self, account: Account, now_ns: int) -> dict[str, object]:
        expires = now_ns + self._rules.refresh_life_s * NS
        token = self._token(account, "refresh", expires)
        access_expires = now_ns + self._rules.access_life_s * NS
        self._sessions[token] = Session(account, token, expires, access_expires)
        return {"refresh_token": token, "refresh_expire_time": self._expiry(expires, now_ns)}

    def _expiry(self, expires_ns: int, now_ns: int) -> int:
        """The unit is not documented; clients met all of these."""
        unit = self._rules.expiry_unit
        if unit == "relative":
            return (expires_ns - now_ns) // NS
        return expires_ns // _UNIT_NS[unit]

    def _token(self, account: Account, kind: str, expires_ns: int) -> str:
        self._count += 1
        claims = {"partnerID": account.user_id, "typ": kind, "n": self._count, "exp": expires_ns}
        head = _base64(b'{"alg":"HS256","typ":"JWT"}')
        body = _base64(msgspec.json.encode(claims))
        signature = hmac.new(self._secret, f"{head}.{body}".encode(), hashlib.sha256).digest()
        return f"{head}.{body}.{_base64(signature)}"

    def _drop_expired(self, now_ns: int) -> None:
        """Forget old tokens, the oldest first; who asks often pays for his own only."""
        # what expired within the last lifetime is kept: its owner is still told apart
        old = now_ns - self._rules.access_life_s * NS
        while self._access:
            token = next(iter(self._access))
            if self._access[token][1] > old and len(self._access) <= ACCESS_TOKENS_MAX:
                return
            del self._access[token]

    def _end_expired(self, now_ns: int) -> None:
        expired = [t for t, one in self._sessions.items() if one.refresh_expires_ns <= now_ns]
        for token in expired:
            del self._sessions[token]


def _same(secret: str, given: str) -> bool:
    # a header may hold bytes that are no text
    return hmac.compare_digest(secret.encode(), given.encode("utf-8", "replace"))


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
