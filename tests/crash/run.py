"""One run: the box and the daemon as processes, `kill -9`, restart, again and again, the end."""

from __future__ import annotations

import asyncio
import os
import secrets
import select
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mmbot.app.demo_children import Child, box_command, daemon_command, free_port, ready_line
from mmbot.app.demo_config import DemoPlaces, to_toml, write_config
from mmbot.app.demo_links import Json, Link, open_session
from mmbot.app.demo_verdict import waits_for
from mmbot.domain.entries import PlaceIntended
from mmbot.domain.errors import FindOut, Stop
from mmbot.sim.scenario import find_scenario, read_table
from mmbot.store.codec import KINDS
from mmbot.store.journal import Journal, export_orders, pnl_cents
from mmbot.store.schema import connect_to_read
from tests.crash.claims import Outcome, Struck
from tests.crash.fitting import fit, moves_until_s
from tests.crash.moments import LIFE_MEAN_S, Kill
from tests.crash.record import places, truth_of

ACCOUNT: Final = "maker"  # what the box calls the account that the daemon trades
BOX_READY_MAX_S: Final = 20.0
QUOTING_MAX_S: Final = 150.0  # more than 20 doubts of the last life hold placements back
EMPTY_MAX_S: Final = 120.0  # a doubt ends at the arrival bound of 72 s, then it is swept
BOOKED_MAX_S: Final = 60.0
EXIT_MAX_S: Final = 110.0
SAY_MAX_S: Final = 30.0
AIM_WAIT_MAX_S: Final = 5.0  # a market that stands still gives no moment to aim at
COMMIT_LOOK_S: Final = 0.000_1
SENT_LOOK_S: Final = 0.002
NEWEST_INTENT: Final = "SELECT seq FROM entries WHERE kind = ? ORDER BY seq DESC LIMIT 1"
INTENT: Final = next(kind for kind, entry in KINDS.items() if entry is PlaceIntended)
LOOK_S: Final = 0.05
CALM_S: Final = 5.0  # between the last kill and the stop
END_S: Final = 60.0  # for planning only: how long stop and settlement take


@dataclass(frozen=True, slots=True)
class Options:
    seed: int = 7
    kills: Sequence[Kill] = ()
    scenario: Path = Path("chaos")
    data: Path | None = None
    dialect: str = "v4"


