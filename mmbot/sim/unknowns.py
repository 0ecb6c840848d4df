"""What nobody outside knows about the venue: each unknown of the contract and its switch.

Numbers are those of the contract: 14.n is the n-th switch that its section 14 names, 15.n the
n-th row of its section 15; other numbers are those of a section that leaves something open and
is in neither list. A switch is `table.field=first|second`, the first being the default,
and is set at birth by a scenario; makers are written as in `faults.table`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of a scenario with the values between which the sources leave us."""

    name: str
    values: tuple[object, ...]

    @property
    def default(self) -> object:
        return self.values[0]

    def table(self, value: object) -> dict[str, object]:
        """The scenario table that sets this value."""
        found: object = value
        for part in reversed(self.name.split(".")):
            found = {part: found}
        assert isinstance(found, dict)
        return found


@dataclass(frozen=True, slots=True)
class Unknown:
    """One row; without a setting and without a maker the remark says why."""

    id: str
    topic: str
    settings: tuple[Setting, ...] = ()
    makers: tuple[str, ...] = ()
    remark: str = ""


def _u(id_: str, topic: str, how: str = "", remark: str = "") -> Unknown:
    settings, makers = [], []
    for word in how.split():
        name, equals, values = word.partition("=")
        if equals:
            settings.append(Setting(name, tuple(map(_value, values.split("|")))))
        else:
            makers.append(word)
    return Unknown(id_, topic, tuple(settings), tuple(makers), remark)


def _value(text: str) -> object:
    """Numbers and truth values as in JSON, everything else (`null`, too) is a word."""
    try:
        found: object = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    return text if found is None else found


SECTION_14: Final = (
    _u("14.1", "access token life", "session.access_life_s=600|1200"),
    _u("14.2", "expiry unit", "session.expiry_unit=s|ms|us|ns|relative"),
    _u("14.3", "id field name", "wire.order_id_field=order_id|id"),
    _u("14.4", "activation delay", "rules.activation.delay=profile|fixed|spread|never "
       "fault:never_activated"),
    _u("14.5", "activation failure", "rules.activation.failure=none|funds|cap "
       "fault:activation_fails"),
    _u("14.6", "private messages dropped, doubled, reordered",
       "fault:frame_lost fault:frame_copied fault:frame_swapped"),
    _u("14.7", "message before the HTTP answer", "switch:reply_delay_s fault:slow"),
    _u("14.8", "425 window after open", "rules.first_pass_ms=20|300"),
    _u("14.9", "in-play placement delay with 409", "rules.activation.in_play_delay_ms=5000|500 "
       "rules.life.in_play=false|true"),
    _u("14.10", "self-match refusal", "rules.self_match=refuse|invalid"),
    _u("14.11", "ALO that would cross", "rules.alo_crossing=invalid|reject|canceled"),
    _u("14.12", "single cancel while a fill is being paid", "rules.money.fill_payment_ms=0|400 "
       "rules.money.cancel_while_paying=refuse_422|refuse_500|allow"),
    _u("14.13", "mass cancel takes inactive orders too", "rules.mass_cancel_inactive=true|false"),
    _u("14.14", "fill taken back up to 15 minutes later", "do:bust fault:fill_taken_back "
       "rules.life.bust_form=void|changed_fill"),
    _u("14.15", "event_not_available after the start", "rules.life.in_play=false|true"),
    _u("14.16", "fillOrKill", "rules.fill_or_kill=partial|all_or_nothing"),
    _u("14.17", "funds taken", "rules.money.funds=on_fill|on_placement"),
    _u("14.18", "10 x cap, 50 x slow-down", "rules.money.resting_cap=invalid|refuse "
       "rules.money.delayed=refuse|slow rules.resting_cash_multiple_max=10|20"),
    _u("14.19", "429 with and without Retry-After", "session.retry_after=true|false"),
    _u("14.20", "sessions at once", "session.sessions_max=20|3"),
    _u("14.21", "history lag and 503", "session.reporting_lag_s=0|12 switch:reporting_down"),
    _u("14.22", "null lists", "wire.empty_lists=some_null|null|empty"),
    _u("14.23", "flat market list", "wire.selections=nested|flat|dictionary"),
    _u("14.24", "placeholder levels", "wire.empty_side=placeholder|zero_price|empty"),
    _u("14.25", "wiped at the start", "rules.life.wiped_messages=each|batches|none do:go_live"),
    _u("14.26", "event unlisted and relisted", "do:unlist do:relist"),
    _u("14.27", "ladder 291 or denser", "rules.ladder=fallback_291|dense_555"),
    _u("14.28", "quantity larger than value * b", "rules.book_quantity=staked|nominal"),
    _u("14.29", "initial image of a channel", "stream.initial_image=false|true"),
    _u("14.30", "event channel silent while REST changes", "switch:books_silent"),
    _u("14.31", "empty sub_type", "wire.sub_type=named|empty|null|absent"),
    _u("14.32", "empty inner lists", "wire.empty_side=placeholder|empty"),
    _u("14.33", "legacy error words on v4 routes", "wire.error_words=own|legacy"),
    _u("14.34", "slow registration", "stream.registration_delay_s=0|4"),
    _u("14.35", "placement refused by IP", "switch:placement_ip_refused"),
    _u("14.36", "health_check stops", "switch:health_check_stopped"),
    _u("14.37", "ws_host changes", "switch:ws_host do:move_stream stream.ws_host_shown=true|false"),
    _u("14.38", "close codes 4000 / 4100 / 4200", "do:close_sockets do:refuse_sockets"),
    _u("14.39", "small channel_limit", "session.channel_limit=400|2"),
    _u("14.40", "rounding to 0.01", "rules.profit_rounding=half_up|floor"),
)  # fmt: skip

