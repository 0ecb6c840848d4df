"""Frames that go wrong inside the box: late, twice, swapped, lost, odd; silence; the cut."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from mmbot.sim.faults.board import NS, FaultBoard
from mmbot.sim.faults.dice import Dice
from mmbot.sim.faults.kinds import frame_kind
from mmbot.sim.faults.odd_books import drawn_frame
from mmbot.sim.faults.odd_values import odd_frame
from mmbot.sim.faults.plan import CLOSE_CODES, REORDER_WITHIN_S, Fault, Hit, Target
from mmbot.sim.faults.switches import Switches
from mmbot.sim.stream.connections import Connection
from mmbot.sim.stream.frames import CUT, Close
from mmbot.sim.stream.hub import StreamHub

FATES_MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class World:
    """The time of the exchange, its agenda, and by which names a user may be singled out."""

    now_ns: Callable[[], int]
    schedule: Callable[[int, Callable[[int], None]], None]
    names: Callable[[str], tuple[str, ...]]


@dataclass(slots=True)
class Fate:
    """What hangs over one connection: frames that wait, one that is held, a silence."""

    waiting: deque[str] = field(default_factory=deque)
    clear_at_ns: int = 0
    held: str | None = None
    silent_until_ns: int = 0


class StreamFaults:
    """Stands between the hub and its sockets; with no rule on, every frame passes at once."""

    def __init__(
        self,
        hub: StreamHub,
        board: FaultBoard,
        switches: Switches,
        world: World,
    ) -> None:
        self._hub = hub
        self._switches = switches
        hub.outlet = self.take
        board.on_added = self._added
        self._now_ns = world.now_ns
        self._board = board
        self._schedule = world.schedule
        self._names = world.names
        self._fates: dict[Connection, Fate] = {}

    # -- connections ----------------------------------------------------------------------

    def refused(self, now_ns: int) -> Connection | None:
        """A connection that never was, when the board says so."""
        hit = self._board.refused_connection(now_ns)
        if hit is None:
            return None
        self._board.note(hit, "stream", now_ns)
        connection = Connection("", now_ns, closed=True)
        connection.out.append(Close(CUT))
        return connection

    def connected(self, connection: Connection) -> None:
        """What the rules that are on have in store for a new connection."""
        now_ns = self._now_ns()
        self._befall(connection, self._board.connection(now_ns), now_ns)

    def _added(self, dice: Dice) -> None:
        """New rules strike the connections that are open already, too."""
        now_ns = self._now_ns()
        for connection in self._hub.connections.values():
            self._befall(connection, dice.connection(0.0), now_ns)

    def _befall(self, connection: Connection, fates: list[tuple[float, Hit]], now_ns: int) -> None:
        """Let these happen to a connection in so many seconds."""
        for in_s, hit in fates:
            self._schedule(now_ns + round(in_s * NS), partial(self._suffer, connection, hit))

    def _suffer(self, connection: Connection, hit: Hit, now_ns: int) -> None:
        if connection.closed:
            return
        if hit.fault is Fault.SILENCE:
            self._board.note(hit, f"{hit.delay_s:.1f} s", now_ns)
            self._fate(connection).silent_until_ns = now_ns + round(hit.delay_s * NS)
            return
        code = CLOSE_CODES[int(hit.chance * len(CLOSE_CODES))]
        self._board.note(hit, f"code {code}", now_ns)
        self._hub.close(connection, Close(code))

    # -- frames ---------------------------------------------------------------------------

    def take(self, connection: Connection, text: str) -> bool:
        """Whether the frame was taken over; otherwise the hub sends it as usual."""
        fate = self._fates.get(connection)
        if fate is None and self._board.quiet and not self._switches.book_image:
            return False
        kind = frame_kind(text)
        if kind == "books" and self._switches.book_image:
            text = drawn_frame(text, self._switches.book_image)
        if fate is not None and kind != "protocol" and self._now_ns() < fate.silent_until_ns:
            return True
        hit = self._board.frame(kind, self._now_ns(), self._target(connection))
        if hit is None:
            self._send(connection, self._fate(connection), text)
            return True
        self._board.note(hit, kind, self._now_ns())
        self._strike(connection, text, hit)
        return True

    def _strike(self, connection: Connection, text: str, hit: Hit) -> None:
        fate = self._fate(connection)
        match hit.fault:
            case Fault.FRAME_LOST:
                return
            case Fault.FRAME_LATE:
                self._wait(connection, fate, text, hit.delay_s)
            case Fault.FRAME_SWAPPED if fate.held is None:
                fate.held = text
                self._later(REORDER_WITHIN_S, lambda at: self._release(connection, fate))
            case Fault.FRAME_ODD:
                self._send(connection, fate, odd_frame(text, hit.chance))
            case _:
                self._send(connection, fate, text)
        if hit.fault is Fault.FRAME_COPIED:
            for n in range(1, hit.copies):
                after_s = REORDER_WITHIN_S * hit.chance * n / hit.copies
                self._later(after_s, lambda at: self._hub.deliver(connection, text))

    def _send(self, connection: Connection, fate: Fate, text: str) -> None:
        if fate.waiting:
            self._wait(connection, fate, text, 0.0)
            return
        self._hub.deliver(connection, text)
        self._release(connection, fate)

    def _wait(self, connection: Connection, fate: Fate, text: str, delay_s: float) -> None:
        fate.clear_at_ns = max(fate.clear_at_ns, self._now_ns() + round(delay_s * NS))
        fate.waiting.append(text)
        self._schedule(fate.clear_at_ns, lambda at: self._next(connection, fate))

    def _next(self, connection: Connection, fate: Fate) -> None:
        if fate.waiting:
            self._hub.deliver(connection, fate.waiting.popleft())
            self._release(connection, fate)

    def _release(self, connection: Connection, fate: Fate) -> None:
        held, fate.held = fate.held, None
        if held is not None:
            self._hub.deliver(connection, held)

    def _later(self, delay_s: float, action: Callable[[int], None]) -> None:
        self._schedule(self._now_ns() + round(delay_s * NS), action)

    def _fate(self, connection: Connection) -> Fate:
        fate = self._fates.get(connection)
        if fate is None:
            if len(self._fates) >= FATES_MAX:
                self._fates = {c: one for c, one in self._fates.items() if not c.closed}
            fate = self._fates[connection] = Fate()
        return fate

    def _target(self, connection: Connection) -> Target:
        return Target(self._names(connection.user_id) if connection.user_id else ("",))
