"""What box and wire tell the judge of staleness."""

from __future__ import annotations

import base64
import json

import pytest

from mmbot.sim.core.messages import Json, Outgoing
from mmbot.sim.stream.channels import event_channel, main_channel
from mmbot.sim.stream.connections import Connection
from mmbot.sim.witness.stale import NS
from mmbot.sim.witness.stale_watch import START_NS
from tests.sim.stale_day import BALANCE, CANCEL, MARKETS, PLACE, Day


# faults: E1 E2
def test_silence_of_the_private_channel_is_stale_after_twelve_seconds() -> None:
    day = Day()
    day.starts()
    day.beats(*range(5, 50, 5), 65)  # nothing between 45 and 65
    assert day.stale_s(70) == 65 - (45 + 12)


# faults: E2
def test_quiet_books_are_not_stale() -> None:
    day = Day()
    day.starts()
    day.publishes(20)
    day.hears_book(20)
    day.beats(*range(5, 300, 5))
    assert day.stale_s(300) == 0


# faults: E16
def test_a_socket_that_is_gone_shows_at_once() -> None:
    day = Day()
    day.starts()
    day.beats(*range(5, 50, 5))
    day.at(48).box.hub.disconnect(day.socket)
    assert day.stale_s(60) == 60 - 49


# faults: E3
def test_a_channel_that_was_left_is_the_outage_of_its_sport_event_alone() -> None:
    day = Day()
    day.starts()
    day.beats(*range(5, 60, 5))
    day.at(48).box.hub.members.leave(day.socket, day.books)
    first, total = day.at(60).watch.findings(day.orders())
    assert f"sport event {day.event_id}" in first
    assert total == "stale: 11.000 s in all, 1 findings"


# faults: E6
def test_a_new_socket_before_the_old_one_leaves_no_gap() -> None:
    day = Day()
    day.starts()
    day.beats(*range(5, 50, 5))
    second = Connection("2.2", day.now_ns)
    for channel in (day.private, day.books):
        day.at(46).box.hub.members.join(second, channel)
    day.at(48).box.hub.disconnect(day.socket)
    day.beats(50, 55, 60)
    assert day.stale_s(60) == 0


# faults: E4
def test_a_mute_channel_is_stale_after_a_minute_or_once_a_read_has_shown_it() -> None:
    unread, read = Day(), Day()
    for day in (unread, read):
        day.starts()
        day.publishes(20)
        day.publishes(30)
        if day is read:
            day.at(40).asks(f"{MARKETS}?event_ids=1,{day.event_id}")
        day.beats(*range(5, 100, 5))
    assert unread.stale_s(100) == 100 - (20 + 60)
    assert read.stale_s(100) == 100 - (40 + 3)


# faults: E4
@pytest.mark.parametrize(("second", "price"), [(20, 105), (36, 110)])
def test_an_image_of_nothing_new_and_one_on_its_way_tell_no_reader_of_muteness(
    second: float, price: int
) -> None:
    day = Day()
    day.starts()
    day.publishes(second, price)
    day.at(40).asks(f"{MARKETS}?event_ids={day.event_id}")
    day.beats(*range(5, 75, 5))
    assert day.stale_s(75) == 0


# faults: E4
def test_of_a_mute_channel_reads_that_agree_and_go_on_are_data() -> None:
    day = Day()
    day.starts()
    day.publishes(20)
    day.reads(40, 42)
    day.publishes(43, 115)
    day.reads(44, 46, 54)
    day.beats(*range(5, 100, 5))
    assert day.stale_s(100) == 0
    day.publishes(60, 120)
    day.reads(80)
    assert day.stale_s(100) == 80 - (60 + 12)


# faults: E4
def test_reads_that_do_not_agree_make_a_mute_channel_no_better() -> None:
    day = Day()
    day.starts()
    day.publishes(20)
    for second in range(40, 50, 2):
        day.reads(second)
        day.publishes(second + 1, 100 + second)
    day.beats(*range(5, 65, 5))
    assert day.stale_s(60) == 60 - (40 + 3)


