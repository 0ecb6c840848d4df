"""What happens in a virtual day, from the first request to the last money row."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from mmbot.app.simulate_acts import Acts, Stage
from mmbot.app.simulate_plan import DayPlan
from mmbot.sim.core.lifecycle import SportEvent
from mmbot.sim.stream.channels import event_of

LOOK_S: Final = 0.5
AUDIT_S: Final = 75.0
BACK_MAX_S: Final = 30.0  # after the calm, a daemon must be quoting
EMPTY_MAX_S: Final = 120.0  # an order in doubt is believed absent after 72 s and two reads
STOPPED_S: Final = 25.0  # and nothing comes again
OTHERS_S: Final = 75.0  # money of a person is only read by the clock
BOOKED_MAX_S: Final = 150.0  # two rounds of the reads that are made by the clock
END_MAX_S: Final = 110.0
REVERSED_S: Final = 150.0  # until reads have shown that a result is another one
DOWN_S: Final = 180.0  # longer than the reads of money overlap
AUDIT_EVERY_S: Final = 90.0
SOON_NS: Final = 180 * 10**9  # games that start within are left by then


class Story:
    """Acts on the box from outside of every island; `findings` are what did not come about."""

    def __init__(self, plan: DayPlan, stage: Stage) -> None:
        self.findings: list[str] = []
        self.flat_ns: int | None = None
        self.last_status: dict[str, Any] = {}
        self._plan = plan
        self._stage = stage
        self._keeper = stage.keeper
        self._acts = Acts(stage)
        self._paused: object = None

    async def tell(self, after_calm: Callable[[], None]) -> None:
        """Play it to the end; `after_calm` is called while the daemon still quotes."""
        await self._quote()
        await self._acts.calm()
        await asyncio.sleep(self._plan.rules.calm_s)
        began_late = not self._quotes()
        if await self._until("quoting again after the calm", BACK_MAX_S, self._quotes):
            if began_late:  # it has the time of an audit to know
                await asyncio.sleep(AUDIT_S + self._plan.box.session.reporting_lag_s)
            await self._until("every game's channel asked for", BACK_MAX_S, self._subscribed)
            after_calm()
        if self._stage.tower is not None:
            self._stage.tower.relieve()
        await self._stop()
        await self._settle()
        await self._end()

    # --- the day -----------------------------------------------------------------------------

    async def _quote(self) -> None:
        """Everything at its moment, then the end of the faults."""
        loop, began_s = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        for moment in self._plan.moments:
            await asyncio.sleep(max(0.0, began_s + moment.at_s - loop.time()))
            began_s += await self._acts.act(moment)
        await asyncio.sleep(max(0.0, began_s + self._plan.rules.quoting_s - loop.time()))

    async def audit(self) -> None:
        """The ledger against the box, every minute in which it had the time to know."""
        watch, box = self._stage.judges.watch, self._stage.box
        known: object = None
        while True:
            await asyncio.sleep(AUDIT_EVERY_S)
            daemon = self._keeper.daemon
            if daemon is not known or daemon is None or daemon.status()["mode"] != "ENABLED":
                known = daemon
                watch.disturbed(box.now_ns())
            switches = box.box.switches
            if switches.reporting_down and switches.private_orders_lost:
                watch.disturbed(box.now_ns())  # neither list nor message tells anything
            if watch.may_audit(box.now_ns()):
                watch.audit(self._stage.judges.disk.orders(), box.now_ns())

    async def _stop(self) -> None:
        await self._acts.ask("/_box/stop_mark", {})
        lag_s = 2.0 * self._plan.box.session.reporting_lag_s
        if await self._until("empty after the stop", EMPTY_MAX_S + lag_s, self._flat):
            self.flat_ns = self._stage.box.now_ns()
            await asyncio.sleep(STOPPED_S)

    async def _settle(self) -> None:
        await self._acts.ask("/_box/takers", {"on": False})
        share = self._plan.rules.down_share
        down_s = DOWN_S if self._plan.rng("settlement").random() < share else 0.0
        if down_s:
            self._keeper.stays_down_s = down_s
            self._keeper.kill()
        await self._acts.ask("/_box/settle", {})
        lag_s = self._plan.box.session.reporting_lag_s
        if self._stage.judges.watch.a_person_traded:
            await asyncio.sleep(OTHERS_S + lag_s)
        wait_max_s = BOOKED_MAX_S + down_s + 2.0 * lag_s
        booked = await self._until("every settlement booked", wait_max_s, self._booked)
        if booked and self._plan.rng("taken back").random() < self._plan.rules.reversed_share:
            await self._acts.ask("/_box/do", {"action": "reverse", "event": 1})
            await asyncio.sleep(REVERSED_S)
            await self._acts.ask("/_box/do", {"action": "void", "event": 1})
            await asyncio.sleep(REVERSED_S)
            await self._until("every settlement booked again", wait_max_s, self._booked)

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
        if not any(len(game.settled_lines) < len(game.lines) for game in self._waiting()):
            return True  # a scenario may end, void or unlist them all
        return bool(status["orders"]["open"]) or not self._plan.roomy

    def _waiting(self) -> list[SportEvent]:
        games = self._stage.box.box.exchange.listing.events.values()
        soon_ns = self._stage.box.now_ns() + SOON_NS
        open_now = (game for game in games if game.status == "not_started" and game.listed)
        return [game for game in open_now if game.start_ns > soon_ns]

    def _subscribed(self) -> bool:
        """Nothing that was refused, taken or moved is lost for good (v4: each has a channel)."""
        channels = {event_of(name) for name in self._stage.box.box.hub.members.channels()}
        games = self._waiting() if self._plan.dialect == "v4" else ()
        return all((game.event_id, "") in channels for game in games)

    def _flat(self) -> bool:
        """Each new daemon must be told: a pause does not outlive a process."""
        daemon = self._keeper.daemon
        if daemon is None:
            return False
        if self._paused is not daemon:
            self._paused = daemon
            daemon.say("pause", "simulate", "end of the day")
            return False
        return daemon.status()["flat"] and not self._stage.box.box.maker.alive

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
        shown |= {
            "money_booked": status["money_booked"],
            "alive": len(self._stage.box.box.maker.alive),
        }
        return f" {shown}"
