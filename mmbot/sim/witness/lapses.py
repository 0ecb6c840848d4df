"""The judge of the dead man's switch: who looks after a client's orders while it cannot.

A client is away while it stands still, is dead, or is cut from the network. A guard of its own has
then to empty the account, and to say so. Back again, the client acts on nothing that it knew
before: what had not left never leaves, and a game is quoted once its books were read anew. Where
the guard is required and away itself, nothing may be placed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit

from mmbot.sim.faults.faulty_ports import Reply, Sent
from mmbot.sim.faults.kinds import FrameKind, external_ids
from mmbot.sim.faults.plan import Injected
from mmbot.sim.virtual.island import Island
from mmbot.sim.witness.observer import ended_ns
from mmbot.sim.witness.stale import NS, Span, merged, minus
from mmbot.sim.witness.stale_record import Row
from mmbot.sim.witness.stale_watch import MARKETS, asked_for

LEASE_NS: Final = 6 * NS  # without a heartbeat
DEAF_NS: Final = 22 * NS  # heard by nobody: 15 s, a life sign each 5 s, and a beat a second
STALLED_NS: Final = 9 * NS // 2  # a gap of 2 s after a turn that was due in 2 s is noticed
AT_WORK_NS: Final = 10 * NS  # a client that has begun so long ago beats
SERVED_NS: Final = 10 * NS  # a guard whose request failed has acted by then
NOTICED_NS: Final = 15 * NS // 2  # a lease that ran out: its 6 s, a beat and a look
SHOWN_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Promise:
    """How soon, in ns: flat and proven so since a lapse could be known; what lands later is gone
    within `landed_ns`."""

    flat_ns: int
    landed_ns: int
    proven_ns: int

    def late(self, lag_ns: int) -> Promise:
        """Where lists tell of what was so long ago, two of them prove it later."""
        return replace(self, proven_ns=self.proven_ns + 2 * lag_ns)


@dataclass(slots=True)
class Absence:
    """`unsent`: intents that had not left. `proven_ns`: when the guard said that nothing rests."""

    since_ns: int
    lapse_ns: int  # until its guard may know of it
    stood_still: bool
    unsent: frozenset[str]
    until_ns: int | None = None
    proven_ns: int | None = None
    resumed: bool = False  # a person did before it was proven, or it began after a trip

    def lasted_ns(self, now_ns: int) -> int:
        return (self.until_ns or now_ns) - self.since_ns


@dataclass(slots=True)
class GuardWire:
    """A tap of the guard's own wire: from a request that failed until it can have acted anew."""

    hindered: list[Span] = field(default_factory=list)
    _asked_ns: dict[Sent, int] = field(default_factory=dict)

    def sent(self, request: Sent, now_ns: int) -> None:
        self._asked_ns[request] = now_ns

    def answered(self, request: Sent, reply: Reply, now_ns: int) -> None:
        asked_ns = self._asked_ns.pop(request, now_ns)
        if reply[0] >= 400 and not (request.kind == "cancel" and reply[0] == 404):
            self.hindered.append((asked_ns, now_ns + SERVED_NS))

    def over(self) -> list[Span]:
        """All of them; what was never answered ends nothing for good."""
        lost = ((asked, asked + SERVED_NS) for asked in self._asked_ns.values())
        return merged([*self.hindered, *lost])

    def heard(self, kind: FrameKind, frame: str, now_ns: int) -> None:
        """A guard listens to no stream."""

    def struck(self, entry: Injected, frame: str) -> None:
        """What a fault does shows on the wire."""


