"""The admin server over a real loopback socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from mmbot.domain.errors import Refused, SetUpError
from mmbot.ops.admin import Views, build_app, serve
from mmbot.ops.metrics import CONTENT_TYPE, Metrics


async def halt(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"mode": "HALTED", "reason": body.get("reason", "")}


async def resume(body: Mapping[str, Any]) -> Mapping[str, Any]:
    raise Refused("latched", "the halt file cannot be removed", 409)


def views(reason: str | None = None) -> Views:
    return Views(
        status=lambda: {"mode": "ENABLED", "fills": 3},
        metrics=Metrics().text,
        metrics_content_type=CONTENT_TYPE,
        ready=lambda: reason,
        health=lambda: None,
        limits=lambda: {"limits": [{"limit": "open_orders_max"}]},
    )


@asynccontextmanager
async def a_server(reason: str | None = None) -> AsyncIterator[aiohttp.ClientSession]:
    app = build_app(views(reason), {"halt": halt, "resume": resume})
    async with (
        serve(app, "127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):
        yield client


async def test_status_is_json() -> None:
    async with a_server() as client, client.get("/status") as reply:
        assert await reply.json() == {"mode": "ENABLED", "fills": 3}


async def test_limits_are_json() -> None:
    async with a_server() as client, client.get("/limits") as reply:
        assert await reply.json() == {"limits": [{"limit": "open_orders_max"}]}


async def test_metrics_are_in_prometheus_form() -> None:
    async with a_server() as client, client.get("/metrics") as reply:
        assert reply.headers["Content-Type"] == CONTENT_TYPE
        assert "# HELP mmbot_orders_open " in await reply.text()


@pytest.mark.parametrize(("reason", "status"), [(None, 200), ("still recovering", 503)])
async def test_ready_says_why_not(reason: str | None, status: int) -> None:
    async with a_server(reason) as client:
        async with client.get("/readyz") as reply:
            assert (reply.status, (await reply.text()).strip()) == (status, reason or "ok")
        async with client.get("/healthz") as reply:
            assert reply.status == 200


async def test_a_command_gets_its_words_and_answers() -> None:
    async with a_server() as client, client.post("/halt", json={"reason": "news"}) as reply:
        assert await reply.json() == {"mode": "HALTED", "reason": "news"}


async def test_a_command_without_a_body_is_fine() -> None:
    async with a_server() as client, client.post("/halt") as reply:
        assert reply.status == 200


async def test_a_refused_command_says_so_in_one_line() -> None:
    async with a_server() as client, client.post("/resume") as reply:
        assert reply.status == 409
        assert (await reply.json())["error"] == "latched: the halt file cannot be removed"


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"x"'])
async def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    async with a_server() as client, client.post("/halt", data=body) as reply:
        assert reply.status == 400


async def test_reading_a_command_does_nothing() -> None:
    async with a_server() as client, client.get("/halt") as reply:
        assert reply.status == 405


@pytest.mark.parametrize(
    "headers", [{"Host": "rebound.example.com"}, {"Origin": "http://evil.example"}]
)
async def test_a_web_page_cannot_command_us(headers: dict[str, str]) -> None:
    async with a_server() as client, client.post("/halt", headers=headers) as reply:
        assert reply.status == 403


async def test_a_port_in_use_is_one_clear_line() -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(SetUpError, match=rf"\[admin\] port: 127.0.0.1:{port} is in use"):
            async with serve(build_app(views(), {}), "127.0.0.1", port):
                pytest.fail("it listened on a port in use")


async def test_an_address_that_is_not_ours_is_one_clear_line() -> None:
    with pytest.raises(SetUpError, match=r"\[admin\] host: cannot listen on 192\.0\.2\.1"):
        async with serve(build_app(views(), {}), "192.0.2.1", 0):
            pytest.fail("it listened on a foreign address")


async def test_a_heartbeat_is_told_and_hears_who_asks() -> None:
    heard: list[Mapping[str, str]] = []

    def heartbeat(query: Mapping[str, str]) -> Mapping[str, Any]:
        heard.append(dict(query))
        return {"beat": 3}

    app = build_app(replace(views(), heartbeat=heartbeat), {})
    async with (
        serve(app, "127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
        client.get("/heartbeat", params={"sentinel": "{}"}) as reply,
    ):
        assert await reply.json() == {"beat": 3}
    assert heard == [{"sentinel": "{}"}]
