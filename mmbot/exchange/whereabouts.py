"""Where the stream is: asked before a connection, and again and again (contract 9.1)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Final

from mmbot.domain.errors import FindOut, TryAgain
from mmbot.exchange import wire
from mmbot.exchange.rest import Rest
from mmbot.runtime.limiter import Priority

RETRY_S: Final = 60.0
FAILURES_ALARM: Final = 10


class Whereabouts:
    """`config` is the newest that is known; None before the first, and once it was distrusted."""

    def __init__(self, rest: Rest, poll_s: float) -> None:
        self.config: wire.ConnectionConfig | None = None
        self._rest = rest
        self._notices = rest.notices
        self._poll_s = poll_s
        self._token_doubted = False

    async def ready(self) -> wire.ConnectionConfig:
        """What the next connection is made with. Raises TryAgain, FindOut or wire.Unreadable."""
        if self._token_doubted:
            self._token_doubted = False
            session = self._rest.session
            used = await session.token()
            with contextlib.suppress(TryAgain):
                await session.renewed(used)  # unless it has just made another one
        if self.config is None:
            self.config = await self._fetch()
        return self.config

    def distrust(self) -> None:
        """Refused as it was: another config and another token come first."""
        self.config, self._token_doubted = None, True

    async def poll(self, changed: Callable[[], None]) -> None:
        """Service: tells of every change; a failed poll keeps the old one."""
        failures = 0
        wait_s = self._poll_s
        while True:
            await self._rest.clock.sleep(wait_s)
            try:
                config = await self._fetch()
            except (TryAgain, FindOut, wire.Unreadable) as error:
                failures += 1
                self._notices.count("config_poll_failed", str(error))
                if failures % FAILURES_ALARM == 0:
                    self._notices.alarm("config_poll_failed", f"{failures} times: {error}")
                wait_s = min(RETRY_S, self._poll_s)
                continue
            failures, wait_s = 0, self._poll_s
            if config != self.config:
                self.config = config
                changed()

    async def _fetch(self) -> wire.ConnectionConfig:
        answer = await self._rest.call(self._rest.routes.connection_config, Priority.STREAM)
        if answer.refusal is not None:
            raise TryAgain(f"connection-config: {answer.refusal.text}")
        config = wire.unwrap(answer.body, wire.ConnectionConfig)
        if not config.key or not (config.ws_host or config.cluster):
            raise TryAgain("connection-config: key or host is missing")
        return config
