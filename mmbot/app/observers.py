"""What the outside sees of facts: counters for `/status`, metrics, log lines. May not object."""

from __future__ import annotations

from dataclasses import dataclass, field

from structlog.typing import FilteringBoundLogger

from mmbot.domain.facts import Fact, FillCounted, OrderMoved
from mmbot.domain.order import State
from mmbot.ops.logs import log_fact
from mmbot.ops.metrics import Metrics

UNSEEN = frozenset({State.INTENDED, State.IN_DOUBT})


@dataclass(slots=True)
class Observers:
    """One place that shows facts; counts are since this start."""

    logger: FilteringBoundLogger
    metrics: Metrics
    counts: dict[str, int] = field(
        default_factory=lambda: {"placed": 0, "cancelled": 0, "fills": 0}
    )

    def __call__(self, facts: tuple[Fact, ...], now_ns: int) -> None:
        for fact in facts:
            self.metrics.observe_fact(fact)
            log_fact(self.logger, fact)
            match fact:
                case FillCounted():
                    self.counts["fills"] += 1
                case OrderMoved(order, before) if order.state is not before:
                    if before in UNSEEN and not order.terminal:
                        self.counts["placed"] += 1
                    if order.state is State.CANCELLED:
                        self.counts["cancelled"] += 1
                case _:
                    pass
