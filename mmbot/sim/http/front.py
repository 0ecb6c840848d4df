"""The front door of the box: what comes in and goes out is written down, steering is guarded."""

from __future__ import annotations

import dataclasses
import hmac
from collections.abc import Mapping

from mmbot.sim.control.routes import PREFIX, Steering
from mmbot.sim.core.orders import Refusal
from mmbot.sim.faults.mishaps import Mishaps, access_keys
from mmbot.sim.http.arrival import Arrival
from mmbot.sim.http.replies import Reply, reply
from mmbot.sim.http.requests import body_of, query_of
from mmbot.sim.http.sessions import Sessions
from mmbot.sim.witness.truth import Truth

TOKEN_HEADER = "x-box-token"
NO_TOKEN = Refusal(403, "control_token", "X-Box-Token is missing or wrong")


class Front:
    """Requests of clients go to the exchange behind it, those to `/_box/` to the steering."""

    def __init__(
        self, door: Mishaps, steering: Steering, truth: Truth, sessions: Sessions, token: str
    ) -> None:
        self._door = door
        self._steering = steering
        self._truth = truth
        self._sessions = sessions
        self._token = token.encode()

    def arrive(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, now_ns: int
    ) -> Arrival | Reply:
        if path.startswith(PREFIX):
            return self._steer(method, path, headers, body, now_ns)
        found = self._door.arrive(method, path, headers, body, now_ns)
        if path.startswith("/_"):
            return found
        if isinstance(found, Reply):
            name = self._name(headers, body, now_ns)
            number = self._truth.request(name, method, path, body, now_ns)
            self._truth.answer(name, number, found.status, _fate(found), now_ns)
            return found
        number = self._truth.request(found.account.name, method, path, body, now_ns)
        return dataclasses.replace(found, number=number)

    def execute(self, arrival: Arrival, now_ns: int) -> Reply:
        done = self._door.execute(arrival, now_ns)
        account = arrival.account.name
        self._truth.answer(account, arrival.number, done.status, _fate(done), now_ns)
        return done

    def _name(self, headers: Mapping[str, str], body: bytes, now_ns: int) -> str:
        """Whose request it is: by its token, or by the key that a log-in names."""
        owner, _ = self._sessions.owner(_header(headers, "authorization"), now_ns)
        for key in access_keys(body):
            owner = owner or self._sessions.by_key(key)
        return owner.name if owner is not None else ""

    def _steer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, now_ns: int
    ) -> Reply:
        place, _, query_text = path.partition("?")
        name = place.removeprefix(PREFIX)
        if method in ("GET", "HEAD"):
            found = self._steering.look(name, query_of(query_text), now_ns)
            return found if isinstance(found, Reply) else reply(found, now_ns)
        given = _header(headers, TOKEN_HEADER).encode("utf-8", "replace")
        if self._token and not hmac.compare_digest(given, self._token):
            return reply(NO_TOKEN, now_ns)
        asked = body_of(body, "", form=False)
        if isinstance(asked, Refusal):
            return reply(asked, now_ns)
        self._truth.steered(f"{method} {name}", asked, now_ns)
        return reply(self._steering.move(method, name, asked, now_ns), now_ns)


def _header(headers: Mapping[str, str], wanted: str) -> str:
    return next((value for name, value in headers.items() if name.lower() == wanted), "")


def _fate(done: Reply) -> str:
    """How an answer fails to reach the client."""
    if done.hang:
        return "hangs"
    return "lost" if done.lost else ""
