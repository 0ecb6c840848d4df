"""When one part of the data told nothing, and how long that may go unnoticed."""

from __future__ import annotations

import pytest

from mmbot.sim.witness.stale import MUTE_NS, NS, SILENT_NS
from mmbot.sim.witness.stale_parts import Event


def heard_event(sockets: int = 1) -> Event:
    """Its channel spoke at 0 s; nothing is said of it after that."""
    event = Event("7")
    for _ in range(sockets):
        event.joined(0)
    event.published("a line", 105, 0)
    event.heard(0)
    return event


# faults: E4
@pytest.mark.parametrize(
    ("moved_s", "unnoticed_ns"), [(12.05, MUTE_NS), (12.0, SILENT_NS), (9.0, SILENT_NS)]
)
def test_reads_tell_that_a_channel_is_mute_only_once_they_can_show_what_it_did_not(
    moved_s: float, unnoticed_ns: int
) -> None:
    """What moves while a read is on its way agrees with whatever it shows (seed 1427)."""
    event = heard_event()
    event.read(8 * NS, 8 * NS)
    event.read(10 * NS, 10 * NS)
    moved_ns = round(moved_s * NS)
    event.published("a line", 110, moved_ns)
    event.read(12 * NS, round(12.1 * NS))
    event.read(14 * NS, 14 * NS)
    event.published("a line", 120, 20 * NS)
    (mute,) = (one for one in event.over(90 * NS) if one.until_ns == 90 * NS)
    assert mute.knowable_ns == unnoticed_ns


# faults: E4 E6
@pytest.mark.parametrize(("leaves", "unnoticed_ns"), [(False, SILENT_NS), (True, MUTE_NS)])
def test_what_reads_told_of_a_socket_that_has_left_says_nothing_of_the_one_that_stays(
    leaves: bool, unnoticed_ns: int
) -> None:
    """Two reads that agree find the channel mute only if the same socket was heard (seed 54)."""
    event = heard_event(sockets=2)
    event.read(8 * NS, 8 * NS)
    event.published("a line", 110, 9 * NS)
    event.read(10 * NS, 10 * NS)
    if leaves:
        event.left(11 * NS)
    event.read(12 * NS, 12 * NS)
    event.read(14 * NS, 14 * NS)
    event.published("a line", 120, 20 * NS)
    (mute,) = (one for one in event.over(90 * NS) if one.until_ns == 90 * NS)
    assert mute.knowable_ns == unnoticed_ns


# faults: E4
@pytest.mark.parametrize(("reads", "unnoticed_ns"), [(2, MUTE_NS), (3, SILENT_NS)])
def test_two_reads_that_agree_may_chance_to_and_who_polls_goes_on(
    reads: int, unnoticed_ns: int
) -> None:
    """After a start books are read a few times; then the channel has its minute (seed 1041)."""
    event = heard_event()
    event.read(NS, NS)
    event.published("a line", 110, 2 * NS)
    for number in range(reads):
        at_ns = (3 + number) * NS
        event.read(at_ns, at_ns)
    event.published("a line", 120, 20 * NS)
    (mute,) = (one for one in event.over(90 * NS) if one.until_ns == 90 * NS)
    assert mute.knowable_ns == unnoticed_ns


# faults: E4 E11
@pytest.mark.parametrize(("pace_s", "known_s"), [(2, 78 + 10), (12, 20 + 60)])
def test_who_reads_at_the_pace_of_a_poll_is_led_by_drawn_books_until_it_has_read_again(
    pace_s: int, known_s: int
) -> None:
    """Seed 1171: all that such a client could read of the mute channel was drawn."""
    event = heard_event()
    event.published("a line", 110, 20 * NS)
    for second in range(30, 79, pace_s):
        event.drawn(second * NS, second * NS)
    (mute,) = (one for one in event.over(90 * NS) if one.until_ns == 90 * NS)
    assert mute.judged_ns == known_s * NS
