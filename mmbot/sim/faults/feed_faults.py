"""A reference feed that is wrong: shifted, in decimal odds, or with the teams swapped."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from mmbot.sim.core.prices import implied, logit, nearest_american, ratio, sigmoid
from mmbot.sim.faults.switches import Switches


def spoiled(feed: tuple[bytes, str], switches: Switches) -> tuple[bytes, str]:
    """The feed and its ETag as the switches say; untouched when none of them is on."""
    if not (switches.feed_decimal or switches.feed_swapped or switches.feed_shift_logit):
        return feed
    events = msgspec.json.decode(feed[0])
    for event in events:
        if switches.feed_swapped:
            home, away = event["home_team"], event["away_team"]
            event["home_team"], event["away_team"] = away, home
        for book in event["bookmakers"]:
            for market in book["markets"]:
                for number, outcome in enumerate(market["outcomes"]):
                    _price(outcome, number, switches)
    body = msgspec.json.encode(events)
    digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
    return body, f'"{digest}"'


def _price(outcome: dict[str, Any], number: int, switches: Switches) -> None:
    """The first outcome of a market gets dearer by the shift, the others cheaper."""
    price = outcome["price"]
    if switches.feed_shift_logit:
        shift = switches.feed_shift_logit * (1 if number == 0 else -1)
        price = nearest_american(sigmoid(logit(implied(price)) + shift))
    if switches.feed_decimal:
        num, den = ratio(price)
        price = round(1 + num / den, 2)
    outcome["price"] = price
