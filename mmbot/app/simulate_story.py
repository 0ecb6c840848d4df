"""What happens in a virtual day, from the first request to the last money row."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, assert_never

import msgspec

from mmbot.app.simulate_keeper import Keeper
from mmbot.app.simulate_plan import DayPlan, Moment
from mmbot.sim.memory import InMemoryBox

LOOK_S: Final = 0.5
BACK_MAX_S: Final = 30.0  # after the calm, a daemon must be quoting
EMPTY_MAX_S: Final = 120.0  # an order in doubt is believed absent after 72 s and two reads
BOOKED_MAX_S: Final = 150.0  # two rounds of the reads that are made by the clock
END_MAX_S: Final = 110.0


class Story:
    """Acts on the box from outside of every island; `findings` are what did not come about."""

    def __init__(
        self,
        plan: DayPlan,
        box: InMemoryBox,
        keeper: Keeper,
        last_placement_ns: Callable[[], int | None],
    ) -> None:
        self.findings: list[str] = []
        self.flat_ns: int | None = None
        self.last_status: dict[str, Any] = {}
        self._plan = plan
        self._box = box
        self._keeper = keeper
        self._last_placement_ns = last_placement_ns
        self._paused: object = None
        self._halted_ns: int | None = None

    async def tell(self, after_calm: Callable[[], None]) -> None:
        """Play it to the end; `after_calm` is called while the daemon still quotes."""
        await self._quote()
        await asyncio.sleep(self._plan.rules.calm_s)
        if await self._until("quoting again after the calm", BACK_MAX_S, self._quotes):
            after_calm()
        await self._stop()
        await self._settle()
        await self._end()

    # --- the day -----------------------------------------------------------------------------

    async def _quote(self) -> None:
        """Everything at its moment, then the end of the faults."""
        loop, began_s = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        for moment in self._plan.moments:
            await asyncio.sleep(max(0.0, began_s + moment.at_s - loop.time()))
            await self._act(moment)
        await asyncio.sleep(max(0.0, began_s + self._plan.rules.quoting_s - loop.time()))

    async def _act(self, moment: Moment) -> None:
        games = list(self._box.box.exchange.listing.events.values())
        game = games[int(moment.chance * len(games))].event_id
        match moment.what:
            case "kill":
                self._keeper.kill()
            case "news":
                await self._ask("/_box/news", {}, may_fail=True)
            case "halt":
                self._keeper.halt()
                self._halted_ns = self._halted_ns or self._box.now_ns()
            case "resume":
                self._judge_halt()
                self._keeper.resume()
            case "suspend" | "reopen" | "start":
                word = "resume" if moment.what == "reopen" else moment.what
                asked = {"event_id": game, "action": word}
                await self._ask("/_box/event", asked, may_fail=True)  # it may be live already
            case "break" | "mend":
                self._keeper.journal_broken = moment.what == "break"
            case _:
                assert_never(moment.what)

    def _judge_halt(self) -> None:
        """I4: from the word on, no placement leaves the process."""
        left_ns, halted_ns = self._last_placement_ns(), self._halted_ns
        if left_ns is not None and halted_ns is not None and left_ns > halted_ns:
            late_s = (left_ns - halted_ns) / 1e9
            self.findings.append(f"I4: a placement left {late_s:.3f} s after the halt")
        self._halted_ns = None

    async def _stop(self) -> None:
        await self._ask("/_box/stop_mark", {})
        if await self._until("empty after the stop", EMPTY_MAX_S, self._flat):
            self.flat_ns = self._box.now_ns()

    async def _settle(self) -> None:
        await self._ask("/_box/takers", {"on": False})
        await self._ask("/_box/settle", {})
        await self._until("every settlement booked", BOOKED_MAX_S, self._booked)

    async def _end(self) -> None:
        if self._keeper.daemon is not None:
            self.last_status = self._keeper.status()
            self._keeper.daemon.stop()
        if not await self._until("ended", END_MAX_S, lambda: self._keeper.over):
            self._keeper.give_up()

    # --- looking -----------------------------------------------------------------------------

    def _quotes(self) -> bool:
        status = self._keeper.status()
        if not status or status["mode"] != "ENABLED":
            return False
        return bool(status["orders"]["open"]) or not self._plan.roomy

    def _flat(self) -> bool:
        """Each new daemon must be told: a pause does not outlive a process."""
        daemon = self._keeper.daemon
        if daemon is None:
            return False
        if self._paused is not daemon:
            self._paused = daemon
            daemon.say("pause", "simulate", "end of the day")
            return False
        return daemon.status()["flat"] and not self._box.box.maker.alive

    def _booked(self) -> bool:
        status = self._keeper.status()
        return bool(status) and status["unsettled"] == 0 and bool(status["money_booked"])

    async def _until(self, what: str, wait_max_s: float, seen: Callable[[], bool]) -> bool:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + wait_max_s
        while not seen():
            if self._keeper.over:
                self.findings.append(f"I7: the daemon is gone, so it was never seen {what}")
                return False
            if loop.time() >= until_s:
                self.findings.append(f"I7: not {what} within {wait_max_s:g} s{self._state()}")
                return False
            await asyncio.sleep(LOOK_S)
        return True

    def _state(self) -> str:
        status = self._keeper.status()
        if not status:
            return " (no daemon runs)"
        shown = {name: status[name] for name in ("mode", "why", "orders", "unsettled", "stream")}
        shown |= {"money_booked": status["money_booked"], "alive": len(self._box.box.maker.alive)}
        return f" {shown}"

    async def _ask(self, path: str, body: dict[str, Any], may_fail: bool = False) -> None:
        status, _, _ = await self._box.http_request("POST", path, {}, msgspec.json.encode(body))
        assert status == 200 or may_fail, f"{path}: {status}"
