"""Prometheus metrics: a listener that turns facts and measurements into numbers."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, assert_never

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from mmbot.domain.depth import Depth
from mmbot.domain.facts import (
    Alarm,
    DifferenceRepaired,
    Fact,
    FillCounted,
    FillTakenBack,
    ModeChanged,
    OrderIntended,
    OrderMoved,
    PlacementRefused,
    Reconciled,
    StrategyFailed,
)
from mmbot.domain.order import State
from mmbot.ops.breaker_metrics import BreakerMetrics

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
MODES: Final = ("ENABLED", "REDUCE_ONLY", "CANCEL_ONLY", "HALTED")
LABEL_VALUES_MAX: Final = 100  # per metric; what comes later is counted as "other"
UNSEEN: Final = frozenset({State.INTENDED, State.IN_DOUBT})
ACCEPTED: Final = frozenset({State.OPEN, State.CANCELLING, State.FILLED, State.CANCELLED})

FAST_S: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0)
NETWORK_S: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 8.0, 12.0)


@dataclass(frozen=True, slots=True)
class Levels:
    """How things stand now; ages in seconds, None while there is nothing to age."""

    mode: str
    orders_open: int
    orders_in_doubt: int
    worst_case_cents: int
    worst_case_limit_cents: int
    pnl_cents: int
    requests_last_second: int
    requests_per_second_max: int
    health_check_age_s: float | None = None
    fair_age_s: float | None = None
    book_age_s: float | None = None
    lines_quoted: int = 0
    lines_listed: int = 0


class Metrics:
    """All numbers of one daemon, in a registry of its own."""

    def __init__(self, version: str = "") -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._seen: dict[str, set[str]] = {}
        self._drift_told: Counts[tuple[str, str]] = Counts()
        self.breakers = BreakerMetrics(self.registry)
        self._make_orders()
        self._make_levels()
        self._make_durations()
        self._gauge("mmbot_build_info", "The running version; always 1.", "version").labels(
            version
        ).set(1)
        # A labelled series exists from the start, so that an alert on it can be written.
        for mode in MODES:
            self._mode.labels(mode).set(0)

    def _make_orders(self) -> None:
        count = self._counter
        self._intended = count("mmbot_orders_intended", "Orders we durably meant to place.")
        self._placed = count("mmbot_orders_placed", "Orders the exchange accepted.")
        self._cancelled = count("mmbot_orders_cancelled", "Orders that ended by our cancel.")
        self._rejected = count("mmbot_orders_rejected", "Orders the exchange refused.")
        self._closed = count("mmbot_orders_closed", "Orders the venue ended by itself.")
        self._doubted = count("mmbot_orders_doubted", "Orders whose reply was lost.")
        self._fills = count("mmbot_fills", "Fills counted.")
        self._fills_usd = count("mmbot_fills_usd", "Our stake in fills, in US dollars.")
        self._refusals = count(
            "mmbot_risk_refusals", "Placements the risk gate refused, by check.", "check"
        )
        self._strategy_errors = count(
            "mmbot_strategy_errors", "Times a strategy failed, by strategy.", "strategy"
        )
        self._differences = count(
            "mmbot_differences", "Differences from the exchange, found and repaired.", "kind"
        )
        self._alarms = count("mmbot_alarms", "Things a person should look at, by kind.", "what")
        self._pages = count("mmbot_pages", "Alarms that a person is called for, by kind.", "what")
        self._mode_changes = count(
            "mmbot_mode_changes", "Changes of mode, of the whole or of one sport event.", "mode"
        )
        self._drift = count(
            "mmbot_contract_drift",
            "What the exchange said otherwise than the contract, by kind and place.",
            "what",
            "place",
        )
        self._restarts = count(
            "mmbot_restarts", "Restarts of a service by the supervisor.", "service"
        )
        self._requests = count(
            "mmbot_requests", "Requests sent to the exchange.", "route", "status"
        )

    def _make_levels(self) -> None:
        gauge = self._gauge
        self._mode = gauge("mmbot_mode", "1 for the mode the daemon is in, else 0.", "mode")
        self._open = gauge("mmbot_orders_open", "Our orders that may still fill.")
        self._in_doubt = gauge("mmbot_orders_in_doubt", "Orders whose outcome is unknown.")
        self._worst = gauge(
            "mmbot_worst_case_usd", "Loss if every live order fills, on the worst scores."
        )
        self._worst_limit = gauge("mmbot_worst_case_limit_usd", "The limit of that loss.")
        self._pnl = gauge("mmbot_pnl_usd", "Settled profit or loss since the ledger began.")
        self._rate = gauge(
            "mmbot_rate_budget_used", "Share of the request budget used in the last second."
        )
        self._health_age = gauge(
            "mmbot_health_check_age_seconds", "Since the stream's last health check."
        )
        self._fair_age = gauge("mmbot_fair_age_seconds", "Age of the oldest fair value in use.")
        self._book_age = gauge("mmbot_book_age_seconds", "Age of the oldest book in use.")
        self._lines_quoted = gauge("mmbot_lines_quoted", "Lines with an open order of ours.")
        self._lines_listed = gauge("mmbot_lines_listed", "Lines that can be traded.")
        self._waiting = gauge("mmbot_queue_waiting", "What waits in a queue of ours.", "queue")
        self._waiting_max = gauge("mmbot_queue_limit", "The bound of that queue.", "queue")
        self._lag = gauge(
            "mmbot_lag_seconds", "How old was what came last: inbox, stream.", "where"
        )
        self._mute = gauge(
            "mmbot_mute_events", "Sport events of which REST shows more than the stream."
        )
        self._stream = gauge(
            "mmbot_stream_connected", "1 while a stream channel is subscribed.", "channel"
        )

    def _make_durations(self) -> None:
        self._request_s = self._histogram(
            "mmbot_request_seconds", "Round trip of a request, by route.", NETWORK_S, "route"
        )
        self._reconciled_s = self._histogram(
            "mmbot_reconcile_seconds", "One whole reconciliation, by cause.", NETWORK_S, "cause"
        )
        self._commit_s = self._histogram(
            "mmbot_journal_commit_seconds", "One durable commit of the ledger.", FAST_S
        )
        self._tick_s = self._histogram(
            "mmbot_tick_to_intent_seconds", "From a stream message to a durable intent.", FAST_S
        )
        self._lag_s = self._histogram(
            "mmbot_loop_lag_seconds", "How late the event loop runs a timer.", FAST_S
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self.registry)

    def observe_fact(self, fact: Fact) -> None:
        """Count one fact of the engine."""
        match fact:
            case OrderIntended():
                self._intended.inc()
            case OrderMoved():
                self._observe_move(fact)
            case FillCounted():
                self._fills.inc()
                self._fills_usd.inc(fact.stake_cents / 100)
            case FillTakenBack():
                pass  # it lowers no counter; the PnL gauge shows it
            case DifferenceRepaired(difference):
                self._differences.labels(self._label("kind", difference.kind)).inc()
            case Reconciled(cause, _, _, took_ns):
                self._reconciled_s.labels(self._label("cause", cause)).observe(took_ns / 1e9)
            case PlacementRefused():
                self._refusals.labels(self._label("check", fact.check)).inc()
            case Alarm():
                self._alarms.labels(self._label("what", fact.what)).inc()
                if fact.page:
                    self._pages.labels(self._label("what", fact.what)).inc()
            case ModeChanged():
                self._mode_changes.labels(self._label("mode", fact.after)).inc()
            case StrategyFailed():
                self._strategy_errors.labels(self._label("strategy", fact.owner)).inc()
            case _:
                assert_never(fact)

    def _observe_move(self, fact: OrderMoved) -> None:
        after = fact.order.state
        if after is fact.before:
            return
        if fact.before in UNSEEN and after in ACCEPTED:
            self._placed.inc()
        match after:
            case State.CANCELLED:
                self._cancelled.inc()
            case State.REJECTED:
                self._rejected.inc()
            case State.CLOSED:
                self._closed.inc()
            case State.IN_DOUBT:
                self._doubted.inc()
            case _:
                pass  # the other states show in the gauges

    def observe_levels(self, levels: Levels) -> None:
        """Set every gauge; called once per scrape, not per tick."""
        for mode in MODES:
            self._mode.labels(mode).set(1 if mode == levels.mode else 0)
        self._open.set(levels.orders_open)
        self._in_doubt.set(levels.orders_in_doubt)
        self._worst.set(levels.worst_case_cents / 100)
        self._worst_limit.set(levels.worst_case_limit_cents / 100)
        self._pnl.set(levels.pnl_cents / 100)
        self._rate.set(levels.requests_last_second / max(1, levels.requests_per_second_max))
        self._lines_quoted.set(levels.lines_quoted)
        self._lines_listed.set(levels.lines_listed)
        for gauge, age_s in (
            (self._health_age, levels.health_check_age_s),
            (self._fair_age, levels.fair_age_s),
            (self._book_age, levels.book_age_s),
        ):
            # no data is not fresh data: NaN breaks no alert that also asks for absence
            gauge.set(float("nan") if age_s is None else age_s)

    def observe_request(self, route: str, status: int | None, seconds: float) -> None:
        """One request to the exchange; `status` None means that no answer came."""
        name = self._label("route", route)
        self._requests.labels(name, "lost" if status is None else str(status)).inc()
        self._request_s.labels(name).observe(seconds)

    def observe_stream(self, channel: str, connected: bool) -> None:
        self._stream.labels(self._label("channel", channel)).set(1 if connected else 0)

    def observe_freshness(self, lag_s: Mapping[str, float], mute_events: int) -> None:
        """Lags by where they arose; set once per scrape."""
        for where, seconds in lag_s.items():
            self._lag.labels(self._label("where", where)).set(seconds)
        self._mute.set(mute_events)

    def observe_queues(self, depths: Mapping[str, Depth]) -> None:
        """What waits in each queue, by name; set once per scrape."""
        for name, depth in depths.items():
            label = self._label("queue", name)
            self._waiting.labels(label).set(depth.waiting)
            self._waiting_max.labels(label).set(depth.most)

    def observe_drift(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Rows with `what`, `place` and their `count` since the start; set once per scrape."""
        counts: Counts[tuple[str, str]] = Counts()
        for row in rows:
            counts[row["what"], row["place"]] += row["count"]
        for (what, place), count in counts.items():
            labels = (self._label("what", what), self._label("place", place))
            self._drift.labels(*labels).inc(max(0, count - self._drift_told[what, place]))
        self._drift_told = counts

    def observe_commit(self, seconds: float) -> None:
        self._commit_s.observe(seconds)

    def observe_tick_to_intent(self, seconds: float) -> None:
        self._tick_s.observe(seconds)

    def observe_loop_lag(self, seconds: float) -> None:
        self._lag_s.observe(max(0.0, seconds))

    def observe_restart(self, service: str) -> None:
        self._restarts.labels(self._label("service", service)).inc()

    def text(self) -> bytes:
        """The exposition, for GET /metrics (content type `CONTENT_TYPE`)."""
        return generate_latest(self.registry)

    def _label(self, kind: str, value: str) -> str:
        """A label value; endless ones (an id in a route) may not fill the memory."""
        seen = self._seen.setdefault(kind, set())
        if value in seen:
            return value
        if len(seen) >= LABEL_VALUES_MAX:
            return "other"
        seen.add(value)
        return value
