"""The end of a demo, pure: the exchange's record held against the ledger, and what we claim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mmbot.domain.money import usd
from mmbot.sim.witness.observer import compare_orders, duplicates

Json = Mapping[str, Any]

QUOTED_SHARE_MIN: Final = 0.9
FILLS_MIN: Final = 20
FILLS_FROM_DURATION_S: Final = 60.0
REQUESTS_PER_SECOND_MAX: Final = 50
GOOD_ENDS: Final = frozenset({"duration", "stopped"})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What both sides say, read when everything was over."""

    record: Json  # the box's own
    ledger_orders: Sequence[Json]
    pnl_cents_ledger: int
    status: Json  # the daemon's last, before it ended


@dataclass(frozen=True, slots=True)
class Run:
    """How it was run, as far as the box cannot know."""

    seed: int
    duration_s: float
    latency: str
    daemon_restarts: int
    disturbed: bool  # killed, halted or given news on purpose
    exit_reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    summary: dict[str, Any]
    mismatches: tuple[str, ...]
    broken: tuple[str, ...]  # claims that did not hold, one line each

    @property
    def good(self) -> bool:
        return not self.broken


def judge(run: Run, evidence: Evidence) -> Verdict:
    record = evidence.record
    mismatches = tuple(compare_orders(record["orders"], evidence.ledger_orders))
    summary = {
        "seed": run.seed,
        "duration_s": round(run.duration_s, 1),
        "latency_profile": run.latency,
        "strikes": record["strikes"],
        "quoted_share_min": round(record["quoted_share_min"], 4),
        "first_quote_s": record["first_quote_s"],
        "first_quote_unix_s": _first_quote_unix_s(record),
        "orders_placed": record["orders_placed"],
        "fills": record["fills_count"],
        "open_orders_at_end": record["open_orders_at_end"],
        "ledger_mismatches": len(mismatches),
        "duplicate_orders": duplicates(record, evidence.ledger_orders),
        "pnl_cents_exchange": record["pnl_cents"],
        "pnl_cents_ledger": evidence.pnl_cents_ledger,
        "worst_case_cents_max": record["worst_case_cents_max"],
        "worst_case_limit_cents": evidence.status.get("worst_case_limit_cents"),
        "requests_per_second_max": record["requests"]["per_second_max"],
        "daemon_restarts": run.daemon_restarts,
        "tick_to_trade_us": evidence.status.get("tick_to_trade_us"),
        "exit_reason": run.exit_reason,
    }
    return Verdict(summary, mismatches, tuple(_broken(summary, run)))


def waits_for(status: Json | None) -> str:
    """Why nothing is quoted, in the daemon's own words."""
    if status is None:
        return "the daemon does not answer; it starts, or this machine is too busy for both"
    up_s, mode = status.get("uptime_s", 0), status.get("mode")
    why = status.get("why") or "no strategy wants a quote"
    stream = status.get("stream", {})
    down = [name for name in ("private", "public") if not stream.get(name)]
    said = [f"the daemon has been up for {up_s:.0f} s and is {mode} ({why})"]
    said += [f"the {name} stream is down" for name in down]
    said += [] if status.get("lines") else ["no line is listed"]
    return ", ".join(said)


def _first_quote_unix_s(record: Json) -> float | None:
    """Wall time of the first open order, for measurements that began before the box did."""
    if record["first_quote_s"] is None:
        return None
    return round(float(record["started_ns"] / 1e9 + record["first_quote_s"]), 3)


def _broken(summary: Json, run: Run) -> Iterator[str]:
    # A daemon that was killed or halted quotes less, and at the venue's observed latency each
    # new price takes several seconds to arrive: presence is printed there, and not promised.
    if not run.disturbed and run.latency == "loopback":
        if summary["quoted_share_min"] < QUOTED_SHARE_MIN:
            yield f"quoted_share_min {summary['quoted_share_min']:.3f} is below {QUOTED_SHARE_MIN}"
        if run.duration_s >= FILLS_FROM_DURATION_S and summary["fills"] < FILLS_MIN:
            yield f"{summary['fills']} fills, at least {FILLS_MIN} were expected"
    for key in ("open_orders_at_end", "ledger_mismatches", "duplicate_orders"):
        if summary[key] != 0:
            yield f"{key} is {summary[key]}, not 0"
    if summary["pnl_cents_exchange"] != summary["pnl_cents_ledger"]:
        yield (
            f"the exchange says {summary['pnl_cents_exchange']} cents of PnL, "
            f"the ledger {summary['pnl_cents_ledger']}"
        )
    limit = summary["worst_case_limit_cents"]
    if limit is None or summary["worst_case_cents_max"] > limit:
        yield f"worst case {summary['worst_case_cents_max']} cents, limit {limit}"
    if summary["requests_per_second_max"] > REQUESTS_PER_SECOND_MAX:
        yield f"{summary['requests_per_second_max']} requests within a second"
    if summary["exit_reason"] not in GOOD_ENDS:
        yield f"exit reason: {summary['exit_reason']}"


@dataclass(frozen=True, slots=True)
class Pair:
    """One row of the comparison: what is compared, exchange, ledger."""

    what: str
    exchange: str
    ledger: str

    @property
    def equal(self) -> bool:
        return self.exchange == self.ledger


def side_by_side(evidence: Evidence, names: Mapping[str, str]) -> list[Pair]:
    """One row per strike that was quoted, then the totals; `names` maps strike ids."""
    theirs = _by_strike(evidence.record["orders"])
    # An intent that never left, or was refused, is no order of the exchange.
    ours = _by_strike([order for order in evidence.ledger_orders if order["order_id"]])
    rows = [
        Pair(names.get(strike, strike[:12]), _told(theirs.get(strike)), _told(ours.get(strike)))
        for strike in sorted({*theirs, *ours}, key=lambda one: names.get(one, one))
    ]
    live = {"INTENDED", "IN_DOUBT", "OPEN", "CANCELLING"}
    open_ours = sum(1 for order in evidence.ledger_orders if order["state"] in live)
    rows.append(Pair("open orders", str(evidence.record["open_orders_now"]), str(open_ours)))
    rows.append(Pair("PnL, USD", usd(evidence.record["pnl_cents"]), usd(evidence.pnl_cents_ledger)))
    return rows


def _by_strike(orders: Sequence[Json]) -> dict[str, tuple[int, int]]:
    """Strike id -> (orders, filled cents)."""
    sums: dict[str, tuple[int, int]] = {}
    for order in orders:
        count, filled = sums.get(order["strike_id"], (0, 0))
        sums[order["strike_id"]] = (count + 1, filled + order["filled_cents"])
    return sums


def _told(sums: tuple[int, int] | None) -> str:
    count, filled = sums or (0, 0)
    return f"{count} orders, {usd(filled)} filled"
