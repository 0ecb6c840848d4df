"""The judges of a simulated day that asked for safety: limits, own orders, when to be gone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from mmbot.app.simulate_plan import DayPlan
from mmbot.app.simulate_recipes import SAFETY
from mmbot.config import Settings
from mmbot.sim.memory import InMemoryBox
from mmbot.sim.witness.forbidden import Forbidden
from mmbot.sim.witness.lapses import Lapses, Promise
from mmbot.sim.witness.purse import Purse
from mmbot.sim.witness.safety_watch import LEVELS, Losses, Rules, SafetyWatch
from mmbot.sim.witness.stale import EVERYTHING, NS, REPEAT_NS, Finding
from mmbot.sim.witness.stale_watch import StaleWatch
from mmbot.sim.witness.watch import AUDIT_NS, Watch

SHOWN_MAX: Final = 5
CANCEL_MAX_NS: Final = 7 * NS  # answers were seen to take 6.6 s
# By the venue's latencies a round of a sentinel, a cancel and its reads, takes 20 s.
PROMISES: Final = {
    "loopback": Promise(flat_ns=2 * NS, landed_ns=7 * NS, proven_ns=9 * NS),
    "venue": Promise(flat_ns=10 * NS, landed_ns=25 * NS, proven_ns=45 * NS),
}


class Guard:
    """Hears the box from its birth. `findings` once, at the end of the day."""

    def __init__(
        self, plan: DayPlan, settings: Settings, box: InMemoryBox, watch: Watch, stale: StaleWatch
    ) -> None:
        self._asked, self._guarded = plan.safety, plan.guarded
        self._prefix = settings.ledger.prefix
        # on a wire that loses nothing a cancel needs no more than its way
        self._repeat_ns = REPEAT_NS if plan.faults.rules else CANCEL_MAX_NS
        self._ids = plan.ids
        self._now_ns = box.now_ns
        self._stale = stale
        events = box.box.exchange.listing.events
        self.forbidden = Forbidden(events, box.now_ns())
        lag_ns = round(plan.box.session.reporting_lag_s * NS)
        self.lapses = Lapses(PROMISES[plan.box.latency_profile].late(lag_ns), box.now_ns())
        figures = settings.risk.figures
        unknown_ns = AUDIT_NS + lag_ns
        rules = Rules(
            prefix=settings.ledger.prefix,
            losses=Losses(**{level: figures[f"{level}_loss_max_cents"] for level in LEVELS}),
            cash_multiple=settings.risk.unmatched_cash_multiple_max,
            fee_bps=plan.box.rules.fee_bps,
            unknown_ns=unknown_ns,
        )
        self._steps = SafetyWatch(rules, watch, Purse(box.box.switches, unknown_ns))
        if self._asked:
            box.box.hub.hearers.append(self.forbidden.published)
            box.box.witnesses.hearers.append(self._steps.order_changed)

    def struck(self) -> list[str]:
        """Ids of the fault list: their scenes were played, each at its moment."""
        return [name for name in self._ids if name in SAFETY]

    def findings(self, orders: Sequence[dict[str, Any]]) -> list[str]:
        """`orders` as in the record of the box."""
        if not self._asked:
            return []
        found = list(self._steps.findings)
        if self._guarded:
            found += self.lapses.findings(orders, self._prefix, self._now_ns())
        outages = self.forbidden.over(self._now_ns())
        away = self.lapses.spans(self._now_ns())
        for whole, unheard in ((True, away), (False, [*self._stale.unheard(), *away])):
            these = [one for one in outages if whole is (one.part == EVERYTHING)]
            rested = self._stale.against(these, orders, self._repeat_ns, unheard)
            found += _told(rested.findings)
        return found


def _told(findings: Iterable[Finding]) -> list[str]:
    told = []
    for one in findings:
        since_ns = one.spans[0][0]
        seconds = sum(until - since for since, until in one.spans) / NS
        where = f"in sport event {one.outage.part}" if one.outage.part else "while halted"
        told.append(
            f"I4: {one.quote}: rested {seconds:.3f} s {where}, from {since_ns / NS:.3f}; "
            f"forbidden since {one.outage.from_ns / NS:.3f}"
        )
    return told[:SHOWN_MAX] + ([f"I4: {len(told)} such orders"] if len(told) > SHOWN_MAX else [])
