"""What a service manager receives, over a real datagram socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmbot.domain.errors import SetUpError
from mmbot.ops.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """The address as the environment has it, and the listening end."""
    path = str(tmp_path / "notify")
    name = path if request.param == "path" else f"@mmbot-test-{tmp_path.name}-{id(tmp_path)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name[1:]}" if name.startswith("@") else name)
        listening.settimeout(1)
        yield name, listening


def test_ready_alive_and_stopping_arrive(manager: tuple[str, socket.socket]) -> None:
    name, listening = manager
    notifier = Notifier.of({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "10000000"})
    assert notifier.watchdog_every_s == 5
    notifier.ready("quoting 26 strikes")
    notifier.alive()
    notifier.stopping("cancelling")
    assert [listening.recv(1024) for _ in range(3)] == [
        b"READY=1\nSTATUS=quoting 26 strikes",
        b"WATCHDOG=1",
        b"STOPPING=1\nSTATUS=cancelling",
    ]


def test_without_a_manager_nothing_happens() -> None:
    notifier = Notifier.of({})
    assert notifier.watchdog_every_s is None
    notifier.ready("quoting")


def test_a_manager_that_has_gone_does_not_stop_us(tmp_path: Path) -> None:
    Notifier.of({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready("quoting")


def test_a_manager_that_does_not_read_does_not_block_us(
    manager: tuple[str, socket.socket],
) -> None:
    notifier = Notifier.of({"NOTIFY_SOCKET": manager[0]})
    for _ in range(10_000):
        notifier.alive()


def test_a_broken_environment_is_one_clear_line() -> None:
    with pytest.raises(SetUpError, match="WATCHDOG_USEC: 'soon' is not a number"):
        Notifier.of({"WATCHDOG_USEC": "soon"})
