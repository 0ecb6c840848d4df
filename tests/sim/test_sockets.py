"""The stream over real sockets: garbage, huge frames, peers that do not read, hosts that die."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
import pytest
from aiohttp import web

from mmbot.sim.box import Box
from mmbot.sim.core.messages import Outgoing
from mmbot.sim.http.guard import HttpLimits
from mmbot.sim.http.server import Clock, Shell
from mmbot.sim.scenario import BoxOptions, RivalOptions, TakerOptions
from mmbot.sim.stream.channels import event_channel
from mmbot.sim.stream.frames import CUT, Close
from mmbot.sim.stream.rules import StreamRules

WAIT_S: Final = 10


class Served:
    """A box on a port of this process, its transports, and a client session."""

    def __init__(self, box: Box, shell: Shell, client: aiohttp.ClientSession, port: int) -> None:
        self.box = box
        self.shell = shell
        self.client = client
        self.port = port

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/app/{self.box.hub.app.key}?protocol=7"

    async def until(self, done: Any) -> None:
        """Let the loop turn until the box has seen it."""
        async with asyncio.timeout(WAIT_S):
            while not done():
                self.shell.sockets.wake()
                await asyncio.sleep(0)

    async def connected(self, **options: Any) -> tuple[aiohttp.ClientWebSocketResponse, str]:
        stream = await self.client.ws_connect(self.url, **options)
        hello = await stream.receive_json()
        return stream, json.loads(hello["data"])["socket_id"]

    def say(self, event_id: int, text: str) -> None:
        """Publish a message of some size on an event channel."""
        kind = "market_selections"
        self.box.hub.publish(Outgoing(1, kind, kind, "u", {"t": text}, event_id=event_id))
        self.shell.sockets.wake()


@asynccontextmanager
async def serving(**rules: Any) -> AsyncIterator[Served]:
    clock = Clock()
    quiet = BoxOptions(
        stream=StreamRules(**rules), takers=TakerOptions(on=False), rival=RivalOptions(on=False)
    )
    box = Box(quiet, clock.now_ns())
    shell = Shell(box, clock, HttpLimits())
    app = web.Application()
    app.router.add_get("/app/{key}", shell.sockets.serve)
    app.router.add_route("*", "/{path:.*}", shell.http)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with aiohttp.ClientSession() as client, asyncio.timeout(WAIT_S):
            yield Served(box, shell, client, runner.addresses[0][1])
    finally:
        await runner.cleanup()


def transport_of(stream: aiohttp.ClientWebSocketResponse) -> Any:
    """The client's end of the wire, to do to it what no library would."""
    connection = stream._response.connection
    assert connection is not None
    return connection.transport


async def subscribed(
    served: Served, stream: aiohttp.ClientWebSocketResponse, socket_id: str
) -> None:
    channel = event_channel(11)
    data = {"channel": channel, "auth": served.box.hub.app.channel_auth(socket_id, channel)}
    await stream.send_json({"event": "pusher:subscribe", "data": data})
    assert "succeeded" in (await stream.receive_json())["event"]


async def test_garbage_text_and_binary_get_an_error_and_the_socket_lives() -> None:
    async with serving() as served:
        stream, _ = await served.connected()
        for text in ("{", "[]", '"x"', '{"event":5,"data":[1]}', "[" * 100_000):
            await stream.send_str(text)
            assert (await stream.receive_json())["event"] == "pusher:error"
        await stream.send_bytes(b"\x00\xff")
        assert (await stream.receive_json())["event"] == "pusher:error"
        await stream.send_str('{"event":"pusher:ping","data":""}')
        assert (await stream.receive_json())["event"] == "pusher:pong"


async def test_a_huge_frame_closes_its_socket_with_1009_and_no_other() -> None:
    async with serving() as served:
        (big, _), (small, _) = await served.connected(), await served.connected()
        await big.send_str("x" * (2 << 20))
        assert (await big.receive()).data == 1009
        await served.until(lambda: len(served.box.hub.connections) == 1)
        await small.send_str('{"event":"pusher:ping","data":{}}')
        assert (await small.receive_json())["event"] == "pusher:pong"


