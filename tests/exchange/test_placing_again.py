"""A placement that nobody has answered goes again at once: the same ids, past the same gate."""

from __future__ import annotations

from typing import Any

import pytest

from mmbot.domain.events import Event, PlaceLost
from mmbot.exchange.http import HttpReply, NotSent, ReplyLost
from tests.exchange.answers import SUBMIT, accepting
from tests.exchange.parts import Parts, Step, a_client, an_order, approved, kinds, refused, run
from tests.exchange.test_placing import answer, failure

HTML = HttpReply(502, {}, b"<html>")


def placed(*steps: Step, orders: int = 2, gate: str = "") -> tuple[list[Event], list[Any]]:
    """Events, and the bodies that left; `gate` is what the gate says from the second time on."""

    async def scenario() -> tuple[list[Event], Parts]:
        parts = a_client()
        parts.http.on(SUBMIT, *steps)
        await parts.clock.sleep(1.1)
        said = iter([""])

        async def cleared() -> str:
            return next(said, gate)

        wanted = [approved(an_order(n)) for n in range(1, orders + 1)]
        return await parts.gateway.place(wanted, cleared), parts

    events, parts = run(scenario())
    return events, [one.body for one in parts.http.asked if one.path == SUBMIT]


# faults: A1 A2 A5
@pytest.mark.parametrize("lost", [ReplyLost("reset"), HTML, HttpReply(200, {}, b'{"data": {"su')])
def test_the_answer_to_the_second_ends_the_doubt(lost: Step) -> None:
    events, sent = placed(lost, accepting)
    assert kinds(events) == ["OrderSeen"] * 2
    assert sent[0] == sent[1]


@pytest.mark.parametrize(
    "second",
    [refused(400, "insufficient_amount"), refused(429, "rate_limit_reached"), NotSent("nobody")],
)
def test_what_is_said_of_the_second_says_nothing_of_the_first(second: Step) -> None:
    events, _ = placed(ReplyLost("reset"), second)
    assert kinds(events) == ["PlaceLost"] * 2


def test_that_the_ids_exist_is_heard() -> None:
    exists = answer(failed=[failure(n, "order_external_id_existed") for n in (1, 2)])
    events, _ = placed(ReplyLost("reset"), exists)
    for event in events:
        assert isinstance(event, PlaceLost)
        assert "id_existed" in event.reason


def test_what_does_not_pass_the_gate_again_stays_lost() -> None:
    events, sent = placed(ReplyLost("reset"), accepting, gate="the mode is CANCEL_ONLY")
    assert kinds(events) == ["PlaceLost"] * 2
    assert len(sent) == 1


def test_it_goes_again_once_only() -> None:
    events, sent = placed(ReplyLost("reset"))
    assert kinds(events) == ["PlaceLost"] * 2
    assert len(sent) == 2


@pytest.mark.parametrize(
    "known",
    [refused(409, "order_external_id_existed"), answer(failed=[failure(1, "invalid_price")])],
)
def test_an_answer_about_an_order_is_an_answer(known: HttpReply) -> None:
    _, sent = placed(known, orders=1)
    assert len(sent) == 1
