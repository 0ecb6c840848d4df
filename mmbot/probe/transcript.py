"""Every answer as it came, without what is secret: the raw material of the findings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

SECRET_KEYS: Final = frozenset(
    {"access_token", "refresh_token", "access_key", "secret_key", "auth", "authorization"}
)
HEADERS_KEPT: Final = frozenset({"date", "retry-after", "content-type", "server"})
TEXT_CHARS_MAX: Final = 300
HIDDEN: Final = "***"


class Transcript:
    """Lines of JSON. `secrets` are hidden wherever they stand, also inside other texts."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = {secret for secret in secrets if secret}
        self._lines: list[str] = []

    def write(self, kind: str, at_ns: int, **what: Any) -> None:
        line = msgspec.json.encode({"kind": kind, "at_ns": at_ns, **self._without(what)}).decode()
        for secret in self._secrets:
            line = line.replace(secret, HIDDEN)
        self._lines.append(line)

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self._lines)

    def _without(self, found: Any) -> Any:
        """The same value without what its keys call secret; such values are remembered, too."""
        if isinstance(found, dict):
            kept = {}
            for key, value in found.items():
                if str(key).lower() in SECRET_KEYS and value:
                    if isinstance(value, str):
                        self._secrets.add(value)
                    kept[key] = HIDDEN
                else:
                    kept[key] = self._without(value)
            return kept
        if isinstance(found, (list, tuple)):
            return [self._without(one) for one in found]
        return found


def readable(body: bytes) -> Any:
    """JSON as values, anything else as a short text, nothing as None."""
    if not body:
        return None
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body[:TEXT_CHARS_MAX].decode(errors="replace")
