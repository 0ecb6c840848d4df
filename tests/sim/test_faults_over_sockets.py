"""The same faults and the same guard over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from mmbot.sim.http import handover
from mmbot.sim.http.server import serve
from mmbot.sim.scenario import BoxOptions, RivalOptions, TakerOptions

READY_TIMEOUT_S = 10
TOKEN = "0123456789abcdef"
STEER = {"X-Box-Token": TOKEN}


class Running:
    """A box that serves in this process, and a client of it that is logged in."""

    def __init__(self, base: str, http: aiohttp.ClientSession) -> None:
        self.base = base
        self.http = http
        self.token = ""
        self.strike = ""

    async def call(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, Any]:
        given = {"Authorization": f"Bearer {self.token}"} | headers
        async with self.http.request(method, self.base + path, json=body, headers=given) as answer:
            return answer.status, json.loads(await answer.text())

    async def faults(self, *rules: dict[str, object]) -> None:
        status, _ = await self.call("POST", "/_box/faults", list(rules), **STEER)
        assert status == 200

    async def place(self, external_id: str) -> tuple[int, Any]:
        order = {
            "external_id": external_id,
            "strike_id": self.strike,
            "price": 100,
            "quantity": 5.0,
        }
        return await self.call("POST", "/partner/v4/mm/submit_order", order)

    async def placed(self) -> list[str]:
        record = (await self.call("GET", "/_box/record"))[1]
        return [one["external_id"] for one in record["orders"]]


@asynccontextmanager
async def running() -> AsyncIterator[Running]:
    options = BoxOptions(
        control_token=TOKEN, takers=TakerOptions(on=False), rival=RivalOptions(on=False)
    )
    stop = asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group, aiohttp.ClientSession() as http:
        group.create_task(serve(options, port.set_result, stop))
        async with asyncio.timeout(READY_TIMEOUT_S):
            found = Running(f"http://127.0.0.1:{await port}", http)
            keys = {"access_key": options.access_key, "secret_key": options.secret_key}
            _, answer = await found.call("POST", "/partner/auth/login", keys)
            found.token = answer["data"]["access_token"]
            _, state = await found.call("GET", "/_box/state")
            found.strike = state["lines"][0]["strikes"][0]["strike_id"]
            yield found
        stop.set()


# faults: A1 A2 A5
async def test_answers_are_lost_late_or_broken_over_http() -> None:
    async with running() as box:
        await box.faults({"fault": "lands_late", "rate": 1, "times_max": 1, "late_s": [0.3]})
        with pytest.raises(aiohttp.ClientConnectionError):
            await box.place("late")
        assert await box.placed() == []
        async with asyncio.timeout(5):
            while not await box.placed():
                continue
        await box.faults({"fault": "request_reset", "rate": 1, "times_max": 1})
        with pytest.raises(aiohttp.ClientConnectionError):
            await box.place("never")
        await box.faults({"fault": "truncated", "rate": 1, "times_max": 1})
        with pytest.raises(ValueError):
            await box.place("cut-off")
        assert await box.placed() == ["late", "cut-off"]


# faults: A2 D11
async def test_an_answer_that_never_comes_and_one_that_trickles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handover, "TRICKLE_BYTES_PER_S", 2000)
    async with running() as box:
        await box.faults({"fault": "reply_hangs", "rate": 1, "times_max": 1})
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await box.place("hangs")
        assert await box.placed() == ["hangs"]
        await box.faults({"fault": "trickle", "rate": 1, "times_max": 1})
        pieces = 0
        headers = {"Authorization": f"Bearer {box.token}"}
        async with box.http.get(box.base + "/partner/v4/mm/get_balance", headers=headers) as answer:
            whole = b""
            async for piece, _ in answer.content.iter_chunks():
                pieces += 1
                whole += piece
        assert json.loads(whole)["data"]["balance"] == 100_000
        assert pieces > 20


# faults: E14
async def test_the_stream_is_refused_and_cut() -> None:
    async with running() as box:
        _, config = await box.call("GET", "/partner/websocket/connection-config")
        url = f"ws://{config['ws_host']}/app/{config['key']}?protocol=7"
        await box.faults({"fault": "connect_refused", "rate": 1})
        with pytest.raises(aiohttp.ClientError):
            await box.http.ws_connect(url)
        await box.call("DELETE", "/_box/faults", **STEER)
        async with box.http.ws_connect(url) as stream:
            await stream.receive_json()
            await box.faults({"fault": "disconnect", "rate": 60_000, "times_max": 1})
            end = await stream.receive()
        assert end.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}


async def test_steering_asks_for_the_token_and_truth_comes_as_lines() -> None:
    async with running() as box:
        assert (await box.call("POST", "/_box/takers", {"on": False}))[0] == 403
        assert (await box.call("POST", "/_box/takers", {"on": False}, **STEER))[0] == 200
        await box.place("one")
        async with box.http.get(box.base + "/_box/truth?account=maker") as answer:
            assert answer.content_type == "application/x-ndjson"
            rows = [json.loads(line) for line in (await answer.read()).splitlines()]
        kinds = [row["kind"] for row in rows]
        assert kinds[:3] == ["account", "request", "answer"]
        assert "order" in kinds
        assert int(answer.headers["X-Truth-Next"]) >= rows[-1]["n"]
