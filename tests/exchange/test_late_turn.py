"""A list that waits for its turn: what happened meanwhile lies behind the window it asks for."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs

import pytest

from mmbot.domain.commands import ReadHistory
from mmbot.domain.events import Event, HistoryRead
from mmbot.exchange.http import HttpReply
from tests.exchange.parts import EPOCH_NS, Asked, S, a_client, reply, run

HISTORY = "/v4/mm/get_order_history"
LISTS = 20  # at once, and one a second leaves
CHANGED = ReadHistory(EPOCH_NS - 60 * S, changed_only=True)
CREATED = ReadHistory(EPOCH_NS - 60 * S, ends_doubt=True)


def nothing_as_of_now(asked: Asked) -> HttpReply:
    """A copy without any delay."""
    return reply({"data": {"orders": [], "next_cursor": ""}, "last_synced_at": asked.at_ns})


@pytest.mark.parametrize(("read", "end"), [(CHANGED, "updated_at_to"), (CREATED, "to")])
def test_a_list_shows_nothing_after_its_window_however_young_the_copy(
    read: ReadHistory, end: str
) -> None:
    """Seed 1119: fills taken back in those seconds stayed unread: the next list began later. An
    order that lands in them is not in the list either, and would count as absent."""
    # faults: A2 B13 D7

    async def scenario() -> tuple[list[Event], list[Asked]]:
        parts = a_client()
        parts.http.on(HISTORY, nothing_as_of_now)
        async with asyncio.TaskGroup() as group:
            waiting = [group.create_task(parts.gateway.read_history(read)) for _ in range(LISTS)]
        return [event for one in waiting for event in one.result()], parts.http.asked

    events, requests = run(scenario())
    lists = [one for one in requests if one.path == HISTORY]
    ends_ns = [int(parse_qs(one.query)[end][0]) * S for one in lists]
    assert lists[-1].at_ns > ends_ns[-1] + 10 * S, "it waited"
    shown_ns = [event.synced_ns for event in events if isinstance(event, HistoryRead)]
    told = zip(lists, ends_ns, strict=True)
    assert shown_ns == [min(one.at_ns, end_ns) for one, end_ns in told]
