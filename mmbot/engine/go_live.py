"""Whether a sport event may have started, by every clock there is: nothing is quoted in play.

The schedule (less a margin) and the status of the exchange are two clocks, judged by the gate.
They may be late or wrong, so others are heard as well: a feed's own schedule, fair values that jump
near the start, orders that the exchange wiped, a placement refused because the event is closed, an
unlisting. What they say shows as the status and the start of the sport event, so that the gate has
one question to ask. A doubt ends by the exchange's word, spoken a while after it; a jump by time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from mmbot.domain.catalog import SportEvent
from mmbot.domain.events import FairUpdated, FixtureTold
from mmbot.domain.facts import Alarm
from mmbot.domain.ids import MarketId, SportEventId, StrikeId
from mmbot.pricing.odds import logit

SECOND_NS: Final = 1_000_000_000
SETTLE_NS: Final = 30 * SECOND_NS  # slower channels still tell of the time before
EXPLAINED_NS: Final = 10 * SECOND_NS  # a suspension is told so long after it refused an order
ASK_AGAIN_NS: Final = 300 * SECOND_NS
NEAR_NS: Final = 1_800 * SECOND_NS  # to the scheduled start; earlier a jump is news
JUMP_LOGIT: Final = 0.6  # 0.50 -> 0.65 in one step of one source
JUMP_WITHIN_NS: Final = 30 * SECOND_NS
HOLD_NS: Final = 60 * SECOND_NS  # after a jump; doubles with each that follows within a hold
HOLD_MAX_NS: Final = 480 * SECOND_NS
LAST_SAID_MAX: Final = 20_000  # fair values that are compared with the next one
FORGET_NS: Final = 2 * 86_400 * SECOND_NS
PERHAPS: Final = "perhaps in play"


@dataclass(slots=True)
class _Doubt:
    """`until_ns` 0: until the exchange says that it has not started. `refused`: the markets whose
    orders were, if nothing else speaks for it."""

    why: str
    since_ns: int
    until_ns: int = 0
    hold_ns: int = HOLD_NS
    ask_ns: int = 0
    refused: set[MarketId] = field(default_factory=set)


class GoLive:
    """Owned by the state of the market; `judged` is cheap where nothing is in doubt."""

    def __init__(self) -> None:
        self._doubts: dict[SportEventId, _Doubt] = {}
        self._starts_ns: dict[SportEventId, dict[str, int]] = {}
        self._said: dict[tuple[StrikeId, str], tuple[float, int]] = {}

    def judged(self, event: SportEvent, now_ns: int) -> SportEvent:
        """As every clock together sees it."""
        ident = event.event_id
        if starts_ns := self._starts_ns.get(ident):
            event = replace(event, start_ns=min(event.start_ns, *starts_ns.values()))
        doubt = self._doubts.get(ident)
        if doubt is None or not event.pre_match or (doubt.until_ns and now_ns >= doubt.until_ns):
            return event
        return replace(event, status=f"{PERHAPS}: {doubt.why}")

    # --- what is heard -----------------------------------------------------------------------

    def heard(self, event: SportEvent, now_ns: int) -> None:
        """The exchange shows it: in a message or a listing."""
        if not event.pre_match:
            self.doubt(event.event_id, f"it was {event.status}", now_ns)
            return
        doubt = self._doubts.get(event.event_id)
        if doubt is not None and not doubt.until_ns and now_ns >= doubt.since_ns + SETTLE_NS:
            del self._doubts[event.event_id]

    def doubt(self, event_id: SportEventId, why: str, now_ns: int) -> None:
        """Something that only a start explains, or may be one; the exchange has to speak."""
        self._doubts[event_id] = _Doubt(why, now_ns, ask_ns=now_ns + SETTLE_NS)

    def refused(self, event_id: SportEventId, market_id: MarketId, now_ns: int) -> None:
        """A placement found it closed: it began, or the market was suspended just now."""
        known = self._doubts.get(event_id)
        if known is not None and not known.until_ns and not known.refused:
            return  # more than a refusal speaks for it
        self.doubt(event_id, "a placement found it closed", now_ns)
        self._doubts[event_id].refused = {market_id} | (known.refused if known else set())

    def suspended(self, event_id: SportEventId, market_id: MarketId, now_ns: int) -> None:
        """What explains a refusal before it, and nothing is left to doubt once all are."""
        doubt = self._doubts.get(event_id)
        if doubt is None or market_id not in doubt.refused:
            return
        if now_ns <= doubt.since_ns + EXPLAINED_NS:
            doubt.refused.discard(market_id)
            if not doubt.refused:
                del self._doubts[event_id]

    def told(self, told: FixtureTold) -> None:
        """A feed's own schedule; in a feed a game is in play when its start has passed."""
        self._starts_ns.setdefault(told.event_id, {})[told.source] = told.start_ns

    def moved(self, event: SportEvent | None, fair: FairUpdated) -> bool:
        """Near the start: whether a fair value has just jumped as in play they do."""
        if event is None or fair.received_ns < event.start_ns - NEAR_NS:
            return False
        key, said = (fair.strike_id, fair.source), fair.received_ns
        before, before_ns = self._said.get(key, (fair.prob, 0))
        if len(self._said) >= LAST_SAID_MAX:
            self._said.clear()
        self._said[key] = fair.prob, said
        if not said - before_ns <= JUMP_WITHIN_NS or not _jump(before, fair.prob) >= JUMP_LOGIT:
            return False
        self._hold(event.event_id, f"{fair.source} went {before:.2f} to {fair.prob:.2f}", said)
        return True

    def _hold(self, event_id: SportEventId, why: str, now_ns: int) -> None:
        known = self._doubts.get(event_id)
        if known is not None and not known.until_ns:
            return  # more than a jump speaks for it
        hold_ns = HOLD_NS
        if known is not None and now_ns < known.until_ns + known.hold_ns:
            hold_ns = min(HOLD_MAX_NS, known.hold_ns * 2)
        self._doubts[event_id] = _Doubt(why, now_ns, now_ns + hold_ns, hold_ns)

    def listed(self, events: Collection[SportEventId]) -> None:
        """A whole listing: feeds tell anew what they say of others that come back."""
        for event_id in [one for one in self._starts_ns if one not in events]:
            del self._starts_ns[event_id]

    def unlisted(self, events: Iterable[SportEventId], now_ns: int) -> None:
        """It may come back, under the same id; what never did is forgotten after a while."""
        for event_id in events:
            self.doubt(event_id, "it was unlisted", now_ns)
        old = [one for one, doubt in self._doubts.items() if doubt.since_ns < now_ns - FORGET_NS]
        for event_id in old:
            del self._doubts[event_id]

    # --- asking ------------------------------------------------------------------------------

    def ask(self, events: Mapping[SportEventId, SportEvent], now_ns: int) -> list[Alarm]:
        """Doubts that the exchange has to end, and it was not asked for a while."""
        asked = []
        for event_id, doubt in self._doubts.items():
            event = events.get(event_id)
            if event is None or not event.pre_match or doubt.until_ns or now_ns < doubt.ask_ns:
                continue
            doubt.ask_ns = now_ns + ASK_AGAIN_NS
            asked.append(Alarm(PERHAPS, f"{event.name}: {doubt.why}", event_id))
        return asked


def _jump(before: float, after: float) -> float:
    """In log-odds; 0 where a probability is none."""
    if not (0.0 < before < 1.0 and 0.0 < after < 1.0):
        return 0.0
    return abs(logit(after) - logit(before))
