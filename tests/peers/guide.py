"""A first bot in the style of the venue's guide: `requests` and `pysher`, threads, prints.

    python -m tests.peers.guide --dialect seed --seconds 60 --base-url http://127.0.0.1:PORT/partner

Log in, balance, ladder, seed, subscribe; then, until the time is over: place one, place a batch,
cancel one, cancel a batch, cancel all, refresh the token. Prints what it saw; exit code 1 when a
step failed or the stream did not tell of the bot's own orders. It knows nothing of mmbot.
"""

from __future__ import annotations

import argparse
import base64
import json
import logging
import os
import sys
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import pysher
import requests

TIMEOUT_S: Final = 12.0
ROUND_S: Final = 4.0
REFRESH_EVERY_ROUNDS: Final = 4
SUBSCRIBED_TIMEOUT_S: Final = 20.0
LAST_MESSAGES_S: Final = 3.0


class StepFailed(Exception):
    """A step of the guide did not work; the text says which and how."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """Paths and words of one generation of the guide."""

    ladder: str
    place: str
    place_batch: str
    cancel: str
    cancel_batch: str
    cancel_all: str
    noun: str
    strike_id: str
    price: str
    quantity: str

    def order_id(self, row: dict[str, Any]) -> str:
        found = row.get(f"{self.noun}_id") or row.get("id")
        if not found:
            raise StepFailed(f"an answer without an id: {row}")
        return str(found)


SEED: Final = Dialect(
    ladder="/mm/get_price_ladder",
    place="/mm/place_order",
    place_batch="/mm/place_batch_orders",
    cancel="/mm/cancel_order",
    cancel_batch="/mm/cancel_batch_orders",
    cancel_all="/mm/cancel_all_orders",  # as the guides of 2026 write it, without a version
    noun="order",
    strike_id="strike_id",
    price="price",
    quantity="quantity",
)
LEGACY: Final = Dialect(
    ladder="/mm/get_odds_ladder",
    place="/mm/place_wager",
    place_batch="/mm/place_multiple_wagers",
    cancel="/mm/cancel_wager",
    cancel_batch="/mm/cancel_multiple_wagers",
    cancel_all="/mm/cancel_all_wagers",
    noun="wager",
    strike_id="line_id",
    price="odds",
    quantity="stake",
)
DIALECTS: Final = {"seed": SEED, "legacy": LEGACY}


class Guide:
    """One account, one socket; `seen` counts everything it did and heard."""

    def __init__(self, base_url: str, dialect: Dialect, keys: tuple[str, str]) -> None:
        self._base_url = base_url
        self._dialect = dialect
        self._keys = keys
        self._session: dict[str, Any] = {}
        self._ladder: list[int] = []
        self._strikes: list[str] = []
        self._tournaments: list[dict[str, Any]] = []
        self._run_id = uuid.uuid4().hex[:8]
        self._sent: set[str] = set()
        self.told: dict[str, set[str]] = {}
        self.seen: Counter[str] = Counter()
        self._subscribed = threading.Event()

    # -- REST -----------------------------------------------------------------------------

    def _call(self, method: str, path: str, body: Any = None, **query: object) -> Any:
        headers = {"Authorization": f"Bearer {self._session['access_token']}"}
        answer = requests.request(
            method,
            self._base_url + path,
            headers=headers,
            json=body,
            params={key: str(value) for key, value in query.items()},
            timeout=TIMEOUT_S,
        )
        self.seen[path] += 1
        if answer.status_code != 200:
            raise StepFailed(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return answer.json()

    def log_in(self) -> None:
        # the demo sends JSON without saying that it is JSON
        body = json.dumps({"access_key": self._keys[0], "secret_key": self._keys[1]})
        answer = requests.post(self._base_url + "/auth/login", data=body, timeout=TIMEOUT_S)
        if answer.status_code != 200:
            raise StepFailed(f"log-in: {answer.status_code} {answer.text[:200]}")
        self._session = answer.json()["data"]
        self.seen["log-in"] += 1

    def refresh(self) -> None:
        body = {"refresh_token": self._session["refresh_token"]}
        self._session |= self._call("POST", "/auth/refresh", body)["data"]

    def balance(self) -> float:
        return float(self._call("GET", "/mm/get_balance")["data"]["balance"])

    def ladder(self) -> None:
        data = self._call("GET", self._dialect.ladder)["data"]
        self._ladder = data["odds"] if isinstance(data, dict) else data
        if not self._ladder or any(abs(one) < 100 for one in self._ladder):
            raise StepFailed("the ladder is not American")

    def seed(self) -> None:
        """Tournaments, their events, their markets: every strike one could quote."""
        tournaments = self._call("GET", "/mm/get_tournaments", has_active_events="true")
        self._tournaments = tournaments["data"]["tournaments"]
        for tournament in self._tournaments:
            found = self._call("GET", "/mm/get_sport_events", tournament_id=tournament["id"])
            events = found["data"]["sport_events"] or []
            if not events:
                continue
            ids = ",".join(str(event["event_id"]) for event in events)
            by_event = self._call("GET", "/mm/get_multiple_markets", event_ids=ids)["data"]
            for event in events:
                self._walk(by_event.get(str(event["event_id"])))
            self.seen["events"] += len(events)
        self._strikes = list(dict.fromkeys(self._strikes))
        self.seen["strikes"] = len(self._strikes)
        if not self._strikes:
            raise StepFailed("nothing to quote")

    def _walk(self, part: Any) -> None:
        """Strikes sit at any depth: in a market, in a strike of a market, flat or nested."""
        if isinstance(part, list):
            for one in part:
                self._walk(one)
        elif isinstance(part, dict):
            strike_id = part.get(self._dialect.strike_id)
            if strike_id and "outcome_id" in part:
                self._strikes.append(str(strike_id))
            for one in part.values():
                self._walk(one)

    # -- orders ---------------------------------------------------------------------------

    def _order(self, n: int) -> dict[str, Any]:
        """The longest price of the ladder: nobody takes it."""
        said = self._dialect
        external_id = f"guide-{self._run_id}-{len(self._sent)}"
        self._sent.add(external_id)
        return {
            "external_id": external_id,
            said.strike_id: self._strikes[n % len(self._strikes)],
            said.price: max(self._ladder),
            said.quantity: 1.0,
        }

    def _ids(self, row: dict[str, Any]) -> dict[str, str]:
        said = self._dialect
        return {"external_id": row["external_id"], f"{said.noun}_id": said.order_id(row)}

    def place_one(self, n: int) -> dict[str, str]:
        answer = self._call("POST", self._dialect.place, self._order(n))
        return self._ids(answer["data"][self._dialect.noun])

    def place_batch(self, n: int, size: int) -> list[dict[str, str]]:
        body = {"data": [self._order(n + i) for i in range(size)]}
        data = self._call("POST", self._dialect.place_batch, body)["data"]
        noun = self._dialect.noun
        failed = data[f"failed_{noun}s"] or []
        if failed:
            raise StepFailed(f"batch: {failed}")
        return [self._ids(row) for row in data[f"succeed_{noun}s"]]

    def cancel_one(self, ids: dict[str, str]) -> None:
        self._call("POST", self._dialect.cancel, ids)

    def cancel_batch(self, many: list[dict[str, str]]) -> None:
        rows = self._call("POST", self._dialect.cancel_batch, {"data": many})["data"]
        for row in rows:
            if not row.get("success"):
                raise StepFailed(f"batch cancel: {row}")

    def cancel_all(self) -> None:
        self._call("POST", self._dialect.cancel_all, {})

    # -- stream ---------------------------------------------------------------------------

    def subscribe(self) -> Any:
        config = self._call("GET", "/websocket/connection-config")
        address = urlsplit("//" + config["ws_host"])
        client = pysher.Pusher(
            config["key"],
            secure=False,  # on loopback; the venue wants TLS
            custom_host=address.hostname,
            port=address.port,
            log_level=logging.CRITICAL,
        )
        client.connection.bind("pusher:connection_established", lambda _: self._register(client))
        client.connect()
        if not self._subscribed.wait(SUBSCRIBED_TIMEOUT_S):
            raise StepFailed("no channel was opened")
        return client

    def _register(self, client: Any) -> None:
        ids = [one["id"] for one in self._tournaments]
        wish = json.dumps([{"type": "tournament", "ids": ids}])
        answer = requests.post(
            self._base_url + "/mm/pusher",
            data={"socket_id": client.connection.socket_id},
            headers={
                "Authorization": f"Bearer {self._session['access_token']}",
                "header-subscriptions": wish,
            },
            timeout=TIMEOUT_S,
        )
        self.seen["/mm/pusher"] += 1
        for one in answer.json()["data"]["authorized_channel"]:
            channel = client.subscribe(one["channel_name"], auth=one["auth"])
            channel.bind("pusher_internal:subscription_succeeded", self._opened)
            for event in one["binding_events"]:
                name = event["name"]
                channel.bind(name, lambda data, name=name: self._hear(name, data))

    def _opened(self, _data: str) -> None:
        self.seen["channels"] += 1
        if self.seen["channels"] >= 2:
            self._subscribed.set()

    def _hear(self, name: str, data: str) -> None:
        message = json.loads(data)
        payload = json.loads(base64.b64decode(message["payload"]))
        self.seen[f"heard {message['change_type']}"] += 1
        info = payload.get("info", {})
        if info.get("external_id"):
            self.told.setdefault(info["external_id"], set()).add(info["status"])

    # -- the whole ------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self.log_in()
        before = self.balance()
        self.ladder()
        self.seed()
        client = self.subscribe()
        try:
            pause, rounds = threading.Event(), 0
            while time.monotonic() < end - LAST_MESSAGES_S:
                self._round(rounds, pause)
                rounds += 1
                if rounds % REFRESH_EVERY_ROUNDS == 0:
                    self.refresh()
            pause.wait(LAST_MESSAGES_S)
        finally:
            client.disconnect(5)
        if self.balance() != before:
            raise StepFailed("money moved although nothing was filled")
        self._check(seconds)

    def _round(self, n: int, pause: threading.Event) -> None:
        one, batch = self.place_one(n), self.place_batch(n, 5)
        rest = self.place_batch(n + 5, 3)
        pause.wait(ROUND_S / 2)
        self.cancel_one(one)
        self.cancel_batch(batch)
        self.cancel_all()
        self.seen["orders"] += 1 + len(batch) + len(rest)
        pause.wait(ROUND_S / 2)

    def _check(self, seconds: float) -> None:
        """Every order was heard of twice: it opened, and it was cancelled."""
        silent = [
            one for one in self._sent if not {"open", "canceled"} <= self.told.get(one, set())
        ]
        if silent:
            raise StepFailed(f"{len(silent)} of {len(self._sent)} orders not told: {silent[:3]}")
        if self.seen["heard private_system_signal"] < seconds / 5 - 3:
            raise StepFailed("health_check is missing")
        if not self.seen["heard market_selections"]:
            raise StepFailed("no book was heard")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="guide", description=__doc__)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--dialect", choices=sorted(DIALECTS), default="seed")
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args(argv)
    host = urlsplit(given.base_url).hostname or ""
    if ".prophetx.co" in host:
        print("this script is for a box or the sandbox", file=sys.stderr)
        return 2
    keys = os.environ["MMBOT_ACCESS_KEY"], os.environ["MMBOT_SECRET_KEY"]
    guide = Guide(given.base_url, DIALECTS[given.dialect], keys)
    failure = ""
    try:
        guide.run(given.seconds)
    except (StepFailed, requests.RequestException, KeyError, TypeError, ValueError) as error:
        failure = f"{type(error).__name__}: {error}"
    print(json.dumps({"dialect": given.dialect, "failed": failure, **dict(guide.seen)}, indent=1))
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main())
