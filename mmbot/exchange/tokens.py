"""Tokens, how long to trust them, and the file that keeps them between runs."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from mmbot.domain.errors import SetUpError
from mmbot.exchange import wire
from mmbot.exchange.amounts import NS_PER_S, epoch_ns
from mmbot.exchange.http import ReplyLost

ACCESS_LIFE_MAX_S: Final = 20 * 60
RELATIVE_MAX_S: Final = 86_400
# An expiry that has already passed says nothing: try the token, and renew it soon (faults: D1).
DOUBTFUL_LIFE_S: Final = 60


@dataclass(frozen=True, slots=True)
class Credentials:
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)


class Tokens(msgspec.Struct, frozen=True):
    """Times are our clock's. Never printed: `repr` shows only when they end."""

    access: str = ""
    access_until_ns: int = 0
    refreshed_ns: int = 0
    refresh: str = ""

    def __repr__(self) -> str:
        return f"Tokens(access_until_ns={self.access_until_ns})"


class Tried(msgspec.Struct, frozen=True):
    """When a log-in was tried last, by our wall clock and by the machine's count; 0 = never."""

    wall_ns: int = 0
    counted_ns: int = 0


class Saved(msgspec.Struct, frozen=True):
    """`owner` ties tokens to one account at one exchange; `login` outlives a crash."""

    owner: str = ""
    tokens: Tokens = Tokens()
    login: Tried = Tried()

    def __repr__(self) -> str:
        return f"Saved(login={self.login})"


def until_ns(given: Decimal | None, now_ns: int, life_max_s: int) -> tuple[int, bool]:
    """(end by the clock of `now_ns`, whether `given` made sense), at most `life_max_s` ahead.

    `now_ns` is the exchange's time: `given` is stated in it.
    """
    latest_ns = now_ns + life_max_s * NS_PER_S
    if given is None or not given.is_finite() or given <= 0:
        return min(latest_ns, now_ns + DOUBTFUL_LIFE_S * NS_PER_S), False
    if given <= RELATIVE_MAX_S:
        return min(latest_ns, now_ns + int(given * NS_PER_S)), True
    try:
        end_ns = epoch_ns(given)
    except ValueError:
        return now_ns + DOUBTFUL_LIFE_S * NS_PER_S, False
    if end_ns <= now_ns:
        return now_ns + DOUBTFUL_LIFE_S * NS_PER_S, False
    return min(latest_ns, end_ns), True


def tokens_of(body: bytes, former: Tokens, now_ns: int, offset_ns: int) -> tuple[Tokens, bool]:
    """(the tokens of a log-in or a refresh, whether their end made sense).

    `offset_ns` is exchange time minus ours. A refresh need not name a refresh token: the `former`
    one stays. ReplyLost when a 200 cannot be read: a token may have been made.
    """
    try:
        answer = wire.unwrap(body, wire.Tokens)
    except wire.Unreadable as error:
        raise ReplyLost(f"the session's answer cannot be read: {error}") from None
    if not answer.access_token:
        raise ReplyLost("the session's answer has no access token")
    end_ns, sure = until_ns(answer.access_expire_time, now_ns + offset_ns, ACCESS_LIFE_MAX_S)
    refresh = answer.refresh_token or former.refresh
    return Tokens(answer.access_token, end_ns - offset_ns, now_ns, refresh), sure


def owner_of(base_url: str, credentials: Credentials) -> str:
    """A fingerprint: tells accounts apart without telling the key."""
    text = f"{base_url}\n{credentials.access_key}".encode()
    return hashlib.sha256(text).hexdigest()[:24]


class TokenFile:
    """One small file, 0600, replaced as a whole. A `path` of None keeps nothing."""

    def __init__(self, path: Path | None, owner: str) -> None:
        self._path = path
        self._owner = owner

    def load(self) -> Saved:
        """What a former run left for this account; anything else counts as nothing."""
        if self._path is None:
            return Saved(self._owner)
        try:
            saved = msgspec.json.decode(self._path.read_bytes(), type=Saved)
        except FileNotFoundError:
            return Saved(self._owner)
        except (OSError, msgspec.DecodeError):
            return Saved(self._owner)
        return saved if saved.owner == self._owner else Saved(self._owner)

    def save(self, tokens: Tokens, login: Tried) -> None:
        """SetUpError when the folder cannot be written: every crash would cost a log-in."""
        if self._path is None:
            return
        body = msgspec.json.encode(Saved(self._owner, tokens, login))
        temporary = self._path.with_name(self._path.name + ".new")
        try:
            temporary.unlink(missing_ok=True)
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(body)
            temporary.replace(self._path)
        except OSError as error:
            raise SetUpError(
                f"the session cannot be kept in {self._path.parent}: {error.strerror}"
            ) from None
