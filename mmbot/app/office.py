"""The admin side of a daemon: what can be asked of it, and what a person may tell it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from mmbot.app.halt_desk import HaltDesk
from mmbot.app.heartbeat import Vitals
from mmbot.app.limit_rows import limits_now
from mmbot.app.status import Sources, status
from mmbot.config import AdminSettings
from mmbot.domain.errors import Stop
from mmbot.domain.events import OperatorSaid
from mmbot.engine.modes import Mode
from mmbot.ops import admin
from mmbot.ops.metrics import CONTENT_TYPE, Levels, Metrics

REASON_CHARS_MAX: Final = 200
WHO_CHARS_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class Office:
    """A halt is said to the engine at once, and on disk before it is answered."""

    sources: Sources
    metrics: Metrics
    desk: HaltDesk
    stop: Callable[[], None]
    vitals: Vitals

    async def prove_free(self, settings: AdminSettings) -> None:
        """Raise SetUpError now when `serve` could not listen: before a log-in is spent."""
        await admin.prove_free(settings.host, settings.port)

    async def serve(self, settings: AdminSettings) -> None:
        """Service: listen until cancelled."""
        views = admin.Views(
            lambda: status(self.sources),
            self.exposition,
            CONTENT_TYPE,
            self.not_ready,
            self.sick,
            self.limits,
            self.heartbeat,
        )
        app = admin.build_app(
            views,
            {
                "halt": self.halt,
                "resume": self.resume,
                "pause": self.pause,
                "stop": self.end,
            },
        )
        async with admin.serve(app, settings.host, settings.port):
            await asyncio.Event().wait()

    def limits(self) -> Mapping[str, Any]:
        return limits_now(self.sources.engine.parts, self.sources.clock.now_ns())

    def heartbeat(self, query: Mapping[str, str]) -> Mapping[str, Any]:
        """Our lease as the engine renewed it last. Who asks tells of its own."""
        self.vitals.guard.asked(query)
        return asdict(self.vitals.heart.lease)

    def not_ready(self) -> str | None:
        """Ready means: quoting is possible."""
        engine = self.sources.engine
        if not engine.parts.ledger.recovered:
            return "recovering"
        return None if engine.mode is Mode.ENABLED else engine.mode.name

    def sick(self) -> str | None:
        """Healthy means: the process can do its work, quoting or not."""
        journal = self.sources.engine.parts.modes.journal
        return f"journal: {journal}" if journal else None

    def exposition(self) -> bytes:
        now = status(self.sources)
        stream = now["stream"]
        for channel in ("private", "public"):
            self.metrics.observe_stream(channel, stream[channel])
        self.metrics.observe_queues(self.sources.queues())
        self.metrics.observe_freshness(now["lag_s"], len(now["mute_events"]))
        self.metrics.observe_drift(now["drift"])
        trips = self.sources.engine.parts.ledger.cool_offs.trips
        self.metrics.breakers.observe(now["breakers"], trips)
        quoted = sum(1 for line in now["lines"] if line["quotes"])
        self.metrics.observe_levels(
            Levels(
                mode=now["mode"],
                orders_open=now["orders"]["open"],
                orders_in_doubt=now["orders"]["in_doubt"],
                worst_case_cents=now["worst_case_cents"],
                worst_case_limit_cents=now["worst_case_limit_cents"],
                pnl_cents=now["pnl_cents"],
                requests_last_second=now["requests_per_second"],
                requests_per_second_max=self.sources.requests_per_second_max,
                health_check_age_s=now["health_check_age_s"],
                fair_age_s=now["fair_age_s"],
                book_age_s=now["book_age_s"],
                lines_quoted=quoted,
                lines_listed=len(now["lines"]),
            )
        )
        return self.metrics.text()

    # --- a person's words --------------------------------------------------------------------

    async def halt(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            await self.desk.halt(*_words(body))
        except OSError as error:
            raise Stop(f"halted, but NOT latched: a restart would quote ({error})") from None
        return {"said": "halt"}

    async def resume(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            self.desk.latch.release()
        except OSError as error:
            raise Stop(f"not resumed: the latch cannot be released ({error})") from None
        return self._said("resume", body)

    async def pause(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._said("pause", body)

    async def end(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.stop()
        return {"said": "stop"}

    def _said(self, word: Any, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.desk.tell(OperatorSaid(word, *_words(body)))
        return {"said": word}


def _words(body: Mapping[str, Any]) -> tuple[str, str]:
    """Who and why, cut to a length that fits a ledger."""
    who = str(body.get("who", ""))[:WHO_CHARS_MAX] or "admin"
    return who, str(body.get("reason", ""))[:REASON_CHARS_MAX]
