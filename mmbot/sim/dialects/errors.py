"""The error table: every code with its HTTP status and text, in order words and wager words."""

from __future__ import annotations

from typing import Final

from mmbot.sim.core.orders import Refusal

ERRORS: Final[dict[str, tuple[int, str]]] = {
    "invalid_request": (400, "request is not valid"),
    "invalid_param": (400, "a parameter is not valid"),
    "unauthorized": (401, "Unauthorized"),
    "data_not_found": (404, "not found"),
    "internal_error": (500, "internal error"),
    "unknown_error": (500, "unknown error"),
    "keypair_num_exceed": (403, "too many key pairs"),
    "session_num_exceed": (403, "too many sessions"),
    "rate_limit_reached": (429, "50 requests per second"),
    "insufficient_amount": (403, "insufficient amount"),
    # no word is published for the 403 of a suspended account
    "user_suspended": (403, "user is suspended"),
    "invalid_strike_id": (400, "strike id is not valid"),
    "strike_id_invalid": (400, "strike id is unknown"),
    "invalid_quantity": (400, "quantity is not valid"),
    "invalid_price": (400, "price is not valid"),
    "invalid_external_id": (400, "external id is not valid"),
    "invalid_order_id": (400, "order id is not valid"),
    "invalid_market_id": (400, "market id is not valid"),
    "invalid_event_id": (400, "event id is not valid"),
    "invalid_competitor_id": (400, "competitor id is not valid"),
    "invalid_cursor": (400, "cursor is not valid"),
    "invalid_from": (400, "from is not valid"),
    "invalid_to": (400, "to is not valid"),
    "invalid_updated_at_from": (400, "updated_at_from is not valid"),
    "invalid_updated_at_to": (400, "updated_at_to is not valid"),
    "from_date_greater_than_to_date": (400, "from is after to"),
    "invalid_from_to_range": (400, "from and to are more than 7 days apart"),
    "invalid_updated_at_range": (400, "updated_at_from and _to are more than 2 days apart"),
    "missing_date_range": (400, "a time window is needed"),
    "sport_event_not_found": (404, "no such event"),
    "market_invalid_event": (400, "event id is not valid"),
    "market_event_limit_exceeded": (400, "1 to 50 event ids"),
    "event_not_available": (400, "event is not available"),
    "sport_event_is_not_booked": (400, "event is not booked"),
    "sport_event_competitor_blacklisted": (400, "a competitor is blocked"),
    "supplemental_market_pre_match_only": (400, "only before the start"),
    "err_ref_id_invalid": (404, "reference id is not valid"),
    "order_limit_exceeded": (400, "more than 20 orders"),
    "order_ref_id_existed": (400, "reference id was used before"),
    "order_external_id_existed": (400, "external id was used before"),
    "order_quantity_exceeds_max": (400, "quantity exceeds the maximum"),
    "order_invalid_profit": (400, "profit is below 0.01"),
    "order_balance_check_timeout": (500, "wallet did not answer in time"),
    "order_unable_to_place": (500, "order cannot be placed"),
    "order_unable_to_cancel": (500, "order cannot be cancelled"),
    "err_order_placement_disabled": (403, "placement is disabled"),
    "err_add_liquidity_only_disabled": (400, "add liquidity only is disabled"),
    "too_many_delayed_requests": (429, "too many delayed requests"),
    "opened_retry": (500, "retry after 300ms"),
    "order_opened_retry": (425, "retry after 300ms"),
    "order_is_placing": (409, "order is being placed"),
    "order_already_filled": (400, "order already matched"),
    "order_already_cancelled": (400, "order already cancelled"),
    "order_is_invalid": (400, "order is invalid"),
    "order_not_matching_external_id": (400, "ids do not belong together"),
    "order_not_belongs_to_user": (500, "order belongs to another user"),
    "no_cancellable_orders": (404, "nothing to cancel"),
    "wallet_not_found": (404, "account has no wallet"),
    "reporting_not_available": (503, "reporting is in maintenance"),
    "exceed_subscription_count": (400, "subscription limit exceeded"),
    "cancel_fill_in_progress": (422, "order is processing, payment pending"),
    # no status is published for the next two; a refusal of the caller is the likeliest
    "self_match": (400, "order would trade with an own order"),
    "placement_ip_refused": (403, "placement is not allowed from this address"),
    "30010": (400, "price must be >= 100 or < -100"),
}
# rows whose refusal has no code of its own: the answer says a general one
SAID_AS: Final = {"cancel_fill_in_progress": "invalid_request"}
WAGER_CODES: Final = {
    "invalid_strike_id": "invalid_line_id",
    "invalid_quantity": "invalid_stake",
    "order_limit_exceeded": "wager_limit_exceeded",
    "invalid_order_id": "invalid_wager_id",
    "order_ref_id_existed": "wager_ref_id_existed",
    "order_already_filled": "wager_already_matched",
    "order_not_belongs_to_user": "wager_not_belongs_to_user",
    "order_already_cancelled": "wager_already_cancelled",
    "order_is_invalid": "wager_is_invalid",
    "invalid_price": "wager_invalid_odds",
    "order_not_matching_external_id": "wager_not_matching_external_id",
    "order_opened_retry": "wager_opened_retry",
    "order_is_placing": "wager_is_placing",
    "order_quantity_exceeds_max": "wager_stake_exceeds_max",
    "order_external_id_existed": "wager_external_id_existed",
    "order_balance_check_timeout": "wager_balance_check_timeout",
    "order_unable_to_place": "wager_unable_place",
    "order_unable_to_cancel": "wager_unable_cancel",
    "strike_id_invalid": "market_line_invalid",
    "no_cancellable_orders": "no_cancellable_wagers",
    "order_invalid_profit": "wager_invalid_profit",
    "err_order_placement_disabled": "err_wager_placement_disabled",
}
_TEXT_WORDS: Final = (
    ("strike", "line"),
    ("quantity", "stake"),
    ("price", "odds"),
    ("order", "wager"),
)


def refusal(code: str, message: str = "") -> Refusal:
    """A refusal of the table; its text may say more."""
    status, text = ERRORS[code]
    return Refusal(status, SAID_AS.get(code, code), message or text)


def in_wager_words(found: Refusal) -> Refusal:
    """The same refusal as a legacy route says it."""
    return Refusal(found.status, wager_code(found.code), wager_text(found.message))


def wager_code(code: str) -> str:
    return WAGER_CODES.get(code, code)


def wager_text(text: str) -> str:
    for word, older in _TEXT_WORDS:
        text = text.replace(word, older)
    return text