# faults: E4
def test_who_polled_before_the_market_moved_may_go_by_reads_that_never_agree() -> None:
    polls, audits = Day(), Day()
    for day, pause_s in ((polls, 0), (audits, 11)):
        day.starts()
        day.at(20).box.hub.members.join(Connection("2.2", day.now_ns), day.books)
        day.reads(22, 24, 26)
        for second in range(27 + pause_s, 51, 2):
            day.publishes(second, 100 + second)
            day.reads(second + 1)
        day.beats(*range(5, 65, 5))
    assert polls.stale_s(60) == 0
    assert audits.stale_s(60) == 60 - (45 + 3)


# faults: E3
def test_the_first_read_after_a_new_subscription_is_where_it_begins() -> None:
    day = Day()
    day.starts()
    day.at(10).box.hub.members.join(Connection("2.2", day.now_ns), day.books)
    day.publishes(12)
    for second in (20, 40):
        day.at(second).asks(f"{MARKETS}?event_ids={day.event_id}")
    day.beats(*range(5, 65, 5))
    assert day.stale_s(65) == 0


# faults: E4 E11
def test_reads_of_a_drawn_book_prove_nothing_of_what_the_stream_told() -> None:
    day = Day()
    day.starts()
    day.publishes(20)
    day.box.switches.book_image = "locked"
    day.at(40).asks(f"{MARKETS}?event_ids={day.event_id}")
    day.box.switches.book_image = ""
    day.beats(*range(5, 75, 5))
    assert day.stale_s(75) == 0
    day.at(75).asks(f"{MARKETS}?event_ids={day.event_id}")
    day.beats(75, 80)
    assert day.stale_s(80) == 80 - (75 + 3)


# faults: E4 E11
def test_who_polls_a_mute_channel_goes_by_drawn_books_too_and_by_the_first_after_them() -> None:
    polls, begins = Day(), Day()
    for day, reads in ((polls, (40, 42)), (begins, ())):
        day.starts()
        day.publishes(20)
        for second in reads:
            day.at(second).asks(f"{MARKETS}?event_ids={day.event_id}")
        day.box.switches.book_image = "crossed"
        for second in range(44, 64, 2):
            day.publishes(second, 110 + second)
            day.at(second + 0.5).asks(f"{MARKETS}?event_ids={day.event_id}")
        day.box.switches.book_image = ""
        day.at(64).asks(f"{MARKETS}?event_ids={day.event_id}")
        day.beats(*range(5, 75, 5))
        assert day.stale_s(70) == 0


# faults: E9
def test_the_channel_of_a_prop_is_not_the_one_of_its_event_nor_are_its_orders_judged() -> None:
    day = Day()
    order = day.starts()
    day.beats(*range(5, 60, 5))
    props = event_channel(day.event_id, "player_hits", 6)
    day.box.hub.members.join(day.socket, props)
    day.at(48).box.hub.members.leave(day.socket, day.books)
    assert day.stale_s(60) == 60 - 49
    info: Json = {"info": {"id": order.line.market_id, "strike": 0, "selections": []}}
    event_id = day.event_id
    image = Outgoing(0, "", "market_selections", "u", info, event_id=event_id, sub_type="hits")
    assert day.watch.shown(order)
    day.watch.published(image)
    assert day.stale_s(60) == 0
    assert not day.watch.shown(order)


# faults: E12
def test_what_was_shown_last_may_come_true_again() -> None:
    day = Day()
    day.starts()
    day.publishes(20)
    day.at(40).asks(f"{MARKETS}?event_ids={day.event_id}")
    day.publishes(42, 105)
    day.beats(*range(5, 75, 5))
    assert day.stale_s(75) == 0


# faults: B4
def test_what_a_cancel_asks_for_is_not_its_makers_fault() -> None:
    day = Day()
    day.starts()
    day.beats(*range(5, 50, 5))
    day.at(48).box.hub.disconnect(day.socket)
    day.at(48.5).asks(CANCEL, {"data": [{"external_id": "mm-1"}]}, status=500)
    assert day.stale_s(60) == 0
    assert day.stale_s(70) == 70 - 68.5


# faults: D4 D7
@pytest.mark.parametrize(("status", "path", "stale_s"), [(429, BALANCE, 2), (403, PLACE, 11)])
def test_who_is_let_do_nothing_is_judged_when_he_is_served_again(
    status: int, path: str, stale_s: float
) -> None:
    day = Day()
    day.starts()
    day.beats(*range(5, 50, 5))
    day.at(48).box.hub.disconnect(day.socket)
    day.at(48.2).asks(path, status=status)
    day.at(58).asks(BALANCE)
    assert day.stale_s(60) == stale_s


