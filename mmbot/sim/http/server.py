"""The box on one loopback port: HTTP and websocket, driven by the wall clock."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from aiohttp import web

from mmbot.sim.archive import archived
from mmbot.sim.box import Box
from mmbot.sim.core.messages import Json
from mmbot.sim.core.prices import DataError
from mmbot.sim.faults import table as fault_table
from mmbot.sim.http.guard import Guards, HttpLimits, body_within, http_log
from mmbot.sim.http.handover import hand_over, is_loopback, may_steer
from mmbot.sim.http.replies import Reply
from mmbot.sim.scenario import (
    BoxOptions,
    ScenarioError,
    load_profile,
    load_scenario,
    overlay,
    shipped_scenarios,
)
from mmbot.sim.stream.hub import Close
from mmbot.sim.stream.sockets import Sockets

NS = 1_000_000_000
IDLE_S_MAX = 1.0
CATCH_UP_SLICE_S = 0.25
CLOSE_TIMEOUT_S = 1.0
CONTROL_TOKEN_BYTES = 16


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

    def __init__(self, box: Box, clock: Clock, limits: HttpLimits) -> None:
        self._box = box
        self._clock = clock
        self._limits = limits
        self.sockets = Sockets(box, clock)
        self._kick = asyncio.Event()

    async def pump(self) -> None:
        """Let the box live: sleep to the next due time, or until somebody asks."""
        while True:
            await self._catch_up()
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

    async def _catch_up(self) -> None:
        """In slices after a stand-still: the sockets are written in between, as if it had not."""
        box, slice_ns = self._box, round(CATCH_UP_SLICE_S * NS)
        while self._clock.now_ns() - box.exchange.now_ns > slice_ns:
            box.advance(box.exchange.now_ns + slice_ns)
            self.sockets.wake()
            await asyncio.sleep(0)
        box.advance(self._clock.now_ns())
        self.sockets.wake()

    async def http(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self.sockets.serve(request)
        if not may_steer(request):
            return web.Response(status=403)
        body = await body_within(self._limits, request)
        if not isinstance(body, bytes):
            return body
        found = self._box.arrive(
            request.method, request.path_qs, request.headers, body, self._clock.now_ns()
        )
        if isinstance(found, Reply):
            reply = found
            self._changed()
        else:
            before_ns, after_ns = self._box.delays_ns(found)
            if before_ns:
                await asyncio.sleep(before_ns / NS)
            reply = self._box.execute(found, self._clock.now_ns())
            self._changed()
            if after_ns:
                await asyncio.sleep(after_ns / NS)
        return await hand_over(request, reply)

    def _changed(self) -> None:
        """Something happened out of turn: the pump looks again, the sockets send."""
        self._kick.set()
        self.sockets.wake()


async def serve(
    options: BoxOptions,
    ready: Callable[[int], None],
    stop: asyncio.Event,
    spill: Callable[[bytes], object] | None = None,
) -> None:
    """Run a box until `stop` is set; `ready` gets the port once it listens."""
    clock = Clock()
    box = Box(options, clock.now_ns())
    if spill is not None:
        box.truth.spill_to(spill)
    with archived(box.exchange):
        await _listen(box, clock, ready, stop)


async def _listen(
    box: Box, clock: Clock, ready: Callable[[int], None], stop: asyncio.Event
) -> None:
    options = box.options
    limits = options.http
    shell = Shell(box, clock, limits)
    guards = Guards(limits)
    app = web.Application(client_max_size=limits.body_bytes_max, middlewares=[guards.middleware()])
    app.router.add_get("/app/{key}", shell.sockets.serve)
    app.router.add_route("*", "/{path:.*}", shell.http)
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=http_log(),
        shutdown_timeout=CLOSE_TIMEOUT_S,
        keepalive_timeout=limits.keepalive_timeout_s,
        lingering_time=limits.lingering_s,
    )
    await runner.setup()
    try:
        assert runner.server is not None
        listening, port = await guards.listen(runner.server, options.host, options.port)
        box.ws_host = f"{options.host}:{port}"
        try:
            async with asyncio.TaskGroup() as group:
                pump = group.create_task(shell.pump())
                ready(port)
                await stop.wait()
                pump.cancel()
        finally:
            listening.close()
    finally:
        box.hub.close_all(Close(1001, "box stops"))
        shell.sockets.wake()
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
    parser.add_argument("--profile", type=Path, help="what `mmbot probe` measured")
    parser.add_argument("--list-scenarios", action="store_true", help="names, one a line")
    parser.add_argument("--speed", type=float, help="the market lives so many times faster")
    parser.add_argument("--data", dest="data_dir", help="folder with odds of your own")
    parser.add_argument("--latency", dest="latency_profile", choices=("loopback", "venue"))
    parser.add_argument("--record", dest="record_file", help="write the record here at the end")
    parser.add_argument("--truth", dest="truth_file", help="write every line of the truth here")
    parser.add_argument("--control-token", help="what steering must show; else one is made")
    parser.add_argument("--list-faults", action="store_true", help="each fault and who makes it")
    parser.add_argument("--access-key")
    parser.add_argument("--secret-key")
    given = parser.parse_args(argv)
    options = BoxOptions()
    if environ.get("MMBOT_ACCESS_KEY"):
        options = dataclasses.replace(options, access_key=environ["MMBOT_ACCESS_KEY"])
    if environ.get("MMBOT_SECRET_KEY"):
        options = dataclasses.replace(options, secret_key=environ["MMBOT_SECRET_KEY"])
    if environ.get("MMBOT_CONTROL_TOKEN"):
        options = dataclasses.replace(options, control_token=environ["MMBOT_CONTROL_TOKEN"])
    if given.scenario is not None:
        options = load_scenario(given.scenario, options)
    if given.profile is not None:
        options = load_profile(given.profile, options)
    apart = {"scenario", "profile", "list_scenarios", "list_faults"}
    flags = {k: v for k, v in vars(given).items() if v is not None and k not in apart}
    options = overlay(options, flags)
    for what, path in (("record", options.record_file), ("truth", options.truth_file)):
        if path and not Path(path).absolute().parent.is_dir():
            raise ScenarioError(f"{what} {path}: no such folder")
    return options


def main(argv: list[str]) -> int:
    """Run the box from the command line; 0 stopped, 1 record not written, 2 wrong set-up."""
    if "--list-scenarios" in argv:
        for name, what in shipped_scenarios():
            print(f"{name:16} {what}")
        return 0
    if "--list-faults" in argv:
        print(fault_table.text())
        return 0
    try:
        options = options_from(argv, dict(os.environ))
    except ScenarioError as error:
        return _failed(str(error), 2)
    try:
        with contextlib.ExitStack() as files:
            spill = None
            if options.truth_file:
                spill = files.enter_context(Path(options.truth_file).open("wb")).write
            asyncio.run(_run(options, spill))
    except DataError as error:
        return _failed(str(error), 2)
    except ScenarioError as error:
        return _failed(f"scenario {options.scenario}: {error}", 2)
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


async def _run(options: BoxOptions, spill: Callable[[bytes], object] | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)

    if not is_loopback(options.host):
        text = f"{options.host} is not loopback: whoever reaches this machine can trade here"
        print(f"mmbot exchange: {text}; steering stays with this machine", file=sys.stderr)
    token = options.control_token or secrets.token_hex(CONTROL_TOKEN_BYTES)

    def ready(port: int) -> None:
        base_url = f"http://{options.host}:{port}/partner"
        said = {"ready": True, "port": port, "base_url": base_url, "control_token": token}
        print(json.dumps(said), flush=True)

    await serve(dataclasses.replace(options, control_token=token), ready, stop, spill)
