"""The seed dialect: its routes and words, how its stream is asked for, and what it may not have."""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import Any, Final

import pytest

from mmbot.domain.commands import CancelRef, CancelSportEvent, SweepStrike
from mmbot.domain.events import (
    BalanceSeen,
    BookUpdated,
    CancelLost,
    OrderSeen,
    ReadFailed,
    SportEventUnlisted,
    TransactionsRead,
)
from mmbot.domain.ids import ExternalId, OrderId, SportEventId
from mmbot.exchange import codec
from mmbot.exchange.dialect import DIALECTS
from mmbot.exchange.feed import Feed, FeedSettings
from mmbot.exchange.http import HttpReply
from mmbot.exchange.link import LinkPorts
from mmbot.exchange.listing import Wish
from mmbot.runtime.limiter import QUERY_ROUTES
from tests.exchange.parts import (
    EVENT_ID,
    FakeServer,
    Parts,
    a_client,
    an_order,
    approved,
    example,
    example_json,
    kinds,
    play,
    refused,
    reply,
    run,
    seeded,
    unheard,
)
from tests.exchange.stage import CONFIG, Stage, config

SEED: Final = DIALECTS["seed"]
REGISTER: Final = "/mm/pusher"
MAIN: Final = "private-broadcast-service=3-device_type=5"
PRIVATE: Final = "private-service=3-device_type=5-user=5f0a8c1e2b7d4e559a416c0d3b7e9f12"
UP: Final = (True, True, "stream-1")


def wish_for(*homes: tuple[int, int]) -> Wish:
    """Of (event, tournament)."""
    events = tuple(SportEventId(event) for event, _ in homes)
    home = {SportEventId(event): tournament for event, tournament in homes}
    return Wish(events, (), tuple(sorted({*home.values()})), home)


# --- routes ---------------------------------------------------------------------------------


def test_every_path_is_that_of_the_contract() -> None:
    found = {one.name: getattr(SEED.routes, one.name).path for one in fields(SEED.routes)}
    assert found == {
        "login": "/auth/login",
        "refresh": "/auth/refresh",
        "connection_config": "/websocket/connection-config",
        "register": "/mm/pusher",
        "tournaments": "/mm/get_tournaments",
        "sport_events": "/mm/get_sport_events",
        "balance": "/mm/get_balance",
        "ladder": "/mm/get_price_ladder",
        "markets": "/mm/get_multiple_markets",
        "submit": "/mm/place_batch_orders",
        "cancel": "/mm/cancel_batch_orders",
        "cancel_by_market": "/mm/cancel_orders_by_market",
        "cancel_by_event": "/mm/cancel_orders_by_event",
        "cancel_all": "/mm/cancel_all_orders",
        "order": "/mm/get_order",
        "history": "/mm/get_order_histories",
        "transactions": "/mm/get_transactions",
        "trades": "/mm/get_trades",
    }


def test_what_writes_in_one_dialect_writes_in_the_other_and_queries_are_paced_alike() -> None:
    v4 = DIALECTS["v4"].routes
    for one in fields(v4):
        there, here = getattr(v4, one.name), getattr(SEED.routes, one.name)
        assert (there.writes, there.method) == (here.writes, here.method)
        assert (there.name in QUERY_ROUTES) == (here.name in QUERY_ROUTES)


# --- orders ---------------------------------------------------------------------------------


