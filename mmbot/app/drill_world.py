"""The world of one drill: the box, a daemon that quotes, and a sentinel with keys of its own."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import sys
import time
import tomllib
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from mmbot.app.demo_children import Child, box_command, daemon_command, free_port, ready_line
from mmbot.app.demo_config import DemoPlaces, to_toml, write_config
from mmbot.app.demo_links import Json, Link, open_session
from mmbot.app.drill_wire import HOST, Wire
from mmbot.config import bundled_folder
from mmbot.domain.errors import FindOut, Stop

ACCOUNT: Final = "maker"  # what the box calls the account that the daemon trades
BOX_READY_MAX_S: Final = 40.0
QUOTING_MAX_S: Final = 60.0
IN_FLIGHT_MAX_S: Final = 30.0
RESTING_MIN: Final = 20
SPARE: Final = 10  # what is taken or replaced until the trip
LEVELS: Final = 2  # orders per side: what is being replaced leaves enough that rests
SLOW_S: Final = 0.8  # a batch is under way so long, there and back
LOOK_S: Final = 0.02
EXIT_MAX_S: Final = 10.0
STRATEGY: Final = "consensus.py"
BLOCK: Final = '''

def _blocked(self: Consensus, view: MarketView) -> Iterable[Quote]:
    """Once the file is there: C code that keeps the interpreter, which no timer interrupts."""
    if Path({path!r}).exists():
        sum(range(10**13))
    return _quotes(self, view)


_quotes = Consensus.quotes
Consensus.quotes = _blocked
'''


class World:
    """`start`, `quoting`, `in_flight`, then a trip; `close` whatever happened."""

    def __init__(self, folder: Path, seed: int, profile: str, *, cuttable: bool = False) -> None:
        self.folder = folder
        self._seed = seed
        self._profile = profile
        self._cuttable = cuttable
        self._session = open_session()
        self._wires = AsyncExitStack()
        self.cables: list[Wire] = []
        self.block_file = folder / "block"
        self._keys = _keys(secrets.token_hex(16), secrets.token_hex(16))
        self.box = Child("the exchange in the box", (), folder / "box.log")
        self.daemon = Child("the daemon", (), folder / "daemon.log")
        self.sentinel = Child("the sentinel", (), folder / "sentinel.log")
        self.places = DemoPlaces("", 0, folder)

    @property
    def truth_file(self) -> Path:
        return self.folder / "truth.jsonl"

    async def start(self, *, guarded: bool) -> None:
        """Raises SetUpError or Stop with one line."""
        more = ["--truth", str(self.truth_file)]
        command = box_command(0, self._seed, self._profile, more)
        self.box = Child(self.box.name, command, self.box.log)
        self._begin(self.box, self._keys)
        ready = await ready_line(self.box, BOX_READY_MAX_S)
        self.places = DemoPlaces(str(ready["base_url"]), free_port(), self.folder)
        steering = {"X-Box-Token": str(ready["control_token"])}
        self.control = Link(self._session, "the box", self.places.box_url, steering)
        self.admin = Link(self._session, "the daemon", self.places.admin_url)
        await self._configure(guarded)
        self.daemon = Child(self.daemon.name, daemon_command(self.config), self.daemon.log)
        self._begin(self.daemon, self._keys)
        if guarded:
            command = [sys.executable, "-m", "mmbot", "sentinel", "--config", str(self.guarding)]
            self.sentinel = Child(self.sentinel.name, command, self.sentinel.log)
            self._begin(self.sentinel, await self._second_keys())

    async def _configure(self, guarded: bool) -> None:
        """The daemon's file, and the sentinel's: the same, but past the cables."""
        path = write_config(self.places)
        settings: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        sentinel_port = free_port()
        settings["sentinel"] |= {"port": sentinel_port, "required": guarded}
        settings["strategies_dir"] = str(self._strategies())
        settings["strategies"] = settings["strategies"][:1]
        settings["strategies"][0]["params"]["levels"] = LEVELS
        self.guard = Link(self._session, "the sentinel", f"http://{HOST}:{sentinel_port}")
        guarding = json.loads(json.dumps(settings))
        if self._cuttable:
            port = urlsplit(self.places.box_url).port
            assert port is not None
            for target in (port, port, self.places.admin_port):
                self.cables.append(await self._wires.enter_async_context(Wire(target)))
            rest, stream, lease = self.cables
            await self.control.post("/_box/faults", {"ws_host": f"{HOST}:{stream.port}"})
            settings["exchange"]["base_url"] = f"http://{HOST}:{rest.port}/partner"
            for one in (settings, guarding):
                one["sentinel"]["watch"] = f"http://{HOST}:{lease.port}"
        self.config, self.guarding = self.folder / "daemon.toml", self.folder / "sentinel.toml"
        self.config.write_text(to_toml(settings), encoding="utf-8")
        self.guarding.write_text(to_toml(guarding), encoding="utf-8")

    def _strategies(self) -> Path:
        """The shipped strategy, which blocks for ever once a file is there."""
        folder = self.folder / "strategies"
        folder.mkdir()
        text = (bundled_folder("strategies") / STRATEGY).read_text(encoding="utf-8")
        imports = "from pathlib import Path\n"
        text = text.replace("from collections.abc", f"{imports}from collections.abc", 1)
        block = BLOCK.format(path=str(self.block_file))
        (folder / STRATEGY).write_text(text + block, encoding="utf-8")
        return folder

    async def _second_keys(self) -> dict[str, str]:
        """Another key pair of the same account, as its owner makes one in the browser."""
        key = self._keys["MMBOT_ACCESS_KEY"]
        answer = await self.control.post("/_box/web_token", {"access_key": key})
        bearer = {"Authorization": f"Bearer {answer['web_token']}"}
        owner = Link(self._session, "the box", self.places.base_url, bearer)
        made = await owner.post("/auth/keys")
        made = made.get("data", made)
        return _keys(made["access_key"], made["secret_key"])

    def _begin(self, child: Child, keys: dict[str, str]) -> None:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("MMBOT_")}
        child.start(environ | {"PYTHONUNBUFFERED": "1"} | keys)

    async def until(self, so: Callable[[], Any], wait_max_s: float, what: str) -> float:
        """Seconds until `so` gave an awaitable that was true; raises Stop when it took too long."""
        began_s = time.monotonic()
        while True:
            for child in (self.box, self.daemon, self.sentinel):
                if child.exit_code is not None and child.exit_code >= 0:
                    raise child.died()
            if await so():
                return time.monotonic() - began_s
            if time.monotonic() - began_s > wait_max_s:
                raise Stop(f"not {what} within {wait_max_s:g} s (--logs FOLDER keeps the logs)")
            await asyncio.sleep(LOOK_S)

    async def quoting(self) -> None:
        """Enough rests, by the box's record, and the daemon is content."""

        async def so() -> bool:
            status = await _or_nothing(self.admin, "/status")
            record = await self.control.get("/_box/record")
            enough = record["open_orders_now"] >= RESTING_MIN + SPARE
            return bool(enough and status.get("mode") == "ENABLED")

        await self.until(so, QUOTING_MAX_S, "quoting")

    async def guarded(self) -> None:
        async def so() -> bool:
            return bool((await _or_nothing(self.guard, "/status")).get("armed"))

        await self.until(so, QUOTING_MAX_S, "watched by the sentinel")

    async def in_flight(self) -> None:
        """Return when a batch has reached the exchange and its answer has not left."""
        slow = {"fault": "slow", "rate": 1.0, "on": ["place"], "delay_s": [SLOW_S, SLOW_S]}
        await self.control.post("/_box/faults", [slow])
        since = int((await self.control.get("/_box/truth/totals"))["lines"])

        async def so() -> bool:
            nonlocal since
            query = {"since": str(since), "kind": "request", "account": ACCOUNT, "limit": "1"}
            while line := await self.control.get("/_box/truth", **query):
                if "submit_" in line["path"]:
                    return True
                since = line["n"]
                query["since"] = str(since)
            return False

        await self.until(so, IN_FLIGHT_MAX_S, "replacing an order")

    def mend(self) -> None:
        """What can be undone of a trip: the daemon thaws, the cables are whole."""
        self.daemon.send(signal.SIGCONT)
        for cable in self.cables:
            cable.mend()

    async def close(self) -> None:
        for child in (self.sentinel, self.daemon, self.box):
            child.kill()
        await self._wires.aclose()
        await self._session.close()

    async def end_box(self) -> None:
        """Then the record is complete."""
        self.box.ask_to_end()
        await self.box.ended(EXIT_MAX_S)


async def _or_nothing(link: Link, path: str) -> Json:
    try:
        return await link.get(path)
    except FindOut:
        return {}


def _keys(access: str, secret: str) -> dict[str, str]:
    return {"MMBOT_ACCESS_KEY": access, "MMBOT_SECRET_KEY": secret}
