"""Every halt and every resume of a virtual day, as its judges have to hear of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mmbot.app.simulate_keeper import Keeper
from mmbot.sim.witness.forbidden import Forbidden
from mmbot.sim.witness.lapses import Lapses
from mmbot.sim.witness.watch import Watch

LATCH_SEEN_NS: Final = 300_000_000  # a daemon looks whether somebody set the latch


@dataclass(frozen=True, slots=True)
class Halts:
    keeper: Keeper
    watch: Watch
    forbidden: Forbidden
    lapses: Lapses
    now_ns: Callable[[], int]

    def pull(self, channel: str) -> None:
        """By a person; see Keeper.halt."""
        self.keeper.halt(channel)
        self._heard(LATCH_SEEN_NS if channel == "file" else 0)

    def latched(self) -> None:
        """A sentinel has set the latch: what stands still reads it before anything else."""
        self._heard(0 if self.keeper.frozen else LATCH_SEEN_NS)

    def resume(self) -> None:
        now_ns = self.now_ns()
        self.watch.resumed()
        self.forbidden.resumed(now_ns)
        self.lapses.resumed(now_ns)
        self.watch.disturbed(now_ns)
        self.keeper.resume()

    def _heard(self, seen_ns: int) -> None:
        since_ns = self.now_ns() + seen_ns
        self.watch.halted(since_ns)
        self.forbidden.halted(since_ns)
