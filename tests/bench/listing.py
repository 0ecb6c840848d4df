"""What the stand-in lists and shows: one event, many lines, books that move, as bodies and frames.

Composed, not recorded: two sides of ten levels with twelve fields each, about 5.7 kB of payload,
which is near the largest message that a Pusher service carries.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

TOKEN_LIFE_S: Final = 600
EVENT_ID: Final = 10079123
TOURNAMENT_ID: Final = 31
MARKET_ID: Final = 225
LINES: Final = 30
LEVELS: Final = 10
TIGHT_STEPS: Final = 4  # ladder steps between the two best offers: a strategy quotes
WIDE_STEPS: Final = 40  # it does not
START_STEP: Final = 120
USER: Final = "5f0a8c1e2b7d4e559a416c0d3b7e9f12"
PRIVATE_CHANNEL: Final = f"private-service=6-device_type=5-user={USER}"
EVENT_CHANNELS: Final = "private-broadcast-service=6-device_type=5-event="
EVENT_CHANNEL: Final = f"{EVENT_CHANNELS}{EVENT_ID}"
LADDER_FILE: Final = Path(__file__).parents[2] / "mmbot" / "data" / "price_ladder.json"

Selections = list[list[dict[str, Any]]]


def implied(price: int) -> float:
    """Probability of an American price."""
    return 100 / (price + 100) if price > 0 else -price / (100 - price)


def complement(price: int) -> int:
    return 100 if price == 100 else -price


def load_ladder() -> tuple[int, ...]:
    """The exchange's prices, cheapest first (by what they cost)."""
    data = json.loads(LADDER_FILE.read_text(encoding="utf-8"))
    return tuple(sorted(data["values"], key=implied))


def strike_id(line: int, side: int) -> str:
    return hashlib.md5(f"bench:{line}:{side}".encode()).hexdigest()


def number_of(line: int) -> float:
    return 30.5 + line


@dataclass(frozen=True, slots=True)
class Tick:
    """One image of one line: the best offer of side 0 stands on ladder step `step`."""

    line: int
    step: int
    tight: bool


