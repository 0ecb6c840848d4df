"""A real cable: the exchange and the daemon in two network namespaces, and a link to pull.

Both speak to addresses of loopback, which a plain-text stream asks for; inside the namespaces
those lie on the link. Needs root and iproute2 (Linux).
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Final

from mmbot.domain.errors import SetUpError

FAR_HOST: Final = "127.9.9.1"  # the exchange, and whoever runs the check
NEAR_HOST: Final = "127.9.9.2"  # the daemon
COMMAND_TIMEOUT_S: Final = 10.0


def missing() -> str:
    """Why there can be no cable here; empty when there can."""
    if not sys.platform.startswith("linux"):
        return "network namespaces need Linux"
    if os.geteuid() != 0:
        return "network namespaces need root"
    return "" if shutil.which("ip") else "the ip command is missing (Debian: apt install iproute2)"


class Cable:
    """`with` lays it and removes it; inside, this thread and what it starts are at the far end."""

    def __init__(self) -> None:
        self._far, self._near = f"mmbot-far-{os.getpid()}", f"mmbot-near-{os.getpid()}"
        self._far_end, self._near_end = f"mmf{os.getpid()}", f"mmn{os.getpid()}"

    @property
    def at_near_end(self) -> list[str]:
        """What a command begins with to run where the daemon is."""
        return ["ip", "netns", "exec", self._near]

    def __enter__(self) -> Cable:
        try:
            self._lay()
        except SetUpError:
            self._remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._remove()

    def pull(self) -> None:
        _ip("-n", self._far, "link", "set", self._far_end, "down")

    def plug(self) -> None:
        _ip("-n", self._far, "link", "set", self._far_end, "up")

    def _lay(self) -> None:
        for name in (self._far, self._near):
            _ip("netns", "add", name)
            # Addresses of loopback are refused on any other link, and kept to lo, unless told so.
            _ip("netns", "exec", name, "sysctl", "-qw", "net.ipv4.conf.all.route_localnet=1")
            _ip("-n", name, "link", "set", "lo", "up")
            _ip("-n", name, "route", "del", "local", "127.0.0.0/8", "dev", "lo", "table", "local")
        _ip(
            "link", "add", self._far_end, "netns", self._far, "type", "veth",
            "peer", "name", self._near_end, "netns", self._near,
        )  # fmt: skip
        for name, end, host in (
            (self._far, self._far_end, FAR_HOST),
            (self._near, self._near_end, NEAR_HOST),
        ):
            # The scope is what a source address of another link needs.
            _ip("-n", name, "addr", "add", f"{host}/30", "scope", "global", "dev", end)
            _ip("-n", name, "link", "set", end, "up")
        _join(Path("/var/run/netns") / self._far)

    def _remove(self) -> None:
        for name in (self._far, self._near):  # the link goes with them
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _join(namespace: Path) -> None:
    with namespace.open("rb") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0):
            raise SetUpError(f"cable: {namespace}: {os.strerror(ctypes.get_errno())}")


def _ip(*words: str) -> None:
    done = subprocess.run(
        ["ip", *words], capture_output=True, text=True, check=False, timeout=COMMAND_TIMEOUT_S
    )
    if done.returncode:
        raise SetUpError(f"cable: ip {' '.join(words)}: {done.stderr.strip()}")
