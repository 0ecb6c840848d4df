"""The rate budget as arithmetic: decision 9 of the architecture."""

# faults: D7 D9 D10

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.exchange.routes import V4
from mmbot.runtime.clock import NS_PER_S
from mmbot.runtime.limiter import (
    ARRIVAL_SPREAD_NS,
    COUNTED_NS,
    QUERY_ROUTES,
    Priority,
    Rates,
    Window,
)

START_NS = 1_700_000_000 * NS_PER_S
OPEN_NS = START_NS + NS_PER_S
MS = 1_000_000


def sent_now(window: Window, priority: Priority, route: str, now_ns: int, tries: int = 100) -> int:
    """Send as many as the window allows at one moment."""
    for n in range(tries):
        if window.free_at(priority, route, now_ns) > now_ns:
            return n
        window.note_sent(priority, route, now_ns)
    return tries


def test_the_second_before_the_start_counts_as_full() -> None:
    window = Window(Rates(), START_NS)
    assert window.room("cancel", START_NS) == 0
    assert window.free_at(Priority.CANCEL, "cancel_order", START_NS) == OPEN_NS
    assert window.room("cancel", OPEN_NS) > 0


def test_placements_leave_the_reserves_of_cancels_queries_and_sentinel() -> None:
    window = Window(Rates(), START_NS)
    assert sent_now(window, Priority.NEW, "submit_multiple_orders", OPEN_NS) == 45 - 15 - 2 - 3


def test_cancels_find_their_reserve_when_placements_took_all_they_may() -> None:
    window = Window(Rates(), START_NS)
    sent_now(window, Priority.NEW, "submit_multiple_orders", OPEN_NS)
    assert sent_now(window, Priority.CANCEL, "cancel_multiple_orders", OPEN_NS) == 15


def test_cancels_alone_may_take_everything_but_queries_and_sentinel() -> None:
    window = Window(Rates(), START_NS)
    assert sent_now(window, Priority.CANCEL, "cancel_multiple_orders", OPEN_NS) == 40


def test_a_query_route_is_asked_once_a_second_and_the_others_do_not_wait_for_it() -> None:
    window = Window(Rates(), START_NS)
    assert sent_now(window, Priority.AUDIT, "get_balance", OPEN_NS) == 1
    assert window.free_at(Priority.AUDIT, "get_balance", OPEN_NS) == OPEN_NS + COUNTED_NS
    assert window.free_at(Priority.AUDIT, "get_trades", OPEN_NS) == OPEN_NS


def test_reading_single_orders_is_not_a_query_route() -> None:
    window = Window(Rates(), START_NS)
    assert sent_now(window, Priority.DOUBT, "get_order", OPEN_NS, tries=5) == 5


def test_room_comes_back_a_little_more_than_a_second_after_each_request() -> None:
    window = Window(Rates(), START_NS)
    sent_now(window, Priority.NEW, "submit_order", OPEN_NS)
    assert window.room("other", OPEN_NS + COUNTED_NS) == 0
    assert window.room("other", OPEN_NS + COUNTED_NS + 1) == 25


def test_a_pause_lets_only_slow_cancels_out_and_then_all_goes_on() -> None:
    window = Window(Rates(), START_NS)
    until_ns = OPEN_NS + 5 * NS_PER_S
    window.pause(until_ns)
    window.pause(OPEN_NS)  # a shorter one does not shorten it
    assert window.free_at(Priority.NEW, "submit_order", OPEN_NS) == until_ns
    assert sent_now(window, Priority.CANCEL, "cancel_order", OPEN_NS) == 2
    assert sent_now(window, Priority.CANCEL, "cancel_order", OPEN_NS + COUNTED_NS + 1) == 2
    assert sent_now(window, Priority.NEW, "submit_order", until_ns) == 25


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.55, 0.45), (0.3, 0.3, 0.4), (0.2,) * 5])
@pytest.mark.parametrize("per_second_max", [45, 47])
def test_shares_of_an_account_are_together_never_more_than_the_whole(
    shares: tuple[float, ...], per_second_max: int
) -> None:
    # faults: D9
    parts = [Rates.of_share(per_second_max, share) for share in shares]
    assert sum(part.per_second_max for part in parts) <= per_second_max
    for part in parts:
        window = Window(part, START_NS)
        assert sent_now(window, Priority.NEW, "submit_multiple_orders", OPEN_NS) >= 3
        assert sent_now(window, Priority.CANCEL, "cancel_multiple_orders", OPEN_NS) >= 3
        assert window.used < part.per_second_max


def test_a_half_asks_each_query_route_half_as_often() -> None:
    window = Window(Rates.of_share(45, 0.5), START_NS)
    window.note_sent(Priority.AUDIT, "get_balance", OPEN_NS)
    assert window.free_at(Priority.AUDIT, "get_balance", OPEN_NS) == OPEN_NS + 2 * COUNTED_NS


def test_the_whole_is_a_share_too() -> None:
    assert Rates.of_share(45, 1.0) == Rates()


routes = st.sampled_from(
    ["submit_multiple_orders", "cancel_multiple_orders", "get_order", *sorted(QUERY_ROUTES)]
)
asks = st.lists(
    st.tuples(st.integers(0, 300 * MS), st.sampled_from(Priority), routes, st.integers(1, 30)),
    max_size=60,
)


@given(asks)
def test_no_sliding_second_holds_more_than_its_limits(
    steps: list[tuple[int, Priority, str, int]],
) -> None:
    rates = Rates()
    window = Window(rates, START_NS)
    now_ns = OPEN_NS
    all_sent: list[int] = []
    by_route: dict[str, list[int]] = defaultdict(list)
    for wait_ns, priority, route, tries in steps:
        now_ns += wait_ns
        for _ in range(sent_now(window, priority, route, now_ns, tries)):
            all_sent.append(now_ns)
            by_route[route].append(now_ns)
        # Whatever was sent before: without recent cancels, a full reserve of them may leave.
        cancels = window.room("cancel", now_ns) + window._used["cancel"]
        assert cancels >= rates.cancel_reserve
    for i, at_ns in enumerate(all_sent):
        # each may arrive that much later than it was granted, and the next one not
        since_ns = at_ns - NS_PER_S - ARRIVAL_SPREAD_NS
        within = sum(1 for other in all_sent[: i + 1] if other >= since_ns)
        assert within <= rates.per_second_max - rates.sentinel_reserve
    for route in QUERY_ROUTES:
        times = by_route[route]
        assert all(b - a >= NS_PER_S for a, b in pairwise(times))


def test_every_query_route_of_the_client_is_known_to_the_limiter() -> None:
    routes = [getattr(V4, field.name) for field in fields(V4)]
    reads = {route.name for route in routes if route.method == "GET"}
    assert reads - QUERY_ROUTES == {"get_order", "connection-config"}
