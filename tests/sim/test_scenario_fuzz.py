"""No table, however odd, gets past the reader with anything but one clear error."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any, get_type_hints

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmbot.sim.box import Box
from mmbot.sim.market.options import EventOptions
from mmbot.sim.scenario import BoxOptions, with_table
from mmbot.sim.tables import ScenarioError
from mmbot.sim.timeline.entries import ACTIONS, read_action
from tests.sim.builders import START_NS, Client, a_box


def _names(kind: Any) -> set[str]:
    """All keys of the options and of the tables in them."""
    found = set()
    for one in dataclasses.fields(kind):
        found.add(one.name)
        inner = get_type_hints(kind).get(one.name)
        if dataclasses.is_dataclass(inner):
            found |= _names(inner)
    return found


KEYS = sorted(_names(BoxOptions) | {"action", "at_s", "event", "rules", "set", "style", "fault"})
A_KEY = st.integers(0, len(KEYS) - 1).map(KEYS.__getitem__)
PLAIN = st.one_of(
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=True),
    st.text(max_size=8),
    st.sampled_from([*ACTIONS, "venue", "ladder", "slow"]),
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(A_KEY | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
TABLES = st.dictionaries(A_KEY, VALUES, max_size=5)


@settings(max_examples=150, deadline=None)
@given(TABLES)
def test_a_table_is_taken_or_refused(table: dict[str, Any]) -> None:
    with contextlib.suppress(ScenarioError):
        assert isinstance(with_table(BoxOptions(), table), BoxOptions)


FIELDS = {name: dataclasses.fields(kind) for name, kind in ACTIONS.items()}


@st.composite
def _rows(draw: st.DrawFn) -> dict[str, Any]:
    """Rows whose keys fit their action and whose values may or may not."""
    name = draw(st.sampled_from(sorted(ACTIONS)))
    likely = st.one_of(
        st.integers(0, 5), st.booleans(), st.sampled_from(["", "maker", "total"]), VALUES
    )
    row = {one.name: draw(likely) for one in FIELDS[name] if draw(st.booleans())}
    return row | {"action": name}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(_rows(), max_size=12))
def test_any_row_of_actions_is_done_or_refused(rows: list[dict[str, Any]]) -> None:
    box: Box = a_box(traders=True, events=EventOptions(count=2, lines=6, props=2))
    client = Client(box)
    for row in rows:
        try:
            action = read_action(row, "row")
        except ScenarioError:
            continue
        box.moves.perform(action, client.now_ns)
        client.wait(0.5)
    assert box.exchange.now_ns >= START_NS
