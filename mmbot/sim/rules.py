"""How this exchange decides what the contract leaves open: switches that a scenario sets at birth.

Which row of the contract each of them answers is listed in `unknowns`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from mmbot.sim.tables import Between

# what happens again and again must not happen without end at one moment
AgainMs = Annotated[int, Between(1, 86_400_000)]
AgainS = Annotated[float, Between(0.01, 86_400)]


@dataclass(frozen=True, slots=True)
class ActivationRules:
    """From "accepted" to an order that rests; `profile` takes the latency profile's time."""

    delay: Literal["profile", "fixed", "spread", "never"] = "profile"
    delay_ms: int = 150
    delay_ms_max: int = 10_000
    failure: Literal["none", "funds", "cap"] = "none"
    failing_share: float = 1.0
    slow_ms: int = 10_000
    in_play_delay_ms: int = 5_000
    in_play_orders_max: int = 100


@dataclass(frozen=True, slots=True)
class MoneyRules:
    """When money moves and what is lent; a limit of 0 is no limit."""

    funds: Literal["on_fill", "on_placement"] = "on_fill"
    resting_cap: Literal["invalid", "refuse"] = "invalid"
    delayed: Literal["refuse", "slow"] = "refuse"
    strike_resting_usd_max: int = 0
    fee_net: Literal["market", "order"] = "market"
    credit: Literal["off", "gec", "lec_and_gec"] = "off"
    credit_every_ms: AgainMs = 5_000
    credit_sync_ms: AgainMs = 5_000
    # a fill is being paid for this long; 0 is at once
    fill_payment_ms: int = 0
    cancel_while_paying: Literal["refuse_422", "refuse_500", "allow"] = "refuse_422"
    mass_cancel_refunds: bool = False


@dataclass(frozen=True, slots=True)
class LifeRules:
    """What the moves of events, markets and lines do to what rests there."""

    start: Literal["on_time", "by_hand"] = "on_time"
    in_play: bool = False
    wiped_messages: Literal["each", "batches", "none"] = "each"
    wiped_batch_orders: int = 20
    wiped_batch_ms: int = 200
    wiped_partly: Literal["open", "wiped"] = "open"
    unlisting_wipes: bool = True
    suspending_wipes: bool = False
    line_move: Literal["rest", "wipe"] = "rest"
    # what rests at a price that leaves the ladder
    ladder_change: Literal["rest", "cancel", "wipe"] = "rest"
    winner_status: Literal["settled_then_closed", "closed"] = "settled_then_closed"
    bust_form: Literal["void", "changed_fill"] = "void"
    bust_window_s: int = 900
    # in get_trades, get_matched_bets and matched detail; `shown` has no mark
    busted_trades: Literal["left_out", "shown"] = "left_out"


@dataclass(frozen=True, slots=True)
class Rules:
    """Orders, matching and money."""

    alo_crossing: Literal["reject", "invalid", "canceled"] = "invalid"
    alo_disabled: bool = False
    self_match: Literal["refuse", "invalid"] = "refuse"
    fill_or_kill: Literal["partial", "all_or_nothing"] = "partial"
    fill_or_kill_ms: int = 2000
    cancel_inactive: Literal["conflict", "allow"] = "conflict"
    mass_cancel_inactive: bool = True
    first_pass_ms: int = 20
    first_pass_status: Literal[425, 500] = 425
    cancel_again: Literal["refuse_400", "not_found"] = "refuse_400"
    cancel_needs: Literal["both", "order_id"] = "both"
    market_cancel_strike: Literal["optional", "needed"] = "optional"
    market_id_form: Literal["any", "number", "text"] = "any"
    # the text of 30010 allows prices >= 100 and < -100 only
    illegal_price: Literal["invalid_price", "30010"] = "invalid_price"
    # a price that is not on the ladder; the catch-all was seen with words about the ladder
    off_ladder: Literal["invalid_price", "invalid_request"] = "invalid_price"
    batch_repeated_id: Literal["one_fails", "refuse_all"] = "one_fails"
    # a refused item of a batch cancel does not name its order
    batch_cancel_rows: Literal["as_asked", "refused_last"] = "as_asked"
    profit_rounding: Literal["half_up", "floor"] = "half_up"
    quantity_after_cancel: Literal["kept", "shrunk"] = "kept"
    trade_prints: Literal["one", "two"] = "one"
    sequence_unit: Literal["us", "ns"] = "us"
    book_quantity: Literal["staked", "nominal"] = "staked"
    quantity_min_cents: int = 100
    # what a fill leaves of an order, below the minimum
    dust: Literal["rest", "cancel"] = "rest"
    quantity_max_usd: int = 100_000_000
    resting_cash_multiple_max: int = 10
    delayed_cash_multiple: int = 50
    fee_bps: Annotated[int, Between(0, 10_000)] = 200
    ladder: Literal["fallback_291", "dense_555", "no_plus_100"] = "fallback_291"
    book_coalesce_ms: int = 50
    book_levels_max: int = 10
    batch_orders_max: int = 20
    fills_kept_max: int = 1_000
    activation: ActivationRules = ActivationRules()
    money: MoneyRules = MoneyRules()
    life: LifeRules = LifeRules()


