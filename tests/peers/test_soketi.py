"""Our own client connects to soketi, in a network namespace with only `lo`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

PEERS_NODE: Final = Path(os.environ.get("PEERS_NODE", "missing")).resolve()
SCENE_TIMEOUT_S: Final = 90


@pytest.fixture
def namespace() -> Iterator[str]:
    """A network namespace of our own: soketi calls its cluster by UDP broadcast."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("a network namespace needs root and `ip` (Debian: apt install iproute2)")
    name = f"mmbot-peer-{uuid.uuid4().hex[:8]}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip(f"this machine allows no network namespace: {made.stderr.strip()}")
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


@pytest.fixture
def soketi() -> Path:
    if shutil.which("node") is None:
        pytest.skip("node is missing: install Node 20 (Debian: apt install nodejs npm)")
    if not (PEERS_NODE / "node_modules" / "@soketi" / "soketi").is_dir():
        pytest.skip("soketi is missing: `make peers` installs tests/peers/package.json")
    return PEERS_NODE


@pytest.mark.timeout(SCENE_TIMEOUT_S + 20)
def test_a_hundred_private_channels_through_a_restart_4200_and_4001(
    namespace: str, soketi: Path
) -> None:
    # faults: E14 D16
    command = [
        *("ip", "netns", "exec", namespace),
        *(sys.executable, "-m", "tests.peers.own_feed", "--soketi", str(soketi)),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=SCENE_TIMEOUT_S, check=False
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["books"] == [100, 100]  # one on each channel, before and after the restart
    assert len(found["connections"]) == 2
    assert "4001" in found["ends"][0]  # the key of the first config was out of date
    assert found["configs"] == 2
    assert any("4200" in reason for reason in found["ends"][1:])
    assert found["by_hand"] == {
        "subscribed": 100, "refused": ["private-channel=wrong"], "heard": 100,
        "heard_after_leaving_99": 1, "ended": [4200, 4200], "unknown_key": [4001, 4001],
    }  # fmt: skip
