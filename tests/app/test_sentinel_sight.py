"""A sentinel on another host: what it asks of the daemon's admin address, and what it believes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from mmbot.app.demo_config import DemoPlaces, write_config
from mmbot.app.heartbeat import Guard
from mmbot.app.sentinel_process import run
from mmbot.app.sentinel_sight import HttpSight
from mmbot.config import load
from mmbot.domain.errors import SetUpError
from mmbot.domain.events import SentinelSeen
from mmbot.runtime.clock import LoopClock
from mmbot.sentinel_config import SentinelSettings
from mmbot.store.lease import Lease
from tests.app.parts import in_virtual_time

OWN = Lease("sentinel-1", 1, 4)
THEIRS = Lease("run", 2, 9, deaf_s=0.5)


class Peer:
    """An admin address: what was asked, and what it answers."""

    def __init__(self, status: int = 200, body: str = "", fails: bool = False) -> None:
        self.asked: list[tuple[str, str, bytes]] = []
        self._status, self._body, self._fails = status, body, fails

    async def __call__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        self.asked.append((method, url, body))
        if self._fails:
            raise ConnectionRefusedError("nobody")
        return self._status, {}, self._body.encode()


async def test_a_lease_is_read_and_ones_own_is_shown() -> None:
    peer = Peer(body=THEIRS.text)
    assert await HttpSight("http://10.0.0.5:9464", peer).lease(OWN) == THEIRS
    method, url, _ = peer.asked[0]
    assert (method, urlsplit(url).path) == ("GET", "/heartbeat")
    assert json.loads(parse_qs(urlsplit(url).query)["sentinel"][0]) == json.loads(OWN.text)


@pytest.mark.parametrize("peer", [Peer(500), Peer(200, "<html>"), Peer(fails=True)])
async def test_what_is_no_answer_is_no_sign_of_life(peer: Peer) -> None:
    assert await HttpSight("http://10.0.0.5:9464", peer).lease(OWN) is None


async def test_a_halt_is_posted_and_counts_when_it_is_answered() -> None:
    peer = Peer(body='{"said": "halt"}')
    assert await HttpSight("http://10.0.0.5:9464", peer).halt("no heartbeat")
    assert peer.asked[0][:2] == ("POST", "http://10.0.0.5:9464/halt")
    assert json.loads(peer.asked[0][2]) == {"who": "sentinel", "reason": "no heartbeat"}
    assert not await HttpSight("http://10.0.0.5:9464", Peer(409)).halt("again")


@pytest.mark.parametrize(("asks", "waits_s"), [(0, 0.0), (1, 3.0)])
def test_a_daemon_that_leaves_waits_for_the_question_of_one_that_asks(
    tmp_path: Path, asks: int, waits_s: float
) -> None:
    async def leave(clock: LoopClock) -> float:
        told: list[SentinelSeen] = []
        guard = Guard(SentinelSettings(), tmp_path, clock, told.append)
        for _ in range(asks):
            guard.asked({"sentinel": OWN.text})
        before_ns = clock.monotonic_ns()
        await guard.asks_once_more()
        return (clock.monotonic_ns() - before_ns) / 1e9

    assert in_virtual_time(leave) == waits_s


def test_a_daemon_that_only_observes_needs_no_sentinel(tmp_path: Path) -> None:
    keys = {"MMBOT_ACCESS_KEY": "an-access-key", "MMBOT_SECRET_KEY": "a-secret-key"}
    settings = load(write_config(DemoPlaces("http://127.0.0.1:1/partner", 1, tmp_path)), keys)
    with pytest.raises(SetUpError, match="run_mode"):
        run(settings.model_copy(update={"run_mode": "observe"}), armed=False)
