"""The channel planner: what goes where, what stays, what is left out, and what that costs."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from typing import Final

import pytest

from mmbot.domain.ids import SportEventId
from mmbot.exchange.channels import (
    REFUSED_FOR_NS,
    Limits,
    Load,
    Plan,
    Room,
    Share,
    Topic,
    Worth,
    plan,
)

ONE = Limits(channels_max=10, sockets_max=1)
TWO = Limits(channels_max=10, sockets_max=2)


def topics(*numbers: int) -> frozenset[Topic]:
    return frozenset(Topic(SportEventId(one)) for one in numbers)


def wanted(numbers: Iterable[int], worth: Worth = Worth.WATCHED) -> dict[Topic, Worth]:
    return {Topic(SportEventId(one)): worth for one in numbers}


def as_loads(shares: Iterable[Share], former: Iterable[Load] = ()) -> list[Load]:
    """The sockets once the plan was carried out: a renewed one has counted nothing else."""
    counted = {load.number: load.counted for load in former}
    return [
        Load(
            one.number,
            one.topics,
            one.topics if one.renew else one.topics | counted.get(one.number, frozenset()),
        )
        for one in shares
    ]


def numbers(shares: Iterable[Share]) -> list[list[int]]:
    return [sorted(topic.event_id for topic in share.topics) for share in shares]


def test_there_is_always_a_socket_for_the_private_channel() -> None:
    assert plan({}, [], ONE) == Plan((Share(1, frozenset()),))


def test_where_no_channel_is_allowed_nothing_is_asked_for() -> None:
    planned = plan(wanted(range(3)), [Load(1)], Limits(channels_max=0, sockets_max=4))
    assert planned == Plan((Share(1, frozenset()),), tuple(wanted(range(3))))


def test_what_fits_goes_on_one_socket_and_the_rest_on_more() -> None:
    assert numbers(plan(wanted(range(10)), [], TWO).shares) == [list(range(10))]
    assert numbers(plan(wanted(range(12)), [], TWO).shares) == [list(range(10)), [10, 11]]


def test_money_at_risk_goes_first_then_what_is_quoted_then_what_is_watched() -> None:
    # faults: E8
    wish = wanted(range(8)) | wanted(range(8, 13), Worth.QUOTED) | wanted([13], Worth.AT_RISK)
    planned = plan(wish, [], ONE)
    assert numbers(planned.shares) == [[0, 1, 2, 3, 8, 9, 10, 11, 12, 13]]
    assert [topic.event_id for topic in planned.left_out] == [4, 5, 6, 7]


def test_a_quoted_market_that_is_carried_is_not_lost_to_a_new_one() -> None:
    full = Load(1, topics(*range(10)), topics(*range(10)))
    wish = wanted([99], Worth.QUOTED) | wanted(range(10), Worth.QUOTED)
    planned = plan(wish, [full], ONE)
    assert numbers(planned.shares) == [list(range(10))]
    assert planned.left_out == (Topic(SportEventId(99)),)
    assert not planned.shares[0].renew


def test_a_watched_one_gives_way_to_a_quoted_one_by_a_renewed_socket() -> None:
    full = Load(1, topics(*range(10)), topics(*range(10)))
    planned = plan(wanted(range(10)) | wanted([99], Worth.QUOTED), [full], ONE)
    assert numbers(planned.shares) == [[*range(9), 99]]
    assert planned.shares[0].renew


def test_what_is_carried_stays_and_a_new_one_goes_where_it_fits() -> None:
    loads = [Load(1, topics(*range(9)), topics(*range(9))), Load(2, topics(20), topics(20))]
    planned = plan(wanted([*range(9), 20, 30, 31]), loads, TWO)
    assert numbers(planned.shares) == [[*range(9), 30], [20, 31]]
    assert not any(share.renew for share in planned.shares)


def test_no_socket_is_renewed_while_another_has_room() -> None:
    limits = Limits(channels_max=20, sockets_max=2)
    loads = [
        Load(1, topics(*range(12)), topics(*range(18))),
        Load(2, topics(*range(20, 30)), topics(*range(20, 30))),
    ]
    planned = plan(wanted([*range(12), *range(20, 34)]), loads, limits)
    assert numbers(planned.shares) == [[*range(12), 30, 31], [*range(20, 30), 32, 33]]
    assert not planned.shares[1].renew


def test_what_was_carried_before_costs_nothing_where_it_is_counted() -> None:
    loads = [
        Load(1, topics(*range(8)), topics(*range(8))),
        Load(2, topics(*range(20, 27)), topics(*range(20, 29))),
    ]
    planned = plan(wanted([*range(8), *range(20, 27), 28]), loads, TWO)
    assert numbers(planned.shares) == [list(range(8)), [*range(20, 27), 28]]
    assert not planned.shares[1].renew


def test_a_socket_is_renewed_before_its_count_is_used_up_and_not_again_at_once() -> None:
    limits = Limits(channels_max=20, sockets_max=1)
    assert limits.spare == 2
    for count, renew in ((18, False), (19, True)):
        load = Load(1, topics(*range(10)), topics(*range(count)))
        planned = plan(wanted(range(10)), [load], limits)
        assert planned.shares[0].renew is renew
        again = plan(wanted(range(10)), as_loads(planned.shares, [load]), limits)
        assert not again.shares[0].renew


def test_a_socket_full_of_what_is_wanted_is_not_renewed_for_nothing() -> None:
    load = Load(1, topics(*range(10)), topics(*range(10)))
    assert not plan(wanted(range(10)), [load], ONE).shares[0].renew


def test_a_renewed_socket_comes_before_one_more() -> None:
    load = Load(1, topics(*range(5)), topics(*range(10)))
    planned = plan(wanted(range(20, 25)) | wanted(range(5)), [load], TWO)
    assert numbers(planned.shares) == [[*range(5), *range(20, 25)]]
    assert planned.shares[0].renew


def test_a_socket_that_the_others_can_do_without_is_given_up_but_not_for_a_hair() -> None:
    loads = [Load(1, topics(*range(8)), topics(*range(8))), Load(2, topics(20), topics(20, 21))]
    assert plan(wanted([*range(8), 20]), loads, TWO).shares == (Share(1, topics(*range(8), 20)),)
    loads = [Load(1, topics(*range(9)), topics(*range(9))), Load(2, topics(20), topics(20))]
    assert numbers(plan(wanted([*range(9), 20]), loads, TWO).shares) == [list(range(9)), [20]]


def test_a_number_is_not_used_twice() -> None:
    loads = [Load(3, topics(*range(10)), topics(*range(10)))]
    assert [one.number for one in plan(wanted(range(11)), loads, TWO).shares] == [3, 4]


def test_a_smaller_limit_keeps_the_most_valuable_of_a_new_connection() -> None:
    # faults: E8
    dead = Load(1, topics(*range(10)))
    wish = wanted(range(9)) | wanted([9], Worth.AT_RISK)
    assert numbers(plan(wish, [dead], Limits(4, 1)).shares) == [[0, 1, 2, 9]]
    three = plan(wish, [dead], Limits(4, 3)).shares
    assert numbers(three) == [[0, 1, 2, 9], [3, 4, 5, 6], [7, 8]]


# --- for any wish, sockets and limits ---------------------------------------------------------

Situation = tuple[dict[Topic, Worth], list[Load], Limits]


def _situation(seed: int) -> Situation:
    """Sockets that carry different things, some not connected, some with spent channels."""
    draw = random.Random(seed)
    limits = Limits(draw.randint(1, 9), draw.randint(1, 4))
    pool = draw.sample(range(41), 41)
    wish = {
        topic: draw.choice(list(Worth)) for topic in topics(*draw.sample(pool, draw.randrange(26)))
    }
    loads = []
    for number in range(1, 1 + draw.randint(0, limits.sockets_max)):
        has = [pool.pop() for _ in range(draw.randint(0, limits.channels_max))]
        spent = draw.sample(range(41), draw.randint(0, limits.channels_max - len(has)))
        connected = draw.random() < 0.7
        counted = topics(*has, *spent) if connected else frozenset[Topic]()
        loads.append(Load(number, topics(*has), counted))
    return wish, loads, limits


SITUATIONS: Final = tuple(_situation(seed) for seed in range(400))


def test_it_keeps_the_limits_and_loses_nothing() -> None:
    for wish, loads, limits in SITUATIONS:
        planned = plan(wish, loads, limits)
        counted = {load.number: load.counted for load in loads}
        given_out = [topic for share in planned.shares for topic in share.topics]
        assert sorted([*given_out, *planned.left_out]) == sorted(wish)
        assert 1 <= len(planned.shares) <= limits.sockets_max
        for share in planned.shares:
            in_place = frozenset() if share.renew else counted.get(share.number, frozenset())
            assert len(share.topics | in_place) <= limits.channels_max
        assert len(given_out) == min(len(wish), limits.channels_max * limits.sockets_max)
        if planned.left_out:
            assert max(wish[one] for one in planned.left_out) <= min(wish[one] for one in given_out)


def test_nothing_carried_is_lost_to_something_new_of_the_same_worth() -> None:
    for wish, loads, limits in SITUATIONS:
        planned = plan(wish, loads, limits)
        carried = frozenset[Topic]().union(*(load.topics for load in loads))
        lost = [wish[topic] for topic in planned.left_out if topic in carried]
        new = [
            wish[topic]
            for share in planned.shares
            for topic in share.topics
            if topic not in carried
        ]
        assert not lost or not new or max(lost) < min(new)


def test_once_carried_out_the_plan_changes_nothing_more() -> None:
    for wish, loads, limits in SITUATIONS:
        first = plan(wish, loads, limits)
        second = plan(wish, as_loads(first.shares, loads), limits)
        assert numbers(second.shares) == numbers(first.shares)
        assert set(second.left_out) == set(first.left_out)
        assert not any(share.renew for share in second.shares)


def test_a_channel_moves_only_when_its_socket_is_given_up() -> None:
    for wish, loads, limits in SITUATIONS:
        shares = plan(wish, loads, limits).shares
        now = {topic: share.number for share in shares for topic in share.topics}
        left = {share.number for share in shares}
        for load in loads:
            if load.number in left:
                assert all(now.get(topic, load.number) == load.number for topic in load.topics)


@pytest.mark.parametrize(("channels", "sockets", "most_ms"), [(400, 1, 2.0), (10_000, 25, 20.0)])
def test_how_long_it_takes(channels: int, sockets: int, most_ms: float) -> None:
    """The best of five in CPU time, with one channel in twenty changed."""
    limits = Limits(400, sockets)
    before = {Topic(SportEventId(n)): Worth(n % 3) for n in range(channels)}
    loads = as_loads(plan(before, [], limits).shares)
    after = wanted(range(channels, channels + channels // 20), Worth.QUOTED) | before
    took_ms = []
    for _ in range(5):
        began_ns = time.process_time_ns()
        plan(after, loads, limits)
        took_ms.append((time.process_time_ns() - began_ns) / 1e6)
    assert min(took_ms) < most_ms


def test_a_refusal_is_kept_to_for_a_while_when_more_is_told() -> None:
    room = Room(Limits(400, 4))
    room.refused(100, 50, now_ns=7)
    assert room.limits == Limits(50, 4)
    room.told(400)
    assert room.limits == Limits(50, 4)
    room.refused(120, 80, now_ns=8)  # that more than 80 are too many says nothing new
    assert room.limits == Limits(50, 4)
    assert not room.forget(8 + REFUSED_FOR_NS - 1)
    assert room.limits == Limits(50, 4)


def test_less_than_was_refused_is_believed_when_it_is_told() -> None:
    room = Room(Limits(400, 4))
    room.refused(100, 25, now_ns=7)
    room.told(60)
    assert room.limits == Limits(60, 4)
    room.told(100)
    assert room.limits == Limits(25, 4)


def test_a_refusal_that_the_told_figure_explains_does_not_outlive_it() -> None:
    room = Room(Limits(400, 4))
    room.told(1)
    room.refused(5, 1, now_ns=7)
    assert room.limits == Limits(1, 4)
    room.told(400)
    assert room.limits == Limits(400, 4)


def test_a_refusal_is_forgotten_in_the_end_and_what_was_told_is_not() -> None:
    room = Room(Limits(400, 4))
    room.told(100)
    room.refused(3, 0, now_ns=7)
    assert room.limits == Limits(0, 4)
    assert room.forget(7 + REFUSED_FOR_NS)
    assert room.limits == Limits(100, 4)
    assert not room.forget(8 + REFUSED_FOR_NS)
    room.told(120)
    assert room.limits == Limits(120, 4)
