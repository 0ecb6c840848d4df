"""One quiet day over a real cable that is pulled and plugged in again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from mmbot.app.demo_children import Child, daemon_command
from mmbot.app.demo_config import to_toml
from mmbot.app.demo_links import Link
from mmbot.sim.scenario import read_table
from mmbot.sim.witness.stale import NS
from tests.stream.cable import FAR_HOST, NEAR_HOST, Cable
from tests.stream.run import Plan, StreamRun
from tests.stream.troubles import Kind, Route, Trouble

REACH_NS: Final = 14 * NS  # a cancel that was lost with the cable is asked for again after 12 s
# Longer than it takes to notice; longer than it takes to give the connection up.
PULLS: Final = (
    Trouble(Kind.BLACKHOLE, Route.BOTH, at_s=10.0, lasts_s=20.0),
    Trouble(Kind.BLACKHOLE, Route.BOTH, at_s=75.0, lasts_s=40.0),
)


class CableRun(StreamRun):
    """No proxies: the sockets of the daemon itself lose their way."""

    def __init__(self, plan: Plan, folder: Path, say: Callable[[str], None], cable: Cable) -> None:
        super().__init__(replace(plan, troubles=PULLS), folder, say)
        self._cable = cable
        self._reach_ns = REACH_NS

    async def _start(self) -> None:
        await self._start_box()
        self._born_s = time.monotonic()
        url = f"http://{NEAR_HOST}:{self._places.admin_port}"
        self._admin = Link(self._session, "the daemon", url)
        self._start_daemon(self._config())

    def _scenario(self) -> Path:
        """The same, on the far end's address."""
        found = super()._scenario()
        copy = self._folder / f"cable-{found.name}"
        copy.write_text(to_toml(read_table(found) | {"host": FAR_HOST}), encoding="utf-8")
        return copy

    def _place(self, settings: dict[str, Any]) -> None:
        settings["admin"]["host"] = NEAR_HOST

    def _start_daemon(self, config: Path) -> None:
        command = [*self._cable.at_near_end, *daemon_command(config)]
        self._daemon = Child(self._daemon.name, command, self._daemon.log)
        self._begin(self._daemon)

    def _begin_troubles(self, troubles: Sequence[Trouble]) -> None:
        loop = asyncio.get_running_loop()
        for trouble in troubles:
            loop.call_later(trouble.at_s, self._cable.pull)
            loop.call_later(trouble.until_s, self._cable.plug)

    def _cut_s(self) -> list[float]:
        return []  # nothing shows

    def _asked_s(self) -> Sequence[float]:
        return ()  # nobody stands between

    def _lives_s(self) -> Sequence[tuple[float, float]]:
        return ()
