"""One run: look around, listen, measure one thing after the other, and take everything back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from mmbot.domain.errors import FindOut, MmbotError, SetUpError, Stop, TryAgain
from mmbot.exchange.dialect import DIALECTS
from mmbot.exchange.http import HttpPort
from mmbot.exchange.notices import Notices
from mmbot.exchange.rest import Rest, RestPorts
from mmbot.exchange.session import Session, SessionPorts, SessionSettings
from mmbot.exchange.tokens import Credentials
from mmbot.exchange.ws import WsPort
from mmbot.probe import (
    ask_cancels,
    ask_fills,
    ask_orders,
    ask_rate,
    ask_reads,
    ask_session,
    ask_stream,
)
from mmbot.probe.allowance import Allowance, AllowanceSpent, Limits
from mmbot.probe.calls import Calls, RecordedHttp, dig
from mmbot.probe.desk import Desk, Ticket
from mmbot.probe.findings import Notebook
from mmbot.probe.ground import Ground
from mmbot.probe.lab import Lab, Measurement
from mmbot.probe.listener import Listener
from mmbot.probe.not_asked import NOT_ASKED, V4_ONLY
from mmbot.probe.transcript import Transcript
from mmbot.runtime.clock import Clock
from mmbot.runtime.limiter import Limiter

STREAM_READY_S: Final = 45.0
TRIES: Final = 3  # of a measurement that was disturbed on the way
RETRY_S_MAX: Final = 10.0
CLEAN_UP_S: Final = 110.0
WORKING: Final = frozenset({"inactive", "open"})
LOOKS: Final = (*ask_session.MEASUREMENTS, *ask_reads.MEASUREMENTS)
ORDERS: Final = (
    *ask_orders.MEASUREMENTS,
    *ask_cancels.MEASUREMENTS,
    *ask_fills.MEASUREMENTS,
    *ask_stream.MEASUREMENTS,
    *ask_rate.MEASUREMENTS,
)
MEASUREMENTS: Final = (*LOOKS, *ORDERS)


@dataclass(frozen=True, slots=True)
class ProbePorts:
    """The outer world; `draw` gives 0..1."""

    http: HttpPort
    websockets: WsPort
    clock: Clock
    draw: Callable[[], float]


@dataclass(slots=True)
class Outcome:
    """What one run brought; `left_open` are orders that were not seen to end."""

    notebook: Notebook
    transcript: Transcript
    allowance: Allowance
    left_open: list[Ticket] = field(default_factory=list)


class Probe:
    """`run` measures; `outcome` is there from the beginning, also when `run` is cancelled."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        ports: ProbePorts,
        limits: Limits,
        dialect: str = "v4",
    ) -> None:
        clock, routes = ports.clock, DIALECTS[dialect].routes
        transcript = Transcript((credentials.access_key, credentials.secret_key))
        allowance = Allowance(limits, clock)
        http = RecordedHttp(ports.http, allowance, transcript, clock)
        limiter, notices = Limiter(clock), Notices()
        session = Session(
            SessionSettings(base_url, credentials),
            SessionPorts(http, limiter, clock, notices, routes, ports.draw),
        )
        rest = Rest(RestPorts(http, session, limiter, clock, notices, routes))
        calls = Calls(rest, http, clock, seed=dialect == "seed")
        desk = Desk(calls, allowance, clock, f"{int(ports.draw() * 2**40):010x}")
        listener = Listener(calls, ports.websockets, clock, transcript, desk.hear)
        desk.hears = lambda: listener.alive
        notebook = Notebook()
        self._lab = Lab(calls, desk, Ground(calls), listener, notebook, allowance, clock)
        self.outcome = Outcome(notebook, transcript, allowance)

    async def run(self) -> Outcome:
        """Raises SetUpError when nothing may be asked, Stop when orders of others rest here."""
        lab = self._lab
        try:
            await self._measure()
        finally:
            lab.allowance.closing = True
            self.outcome.left_open = await self._clean_up()
        for name, why in NOT_ASKED.items():
            lab.notebook.unknown(name, why)
        if lab.calls.seed:
            lab.notebook.forget(V4_ONLY, "a question to the v4 routes, which were not asked")
        return self.outcome

    async def _clean_up(self) -> list[Ticket]:
        """What is not over when time or requests are spent stays named."""
        desk = self._lab.desk
        with contextlib.suppress(TimeoutError, AllowanceSpent):
            async with asyncio.timeout(CLEAN_UP_S):
                await desk.clean_up()
        return [ticket for ticket in desk.tickets if not ticket.over]

    async def _measure(self) -> None:
        lab = self._lab
        await self._refuse_company()
        await lab.ground.open()
        lab.home = _home(lab)
        for one in LOOKS:
            await self._one(one)
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(
                lab.listener.run(ask_stream.subscriptions(lab)), name="probe listener"
            )
            try:
                async with asyncio.timeout(STREAM_READY_S):
                    await lab.listener.ready.wait()
            except TimeoutError:
                lab.listener.why_not = f"the stream was not ready within {STREAM_READY_S:.0f} s"
            for one in ORDERS:
                await self._one(one)
            listening.cancel()

    async def _refuse_company(self) -> None:
        """What rests here and is not ours would be cancelled with ours. Raises Stop."""
        lab = self._lab
        try:
            replies = await lab.desk.resting_of_all()
        except (TryAgain, FindOut) as error:
            raise Stop(f"the exchange cannot be asked: {error}") from None
        refused = [reply for reply in replies if not reply.ok]
        if refused:
            lab.closed = f"the account's orders cannot be listed ({refused[0].status})"
        rows = [row for reply in replies for row in dig(reply.data, "orders") or ()]
        if any(dig(row, "status") in WORKING and dig(row, "open_quantity") for row in rows):
            raise Stop("orders rest on this account: the probe needs it to itself")

    async def _one(self, one: Measurement) -> None:
        """One measurement; whatever ends it early is the reason for what it did not tell."""
        note, closed = self._lab.notebook, self._lab.closed
        if closed and one in ORDERS:
            note.leave(one.names, closed)
            return
        for tries_left in reversed(range(TRIES)):
            try:
                await one.measure(self._lab)
                note.leave(one.names, "the measurement told nothing of it")
                return
            except (TryAgain, FindOut) as error:
                if not tries_left:
                    note.leave(one.names, str(error))
                    return
                await self._begin_again(error)
            except SetUpError:
                raise
            except MmbotError as error:
                note.leave(one.names, str(error))
                await self._clear_desk()
                return

    async def _clear_desk(self) -> None:
        """What a measurement left at rest would be in the way of the next one's money."""
        with contextlib.suppress(TryAgain, FindOut, AllowanceSpent):
            for ticket in self._lab.desk.tickets:
                await self._lab.desk.end(ticket)

    async def _begin_again(self, error: MmbotError) -> None:
        """After a disturbance on the way: from a desk without orders."""
        wait_s = error.retry_after_s if isinstance(error, TryAgain) else 1.0
        await self._lab.clock.sleep(min(RETRY_S_MAX, wait_s))
        with contextlib.suppress(AllowanceSpent):
            await self._lab.desk.clean_up()


def _home(lab: Lab) -> Any:
    """A line with offers on both sides, so that far from the market is known to be far."""
    both = [spot for spot in lab.ground.spots if spot.best(0) and spot.best(1)]
    return next(iter(both or lab.ground.spots), None)
