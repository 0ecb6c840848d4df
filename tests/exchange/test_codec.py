"""What REST answers and what we send, as the contract has it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

import pytest

from mmbot.domain.commands import CancelRef, SweepStrike
from mmbot.domain.errors import SetUpError
from mmbot.domain.events import BalanceSeen
from mmbot.domain.ids import ExternalId, MarketId, OrderId, SportEventId, StrikeId
from mmbot.exchange import codec, wire
from mmbot.exchange.amounts import time_ns
from mmbot.exchange.listing import Wish
from mmbot.exchange.notices import Notices
from mmbot.exchange.refusals import MEANINGS, refusal_of
from mmbot.exchange.ws import stream_url
from tests.exchange.parts import (
    EVENT_ID,
    an_order,
    example,
    example_json,
    reply,
)

# --- what REST answers ----------------------------------------------------------------------


def test_balance_is_the_smaller_cash_and_needs_both_figures() -> None:
    # faults: G3
    full = codec.balance_seen(example("get_balance.response.v4.json"), 7)
    assert full == BalanceSeen(10_000_000 - 235_075, 7, 10_000_000, credit_cents=1_250)
    failed = codec.balance_seen(example("get_balance.response.v4.sync_failed.json"), 7)
    assert failed.cash_cents == 9_764_925
    for body in (
        b'{"data": {"balance": 5}}',
        b'{"data": {"cash": 5, "matched_order_balance": 0}}',
        b"<html>",
    ):
        assert codec.balance_seen(body, 7) == BalanceSeen(None, 7)


@pytest.mark.parametrize("credit", ["null", '"12.5 USD"', "{}", "[]", "true", "1e400", '"NaN"'])
def test_an_exposure_credit_that_cannot_be_read_spoils_no_cash(credit: str) -> None:
    body = f'{{"data": {{"balance": 5, "matched_order_balance": 0, "gec_balance": {credit}}}}}'
    assert codec.balance_seen(body.encode(), 7) == BalanceSeen(500, 7, 500)


def test_the_ladder_is_american() -> None:
    ladder = codec.ladder(example("get_price_ladder.response.v4.json"), Notices())
    assert len(ladder) == 291
    short = codec.ladder(b'{"data": {"ladder": [100, -110, 110]}}', Notices())
    assert short.prices == (110, 100, -110)


def test_minus_one_hundred_on_a_ladder_is_dropped_and_makes_no_even_money() -> None:
    notices = Notices()
    ladder = codec.ladder(b'{"data": [-110, -100, 110]}', notices)
    assert ladder.prices == (110, -110)
    assert notices.counts == {"ladder_with_minus_100": 1}
    assert 100 in codec.ladder(b'{"data": [-110, -100, 100, 110]}', notices)


@pytest.mark.parametrize(
    "body", [b'{"data": [1.95, 2.0]}', b'{"data": []}', b'{"data": [110]}', b"{}", b'{"data": 3}']
)
def test_a_ladder_of_another_kind_stops_the_start(body: bytes) -> None:
    # faults: G1
    with pytest.raises(SetUpError, match="ladder"):
        codec.ladder(body, Notices())


@pytest.mark.parametrize("name", ["get_order.response.v4.json", "get_order.response.v4.flat.json"])
def test_an_order_is_read_flat_and_nested(name: str) -> None:
    data = wire.unwrap(example(name), wire.Raw)
    inner = wire.decode(data, dict[str, wire.Raw]).get("order", data)
    report = codec.order_report(inner, Notices())
    assert report.order_id == "7d1f6a90-53c2-4a9e-8f5b-0c2b1de4a901"
    assert report.filled_cents + report.open_cents == 11_700
    envelope = wire.decode(example(name), wire.Envelope)
    assert time_ns(envelope.last_synced_at) == time_ns("2026-11-22T15:00:10+00:00")


def test_submit_order_answers_with_the_same_order() -> None:
    data = wire.unwrap(example("submit_order.response.v4.json"), dict[str, wire.Raw])
    assert codec.order_report(data["order"], Notices()).status == "inactive"


def test_transactions_are_signed_cents() -> None:
    rows = wire.rows_of(example("get_transactions.response.v4.json"), "transactions")
    found = [codec.transaction(row) for row in rows]
    assert [(row.kind, row.amount_cents) for row in found] == [
        ("TRADE", -5_850),
        ("PAY", 10_850),
        ("COMMISSION", -100),
    ]
    assert codec.transaction(wire.Raw(b'{"id": 1, "type": "bet", "amount": -1}')).kind == "TRADE"


def test_sport_events_and_tournaments_are_read() -> None:
    rows = wire.rows_of(example("get_sport_events.response.json"), "sport_events")
    game = codec.sport_event(wire.decode(rows[0], wire.SportEvent))
    assert game.sport_name == "American Football"
    assert (game.event_id, game.tournament_id, game.pre_match) == (EVENT_ID, 31, True)
    assert [one.side for one in game.competitors] == ["home", "away"]
    assert wire.rows_of(example("get_sport_events.response.empty.json"), "sport_events") == []
    tournaments = wire.rows_of(example("get_tournaments.response.json"), "tournaments")
    assert [wire.decode(row, wire.Tournament).name for row in tournaments] == ["NFL", "MLB"]


@pytest.mark.parametrize(
    "name",
    ["connection_config.response.talaria", "connection_config.response.pusher_fallback"],
)
def test_the_socket_address_follows_from_the_config(name: str) -> None:
    config = wire.unwrap(example(f"{name}.json"), wire.ConnectionConfig)
    host = "ws.talaria.example" if "talaria" in name else "ws-us2.pusher.com"
    assert stream_url(config).startswith(f"wss://{host}/app/a1b2c3d4e5f6a7b8c9d0?protocol=7&")


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:1", "[::1]:9"])
def test_only_loopback_is_spoken_to_in_plain_text(host: str) -> None:
    assert stream_url(wire.ConnectionConfig("k", ws_host=host)).startswith(f"ws://{host}/")
    assert stream_url(wire.ConnectionConfig("k", ws_host="10.0.0.1")).startswith("wss://")


ERRORS: Final = (
    ("error.400.v4.json", 400, "order_external_id_existed"),
    ("error.401.json", 401, "unauthorized"),
    ("error.404.no_cancellable_orders.v4.json", 404, "no_cancellable_orders"),
    ("error.409.order_is_placing.v4.json", 409, "order_is_placing"),
    ("error.422.cancel_fill_in_progress.json", 422, "cancel_fill_in_progress"),
    ("error.425.order_opened_retry.v4.json", 425, "order_opened_retry"),
    ("error.429.rate_limit_reached.json", 429, "rate_limit_reached"),
    ("error.400.exceed_subscription_count.json", 400, "exceed_subscription_count"),
)


@pytest.mark.parametrize(("name", "status", "code"), ERRORS)
def test_an_error_body_gives_its_code(name: str, status: int, code: str) -> None:
    assert refusal_of(reply(example(name), status)).code == code
    assert code in MEANINGS or code == "exceed_subscription_count"


# --- what we send ---------------------------------------------------------------------------


def test_requests_are_those_of_the_contract() -> None:
    one, two = an_order(1), an_order(2)
    ref = CancelRef(ExternalId("mm1-20261122-000001"), OrderId("theirs"))
    sent = json.loads(codec.submit_body([one, two]))["data"]
    assert sent[0] == {
        **example_json("submit_order.request.v4.alo.json"), "external_id": one.external_id
    }  # fmt: skip
    assert list(json.loads(codec.cancel_body([ref]))["data"][0]) == list(
        example_json("cancel_multiple_orders.request.v4.json")["data"][0]
    )
    sweep = SweepStrike(
        EVENT_ID, MarketId(219), StrikeId("f8684be34e1e338d782b3cb4427010f9")
    )  # fmt: skip
    assert json.loads(codec.sweep_body(sweep)) == example_json(
        "cancel_orders_by_market.request.v4.json"
    )
    assert json.loads(codec.sweep_body(sweep, market_id_as_text=True))["market_id"] == "219"


def test_plain_and_fill_or_kill_orders_differ_in_one_key() -> None:
    plain = json.loads(codec.submit_body([replace(an_order(), order_strategy="")]))["data"][0]
    assert plain.keys() == example_json("submit_order.request.v4.json").keys()
    kill = json.loads(codec.submit_body([replace(an_order(), order_strategy="fillOrKill")]))
    assert (
        kill["data"][0].keys() == example_json("submit_order.request.v4.fill_or_kill.json").keys()
    )


def test_quantities_leave_as_exact_decimals() -> None:
    body = codec.submit_body([an_order(quantity_cents=1_010), an_order(2, quantity_cents=29)])
    assert b'"quantity":10.10' in body
    assert b'"quantity":0.29' in body


def test_a_wish_is_the_registration_of_the_contract() -> None:
    wish = Wish((EVENT_ID,), ((EVENT_ID, "player_total_receiving_yards"),), (31,))
    body = json.loads(codec.register_body("218543.77120934", wish))
    assert body == example_json("websocket_register.request.v4.json")
    private = json.loads(codec.register_body("218543.77120934", Wish()))
    assert private == example_json("websocket_register.request.v4.private_only.json")


def test_log_in_and_refresh_are_those_of_the_contract() -> None:
    keys = example_json("auth_login.request.json")
    assert json.loads(codec.login_body(keys["access_key"], keys["secret_key"])) == keys
    token = example_json("auth_refresh.request.json")["refresh_token"]
    assert json.loads(codec.refresh_body(token)) == example_json("auth_refresh.request.json")


def test_ids_may_be_text_or_numbers() -> None:
    order = example_json("get_order.response.v4.flat.json")["data"]
    changed = {**order, "sport_event_id": "10079123", "market_id": "219", "order_id": 77}
    report = codec.order_report(json.dumps(changed).encode(), Notices())
    assert (report.event_id, report.market_id, report.order_id) == (
        SportEventId(10079123), 219, "77"
    )  # fmt: skip


@pytest.mark.parametrize(
    "missing", ["order_id", "strike_id", "price", "quantity", "open_quantity", "filled_quantity"]
)
def test_an_order_without_a_field_that_matters_is_refused(missing: str) -> None:
    order = example_json("get_order.response.v4.flat.json")["data"]
    del order[missing]
    with pytest.raises(ValueError):
        codec.order_report(json.dumps(order).encode(), Notices())


def test_an_unknown_status_is_kept_and_counted() -> None:
    # faults: A13
    order = example_json("get_order.response.v4.flat.json")["data"] | {"status": "dreaming"}
    notices = Notices()
    assert codec.order_report(json.dumps(order).encode(), notices).status == "dreaming"
    assert notices.counts == {"unknown_status:dreaming": 1}
