"""What goes back over HTTP: JSON bodies, errors of the table, and the date of the box."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formatdate

import msgspec

from mmbot.sim.lifecycle import NS
from mmbot.sim.messages import Json
from mmbot.sim.orders import Refusal

Answer = Json | Refusal
NOT_FOUND = Refusal(404, "data_not_found", "no such route")


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back; a lost one never reaches the client although it may have had effect."""

    status: int
    headers: dict[str, str]
    body: bytes
    lost: bool = False


def reply(answer: Answer, now_ns: int, *, lost: bool = False) -> Reply:
    status = 200
    if isinstance(answer, Refusal):
        status = answer.status
        answer = {"error": answer.code, "message": answer.message}
    return Reply(status, json_headers(now_ns), msgspec.json.encode(answer), lost)


def rate_limited(refusal: Refusal, next_ns: int, now_ns: int, *, retry_after: bool) -> Reply:
    body: Json = {
        "error": refusal.code,
        "message": refusal.message,
        "details": {"next_allow_at": next_ns // 1_000_000},
    }
    headers = json_headers(now_ns)
    if retry_after:
        headers["Retry-After"] = "1"
    return Reply(refusal.status, headers, msgspec.json.encode(body))


def bad_gateway() -> Reply:
    html = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
    return Reply(502, {"Content-Type": "text/html"}, html)


def json_headers(now_ns: int) -> dict[str, str]:
    return {"Content-Type": "application/json", "Date": formatdate(now_ns // NS, usegmt=True)}
