"""An exchange with weather: what it thinks of sessions, tokens and rates, hour after hour.

It keeps its own time, its own tokens and a record of what arrived; the judge reads only these.
"""

from __future__ import annotations

import asyncio
import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from itertools import count, pairwise
from random import Random
from typing import Final

from mmbot.exchange.http import HttpReply, NotSent, ReplyLost, Unreachable
from mmbot.exchange.order_wire import Cleared
from tests.exchange.parts import EPOCH_NS, refused, reply, wire_order

LATENCY_S: Final = 0.02
HINT_S: Final = 7  # of a 429 that says how long to wait
LOGIN, REFRESH = "/auth/login", "/auth/refresh"
AUTH: Final = ("fine", "fine", "500", "lost", "hangs", "unreachable", "429", "unreadable", "dead")
REST: Final = ("fine", "fine", "fine", "429", "429 with a hint", "502", "lost", "full")
LIVES_S: Final = (600.0, 600.0, 1200.0, 60.0, 30.0)
UNITS: Final = ("s", "ms", "ns", "relative", "past", "absent")


@dataclass(slots=True)
class Weather:
    """From `since_s` on, in seconds of the loop."""

    since_s: float
    auth: str
    rest: str
    life_s: float
    unit: str
    date_off_s: float


class FoulWeather:
    """An HttpPort. Times are the loop's, which nobody sets."""

    def __init__(self, draw: Random, hours: float) -> None:
        self._draw = draw
        self._names = count(1)
        self.weather = list(self._forecast(hours * 3_600))
        self.arrived: list[tuple[float, str]] = []  # when, path without query
        self.valid_s: dict[str, tuple[float, float]] = {}  # token -> from, until
        self.refreshable = {""}
        self.taken_s: list[float] = []  # cancels that were accepted

    def _forecast(self, last_s: float) -> Iterator[Weather]:
        at_s, draw = 0.0, self._draw
        yield Weather(0, "fine", "fine", 600, "s", 0)
        while (at_s := at_s + draw.uniform(20, 400)) < last_s:
            auth, rest = draw.choice(AUTH), draw.choice(REST)
            date_off_s, life_s = draw.choice((0.0, 0.0, 0.0, -600.0, 900.0)), draw.choice(LIVES_S)
            # Nobody can know of so short a life who is not told.
            unit = draw.choice(UNITS if life_s >= 60 else UNITS[:4])
            yield Weather(at_s, auth, rest, life_s, unit, date_off_s)
        yield Weather(last_s, "fine", "fine", 600, "s", 0)

    @property
    def now(self) -> Weather:
        at_s = asyncio.get_running_loop().time()
        return [one for one in self.weather if one.since_s <= at_s][-1]

    def auth_worked_s(self, from_s: float, until_s: float) -> float:
        """The longest time without a break, in these bounds, in which a refresh was answered."""
        best_s = run_s = 0.0
        for one, after in pairwise([*self.weather, Weather(10**9, "", "", 0, "", 0)]):
            part_s = min(until_s, after.since_s) - max(from_s, one.since_s)
            run_s = run_s + part_s if one.auth == "fine" and part_s > 0 else 0.0
            best_s = max(best_s, run_s)
        return best_s

    async def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        timeout_s: float,
        cleared: Cleared | None = None,
    ) -> HttpReply:
        if cleared is not None and (reason := await cleared()):
            raise NotSent(reason)
        bare = path.partition("?")[0]
        weather, loop = self.now, asyncio.get_running_loop()
        if bare in (LOGIN, REFRESH) and weather.auth == "unreachable":
            raise Unreachable("nobody there")
        await asyncio.sleep(LATENCY_S)
        self.arrived.append((loop.time(), bare))
        if bare in (LOGIN, REFRESH):
            answer = await self._auth(bare, body, weather, timeout_s)
        else:
            token = headers.get("Authorization", "").removeprefix("Bearer ")
            answer = self._rest(bare, token, weather)
        date = formatdate(EPOCH_NS // 10**9 + loop.time() + weather.date_off_s, usegmt=True)
        return HttpReply(answer.status, {**answer.headers, "date": date}, answer.body)

    async def _auth(self, path: str, body: bytes, weather: Weather, timeout_s: float) -> HttpReply:
        match weather.auth:
            case "500":
                return refused(500, "internal_error")
            case "429":
                return refused(429, "rate_limit_reached")
            case "lost":
                raise ReplyLost("reset")
            case "unreadable":
                return HttpReply(200, {}, b"<html>")
            case "hangs":
                await asyncio.sleep(timeout_s)
                raise ReplyLost("no reply in time")
            case "dead" if path == REFRESH:
                return refused(401, "unauthorized")
            case "dead":
                return refused(403, "session_num_exceed")
        if path == REFRESH and json.loads(body)["refresh_token"] not in self.refreshable:
            return refused(401, "unauthorized")
        return self._new_token(path, weather)

    def _new_token(self, path: str, weather: Weather) -> HttpReply:
        now_s = asyncio.get_running_loop().time()
        name = f"t{next(self._names)}"
        self.valid_s[name] = now_s, now_s + weather.life_s
        ends_s = EPOCH_NS // 10**9 + now_s + weather.life_s + weather.date_off_s
        given = {
            "s": ends_s,
            "ms": ends_s * 1e3,
            "ns": int(ends_s) * 10**9,
            "relative": weather.life_s,
            "past": ends_s - 5_000,
        }.get(weather.unit)
        data: dict[str, object] = {"access_token": name, "access_expire_time": given}
        if path == LOGIN:
            data["refresh_token"] = f"r{name}"
            self.refreshable.add(f"r{name}")
        return reply({"data": data})

    def _rest(self, path: str, token: str, weather: Weather) -> HttpReply:
        now_s = asyncio.get_running_loop().time()
        match weather.rest:
            case "429":
                return refused(429, "rate_limit_reached")
            case "429 with a hint":
                return HttpReply(429, {"retry-after": str(HINT_S)}, b"{}")
            case "502":
                return HttpReply(502, {}, b"<html>")
            case "lost":
                raise ReplyLost("reset")
            case "full" if "submit" in path:
                return refused(429, "too_many_delayed_requests")
        since_s, until_s = self.valid_s.get(token, (0.0, 0.0))
        if not since_s <= now_s < until_s:
            return refused(401, "unauthorized")
        if "cancel" in path:
            self.taken_s.append(now_s)
            return reply({"data": {"success": True}})
        return reply({"data": wire_order(1) | {"balance": 1, "matched_order_balance": 0}})

    # --- what the judge asks -----------------------------------------------------------------

    def busiest_second(self) -> int:
        at_s = [when for when, _ in self.arrived]
        return max(n + 1 - bisect_left(at_s, when - 1) for n, when in enumerate(at_s))

    def shortest_gap_s(self, path: str) -> float:
        at_s = [when for when, what in self.arrived if what == path]
        return min((after - before for before, after in pairwise(at_s)), default=10.0**9)
