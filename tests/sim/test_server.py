"""The box over real sockets, and as a process of its own."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mmbot.sim.http.server import main, options_from, serve
from mmbot.sim.scenario import BoxOptions

READY_TIMEOUT_S = 10


class Running:
    """A box that serves in this process, and a client of it."""

    def __init__(self, base: str, client: aiohttp.ClientSession) -> None:
        self.base = base
        self.client = client
        self.token = ""

    async def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self.client.request(
            method, self.base + path, json=body, headers=headers
        ) as answer:
            return answer.status, await answer.json()

    async def login(self, options: BoxOptions) -> None:
        keys = {"access_key": options.access_key, "secret_key": options.secret_key}
        _, answer = await self.call("POST", "/partner/auth/login", keys)
        self.token = answer["data"]["access_token"]


async def test_rest_and_stream_on_one_port() -> None:
    options = BoxOptions()
    stop = asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group, aiohttp.ClientSession() as client:
        group.create_task(serve(options, port.set_result, stop))
        async with asyncio.timeout(READY_TIMEOUT_S):
            running = Running(f"http://127.0.0.1:{await port}", client)
            await _trade(running, options)
        stop.set()


async def _trade(running: Running, options: BoxOptions) -> None:
    await running.login(options)
    _, config = await running.call("GET", "/partner/websocket/connection-config")
    url = f"ws://{config['ws_host']}/app/{config['key']}?protocol=7"
    async with running.client.ws_connect(url) as stream:
        hello = json.loads((await stream.receive_json())["data"])
        wish = {"socket_id": hello["socket_id"], "subscriptions": []}
        _, answer = await running.call("POST", "/partner/v4/mm/websocket", wish)
        await stream.send_json({"event": "pusher:signin", "data": answer["data"]["authenticated"]})
        for channel in answer["data"]["authorized_channel"]:
            data = {"channel": channel["channel_name"], "auth": channel["auth"]}
            await stream.send_json({"event": "pusher:subscribe", "data": data})
        _, state = await running.call("GET", "/_box/state")
        strike_id = state["lines"][0]["strikes"][0]["strike_id"]
        order = {"external_id": "s-1", "strike_id": strike_id, "price": 10_000, "quantity": 5.0}
        status, answer = await running.call("POST", "/partner/v4/mm/submit_order", order)
        assert (status, answer["data"]["success"]) == (200, True)
        events = []
        while "orders" not in events:
            events.append((await stream.receive_json())["event"])
        assert events[0] == "pusher:signin_success"
        await running.call("POST", "/_box/disconnect", {"code": 4200})
        while (frame := await stream.receive()).type is aiohttp.WSMsgType.TEXT:
            continue
        assert frame.data == 4200
    await running.call("POST", "/_box/faults", {"place_reply_lost": True})
    with pytest.raises(aiohttp.ClientError):
        await running.call("POST", "/partner/v4/mm/submit_order", order | {"external_id": "s-2"})
    async with running.client.get(running.base + "/_feed/odds") as answer_:
        assert answer_.status == 200
        assert len(await answer_.json()) == 3
    _, record = await running.call("GET", "/_box/record")
    assert [one["external_id"] for one in record["orders"]] == ["s-1", "s-2"]


async def test_the_process_says_where_it_listens_and_stops_on_sigterm(tmp_path: Path) -> None:
    written = tmp_path / "record.json"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "mmbot.sim", "--port", "0", "--seed", "3", "--record", str(written)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(READY_TIMEOUT_S):
        line = json.loads(await process.stdout.readline())
        assert line["ready"] is True
        async with (
            aiohttp.ClientSession() as client,
            client.get(f"http://127.0.0.1:{line['port']}/_box/whoami") as answer,
        ):
            who = await answer.json()
        process.terminate()
        _, errors = await process.communicate()
    assert (who["box"], who["seed"]) == ("mmbot exchange", 3)
    assert line["base_url"] == f"http://127.0.0.1:{line['port']}/partner"
    assert (process.returncode, errors) == (0, b"")
    assert json.loads(written.read_bytes())["strikes"] == 28


def test_a_port_in_use_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"cannot listen on 127.0.0.1:{port}" in error


def test_a_box_that_strangers_can_reach_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It never listens here: the port is in use."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        scenario = tmp_path / "open.toml"
        scenario.write_text('host = "0.0.0.0"\n')
        assert main(["--scenario", str(scenario), "--port", str(port)]) == 2
    first = capsys.readouterr().err.splitlines()[0]
    assert "0.0.0.0 is not loopback: whoever reaches this machine can trade here" in first


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scenario", "missing.toml"], "missing.toml: No such file"),
        (["--data", "missing"], "no folder missing"),
        (["--record", "missing/record.json"], "no such folder"),
    ],
)
def test_a_wrong_setup_is_one_clear_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error


def test_flags_win_over_the_scenario_and_the_scenario_over_the_environment(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.toml"
    path.write_text('seed = 4\naccess_key = "from-file"')
    environ = {"MMBOT_ACCESS_KEY": "from-env", "MMBOT_SECRET_KEY": "secret-env"}
    options = options_from(["--scenario", str(path), "--seed", "5"], environ)
    assert (options.seed, options.access_key) == (5, "from-file")
    assert options.secret_key == "secret-env"
    assert options_from([], environ).access_key == "from-env"
