"""The box on one loopback port: HTTP and websocket, driven by the wall clock."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from aiohttp import WSMsgType, web

from mmbot.sim.box import Box
from mmbot.sim.messages import Json
from mmbot.sim.prices import DataError
from mmbot.sim.replies import Reply
from mmbot.sim.routes import BODY_BYTES_MAX
from mmbot.sim.scenario import BoxOptions, ScenarioError, load_scenario
from mmbot.sim.stream import Close, Connection

NS = 1_000_000_000
IDLE_S_MAX = 1.0
CLOSE_TIMEOUT_S = 1.0


class RecordNotWrittenError(Exception):
    """The record could not be written at the end; the text says where and why."""


class Clock:
    """Wall time at the start, then monotonic: time never goes back."""

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        return time.monotonic_ns() + self._offset_ns


class Shell:
    """Carries bytes between aiohttp and the box."""

    def __init__(self, box: Box, clock: Clock) -> None:
        self._box = box
        self._clock = clock
        self._wake: dict[Connection, asyncio.Event] = {}
        self._kick = asyncio.Event()

    async def pump(self) -> None:
        """Let the box live: sleep to the next due time, or until somebody asks."""
        while True:
            self._box.advance(self._clock.now_ns())
            self.wake_writers()
            due_ns = self._box.next_due_ns()
            wait_s = IDLE_S_MAX
            if due_ns is not None:
                wait_s = min(IDLE_S_MAX, (due_ns - self._clock.now_ns()) / NS)
            self._kick.clear()
            try:
                async with asyncio.timeout(max(0.0, wait_s)):
                    await self._kick.wait()
            except TimeoutError:
                continue

    async def http(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        found = self._box.arrive(
            request.method, request.path_qs, request.headers, body, self._clock.now_ns()
        )
        if isinstance(found, Reply):
            reply = found
            self._changed()
        else:
            before_ns, after_ns = self._box.latency.of_request(found.route)
            after_ns += int(self._box.switches.reply_delay_s * NS)
            if before_ns:
                await asyncio.sleep(before_ns / NS)
            reply = self._box.execute(found, self._clock.now_ns())
            self._changed()
            if after_ns:
                await asyncio.sleep(after_ns / NS)
        if reply.lost:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        return web.Response(status=reply.status, headers=reply.headers, body=reply.body)

    async def websocket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=BODY_BYTES_MAX)
        await socket.prepare(request)
        now_ns = self._clock.now_ns()
        connection = self._box.connect(request.match_info["key"], request.query, now_ns)
        self._wake[connection] = asyncio.Event()
        self._wake[connection].set()
        try:
            async with asyncio.TaskGroup() as group:
                writer = group.create_task(self._write(socket, connection))
                async for frame in socket:
                    if frame.type is WSMsgType.TEXT:
                        self._box.receive(connection, frame.data, self._clock.now_ns())
                        self.wake_writers()
                writer.cancel()
        finally:
            del self._wake[connection]
            self._box.hub.disconnect(connection)
        return socket

    async def _write(self, socket: web.WebSocketResponse, connection: Connection) -> None:
        wake = self._wake[connection]
        while True:
            await wake.wait()
            wake.clear()
            while connection.out:
                frame = connection.out.popleft()
                try:
                    if isinstance(frame, Close):
                        await socket.close(code=frame.code, message=frame.reason.encode())
                        return
                    await socket.send_str(frame)
                except ConnectionResetError:
                    return

    def _changed(self) -> None:
        """Something happened out of turn: the pump looks again, the sockets send."""
        self._kick.set()
        self.wake_writers()

    def wake_writers(self) -> None:
        for connection, wake in self._wake.items():
            if connection.out:
                wake.set()


async def serve(options: BoxOptions, ready: Callable[[int], None], stop: asyncio.Event) -> None:
    """Run a box until `stop` is set; `ready` gets the port once it listens."""
    clock = Clock()
    box = Box(options, clock.now_ns())
    shell = Shell(box, clock)
    app = web.Application(client_max_size=BODY_BYTES_MAX)
    app.router.add_get("/app/{key}", shell.websocket)
    app.router.add_route("*", "/{path:.*}", shell.http)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_TIMEOUT_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, options.host, options.port)
        await site.start()
        port: int = runner.addresses[0][1]
        box.ws_host = f"{options.host}:{port}"
        async with asyncio.TaskGroup() as group:
            pump = group.create_task(shell.pump())
            ready(port)
            await stop.wait()
            pump.cancel()
    finally:
        box.hub.close_all(Close(1001, "box stops"))
        shell.wake_writers()
        await runner.cleanup()
        if options.record_file:
            summary = box.record.summary(box.maker, clock.now_ns())
            write_record(Path(options.record_file), summary)


def options_from(argv: list[str], environ: dict[str, str]) -> BoxOptions:
    """Command line over scenario file over environment over defaults."""
    parser = argparse.ArgumentParser(prog="mmbot exchange", description="The exchange in the box.")
    parser.add_argument("--port", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--scenario", type=Path)
    parser.add_argument("--data", dest="data_dir", help="folder with odds of your own")
    parser.add_argument("--latency", dest="latency_profile", choices=("loopback", "venue"))
    parser.add_argument("--record", dest="record_file", help="write the record here at the end")
    parser.add_argument("--access-key")
    parser.add_argument("--secret-key")
    given = parser.parse_args(argv)
    options = BoxOptions()
    if environ.get("MMBOT_ACCESS_KEY"):
        options = dataclasses.replace(options, access_key=environ["MMBOT_ACCESS_KEY"])
    if environ.get("MMBOT_SECRET_KEY"):
        options = dataclasses.replace(options, secret_key=environ["MMBOT_SECRET_KEY"])
    if given.scenario is not None:
        options = load_scenario(given.scenario, options)
    flags = {k: v for k, v in vars(given).items() if v is not None and k != "scenario"}
    options = dataclasses.replace(options, **flags)
    if options.record_file and not Path(options.record_file).absolute().parent.is_dir():
        raise ScenarioError(f"record {options.record_file}: no such folder")
    return options


def main(argv: list[str]) -> int:
    """Run the box from the command line; 0 stopped, 1 record not written, 2 wrong set-up."""
    try:
        options = options_from(argv, dict(os.environ))
    except ScenarioError as error:
        return _failed(str(error), 2)
    try:
        asyncio.run(_run(options))
    except DataError as error:
        return _failed(str(error), 2)
    except RecordNotWrittenError as error:
        return _failed(str(error), 1)
    except OSError as error:
        return _failed(f"cannot listen on {options.host}:{options.port}: {error.strerror}", 2)
    return 0


def _failed(text: str, code: int) -> int:
    print(f"mmbot exchange: {text}", file=sys.stderr)
    return code


def write_record(path: Path, summary: Json) -> None:
    try:
        path.write_bytes(msgspec.json.encode(summary))
    except OSError as error:
        raise RecordNotWrittenError(f"record {path}: {error.strerror}") from error


async def _run(options: BoxOptions) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)

    def ready(port: int) -> None:
        base_url = f"http://{options.host}:{port}/partner"
        print(json.dumps({"ready": True, "port": port, "base_url": base_url}), flush=True)

    await serve(options, ready, stop)
