"""Who may come in: answers log-in, refresh and key pairs, checks tokens and rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from mmbot.sim.core.orders import Account, Refusal
from mmbot.sim.dialects.errors import refusal
from mmbot.sim.dialects.table import SUBMITS, Route
from mmbot.sim.http.arrival import Arrival
from mmbot.sim.http.replies import Answer, Reply, bad_gateway, rate_limited, reply
from mmbot.sim.http.requests import INVALID_BODY
from mmbot.sim.http.sessions import UNAUTHORIZED

if TYPE_CHECKING:
    from mmbot.sim.box import Box

LOGIN_FIELDS: Final = ("access_key", "secret_key")
REFRESH_FIELDS: Final = ("refresh_token",)


class Door:
    """Counts everybody who knocks with a known token, let in or not."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def authenticate(
        self, route: Route, headers: Mapping[str, str], body: object, now_ns: int
    ) -> Reply:
        """The three routes without an access token."""
        if route.operation == "new_keys":
            found = self._box.sessions.new_keys(headers.get("authorization", ""))
            return self._answered(found, now_ns)
        names = REFRESH_FIELDS if route.operation == "refresh" else LOGIN_FIELDS
        fields = body if isinstance(body, dict) else {}
        texts = [fields.get(name) for name in names]
        if not all(isinstance(text, str) for text in texts):
            return self._answered(INVALID_BODY, now_ns)
        if route.operation == "refresh":
            return self._refresh(str(texts[0]), now_ns)
        return self._login(route, str(texts[0]), str(texts[1]), now_ns)

    def refused(self, arrival: Arrival, now_ns: int, *, valid: bool) -> Reply | None:
        """The answer at the door when the request may not come in."""
        box, switches = self._box, self._box.switches
        box.record.arrived(arrival.account, now_ns)
        over = box.sessions.admit(arrival.account, now_ns)
        if switches.rate_limited_all:
            over = refusal("rate_limit_reached")
        if switches.unavailable_502:
            return bad_gateway()
        if over is not None:
            next_ns = box.sessions.next_allowed_ns(arrival.account, now_ns)
            hint_s = switches.retry_after_s
            return rate_limited(over, next_ns, now_ns, box.options, hint_s)
        if switches.unauthorized_all or not valid:
            return reply(UNAUTHORIZED, now_ns, form=box.options.wire.error_form)
        if arrival.operation in SUBMITS and switches.place_request_lost:
            return Reply(0, {}, b"", lost=True)
        return None

    def _login(self, route: Route, access_key: str, secret_key: str, now_ns: int) -> Reply:
        box = self._box
        account = box.sessions.by_key(access_key)
        if account is not None:
            box.record.arrived(account, now_ns)
        found = box.sessions.login(access_key, secret_key, now_ns)
        if box.switches.refuse_login:
            found = UNAUTHORIZED
        done = self._answered(found, now_ns)
        self._note(account, route, done.status)
        return done

    def _refresh(self, refresh_token: str, now_ns: int) -> Reply:
        found = self._box.sessions.refresh(refresh_token, now_ns)
        if self._box.switches.refuse_refresh:
            found = UNAUTHORIZED
        return self._answered(found, now_ns)

    def _answered(self, found: dict[str, object] | Refusal, now_ns: int) -> Reply:
        wire = self._box.options.wire
        wrapped = wire.login_form == "wrapped" and not isinstance(found, Refusal)
        answer: Answer = {"data": found} if wrapped else found
        return reply(answer, now_ns, form=wire.error_form)

    def _note(self, account: Account | None, route: Route, status: int) -> None:
        if account is not None:
            self._box.record.request(account, f"{route.method} {route.path}", status)
