"""The running parts of one demo: box and daemon, and what was last seen of them."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mmbot.app.demo_children import Child, box_command, daemon_command, free_port, ready_line
from mmbot.app.demo_config import DemoPlaces, write_config
from mmbot.app.demo_links import Json, Link, open_session
from mmbot.app.demo_options import DemoOptions
from mmbot.domain.errors import FindOut, SetUpError, Stop

BOX_READY_MAX_S: Final = 20.0
LOOK_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Keys:
    """Of the one account that the daemon trades; they open nothing but this box."""

    access_key: str
    secret_key: str

    def environment(self) -> dict[str, str]:
        return {"MMBOT_ACCESS_KEY": self.access_key, "MMBOT_SECRET_KEY": self.secret_key}


class Parts:
    """Starts the box at once; the daemon needs the box's address first."""

    def __init__(self, options: DemoOptions, folder: Path, keys: Keys) -> None:
        self._options = options
        self._folder = folder
        self._keys = keys
        self._session = open_session()
        self.box = Child("the exchange in the box", (), folder / "box.log")
        self.daemon = Child("the daemon", (), folder / "daemon.log")
        self.places = DemoPlaces("", 0, folder)
        self.control = Link(self._session, "the box", "")
        self.admin = Link(self._session, "the daemon", "")
        self.killing = False

    async def start(self) -> None:
        """Both processes run when this returns; raises SetUpError or Stop with one line."""
        options = self._options
        more = []
        for flag, path in (("--scenario", options.scenario), ("--data", options.data)):
            if path is not None:
                more += [flag, str(path.resolve())]
        command = box_command(0, options.seed, options.latency, more)
        self.box = Child(self.box.name, command, self.box.log)
        self._begin(self.box)
        ready = await ready_line(self.box, BOX_READY_MAX_S)
        self.places = DemoPlaces(str(ready["base_url"]), free_port(), self._folder)
        steering = {"X-Box-Token": str(ready["control_token"])}
        self.control = Link(self._session, "the box", self.places.box_url, steering)
        self.admin = Link(self._session, "the daemon", self.places.admin_url)
        config = write_config(self.places, options.dialect)
        self.daemon = Child(self.daemon.name, daemon_command(config), self.daemon.log)
        self._begin(self.daemon)

    def kill_and_restart_daemon(self) -> None:
        self.daemon.kill()
        self._begin(self.daemon)

    async def watch(self) -> None:
        """Ends only by raising: one of the two has died unasked."""
        while True:
            for child in (self.box, self.daemon):
                if not child.running:
                    raise child.died()
            await asyncio.sleep(LOOK_S)

    async def record(self) -> Json:
        return await self.control.get("/_box/record", account=self._keys.access_key)

    async def daemon_status(self) -> Json | None:
        """None while it does not answer: it starts, or it was just killed."""
        try:
            return await self.admin.get("/status")
        except FindOut:
            return None

    async def say(self, path: str, wait_max_s: float, reason: str) -> None:
        """POST to the daemon, again while it is still starting."""
        until_s = asyncio.get_running_loop().time() + wait_max_s
        while True:
            try:
                await self.admin.post(path, {"who": "demo", "reason": reason})
                return
            except FindOut as error:
                if asyncio.get_running_loop().time() > until_s:
                    raise Stop(f"{error} (log: {self.daemon.log})") from None
            await asyncio.sleep(LOOK_S)

    async def close(self) -> None:
        """Whatever happened before: neither process is left."""
        await self._session.close()
        self.daemon.kill()
        self.box.kill()

    def _begin(self, child: Child) -> None:
        # A proxy or a stray MMBOT_ setting of this shell has no business in a demo.
        environ = {k: v for k, v in os.environ.items() if not k.startswith("MMBOT_")}
        environ |= {"PYTHONUNBUFFERED": "1", **self._keys.environment()}
        child.start(environ)


def prepare_folder(state_dir: Path) -> None:
    """Make the folder for ledger and logs; raises SetUpError when it cannot be written."""
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        probe = state_dir / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SetUpError(f"{state_dir}: cannot be written: {error.strerror}") from None
