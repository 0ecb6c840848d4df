"""Whose reply it is, and what has left this machine: the order client's connections."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Coroutine
from typing import Any

import pytest

from mmbot.exchange.order_line import WireLost, WireReply
from mmbot.exchange.order_wire import NoConnection, OrderWire, WireLimits
from tests.exchange.wire_server import (
    LONG_S,
    OK,
    ONE,
    SHORT_S,
    TWO,
    Peer,
    Server,
    a_wire,
    ask,
    saying,
)

# faults: A1 A2 D11
pytestmark = pytest.mark.asyncio(loop_factories=["uvloop", "asyncio"])
ONLY_ONE = WireLimits(connections_max=1)


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    "reply",
    [
        ONE,
        OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ],
)
@pytest.mark.parametrize("surplus", [TWO, TWO[:20], b"\0"])
async def test_a_byte_behind_a_reply_never_answers_the_next_request(
    reply: bytes, surplus: bytes, at_once: bool
) -> None:
    said = asyncio.Event()

    async def twice(peer: Peer) -> None:
        await peer.asked()
        if at_once:
            await peer.say(reply + surplus)
        else:
            await peer.say(reply)
            await peer.say(surplus)
        said.set()
        await peer.gone()

    third = OK + b"Content-Length: 5\r\n\r\nthird"
    async with Server(twice, saying(third)).open() as server, a_wire(server.url) as wire:
        await ask(wire)
        await said.wait()
        assert (await ask(wire)).body == b"third"
    assert (server.connections, len(server.requests)) == (2, 2)


async def test_what_the_system_holds_is_seen_before_the_loop_sees_it() -> None:
    """Bytes or an end that came while the loop was busy: a kept connection is asked first."""
    for last_words in (TWO, b""):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            async with a_wire(f"http://127.0.0.1:{listening.getsockname()[1]}") as wire:
                async with asyncio.TaskGroup() as group:
                    first = group.create_task(ask(wire))
                    old = await asyncio.to_thread(lambda: listening.accept()[0])
                    await asyncio.to_thread(old.recv, 10_000)
                    await asyncio.to_thread(old.sendall, ONE)
                assert first.result().body == b"one"
                # No await from here to the request: the loop cannot have read anything.
                if last_words:
                    old.sendall(last_words)
                old.shutdown(socket.SHUT_WR)
                async with asyncio.TaskGroup() as group:
                    second = group.create_task(ask(wire))
                    new = await asyncio.to_thread(lambda: listening.accept()[0])
                    await asyncio.to_thread(new.recv, 10_000)
                    await asyncio.to_thread(new.sendall, ONE)
                assert second.result().body == b"one"
                with contextlib.suppress(ConnectionError):  # a reset: no request came, either
                    assert old.recv(10_000) == b""
            old.close()
            new.close()


async def test_a_server_that_closes_when_the_post_arrives_does_not_get_it_twice() -> None:
    async def once(peer: Peer) -> None:
        await peer.asked()
        await peer.say(ONE)
        await peer.reader.readexactly(1)
        peer.writer.transport.abort()

    async with Server(once, saying(TWO)).open() as server, a_wire(server.url) as wire:
        await ask(wire)
        with pytest.raises(WireLost):
            await ask(wire)
        assert server.connections == 1


async def test_a_fresh_connection_that_speaks_first_is_not_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        accepted: list[socket.socket] = []

        class Greeted(socket.socket):
            """Connected only when unasked bytes have come, too."""

            def connect(self, address: Any) -> None:
                self.setblocking(True)
                super().connect(address)
                accepted.append(listening.accept()[0])
                accepted[0].sendall(TWO)
                self.recv(1, socket.MSG_PEEK)
                self.setblocking(False)

        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        wire = OrderWire(url, WireLimits(), lambda address: Greeted(address[0], address[1]))
        with pytest.raises(NoConnection):
            await ask(wire)
        await wire.close()
        with contextlib.suppress(ConnectionError), accepted[0] as peer:
            assert await asyncio.to_thread(peer.recv, 10_000) == b""


async def test_a_late_reply_finds_its_connection_gone() -> None:
    ended = asyncio.Event()

    async def late(peer: Peer) -> None:
        await peer.asked()
        await peer.gone()
        ended.set()
        await peer.say(ONE)

    async with Server(late, saying(TWO)).open() as server, a_wire(server.url) as wire:
        with pytest.raises(TimeoutError):
            await ask(wire, timeout_s=SHORT_S)
        await asyncio.wait_for(ended.wait(), LONG_S)
        assert (await ask(wire)).body == b"two"
    assert len(server.requests) == 2


async def test_a_cancelled_caller_takes_its_connection_along() -> None:
    asked = asyncio.Event()
    ended = asyncio.Event()

    async def never(peer: Peer) -> None:
        await peer.asked()
        asked.set()
        await peer.gone()
        ended.set()

    turns = (never, saying(TWO))
    async with Server(*turns).open() as server, a_wire(server.url, ONLY_ONE) as wire:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(ask(wire))
            await asked.wait()
            task.cancel()
        assert task.cancelled()
        await asyncio.wait_for(ended.wait(), LONG_S)
        assert (await ask(wire)).body == b"two"


async def test_more_requests_than_connections_wait_for_one() -> None:
    turn, limits = saying(*[ONE] * 9), WireLimits(connections_max=3)
    async with (
        Server(turn).open() as server,
        a_wire(server.url, limits) as wire,
        asyncio.TaskGroup() as group,
    ):
        tasks = [group.create_task(ask(wire, b"%d" % one)) for one in range(9)]
    assert [task.result().body for task in tasks] == [b"one"] * 9
    assert server.connections <= 3
    assert {request[-1:] for request in server.requests} == {b"%d" % one for one in range(9)}


async def test_a_timeout_while_waiting_for_a_connection_sent_nothing() -> None:
    asked = asyncio.Event()

    async def never(peer: Peer) -> None:
        await peer.asked()
        asked.set()
        await peer.gone()

    async with (
        Server(never).open() as server,
        a_wire(server.url, ONLY_ONE) as wire,
        asyncio.TaskGroup() as group,
    ):
        task = group.create_task(ask(wire))
        await asked.wait()
        with pytest.raises(NoConnection):
            await ask(wire, timeout_s=SHORT_S)
        task.cancel()
    assert len(server.requests) == 1


async def test_waiting_and_answering_share_one_timeout() -> None:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    free = asyncio.Event()

    async def second_never(peer: Peer) -> None:
        await peer.asked()
        loop.call_at(began_s + 0.4, free.set)
        await free.wait()
        await peer.say(ONE)
        await peer.asked()
        await peer.gone()

    async with Server(second_never).open() as server, a_wire(server.url, ONLY_ONE) as wire:
        async with asyncio.TaskGroup() as group:
            group.create_task(ask(wire))
            await asyncio.sleep(0)
            with pytest.raises(TimeoutError):
                await ask(wire, timeout_s=0.5)
        assert loop.time() - began_s < 0.85  # each on its own: 0.9
    assert len(server.requests) == 2


async def test_without_time_nothing_is_sent() -> None:
    async with Server(saying(ONE)).open() as server, a_wire(server.url) as wire:
        with pytest.raises(NoConnection):
            await ask(wire, timeout_s=0)
    assert server.connections == 0


async def test_a_connection_too_long_idle_is_closed_and_not_used() -> None:
    limits = WireLimits(idle_timeout_s=0.0)
    async with Server(saying(ONE), saying(TWO)).open() as server, a_wire(server.url, limits) as w:
        assert [(await ask(w)).body for _ in range(2)] == [b"one", b"two"]
    assert server.connections == 2


async def test_an_answer_to_half_a_request_ends_its_connection() -> None:
    async def early(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(b"HTTP/1.1 413 Too Long\r\nContent-Length: 0\r\n\r\n")
        await asyncio.Event().wait()

    async with Server(early, saying(TWO)).open() as server, a_wire(server.url) as wire:
        assert (await ask(wire, b"x" * 64_000_000)).status == 413
        assert (await ask(wire)).body == b"two"
    assert server.connections == 2


async def test_after_close_nothing_is_sent_and_nothing_waits() -> None:
    asked = asyncio.Event()

    async def never(peer: Peer) -> None:
        await peer.asked()
        asked.set()
        await peer.gone()

    async with Server(never).open() as server:
        async with a_wire(server.url) as wire, asyncio.TaskGroup() as group:
            task = group.create_task(caught(ask(wire)))
            await asked.wait()
            await wire.close()
            with pytest.raises(NoConnection):
                await ask(wire)
        assert isinstance(task.result(), WireLost)
    assert len(server.requests) == 1


async def caught(asking: Coroutine[Any, Any, WireReply]) -> BaseException | None:
    try:
        await asking
    except (WireLost, NoConnection, TimeoutError) as error:
        return error
    return None
