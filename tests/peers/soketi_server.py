"""soketi as a process, a Pusher server that nobody here wrote.

To be run in a network namespace with nothing but `lo`: it greets its cluster by broadcast.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp

from mmbot.sim.stream.channels import AppKey

CONFIG_FILE: Final = Path(__file__).resolve().parent / "soketi.json"
SERVER: Final = "node_modules/@soketi/soketi/bin/server.js"
START_TIMEOUT_S: Final = 20.0
STEP_TIMEOUT_S: Final = 30.0
CHANNELS_AT_ONCE_MAX: Final = 100  # its own limit for one publication


class Soketi:
    """The server process, and its REST interface as the venue's back end would use it."""

    def __init__(self, folder: Path, session: aiohttp.ClientSession) -> None:
        given = json.loads(CONFIG_FILE.read_text(encoding="utf-8"))
        app = given["appManager.array.apps"][0]
        self._folder = folder
        self._session = session
        self._app_id = app["id"]
        self.key = AppKey(app["key"], app["secret"])
        self.host = f"{given['host']}:{given['port']}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        command = ("node", SERVER, "start", f"--config={CONFIG_FILE}")
        process = await asyncio.create_subprocess_exec(
            *command, cwd=self._folder, stdout=asyncio.subprocess.DEVNULL
        )
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await self._until_ready()
            yield
        finally:
            process.terminate()  # soketi sends everybody away with 4200
            await process.wait()

    async def _until_ready(self) -> None:
        for pause_s in itertools.repeat(0.1):
            with contextlib.suppress(aiohttp.ClientError):
                async with self._session.get(f"http://{self.host}/ready") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(pause_s)

    async def trigger(self, channels: Sequence[str], event: str, data: str) -> None:
        """Publish as the public REST interface wants it: body digest, then a signed query."""
        body = json.dumps({"name": event, "channels": list(channels), "data": data}).encode()
        path = f"/apps/{self._app_id}/events"
        digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
        query = (
            f"auth_key={self.key.key}&auth_timestamp={int(time.time())}"
            f"&auth_version=1.0&body_md5={digest}"
        )
        text = f"POST\n{path}\n{query}"
        signature = hmac.new(self.key.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        url = f"http://{self.host}{path}?{query}&auth_signature={signature}"
        headers = {"Content-Type": "application/json"}
        async with self._session.post(url, data=body, headers=headers) as answer:
            answer.raise_for_status()
