"""What the ledger has to say, collected until the engine drains it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mmbot.domain.commands import BATCH_ORDERS_MAX, CancelOrders, CancelRef, Command
from mmbot.domain.entries import Entry
from mmbot.domain.facts import Alarm, Fact
from mmbot.domain.ids import SportEventId


@dataclass(frozen=True, slots=True)
class Drained:
    """Cancels stand first among the commands: they wait for nothing."""

    entries: tuple[Entry, ...] = ()
    commands: tuple[Command, ...] = ()
    facts: tuple[Fact, ...] = ()


NOTHING: Final = Drained()


class Outbox:
    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._facts: list[Fact] = []
        # Dicts, so that one drain never asks the same thing twice.
        self._commands: dict[Command, None] = {}
        self._cancels: dict[CancelRef, None] = {}
        self._mass: list[Command] = []

    def note(self, entry: Entry) -> None:
        self._entries.append(entry)

    def ask(self, command: Command) -> None:
        self._commands[command] = None

    def cancel(self, ref: CancelRef) -> None:
        self._cancels[ref] = None

    def mass(self, command: Command) -> None:
        """One request that stands for many cancels: it leaves first."""
        self._mass.append(command)

    def tell(self, fact: Fact) -> None:
        self._facts.append(fact)

    def alarm(self, what: str, detail: str, event_id: SportEventId | None = None) -> None:
        self._facts.append(Alarm(what, detail, event_id))

    def take_commands(self) -> tuple[Command, ...]:
        if not (self._mass or self._cancels or self._commands):
            return ()
        refs = tuple(self._cancels)
        batches = [
            CancelOrders(refs[i : i + BATCH_ORDERS_MAX])
            for i in range(0, len(refs), BATCH_ORDERS_MAX)
        ]
        commands = (*self._mass, *batches, *self._commands)
        self._mass.clear()
        self._commands.clear()
        self._cancels.clear()
        return commands

    def drain(self) -> Drained:
        if not (self._entries or self._facts):
            commands = self.take_commands()
            return Drained(commands=commands) if commands else NOTHING
        drained = Drained(tuple(self._entries), self.take_commands(), tuple(self._facts))
        self._entries.clear()
        self._facts.clear()
        return drained