class Lapses:
    """A tap of the client's wire; whoever makes it go away says so. `findings` at the end."""

    def __init__(self, promise: Promise, now_ns: int) -> None:
        self.guard = GuardWire()
        self.absences: list[Absence] = []
        self._promise = promise
        self._told: list[str] = []
        self._halted = False  # the guard has tripped, and no person resumed since
        self._sent_ns: dict[str, int] = {}
        self._read_ns: dict[str, list[Span]] = {}  # by sport event: asked, answered
        self._asked_ns: dict[Sent, int] = {}
        self._client: Island | None = None
        self._began_ns = now_ns
        self._unguarded: list[Span] = []
        self._guard_gone_ns: int | None = now_ns

    # --- what is done to them ------------------------------------------------------------------

    def gone(self, now_ns: int, lapse_ns: int, durable: Iterable[str] = (), *, still: bool) -> None:
        """`lapse_ns`: when its guard may know of it; `durable`: the intents that are on disk."""
        if self._away() is None:
            unsent = frozenset(durable) - self._sent_ns.keys()
            absence = Absence(now_ns, lapse_ns, still, unsent, resumed=self._halted)
            self.absences.append(absence)

    def back(self, now_ns: int) -> None:
        if (absence := self._away()) is not None:
            absence.until_ns = now_ns

    def resumed(self, now_ns: int) -> None:
        """By a person: whatever the guard had halted, perhaps before it was done."""
        self._halted = False
        for absence in self.absences:
            absence.resumed |= absence.proven_ns is None

    def guard_gone(self, now_ns: int) -> None:
        self._guard_gone_ns = now_ns

    def guard_at_work(self, now_ns: int) -> None:
        if self._guard_gone_ns is not None:
            self._unguarded.append((self._guard_gone_ns + NOTICED_NS, now_ns))
            self._guard_gone_ns = None

    # --- what the guard says ---------------------------------------------------------------------

    def tripped(self, reason: str, now_ns: int) -> None:
        self._halted = True
        last = self.absences[-1] if self.absences else None
        away = last is not None and (last.until_ns is None or now_ns - last.until_ns < AT_WORK_NS)
        client = self._client
        lives = client is not None and not client.abandoned and now_ns - self._began_ns > AT_WORK_NS
        if lives and not away and "heartbeat" in reason:
            self._told.append(f"H14: the guard tripped beside a client at work: {reason}")

    def proven(self, now_ns: int) -> None:
        for absence in self.absences:
            absence.proven_ns = absence.proven_ns or now_ns

    # --- the client's wire -----------------------------------------------------------------------

    def sent(self, request: Sent, now_ns: int) -> None:
        island = request.island
        if island is not None and island is not self._client:
            self._client, self._began_ns = island, now_ns
            self.back(now_ns)  # whoever was away before
        self._asked_ns[request] = now_ns
        if request.kind == "place":
            for ident in external_ids(request.body):
                self._sent_ns.setdefault(ident, now_ns)

    def answered(self, request: Sent, reply: Reply, now_ns: int) -> None:
        asked_ns = self._asked_ns.pop(request, now_ns)
        url = urlsplit(request.path)
        if reply[0] == 200 and url.path.endswith(MARKETS):
            for event in asked_for(url.query):
                self._read_ns.setdefault(event, []).append((asked_ns, now_ns))

    def heard(self, kind: FrameKind, frame: str, now_ns: int) -> None:
        """What waited in a socket is no news of the present."""

    def struck(self, entry: Injected, frame: str) -> None:
        """What a fault does shows on the wire."""

    # --- judging ---------------------------------------------------------------------------------

    def findings(self, orders: Sequence[Row], prefix: str, now_ns: int) -> list[str]:
        """`orders` as in the record of the box."""
        ours = [one for one in orders if str(one["external_id"]).startswith(prefix)]
        found = [*self._told, *self._unguarded_placements(now_ns)]
        for absence in self.absences:
            if absence.lasted_ns(now_ns) > absence.lapse_ns + 2 * NS:
                found += self._emptied(absence, ours, now_ns)
            if absence.stood_still and absence.lasted_ns(now_ns) > STALLED_NS:
                found += self._begun_anew(absence, ours, now_ns)
        return found[:SHOWN_MAX] + ([f"H14: {len(found)} in all"] if len(found) > SHOWN_MAX else [])

    def spans(self, now_ns: int) -> list[Span]:
        """When the client could do nothing."""
        return [(one.since_ns, one.until_ns or now_ns) for one in self.absences]

    def _emptied(self, absence: Absence, orders: Sequence[Row], now_ns: int) -> Iterator[str]:
        """H14: flat, what lands later goes, and it is proven."""
        begins_ns = absence.since_ns + absence.lapse_ns
        until_ns = now_ns if absence.until_ns is None else absence.until_ns
        excused = self.guard.over()
        for order in orders:
            landed_ns = order["created_ns"] + self._promise.landed_ns
            flat_ns = max(begins_ns + self._promise.flat_ns, landed_ns)
            end_ns = int(min(until_ns, ended_ns(order)))
            if rested := minus((flat_ns, end_ns), excused) if flat_ns < end_ns else []:
                seconds = sum(end - since for since, end in rested) / NS
                yield f"H14: {order['external_id']}: rested {seconds:.3f} s while {_told(absence)}"
        proven_in = begins_ns, begins_ns + self._promise.proven_ns
        late = absence.proven_ns is None or absence.proven_ns > proven_in[1]
        if late and not absence.resumed and minus(proven_in, excused) == [proven_in]:
            yield f"H14: not proven empty in time while {_told(absence)}"

    def _begun_anew(self, absence: Absence, orders: Sequence[Row], now_ns: int) -> Iterator[str]:
        """J1: nothing old leaves, and nothing before the books were read."""
        back_ns = absence.until_ns
        if back_ns is None:
            return
        read_ns = {
            event: min((told for asked, told in reads if asked >= back_ns), default=now_ns)
            for event, reads in self._read_ns.items()
        }
        for order in orders:
            ident = str(order["external_id"])
            sent_ns = self._sent_ns.get(ident, 0)
            if sent_ns < back_ns:
                continue
            if ident in absence.unsent:
                yield f"J1: {ident}: decided before, and it left after {_told(absence)}"
            if sent_ns < read_ns.get(str(order["event_id"]), now_ns):
                yield f"J1: {ident}: it left before a read of its books after {_told(absence)}"

    def _unguarded_placements(self, now_ns: int) -> Iterator[str]:
        spans = list(self._unguarded)
        if self._guard_gone_ns is not None:
            spans.append((self._guard_gone_ns + NOTICED_NS, now_ns))
        for since, until in spans:
            for ident, sent_ns in self._sent_ns.items():
                if since < sent_ns < until:
                    yield f"H14: {ident}: placed at {sent_ns / NS:.3f}, and no guard was at work"

    def _away(self) -> Absence | None:
        last = self.absences[-1] if self.absences else None
        return last if last is not None and last.until_ns is None else None


def _told(absence: Absence) -> str:
    until = "now" if absence.until_ns is None else f"{absence.until_ns / NS:.3f}"
    return f"its maker was away, {absence.since_ns / NS:.3f} to {until}"
