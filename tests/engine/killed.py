"""A desk whose process dies: what the next one knows is the journal."""

from __future__ import annotations

from dataclasses import dataclass, field

from mmbot.domain.entries import Entry
from mmbot.domain.events import Event
from mmbot.domain.facts import Alarm
from mmbot.engine.ports import Budget, Effects
from mmbot.store.codec import decode, encode
from tests.engine.desk import PLENTY, Desk
from tests.engine.situations import S


@dataclass
class Killed(Desk):
    """`journal` is as its file gives it back; `pages` are the alarms that call a person."""

    journal: list[Entry] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)

    def tell(self, *events: Event, budget: Budget = PLENTY) -> Effects:
        effects = super().tell(*events, budget=budget)
        self.journal += [decode(*encode(entry)) for entry in effects.entries]
        self.alarms += [fact.what for fact in effects.facts if isinstance(fact, Alarm)]
        return effects

    def again(self, after_s: float) -> Killed:
        """The next process; it has recovered, and knows nothing of the market yet."""
        now_ns = self.now_ns + round(after_s * S)
        former = [*self.former, *self.journal]
        run = f"{len(former):012x}"
        desk = Killed(
            now_ns=now_ns, breakers=self.breakers, rules=self.rules, run=run, former=former
        )
        desk.recovered()
        return desk
