"""A reference feed that is wrong in one way each."""

from __future__ import annotations

import json
from typing import Any

from mmbot.sim.core.prices import implied
from tests.sim.builders import Client, a_box


def feed(client: Client) -> tuple[list[dict[str, Any]], str]:
    reply = client.box.http("GET", "/_feed/odds", {}, b"", client.now_ns)
    return json.loads(reply.body), reply.headers["ETag"]


def first_prices(events: list[dict[str, Any]]) -> list[float]:
    market = events[0]["bookmakers"][0]["markets"][0]
    return [outcome["price"] for outcome in market["outcomes"]]


# faults: F12 F13
def test_the_feed_is_decimal_shifted_or_has_the_teams_swapped() -> None:
    client = Client(a_box())
    usual, tag = feed(client)

    def under(**switches: object) -> list[dict[str, Any]]:
        client.call("POST", "/_box/faults", switches)
        events, other_tag = feed(client)
        assert other_tag != tag
        client.call("DELETE", "/_box/faults")
        return events

    assert all(1 < price < 100 for price in first_prices(under(feed_decimal=True)))
    swapped = under(feed_swapped=True)[0]
    assert (swapped["home_team"], swapped["away_team"]) == (
        usual[0]["away_team"],
        usual[0]["home_team"],
    )
    before = [implied(round(price)) for price in first_prices(usual)]
    after = [implied(round(price)) for price in first_prices(under(feed_shift_logit=0.5))]
    assert after[0] > before[0] + 0.05
    assert after[1] < before[1] - 0.05
    assert feed(client) == (usual, tag)
