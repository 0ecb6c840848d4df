"""The judge of staleness: what it counts, what it forgives, and what it reads."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mmbot.sim.box import Box
from mmbot.sim.core.orders import Order, OrderRequest
from mmbot.sim.scenario import BoxOptions
from mmbot.sim.witness.stale import (
    EVERYTHING,
    MUTE_NS,
    NS,
    REPEAT_NS,
    SILENT_NS,
    VISIBLE_NS,
    Outage,
    Quote,
    judge,
    merged,
    minus,
)
from mmbot.sim.witness.stale_record import (
    Asked,
    Cancel,
    Placement,
    cancels_of,
    hindered_of,
    placements_of,
    quotes_of,
)

SILENT = Outage(EVERYTHING, 100 * NS, 200 * NS, SILENT_NS)
MUTE = Outage("7", 100 * NS, 200 * NS, MUTE_NS)
OLD = Quote("mm-1", "7", sent_ns=50 * NS, told_ns=50 * NS, until_ns=150 * NS)


def stale_s(*quotes: Quote, outage: Outage = SILENT, excuse_s: tuple[int, int] = (0, 0)) -> float:
    excuse = (excuse_s[0] * NS, excuse_s[1] * NS)
    return judge([outage], quotes, [excuse]).stale_ns / NS


# faults: E1 E16
@pytest.mark.parametrize(
    ("outage", "seconds"),
    [
        (SILENT, 38),  # known at 112, gone at 150
        (replace(SILENT, knowable_ns=VISIBLE_NS), 49),
        (replace(SILENT, until_ns=130 * NS), 18),
        (replace(SILENT, part="7"), 38),
        (replace(SILENT, part="8"), 0),
        (replace(MUTE, until_ns=159 * NS), 0),
    ],
)
def test_what_rests_longer_than_an_outage_can_go_unnoticed_is_stale(
    outage: Outage, seconds: int
) -> None:
    assert stale_s(OLD, outage=outage) == seconds


# faults: B4 E1
def test_a_lost_cancel_is_forgiven_and_has_to_be_repeated() -> None:
    asked = replace(OLD, asked_ns=(111 * NS,))
    again = replace(OLD, asked_ns=(111 * NS, 131 * NS))
    late = replace(OLD, asked_ns=(120 * NS, 140 * NS))
    assert [stale_s(asked), stale_s(again), stale_s(late)] == [150 - 131, 0, 8]
    assert REPEAT_NS == 20 * NS


# faults: A3b
def test_an_order_is_judged_from_when_a_cancel_could_name_it() -> None:
    assert stale_s(replace(OLD, told_ns=140 * NS)) == 150 - 141


# faults: E16 J1
def test_what_is_placed_in_a_known_outage_is_stale_from_the_first_moment() -> None:
    blind = replace(OLD, sent_ns=113 * NS, told_ns=114 * NS, asked_ns=(114 * NS,))
    assert stale_s(blind) == (114 - 113) + (150 - 134)
    assert stale_s(replace(blind, sent_ns=111 * NS)) == 150 - 134


def test_nobody_is_judged_while_nobody_could_act() -> None:
    assert stale_s(OLD, excuse_s=(90, 145)) == 5
    assert stale_s(OLD, excuse_s=(120, 125)) == 33


def test_seconds_of_several_quotes_count_once_and_each_is_named() -> None:
    second = replace(OLD, name="mm-2", until_ns=160 * NS)
    verdict = judge([SILENT], [OLD, second])
    assert verdict.stale_ns == 48 * NS
    assert [finding.quote for finding in verdict.findings] == ["mm-1", "mm-2"]
    told = "mm-1: quoted 38.000 s on stale data, from 112.000: the private channel told nothing"
    assert str(verdict.findings[0]).startswith(told)


def test_spans_are_joined_and_cut() -> None:
    assert merged([(5, 9), (1, 3), (2, 4), (7, 7)]) == [(1, 4), (5, 9)]
    assert minus((0, 10), [(1, 4), (5, 9)]) == [(0, 1), (4, 5), (9, 10)]
    assert minus((2, 8), [(1, 9)]) == []
    assert minus((8, 2), []) == []


# --- the record and the diary ----------------------------------------------------------------

ROW = {
    "external_id": "mm-1",
    "order_id": "o-1",
    "event_id": 7,
    "market_id": 256,
    "strike_id": "s1",
    "quantity_cents": 500,
    "created_ns": 10 * NS,
    "open_cents": 0,
    "status": "canceled",
    "history": [(10 * NS, "accepted"), (30 * NS, "canceled")],
}


@pytest.mark.parametrize(
    ("route", "body", "asks"),
    [
        ("cancel_order", {"external_id": "mm-1", "order_id": "o-1"}, True),
        ("cancel_wager", {"wager_id": "o-1"}, True),
        ("cancel_multiple_orders", {"data": [{"external_id": "mm-1"}]}, True),
        ("cancel_multiple_orders", {"data": [{"external_id": "mm-11"}]}, False),
        ("cancel_all_orders", {}, True),
        ("cancel_orders_by_event", {"event_id": 7}, True),
        ("cancel_orders_by_event", {"event_id": 8}, False),
        ("cancel_orders_by_market", {"event_id": 7, "market_id": "256", "strike_id": "s1"}, True),
        ("cancel_orders_by_market", {"event_id": 7, "market_id": 256, "strike_id": "s2"}, False),
    ],
)
def test_every_form_of_a_cancel_asks_for_its_orders(
    route: str, body: dict[str, object], asks: bool
) -> None:
    cancel = Cancel(20 * NS, f"/partner/v4/mm/{route}?a=1", json.dumps(body).encode())
    [quote] = quotes_of([ROW], [cancel], {"mm-1": Placement(9 * NS, 11 * NS)})
    assert quote == Quote("mm-1", "7", 9 * NS, 11 * NS, 30 * NS, (20 * NS,) * asks)


def test_orders_of_others_and_orders_that_nobody_was_told_of_are_not_judged() -> None:
    assert quotes_of([ROW], [], {"mm-1": Placement(9 * NS, 11 * NS)}, prefix="bot") == []
    assert quotes_of([ROW], [], {"mm-1": Placement(9 * NS, None)}) == []
    assert quotes_of([ROW], [], {}) == []


class Talk:
    """A box whose diary is read, and one client of it."""

    def __init__(self) -> None:
        self.box = Box(BoxOptions(seed=3), 0)
        self.box.control.takers({"on": False}, 0)
        self.maker = self.box.maker

    def places(self, ident: str, at_s: int, fate: str = "", status: int = 200) -> None:
        truth, name = self.box.truth, self.maker.name
        path = "/partner/v4/mm/submit_multiple_orders"
        number = truth.request(name, "POST", path, b"{}", at_s * NS)
        strike = self.box.exchange.listing.lines[0].strikes[0]
        request = OrderRequest(ident, strike.strike_id, 3000, 500)
        order = self.box.exchange.accept(self.maker, request, (at_s + 2) * NS)
        assert isinstance(order, Order)
        truth.answer(name, number, status, fate, (at_s + 2) * NS)

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(text) for text in self.box.truth.page()[0]]


# faults: A3b
def test_the_diary_tells_when_a_client_heard_of_its_order() -> None:
    talk = Talk()
    talk.places("mm-1", 10)
    talk.places("mm-2", 20, fate="lost")
    talk.places("mm-3", 30, status=500)
    assert placements_of(talk.lines(), talk.maker.name, travel_ns=NS) == {
        "mm-1": Placement(10 * NS, 13 * NS),
        "mm-2": Placement(20 * NS, None),
        "mm-3": Placement(30 * NS, None),
    }
    assert placements_of(talk.lines(), "somebody") == {}


def test_the_diary_tells_of_cancels_and_of_times_without_a_session() -> None:
    talk, name = Talk(), ""
    truth, name = talk.box.truth, talk.maker.name
    for at_s, status in ((1, 200), (5, 429), (6, 401), (9, 200), (20, 403)):
        path, body = "/partner/v4/mm/cancel_order", b'{"external_id":"mm-1"}'
        number = truth.request(name, "POST", path, body, at_s * NS)
        truth.answer(name, number, status, "", at_s * NS)
    found = cancels_of(talk.lines(), name)
    assert [one.at_ns // NS for one in found] == [1, 5, 6, 9, 20]
    assert Asked(found).times_ns(ROW) == tuple(one.at_ns for one in found)
    expected = [(5 * NS, 9 * NS), (20 * NS, 25 * NS)]
    assert hindered_of(talk.lines(), name, 25 * NS) == expected
    assert hindered_of(talk.lines(), "somebody", 25 * NS) == []
