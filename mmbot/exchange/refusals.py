"""What each error code of the exchange means for a placement, for a cancel and for a read.

The table holds both vocabularies, because a v4 route may answer in the older words. A code that
is not here is `UNKNOWN`: the outcome counts as lost, never as a refusal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

import msgspec

from mmbot.exchange.amounts import NS_PER_S, http_date_ns
from mmbot.exchange.http import HttpReply
from mmbot.exchange.notices import Notices
from mmbot.exchange.wire import Unreadable, decode

RETRY_SOON_MS: Final = 300
RETRY_PLACING_MS: Final = 500
RETRY_AFTER_DEFAULT_MS: Final = 1_000
RETRY_AFTER_MIN_S: Final = 0.1
RETRY_AFTER_MAX_S: Final = 60.0
SECONDS: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


class OnPlace(Enum):
    REFUSED = "refused"  # this order was named and refused
    REQUEST_REFUSED = "request refused"  # the request as a whole was refused: no item of it lives
    LOST = "lost"  # outcome unknown: go and look
    NOT_ASKED = "not asked"  # the book was not asked: the same id may go again


class OnCancel(Enum):
    SEEMS_DONE = "seems done"  # not yet evidence: read the order
    AGAIN = "again"  # refused for now
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Meaning:
    place: OnPlace
    cancel: OnCancel
    retry_after_ms: int = RETRY_AFTER_DEFAULT_MS
    alarm: bool = False  # a person must act


UNKNOWN: Final = Meaning(OnPlace.LOST, OnCancel.LOST)
# A suspended account has no published word: any may stand there. Doubt costs little, silence much.
FORBIDDEN: Final = Meaning(OnPlace.LOST, OnCancel.AGAIN, alarm=True)


def _table() -> dict[str, Meaning]:
    p, c = OnPlace, OnCancel
    refused = Meaning(p.REFUSED, c.SEEMS_DONE)
    request = Meaning(p.REQUEST_REFUSED, c.AGAIN)
    operator = Meaning(p.REQUEST_REFUSED, c.AGAIN, alarm=True)
    lost = Meaning(p.LOST, c.LOST)
    rows: tuple[tuple[Meaning, str], ...] = (
        (request, "invalid_request invalid_param order_limit_exceeded wager_limit_exceeded"),
        (Meaning(p.NOT_ASKED, c.AGAIN), "unauthorized rate_limit_reached"),
        (Meaning(p.NOT_ASKED, c.AGAIN), "too_many_delayed_requests"),
        (operator, "keypair_num_exceed session_num_exceed 403_user_suspended wallet_not_found"),
        (operator, "placement_ip_refused"),
        (request, "insufficient_amount"),
        (Meaning(p.REQUEST_REFUSED, c.AGAIN, 30_000),
         "err_order_placement_disabled err_wager_placement_disabled"),
        (Meaning(p.LOST, c.AGAIN, 30_000), "reporting_not_available"),
        (lost, "internal_error unknown_error http_408 http_5xx_other"),
        (refused, "invalid_strike_id strike_id_invalid invalid_quantity invalid_price"),
        (refused, "invalid_external_id invalid_order_id invalid_market_id invalid_event_id"),
        (refused, "invalid_competitor_id invalid_cursor invalid_from invalid_to"),
        (refused, "invalid_updated_at_from invalid_updated_at_to from_date_greater_than_to_date"),
        (refused, "invalid_from_to_range invalid_updated_at_range missing_date_range"),
        (refused, "data_not_found sport_event_not_found market_invalid_event"),
        (refused, "market_event_limit_exceeded event_not_available sport_event_is_not_booked"),
        (refused, "sport_event_competitor_blacklisted supplemental_market_pre_match_only"),
        (refused, "err_ref_id_invalid order_quantity_exceeds_max order_invalid_profit"),
        (refused, "err_add_liquidity_only_disabled self_match 30010"),
        (refused, "activation:insufficient_funds activation:max_stake_exceeded"),
        (refused, "invalid_line_id invalid_stake invalid_wager_id wager_invalid_odds"),
        (refused, "wager_stake_exceeds_max market_line_invalid wager_invalid_profit"),
        # "Existed" says that something landed: it is looked for, never believed to be absent.
        (Meaning(p.LOST, c.SEEMS_DONE), "order_external_id_existed wager_external_id_existed"),
        (Meaning(p.LOST, c.SEEMS_DONE), "order_ref_id_existed wager_ref_id_existed"),
        (lost, "order_balance_check_timeout wager_balance_check_timeout"),
        (lost, "order_unable_to_place wager_unable_place"),
        (lost, "order_unable_to_cancel wager_unable_cancel"),
        (Meaning(p.LOST, c.AGAIN, RETRY_SOON_MS),
         "opened_retry order_opened_retry wager_opened_retry cancel_fill_in_progress"),
        (Meaning(p.LOST, c.AGAIN, RETRY_PLACING_MS), "order_is_placing wager_is_placing"),
        (Meaning(p.LOST, c.SEEMS_DONE),
         "order_already_filled order_already_cancelled order_is_invalid wager_already_matched"
         " wager_already_cancelled wager_is_invalid no_cancellable_orders no_cancellable_wagers"),
        (Meaning(p.LOST, c.SEEMS_DONE, alarm=True),
         "order_not_matching_external_id wager_not_matching_external_id"
         " order_not_belongs_to_user wager_not_belongs_to_user"),
    )  # fmt: skip
    return {code: meaning for meaning, codes in rows for code in codes.split()}


MEANINGS: Final[Mapping[str, Meaning]] = MappingProxyType(_table())

# Codes of registration and of socket closes have their own readers (feed.py, pusher.py).
ELSEWHERE: Final = frozenset(
    {"exceed_subscription_count", "wildcard_not_allowed", "malformed_id", "unknown_type"}
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer other than success: `code` is the exchange's word, or "" when it gave none."""

    status: int
    code: str
    message: str
    next_allowed_ms: int | None = None  # of a 429, epoch

    @property
    def meaning(self) -> Meaning:
        """By code; without a known code by status."""
        if self.code in MEANINGS:
            return MEANINGS[self.code]
        if self.status == 401:
            return MEANINGS["unauthorized"]
        if self.status == 429:
            return MEANINGS["rate_limit_reached"]
        if self.status == 404:
            return Meaning(OnPlace.LOST, OnCancel.SEEMS_DONE)
        if self._fill_in_progress:
            return MEANINGS["cancel_fill_in_progress"]
        if self.status in {409, 425}:
            return MEANINGS["order_opened_retry"]
        if self.status == 403:
            return FORBIDDEN if self.code else MEANINGS["403_user_suspended"]
        return UNKNOWN

    @property
    def _fill_in_progress(self) -> bool:
        # Published without a code; the vendor's own test reads the text.
        return self.status in {422, 500} and any(
            word in self.message.lower() for word in ("processing", "pending")
        )

    @property
    def placing_code(self) -> str:
        """Of a placement: the catch-all with words about the ladder is a refused price."""
        of_price = self.code == "invalid_request" and "ladder" in self.message.lower()
        return "invalid_price" if of_price else self.code

    @property
    def no_such_route(self) -> bool:
        """Of a route that may not exist: a mass cancel that finds nothing says 404, too."""
        return self.status == 404 and not self.code.startswith("no_cancellable_")

    @property
    def text(self) -> str:
        return f"{self.code or self.status}: {self.message}"[:300]

    def tell(self, notices: Notices, where: str, what: str = "") -> None:
        """Heard by a person when one must act, else counted; `what` stands in for a code."""
        if self.meaning.alarm:
            kind = self.code if self.code in MEANINGS else f"refused_{self.status}"
            notices.alarm(kind, f"{where}: {self.text}")
        else:
            notices.count(f"refused:{self.code or what or self.status}", where)


