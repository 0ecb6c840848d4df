"""The probe's parts alone: notebook, allowance, transcript, tickets."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from mmbot.probe.allowance import Allowance, AllowanceSpent, Limits
from mmbot.probe.ask_fills import _alo_answer
from mmbot.probe.calls import Calls
from mmbot.probe.desk import Desk, Ticket
from mmbot.probe.findings import Found, Notebook, Unknown
from mmbot.probe.listener import Heard
from mmbot.probe.transcript import Transcript
from mmbot.runtime.clock import NS_PER_S


class Watch:
    """A clock that somebody sets."""

    def __init__(self) -> None:
        self.now = 0

    def now_ns(self) -> int:
        return self.now

    def monotonic_ns(self) -> int:
        return self.now

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


def a_ticket(**said: object) -> Ticket:
    ticket = Ticket("probe-1", "s", 150, 500, 0)
    if said:
        ticket.take({"order_id": "o", **said})
    return ticket


def test_two_answers_are_none_whatever_comes_later() -> None:
    note = Notebook()
    note.found("a.b", 1, "one look")
    note.found("a.b", 2, "another")
    note.found("a.b", 1, "a third")
    assert note.findings["a.b"] == Unknown("two answers: one look; another")


def test_a_reason_does_not_undo_a_finding_and_a_finding_undoes_a_reason() -> None:
    note = Notebook()
    note.unknown("a.b", "too late")
    note.found("a.b", True, "seen")
    note.unknown("a.b", "too late again")
    note.leave(["a.b", "a.c"], "nothing told")
    assert note.findings == {"a.b": Found(True, "seen"), "a.c": Unknown("nothing told")}
    assert note.value("a.b") is True
    assert note.value("a.c") is None


def test_the_last_requests_and_seconds_are_for_the_end() -> None:
    watch = Watch()
    limits = Limits(requests_max=3, requests_kept=1, duration_s_max=100.0, duration_s_kept=20.0)
    allowance = Allowance(limits, watch)
    allowance.request()
    allowance.request()
    with pytest.raises(AllowanceSpent, match="2 requests of 3"):
        allowance.request()
    allowance.closing = True
    allowance.request()
    with pytest.raises(AllowanceSpent, match="3 requests of 3"):
        allowance.request()

    late = Allowance(limits, watch)
    watch.now = 80 * NS_PER_S
    with pytest.raises(AllowanceSpent, match="80 s of 100"):
        late.request()
    late.closing = True
    late.request()


def test_money_is_never_lent_by_the_end() -> None:
    allowance = Allowance(Limits(at_risk_cents_max=500), Watch())
    allowance.risk(500)
    allowance.closing = True
    with pytest.raises(AllowanceSpent, match=r"\$5.01 would be at risk"):
        allowance.risk(501)
    assert allowance.at_risk_cents_top == 500


def test_secrets_are_hidden_wherever_they_stand() -> None:
    transcript = Transcript(["key-1"])
    transcript.write("answer", 1, body={"access_token": "tok-1", "list": [{"auth": "sig-1"}]})
    transcript.write("answer", 2, text="Bearer tok-1, key-1, sig-1 and name-1")
    assert transcript.text.splitlines()[0] == (
        '{"kind":"answer","at_ns":1,"body":{"access_token":"***","list":[{"auth":"***"}]}}'
    )
    assert "Bearer ***, ***, *** and name-1" in transcript.text


@pytest.mark.parametrize(
    ("said", "over", "at_risk_cents"),
    [
        ({}, False, 500),  # nothing was heard of it: all of it may be filled
        ({"status": "inactive", "open_quantity": 5.0}, False, 500),
        ({"status": "open", "open_quantity": 3.0, "filled_quantity": 2.0}, False, 500),
        ({"status": "open", "open_quantity": 0.0, "total_filled_quantity": 2.0}, True, 200),
        ({"status": "canceled", "open_quantity": 0.0}, True, 0),
        ({"status": "invalid"}, True, 0),
    ],
)
def test_what_an_order_risks(said: dict[str, object], over: bool, at_risk_cents: int) -> None:
    ticket = a_ticket(**said)
    assert (ticket.over, ticket.at_risk_cents) == (over, at_risk_cents)


def test_an_older_image_undoes_nothing() -> None:
    ticket = a_ticket(status="canceled", open_quantity=0.0, total_filled_quantity=2.0)
    ticket.take({"order_id": "o", "status": "open", "open_quantity": 5.0, "filled_quantity": 0.0})
    assert (ticket.status, ticket.filled_cents, ticket.open_cents) == ("canceled", 200, 0)


def a_desk_with_an_order_told_of() -> tuple[Desk, Ticket]:
    """A message came before the answer to the batch that placed it; the desk asks nothing here."""
    watch = Watch()
    desk = Desk(cast(Calls, None), Allowance(Limits(), watch), watch, "run")
    ticket = desk.ticket_of(desk.draft("s", 150, 500))
    told: dict[str, Any] = {"external_id": ticket.external_id, "order_id": "o-1", "status": "open"}
    desk.hear(Heard(1, 1, "wager", "private", "", {"info": told}))
    return desk, ticket


def test_an_order_that_a_message_told_of_first_is_not_two() -> None:
    """Seen 2026-11-23 on box 1095: the copy was never over, and held 5 of the run's 20 dollars."""
    desk, ticket = a_desk_with_an_order_told_of()
    desk.adopt({"order_id": "o-1", "status": "inactive", "open_quantity": 5.0}, ticket)
    assert desk.tickets == [ticket]


def test_a_second_order_of_one_id_is_a_ticket_of_its_own() -> None:
    desk, ticket = a_desk_with_an_order_told_of()
    desk.adopt({"order_id": "o-2", "status": "inactive", "open_quantity": 5.0}, ticket)
    assert [one.order_id for one in desk.tickets] == ["o-1", "o-2"]


@pytest.mark.parametrize(
    ("seen", "answer"),
    [
        ([], ""),
        (["canceled"], ""),
        (["invalid", "invalid"], "invalid"),
        (["rests", "canceled"], ""),  # the offer may have been away for a moment
        (["rests", "canceled", "canceled"], "canceled"),
        (["invalid", "canceled"], ""),
        (["rests", "rests"], "rests"),
    ],
)
def test_what_orders_that_would_cross_met_alike(seen: list[str], answer: str) -> None:
    """Box 6094: one order rested, the next was cancelled, and nothing was told of it."""
    assert _alo_answer(seen) == answer
