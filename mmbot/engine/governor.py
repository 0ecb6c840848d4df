"""Brings what rests back inside its limits when something outside has moved them.

The gate lets nothing out above a limit. But a person trades on the account, a fill is taken back,
the cash falls, a start finds a lower limit: then orders go until no limit is exceeded, counting
as gone what is being cancelled already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mmbot.domain.facts import Alarm, Fact
from mmbot.domain.ids import SportEventId
from mmbot.domain.money import usd
from mmbot.domain.order import Order, State
from mmbot.engine.gate_case import unmatched_limit_cents
from mmbot.engine.limits import Limits
from mmbot.engine.parts import Parts
from mmbot.pricing.exposure import line_worst_case_cents, result_if_cents

LOOK_NS: Final = 250_000_000
VENUE_MULTIPLE: Final = 10  # of the cash; orders beyond are voided (contract 3)


@dataclass(frozen=True, slots=True)
class _Breach:
    what: str
    used_cents: int
    allowed_cents: int
    orders: Sequence[Order]  # whose cancels may lower it


class Governor:
    """`look` as often as one likes: it is paced, and cheap while all is well."""

    def __init__(self, parts: Parts) -> None:
        self._ledger, self._state = parts.ledger, parts.state
        self._house, self._limits = parts.housekeeping, parts.placing.limits
        self._due_ns = 0
        self._told: set[str] = set()
        self._beyond = False

    def look(self, now_ns: int) -> list[Fact]:
        """Cancel what has to go; a breach is told when it begins."""
        if now_ns < self._due_ns or not self._ledger.live_count or not self._ledger.recovered:
            return []
        self._due_ns = now_ns + LOOK_NS
        facts: list[Fact] = []
        breaches = list(self._breaches(now_ns))
        for breach in breaches:
            why = f"{breach.what} {usd(breach.used_cents)} of {usd(breach.allowed_cents)}"
            self._reduce(breach, f"limit exceeded: {why}", now_ns)
            if breach.what not in self._told:
                facts.append(Alarm("limit exceeded", why))
        self._told = {breach.what for breach in breaches}
        return facts + self._page(now_ns)

    def _page(self, now_ns: int) -> list[Fact]:
        """Beyond the exchange's own multiple it ends orders itself, and we only hear of it."""
        cash, unmatched = self._house.usable_cash(now_ns), self._ledger.unmatched_cents
        was, self._beyond = self._beyond, cash is not None and unmatched > VENUE_MULTIPLE * cash
        if cash is None or was or not self._beyond:
            return []
        detail = f"{usd(unmatched)} rest on {usd(cash)} of cash, {VENUE_MULTIPLE} times are allowed"
        return [Alarm("unmatched beyond the exchange's limit", detail, page=True)]

    def _reduce(self, breach: _Breach, why: str, now_ns: int) -> None:
        too_much = breach.used_cents - breach.allowed_cents
        too_much -= sum(one.remaining_cents for one in breach.orders if one.cancel_wanted)
        stay = [one for one in breach.orders if not one.cancel_wanted]
        for order in sorted(stay, key=self._rank):
            if too_much <= 0:
                return
            self._ledger.want_cancel(order.external_id, now_ns, why)
            too_much -= order.remaining_cents

    def _rank(self, order: Order) -> tuple[bool, bool, int]:
        """Where its line loses most, then what is not in doubt, then the largest."""
        return not self._loses(order), order.state is State.IN_DOUBT, -order.remaining_cents

    def _loses(self, order: Order) -> bool:
        """Whether it is lost where its line comes out worst: without it, less is lost there."""
        exposure = self._ledger.exposure(order.line_id)
        results = [
            result_if_cents(exposure.position, exposure.resting_cents, side) for side in (0, 1)
        ]
        return results[1 - order.side] <= results[order.side]

    def _breaches(self, now_ns: int) -> Iterator[_Breach]:
        ledger, account = self._ledger, self._limits.account
        used, allowed = ledger.portfolio.total.everything_cents, account.total_loss_max_cents
        if used > allowed:
            yield _Breach("everything", used, allowed, ledger.live())
        cash = self._house.usable_cash(now_ns)
        if cash is not None:  # else nothing new leaves, and what rests is as good as it was
            used, allowed = ledger.unmatched_cents, unmatched_limit_cents(cash, account)
            if used > allowed:
                yield _Breach("unmatched stakes", used, allowed, ledger.live())
        yield from self._of_lines()
        yield from self._of_events()
        yield from self._of_tournaments()

    def _of_lines(self) -> Iterator[_Breach]:
        for line_id, exposure in self._ledger.exposures().items():
            line = self._state.lines.get(line_id)
            event = None if line is None else self._state.events.get(line.event_id)
            allowed = self._limits.of(event, line).line_loss_max_cents
            used = line_worst_case_cents(exposure.position, exposure.resting_cents)
            if used > allowed:
                live = self._ledger.live_on_line(line_id)
                yield _Breach(f"line {line_id}", used, allowed, [*filter(self._loses, live)])

    def _of_events(self) -> Iterator[_Breach]:
        for event_id, loss in self._ledger.portfolio.events().items():
            allowed = self._limits_of(event_id).event_loss_max_cents
            if loss.everything_cents > allowed:
                yield _Breach(
                    f"sport event {event_id}",
                    loss.everything_cents,
                    allowed,
                    [one for one in self._ledger.live() if one.event_id == event_id],
                )

    def _of_tournaments(self) -> Iterator[_Breach]:
        events = {one.tournament_id: key for key, one in self._state.events.items()}
        for tournament_id, loss in self._ledger.portfolio.tournaments().items():
            if tournament_id not in events:
                continue  # nothing of it is listed: every order there is a stray, and goes
            allowed = self._limits_of(events[tournament_id]).tournament_loss_max_cents
            if loss.everything_cents > allowed:
                live = self._ledger.live()
                orders = [one for one in live if self._tournament_of(one) == tournament_id]
                what = f"tournament {tournament_id}"
                yield _Breach(what, loss.everything_cents, allowed, orders)

    def _limits_of(self, event_id: SportEventId) -> Limits:
        """Those of its figures above a market are the same on all of its lines."""
        lines = self._state.lines_of_event.get(event_id, ())
        line = self._state.lines.get(lines[0]) if lines else None
        return self._limits.of(self._state.events.get(event_id), line)

    def _tournament_of(self, order: Order) -> int | None:
        event = self._state.events.get(order.event_id)
        return None if event is None else event.tournament_id
