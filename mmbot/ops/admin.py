"""The admin server: status, metrics, health, and the few orders a person may give."""

from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Final

from aiohttp import web

from mmbot.domain.errors import MmbotError, SetUpError

BODY_BYTES_MAX: Final = 16_384
SHUTDOWN_TIMEOUT_S: Final = 2.0
COMMAND_TIMEOUT_S: Final = 30.0

Command = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""A command takes the request's JSON object (for example {"reason": ...}) and says what it did."""


@dataclass(frozen=True, slots=True)
class Views:
    """What can be asked. `ready` and `health` give None when well, else the reason."""

    status: Callable[[], Mapping[str, Any]]
    metrics: Callable[[], bytes]
    metrics_content_type: str
    ready: Callable[[], str | None] = field(default=lambda: None)
    health: Callable[[], str | None] = field(default=lambda: None)
    limits: Callable[[], Mapping[str, Any]] = field(default=dict)
    # The lease of this process; whoever asks may tell of its own.
    heartbeat: Callable[[Mapping[str, str]], Mapping[str, Any]] = field(default=lambda _: {})


def build_app(views: Views, commands: Mapping[str, Command]) -> web.Application:
    """GET /metrics /healthz /readyz /status /limits /heartbeat; POST /{name} for each command."""

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(
            body=views.metrics(), headers={"Content-Type": views.metrics_content_type}
        )

    async def status(request: web.Request) -> web.Response:
        return _json(views.status())

    async def heartbeat(request: web.Request) -> web.Response:
        return _json(views.heartbeat(request.query))

    async def limits(request: web.Request) -> web.Response:
        return _json(views.limits())

    async def healthz(request: web.Request) -> web.Response:
        return _verdict(views.health())

    async def readyz(request: web.Request) -> web.Response:
        return _verdict(views.ready())

    app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[_only_from_here])
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/status", status)
    app.router.add_get("/limits", limits)
    app.router.add_get("/heartbeat", heartbeat)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    for name, command in commands.items():
        app.router.add_post(f"/{name}", _command_handler(name, command))
    return app


def _command_handler(
    name: str, command: Command
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        text = await request.text()
        try:
            body = json.loads(text) if text else {}
        except ValueError:
            return _json({"error": f"/{name}: the body is not JSON"}, 400)
        if not isinstance(body, dict):
            return _json({"error": f"/{name}: the body is not a JSON object"}, 400)
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT_S):
                return _json(await command(body))
        except TimeoutError:
            return _json({"error": f"/{name}: not done within {COMMAND_TIMEOUT_S:g} s"}, 504)
        except MmbotError as error:
            return _json({"error": str(error)}, 409)

    return handle


@web.middleware
async def _only_from_here(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse what a web page elsewhere may make a browser on this machine send."""
    host = request.host.rpartition(":")[0] if ":" in request.host else request.host
    if not _is_plain_host(host.strip("[]")):
        return _json({"error": "unknown host name"}, 403)
    if request.method == "POST" and "Origin" in request.headers:
        return _json({"error": "not from a browser"}, 403)
    return await handler(request)


def _is_plain_host(host: str) -> bool:
    """An address, or a name without a dot: a rebound DNS name is neither."""
    try:
        ip_address(host)
    except ValueError:
        return bool(host) and "." not in host
    return True


def _verdict(reason: str | None) -> web.Response:
    return web.Response(text="ok\n" if reason is None else f"{reason}\n", status=_code(reason))


def _code(reason: str | None) -> int:
    return 200 if reason is None else 503


def _json(body: Mapping[str, Any], status: int = 200) -> web.Response:
    return web.json_response(dict(body), status=status)


async def prove_free(host: str, port: int) -> None:
    """Listen for a moment; raises SetUpError where `serve` would."""
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(asyncio.Protocol, host, port, reuse_address=True)
    except OSError as error:
        raise SetUpError(_bind_problem(host, port, error)) from None
    server.close()
    await server.wait_closed()


@asynccontextmanager
async def serve(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Listen until the block is left; gives the real port (for port 0)."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, reuse_address=True)
        try:
            await site.start()
        except OSError as error:
            raise SetUpError(_bind_problem(host, port, error)) from None
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def _bind_problem(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"[admin] port: {host}:{port} is in use (is another mmbot running?)"
    if error.errno == errno.EACCES:
        return f"[admin] port: {host}:{port} needs privileges; choose a port above 1023"
    return f"[admin] host: cannot listen on {host}:{port}: {error.strerror or error}"
