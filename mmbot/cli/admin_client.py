"""Asks a running daemon through its admin port; plain blocking HTTP, no proxy, no event loop."""

from __future__ import annotations

import getpass
import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mmbot.domain.errors import Stop

if TYPE_CHECKING:
    from mmbot.config import Settings

ANSWER_TIMEOUT_S: Final = 5.0
ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024


class NoDaemon(Stop):
    """Nobody answers there."""


def admin_address(config: Path, address: str | None) -> str:
    """`http://host:port` of the daemon: given, or read from its configuration."""
    if address is not None:
        return address.rstrip("/")
    settings = settings_of(config)
    return f"http://{settings.admin.host}:{settings.admin.port}"


def settings_of(config: Path) -> Settings:
    """Asking a daemon needs no exchange keys; the file is read by the same strict rules."""
    from mmbot.config import load

    unused = {"MMBOT_ACCESS_KEY": "unused", "MMBOT_SECRET_KEY": "unused"}
    return load(config, {**unused, **os.environ})


def say(address: str, path: str, reason: str) -> None:
    """A person's word, with the name of who gave it."""
    ask(address, path, {"who": getpass.getuser(), "reason": reason})


def ask(address: str, path: str, say: dict[str, Any] | None = None) -> dict[str, Any]:
    """GET, or POST when there is something to say; raises Stop with one line."""
    body = None if say is None else json.dumps(say).encode()
    request = urllib.request.Request(f"{address}{path}", data=body)
    request.add_header("Content-Type", "application/json")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=ANSWER_TIMEOUT_S) as answer:
            text = answer.read(ANSWER_BYTES_MAX)
    except urllib.error.HTTPError as error:
        detail = error.read(500).decode(errors="replace").strip()
        raise Stop(f"the daemon at {address} refused {path}: {error.code} {detail}") from None
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise NoDaemon(f"no daemon answers at {address}: {reason}") from None
    try:
        found = json.loads(text or b"{}")
    except ValueError:
        raise Stop(f"{address}{path} did not answer with JSON") from None
    return found if isinstance(found, dict) else {"answer": found}
