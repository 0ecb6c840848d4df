"""The two ports in memory behave like the sockets they stand for."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from mmbot.sim.memory import InMemoryBox, SocketClosed
from mmbot.sim.scenario import BoxOptions, TakerOptions


async def _call(box: InMemoryBox, method: str, path: str, body: object, token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    raw = json.dumps(body).encode() if body is not None else b""
    status, _, answer = await box.http_request(method, path, headers, raw)
    assert status == 200, answer
    return json.loads(answer)


async def test_an_order_is_placed_and_its_message_heard() -> None:
    box = InMemoryBox(BoxOptions(takers=TakerOptions(on=False)))
    options = box.box.options
    keys = {"access_key": options.access_key, "secret_key": options.secret_key}
    token = (await _call(box, "POST", "/partner/auth/login", keys))["data"]["access_token"]
    config = await _call(box, "GET", "/partner/websocket/connection-config", None, token)
    url = f"ws://{config['ws_host']}/app/{config['key']}?protocol=7"
    socket = await box.ws_connect(url)
    hello = json.loads(await socket.recv())
    socket_id = json.loads(hello["data"])["socket_id"]
    wish = {"socket_id": socket_id, "subscriptions": []}
    answer = await _call(box, "POST", "/partner/v4/mm/websocket", wish, token)
    private = answer["data"]["authorized_channel"][1]
    data = {"channel": private["channel_name"], "auth": private["auth"]}
    await socket.send(json.dumps({"event": "pusher:subscribe", "data": data}))
    assert "subscription_succeeded" in await socket.recv()
    strike_id = next(iter(box.box.exchange.listing.strikes))
    order = {"external_id": "a-1", "strike_id": strike_id, "price": 900, "quantity": 5.0}
    await _call(box, "POST", "/partner/v4/mm/submit_order", order, token)
    async with asyncio.timeout(2):
        frame = json.loads(await socket.recv())
    assert frame["event"] == "orders"
    await socket.close()
    with pytest.raises(SocketClosed):
        await socket.recv()
    with pytest.raises(ConnectionError):
        await socket.send("{}")
    box.stop()


async def test_a_close_by_the_box_carries_its_code() -> None:
    box = InMemoryBox(BoxOptions())
    wrong = await box.ws_connect("ws://127.0.0.1/app/other?protocol=7")
    assert "pusher:error" in await wrong.recv()
    with pytest.raises(ConnectionError) as caught:
        await wrong.recv()
    assert getattr(caught.value, "code", None) == 4001
    socket = await box.ws_connect(f"ws://127.0.0.1/app/{box.box.hub.app.key}?protocol=7")
    await socket.recv()
    await _call(box, "POST", "/_box/disconnect", {"code": 4200})
    assert '"code":4200' in await socket.recv()
    with pytest.raises(SocketClosed) as closed:
        await socket.recv()
    assert closed.value.code == 4200
    box.stop()


async def test_a_lost_reply_leaves_the_order_at_the_box() -> None:
    # faults: A1
    box = InMemoryBox(BoxOptions())
    options = box.box.options
    keys = {"access_key": options.access_key, "secret_key": options.secret_key}
    token = (await _call(box, "POST", "/partner/auth/login", keys))["data"]["access_token"]
    strike_id = next(iter(box.box.exchange.listing.strikes))
    order = {"external_id": "a-1", "strike_id": strike_id, "price": 900, "quantity": 5.0}
    await _call(box, "POST", "/_box/faults", {"place_reply_lost": True})
    with pytest.raises(ConnectionResetError):
        await _call(box, "POST", "/partner/v4/mm/submit_order", order, token)
    assert [one.request.external_id for one in box.box.maker.orders] == ["a-1"]
    lost = {"place_reply_lost": False, "place_request_lost": True}
    await _call(box, "POST", "/_box/faults", lost)
    with pytest.raises(ConnectionResetError):
        await _call(
            box, "POST", "/partner/v4/mm/submit_order", order | {"external_id": "a-2"}, token
        )
    assert [one.request.external_id for one in box.box.maker.orders] == ["a-1"]
    box.stop()
