"""Whatever is sent to the steering gets an answer, and the exchange goes on."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.sim.faults.plan import FaultRule
from mmbot.sim.faults.switches import Switches
from mmbot.sim.timeline.entries import ACTIONS
from tests.sim.builders import Client, a_box

ROUTES = ("do", "faults", "rules", "news", "event", "takers", "disconnect", "web_token")
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False),
    st.text(max_size=8),
)
FIELDS = sorted({name for kind in ACTIONS.values() for name in kind.__dataclass_fields__})
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
ACTION = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4).flatmap(
    lambda fields: st.sampled_from(sorted(ACTIONS)).map(lambda name: fields | {"action": name})
)
RULE = st.dictionaries(st.sampled_from(sorted(FaultRule.__dataclass_fields__)), VALUES, max_size=5)
SWITCHED = st.dictionaries(st.sampled_from(sorted(Switches().shown())), VALUES, max_size=4)
BODY = st.one_of(VALUES, ACTION, st.lists(RULE, max_size=3), SWITCHED)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ROUTES), BODY), min_size=1, max_size=4))
def test_every_body_gets_an_answer(asked: list[tuple[str, Any]]) -> None:
    client = Client(a_box())
    for name, body in asked:
        raw = json.dumps(body, allow_nan=False).encode() if finite(body) else b"{"
        reply = client.box.http("POST", f"/_box/{name}", {}, raw, client.now_ns)
        assert reply.status in {200, 400, 403, 404, 429}, (name, body, reply.body)
        json.loads(reply.body)
    client.call("DELETE", "/_box/faults")
    client.wait(0.01)
    assert client.call("GET", "/_box/whoami")[0] == 200


def finite(value: object) -> bool:
    return "Infinity" not in json.dumps(value)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_every_query_of_the_truth_gets_an_answer(since: str, account: str, limit: str) -> None:
    path = f"/_box/truth?since={since}&account={account}&limit={limit}&kind={account}"
    assert BOX.box.http("GET", path, {}, b"", BOX.now_ns).status in {200, 400}


BOX = Client(a_box())