class CrashRun:
    """`play` it once, then `close` it, whatever happened. `say` is told what happens."""

    def __init__(self, options: Options, folder: Path, say: Callable[[str], None]) -> None:
        self._options = options
        self._folder = folder
        self._say = say
        self._session = open_session()
        self._keys = {
            "MMBOT_ACCESS_KEY": secrets.token_hex(16),
            "MMBOT_SECRET_KEY": secrets.token_hex(16),
        }
        self._box = Child("the exchange in the box", (), folder / "box.log")
        self._daemon = Child("the daemon", (), folder / "daemon.log")
        self._truth = folder / "truth.jsonl"
        self._struck: list[Struck] = []
        self._limit_cents: int | None = None

    async def play(self) -> Outcome:
        """Raises SetUpError or Stop with one line where it cannot go on."""
        await self._start()
        for number, kill in enumerate(self._options.kills, start=1):
            await self._strike(number, kill)
        await self._quoting()
        await asyncio.sleep(CALM_S)
        await self._end()
        return await self._outcome()

    async def close(self) -> None:
        await self._session.close()
        self._daemon.kill()
        self._box.kill()

    # --- the middle

    async def _start(self) -> None:
        await self._start_box()
        self._start_daemon(write_config(self._places, self._options.dialect))

    async def _start_box(self) -> None:
        options = self._options
        more = ["--scenario", str(self._scenario()), "--truth", str(self._truth)]
        if options.data is not None:
            more += ["--data", str(options.data.resolve())]
        # The scenario decides about latency; the flag would overrule it.
        command = [one for one in box_command(0, options.seed, "", more) if one]
        command.remove("--latency")
        self._box = Child(self._box.name, command, self._box.log)
        self._begin(self._box)
        self._began_s = time.monotonic()
        ready = await ready_line(self._box, BOX_READY_MAX_S)
        self._places = DemoPlaces(str(ready["base_url"]), free_port(), self._folder)
        steering = {"X-Box-Token": str(ready["control_token"])}
        self._control = Link(self._session, "the box", self._places.box_url, steering)
        self._admin = Link(self._session, "the daemon", self._places.admin_url)

    def _start_daemon(self, config: Path) -> None:
        self._daemon = Child(self._daemon.name, daemon_command(config), self._daemon.log)
        self._begin(self._daemon)

    def _scenario(self) -> Path:
        """The scenario itself, or a copy that lasts as long as the kills do, and no longer."""
        found = find_scenario(self._options.scenario).resolve()
        table = read_table(found)
        changed = fit(table, len(self._options.kills) * LIFE_MEAN_S, END_S)
        self._moves_s = moves_until_s(table)
        if not changed:
            return found
        copy = self._folder / found.name
        copy.write_text(to_toml(table), encoding="utf-8")
        return copy

    def _begin(self, child: Child) -> None:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("MMBOT_")}
        child.start(environ | {"PYTHONUNBUFFERED": "1"} | self._keys)

    async def _strike(self, number: int, kill: Kill) -> None:
        """Wait for the moment, kill, restart at once; `again` strikes what still starts."""
        ledger = self._places.ledger_file
        if kill.kind == "commit":
            # Not before it is up: the file has to be recovered by it, and by nobody else.
            await self._until(lambda _: True, QUOTING_MAX_S, "up")
            at_ns = await asyncio.to_thread(_kill_at_commit, ledger, kill, self._daemon)
        elif kill.kind == "sent":
            await self._until(lambda _: True, QUOTING_MAX_S, "up")
            await self._sent(kill.times)
            at_ns = await asyncio.to_thread(_kill_after, self._daemon, kill.after_s)
        elif kill.kind == "write":
            await self._quoting()
            await self._live(kill.after_s)
            at_ns = await asyncio.to_thread(_kill_at_write, ledger, self._daemon)
        else:
            await self._live(kill.after_s)
            at_ns = _kill(self._daemon)
        self._begin(self._daemon)
        self._struck.append(Struck(kill, at_ns))
        self._say(f"kill {number}: {kill.kind}")

    async def _sent(self, times: int) -> None:
        """Until so many placements have reached the exchange, or for as long as that may take."""
        until_s = time.monotonic() + AIM_WAIT_MAX_S
        since = int((await self._control.get("/_box/truth/totals"))["lines"])
        while times and time.monotonic() < until_s:
            query = {"since": str(since), "kind": "request", "account": ACCOUNT, "limit": "1"}
            line = await self._control.get("/_box/truth", **query)
            if not line:
                await asyncio.sleep(SENT_LOOK_S)
                continue
            since = line["n"]
            times -= places(line["path"])

    async def _live(self, seconds: float) -> None:
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            self._alive()
            await asyncio.sleep(min(left_s, LOOK_S))

    def _alive(self) -> None:
        for child in (self._box, self._daemon):
            if not child.running:
                raise child.died()

    async def _quoting(self) -> None:
        def quoting(status: Json) -> bool:
            return status.get("mode") == "ENABLED" and bool(status["orders"]["open"])

        await self._until(quoting, QUOTING_MAX_S, "quoting")

    async def _until(self, so: Callable[[Json], bool], wait_max_s: float, what: str) -> None:
        until_s = time.monotonic() + wait_max_s
        while True:
            self._alive()
            status = await self._status()
            if status is not None and so(status):
                return
            if time.monotonic() > until_s:
                log = self._daemon.log
                raise Stop(f"not {what} within {wait_max_s:g} s: {waits_for(status)} (log: {log})")
            await asyncio.sleep(LOOK_S)

    async def _status(self) -> Json | None:
        try:
            status = await self._admin.get("/status")
        except FindOut:
            return None
        self._limit_cents = status.get("worst_case_limit_cents")
        return status

    # --- the end

    async def _end(self) -> None:
        """Stop quoting, settle, book, stop: the faults of the scenario go on meanwhile."""
        self._say("told to stop quoting")
        await self._pause()
        await self._until(lambda status: bool(status["flat"]), EMPTY_MAX_S, "empty")
        await self._live(self._began_s + self._moves_s - time.monotonic())
        self._stopped_ns = time.time_ns()
        await self._control.post("/_box/takers", {"on": False})
        await self._control.post("/_box/settle")
        self._say("the games are settled")
        await self._until(
            lambda status: status["unsettled"] == 0 and bool(status["money_booked"]),
            BOOKED_MAX_S,
            "booked",
        )
        self._daemon.ask_to_end()
        self._exit_code = await self._daemon.ended(EXIT_MAX_S)
        self._say(f"the daemon ended with exit code {self._exit_code}")

    async def _pause(self) -> None:
        until_s = time.monotonic() + SAY_MAX_S
        while True:
            try:
                await self._admin.post("/pause", {"who": "crash", "reason": "the end of the run"})
                return
            except FindOut:
                if time.monotonic() > until_s:
                    raise
            await asyncio.sleep(LOOK_S)

    async def _outcome(self) -> Outcome:
        key = self._keys["MMBOT_ACCESS_KEY"]
        record = await self._control.get("/_box/record", account=key)
        self._box.ask_to_end()  # then the truth file is complete
        await self._box.ended(EXIT_MAX_S)
        with self._truth.open(encoding="utf-8") as lines:
            truth = truth_of(lines, ACCOUNT)
        ledger = self._places.ledger_file
        running = [child for child in (self._box, self._daemon) if child.running]
        return Outcome(
            kills=len(self._options.kills),
            struck=tuple(self._struck),
            truth=truth,
            record=record,
            ledger_orders=[dict(row) for row in export_orders(ledger)],
            ledger_pnl_cents=pnl_cents(ledger),
            intended_ns=_intents(ledger),
            worst_case_limit_cents=self._limit_cents,
            stopped_ns=self._stopped_ns,
            exit_code=self._exit_code,
            left_running=len(running),
            outputs={
                path.name: path.read_text(errors="replace")
                for path in (self._daemon.log, self._box.log, self._places.config_file)
            },
            secrets=self._keys,
        )


