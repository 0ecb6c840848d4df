"""How a run under the virtual clock ends badly."""

from __future__ import annotations


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
