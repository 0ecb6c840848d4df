"""What the daemon says of itself: the JSON behind `/status` and `mmbot status`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mmbot.app.breaker_rows import breaker_rows
from mmbot.app.dispatch import Dispatcher
from mmbot.domain.catalog import Line
from mmbot.domain.depth import Depth
from mmbot.domain.order import State
from mmbot.engine.core import Engine
from mmbot.engine.reconcile import Reconciliation
from mmbot.engine.statement import case_rows
from mmbot.runtime.clock import NS_PER_S, Clock
from mmbot.runtime.limiter import Limiter


@dataclass(frozen=True, slots=True)
class Sources:
    """What a status is read from."""

    engine: Engine
    dispatcher: Dispatcher
    limiter: Limiter
    clock: Clock
    started_ns: int
    run_mode: str
    worst_case_limit_cents: int
    requests_per_second_max: int
    health_ns: Callable[[], int]  # when the stream last heard a health_check; 0 = never
    counts: Callable[[], dict[str, int]]  # placed, cancelled, fills since this start
    queues: Callable[[], Mapping[str, Depth]]
    drift: Callable[[], list[dict[str, Any]]]  # rows of exchange/drift.py


def status(sources: Sources) -> dict[str, Any]:
    """Plain data; money in integer cents, ages in seconds."""
    engine, now_ns = sources.engine, sources.clock.now_ns()
    parts = engine.parts
    ledger, state, house = parts.ledger, parts.state, parts.housekeeping
    counts = sources.counts()
    health_ns = sources.health_ns()
    ages = [state.book_age_ns(line, now_ns) for line in state.lines]
    fair_ages = [state.fair_age_ns(line, now_ns) for line in state.lines]
    return {
        "mode": engine.mode.name,
        "why": parts.modes.whole(ledger.in_doubt_count, now_ns)[1] or parts.placing.on_hold,
        "run_mode": sources.run_mode,
        "quarantined": dict(parts.wishes.quarantined),
        "uptime_s": round((now_ns - sources.started_ns) / NS_PER_S, 3),
        "recovered": ledger.recovered,
        "orders": {
            "open": len(ledger.live()),
            "in_doubt": ledger.in_doubt_count,
            "placed": counts.get("placed", 0),
            "cancelled": counts.get("cancelled", 0),
            "manual": len(ledger.manual()),
        },
        "fills": counts.get("fills", 0),
        "unsettled": len(ledger.unsettled_filled_orders),
        "money_booked": house.money_booked and not ledger.any_disputed,
        "reconciliation": _reconciliation(ledger.reconciliation, now_ns),
        "flat": not ledger.live(),
        "proven_flat": engine.flat,
        "pnl_cents": ledger.pnl_cents,
        "open_stake_cents": ledger.open_stake_cents,
        "fees_cents": ledger.accounting.books.fees_cents,
        "cases": case_rows(ledger),
        "cash_cents": house.cash_cents,
        "exposure_credit_cents": house.credit_cents,
        "unmatched_cents": ledger.unmatched_cents,
        "worst_case_cents": ledger.portfolio.total.everything_cents,
        "worst_case_limit_cents": sources.worst_case_limit_cents,
        "requests_per_second": sources.limiter.used,
        "health_check_age_s": _oldest_s([now_ns - health_ns]) if health_ns else None,
        "book_age_s": _oldest_s(ages),
        "fair_age_s": _oldest_s(fair_ages),
        "stream": {"private": state.private_up, "public": state.public_up_since_ns > 0},
        "lag_s": {where: lag / NS_PER_S for where, lag in parts.modes.lag_ns.items()},
        "breakers": breaker_rows(parts, now_ns),
        "mute_events": sorted(state.fresh.silent),
        "queues": {name: depth._asdict() for name, depth in sources.queues().items()},
        "drift": sources.drift(),
        "tick_to_trade_us": sources.dispatcher.ticks.summary(),
        "lines": [
            _line(engine, line) | {"book": _book(engine, line, health_ns, now_ns)}
            for line in state.lines.values()
        ],
    }


def _reconciliation(seen: Reconciliation, now_ns: int) -> dict[str, Any]:
    """Differences from the exchange since this start, by kind, and the last complete pass."""
    last, running = seen.last, seen.running
    return {
        "running": running.cause if running is not None else None,
        "differences": {str(kind): count for kind, count in sorted(seen.counts.items())},
        "last": last
        and {
            "cause": last.cause,
            "orders": last.orders,
            "differences": last.differences,
            "took_s": round(last.took_ns / NS_PER_S, 3),
            "age_s": round((now_ns - last.at_ns) / NS_PER_S, 3),
        },
    }


def _oldest_s(ages_ns: list[int | None]) -> float | None:
    known = [age for age in ages_ns if age is not None]
    return round(max(known) / NS_PER_S, 3) if known else None


def _book(engine: Engine, line: Line, health_ns: int, now_ns: int) -> dict[str, Any]:
    """Why its book is believed, and how long ago that was seen; `stale`: why it is not."""
    fresh = engine.parts.state.fresh
    proof, at_ns = fresh.proof(line, health_ns)
    age_s = round((now_ns - at_ns) / NS_PER_S, 3) if at_ns else None
    return {
        "proof": proof if at_ns else None,
        "age_s": age_s,
        "stale": fresh.why_stale(line, now_ns),
    }


def _line(engine: Engine, line: Line) -> dict[str, Any]:
    ledger = engine.parts.ledger
    event = engine.parts.state.events.get(line.event_id)
    position = ledger.exposure(line.line_id).position
    return {
        "line_id": line.line_id,
        "event": event.name if event else "",
        "market": line.market_name,
        "number": line.number,
        "position": {"if_0": position.result_if(0), "if_1": position.result_if(1)},
        "quotes": [
            {
                "strike_id": order.strike_id,
                "side": order.side,
                "price": order.price,
                "remaining_cents": order.remaining_cents,
                "in_doubt": order.state is State.IN_DOUBT,
            }
            for order in ledger.live_on_line(line.line_id)
        ],
    }