async def test_bytes_that_are_not_utf8_close_with_1007() -> None:
    async with serving() as served:
        stream, _ = await served.connected()
        # a text frame of one byte 0xff, masked with zeros
        transport_of(stream).write(b"\x81\x81\x00\x00\x00\x00\xff")
        assert (await stream.receive()).data == 1007
        await served.until(lambda: not served.box.hub.connections)


async def test_a_peer_that_does_not_read_is_cut_and_forgotten() -> None:
    # faults: E15
    async with serving(frames_queued_max=50) as served:
        stream, socket_id = await served.connected()
        await subscribed(served, stream, socket_id)
        transport_of(stream).pause_reading()
        text = "x" * 200_000
        while served.box.hub.connections:
            served.say(11, text)
            await asyncio.sleep(0)
        await served.until(lambda: len(served.shell.sockets) == 0)
        assert served.box.hub.channel_count == 0


async def test_a_peer_that_vanishes_leaves_nothing_behind() -> None:
    async with serving() as served:
        stream, socket_id = await served.connected()
        await subscribed(served, stream, socket_id)
        transport_of(stream).abort()
        await served.until(lambda: len(served.shell.sockets) == 0)
        assert not served.box.hub.connections
        assert served.box.hub.channel_count == 0


async def test_a_control_ping_is_answered_and_counts_as_life() -> None:
    async with serving() as served:
        stream, socket_id = await served.connected(autoping=False)
        connection = served.box.hub.connections[socket_id]
        connection.heard_ns = 0
        await stream.ping(b"hi")
        answer = await stream.receive()
        assert (answer.type, answer.data) == (aiohttp.WSMsgType.PONG, b"hi")
        assert connection.heard_ns > 0


@pytest.mark.parametrize("code", [4000, 4009, 4100, 4200, 4201])
async def test_a_close_on_demand_arrives_as_error_and_close_frame(code: int) -> None:
    # faults: E14
    async with serving() as served:
        stream, _ = await served.connected()
        served.box.hub.close_all(Close(code))
        served.shell.sockets.wake()
        assert (await stream.receive_json())["data"]["code"] == code
        closed = await stream.receive()
        assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, code)


async def test_a_cut_has_no_close_frame() -> None:
    async with serving() as served:
        stream, _ = await served.connected()
        served.box.hub.close_all(Close(CUT))
        served.shell.sockets.wake()
        gone = await stream.receive()
        assert gone.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        assert stream.close_code in (None, 1006)


async def test_a_websocket_on_another_path_is_told_4005() -> None:
    async with serving() as served:
        for path in ("/app", "/app/", "/apps/x", "/"):
            url = f"ws://127.0.0.1:{served.port}{path}?protocol=7"
            async with served.client.ws_connect(url) as stream:
                assert (await stream.receive_json())["data"]["code"] == 4005
                assert (await stream.receive()).data == 4005
        await served.until(lambda: len(served.shell.sockets) == 0)


async def test_a_plain_request_on_the_stream_path_is_a_client_error() -> None:
    async with serving() as served:
        url = f"http://127.0.0.1:{served.port}/app/x"
        async with served.client.get(url) as answer:
            assert 400 <= answer.status < 500


async def test_a_dead_host_refuses_and_the_other_name_of_the_box_serves() -> None:
    # faults: E6
    async with serving() as served:
        served.box.hub.address.dead_hosts.add(f"127.0.0.1:{served.port}")
        with pytest.raises(aiohttp.ClientError):
            await served.client.ws_connect(served.url)
        url = served.url.replace("127.0.0.1", "localhost")
        async with served.client.ws_connect(url) as stream:
            assert "established" in (await stream.receive_json())["event"]


async def test_a_half_finished_handshake_holds_no_socket_of_the_hub() -> None:
    async with serving() as served:
        with socket.create_connection(("127.0.0.1", served.port)) as raw:
            raw.setblocking(False)
            raw.send(b"GET /app/x?protocol=7 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n")
            stream, _ = await served.connected()
            await stream.close()
            await served.until(lambda: not served.box.hub.connections)
