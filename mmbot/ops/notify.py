"""Tell the service manager that we are ready, alive or stopping (systemd's sd_notify protocol)."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from mmbot.domain.errors import SetUpError
from mmbot.runtime.clock import Clock

READY_LOOK_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Notifier:
    """Says nothing when no service manager listens. `watchdog_every_s` is how often to be alive."""

    address: str = ""
    watchdog_every_s: float | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Notifier:
        """From $NOTIFY_SOCKET and $WATCHDOG_USEC; half the deadline, as the manual advises."""
        deadline_us = environ.get("WATCHDOG_USEC", "")
        if deadline_us and not deadline_us.isdigit():
            raise SetUpError(f"WATCHDOG_USEC: {deadline_us!r} is not a number")
        every_s = int(deadline_us) / 2_000_000 if deadline_us else None
        return cls(environ.get("NOTIFY_SOCKET", ""), every_s)

    def ready(self, status: str) -> None:
        self._send(f"READY=1\nSTATUS={status}")

    def alive(self) -> None:
        self._send("WATCHDOG=1")

    async def keep_telling(self, clock: Clock, ready: Callable[[], bool], status: str) -> None:
        """Ready once it is; then alive, as long as this loop turns."""
        while not ready():
            await clock.sleep(READY_LOOK_S)
        self.ready(status)
        while self.watchdog_every_s is not None:
            self.alive()
            await clock.sleep(self.watchdog_every_s)

    def stopping(self, status: str) -> None:
        self._send(f"STOPPING=1\nSTATUS={status}")

    def _send(self, text: str) -> None:
        if not self.address:
            return
        # "@" stands for the zero byte of an abstract socket
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            out.setblocking(False)  # the daemon never waits for its manager
            try:
                out.connect(address)
                out.send(text.encode())
            except OSError:
                # A manager that is gone or full cannot be told; the watchdog is its own alarm.
                return
