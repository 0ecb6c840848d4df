"""What happens in a demo, from the first caption to the verdict."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final, Protocol

from mmbot.app.demo_links import Json
from mmbot.app.demo_options import DemoOptions
from mmbot.app.demo_parts import Parts
from mmbot.app.demo_verdict import Evidence, Run, waits_for
from mmbot.domain.errors import FindOut, MmbotError, Stop
from mmbot.store.journal import export_orders, pnl_cents

POLL_S: Final = 0.5
LOOK_S: Final = 0.05
KEYS_WAITING_MAX: Final = 16
MISSED_MAX: Final = 4
FIRST_QUOTE_MAX_S: Final = 30.0
EMPTY_MAX_S: Final = 30.0
EMPTY_AFTER_KILL_MAX_S: Final = 95.0  # an order in doubt is believed absent after 72 s
BOOKED_MAX_S: Final = 30.0
EXIT_MAX_S: Final = 30.0
BACK_MAX_S: Final = 30.0


class Stage(Protocol):
    """Where the demo is shown."""

    def caption(self, text: str) -> None:
        """One line that says what is happening."""
        ...

    def show(self, state: Json | None, status: Json | None) -> None:
        """What the box and the daemon said last; None where one does not answer."""
        ...


@dataclass(slots=True)
class Progress:
    """What has happened so far."""

    started_s: float = 0.0
    restarts: int = 0
    disturbed: bool = False  # by a kill, a key
    exit_reason: str = ""
    results: str = ""  # of the games, as the box tells them
    halted: bool = False
    state: Json | None = None
    status: Json | None = None
    last_status: Json = field(default_factory=dict)


class Story:
    """One demo. Keys arrive through `press`; `tell` runs it to the end."""

    def __init__(self, options: DemoOptions, parts: Parts, stage: Stage) -> None:
        self._options = options
        self._parts = parts
        self._stage = stage
        self._keys: asyncio.Queue[str] = asyncio.Queue(KEYS_WAITING_MAX)
        self._draw = Random(f"story {options.seed}")
        self.progress = Progress()

    def press(self, key: str) -> None:
        """A key of the terminal; more than the queue holds are forgotten."""
        with contextlib.suppress(asyncio.QueueFull):
            self._keys.put_nowait(key)

    async def tell(self) -> tuple[Run, Evidence]:
        """Start, run, stop, settle, compare; raises SetUpError or Stop with one line."""
        self._stage.caption("starting the exchange in the box ...")
        self._stage.show(None, None)
        await self._parts.start()
        self.progress.started_s = _now_s()
        self._stage.caption("the exchange is up; the daemon logs in, seeds and recovers ...")
        async with self._looking():
            await self._first_quotes()
            await self._play()
            duration_s = self._elapsed_s()
            await self._empty()
            self.progress.results = await self._settle()
        await self._end_daemon()
        evidence = await self._evidence()
        progress = self.progress
        # what a scenario does to a maker is its own business: presence is printed, not promised
        disturbed = progress.disturbed or self._options.scenario is not None
        run = Run(
            self._options.seed, duration_s, self._options.latency,
            progress.restarts, disturbed, progress.exit_reason,
        )  # fmt: skip
        return run, evidence

    # --- the middle: time, kills and keys

    async def _play(self) -> None:
        moments_s = self._options.kill_moments_s()
        end_s = self._options.duration_s
        while True:
            next_s = min([*moments_s[:1], *([end_s] if end_s is not None else [])], default=None)
            key = await self._key_until(next_s)
            if key == "" and moments_s and next_s == moments_s[0]:
                moments_s.pop(0)
                self._kill()
            elif key == "":
                self.progress.exit_reason = "duration"
                return
            elif key == "q":
                self.progress.exit_reason = "stopped"
                return
            else:
                await self._act(key)

    async def _key_until(self, at_s: float | None) -> str:
        """The next key, or "" when that second of the run has come."""
        try:
            async with asyncio.timeout(
                None if at_s is None else max(0.0, at_s - self._elapsed_s())
            ):
                return await self._keys.get()
        except TimeoutError:
            return ""

    async def _act(self, key: str) -> None:
        match key:
            case "k":
                await self._kill_and_adopt()
            case "n":
                await self._news()
            case "h":
                await self._halt()
            case _:
                self._stage.caption("the keys are k, n, h and q")

    def _kill(self) -> None:
        self._parts.kill_and_restart_daemon()
        self.progress.restarts += 1
        self.progress.disturbed = True
        self._stage.caption(
            "kill -9: the daemon is dead and starts again; its orders rest on the exchange"
        )

    async def _kill_and_adopt(self) -> None:
        """Kill, wait for the recovery, then ask the exchange what was lost or doubled."""
        self._kill()
        began_s = _now_s()
        rested = [row for row in (await self._parts.record())["orders"] if row["open_cents"] > 0]
        if not await self._until(lambda status: bool(status.get("recovered"))):
            raise Stop(f"the daemon did not recover within {BACK_MAX_S:g} s ({self._log})")
        back_s = _now_s() - began_s
        ledger = {row["external_id"] for row in self._ledger_rows()}
        lost = sum(1 for row in rested if row["external_id"] not in ledger)
        doubled = (await self._parts.record())["same_price_twice"]
        self._stage.caption(
            f"back in {back_s:.1f} s, {len(rested) - lost} orders adopted; "
            f"the exchange says: lost {lost}, doubled {doubled}"
        )

    async def _news(self) -> None:
        """The feed jumps; watch the quotes of that game go and come back."""
        self.progress.disturbed = True
        told = await self._parts.control.post("/_box/news", {})
        event, began_s = str(told["event"]), _now_s()
        before = _quotes(await self._parts.daemon_status() or {}, event)
        jumped = f"late news on {event} ({told['shift_logit']:+.2f} logit)"
        self._stage.caption(f"{jumped}: it was not quoted" if not before else jumped)
        if not before:
            return
        pulled = await self._until(
            lambda status: len(_quotes(status, event) & before) < len(before)
        )
        pulled_s = _now_s() - began_s
        back = await self._until(lambda status: len(_quotes(status, event)) >= len(before))
        self._stage.caption(
            f"{jumped}: pulled after {pulled_s:.1f} s, back after {_now_s() - began_s:.1f} s"
            if pulled and back
            else f"{jumped}: its quotes are not all back after {_now_s() - began_s:.0f} s"
        )

    async def _until(self, there: Callable[[Json], bool]) -> bool:
        """Whether the daemon's status said so within `BACK_MAX_S`."""
        until_s = _now_s() + BACK_MAX_S
        while _now_s() < until_s:
            status = await self._parts.daemon_status()
            if status is not None and there(status):
                return True
            await asyncio.sleep(LOOK_S)
        return False

    async def _halt(self) -> None:
        if self.progress.halted:
            await self._parts.say("/resume", BACK_MAX_S, "key h")
            self.progress.halted = False
            self._stage.caption("resumed: quotes come back")
            return
        began_s = _now_s()
        self.progress.disturbed = True
        await self._parts.say("/halt", BACK_MAX_S, "key h")
        self.progress.halted = True
        left = await self._wait_empty(EMPTY_MAX_S)
        self._stage.caption(
            f"halted, also after a restart: {left} orders open at the exchange after "
            f"{_now_s() - began_s:.1f} s"
        )

    # --- the end

    async def _empty(self) -> None:
        await self._parts.control.post("/_box/stop_mark")
        self._stage.caption("stop: every quote is withdrawn ...")
        wait_max_s = EMPTY_AFTER_KILL_MAX_S if self.progress.restarts else EMPTY_MAX_S
        await self._parts.say("/pause", wait_max_s, "end of the demo")
        left = await self._wait_empty(wait_max_s)
        if left:
            self._stage.caption(f"{left} orders are still open after {wait_max_s:g} s")

    async def _wait_empty(self, wait_max_s: float) -> int:
        """Open orders at the exchange when neither side has any, or when the wait is over."""
        until_s = _now_s() + wait_max_s
        while True:
            record = await self._parts.record()
            status = await self._parts.daemon_status() or {}
            orders = status.get("orders", {})
            known = int(orders.get("open", 1)) + int(orders.get("in_doubt", 0))
            left = int(record["open_orders_now"])
            if (left == 0 and known == 0) or _now_s() >= until_s:
                return left
            await asyncio.sleep(4 * LOOK_S)

    async def _settle(self) -> str:
        await self._parts.control.post("/_box/takers", {"on": False})
        told = await self._parts.control.post("/_box/settle")
        results = "; ".join(
            f"{one['event']} {one['result']} ({one['how']})" for one in told.get("results", [])
        )
        self._stage.caption(f"the games are settled: {results}")
        until_s = _now_s() + BOOKED_MAX_S
        while _now_s() < until_s:
            status = await self._parts.daemon_status() or {}
            if status.get("unsettled") == 0 and status.get("money_booked", True):
                break
            await asyncio.sleep(2 * LOOK_S)
        return results

    async def _end_daemon(self) -> None:
        status = await self._parts.daemon_status()
        if status is not None:
            self.progress.last_status = status
        self._parts.daemon.ask_to_end()
        wait_max_s = EMPTY_AFTER_KILL_MAX_S if self.progress.restarts else EXIT_MAX_S
        code = await self._parts.daemon.ended(wait_max_s)
        if code is None:
            self.progress.exit_reason = f"the daemon did not end within {wait_max_s:g} s"
        elif code != 0:
            self.progress.exit_reason = f"the daemon ended with exit code {code}"

    async def _evidence(self) -> Evidence:
        record = await self._parts.record()
        ledger = self._parts.places.ledger_file
        return Evidence(record, self._ledger_rows(), pnl_cents(ledger), self.progress.last_status)

    def _ledger_rows(self) -> list[Json]:
        return [dict(row) for row in export_orders(self._parts.places.ledger_file)]

    # --- looking on

    async def _first_quotes(self) -> None:
        until_s = _now_s() + FIRST_QUOTE_MAX_S
        while _now_s() < until_s:
            status = self.progress.status
            if status is not None and status.get("orders", {}).get("open", 0):
                self._stage.caption(f"quoting {self._elapsed_s():.1f} s after the exchange came up")
                return
            await asyncio.sleep(LOOK_S)
        waits = waits_for(self.progress.status)
        raise Stop(f"no order of ours after {FIRST_QUOTE_MAX_S:g} s: {waits} ({self._log})")

    @contextlib.asynccontextmanager
    async def _looking(self) -> AsyncIterator[None]:
        """Show both processes while the story goes on, and end it when one dies unasked."""
        try:
            async with asyncio.TaskGroup() as group:
                watchers = [
                    group.create_task(self._parts.watch()),
                    group.create_task(self._poll()),
                ]
                yield
                for watcher in watchers:
                    watcher.cancel()
        except BaseExceptionGroup as group:
            raise self._reason(group) from None

    def _reason(self, group: BaseExceptionGroup[BaseException]) -> BaseException:
        """The one error that explains the others: a dead process before what asked it in vain."""
        for child in (self._parts.box, self._parts.daemon):
            if child.exit_code is not None:
                return child.died()
        unanswered, others = group.split(FindOut)
        known = others.subgroup(MmbotError) if others else None
        if known is not None:
            return known.exceptions[0]
        return Stop(f"{unanswered.exceptions[0]} ({self._log})") if unanswered else group

    async def _poll(self) -> None:
        progress, missed = self.progress, 0
        while True:
            try:
                progress.state, missed = await self._parts.control.get("/_box/state"), 0
            except FindOut:
                missed += 1  # when the box is ending, the watcher has the better words for it
                if missed > MISSED_MAX:
                    raise
            progress.status = await self._parts.daemon_status()
            if progress.status is not None:
                progress.last_status = progress.status
            self._stage.show(progress.state, progress.status)
            await asyncio.sleep(POLL_S)

    def _elapsed_s(self) -> float:
        return _now_s() - self.progress.started_s

    @property
    def _log(self) -> str:
        return f"log: {self._parts.daemon.log}"


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _quotes(status: Json, event: str) -> set[tuple[str, int]]:
    """(strike id, price) of our quotes on one sport event."""
    return {
        (quote["strike_id"], quote["price"])
        for line in status.get("lines", [])
        if line["event"] == event
        for quote in line["quotes"]
    }
