"""What goes back over HTTP: JSON bodies, errors of the table, and the date of the box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from typing import Literal

import msgspec

from mmbot.sim.core.lifecycle import NS
from mmbot.sim.core.messages import Json
from mmbot.sim.core.orders import Refusal
from mmbot.sim.scenario import BoxOptions

Answer = Json | Refusal
NOT_FOUND = Refusal(404, "data_not_found", "no such route")


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back; a lost one never reaches the client although it may have had effect.

    One that hangs is lost without a word, one that trickles comes byte by byte.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    lost: bool = False
    hang: bool = False
    trickle: bool = False
    after_ns: int = 0


ErrorForm = Literal["text", "object", "number"]


def reply(answer: Answer, now_ns: int, *, lost: bool = False, form: ErrorForm = "text") -> Reply:
    status = 200
    if isinstance(answer, Refusal):
        status = answer.status
        answer = error_body(answer, form)
    return Reply(status, json_headers(now_ns), msgspec.json.encode(answer), lost)


def error_body(refusal: Refusal, form: ErrorForm) -> Json:
    """`error` was met as a code, as an object that holds it, and as a number."""
    if form == "object":
        return {"error": {"error_code": refusal.code, "message": refusal.message}}
    if form == "number":
        return {"error": refusal.status, "code": refusal.code, "message": refusal.message}
    return {"error": refusal.code, "message": refusal.message}


def rate_limited(
    refusal: Refusal, next_ns: int, now_ns: int, options: BoxOptions, hint_s: float = 0.0
) -> Reply:
    """`hint_s`: what `Retry-After` says instead of the rules."""
    body = error_body(refusal, options.wire.error_form)
    if options.session.next_allow_at:
        body["details"] = {"next_allow_at": next_ns // 1_000_000}
    headers = json_headers(now_ns)
    if hint_s or options.session.retry_after:
        headers["Retry-After"] = str(max(1, round(hint_s)))
    return Reply(refusal.status, headers, msgspec.json.encode(body))


def not_allowed(methods: Sequence[str], now_ns: int) -> Reply:
    body = error_body(Refusal(405, "invalid_request", "method is not allowed"), "text")
    headers = json_headers(now_ns) | {"Allow": ", ".join(methods)}
    return Reply(405, headers, msgspec.json.encode(body))


def bad_gateway() -> Reply:
    html = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
    return Reply(502, {"Content-Type": "text/html"}, html)


def json_headers(now_ns: int) -> dict[str, str]:
    return {"Content-Type": "application/json", "Date": _date(now_ns // NS)}


@lru_cache(maxsize=16)
def _date(unix_s: int) -> str:
    return formatdate(unix_s, usegmt=True)
