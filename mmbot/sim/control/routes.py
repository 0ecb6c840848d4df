"""`/_box/...`: looking at the box and steering it; neither exchange requests nor counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from mmbot.sim.core.messages import Json
from mmbot.sim.core.orders import Refusal
from mmbot.sim.faults.plan import FaultRule
from mmbot.sim.faults.table import table
from mmbot.sim.http.replies import NOT_FOUND, Answer, Reply
from mmbot.sim.http.requests import integer
from mmbot.sim.rules import FIXED_AT_BIRTH
from mmbot.sim.stream.frames import Close
from mmbot.sim.tables import ScenarioError, all_built, overlay
from mmbot.sim.timeline.entries import read_action
from mmbot.sim.unknowns import UNKNOWNS
from mmbot.sim.witness.truth import PAGE_LINES, PAGE_LINES_MAX

if TYPE_CHECKING:
    from mmbot.sim.box import Box

PREFIX: Final = "/_box/"
VERSION: Final = "0.1.0"
Query = dict[str, str]


class Steering:
    """One table for what may be looked at, one for what may be moved."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._looks: dict[str, Callable[[Query, int], Answer | Reply]] = {
            "whoami": self._whoami,
            "state": self._state,
            "record": self._record,
            "faults": self._faults,
            "fault_table": self._fault_table,
            "unknowns": self._unknowns,
            "rules": self._rules,
            "truth": self._truth,
            "truth/totals": self._totals,
        }
        self._moves: dict[str, Callable[[object, int], Answer]] = {
            "do": self._do,
            "faults": self._set_faults,
            "rules": self._change_rules,
            "news": self._news,
            "event": box.control.event,
            "takers": box.control.takers,
            "stop_mark": self._stop_mark,
            "settle": self._settle,
            "disconnect": self._disconnect,
            "web_token": self._web_token,
        }

    def routes(self) -> list[tuple[str, str]]:
        """What there is, for documents and their tests."""
        looks = [("GET", name) for name in self._looks]
        return looks + [("POST", name) for name in self._moves]

    def look(self, name: str, query: Query, now_ns: int) -> Answer | Reply:
        found = self._looks.get(name)
        return NOT_FOUND if found is None else found(query, now_ns)

    def move(self, method: str, name: str, asked: object, now_ns: int) -> Answer:
        if method == "DELETE" and name == "faults":
            self._box.faults.clear()
            self._box.switches.reset()
            return self._shown(now_ns)
        found = self._moves.get(name) if method == "POST" else None
        if found is None:
            return NOT_FOUND
        try:
            return found(asked, now_ns)
        except ScenarioError as error:
            return Refusal(400, "invalid_param", str(error))

    # -- looking --------------------------------------------------------------------------

    def _whoami(self, query: Query, now_ns: int) -> Json:
        return {
            "box": "mmbot exchange",
            "version": VERSION,
            "seed": self._box.options.seed,
            "latency_profile": self._box.options.latency_profile,
        }

    def _state(self, query: Query, now_ns: int) -> Json:
        box = self._box
        head: Json = {
            "seed": box.options.seed,
            "latency_profile": box.options.latency_profile,
            "started_ns": box.started_ns,
        }
        return head | box.control.state(now_ns, box.started_ns)

    def _record(self, query: Query, now_ns: int) -> Answer:
        box = self._box
        account = box.sessions.by_key(query.get("account", box.maker.access_key))
        if account is None:
            return Refusal(404, "data_not_found", "no such account")
        summary = box.record.summary(account, now_ns)
        return {"latency_profile": box.options.latency_profile} | summary

    def _faults(self, query: Query, now_ns: int) -> Json:
        return self._shown(now_ns)

    def _fault_table(self, query: Query, now_ns: int) -> Json:
        return {"faults": table()}

    def _unknowns(self, query: Query, now_ns: int) -> Json:
        return {"unknowns": [dataclasses.asdict(one) for one in UNKNOWNS]}

    def _rules(self, query: Query, now_ns: int) -> Json:
        options = self._box.options
        names = ("rules", "session", "wire", "stream")
        return {name: dataclasses.asdict(getattr(options, name)) for name in names}

    def _truth(self, query: Query, now_ns: int) -> Answer | Reply:
        """JSON lines; the header says the number to ask for next."""
        since = integer(query.get("since", "0"))
        limit = integer(query.get("limit", str(PAGE_LINES)))
        if since is None or limit is None or since < 0 or not 1 <= limit <= PAGE_LINES_MAX:
            return Refusal(400, "invalid_param", f"since >= 0, limit from 1 to {PAGE_LINES_MAX}")
        account = query.get("account", "")
        lines, following = self._box.truth.page(since, account, query.get("kind", ""), limit)
        headers = {"Content-Type": "application/x-ndjson", "X-Truth-Next": str(following)}
        return Reply(200, headers, b"".join(line + b"\n" for line in lines))

    def _totals(self, query: Query, now_ns: int) -> Json:
        return self._box.truth.totals()

    # -- moving ---------------------------------------------------------------------------

    def _do(self, asked: object, now_ns: int) -> Answer:
        """Any action of a timeline, now."""
        return self._box.moves.perform(read_action(asked, "action"), now_ns)

    def _set_faults(self, asked: object, now_ns: int) -> Answer:
        """A list of rules is switched on too; an object sets switches by name."""
        if isinstance(asked, list):
            self._box.faults.add(all_built(FaultRule, asked, "faults"), now_ns)
            return self._shown(now_ns)
        return self._box.switches.set_all(asked) or self._shown(now_ns)

    def _shown(self, now_ns: int) -> Json:
        return {"switches": self._box.switches.shown()} | self._box.faults.shown(now_ns)

    def _change_rules(self, asked: object, now_ns: int) -> Answer:
        """`{"session": {"access_life_s": 30}}`: rules as in a scenario, from now on."""
        box = self._box
        names = ("rules", "session", "wire", "stream")
        if not isinstance(asked, dict) or not asked or set(asked) - set(names):
            return Refusal(400, "invalid_param", f"an object of {', '.join(names)} is expected")
        wanted = overlay(box.options, asked)
        for name in FIXED_AT_BIRTH:
            value = attrgetter(name)
            if value(wanted) != value(box.options):
                return Refusal(400, "invalid_param", f"{name} is fixed at birth: use a scenario")
        box.change_rules(wanted)
        return self._rules({}, now_ns)

    def _news(self, asked: object, now_ns: int) -> Answer:
        return self._box.control.news(asked, now_ns, self._box.options.drift.news_logit)

    def _stop_mark(self, asked: object, now_ns: int) -> Answer:
        return self._box.control.stop_mark(now_ns)

    def _settle(self, asked: object, now_ns: int) -> Answer:
        return self._box.control.settle(now_ns)

    def _web_token(self, asked: object, now_ns: int) -> Answer:
        """What the owner of an account would copy from the browser, to make key pairs with."""
        key = asked.get("access_key") if isinstance(asked, dict) else None
        account = self._box.sessions.by_key(str(key))
        if account is None:
            return Refusal(404, "data_not_found", "no such account")
        return {"web_token": self._box.sessions.web_token(account)}

    def _disconnect(self, asked: object, now_ns: int) -> Answer:
        code = integer(asked.get("code", 4200)) if isinstance(asked, dict) else 4200
        if code is None or not (3000 <= code < 5000 or code == 1006):
            return Refusal(400, "invalid_param", "code must be 1006 or a close code from 3000 on")
        self._box.hub.close_all(Close(code, "closed by the box"))
        return {"code": code}
