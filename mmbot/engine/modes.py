"""In which mode we are, and why: decision 12. The stricter of the whole and the event wins."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, Literal

from mmbot.domain.events import (
    JournalStateChanged,
    Lagged,
    OperatorSaid,
    SentinelSeen,
    SessionStateChanged,
    StreamStateChanged,
)
from mmbot.domain.ids import SportEventId

SECOND_NS = 1_000_000_000
IN_DOUBT_MAX = 20
TOKEN_RESERVE_NS = 20 * SECOND_NS  # withdraw this long before the token dies (fault D2)
LAG_MAX_NS = 3 * SECOND_NS  # what is older on arrival is no price to quote on
# Believed again when nothing has lagged for so long; the stream tells with each health_check.
BEHIND_NS: Final = {"inbox": SECOND_NS, "stream": 6 * SECOND_NS}
START_GRACE_NS = 15 * SECOND_NS  # adopted orders may rest this long before we can judge them


class Mode(IntEnum):
    """Ordered by strictness."""

    ENABLED = 0
    REDUCE_ONLY = 1
    CANCEL_ONLY = 2
    HALTED = 3

    @property
    def word(self) -> ModeWord:
        return MODE_WORDS[self]


ModeWord = Literal["ENABLED", "REDUCE_ONLY", "CANCEL_ONLY", "HALTED"]
MODE_WORDS: Final[tuple[ModeWord, ...]] = ("ENABLED", "REDUCE_ONLY", "CANCEL_ONLY", "HALTED")


@dataclass(slots=True)
class Modes:
    """The reasons that restrict us; `whole` and `of_event` are read, never stored."""

    started_ns: int
    halted: str = ""  # why; "" = not halted
    paused: bool = False
    stopping: bool = False
    recovered: bool = False
    private_up: bool = False
    was_connected: bool = False
    ready: bool = False  # all that rests was known and the private channel up, at one moment
    journal: str = ""
    behind_until_ns: int = 0  # what comes in has waited for too long
    lag_ns: dict[str, int] = field(default_factory=lambda: {"inbox": 0, "stream": 0})
    token_until_ns: int = 0
    suspicion: str = ""  # somebody else may be placing in our name
    unguarded: str = ""  # nobody would flatten us, and somebody has to
    distrusted: set[SportEventId] = field(default_factory=set)
    reducing: str = ""  # so much edge is lost that only what lowers a loss may be placed
    tripped: str = ""  # a breaker has pulled everything, and why
    pulled: dict[SportEventId, str] = field(default_factory=dict)  # by one, each with its reason

    def apply(
        self,
        event: StreamStateChanged
        | SessionStateChanged
        | JournalStateChanged
        | Lagged
        | SentinelSeen
        | OperatorSaid,
        now_ns: int,
    ) -> None:
        match event:
            case StreamStateChanged(private):
                self.private_up = private
                self.was_connected = self.was_connected or private
            case SessionStateChanged(usable_until_ns):
                self.token_until_ns = usable_until_ns
            case JournalStateChanged(healthy, reason):
                self.journal = "" if healthy else reason or "journal failed"
            case SentinelSeen(watching, reason):
                self.unguarded = "" if watching else reason
            case Lagged(where, lag_ns):
                self.lag_ns[where] = lag_ns
                if lag_ns > LAG_MAX_NS:
                    self.behind_until_ns = max(self.behind_until_ns, now_ns + BEHIND_NS[where])
            case OperatorSaid(word, who, reason):
                self._operator(word, f"{who}: {reason}" if reason else who)

    def _operator(self, word: str, why: str) -> None:
        match word:
            case "halt":
                self.halted = why
            case "pause":
                self.paused = True
            case "stop":
                self.stopping = True
            case _:
                self.halted, self.paused = "", False

    def blind(self, now_ns: int) -> bool:
        """No private channel, or a token about to die without a successor."""
        dying = self.token_until_ns and now_ns > self.token_until_ns - TOKEN_RESERVE_NS
        return not self.private_up or bool(dying)

    def starting(self, now_ns: int) -> bool:
        """Not yet able to judge what rests: leave it, but not for ever. A stream that closes
        again before all is known is no reason to cancel; a person's word is."""
        self.ready = self.ready or (self.recovered and self.private_up)
        if self.ready or self.halted or self.stopping:
            return False
        return self.in_grace(now_ns)

    def in_grace(self, now_ns: int) -> bool:
        return now_ns < self.grace_until_ns

    @property
    def grace_until_ns(self) -> int:
        return self.started_ns + START_GRACE_NS

    def withdrawn(self, now_ns: int) -> str:
        """Why every wish is withdrawn now; "" when quoting is wanted."""
        if self.halted:
            return f"halted ({self.halted})"
        if self.stopping:
            return "stopping"
        if self.paused:
            return "paused"
        if self.tripped:
            return self.tripped
        if self.blind(now_ns):
            return "blind"
        return "behind" if now_ns < self.behind_until_ns else ""

    def whole(self, in_doubt: int, now_ns: int) -> tuple[Mode, str]:
        if self.halted:
            return Mode.HALTED, self.halted
        why = self.withdrawn(now_ns)
        if not why and not self.recovered:
            why = "recovering"
        why = why or self.suspicion or self.journal or self.unguarded
        if not why and in_doubt > IN_DOUBT_MAX:
            why = f"{in_doubt} orders in doubt"
        if why:
            return Mode.CANCEL_ONLY, why
        return (Mode.REDUCE_ONLY, self.reducing) if self.reducing else (Mode.ENABLED, "")

    def of_event(self, event_id: SportEventId) -> Mode:
        held = event_id in self.distrusted or event_id in self.pulled
        return Mode.CANCEL_ONLY if held else Mode.ENABLED
