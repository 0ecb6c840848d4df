"""Who looks on at a virtual day, and how each of them hears of box and wire."""

from __future__ import annotations

from functools import partial
from typing import Any

from mmbot.app.simulate_disk import Disk
from mmbot.app.simulate_guard import Guard
from mmbot.app.simulate_plan import DayPlan
from mmbot.config import Settings
from mmbot.sim.faults.faulty_ports import FaultyPorts
from mmbot.sim.memory import InMemoryBox
from mmbot.sim.virtual.loop import VirtualLoop
from mmbot.sim.witness.lists import Lists
from mmbot.sim.witness.quiet import Quiet
from mmbot.sim.witness.stale_watch import StaleWatch
from mmbot.sim.witness.strikes import Strikes
from mmbot.sim.witness.sweeps import Sweeps
from mmbot.sim.witness.watch import Bounds, Watch


class Judges:
    """Made before the wire; `attend` when there is one. `disk` tells them what is durable."""

    def __init__(
        self,
        plan: DayPlan,
        settings: Settings,
        bounds: Bounds,
        strikes: Strikes,
        box: InMemoryBox,
        loop: VirtualLoop,
    ) -> None:
        prefix, lag_ns = bounds.prefix, bounds.lag_ns
        self._box = box.box
        self.strikes = strikes
        self.watch = watch = Watch(bounds, loop.now_ns())
        self.disk = Disk(loop, watch, lambda: strikes.placements_answered)
        self.lists = Lists(lag_ns, loop.now_ns)
        self.sweeps = Sweeps(box.box.maker, self.disk.unwanted, lag_ns, loop.now_ns())
        self.stale = StaleWatch(box.box.hub, prefix, loop.now_ns, box.box.switches)
        self.quiet = Quiet(box.box.maker, prefix, self.stale.shown, lag_ns)
        self.guard = Guard(plan, settings, box, watch, self.stale)
        self.disk.absent = self.lists.absent

    def attend(self, wire: FaultyPorts) -> None:
        """Hear all that passes it, and all that happens at the box."""
        watch, strikes, lists, quiet = self.watch, self.strikes, self.lists, self.quiet
        wire.taps += [watch, strikes, lists, self.sweeps, self.stale, quiet, self.guard.lapses]
        self._box.witnesses.reporting.tells = lists.tell
        for changed in (watch, strikes, lists, quiet):
            self._box.witnesses.hearers.append(changed.order_changed)
        for struck in (watch, strikes, self.sweeps, quiet):
            self._box.faults.hearers.append(partial(struck.struck, frame=""))

    def findings(self, orders: list[dict[str, Any]]) -> list[str]:
        """`orders` as in the record of the box."""
        found = [*self.watch.findings, *self.sweeps.findings, *self.quiet.findings]
        found += [*self.lists.findings, *self.stale.findings(orders)]
        return [*found, *self.guard.findings(orders)]
