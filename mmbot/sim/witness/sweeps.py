"""Sweeps of a strike: is it done while nothing tells what rests? Is it done too soon?

A mass cancel needs no list of what is ours; but whether a person rests there, too, only lists tell
after a start.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from mmbot.sim.core.orders import Account
from mmbot.sim.faults.faulty_ports import Reply, Sent
from mmbot.sim.faults.kinds import FrameKind, route_kind
from mmbot.sim.faults.plan import Fault, Injected
from mmbot.sim.virtual.island import Island

NS: Final = 1_000_000_000
CALM_NS: Final = 80 * NS  # a list of what rests has come in it, and the audit's whole interval
OWN_SWITCHES: Final = 2  # of the scene itself, between its begin and the first look
CRASHES: Final = frozenset({Fault.CRASH_BEFORE, Fault.CRASH_BETWEEN, Fault.CRASH_AFTER})


class Sweeps:
    """A tap of the wire. Judges only where nothing else was in the way, and no person trades."""

    def __init__(
        self,
        maker: Account,
        unwanted: Collection[str],
        lag_ns: int,
        now_ns: int,
    ) -> None:
        """`unwanted`: ids of which the ledger's last word is that they go; `lag_ns` as lists."""
        self.findings: list[str] = []
        self._maker = maker
        self._unwanted = unwanted
        self._calm_ns = CALM_NS + lag_ns
        self._client: Island | None = None
        self._hindered_ns = now_ns
        self._hindrances = 0
        self._begun = -1  # hindrances before; -1: this time nothing is judged
        self._resting: frozenset[str] = frozenset()
        self._listed = True  # to this client

    def hindered(self, now_ns: int) -> None:
        """Something that may keep a sweep from leaving, or from being allowed."""
        self._hindered_ns = now_ns
        self._hindrances += 1

    def begin(self, now_ns: int, a_person_traded: bool) -> None:
        calm = now_ns - self._hindered_ns > self._calm_ns and not a_person_traded
        self._begun = self._hindrances if calm else -1

    def look(self, now_ns: int, *, last: bool) -> None:
        """Twice: what is unwanted at both looks has stayed through every repetition."""
        resting = frozenset(o.request.external_id for o in self._maker.alive.values()) & set(
            self._unwanted
        )
        before, self._resting = self._resting, resting
        judged = self._begun >= 0 and self._hindrances == self._begun + OWN_SWITCHES
        for ident in sorted(before & resting) if last and judged else ():
            self.findings.append(f"I2: {ident}: unwanted, not swept, and alive at {now_ns / NS}")

    # --- the wire ------------------------------------------------------------------------------

    def sent(self, request: Sent, now_ns: int) -> None:
        if request.island is not None and request.island is not self._client:
            self._client, self._listed = request.island, False
            self.hindered(now_ns)
        if "by_market" in request.path and not self._listed:
            where = f"swept before a list told whether a person rests there, at {now_ns / NS}"
            self.findings.append(f"I4: {request.body.decode()}: {where}")

    def answered(self, request: Sent, reply: Reply, now_ns: int) -> None:
        """What is swept shows at the exchange alone."""
        self._listed |= reply[0] == 200 and "histor" in request.path

    def heard(self, kind: FrameKind, frame: str, now_ns: int) -> None:
        """No message tells of it."""

    def struck(self, entry: Injected, frame: str) -> None:
        places = any(route_kind(word) == "place" for word in entry.what.split())
        if entry.fault in CRASHES or not places:
            self.hindered(entry.now_ns)
