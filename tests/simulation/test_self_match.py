"""A person trades on the daemon's account: by the box's record nothing of ours ever crosses it."""

# faults: G7 B12

from __future__ import annotations

import json
from typing import Any

from tests.simulation.still_market import Still, still

HAND = "by-hand-1"
HAND_PRICE = 420  # 0.192: far from what rests, until the news


async def a_moneyline(market: Still) -> dict[str, Any]:
    _, _, body = await market.box.http_request("GET", "/_box/state", {}, b"")
    lines: list[dict[str, Any]] = json.loads(body)["lines"]
    return next(line for line in lines if line["strikes"][0]["fair"] > 0.7)


def on(market: Still, strike_id: str) -> list[dict[str, Any]]:
    rows = market.record()["orders"]
    return [row for row in rows if row["strike_id"] == strike_id and row["open_cents"]]


def test_a_persons_order_is_never_met_and_its_end_frees_the_price() -> None:
    async def evening(market: Still) -> None:
        line = await a_moneyline(market)
        favourite, outsider = (strike["strike_id"] for strike in line["strikes"])
        by_hand = {"strike_id": outsider, "price": HAND_PRICE, "usd": 20.0, "account": "maker"}
        await market.do("place", **by_hand)
        await market.wait(5)
        assert len(on(market, outsider)) == 2
        (before,) = on(market, favourite)
        await market.do("news", event=line["event_id"], shift_logit=0.9)
        await market.wait(15)
        invalid = [row for row in market.record()["orders"] if row["status"] == "invalid"]
        assert not invalid  # the box takes what crosses, and then calls it invalid
        assert not on(market, favourite)  # what is wanted there would meet the person's order
        hand = next(row for row in on(market, outsider) if row["price"] == HAND_PRICE)
        await market.do("cancel", account="maker", external_id=hand["external_id"])
        await market.wait(15)
        (after,) = on(market, favourite)
        assert after["price"] < before["price"]

    still(evening, rules={"self_match": "invalid"})
