"""Every unknown of the contract is a switch, and every value of it can be told from the others."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import pytest

from mmbot.sim.faults.plan import Fault
from mmbot.sim.faults.switches import Switches
from mmbot.sim.rules import Rules, SessionRules, WireRules
from mmbot.sim.scenario import BoxOptions, ScenarioError, with_table
from mmbot.sim.stream.rules import StreamRules
from mmbot.sim.timeline.entries import ACTIONS
from mmbot.sim.unknowns import UNKNOWNS, Setting, Unknown, settings
from tests.sim.unknown_probes import PROBES, Seen

# Which probe shows a setting; several fields of one table are often shown by the same one.
SHOWN_BY = {
    "log_in": (
        "session.access_life_s", "session.expiry_unit", "session.retry_after",
        "session.sessions_max", "session.next_allow_at", "session.counted_until",
    ),
    "paths": ("wire.paths", "wire.registration_path", "wire.error_form"),
    "market": (
        "wire.empty_lists", "wire.selections", "wire.empty_side", "rules.ladder", "wire.sub_type",
        "wire.error_words", "wire.markets_nesting", "wire.multiple_markets", "wire.prices",
        "wire.ladder_form", "wire.market_closed_word", "wire.event_words",
        "wire.strike_market_id", "rules.life.in_play", "rules.book_quantity",
    ),
    "orders": (
        "wire.order_id_field", "rules.first_pass_ms", "rules.first_pass_status",
        "rules.self_match", "rules.mass_cancel_inactive", "rules.profit_rounding",
        "rules.cancel_needs", "rules.market_cancel_strike", "rules.market_id_form",
        "rules.cancel_again", "rules.quantity_min_cents", "rules.quantity_after_cancel",
        "rules.batch_repeated_id", "rules.money.fill_payment_ms",
        "rules.money.cancel_while_paying", "rules.life.bust_form", "wire.order_nesting",
        "wire.winning_field", "rules.activation.failure", "rules.life.busted_trades",
        "rules.cancel_inactive", "rules.batch_cancel_rows", "session.get_order_from",
    ),
    "in_play": ("rules.activation.in_play_delay_ms",),
    "strategies": ("rules.alo_crossing", "rules.fill_or_kill", "rules.activation.delay"),
    "money": (
        "rules.money.funds", "rules.money.resting_cap",
        "rules.money.delayed", "rules.resting_cash_multiple_max", "rules.fee_bps",
        "rules.money.fee_net", "wire.balance", "wire.unmatched_balance",
    ),
    "reports": (
        "session.reporting_lag_s", "session.history_page_max", "session.transactions_page_max",
        "session.transactions_page", "wire.last_synced_at", "wire.item_fields",
        "wire.trade_id_field", "wire.empty_lists", "session.window_ends",
    ),
    "stream": (
        "rules.life.wiped_messages", "stream.initial_image", "stream.registration_delay_s",
        "stream.ws_host_shown", "session.channel_limit", "stream.private_event",
        "stream.channel_service", "stream.user_data_key", "stream.signin_success",
        "stream.channel_count", "stream.trade_print_name", "rules.life.winner_status",
        "stream.update_field", "rules.sequence_unit", "rules.trade_prints",
        "stream.close_at_token_expiry", "stream.tournament_entry",
    ),
}  # fmt: skip
# What must be set besides, for a setting to matter.
BESIDES: dict[str, dict[str, Any]] = {
    "rules.activation.in_play_delay_ms": {"rules": {"life": {"in_play": True}}},
    "rules.money.cancel_while_paying": {"rules": {"money": {"fill_payment_ms": 400}}},
    "session.counted_until": {"session": {"sessions_max": 5}},
    "session.get_order_from": {"session": {"reporting_lag_s": 12}},
}
# Forms that stand in the contract, or are left open by it, but in no row of its sections 14 and 15.
BEYOND = {
    "rules.dust", "rules.illegal_price", "rules.off_ladder",
    "stream.binding_events", "stream.data_form",
    "stream.duplicate_subscription", "stream.event_deleted", "stream.health_check_on",
    "stream.payload_form", "stream.private_event_legacy", "stream.pusher_words",
    "stream.rejected_when_none", "stream.subscribed_data", "stream.subscription_refusal",
    "wire.end_of_pages", "wire.login_form", "wire.terminology_header", "wire.unknown_event",
    "wire.unversioned_words", "wire.v1_selections", "wire.wrong_method",
}  # fmt: skip
PAIRS = [(setting, value) for setting in settings().values() for value in setting.values[1:]]


def joined(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Two scenario tables in one."""
    found = dict(first)
    for key, value in second.items():
        both = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = joined(found[key], value) if both else value
    return found


@cache
def seen_usually(probe: str, besides: str) -> Seen:
    return PROBES[probe](BESIDES.get(besides, {}))


@pytest.mark.parametrize(("setting", "value"), PAIRS, ids=lambda one: getattr(one, "name", one))
def test_a_client_can_tell_every_value_from_the_default(setting: Setting, value: object) -> None:
    besides = BESIDES.get(setting.name, {})
    table = joined(besides, setting.table(value))
    probes = [name for name, shown in SHOWN_BY.items() if setting.name in shown]
    assert any(
        PROBES[name](table) != seen_usually(name, setting.name if besides else "")
        for name in probes
    )


@pytest.mark.parametrize("probe", PROBES)
def test_what_a_client_sees_does_not_change_by_itself(probe: str) -> None:
    assert PROBES[probe]({}) == seen_usually(probe, "")


def test_every_row_of_the_contract_is_here() -> None:
    wanted = [f"14.{n}" for n in range(1, 41)] + [f"15.{n}" for n in range(1, 46)]
    assert [one.id for one in UNKNOWNS] == [*wanted, "2.4", "4.9", "4.10", "6.4"]


@pytest.mark.parametrize("one", UNKNOWNS, ids=lambda one: one.id)
def test_every_row_has_a_switch_or_a_reason(one: Unknown) -> None:
    assert one.settings or one.makers or one.remark
    known: dict[str, set[str]] = {
        "fault": set(Fault),
        "switch": set(Switches().shown()),
        "do": set(ACTIONS),
    }
    for maker in one.makers:
        kind, _, name = maker.partition(":")
        assert name in known[kind], maker


@pytest.mark.parametrize("setting", settings().values(), ids=lambda one: one.name)
def test_every_setting_is_a_field_whose_default_comes_first(setting: Setting) -> None:
    found: Any = BoxOptions()
    for part in setting.name.split("."):
        found = getattr(found, part)
    assert found == setting.default
    assert len(set(setting.values)) > 1
    for value in setting.values:
        with_table(BoxOptions(), setting.table(value))
    with pytest.raises(ScenarioError):
        with_table(BoxOptions(), setting.table("no such value"))


def test_no_choice_of_words_is_left_out_by_accident() -> None:
    """Fields with named values that answer no row: forms that only one source shows."""
    named = {
        f"{table}.{field.name}"
        for table, kind in (
            ("rules", Rules), ("session", SessionRules), ("wire", WireRules),
            ("stream", StreamRules),
        )
        for field in dataclasses.fields(kind)
        if "Literal" in str(field.type)
    }  # fmt: skip
    assert named - set(settings()) == BEYOND
