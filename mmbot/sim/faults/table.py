"""Which fault of the project's list is made how: data for tests, `--list-faults` and people.

A maker is written `fault:NAME` (a rule of `[[faults]]` or of POST /_box/faults), `switch:NAME`
(POST /_box/faults), `do:NAME` (a timeline action, or POST /_box/do), `rule:TABLE.FIELD` (set at
birth or by POST /_box/rules), or `always` when the box does it without being told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mmbot.sim.core.messages import Json


@dataclass(frozen=True, slots=True)
class Row:
    """One id: what it is, who makes it, and a remark; no maker means not on the exchange's side."""

    id: str
    what: str
    makers: tuple[str, ...] = ()
    remark: str = ""


def _row(id_: str, what: str, makers: str = "", remark: str = "") -> Row:
    return Row(id_, what, tuple(makers.split()), remark)


CLIENT: Final = "inside the client"

AMBIGUOUS: Final = (
    _row("A1", "place reset, order appears 0.1 / 5 / 45 s later", "fault:lands_late "
         "switch:place_late_s",
         "late_s = [45] for one delay; the order then matches like any other"),
    _row("A2", "place times out, never lands", "fault:request_hangs fault:request_reset "
         "switch:place_request_lost"),
    _row("A3", "A1, then the same id again", "fault:lands_late always",
         "the id is refused as used once the late order has landed"),
    _row("A3b", "place reply lost, order id unknown", "fault:reply_reset fault:reply_hangs "
         "switch:place_reply_lost"),
    _row("A4", "500 of the balance check, order live or absent",
         "fault:error_after fault:error_before"),
    _row("A5", "502/504 with HTML, truncated JSON, empty data", "fault:html_before "
         "fault:html_after fault:truncated fault:empty_data switch:unavailable_502"),
    _row("A6", "order message before the reply of place", "switch:reply_delay_s fault:slow"),
    _row("A7", "fill before the reply, which says open", "switch:reply_delay_s fault:slow"),
    _row("A8", "terminal message before open", "fault:frame_swapped"),
    _row("A9", "every message 2 to 5 times", "fault:frame_copied"),
    _row("A10", "completion before its last fill", "fault:frame_swapped fault:frame_late"),
    _row("A11", "one false 404 for a live order", "fault:false_absence "
         "switch:changes_unlisted switch:copy_stands_still", "the switches: lists leave it out"),
    _row("A13", "price 0, null, unknown field or enum", "fault:frame_odd fault:reply_odd "
         "switch:history_rows_cut"),
    _row("A14", "no activation; invalid at activation", "fault:never_activated "
         "fault:activation_fails rule:rules.activation.delay"),
    _row("A15", "lost order reappears after an hour", "fault:lands_late", "late_s = [3600]"),
    _row("A16", "fill lost on a healthy stream", "fault:frame_lost switch:private_orders_lost"),
)  # fmt: skip
CANCELS: Final = (
    _row("B1", "cancel of a filled order", "always"),
    _row("B2", "cancel of a cancelled order: 400 or 404", "always rule:rules.cancel_again"),
    _row("B3", "409 placing, 425 / 500 opened_retry", "always rule:rules.first_pass_ms "
         "rule:rules.first_pass_status rule:rules.cancel_inactive"),
    _row("B4", "cancel reply lost", "fault:reply_reset fault:lands_late "
         "fault:empty_undone switch:cancel_reply_lost",
         'on = ["cancel"]'),
    _row("B5", "HTTP cancel and message in both orders", "always switch:reply_delay_s"),
    _row("B6", "partial fill, then cancel: open + fully_matched", "always do:take"),
    _row("B8", "cancel_all racing a match", "always do:take"),
    _row("B9", "cancel fails", "fault:error_before fault:request_hangs", 'on = ["cancel"]'),
    _row("B10", "mass cancel of nothing: 404", "always"),
    _row("B11", "cancel by event leaves other events", "always"),
    _row("B12", "manual orders on the same account", "do:place do:cancel"),
    _row("B13", "mass cancel races a fill that is refunded", "rule:rules.money.mass_cancel_refunds "
         "fault:fill_taken_back do:bust switch:history_stands switch:money_stands"),
    _row("B14", "halt while the disk is full", remark=CLIENT),
)  # fmt: skip
BATCHES: Final = (
    _row("C1", "13 succeed, 7 fail with different codes", "always switch:refuse_code "
         "switch:refuse_what"),
    _row("C2", "batch times out, none / some / all landed", "fault:batch_cut fault:reply_hangs"),
    _row("C3", "batch 500 with some landed", "fault:batch_cut"),
    _row("C4", "21 orders are refused", "always"),
    _row("C5", "external id twice in a batch", "always fault:item_twice "
         "rule:rules.batch_repeated_id"),
    _row("C7", "unknown ids in a cancel batch", "always fault:item_unknown"),
    _row("C8", "401 on chunk 2 of 3", "fault:unauthorized do:expire_tokens",
         "skip = 1, times_max = 1"),
    _row("C9", "balance runs out in a batch", "always do:cash"),
)  # fmt: skip
SESSIONS: Final = (
    _row("D1", "expiry of 10 min, 20 min, 30 s, in the past", "rule:session.access_life_s "
         "rule:session.expiry_unit"),
    _row("D2", "refresh answers 500 for 3 min", "fault:error_before switch:refuse_refresh "
         "switch:auth_delay_s", 'on = ["auth"], route = "/auth/refresh"'),
    _row("D3", "refresh token expired, log-in fails too", "do:expire_tokens switch:refuse_login "
         "rule:session.refresh_life_s"),
    _row("D4", "401 on everything despite a fresh token", "switch:unauthorized_all"),
    _row("D5", "session_num_exceed", "switch:sessions_full rule:session.sessions_max"),
    _row("D6", "token rotates between config and channel auth", "do:expire_tokens "
         "rule:session.access_life_s"),
    _row("D7", "429 with and without Retry-After", "fault:too_many switch:rate_limited_all "
         "switch:retry_after_s rule:session.retry_after"),
    _row("D8", "too_many_delayed_requests on one route", "fault:too_many_delayed",
         "route picks one"),
    _row("D9", "two processes share the limit", "always", "the limit is the account's"),
    _row("D10", "query route asked too often", remark=CLIENT),
    _row("D11", "connect hangs, body trickles, idle connection closed", "fault:trickle "
         "fault:request_hangs fault:request_reset",
         "names, TLS and a kernel that drops SYNs are outside of a server on loopback"),
    _row("D12", "404 for legacy words and 200 for v4, and the reverse", "rule:wire.paths"),
    _row("D13", "placement_disabled, cancels allowed", "switch:placement_disabled "
         "fault:maintenance"),
    _row("D14", "reporting 503", "switch:reporting_down fault:no_reports"),
    _row("D16", "the exchange restarts", "do:restart"),
)  # fmt: skip
STREAM: Final = (
    _row("E1", "half-open socket", "fault:silence do:mute_sockets switch:health_check_stopped"),
    _row("E2", "quiet market with health_check", "always do:traders"),
    _row("E3", "subscription without data; none after reconnect", "switch:books_silent "
         "switch:subscriptions_refused"),
    _row("E4", "a channel silently loses message types", "switch:silent_types"),
    _row("E5", "deltas before the snapshot", "always rule:stream.initial_image"),
    _row("E6", "ws_host appears, changes, vanishes", "switch:ws_host do:move_stream "
         "rule:stream.ws_host_shown"),
    _row("E7", "config poll fails 10 times", "fault:error_before",
         'on = ["stream"], route = "/connection-config", times_max = 10'),
    _row("E8", "exceed_subscription_count", "rule:session.channel_limit do:list",
         "a lower limit, then one game more than a socket may have"),
    _row("E9", "rejected[], wildcard, case of sub_type", "always switch:first_rejected "
         "switch:scopes_in_capitals"),
    _row("E10", "order of channels shuffled", "switch:channels_shuffled"),
    _row("E11", "placeholder, one-sided, crossed, locked, dead book", "switch:book_image "
         "rule:wire.empty_side"),
    _row("E12", "gap in sequence; REST differs from the cached book", "fault:frame_lost",
         'on = ["books"]'),
    _row("E14", "close codes; pong lost", "do:close_sockets fault:disconnect do:refuse_sockets"),
    _row("E15", "5,000 messages/s", "do:burst"),
    _row("E16", "private channel down, public up", "switch:silent_types",
         '"orders,health_check"'),
)  # fmt: skip
SPORTS: Final = (
    _row("F1", "start passes, status still not_started", "rule:rules.life.start"),
    _row("F2", "start moved, postponed, cancelled", "do:move_start do:change_status do:unlist "
         "do:void"),
    _row("F3", "go-live wipes without / with messages", "do:go_live "
         "rule:rules.life.wiped_messages"),
    _row("F4", "supplemental market refuses in play", "always"),
    _row("F5", "unlisted, relisted under the same or a new id", "do:unlist do:relist"),
    _row("F6", "suspended and reopened 50 times", "do:suspend do:reopen", "every_s, times"),
    _row("F7", "tournament leaves the watch list", remark=CLIENT),
    _row("F8", "line moves, old id invalid", "do:move_line"),
    _row("F9", "missing strike key", "fault:reply_odd fault:frame_odd"),
    _row("F11", "void, push, draw, by hand, reversed twice", "do:void do:push do:draw do:settle "
         "do:reverse"),
    _row("F12", "reference odds wrong, frozen, other format", "switch:feed_frozen "
         "switch:feed_shift_logit switch:feed_decimal switch:feed_down"),
    _row("F13", "team names swapped in the feed", "switch:feed_swapped"),
)  # fmt: skip
MONEY: Final = (
    _row("G1", "prices off the ladder, ladder changes", "always switch:ladder_empty "
         "rule:rules.ladder rule:rules.off_ladder do:change_ladder rule:rules.life.ladder_change"),
    _row("G2", "9.99x, 10x, 50x of cash; cash halves", "always do:cash"),
    _row("G3", "balance key absent", "switch:balance_key_absent"),
    _row("G4", "sign of a profit", remark=CLIENT),
    _row("G5", "all quotes of one event filled at once", "do:take"),
    _row("G6", "manual orders count as exposure", "do:place"),
    _row("G7", "own orders would cross", "always rule:rules.self_match"),
    _row("G8", "ALO would cross; ALO disabled", "rule:rules.alo_crossing rule:rules.alo_disabled"),
    _row("G10", "dust remainder", "do:take rule:rules.dust", "usd leaves what is wanted"),
    _row("G11", "loss limit at midnight", remark=CLIENT),
)  # fmt: skip
OPERATIONS: Final = (
    _row("H1", "SIGKILL around a request", remark="`crash_before`, `crash_after`, "
         "`crash_between` of `mmbot simulate`: the client dies, not the exchange"),
    _row("H2", "SIGTERM during place", remark=CLIENT),
    _row("H3", "fills while the client is down; fills replayed", "always fault:frame_copied"),
    _row("H4", "restart after a rename", remark=CLIENT),
    _row("H5", "two daemons by mistake", remark=CLIENT),
    _row("H7", "disk full, database locked", remark=CLIENT),
    _row("H8", "migration fails", remark=CLIENT),
    _row("H10", "strategy misbehaves", remark=CLIENT),
    _row("H11", "broken file in the folder", remark=CLIENT),
    _row("H12", "kill switch pulled ten times", remark=CLIENT),
    _row("H13", "halt while filled to the limit", remark=CLIENT),
    _row("H14", "dead man", remark=CLIENT),
    _row("H15", "24 h at 10x message rate", "always", "a scenario with `speed = 10`"),
    _row("H16", "100,000 closed orders in the ledger", remark=CLIENT),
    _row("H17", "planted secrets", remark=CLIENT),
    _row("H18", "alert sink down", remark=CLIENT),
    _row("H19", "replay of a recorded day", remark=CLIENT),
    _row("H20", "simulator's fills against sandbox's", remark="needs the venue"),
    _row("J1", "SIGSTOP for 60 s", remark=CLIENT),
    _row("J2", "100 crashes with the session cap on", "rule:session.sessions_max"),
    _row("J3", "two strategies claim one line", remark=CLIENT),
    _row("J4", "strategy spins", remark=CLIENT),
    _row("J5", "sequence numbers in ns, then in microseconds", "rule:rules.sequence_unit "
         "do:move_stream"),
    _row("J6", "two readings of price orientation", remark=CLIENT),
)  # fmt: skip

ROWS: Final = (
    *AMBIGUOUS, *CANCELS, *BATCHES, *SESSIONS, *STREAM, *SPORTS, *MONEY, *OPERATIONS,
)  # fmt: skip


def table() -> list[Json]:
    return [
        {"id": row.id, "what": row.what, "makers": list(row.makers), "remark": row.remark}
        for row in ROWS
    ]


def text() -> str:
    """The table for a terminal."""
    lines = []
    for row in ROWS:
        makers = ", ".join(row.makers) or "not on the exchange's side"
        remark = f"  ({row.remark})" if row.remark else ""
        lines.append(f"{row.id:<4} {row.what}\n     {makers}{remark}")
    return "\n".join(lines)
