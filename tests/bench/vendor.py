"""The vendor-style stack, in the manner of the public demo: threads, `pysher`, `requests`.

    published   one connection per order (`requests.post`), pysher as it comes
    repaired    one requests.Session, and websocket-client without its UTF-8 check in pure Python

Both decode with json and base64, keep a book, and decide by the same rule as the bench's strategy
of the daemon. Neither writes anything down before it orders. The demo itself only prints in its
callback; ordering there is its natural extension.
"""

from __future__ import annotations

import argparse
import base64
import json
import threading
from typing import Any, Final
from urllib.parse import urlsplit

import pysher
import requests

from tests.bench.rule import QUANTITY_USD, Maker

TIMEOUT_S: Final = 12.0


class VendorStack:
    """One process, one account: log in, register, subscribe, then trade in the callback."""

    def __init__(self, base_url: str, form: str) -> None:
        self._base_url = base_url
        self._form = form
        self._session = requests.Session() if form == "repaired" else None
        login = {"access_key": form, "secret_key": "bench"}
        self._token = self._post("/auth/login", login)["data"]["access_token"]
        self._maker = Maker.on(self._get("/v4/mm/get_price_ladder")["data"])
        self._pusher: Any = None

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _get(self, path: str) -> Any:
        reply = requests.get(self._base_url + path, headers=self._headers(), timeout=TIMEOUT_S)
        return reply.json()

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        headers = {"Content-Type": "application/json"}
        if path != "/auth/login":
            headers |= self._headers()
        send = self._session.post if self._session is not None else requests.post
        reply = send(self._base_url + path, headers=headers, json=body, timeout=TIMEOUT_S)
        reply.raise_for_status()
        return reply.json()

    def connect(self) -> None:
        config = self._get("/websocket/connection-config")
        address = urlsplit(f"ws://{config['ws_host']}")
        self._pusher = pysher.Pusher(
            config["key"], secure=False, custom_host=address.hostname, port=address.port
        )
        if self._form == "repaired":
            self._pusher.connection.socket_kwargs["skip_utf8_validation"] = True
        self._pusher.connection.bind("pusher:connection_established", self._established)
        self._pusher.connect()

    def _established(self, _data: str) -> None:
        body = {
            "socket_id": self._pusher.connection.socket_id,
            "service": "pusher",
            "subscriptions": [{"type": "event", "ids": ["10079123"]}],
        }
        answer = self._post("/v4/mm/websocket", body)["data"]
        self._pusher.connection.send_event("pusher:signin", answer["authenticated"])
        for one in answer["authorized_channel"]:
            channel = self._pusher.subscribe(one["channel_name"], auth=one["auth"])
            for binding in one["binding_events"]:
                if binding["name"] == "market_selections":
                    channel.bind(binding["name"], self._on_book)
                elif binding["name"] == "orders":
                    channel.bind(binding["name"], self._on_order)

    def _on_book(self, data: str) -> None:
        payload = json.loads(base64.b64decode(json.loads(data)["payload"]))
        info = payload["info"]
        maker, selections = self._maker, info["selections"]
        maker.book[payload["market_id"], info["strike"]] = selections
        strike = selections[0][0]["strike_id"]
        price, live = maker.wanted(selections), maker.live.get(strike)
        if price is not None and live is None and maker.allowed():
            self._place(strike, price)
        elif price is None and live is not None:
            self._cancel(strike, live)

    def _place(self, strike: str, price: int) -> None:
        maker = self._maker
        maker.orders += 1
        order = {
            "external_id": f"{self._form}-{maker.orders}",
            "strike_id": strike,
            "price": price,
            "quantity": QUANTITY_USD,
            "order_strategy": "ALO",
        }
        maker.live[strike] = self._post("/v4/mm/submit_order", order)["data"]["order"]
        maker.live_usd += QUANTITY_USD

    def _cancel(self, strike: str, live: dict[str, Any]) -> None:
        ids = {"external_id": live["external_id"], "order_id": live["order_id"]}
        self._post("/v4/mm/cancel_order", ids)
        self._maker.live.pop(strike, None)
        self._maker.live_usd -= QUANTITY_USD

    def _on_order(self, data: str) -> None:
        info = json.loads(base64.b64decode(json.loads(data)["payload"]))["info"]
        live = self._maker.live.get(info["strike_id"])
        if live is not None and live["order_id"] == info["order_id"]:
            live.update(info)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--form", choices=("published", "repaired"), required=True)
    options = parser.parse_args()
    VendorStack(options.base_url, options.form).connect()
    threading.Event().wait()  # until the bench ends this process


if __name__ == "__main__":
    main()