@dataclass(frozen=True, slots=True)
class SessionRules:
    """Tokens, sessions and rate of one account."""

    access_life_s: int = 600
    refresh_life_s: int = 259_200
    expiry_unit: Literal["s", "ms", "us", "ns", "relative"] = "s"
    refresh_rotates: bool = False
    sessions_max: int = 20
    counted_until: Literal["refresh_expiry", "access_expiry"] = "refresh_expiry"
    keys_max: int = 20
    requests_per_second_max: int = 50
    retry_after: bool = True
    next_allow_at: bool = True
    channel_limit: int = 400
    health_check_s: AgainS = 5.0
    activity_timeout_s: int = 120
    pong_timeout_s: int = 30
    reporting_lag_s: float = 0.0
    get_order_from: Literal["copy", "exchange"] = "copy"
    window_ends: Literal["inclusive", "exclusive"] = "inclusive"
    history_page_max: int = 100
    transactions_page_max: int = 500
    transactions_page: int = 20


@dataclass(frozen=True, slots=True)
class WireRules:
    """The shape of REST answers; `shapes` carries most of them out."""

    paths: Literal["all", "v4", "seed", "legacy"] = "all"
    registration_path: Literal["both", "v4", "unversioned"] = "both"
    order_id_field: Literal["order_id", "id"] = "order_id"
    order_nesting: Literal["flat", "nested"] = "flat"
    markets_nesting: Literal["object", "list"] = "object"
    empty_lists: Literal["some_null", "null", "empty"] = "some_null"
    selections: Literal["nested", "flat", "dictionary"] = "nested"
    empty_side: Literal["placeholder", "zero_price", "empty"] = "placeholder"
    sub_type: Literal["named", "empty", "null", "absent"] = "named"
    prices: Literal["american", "decimal"] = "american"
    ladder_form: Literal["data", "odds", "ladder"] = "data"
    event_words: Literal["trading", "affiliate"] = "trading"
    market_closed_word: Literal["suspended", "inactive"] = "suspended"
    winning_field: Literal["winning_status", "profit_status"] = "winning_status"
    last_synced_at: Literal["text", "number"] = "text"
    item_fields: Literal["full", "sourced"] = "full"
    trade_id_field: Literal["id", "trade_id"] = "id"
    balance: Literal["cash", "gross", "inside"] = "cash"
    # `/mm/get_balance` and `/mm/get_markets` are routes of the seed and of the legacy dialect
    unversioned_words: Literal["both", "seed", "legacy"] = "both"
    v1_selections: Literal["nested", "flat"] = "nested"
    login_form: Literal["wrapped", "flat"] = "wrapped"
    multiple_markets: Literal["by_event", "flat_list"] = "by_event"
    unknown_event: Literal["null", "absent"] = "null"
    strike_market_id: Literal["number", "text"] = "number"
    end_of_pages: Literal["empty", "absent", "null"] = "empty"
    wrong_method: Literal["not_found", "not_allowed"] = "not_found"
    unmatched_balance: Literal["succeed", "failed"] = "succeed"
    terminology_header: Literal["honoured", "ignored"] = "honoured"
    error_words: Literal["own", "legacy"] = "own"
    error_form: Literal["text", "object", "number"] = "text"


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What one connection may cost."""

    headers_timeout_s: float = 10.0
    body_timeout_s: float = 10.0
    reading_timeout_s: float = 30.0
    keepalive_timeout_s: float = 75.0
    # how long the rest of a refused body is read and thrown away, so that the answer arrives
    lingering_s: float = 2.0
    body_bytes_max: int = 1 << 20
    # fewer where the machine gives the process fewer files
    connections_max: int = 10_000


# read once, when the box is born; a scenario sets them, and nothing changes them later
FIXED_AT_BIRTH: Final = (
    "rules.ladder",
    "rules.sequence_unit",
    "rules.profit_rounding",
    "rules.fee_bps",
    "rules.book_coalesce_ms",
    "rules.book_quantity",
    "rules.book_levels_max",
    "rules.activation.delay",
    "rules.activation.delay_ms",
    "rules.activation.delay_ms_max",
    "rules.activation.failure",
    "rules.activation.failing_share",
    "rules.activation.slow_ms",
    "rules.money.funds",
    "rules.money.credit",
    "rules.money.credit_every_ms",
    "rules.money.credit_sync_ms",
    "rules.life.in_play",
    "session.reporting_lag_s",
    "stream.cluster",
)