def _intents(ledger: Path) -> dict[str, int]:
    """When each order was intended; the daemon has ended, so the file is free."""
    journal = Journal.open(ledger)
    try:
        placed = [entry for entry in journal.replay() if isinstance(entry, PlaceIntended)]
    finally:
        journal.close()
    first = {one.order.external_id: one for one in reversed(placed)}
    return {ident: one.order.intended_ns for ident, one in first.items() if not one.adopted}


def _kill(daemon: Child) -> int:
    """kill -9 now; returns when that was. Raises what it died of when somebody was faster."""
    if not daemon.running:
        raise daemon.died()
    at_ns = time.time_ns()
    daemon.kill()
    return at_ns


def _kill_after(daemon: Child, seconds: float) -> int:
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        pass  # a sleep is too coarse for fractions of a millisecond
    return _kill(daemon)


def _kill_at_commit(ledger: Path, kill: Kill, daemon: Child) -> int:
    """Kill that long after so many commits of intents to place; it blocks its thread."""
    until_s = time.monotonic() + AIM_WAIT_MAX_S
    connection = connect_to_read(ledger)
    try:
        known, seen = _newest_intent(connection), 0
        while time.monotonic() < until_s and seen < kill.times:
            select.select([], [], [], COMMIT_LOOK_S)
            newest = _newest_intent(connection)
            seen += newest != known
            known = newest
    finally:
        connection.close()  # a reader that stays would spare the restart its recovery of the file
    return _kill_after(daemon, kill.after_s)


def _newest_intent(connection: sqlite3.Connection) -> int:
    row = connection.execute(NEWEST_INTENT, (INTENT,)).fetchone()
    return row[0] if row else 0


def _kill_at_write(ledger: Path, daemon: Child) -> int:
    """Kill when the ledger's file has just been written, before the disk has it."""
    wal = ledger.with_name(ledger.name + "-wal")
    until_s = time.monotonic() + AIM_WAIT_MAX_S
    before_ns = wal.stat().st_mtime_ns
    while wal.stat().st_mtime_ns == before_ns and time.monotonic() < until_s:
        select.select([], [], [], COMMIT_LOOK_S)
    return _kill(daemon)
