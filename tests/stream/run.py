"""One scenario through the proxies: start, quote, troubles, stop, settle, judge."""

from __future__ import annotations

import asyncio
import json
import time
import tomllib
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

from mmbot.app.demo_config import to_toml, write_config
from mmbot.sim.scenario import find_scenario, read_table
from mmbot.sim.witness.stale import NS
from tests.crash.claims import Outcome
from tests.crash.run import ACCOUNT, CrashRun, Options
from tests.stream.proxy import HOST, Proxy
from tests.stream.spans import REACH_NS, Ways, again, ends_s
from tests.stream.troubles import Kind, Route, Trouble, draw_troubles

LAST_S: Final = 60.0  # of quoting, after all that the scenario has to show
BACK_S: Final = 30.0  # after the last trouble
PLAYED_S_MIN: Final = 90.0  # a scenario that shows little is played that long
CONFIG_POLL_S: Final = 5.0  # a stream that moves is noticed within the run
NEVER_S: Final = 1e6
# A daemon that does not notice quotes on through it, until its books are too old for anybody.
UNSEEN: Final = (Trouble(Kind.BLACKHOLE, Route.STREAM, at_s=10.0, lasts_s=25.0),)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for; `blind` switches the daemon's detection off, and the check must see it."""

    seed: int
    scenario: Path
    data: Path | None = None
    blind: bool = False
    lasts_s: float = 0.0  # the scenario begins again until then
    troubles: tuple[Trouble, ...] | None = None  # None: drawn from the seed


@dataclass(frozen=True, slots=True)
class Seen:
    """All that is known when it is over; times are ns of the wall clock."""

    outcome: Outcome
    table: dict[str, Any]
    lines: list[dict[str, Any]]
    ways: Ways
    until_ns: int  # when the quoting was stopped


class StreamRun(CrashRun):
    """As `CrashRun` without a kill, but daemon and exchange reach each other by two proxies.

    The feed of odds goes directly: it is nobody's stream.
    """

    def __init__(self, plan: Plan, folder: Path, say: Callable[[str], None]) -> None:
        super().__init__(Options(plan.seed, (), plan.scenario, plan.data), folder, say)
        self._plan = plan
        self._table = again(read_table(find_scenario(plan.scenario)), plan.lasts_s)
        self._proxies = AsyncExitStack()
        self._tell = say
        self._reach_ns = REACH_NS

    async def watch(self) -> Seen:
        """Play it; raises SetUpError or Stop with one line where it cannot go on."""
        await self._start()
        await self._quoting()
        plan, loop = self._plan, asyncio.get_running_loop()
        played_s = max(PLAYED_S_MIN, ends_s(self._table) + LAST_S)
        troubles = plan.troubles
        if troubles is None and plan.blind:
            troubles = UNSEEN
        if troubles is None:
            troubles = draw_troubles(plan.seed, played_s - LAST_S / 2)
        played_s = max([played_s, *(one.until_s + BACK_S for one in troubles)])
        began_ns, began_s = time.time_ns(), loop.time()
        self._begin_troubles(troubles)
        for trouble in troubles:
            loop.call_at(began_s + trouble.at_s, self._tell, str(trouble))
        await self._live(self._born_s + played_s - time.monotonic())
        until_ns = time.time_ns()

        def ns(at_s: float) -> int:
            return began_ns + round((at_s - began_s) * NS)

        await self._end()
        outcome = await self._outcome()
        with self._truth.open(encoding="utf-8") as text:
            lines = [line for line in map(json.loads, text) if line.get("account") == ACCOUNT
                     or line["kind"] == "fault"]  # fmt: skip
        ways = Ways(
            troubles,
            began_ns,
            [ns(at_s) for at_s in self._cut_s()],
            self._reach_ns,
            self._asked_s(),
            [(ns(since_s), ns(until_s)) for since_s, until_s in self._lives_s()],
        )
        return Seen(outcome, self._table, lines, ways, until_ns)

    def _begin_troubles(self, troubles: Sequence[Trouble]) -> None:
        for proxy in (self._rest, self._stream):
            proxy.begin(troubles)

    def _cut_s(self) -> list[float]:
        return self._stream.cut_s

    def _asked_s(self) -> Sequence[float]:
        return self._rest.asked_s

    def _lives_s(self) -> Sequence[tuple[float, float]]:
        return self._stream.lives_s

    def _scenario(self) -> Path:
        """The same on a venue that answers at once: what is judged are not its latencies."""
        copy = self._folder / f"loopback-{super()._scenario().name}"
        copy.write_text(to_toml(self._table | {"latency_profile": "loopback"}), encoding="utf-8")
        return copy

    async def close(self) -> None:
        await super().close()
        await self._proxies.aclose()

    async def _start(self) -> None:
        await self._start_box()
        self._born_s = time.monotonic()
        port = urlsplit(self._places.box_url).port
        assert port is not None
        draw = Random(f"jitter {self._plan.seed}").random
        self._rest, self._stream = (
            Proxy(port, route, draw) for route in (Route.REST, Route.STREAM)
        )
        for proxy in (self._rest, self._stream):
            await self._proxies.enter_async_context(proxy)
        await self._control.post("/_box/faults", {"ws_host": f"{HOST}:{self._stream.port}"})
        self._start_daemon(self._config())

    def _config(self) -> Path:
        """The demo's, but by way of the proxy; written over the one without it."""
        path = write_config(self._places, self._options.dialect)
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
        self._place(settings)
        settings["stream"]["config_poll_s"] = CONFIG_POLL_S
        if self._plan.blind:
            settings["stream"] |= {"health_timeout_s": NEVER_S, "reconnect_after_s": NEVER_S}
        path.write_text(to_toml(settings), encoding="utf-8")
        return path

    def _place(self, settings: dict[str, Any]) -> None:
        """Where the daemon finds the exchange."""
        settings["exchange"]["base_url"] = f"http://{HOST}:{self._rest.port}/partner"