class Walk:
    """A seeded price path per line; each tick moves it by 3 to 12 ladder steps."""

    def __init__(self, seed: int, ladder: tuple[int, ...]) -> None:
        self._rng = random.Random(seed)
        self._low = next(i for i, price in enumerate(ladder) if implied(price) > 0.35)
        self._high = next(i for i, price in enumerate(ladder) if implied(price) > 0.65)
        self._steps = dict.fromkeys(range(LINES), (self._low + self._high) // 2)

    def tick(self, line: int, tight: bool) -> Tick:
        move = self._rng.choice((-1, 1)) * self._rng.randint(3, 12)
        if not self._low <= self._steps[line] + move <= self._high:
            move = -move
        self._steps[line] += move
        return Tick(line, self._steps[line], tight)


def selections(tick: Tick, ladder: tuple[int, ...], now_ns: int) -> Selections:
    """Best first; what a taker can get on either outcome."""
    width = TIGHT_STEPS if tick.tight else WIDE_STEPS
    offers = (
        [ladder[tick.step + i] for i in range(LEVELS)],
        [complement(ladder[tick.step - width - i]) for i in range(LEVELS)],
    )
    return [
        [_level(tick.line, side, price, 500.0 + 37.5 * i, now_ns) for i, price in enumerate(prices)]
        for side, prices in enumerate(offers)
    ]


def _level(line: int, side: int, price: int, value: float, now_ns: int) -> dict[str, Any]:
    number = number_of(line)
    ratio = price / 100 if price > 0 else -100 / price
    word = ("over", "under")[side]
    return {
        "outcome_id": 12 + side,
        "name": f"{word} {number}",
        "display_name": f"{word.title()} {number}",
        "competitor_id": 0,
        "strike": number,
        "strike_id": strike_id(line, side),
        "price": price,
        "display_price": f"{price:+d}",
        "display_strike": str(number),
        "quantity": round(value * ratio, 2),
        "value": value,
        "updated_at": now_ns,
    }


def push(event: str, channel: str, payload: dict[str, Any], now_ns: int) -> bytes:
    """An application message as the stream carries it: base64 of JSON in JSON in JSON."""
    inner = base64.b64encode(_compact(payload)).decode("ascii")
    change_type = "private_system_signal" if event == "health_check" else event
    data = {"timestamp": now_ns, "change_type": change_type, "payload": inner, "op": "u"}
    return _compact({"event": event, "channel": channel, "data": _compact(data).decode("ascii")})


def book_message(tick: Tick, book: Selections, now_ns: int, event_id: int = EVENT_ID) -> bytes:
    info = {
        "id": MARKET_ID,
        "name": "Total Points",
        "type": "total",
        "strike": number_of(tick.line),
        "selections": book,
        "sequence_number": now_ns // 1_000,
    }
    payload = {"sport_event_id": event_id, "market_id": MARKET_ID, "info": info}
    return push("market_selections", f"{EVENT_CHANNELS}{event_id}", payload, now_ns)


def order_message(order: dict[str, Any], now_ns: int) -> bytes:
    info = {
        **order,
        "fill_price": 0,
        "total_filled_quantity": 0,
        "update_type": "status",
        "sequence_number": now_ns // 1_000,
    }
    return push("orders", PRIVATE_CHANNEL, {"info": info}, now_ns)


def markets_body(books: list[Selections]) -> dict[str, Any]:
    """The lines 0, 1, ... of the one event, each with its book."""
    return {str(EVENT_ID): [market(EVENT_ID, dict(enumerate(books)))]}


def market(event_id: int, books: Mapping[int, Selections]) -> dict[str, Any]:
    """One market of totals, a line for each book."""
    children = [
        {
            "id": MARKET_ID,
            "name": f"Total {number_of(line)}",
            "strike": number_of(line),
            "status": "active",
            "selections": book,
        }
        for line, book in books.items()
    ]
    return {
        "id": MARKET_ID,
        "event_id": event_id,
        "name": "Total Points",
        "type": "total",
        "sub_type": "total",
        "status": "active",
        "strike": number_of(min(books)),
        "market_strikes": children,
    }


def sport_events_body(start: str, event_ids: Iterable[int] = (EVENT_ID,)) -> dict[str, Any]:
    return {"sport_events": [_sport_event(start, event_id) for event_id in event_ids]}


def _sport_event(start: str, event_id: int) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "name": "Bench Visitors at Bench Hosts",
        "type": "match",
        "sub_type": None,
        "sport_name": "American Football",
        "tournament_id": TOURNAMENT_ID,
        "tournament_name": "Bench",
        "scheduled": start,
        "status": "not_started",
        "competitors": [
            {"id": 1, "name": "Bench Hosts", "side": "home"},
            {"id": 2, "name": "Bench Visitors", "side": "away"},
        ],
    }


def registration_body(event_ids: Iterable[int] = (EVENT_ID,)) -> dict[str, Any]:
    names = [{"name": "orders", "type": "orders"}]
    names.append({"name": "health_check", "type": "private_system_signal"})
    books = [{"name": "market_selections", "type": "market_selections"}]
    channels: list[dict[str, Any]] = [
        {"channel_name": PRIVATE_CHANNEL, "auth": "bench:0", "binding_events": names},
        *(
            {
                "channel_name": f"{EVENT_CHANNELS}{event_id}",
                "auth": "bench:1",
                "binding_events": books,
                "scope": {"event_id": event_id},
            }
            for event_id in event_ids
        ),
    ]
    signin = {"auth": "bench:2", "user_data": json.dumps({"id": USER})}
    return {"success": True, "authorized_channel": channels, "authenticated": signin}


def places() -> dict[str, tuple[int, int]]:
    """strike id -> (line, side)"""
    return {strike_id(line, side): (line, side) for line in range(LINES) for side in (0, 1)}


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def tokens(name: str) -> dict[str, Any]:
    """The name of the stack is its token: there is nothing to protect here."""
    ends = int(time.time()) + TOKEN_LIFE_S
    return {
        "access_token": name,
        "access_expire_time": ends,
        "refresh_token": name,
        "refresh_expire_time": ends + 3 * 86_400,
    }
