"""The network between one client and its wire: cut, nothing passes, and nobody is told so."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, NoReturn

from mmbot.sim.faults.faulty_ports import HttpPort, Reply, WsPort
from mmbot.sim.faults.faulty_stream import Connection

UNREACHABLE: Final = "network is unreachable"


class Cable:
    """`http_request` and `ws_connect` are the client's ports; `cut` and `mend` as often as wanted.

    What was asked while it is cut never arrives, and what was answered is lost; frames wait until
    it is mended, as long as their connection is not given up.
    """

    def __init__(self, http: HttpPort, ws: WsPort) -> None:
        self._http = http
        self._ws = ws
        self._whole = asyncio.Event()
        self._whole.set()

    @property
    def whole(self) -> bool:
        return self._whole.is_set()

    def cut(self) -> None:
        self._whole.clear()

    def mend(self) -> None:
        self._whole.set()

    async def passes(self) -> None:
        await self._whole.wait()

    async def http_request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Reply:
        if not self._whole.is_set():
            await _nothing_comes()
        try:
            return await self._http(method, path, headers, body)
        finally:
            if not self._whole.is_set():
                await _nothing_comes()

    async def ws_connect(self, url: str) -> Connection:
        """Raises ConnectionRefusedError while it is cut."""
        if not self._whole.is_set():
            raise ConnectionRefusedError(UNREACHABLE)
        return _Stretched(self, await self._ws(url))


class _Stretched:
    """A connection through the cable."""

    def __init__(self, cable: Cable, inner: Connection) -> None:
        self._cable = cable
        self._inner = inner

    async def recv(self) -> str:
        try:
            return await self._inner.recv()
        finally:
            await self._cable.passes()

    async def send(self, text: str) -> None:
        await self._cable.passes()  # as a full buffer does
        await self._inner.send(text)

    async def close(self) -> None:
        await self._inner.close()


async def _nothing_comes() -> NoReturn:
    await asyncio.get_running_loop().create_future()
    raise AssertionError("nobody holds this future")
