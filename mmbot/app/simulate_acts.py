"""Carries out the moments of a virtual day, from outside of every island."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, assert_never, cast

import msgspec

from mmbot.app.simulate_disk import Death
from mmbot.app.simulate_halts import Halts
from mmbot.app.simulate_judges import Judges
from mmbot.app.simulate_keeper import Keeper
from mmbot.app.simulate_moments import Moment
from mmbot.app.simulate_settings import renamed, watching
from mmbot.app.simulate_tower import Tower
from mmbot.sim.faults.cable import Cable
from mmbot.sim.faults.switches import Switches
from mmbot.sim.memory import InMemoryBox
from mmbot.sim.witness.lapses import DEAF_NS, LEASE_NS

OFF: Final = Switches()
HOUR_S: Final = 3600.0
QUIET_S: Final = 240.0
TAKEN_USD: Final = 500.0
CROWD_ODDS: Final = 10_000  # nobody sells at these
BACK: Final = frozenset({"thaw", "mend_cable"})
HARMLESS: Final = frozenset({"news", "swept"})  # they keep no mass cancel from leaving
# What is asked of the box, and which fault that is.
SWITCHED: Final[Mapping[str, str]] = {
    "wire": "D12", "unauthorized_all": "D4", "books_silent": "E4", "book_image": "E11",
    "channels_shuffled": "E10", "health_check_stopped": "E16",
}  # fmt: skip
DONE: Final[Mapping[str, str]] = {
    "restart": "D16", "bust": "B13", "move_stream": "E6", "burst": "E15",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stage:
    """Who plays in a virtual day, and who looks on."""

    box: InMemoryBox
    keeper: Keeper
    judges: Judges
    halts: Halts
    cable: Cable
    tower: Tower | None  # on days that ask for it


class Acts:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._killed_s = -1e9
        self._games: dict[float, int] = {}  # that a chance means
        self._undo: dict[str, dict[str, Any]] = {}  # what the box is asked when all is over
        self._born = stage.box.box.options

    async def act(self, moment: Moment) -> float:
        """Do it; the seconds of the day that it took."""
        stage = self._stage
        if moment.what not in HARMLESS:
            stage.judges.sweeps.hindered(stage.box.now_ns())
        match moment.what:
            case "kill":
                self._kill(float(moment.ask or 0.0))
            case "news":
                await self._ask("/_box/news", {})
            case "halt":
                stage.halts.pull(moment.ask)
                if stage.judges.disk.trouble:
                    stage.judges.strikes.acted("B14")
            case "resume":
                stage.halts.resume()
            case "suspend" | "reopen" | "start":
                await self._game(moment)
            case "break" | "lock" | "slow":
                stage.judges.disk.trouble = moment.what
                stage.judges.strikes.acted("H7")
            case "mend":
                stage.judges.disk.trouble = ""
            case "die":
                stage.judges.disk.die(cast(Death, moment.ask))
            case "do" | "switch" | "rules":
                await self._steer(moment)
            case "rename":
                stage.keeper.settings = renamed(stage.keeper.settings)
                stage.judges.strikes.acted("H4")
            case "crowd":
                await self._crowd(int(moment.ask))
            case "swept":
                self._swept(moment.ask)
            case "watch":
                stage.keeper.settings = watching(stage.keeper.settings, moment.ask == "all")
                stage.judges.guard.forbidden.watched(moment.ask == "all", stage.box.now_ns())
            case "freeze" | "thaw" | "cut" | "mend_cable" | "unguard":
                self._away(moment)
            case "idle":
                return await self._idle(moment)
            case "quiet":
                return await self._quiet()
            case _:
                assert_never(moment.what)
        return 0.0

    async def calm(self) -> None:
        """No trouble goes on, and no order of a person rests any more."""
        stage = self._stage
        stage.judges.disk.trouble = stage.judges.disk.death = ""
        await self._healthy()
        await self._leave()

    async def ask(self, path: str, body: dict[str, Any]) -> None:
        """Of the box; it must be able to."""
        status = await self._ask(path, body)
        assert status == 200, f"{path}: {status}"

    # --- each ----------------------------------------------------------------------------------

    def _kill(self, away_s: float) -> None:
        """`away_s`: nobody starts it again for so long."""
        stage, now_s = self._stage, asyncio.get_running_loop().time()
        if away_s:
            stage.keeper.stays_down_s = away_s
            stage.judges.guard.lapses.gone(stage.box.now_ns(), LEASE_NS, still=False)
        if stage.keeper.kill():
            if now_s - self._killed_s < 5.0:
                stage.judges.strikes.acted("H3")
            self._killed_s = now_s

    def _away(self, moment: Moment) -> None:
        """The daemon stands still or is cut off, and comes back; or its guard dies."""
        stage, now_ns = self._stage, self._stage.box.now_ns()
        lapses = stage.judges.guard.lapses
        stage.judges.watch.disturbed(now_ns)
        match moment.what:
            case "freeze":
                if stage.keeper.freeze():
                    lapses.gone(now_ns, LEASE_NS, stage.judges.watch.durable, still=True)
            case "thaw":
                stage.keeper.thaw()
            case "mend_cable":
                stage.cable.mend()
            case "cut":
                stage.cable.cut()
                lapses.gone(now_ns, DEAF_NS, still=False)
            case _:
                if stage.tower is not None:
                    stage.tower.die(float(moment.ask))
        if moment.what in BACK and stage.cable.whole and not stage.keeper.frozen:
            lapses.back(now_ns)

    def _swept(self, which: str) -> None:
        stage = self._stage
        if which == "begin":
            stage.judges.sweeps.begin(stage.box.now_ns(), stage.judges.watch.a_person_traded)
        else:
            stage.judges.sweeps.look(stage.box.now_ns(), last=which == "last")

    async def _game(self, moment: Moment) -> None:
        events = self._stage.box.box.exchange.listing.events
        # The game that was paused is reopened, however many are listed by then.
        game = self._games.get(moment.chance)
        if game not in events:
            game = self._games[moment.chance] = list(events)[int(moment.chance * len(events))]
        word = "resume" if moment.what == "reopen" else moment.what
        await self._ask("/_box/event", {"event_id": game, "action": word})  # it may be live already

    async def _steer(self, moment: Moment) -> None:
        asked = json.loads(moment.ask)
        stage = self._stage
        if moment.what != "do":
            await self._turn(moment, asked)
            return
        if "over_usd" in asked:
            asked["usd"] = asked.pop("over_usd") + self._room_usd()
        await self._by_hand(asked)
        if asked["action"] in DONE:
            stage.judges.strikes.acted(DONE[asked["action"]])
        if asked["action"] == "restart":
            stage.judges.watch.disturbed(stage.box.now_ns() + round(asked["down_s"] * 1e9))
        elif asked["action"] == "close_sockets" and stage.box.box.switches.books_silent:
            stage.judges.strikes.acted("E3")
        elif asked.get("sequence_unit"):
            stage.judges.strikes.acted("J5")

    async def _turn(self, moment: Moment, asked: dict[str, Any]) -> None:
        """A switch or a rule of the exchange is otherwise from now on."""
        stage = self._stage
        if moment.what == "rules":
            path = "/_box/rules"
            off = {name: self._as_born(name, table) for name, table in asked.items()}
        else:
            path = "/_box/faults"
            off = {name: getattr(OFF, name) for name in asked}
        self._undo.setdefault(path, {}).update(off)
        for name, value in asked.items():
            if value and name in SWITCHED:
                stage.judges.strikes.acted(SWITCHED[name])
        await self._ask(path, asked)
        stage.judges.watch.disturbed(stage.box.now_ns())

    def _as_born(self, name: str, table: dict[str, Any]) -> dict[str, Any]:
        return {key: getattr(getattr(self._born, name), key) for key in table}

    def _room_usd(self) -> float:
        """What everything may still lose, whole dollars of it."""
        watch = self._stage.judges.watch
        return float((watch.bounds.total_loss_max_cents - watch.account.total_cents()) // 100)

    async def _by_hand(self, asked: dict[str, Any]) -> None:
        self._stage.judges.watch.by_hand = True
        await self._ask("/_box/do", asked)
        self._stage.judges.watch.by_hand = False

    async def _healthy(self) -> None:
        """Whatever was switched on at the exchange is off again."""
        for path, asked in self._undo.items():
            await self.ask(path, asked)

    async def _leave(self) -> None:
        """A person takes back all that he placed."""
        for order in list(self._stage.box.box.maker.alive.values()):
            name = order.request.external_id
            if not name.startswith(self._stage.judges.watch.bounds.prefix):
                await self._by_hand({"action": "cancel", "external_id": name})

    async def _crowd(self, count: int) -> None:
        """So many orders of a person on the same account, where nobody wants them."""
        if not count:
            await self._leave()
        for number in range(count):
            where = {"event": 1 + number % 3, "line": 1, "side": number % 2}
            bid = {"price": CROWD_ODDS, "usd": 1.0}
            await self._ask("/_box/do", {"action": "place"} | where | bid)

    async def _idle(self, moment: Moment) -> float:
        """Nobody trades for an hour: we are switched off, or our strategies pause."""
        stage, idle_s = self._stage, HOUR_S * (1.0 + 0.05 * moment.chance)
        await self._healthy()  # no scene is meant to go on for so long
        stage.judges.disk.trouble = ""
        await self._ask("/_box/takers", {"on": False})
        if moment.ask == "down":
            stage.keeper.stays_down_s = idle_s
            stage.keeper.kill()
        elif stage.keeper.daemon is not None:
            stage.keeper.daemon.say("pause", "simulate", "an hour without trading")
        await asyncio.sleep(idle_s)
        await self._by_hand({"action": "take", "usd": TAKEN_USD})  # of what came back meanwhile
        if moment.ask == "paused":
            stage.halts.resume()  # the word ends a halt, too
        await self._ask("/_box/takers", {"on": True})
        return idle_s

    async def _quiet(self) -> float:
        """Nobody trades for minutes, and no trouble goes on; we do."""
        stage = self._stage
        await self._healthy()
        stage.judges.disk.trouble = ""
        await self._ask("/_box/takers", {"on": False})
        stage.judges.quiet.begin(stage.box.now_ns())
        await asyncio.sleep(QUIET_S)
        if stage.judges.quiet.end(stage.box.now_ns()):
            stage.judges.strikes.acted("E2")
        await self._ask("/_box/takers", {"on": True})
        return QUIET_S

    async def _ask(self, path: str, body: dict[str, Any]) -> int:
        asked = msgspec.json.encode(body)
        status, _, _ = await self._stage.box.http_request("POST", path, {}, asked)
        return status
