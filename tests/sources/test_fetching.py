"""Bytes over a real socket and from a real file; errors never show a key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from mmbot.sources.fetching import (
    BODY_BYTES_MAX,
    Document,
    FetchFailed,
    FileFetch,
    HttpFetch,
    HttpRequest,
    http_requests,
)

KEY = "the-secret-key"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def a_server(handler: Handler) -> AsyncIterator[tuple[str, HttpRequest]]:
    app = web.Application()
    app.router.add_get("/odds", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        async with aiohttp.ClientSession() as session:
            yield f"http://{host}:{port}/odds", http_requests(session)
    finally:
        await runner.cleanup()


async def test_the_tag_of_the_last_answer_saves_the_next() -> None:
    async def odds(request: web.Request) -> web.Response:
        assert request.query == {"regions": "us", "apiKey": KEY}
        if request.headers.get("If-None-Match") == '"v1"':
            return web.Response(status=304)
        return web.Response(body=b"[]", headers={"ETag": '"v1"'})

    async with a_server(odds) as (url, request):
        fetch = HttpFetch(request, f"{url}?regions=us", KEY)
        assert await fetch("") == Document(b"[]", '"v1"')
        assert await fetch('"v1"') is None
        assert KEY not in repr(fetch)


async def test_a_refusal_names_its_status_and_its_wait() -> None:
    async def busy(request: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "7"})

    async with a_server(busy) as (url, request):
        with pytest.raises(FetchFailed, match="HTTP status 429") as caught:
            await HttpFetch(request, url, KEY)("")
    assert caught.value.retry_after_s == 7.0


async def test_an_unreachable_host_fails_without_showing_the_key() -> None:
    async def never(request: web.Request) -> web.Response:
        raise AssertionError("the server is gone")

    async with a_server(never) as (url, _):
        gone = url
    async with aiohttp.ClientSession() as session:
        for target in (gone, "no url at all"):
            with pytest.raises(FetchFailed, match="cannot be reached") as caught:
                await HttpFetch(http_requests(session), target, KEY)("")
            assert KEY not in str(caught.value)
            assert caught.value.__cause__ is None


async def test_silence_ends_with_the_timeout() -> None:
    async def silent(
        method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    with pytest.raises(FetchFailed, match=r"no reply within 0\.01 s"):
        await HttpFetch(silent, "/odds", reply_timeout_s=0.01)("")


async def test_an_endless_answer_is_cut_off() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        chunk = b" " * (1024 * 1024)
        for _ in range(BODY_BYTES_MAX // len(chunk) + 2):
            await response.write(chunk)
        return response

    async with a_server(endless) as (url, request):
        with pytest.raises(FetchFailed, match="exceeds"):
            await HttpFetch(request, url)("")


async def test_a_304_to_a_question_without_a_tag_is_an_error() -> None:
    async def confused(
        method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        return 304, {}, b""

    with pytest.raises(FetchFailed, match="304"):
        await HttpFetch(confused, "/odds")("")


async def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "fairs.csv"
    path.write_text("prob\n0.5\n")
    fetch = FileFetch(path)
    first = await fetch("")
    assert first is not None
    assert first.body == b"prob\n0.5\n"
    assert first.modified_ns == path.stat().st_mtime_ns
    assert await fetch(first.tag) is None
    path.write_text("prob\n0.55\n")
    second = await fetch(first.tag)
    assert second is not None
    assert second.body == b"prob\n0.55\n"


async def test_a_missing_file_is_a_clear_line(tmp_path: Path) -> None:
    with pytest.raises(FetchFailed, match=r"^fairs\.csv: No such file or directory$"):
        await FileFetch(tmp_path / "fairs.csv")("")
