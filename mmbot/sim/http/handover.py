"""How an answer reaches its client over a real socket: at once, byte by byte, or not at all."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import Final

from aiohttp import web

from mmbot.sim.core.lifecycle import NS
from mmbot.sim.http.replies import Reply

HANG_S_MAX: Final = 120.0
LOOK_EVERY_S: Final = 0.25
TRICKLE_BYTES_PER_S: Final = 1
OPEN_TO_ALL: Final = "/_box/whoami"


async def hand_over(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Give the answer to the client as its fate wants it."""
    if reply.after_ns:
        await asyncio.sleep(reply.after_ns / NS)
    if reply.hang:
        await _until_given_up(request)
    if reply.lost:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)
    if reply.trickle:
        return await _trickle(request, reply)
    return web.Response(status=reply.status, headers=reply.headers, body=reply.body)


async def _until_given_up(request: web.Request) -> None:
    """Say nothing until the client goes away, or for so long."""
    waited_s = 0.0
    while waited_s < HANG_S_MAX:
        if request.transport is None or request.transport.is_closing():
            return
        await asyncio.sleep(LOOK_EVERY_S)
        waited_s += LOOK_EVERY_S


async def _trickle(request: web.Request, reply: Reply) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_length = len(reply.body)
    try:
        await response.prepare(request)
        for i in range(len(reply.body)):
            await asyncio.sleep(1 / TRICKLE_BYTES_PER_S)
            await response.write(reply.body[i : i + 1])
        await response.write_eof()
    except ConnectionError:
        return response
    return response


def may_steer(request: web.Request) -> bool:
    """Steering is for this machine only; anybody may ask who we are."""
    if not request.path.startswith("/_box/") or request.path == OPEN_TO_ALL:
        return True
    return is_loopback(request.remote or "")


def is_loopback(host: str) -> bool:
    """Whether an address is one of this machine alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
