"""Answers that did not come from the book of the exchange but from its gates."""

from __future__ import annotations

import json
from email.utils import formatdate

from mmbot.sim.faults.kinds import RouteKind
from mmbot.sim.faults.plan import Fault, Hit


def canned(hit: Hit, kind: RouteKind, now_ns: int) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer that a fault makes up."""
    status, error = canned_error(hit, kind)
    date = formatdate(now_ns / 1e9, usegmt=True)
    if hit.fault in {Fault.HTML_BEFORE, Fault.HTML_AFTER}:
        page = f"<html><head><title>{status}</title></head><body>{error}</body></html>"
        return status, {"Date": date, "Content-Type": "text/html"}, page.encode()
    headers = {"Date": date, "Content-Type": "application/json"}
    if hit.fault in {Fault.EMPTY_DATA, Fault.EMPTY_UNDONE}:
        return status, headers, b'{"data": {}}'
    if hit.fault is Fault.TOO_MANY and hit.chance < 0.5:
        headers["Retry-After"] = "1"
    return status, headers, json.dumps({"error": error, "message": error}).encode()


def canned_error(hit: Hit, kind: RouteKind) -> tuple[int, str]:
    """(status, error word) of an answer that did not come from the exchange's book."""
    match hit.fault:
        case Fault.TOO_MANY:
            return 429, "rate_limit_reached"
        case Fault.TOO_MANY_DELAYED:
            return 429, "too_many_delayed_requests"
        case Fault.UNAUTHORIZED:
            return 401, "unauthorized"
        case Fault.MAINTENANCE:
            return 403, "err_order_placement_disabled"
        case Fault.NO_REPORTS:
            return 503, "reporting_not_available"
        case Fault.FALSE_ABSENCE:
            return 404, "data_not_found"
        case Fault.HTML_BEFORE:
            return 502, "Bad Gateway"
        case Fault.HTML_AFTER:
            return 504, "Gateway Time-out"
        case Fault.EMPTY_DATA | Fault.EMPTY_UNDONE:
            return 200, ""
    if kind == "place":
        late = "order_unable_to_place" if hit.chance < 0.5 else "order_balance_check_timeout"
        return 500, late
    return 500, "order_unable_to_cancel" if kind == "cancel" else "internal_error"