def in_seed(scenario: Callable[[Parts], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        parts = a_client(routes=SEED.routes)
        return await scenario(parts)

    return run(main())


def test_an_order_is_placed_and_cancelled_by_its_older_id() -> None:
    async def scenario(parts: Parts) -> None:
        body = example_json("place_batch_orders.response.seed.json")
        placed = body["data"]["succeed_orders"][0] | {"external_id": "mm-0a-1"}
        body["data"]["succeed_orders"] = [placed]
        parts.http.on(SEED.routes.submit.path, reply(body))
        (seen,) = await parts.gateway.place([approved(an_order())])
        assert isinstance(seen, OrderSeen)
        assert seen.report.order_id == placed["id"]
        gone = {"success": True, "order": placed | {"status": "canceled", "open_quantity": 0}}
        parts.http.on(SEED.routes.cancel.path, reply({"data": [gone]}))
        ref = CancelRef(an_order().external_id, OrderId(placed["id"]))
        (seen,) = await parts.gateway.cancel([ref])
        assert isinstance(seen, OrderSeen)
        sent = parts.http.asked[-1].body["data"][0]
        assert sent.keys() == example_json("cancel_order.request.seed.json").keys()

    in_seed(scenario)


def test_one_order_is_asked_for_as_the_page_says() -> None:
    order = codec.submit_body([an_order()])
    assert (
        json.loads(order)["data"][0].keys() >= example_json("place_order.request.seed.json").keys()
    )


def test_markets_and_balance_may_come_in_the_older_words() -> None:
    async def scenario(parts: Parts) -> None:
        markets = example_json("get_markets.response.legacy_v3.json")["data"]["markets"]
        parts.http.on("/mm/get_multiple_markets", reply({"data": {str(EVENT_ID): markets}}))
        parts.http.on("/mm/get_balance", reply(example("get_balance.response.legacy.json")))
        seeded(parts.listing)
        assert kinds(await parts.gateway.read_markets([EVENT_ID])) == ["BookUpdated"]
        (seen,) = await parts.gateway.read_balance()
        assert isinstance(seen, BalanceSeen)
        assert seen.cash_cents == 9_764_925
        parts.http.on("/mm/get_balance", reply(b"<html>"))
        (seen,) = await parts.gateway.read_balance()
        assert isinstance(seen, BalanceSeen)
        assert seen.cash_cents is None

    in_seed(scenario)


# --- what may not be there ------------------------------------------------------------------

GONE: Final = refused(404, "data_not_found", "no such route")


@pytest.mark.parametrize(
    ("answer", "failed"),
    [(GONE, True), (refused(404, "", ""), True), (refused(404, "no_cancellable_orders"), False)],
)
def test_a_mass_cancel_that_is_not_there_has_not_cancelled(answer: HttpReply, failed: bool) -> None:
    async def scenario(parts: Parts) -> None:
        for route in (SEED.routes.cancel_all, SEED.routes.cancel_by_market):
            assert route is not None
            parts.http.on(route.path, answer)
        order = an_order()
        sweep = SweepStrike(order.event_id, order.market_id, order.strike_id)
        for events in (
            await parts.gateway.cancel_everything(),
            await parts.gateway.sweep(sweep),
        ):
            assert [type(one) for one in events] == [ReadFailed] * failed

    in_seed(scenario)


def test_where_no_event_can_be_cancelled_its_orders_go_another_way() -> None:
    async def scenario(parts: Parts) -> None:
        assert SEED.routes.cancel_by_event is not None
        parts.http.on(SEED.routes.cancel_by_event.path, GONE)
        named = CancelRef(ExternalId("mm-0a-1"), OrderId("theirs-1"))
        events = await parts.gateway.cancel_event(CancelSportEvent(SportEventId(501), (named,)))
        assert [type(one) for one in events] == [ReadFailed, CancelLost]

    in_seed(scenario)


def test_where_there_are_no_money_rows_the_balance_is_the_evidence() -> None:
    async def scenario(parts: Parts) -> None:
        parts.http.on("/mm/get_transactions", GONE)
        parts.http.on("/mm/get_trades", GONE)
        (read,) = await parts.gateway.read_transactions(7)
        assert isinstance(read, TransactionsRead)
        assert (read.rows, read.by_rows) == ((), False)
        assert await parts.gateway.read_trades(7) == []
        parts.http.on("/mm/get_transactions", refused(503, "reporting_not_available"))
        assert kinds(await parts.gateway.read_transactions(7)) == ["ReadFailed"]

    in_seed(scenario)


# --- the stream -----------------------------------------------------------------------------


def staged(scenario: Callable[[Stage], Awaitable[None]], wish: Wish, *tournaments: int) -> Stage:
    """As `stage.staged`, in seed; of the tournaments that are wished for, these are granted."""

    async def main() -> Stage:
        parts = a_client(routes=SEED.routes)
        parts.http.on(CONFIG, config())
        grant(parts, *tournaments)
        seeded(parts.listing)
        server = FakeServer()
        ports = LinkPorts(parts.rest, server, parts.listing, parts.notices, SEED)
        feed = Feed(ports, FeedSettings(), random.Random(1).random)
        feed.watch(wish)
        stage = Stage(parts, server, feed)

        async def beats() -> None:
            while True:
                await stage.wait(5)
                stage.last.say("health_check", {"payload": "e30="}, PRIVATE)

        async def act() -> None:
            await stage.wait(2)
            await scenario(stage)

        await play(act(), feed.run(stage.hear, unheard), beats())
        return stage

    return run(main())


def grant(parts: Parts, *tournaments: int) -> None:
    body = example_json("pusher_auth.response.legacy.json")
    names = [{"name": f"tournament_{one}", "type": "tournament"} for one in tournaments]
    body["data"]["authorized_channel"][0]["binding_events"] = names
    parts.http.on(REGISTER, reply(body))


def test_the_registration_is_that_of_the_contract() -> None:
    wish = wish_for((EVENT_ID, 132), (8, 31))
    asked = example_json("pusher_auth.request.legacy_json.json")
    asked["subscriptions"][0]["ids"].sort(key=int)
    assert json.loads(SEED.register_body(asked["socket_id"], wish)) == asked
    form = example_json("pusher_auth.request.legacy_form.json")["headers"]
    headers = SEED.register_headers(wish)
    assert headers.keys() == form.keys() - {"Authorization"}
    assert json.loads(headers["header-subscriptions"]) == asked["subscriptions"]
    # No tournament is none, and not all of them, as an empty list would be.
    assert json.loads(SEED.register_body("1.1", Wish()))["subscriptions"] == []
    assert SEED.register_headers(Wish()) == {"header-subscriptions": "[]"}


def test_it_is_live_without_a_signin_and_brings_books() -> None:
    async def books(stage: Stage) -> None:
        stage.last.say_raw(example("ws_market_selections.legacy_shared.wire.json"))
        await stage.wait(20)  # past two health checks

    stage = staged(books, wish_for((EVENT_ID, 31)), 31)
    assert stage.states == [UP, (False, False, "")]
    (asked,) = [one for one in stage.parts.http.asked if one.path == REGISTER]
    assert asked.headers.items() >= SEED.register_headers(wish_for((EVENT_ID, 31))).items()
    assert stage.last.frames("pusher:signin") == []
    assert [one["data"]["channel"] for one in stage.last.frames("pusher:subscribe")] == [
        MAIN,
        PRIVATE,
    ]
    assert "BookUpdated" in kinds(stage.events)
    assert isinstance(stage.events[1], BookUpdated)


def test_a_tournament_that_is_not_granted_takes_its_events_off_the_list() -> None:
    async def nothing(_: Stage) -> None:
        pass

    stage = staged(nothing, wish_for((EVENT_ID, 31), (7, 53), (8, 53)), 31)
    unlisted = [one.event_id for one in stage.events if isinstance(one, SportEventUnlisted)]
    assert unlisted == [7, 8]
    assert stage.states[0] == UP
    stage = staged(nothing, wish_for((7, 53)), 31)
    assert stage.states[0] == (True, False, "stream-1")


def test_a_tournament_that_was_withheld_is_asked_for_again_on_another_socket() -> None:
    # faults: E9
    async def withhold(stage: Stage) -> None:
        assert stage.parts.listing.unstreamed == {7}
        grant(stage.parts, 31, 53)
        await stage.wait(305)
        assert stage.parts.listing.unstreamed == frozenset()
        assert len(stage.server.sockets) == 2

    stage = staged(withhold, wish_for((EVENT_ID, 31), (7, 53)), 31)
    assert stage.states[:2] == [UP, (True, True, "stream-2")]


def test_the_events_of_a_channel_may_be_named_by_text_alone() -> None:
    async def again(stage: Stage) -> None:
        body = example_json("pusher_auth.response.legacy.json")
        for one in body["data"]["authorized_channel"]:
            one["binding_events"] = [named["name"] for named in one["binding_events"]]
        stage.parts.http.on(REGISTER, reply(body))
        stage.last.hang_up(4200)
        await stage.wait(2)

    stage = staged(again, wish_for((EVENT_ID, 31)), 31)
    assert stage.states[2] == (True, True, "stream-2")


def test_only_another_tournament_needs_another_connection() -> None:
    async def widen(stage: Stage) -> None:
        stage.feed.watch(wish_for((EVENT_ID, 31), (7, 31)))
        await stage.wait(2)
        assert len(stage.server.sockets) == 1
        assert stage.parts.listing.unstreamed == frozenset()
        grant(stage.parts, 31, 53)
        stage.feed.watch(wish_for((EVENT_ID, 31), (8, 53)))
        await stage.wait(2)
        assert len(stage.server.sockets) == 2

    stage = staged(widen, wish_for((EVENT_ID, 31)), 31)
    assert stage.states[:2] == [UP, (True, True, "stream-2")]


def test_one_socket_carries_them_all() -> None:
    async def look(stage: Stage) -> None:
        assert stage.parts.listing.unstreamed == frozenset()
        assert len(stage.server.sockets) == 1

    staged(look, wish_for((EVENT_ID, 31), *((event, 31) for event in range(1, 1000))), 31)
