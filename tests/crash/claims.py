"""What must be so after all the kills: each claim with what was seen. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from mmbot.domain.money import usd
from mmbot.sim.witness import observer
from tests.crash.lives import lives, table
from tests.crash.moments import Kill
from tests.crash.record import Truth, doubled

Json = Mapping[str, Any]

LOGINS_MAX: Final = 2
SHOWN_MAX: Final = 10
PENDING_MAX_NS: Final = 5_000_000_000  # an older intent was held back, not struck
SECONDS_NS: Final = 4_000_000_000  # "twice within seconds"
NEAR_SHARE_MIN: Final = 0.1  # else the moments are not what they say


@dataclass(frozen=True, slots=True)
class Struck:
    """One kill as it happened."""

    kill: Kill
    at_ns: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that is known when everything is over."""

    kills: int  # how many were asked for
    struck: Sequence[Struck]
    truth: Truth
    record: Json
    ledger_orders: Sequence[Json]
    ledger_pnl_cents: int
    intended_ns: Mapping[str, int]  # by external id; not of orders that were adopted
    worst_case_limit_cents: int | None
    stopped_ns: int
    exit_code: int | None
    left_running: int
    outputs: Mapping[str, str]  # logs by name
    secrets: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Claim:
    what: str
    seen: object
    wanted: object
    held: bool
    findings: tuple[str, ...] = ()

    def __str__(self) -> str:
        mark = "ok    " if self.held else "BROKEN"
        return f"{mark} {self.what}: {self.seen} (wanted {self.wanted})"


def claims(outcome: Outcome) -> list[Claim]:
    return list(_claims(outcome))


def _claims(outcome: Outcome) -> Iterator[Claim]:
    truth, ledger = outcome.truth, outcome.ledger_orders
    yield _count("kills", len(outcome.struck), outcome.kills)
    near = sum(truth.placing_at(ns) or _unsent(outcome, ns) > 0 for ns in _moments(outcome))
    wanted = round(outcome.kills * NEAR_SHARE_MIN)
    yield Claim("kills amid a placement", near, f">= {wanted}", near >= wanted)
    yield _none("orders that differ", observer.compare_orders(truth.orders, ledger))
    yield _none("intents with more than one order", doubled(truth.orders))
    # An order that the ledger had to adopt was sent before its intent was durable.
    strange = [
        o["external_id"] for o in truth.orders if o["external_id"] not in outcome.intended_ns
    ]
    yield _none("orders without an intent of their own", strange)
    alive = {o["external_id"] for o in truth.orders if observer.is_alive(o)}
    held = {o["external_id"] for o in ledger if o["state"] not in observer.TERMINAL}
    yield _none("open sets that differ", sorted(alive ^ held))
    yield _none("orders that still rest", sorted(alive))
    yield _none("fills that differ", list(_fills(truth, ledger)))
    cents, booked = truth.pnl_cents, outcome.ledger_pnl_cents
    yield Claim("cents in the ledger", booked, cents, booked == cents)
    logins = truth.logins
    yield Claim("log-ins", logins, f"1 to {LOGINS_MAX}", 1 <= logins <= LOGINS_MAX)
    yield _count("exit code", outcome.exit_code, 0)
    yield _count("processes left behind", outcome.left_running, 0)
    yield _none("invariants broken", observer.check_invariants(_evidence(outcome)))


def figures(outcome: Outcome) -> dict[str, object]:
    """Numbers that say how hard the run was."""
    truth = outcome.truth
    kinds = [one.kill.kind for one in outcome.struck]
    told = lives(truth.requests, _moments(outcome), outcome.stopped_ns)
    gaps = [b.at_ns - a.at_ns for a, b in pairwise(outcome.struck)]
    return {
        "kills": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
        "kills_between_commit_and_arrival": sum(
            _unsent(outcome, ns) > 0 for ns in _moments(outcome)
        ),
        "kills_between_arrival_and_reply": sum(truth.placing_at(ns) for ns in _moments(outcome)),
        "kills_within_4_s_of_the_last": sum(gap < SECONDS_NS for gap in gaps),
        **dict(table(told)),
        "orders": len(truth.orders),
        "intents": len(outcome.ledger_orders),
        "filled_usd": usd(sum(truth.fill_cents.values())),
        "fills_undone": truth.fills_undone,
        "pnl_usd": usd(truth.pnl_cents),
        "requests": len(truth.requests),
        "log_ins": truth.logins,
        "fault_strikes": dict(sorted(truth.faults.items())),
    }


def _moments(outcome: Outcome) -> list[int]:
    return [one.at_ns for one in outcome.struck]


def _unsent(outcome: Outcome, at_ns: int) -> int:
    """Intents that were durable then, fresh, and had not arrived at the exchange."""
    arrived = outcome.truth.arrived_ns
    return sum(
        1
        for ident, intended_ns in outcome.intended_ns.items()
        if at_ns - PENDING_MAX_NS < intended_ns <= at_ns < arrived.get(ident, at_ns + 1)
    )


def _fills(truth: Truth, ledger: Sequence[Json]) -> Iterator[str]:
    """Order by order, from the fills and not from what the order says of itself."""
    ours = {order["external_id"]: order["filled_cents"] for order in ledger}
    for order in truth.orders:
        theirs = truth.fill_cents[order["order_id"]]
        mine = ours.get(order["external_id"], 0)
        if mine != theirs:
            yield f"{order['external_id']}: {usd(mine)} in the ledger, {usd(theirs)} of fills"


def _evidence(outcome: Outcome) -> observer.Evidence:
    return observer.Evidence(
        record=outcome.record,
        ledger_orders=outcome.ledger_orders,
        worst_case_limit_cents=outcome.worst_case_limit_cents,
        stopped_ns=outcome.stopped_ns,
        ledger_pnl_cents=outcome.ledger_pnl_cents,
        outputs=outcome.outputs,
        secrets=outcome.secrets,
    )


def _count(what: str, seen: object, wanted: object) -> Claim:
    return Claim(what, seen, wanted, seen == wanted)


def _none(what: str, findings: Sequence[str]) -> Claim:
    shown = list(findings[:SHOWN_MAX])
    if len(findings) > SHOWN_MAX:
        shown.append(f"and {len(findings) - SHOWN_MAX} more")
    return Claim(what, len(findings), 0, not findings, tuple(shown))
