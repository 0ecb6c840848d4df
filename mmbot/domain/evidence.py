"""What proves a step: who said so, where, and when by the exchange's own clock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """Where a proof comes from. Those of `OUTSIDE` are the exchange's own word."""

    REPLY = "reply"  # the answer to the attempt to place it
    SAME_ID = "same_id"  # the answer to the same id sent again, or that the id exists
    CANCEL_ITEM = "cancel_item"  # the answer to a cancel of it
    MESSAGE = "message"  # the private channel
    READ = "read"  # a read of the order, or of the history
    UNSENT = "unsent"  # our own wire: no byte left, or the book was not asked
    SILENCE = "silence"  # no answer, or one that tells nothing
    TIMER = "timer"
    RESTART = "restart"
    DECISION = "decision"
    TEXT = "text"  # written by an mmbot whose evidence had no kinds; proves nothing new


OUTSIDE: Final = frozenset({Kind.REPLY, Kind.SAME_ID, Kind.CANCEL_ITEM, Kind.MESSAGE, Kind.READ})


@dataclass(frozen=True, slots=True)
class Evidence:
    """`source` is the route, the channel, or the part of ours that spoke; `detail` is short.

    The exchange's own figures where its word carried them: `exchange_ns` the Date of its answer,
    `synced_ns` the `last_synced_at` of a read, `sequence` the number of a message.
    """

    kind: Kind
    source: str = ""
    detail: str = ""
    exchange_ns: int | None = None
    synced_ns: int | None = None
    sequence: int | None = None

    def __str__(self) -> str:
        words = [str(self.kind), self.source, self.detail]
        if self.synced_ns is not None:
            words.append(f"synced {self.synced_ns}")
        if self.sequence is not None:
            words.append(f"number {self.sequence}")
        return " ".join(word for word in words if word)
