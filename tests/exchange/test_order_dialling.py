"""From an address to a connection: when nothing has left this machine."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mmbot.exchange.http import HttpSettings, LiveHttp, NotSent, ReplyLost
from mmbot.exchange.order_line import WireLost
from mmbot.exchange.order_wire import NoConnection, WireLimits
from tests.exchange.wire_server import (
    LONG_S,
    OK,
    ONE,
    TWO,
    Peer,
    Server,
    a_wire,
    ask,
    reading_only,
    saying,
)

# faults: A1 H17
pytestmark = pytest.mark.asyncio(loop_factories=["uvloop", "asyncio"])
ORDERS = "/orders"


@asynccontextmanager
async def a_port(url: str) -> AsyncIterator[LiveHttp]:
    port = LiveHttp(HttpSettings(url), frozenset({ORDERS}))
    try:
        yield port
    finally:
        await port.close()


async def order(port: LiveHttp, timeout_s: float = LONG_S) -> bytes:
    return (await port.request("POST", ORDERS, {}, b"{}", timeout_s)).body


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
async def test_a_port_where_nobody_listens(host: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with a_port(f"http://{host}:{taken.getsockname()[1]}") as port:
            with pytest.raises(NotSent):
                await order(port)


@pytest.mark.parametrize("host", ["a..b", "m\u00fcnchen.invalid", ""])
async def test_what_is_no_name_of_a_host(host: str) -> None:
    async with a_port(f"http://{host}:9") as port:
        with pytest.raises(NotSent):
            await order(port)


Addresses = list[tuple[str, int]]


def names_lead_to(
    monkeypatch: pytest.MonkeyPatch, found: Addresses | OSError | UnicodeError
) -> None:
    """No test asks a name server."""

    loop = asyncio.get_running_loop()
    known = loop.getaddrinfo

    async def looked_up(host: str, *rest: Any, **more: Any) -> Any:
        if host == "127.0.0.1":  # uvloop looks up even addresses
            return await known(host, *rest, **more)
        if isinstance(found, Exception):
            raise found
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", address) for address in found]

    monkeypatch.setattr(loop, "getaddrinfo", looked_up)


@pytest.mark.parametrize("found", [socket.gaierror(-2, "no name"), UnicodeError("label"), []])
async def test_a_name_without_address(
    found: Addresses | OSError | UnicodeError, monkeypatch: pytest.MonkeyPatch
) -> None:
    names_lead_to(monkeypatch, found)
    async with a_port("http://exchange.invalid:9") as port:
        with pytest.raises(NotSent):
            await order(port)


async def test_the_second_address_is_asked_when_nobody_listens_on_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Server(saying(ONE)).open() as server, a_wire("http://exchange.invalid") as wire:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            names_lead_to(monkeypatch, [taken.getsockname(), ("127.0.0.1", port_of(server))])
            assert (await ask(wire)).body == b"one"


def port_of(server: Server) -> int:
    return int(server.url.rpartition(":")[2])


async def test_ipv6() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    async with Server(saying(ONE)).open("::1") as server, a_wire(server.url) as wire:
        assert (await ask(wire)).body == b"one"
    assert b"\r\nHost: [::1]:" in server.requests[0]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/orders", {"X": "a\r\nY: b"}),
        ("/orders", {"X": "a\nY: b"}),
        ("/orders", {"X": "a\rY: b"}),
        ("/orders", {"X": "a\0"}),
        ("/orders", {"X\r\nY": "a"}),
        ("/orders", {"X": "caf\u00e9"}),
        ("/orders", {"X": "\u4e2d"}),
        ("/orders HTTP/1.1\r\nX: y", {}),
        ("/orders /other", {}),
        ("/\u00e9", {}),
    ],
)
async def test_nothing_can_be_written_into_the_head(path: str, headers: dict[str, str]) -> None:
    async with Server(saying(ONE)).open() as server, a_wire(server.url) as wire:
        with pytest.raises(NoConnection) as caught:
            await wire.request("POST", path, headers, b"{}", LONG_S)
    assert server.connections == 0
    assert "Y: b" not in str(caught.value)


async def test_a_timeout_of_an_order_is_a_lost_reply() -> None:
    async with Server(reading_only).open() as server, a_port(server.url) as port:
        with pytest.raises(ReplyLost):
            await order(port, 0.1)
    assert len(server.requests) == 1


class Certificate:
    def __init__(self, folder: Path, name: str) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("NO TLS TEST RUNS: there is no openssl command to make a certificate")
        self.path, self._key = folder / f"{name}.pem", folder / f"{name}.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
             "-addext", f"subjectAltName=DNS:{name}", "-keyout", str(self._key),
             "-out", str(self.path)],
            check=True, capture_output=True, timeout=30,
        )  # fmt: skip

    def served(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path, self._key)
        return context


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate(tmp_path_factory.mktemp("tls"), "localhost")


def by_name(server: Server) -> str:
    return server.url.replace("127.0.0.1", "localhost")


async def test_a_certificate_that_nobody_trusts_is_not_asked(ours: Certificate) -> None:
    async with (
        Server(saying(ONE)).open(tls=ours.served()) as server,
        a_port(by_name(server)) as port,
    ):
        with pytest.raises(NotSent, match="certificate"):
            await order(port)
    assert server.requests == []


async def test_a_certificate_of_another_name_is_not_asked(
    ours: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ours.path))
    async with Server(saying(ONE)).open(tls=ours.served()) as server, a_port(server.url) as port:
        with pytest.raises(NotSent, match="certificate"):
            await order(port)
    assert server.requests == []


async def test_a_trusted_certificate_works_and_its_connection_is_kept(
    ours: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ours.path))
    async with (
        Server(saying(ONE, TWO)).open(tls=ours.served()) as server,
        a_port(by_name(server)) as port,
    ):
        assert [await order(port) for _ in range(2)] == [b"one", b"two"]
    assert server.connections == 1


@pytest.mark.parametrize("reply", [ONE[:-1], OK + b"\r\none"])
async def test_a_tls_connection_that_is_cut_has_no_reply(
    reply: bytes, ours: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ours.path))

    async def cut(peer: Peer) -> None:
        await peer.asked()
        await peer.say(reply)  # and the connection is reset

    async with (
        Server(cut).open(tls=ours.served()) as server,
        a_wire(by_name(server)) as wire,
    ):
        with pytest.raises(WireLost):
            await ask(wire)


async def test_an_address_that_keeps_silent_takes_its_share_of_the_time_only(
    ours: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ours.path))
    limits = WireLimits(connect_timeout_s=1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with (
            Server(saying(ONE)).open(tls=ours.served()) as server,
            a_wire("https://localhost", limits) as wire,
        ):
            found = [silent.getsockname(), ("127.0.0.1", port_of(server))]
            names_lead_to(monkeypatch, found)
            assert (await ask(wire)).body == b"one"


async def test_a_handshake_without_end_sent_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"https://localhost:{listening.getsockname()[1]}"
        async with a_wire(url, WireLimits(connect_timeout_s=0.2)) as wire:
            with pytest.raises(NoConnection):
                await ask(wire)


async def test_plain_text_where_tls_was_expected_sent_nothing() -> None:
    async with Server(reading_only).open() as server:
        url = server.url.replace("http:", "https:")
        async with a_wire(url, WireLimits(connect_timeout_s=0.2)) as wire:
            with pytest.raises(NoConnection):
                await ask(wire)
    assert server.requests == []
