"""Secrets of a day, and every way in which one may get into a text."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from urllib.parse import quote

import msgspec


def spellings(secret: str) -> Iterator[str]:
    """The ways in which a secret may get into a text."""
    raw = secret.encode()
    forms = (secret, quote(secret, safe=""), base64.b64encode(raw).decode().rstrip("="), raw.hex())
    yield from dict.fromkeys(forms)


def tokens(body: bytes) -> Iterator[tuple[str, str]]:
    try:
        found = msgspec.json.decode(body)
    except ValueError:
        return
    data = found.get("data") if isinstance(found, dict) else None
    for name in ("access_token", "refresh_token"):
        token = data.get(name) if isinstance(data, dict) else None
        if isinstance(token, str) and token:
            yield name, token