# faults: D7 E4
def test_a_mute_channel_is_known_when_a_refused_read_was_asked_for_again() -> None:
    day = Day()
    day.starts()
    day.publishes(20)
    day.beats(*range(5, 95, 5))
    day.at(60).asks(BALANCE, status=429)
    day.at(85).asks(BALANCE)
    assert day.stale_s(95) == 95 - (85 + 5 + 3)


# faults: D7
@pytest.mark.parametrize(("retry_after_s", "stale_s"), [("", 11), ("9", 2)])
def test_a_placement_that_says_when_to_come_back_holds_up_every_request(
    retry_after_s: str, stale_s: float
) -> None:
    """The share is the account's; the queue of delayed orders has none (seed 1606)."""
    day = Day()
    day.starts()
    day.beats(*range(5, 50, 5))
    day.at(48).box.hub.disconnect(day.socket)
    day.at(48.2).asks(PLACE, status=429, retry_after_s=retry_after_s)
    day.at(58).asks(BALANCE)
    assert day.stale_s(60) == stale_s


# faults: D12 E4
@pytest.mark.parametrize(("failed_s", "stale_s"), [((), 20), ((55, 60, 84.9), 95 - 88)])
def test_a_mute_channel_is_known_when_the_books_can_be_read_again(
    failed_s: tuple[float, ...], stale_s: float
) -> None:
    """Other requests are served meanwhile; the read that comes at last tells (seed 1308)."""
    day = Day()
    day.starts()
    day.publishes(15)
    day.beats(*range(5, 95, 5))
    path = f"{MARKETS}?event_ids={day.event_id}"
    for second in failed_s:
        day.at(second).asks(path, status=404)
        day.asks(BALANCE)
    day.at(85).asks(path)
    assert day.stale_s(95) == stale_s


# faults: H1 H3
def test_a_process_that_is_killed_may_have_forgotten_what_it_was_told_last() -> None:
    day = Day()
    day.starts()
    day.beats(*range(5, 50, 5))
    day.at(40).rests("mm-2")  # its id may not be on disk yet
    day.at(48).box.hub.disconnect(day.socket)
    day.client.abandon()
    day.client = day.island()
    day.at(50).asks(BALANCE)
    begun_s = 50 + START_NS / NS
    assert day.stale_s(80) == 80 - begun_s
    [name] = {finding.quote for finding in day.watch.verdict(day.orders()).findings}
    assert name == "mm-1"


def on_the_shared_channel(event_id: int) -> str:
    payload = base64.b64encode(json.dumps({"sport_event_id": event_id}).encode()).decode()
    data = json.dumps({"change_type": "market_selections", "payload": payload})
    return json.dumps({"event": "tournament_31", "channel": main_channel(3), "data": data})


# faults: E4
def test_on_the_channel_that_all_books_share_each_event_is_heard_alone() -> None:
    told, others, odd = Day(), Day(), Day()
    for day in (told, others, odd):
        day.starts_in_seed()
        day.publishes(20, 30)
        frame = on_the_shared_channel(day.event_id if day is told else 7)
        day.at(35).watch.heard("books", frame[:-9] if day is odd else frame, day.now_ns)
        day.beats(*range(5, 100, 5))
    assert told.stale_s(100) == 0
    assert others.stale_s(100) == odd.stale_s(100) == 100 - (20 + 60)


# faults: E3
def test_without_the_channel_that_all_books_share_every_event_is_in_the_dark() -> None:
    day = Day()
    day.starts_in_seed()
    day.publishes(20)
    day.watch.heard("books", on_the_shared_channel(day.event_id), day.now_ns)
    day.beats(*range(5, 60, 5))
    day.at(48).box.hub.members.leave(day.socket, day.books)
    assert day.stale_s(60) == 60 - 49


# faults: E3
def test_what_is_listed_later_is_on_the_shared_channel_or_not_as_everything_else() -> None:
    there, left = Day(), Day()
    for day in (there, left):
        day.books = main_channel(3)
        day.starts()
        if day is left:
            day.at(1).box.hub.members.leave(day.socket, day.books)
        day.at(1).asks(f"{MARKETS}?event_ids={day.event_id}")
        day.beats(*range(5, 60, 5))
    assert there.stale_s(60) == 0
    assert left.stale_s(60) == 60 - START_NS / NS
