"""The judge of safety beside a day: limits up to the event's worst case, cash, own orders that
cross.

It looks at every step of the box. What the exchange or a person did of late may be unknown to a
client for a while, as with the judge of every step (`watch`), whose word on that is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from mmbot.sim.core.orders import Order
from mmbot.sim.core.placement import crossing
from mmbot.sim.witness.at_risk import Outside, Seen
from mmbot.sim.witness.event_worst import Held, market_cents, worst_cents
from mmbot.sim.witness.purse import Purse

NS: Final = 1_000_000_000
FINDINGS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Losses:
    """The most that each may lose if everything fills: as limits, or as it is. Cents."""

    line: int
    market: int
    event: int
    tournament: int
    total: int


@dataclass(frozen=True, slots=True)
class Rules:
    """What a client was told to keep. `cash_multiple`: resting stakes as a multiple of the cash."""

    prefix: str
    losses: Losses
    cash_multiple: float
    fee_bps: int
    unknown_ns: int  # how long it need not know what was done without it


LEVELS: Final = ("line", "market", "event", "tournament", "total")
OF_ONE_EVENT: Final = frozenset({"line", "market", "event"})


class Clock(Protocol):
    """What the judge of every step knows of what a client can know."""

    def given_up(self, ident: str, now_ns: int) -> bool: ...

    def may_audit(self, now_ns: int, since_ns: int = 0) -> bool: ...


class Exposure:
    """What a set of orders may lose, up to date after every event of theirs."""

    def __init__(self, fee_bps: int) -> None:
        self._fee_bps = fee_bps
        self._lines: dict[int, dict[int, Held]] = {}  # by sport event, by line
        self._tournaments: dict[int, int] = {}
        self._worst: dict[int, int] = {}

    def move(self, order: Order, before: Seen, now: Seen) -> None:
        line = order.line
        lines = self._lines.setdefault(line.event_id, {})
        if line.index not in lines:
            lines[line.index] = Held.on(line)
        risk, side = lines[line.index].risk, order.strike.side
        risk.filled[side] += now.filled - before.filled
        risk.winnings[side] += now.winnings - before.winnings
        risk.open[side] += now.open - before.open
        self._tournaments[line.event_id] = line.event.tournament.id
        self._worst[line.event_id] = worst_cents(list(lines.values()), self._fee_bps)

    def losses(self, order: Order) -> Losses:
        """Of all that this order belongs to."""
        line = order.line
        lines = self._lines.get(line.event_id, {})
        mine = lines.get(line.index)
        ours = line.event.tournament.id
        return Losses(
            line=0 if mine is None else mine.risk.worst_cents(),
            market=market_cents(list(lines.values()), line.market_id, self._fee_bps),
            event=self._worst.get(line.event_id, 0),
            tournament=sum(
                cents for event, cents in self._worst.items() if self._tournaments[event] == ours
            ),
            total=sum(self._worst.values()),
        )


class SafetyWatch:
    """Hears of the orders of clients at the box; `findings` begin with I3, G2, G3 or G7."""

    def __init__(self, rules: Rules, clock: Clock, purse: Purse) -> None:
        self.findings: list[str] = []
        self.looks = 0  # placements weighed
        self._rules = rules
        self._prefix = rules.prefix
        self._clock = clock
        self._purse = purse
        # A person's orders count, too, once they must be known: until then a limit is broken when
        # it is so both with and without them.
        self._ours, self._all = Exposure(rules.fee_bps), Exposure(rules.fee_bps)
        self._outside = Outside(rules.unknown_ns)
        self._person_ns = 0
        self._seen: dict[str, Seen] = {}

    def order_changed(self, order: Order, what: str, now_ns: int) -> None:
        ident = order.request.external_id
        ours = ident.startswith(self._prefix)
        before = self._seen.get(order.order_id) or Seen()
        now = _counted(order, now_ns)
        weighed = ours and what == "accepted" and not self._clock.given_up(ident, now_ns)
        known = self._clock.may_audit(now_ns, since_ns=self._person_ns)
        books = (self._all,) if known else (self._ours, self._all)
        were = [book.losses(order) for book in books] if weighed else []
        self._all.move(order, before, now)
        if ours:
            self._ours.move(order, before, now)
        else:
            self._person_ns = now_ns
        self._seen[order.order_id] = now
        self._purse.look(order.account, now_ns)
        came_late = ours and what == "accepted" and not weighed
        if came_late or now.filled < before.filled or now.winnings < before.winnings:
            self._outside.move(order, before, now)
        if weighed:
            self.looks += 1
            self._weigh(order, list(zip(were, (book.losses(order) for book in books), strict=True)))
            self._crosses(order, now_ns)
            if known:
                self._affords(order, now_ns)

    def _weigh(self, order: Order, books: list[tuple[Losses, Losses]]) -> None:
        """I3: no placement that adds to a loss leaves it above its limit."""
        now_ns = order.updated_ns
        for level in LEVELS:
            where = order.line.event_id if level in OF_ONE_EVENT else None
            untold = self._outside.cents(now_ns, where)
            most = getattr(self._rules.losses, level)
            if all(
                getattr(were, level) < getattr(are, level) and getattr(are, level) - untold > most
                for were, are in books
            ):
                cents = min(getattr(are, level) for _, are in books)
                lets = f"lets its {level} lose up to {cents} cents, limit {most}"
                self._find(f"I3: {order.request.external_id} {lets}", now_ns)

    def _affords(self, order: Order, now_ns: int) -> None:
        """G2, G3: no more rests than so many times the cash; nothing comes while that is hidden."""
        ident, resting_cents = order.request.external_id, order.account.resting_cents
        most_cents = int(self._purse.most_cents() * self._rules.cash_multiple)
        if resting_cents > most_cents:
            self._find(f"G2: with {ident} {resting_cents} cents rest, limit {most_cents}", now_ns)
        if self._purse.hidden(now_ns):
            self._find(f"G3: {ident} was placed while no answer tells the balance", now_ns)

    def _crosses(self, order: Order, now_ns: int) -> None:
        """G7: nothing of the account that it must know would trade with it."""
        opposite = order.line.strikes[1 - order.strike.side].strike_id
        for other in crossing(order.account.at_strike.get(opposite, {}), order.price):
            ident = other.request.external_id
            ours = ident.startswith(self._prefix)
            late = ours and self._clock.given_up(ident, other.created_ns)
            known = ours or self._clock.may_audit(now_ns, since_ns=other.created_ns)
            if known and not late:
                prices = f"{order.price:+d} and {other.price:+d}"
                self._find(f"G7: {order.request.external_id} crosses {ident}, {prices}", now_ns)

    def _find(self, finding: str, now_ns: int) -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(f"{finding} (at {now_ns / NS:.3f})")


def _counted(order: Order, now_ns: int) -> Seen:
    """A result ends the risk of what is filled, until it is taken back."""
    now = Seen(open=order.open_cents if order.alive else 0, changed_ns=now_ns)
    if order.winning_status == "tbd":
        now.filled, now.winnings = order.filled_cents, order.counter_cents
    return now