ROWS_1_TO_23: Final = (
    _u("15.1", "access token life", "session.access_life_s=600|1200"),
    _u("15.2", "expiry unit", "session.expiry_unit=s|ms|us|ns|relative"),
    _u("15.3", "paths", "wire.paths=all|v4|seed|legacy"),
    _u("15.4", "registration path", "wire.registration_path=both|v4|unversioned"),
    _u("15.5", "order id field", "wire.order_id_field=order_id|id"),
    _u("15.6", "nesting of get_order and get_markets", "wire.order_nesting=flat|nested "
       "wire.markets_nesting=object|list wire.multiple_markets=by_event|flat_list"),
    _u("15.7", "null instead of []", "wire.empty_lists=some_null|null|empty"),
    _u("15.8", "price format", "wire.prices=american|decimal"),
    _u("15.9", "ladder", "rules.ladder=fallback_291|dense_555|no_plus_100 "
       "wire.ladder_form=data|odds|ladder switch:ladder_empty"),
    _u("15.10", "quantity and value in the book", "rules.book_quantity=staked|nominal"),
    _u("15.11", "shape of selections", "wire.selections=nested|flat|dictionary"),
    _u("15.12", "private event name", "stream.private_event=orders|order|wagers|wager"),
    _u("15.13", "channel service number", "stream.channel_service=6|3"),
    _u("15.14", "key in the signin's user_data", "stream.user_data_key=id|user_id"),
    _u("15.15", "signin_success data", "stream.signin_success=user_data|empty"),
    _u("15.16", "channel_count", "stream.channel_count=own|all"),
    _u("15.17", "name of the trade print",
       "stream.trade_print_name=matched_order|trade_execution|matched_bet"),
    _u("15.18", "status settled", "rules.life.winner_status=settled_then_closed|closed"),
    _u("15.19", "aliases of winning_status and update_type",
       "wire.winning_field=winning_status|profit_status "
       "stream.update_field=update_type|update_status"),
    _u("15.20", "history limit, type of last_synced_at", "session.history_page_max=100|1000 "
       "wire.last_synced_at=text|number"),
    _u("15.21", "cancel body: both ids or one", "rules.cancel_needs=both|order_id"),
    _u("15.22", "mass cancel by market", "rules.market_cancel_strike=optional|needed "
       "rules.market_id_form=any|number|text"),
    _u("15.23", "404 on a repeated cancel", "rules.cancel_again=refuse_400|not_found"),
)  # fmt: skip
ROWS_24_TO_45: Final = (
    _u("15.24", "opened_retry", "rules.first_pass_status=425|500"),
    _u("15.25", "error body", "wire.error_form=text|object|number"),
    _u("15.26", "funds formula", "wire.balance=cash|gross|inside "
       "wire.unmatched_balance=succeed|failed"),
    _u("15.27", "exposure cap", "rules.resting_cash_multiple_max=10|20|50"),
    _u("15.28", "same-line matching",
       remark="the older note contradicts the price model and was corrected by its author"),
    _u("15.29", "fillOrKill, ALO, self-match, in-play delay, rounding, minimum quantity",
       "rules.fill_or_kill=partial|all_or_nothing rules.alo_crossing=invalid|reject|canceled "
       "rules.self_match=refuse|invalid rules.profit_rounding=half_up|floor "
       "rules.activation.in_play_delay_ms=5000|500 rules.quantity_min_cents=100|500"),
    _u("15.30", "unit of sequence_number", "rules.sequence_unit=us|ns do:restart"),
    _u("15.31", "prints per trade", "rules.trade_prints=one|two"),
    _u("15.32", "market status other than active",
       "wire.market_closed_word=suspended|inactive"),
    _u("15.33", "event status in play", "wire.event_words=trading|affiliate"),
    _u("15.34", "what a 429 carries", "session.retry_after=true|false "
       "session.next_allow_at=true|false"),
    _u("15.35", "port, TLS, message size, token expiry and the socket",
       "stream.close_at_token_expiry=false|true",
       "port and TLS are those of loopback; the socket outlives its token unless told otherwise"),
    _u("15.36", "item fields", "wire.item_fields=full|sourced wire.trade_id_field=id|trade_id "
       "wire.strike_market_id=number|text"),
    _u("15.37", "fees", "rules.fee_bps=200|100|0 rules.money.fee_net=market|order"),
    _u("15.38", "quantity after a cancel of the rest", "rules.quantity_after_cancel=kept|shrunk"),
    _u("15.39", "pages of transactions", "session.transactions_page_max=500|1000 "
       "session.transactions_page=20|10"),
    _u("15.40", "error words on v4 routes", "wire.error_words=own|legacy"),
    _u("15.41", "placement bound to an address", "switch:placement_ip_refused"),
    _u("15.42", "stream traffic in sandbox", "switch:books_silent"),
    _u("15.43", "trade bust on the wire", "rules.life.bust_form=void|changed_fill "
       "rules.life.busted_trades=left_out|shown do:bust"),
    _u("15.44", "batch with a repeated external_id",
       "rules.batch_repeated_id=one_fails|refuse_all"),
    _u("15.45", "tournament entry of the v4 registration",
       "stream.tournament_entry=accepted|unknown_type"),
)  # fmt: skip

IN_NEITHER_LIST: Final = (
    _u("2.4", "until when a session is counted",
       "session.counted_until=refresh_expiry|access_expiry"),
    _u("4.9", "rows of a batch cancel", "rules.batch_cancel_rows=as_asked|refused_last"),
    _u("4.10", "get_order in the reporting copy, ends of a window",
       "session.get_order_from=copy|exchange session.window_ends=inclusive|exclusive"),
    _u("6.4", "single cancel of an inactive order", "rules.cancel_inactive=conflict|allow"),
)  # fmt: skip

UNKNOWNS: Final = (*SECTION_14, *ROWS_1_TO_23, *ROWS_24_TO_45, *IN_NEITHER_LIST)


def settings() -> dict[str, Setting]:
    """Every setting once, with all the values that any row gives it."""
    found: dict[str, Setting] = {}
    for one in UNKNOWNS:
        for setting in one.settings:
            before = found.get(setting.name)
            values = dict.fromkeys((before.values if before else ()) + setting.values)
            found[setting.name] = Setting(setting.name, tuple(values))
    return found
