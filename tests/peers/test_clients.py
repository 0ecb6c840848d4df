"""Clients of other people connect, authorise a private channel, and receive events."""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import json
import logging
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from tests.peers.running import HEARD_TIMEOUT_S, Heard, RunningBox, running_box

HERE: Final = Path(__file__).resolve().parent
NODE_MODULES: Final = Path(os.environ.get("PEERS_NODE", "missing")) / "node_modules"
PROTOCOLS: Final = ("mm/pusher", "v4/mm/websocket")


@pytest.fixture(scope="module")
def box() -> Iterator[RunningBox]:
    with running_box() as found:
        yield found


def needs(module: str) -> None:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is missing: `make peers` installs tests/peers.lock")


def registered(box: RunningBox, route: str, socket_id: str) -> list[Any]:
    """The channels of a socket by either model."""
    if route == "mm/pusher":
        body: dict[str, Any] = {"socket_id": socket_id}
    else:
        body = {"socket_id": socket_id, "service": "pusher", "subscriptions": []}
    channels: list[Any] = box.call("POST", f"/{route}", body)["data"]["authorized_channel"]
    return channels


def external_id(data: Any) -> str:
    """Of an order message, whatever form its data has."""
    body = json.loads(data) if isinstance(data, str) else data
    info = json.loads(base64.b64decode(body["payload"])).get("info", {})
    return str(info.get("external_id", ""))


@pytest.mark.parametrize("route", PROTOCOLS)
def test_pysher(box: RunningBox, route: str) -> None:
    needs("pysher")
    import pysher

    heard, logger = Heard(), logging.getLogger("pysher")
    logger.setLevel(logging.CRITICAL)
    host, port = box.address
    client = pysher.Pusher(
        box.key, secure=False, custom_host=host, port=port, log_level=logging.CRITICAL
    )

    def connected(_data: str) -> None:
        for one in registered(box, route, client.connection.socket_id):
            channel = client.subscribe(one["channel_name"], auth=one["auth"])
            channel.bind(
                "pusher_internal:subscription_succeeded", lambda _: heard.add({"subscribed": 1})
            )
            for event in one["binding_events"]:
                name = event["name"]
                channel.bind(name, lambda data, name=name: heard.add({name: data}))

    client.connection.bind("pusher:connection_established", connected)
    client.connection.bind("pusher:pong", lambda _: heard.add({"pong": 1}))
    client.connect()
    try:
        heard.until(lambda fact: "pong" in fact)  # it pings at once, with data ""
        heard.until(lambda fact: "health_check" in fact)
        placed = box.place()
        event = "wagers" if route == "mm/pusher" else "orders"
        heard.until(lambda fact: event in fact and external_id(fact[event]) == placed)
    finally:
        client.disconnect(5)


def test_pysher_with_its_own_request_for_the_auth(box: RunningBox) -> None:
    needs("pysher")
    import pysher

    heard = Heard()
    host, port = box.address
    client = pysher.Pusher(
        box.key,
        secure=False,
        custom_host=host,
        port=port,
        auth_endpoint=f"{box.base_url}/mm/pusher",
        auth_endpoint_headers={"Authorization": f"Bearer {box.token}"},
        log_level=logging.CRITICAL,
    )

    def connected(_data: str) -> None:
        for one in registered(box, "mm/pusher", client.connection.socket_id):
            channel = client.subscribe(one["channel_name"])
            channel.bind("health_check", lambda data: heard.add({"health_check": data}))

    client.connection.bind("pusher:connection_established", connected)
    client.connect()
    try:
        heard.until(lambda fact: "health_check" in fact)
    finally:
        client.disconnect(5)


@pytest.mark.asyncio(loop_factories=["asyncio"])
async def test_asyncpusher(box: RunningBox) -> None:
    needs("asyncpusher")
    from asyncpusher.pusher import Pusher

    heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
    host, port = box.address
    async with aiohttp.ClientSession() as session:

        async def authorise(asked: dict[str, str]) -> Any:
            # a library's own callback: the form of `socket_id` and `channel_name`
            async with session.post(
                f"{box.base_url}/mm/pusher",
                data=asked,
                headers={"Authorization": f"Bearer {box.token}"},
            ) as answer:
                return await answer.json()

        loop = asyncio.get_running_loop()
        client = Pusher(
            box.key,
            custom_host=host,
            custom_port=port,
            secure=False,
            channel_authenticator=authorise,
            loop=loop,
        )
        async with asyncio.timeout(HEARD_TIMEOUT_S):
            await client.connect()
            socket_id = client.connection.socket_id
            channels = await asyncio.to_thread(registered, box, "mm/pusher", socket_id)
            channel = await client.subscribe(channels[1]["channel_name"])

            async def on_event(data: Any, name: str) -> None:
                heard.put_nowait((name, data))

            for name in ("wagers", "health_check"):
                channel.bind(name, on_event, name)
            seen = {(await heard.get())[0]}
            placed = await asyncio.to_thread(box.place)
            while True:
                name, data = await heard.get()
                seen.add(name)
                if name == "wagers" and external_id(data) == placed:
                    break
            assert seen == {"wagers", "health_check"}
            await client.disconnect()


@pytest.fixture
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is missing: install Node 20 (Debian: apt install nodejs npm)")
    if not (NODE_MODULES / "pusher-js").is_dir():
        pytest.skip("pusher-js is missing: `make peers` installs tests/peers/package.json")
    return found


def test_pusher_js(box: RunningBox, node: str) -> None:
    heard, host_port = Heard(), box.address
    main, private = (one["channel_name"] for one in registered(box, "mm/pusher", "1.1"))
    event_id = box.call("GET", "/mm/get_sport_events")["data"]["sport_events"][0]["event_id"]
    books = f"private-broadcast-service=6-device_type=5-event={event_id}"
    stolen = private[:-4] + "0000"
    given = {
        "module": str((NODE_MODULES / "pusher-js").resolve()),
        "key": box.key,
        "host": host_port[0],
        "port": host_port[1],
        "token": box.token,
        "endpoint": f"{box.base_url}/mm/pusher",
        "channels": {
            main: ["general"],
            private: ["wagers", "health_check"],
            books: ["market_selections"],
            stolen: [],
        },
    }
    with subprocess.Popen(
        [node, str(HERE / "listen.cjs"), json.dumps(given)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        lines = process.stdout
        assert lines is not None

        def read() -> None:
            for line in lines:
                heard.add(json.loads(line))

        reader = threading.Thread(target=read)
        reader.start()
        try:
            heard.until(lambda fact: fact.get("subscribed") == main)
            heard.until(lambda fact: fact.get("subscribed") == private)
            heard.until(lambda fact: fact.get("subscribed") == books)
            heard.until(lambda fact: fact == {"refused": stolen, "status": 403})
            heard.until(lambda fact: fact.get("event") == "health_check")
            heard.until(lambda fact: fact.get("event") == "market_selections")
            placed = box.place()
            heard.until(
                lambda fact: fact.get("event") == "wagers" and external_id(fact["data"]) == placed
            )
        finally:
            process.stdin.close()
            assert process.wait(10) == 0
            reader.join()
