"""Every queue of the process with its bound: for `/metrics`, `/status` and the judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mmbot.app.dispatch import Dispatcher
from mmbot.app.writer import JournalWriter
from mmbot.domain.depth import Depth
from mmbot.engine.ledger import Ledger
from mmbot.runtime.inbox import Inbox
from mmbot.runtime.limiter import Limiter


@dataclass(frozen=True, slots=True)
class Queues:
    """Call it for the depths at this moment, by name; cheap enough for once a second."""

    inbox: Inbox
    limiter: Limiter
    writer: JournalWriter
    dispatcher: Dispatcher
    ledger: Ledger

    def __call__(self) -> Mapping[str, Depth]:
        return {
            "inbox": self.inbox.depth,
            "rate_budget": self.limiter.depth,
            "journal_entries": self.writer.depth,
            "journal_notes": self.writer.notes_depth,
            "calls": self.dispatcher.depth,
            "reads": self.dispatcher.reads_depth,
            **self.ledger.waiting(),
        }
