"""The odds feed: the bookmakers' own prices, moved with the box's fair value, a little late."""

from __future__ import annotations

import hashlib
import math
from functools import partial
from random import Random

import msgspec

from mmbot.sim.core.exchange import MS, Exchange
from mmbot.sim.core.lifecycle import NS, SportEvent, iso_seconds
from mmbot.sim.core.messages import Json
from mmbot.sim.core.prices import implied, logit, nearest_american, sigmoid
from mmbot.sim.games.odds_files import Bookmaker, OddsMarket, Outcome
from mmbot.sim.market.fair import FairBoard
from mmbot.sim.market.options import FeedOptions


class OddsFeed:
    """The Odds API v4 form of every listed event, rebuilt when a bookmaker moves."""

    def __init__(
        self, exchange: Exchange, fair: FairBoard, options: FeedOptions, rng: Random
    ) -> None:
        self._exchange = exchange
        self._fair = fair
        self._options = options
        self._rng = rng
        self._shift: dict[tuple[int, str], float] = {}
        self._noise: dict[tuple[int, str], float] = {}
        self._updated_ns: dict[tuple[int, str], int] = {}
        self._body: bytes | None = None

    def start(self, now_ns: int) -> None:
        for event in self._exchange.listing.events.values():
            self._follow(event, now_ns)

    def _follow(self, event: SportEvent, now_ns: int) -> None:
        """The bookmakers price a game from now on; a known one goes on as it was."""
        for book in event.game.bookmakers:
            key = (event.event_id, book.key)
            if key in self._noise:
                continue
            self._noise[key] = self._rng.gauss(0.0, self._options.noise_sd)
            self._move(event, book, now_ns)
            phase_ns = int(self._rng.random() * self._options.refresh_s * NS)
            self._await(event, book, now_ns + phase_ns)

    def news(self, event_id: int, now_ns: int) -> None:
        """Every bookmaker of an event moves within the news lag."""
        event = self._exchange.listing.events[event_id]
        self._follow(event, now_ns)  # it may be listed since a moment only, or under a new id
        for book in event.game.bookmakers:
            lag_ns = int(self._options.news_lag_ms * MS * self._rng.uniform(0.4, 1.0))
            self._exchange.schedule(now_ns + lag_ns, partial(self._move, event, book))

    def body(self) -> tuple[bytes, str]:
        """The whole feed as JSON, and its ETag."""
        for event in self._exchange.listing.events.values():
            self._follow(event, self._exchange.now_ns)
        if self._body is None:
            events = [self._event(one) for one in self._exchange.listing.events.values()]
            self._body = msgspec.json.encode(events)
        digest = hashlib.md5(self._body, usedforsecurity=False).hexdigest()
        return self._body, f'"{digest}"'

    def _await(self, event: SportEvent, book: Bookmaker, due_ns: int) -> None:
        self._exchange.schedule(due_ns, lambda at: self._refresh(event, book, at))

    def _refresh(self, event: SportEvent, book: Bookmaker, now_ns: int) -> None:
        self._move(event, book, now_ns)
        self._await(event, book, now_ns + int(self._options.refresh_s * NS))

    def _move(self, event: SportEvent, book: Bookmaker, now_ns: int) -> None:
        key = (event.event_id, book.key)
        memory = math.exp(-self._options.refresh_s / self._options.noise_memory_s)
        fresh = math.sqrt(1.0 - memory * memory) * self._options.noise_sd
        self._noise[key] = memory * self._noise[key] + fresh * self._rng.gauss(0.0, 1.0)
        self._shift[key] = sum(self._fair.shift(line.index) for line in event.lines) / len(
            event.lines
        )
        self._updated_ns[key] = now_ns
        self._body = None

    def _event(self, event: SportEvent) -> Json:
        game = event.game
        return {
            "id": game.key,
            "sport_key": game.sport_key,
            "sport_title": game.title,
            "commence_time": iso_seconds(event.start_ns),
            "home_team": game.home,
            "away_team": game.away,
            "bookmakers": [self._bookmaker(event, book) for book in game.bookmakers],
        }

    def _bookmaker(self, event: SportEvent, book: Bookmaker) -> Json:
        key = (event.event_id, book.key)
        updated = iso_seconds(self._updated_ns[key])
        move = self._shift[key] + self._noise[key]
        markets: list[Json] = [
            {
                "key": market.key,
                "last_update": updated,
                "outcomes": [_outcome(event, market, outcome, move) for outcome in market.outcomes],
            }
            for market in book.markets
        ]
        return {"key": book.key, "title": book.key, "last_update": updated, "markets": markets}


def _outcome(event: SportEvent, market: OddsMarket, outcome: Outcome, move: float) -> Json:
    """Side 0 (home, over) moves with the fair value, side 1 against it, a draw stays."""
    if outcome.name in (event.game.home, "Over"):
        sign = 1.0
    elif outcome.name in (event.game.away, "Under"):
        sign = -1.0
    else:
        sign = 0.0
    price = outcome.price
    if sign:
        price = nearest_american(sigmoid(logit(implied(price)) + sign * move))
    fields: Json = {"name": outcome.name, "price": price}
    if outcome.player:
        fields["description"] = outcome.player
    if outcome.point is not None:
        fields["point"] = outcome.point
    return fields
