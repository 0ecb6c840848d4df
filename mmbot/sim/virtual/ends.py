"""How far a run under the virtual clock may go, and how it ends badly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HORIZON_S_MAX: Final = float(2**21)  # beyond 24 days a float no longer tells nanoseconds apart


@dataclass(frozen=True, slots=True)
class LoopLimits:
    horizon_s: float = 86_400.0
    steps_per_instant_max: int = 200_000
    executor_delay_s_max: float = 0.0  # virtual duration of work for an executor, drawn per job
    real_limit_s: float = 0.0  # 0 = no watchdog on real time

    def __post_init__(self) -> None:
        if not 0 < self.horizon_s <= HORIZON_S_MAX:
            raise ValueError(f"horizon_s must be in (0, {HORIZON_S_MAX:.0f}]: {self.horizon_s}")


class VirtualRunError(RuntimeError):
    """The run cannot go on or did not end cleanly."""


class Deadlock(VirtualRunError):
    """Every task waits and no timer will ever wake one."""


class HorizonPassed(VirtualRunError):
    """The next thing to happen lies beyond the end of the run."""


class Spin(VirtualRunError):
    """Callbacks went on and on without time moving."""


class UnhandledError(VirtualRunError):
    """A callback or a forgotten future failed and nobody looked."""


class RealNetworkRefused(VirtualRunError):
    """Code under the virtual clock asked for a socket, a pipe, a process or a name server."""