class _ErrorBody(msgspec.Struct):
    error: Any = None
    error_code: Any = None
    code: Any = None
    message: Any = None
    details: Any = None


def refusal_of(reply: HttpReply) -> Refusal:
    """Read an answer that is not 2xx; a body of any kind will do (faults: A5)."""
    try:
        body = decode(reply.body, _ErrorBody)
    except Unreadable:
        return Refusal(reply.status, "", "an answer that is no JSON")
    code = code_of(body.error, body.error_code, body.code)
    message = body.message
    if message is None and isinstance(body.error, dict):
        message = body.error.get("message")
    allowed = body.details.get("next_allow_at") if isinstance(body.details, dict) else None
    refusal = Refusal(
        reply.status, code, _line(message), allowed if isinstance(allowed, int) else None
    )
    return _fill_first(refusal)


def item_refusal(status: int, error: Any, error_code: Any, code: Any, message: Any) -> Refusal:
    """The same of one item inside a 200."""
    if message is None and isinstance(error, dict):
        message = error.get("message")
    return _fill_first(Refusal(status, code_of(error, error_code, code), _line(message)))


def _fill_first(refusal: Refusal) -> Refusal:
    """`invalid_request` with the words of a fill in progress is that, not a malformed body."""
    if refusal.code in {"invalid_request", "internal_error", ""} and refusal._fill_in_progress:
        return Refusal(refusal.status, "cancel_fill_in_progress", refusal.message)
    return refusal


def code_of(*candidates: Any) -> str:
    """The first text found in error / error_code / code, also one object deep."""
    for found in candidates:
        if isinstance(found, dict):
            inner = code_of(found.get("error_code"), found.get("code"), found.get("error"))
            if inner:
                return inner
        elif isinstance(found, str) and found:
            return found.strip()
        elif isinstance(found, int) and not isinstance(found, bool) and found >= 1000:
            return str(found)  # the back end's own numbers, such as 30010; not an HTTP status
    return ""


def _line(message: Any) -> str:
    return " ".join(message.split())[:200] if isinstance(message, str) else ""


def asked_wait_s(reply: HttpReply, refusal: Refusal, now_ns: int) -> float | None:
    """How long a 429 asks to wait, in its header or its body; None when it does not say.

    `now_ns` is the exchange's time: both a date in the header and the body's stamp are in it.
    """
    header = reply.headers.get("retry-after", "").strip()
    until_ns = http_date_ns(header)
    if SECONDS.fullmatch(header):
        wait_s = float(header)
    elif until_ns is not None:
        wait_s = (until_ns - now_ns) / NS_PER_S
    elif refusal.next_allowed_ms is not None:
        wait_s = refusal.next_allowed_ms / 1000 - now_ns / NS_PER_S
    else:
        return None
    return min(max(wait_s, RETRY_AFTER_MIN_S), RETRY_AFTER_MAX_S)
