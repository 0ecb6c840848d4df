"""Fills as the exchange lists them."""
# faults: A9 D14

from __future__ import annotations

import json
from typing import Any

import pytest

from mmbot.domain.events import TradesRead
from tests.exchange.parts import EPOCH_NS, S, a_client, example, kinds, reply, run


@pytest.mark.parametrize(
    ("row", "cents"),
    [
        ({"trade_id": 7, "wager_id": "o-1", "stake": "58.50"}, 5_850),
        ({"id": "t", "order_id": "o-1"}, 0),  # a row that names no amount only points to its order
    ],
)
def test_a_trade_is_read_in_both_vocabularies(row: dict[str, Any], cents: int) -> None:
    async def scenario() -> None:
        parts = a_client()
        parts.http.on("/v4/mm/get_trades", reply({"data": {"trades": [row]}}))
        (event,) = await parts.gateway.read_trades(EPOCH_NS - S)
        assert isinstance(event, TradesRead)
        assert [(one.order_id, one.stake_cents) for one in event.rows] == [("o-1", cents)]

    run(scenario())


def test_trades_over_pages_and_what_spoils_them() -> None:
    # faults: A9 D14
    async def scenario() -> None:
        parts = a_client()
        body = json.loads(example("get_trades.response.v4.json"))
        more = {**body, "data": {**body["data"], "next_cursor": "c"}}
        parts.http.on("/v4/mm/get_trades", reply(more), reply(body))
        (event,) = await parts.gateway.read_trades(EPOCH_NS - S)
        assert isinstance(event, TradesRead)
        assert [(one.trade_id, one.stake_cents) for one in event.rows] == [("trade-9911", 5_850)]
        parts.http.on("/v4/mm/get_trades", reply({"data": {"trades": [{"id": 1}]}}))
        assert kinds(await parts.gateway.read_trades(EPOCH_NS - S)) == ["ReadFailed"]
        parts.http.on("/v4/mm/get_trades", reply({"data": {"trades": None}}))
        (event,) = await parts.gateway.read_trades(EPOCH_NS - S)
        assert isinstance(event, TradesRead)
        assert event.rows == ()

    run(scenario())
