"""Each write that could change the book is told, and each answer, in words and without bodies."""
# faults: A2 A5 C1 C3 C8 D8

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from mmbot.domain.commands import SweepStrike
from mmbot.domain.ids import ExternalId, MarketId, StrikeId
from mmbot.domain.notes import Note, RequestAnswered, RequestSent
from mmbot.exchange.attempts import WORDS_CHARS_MAX
from mmbot.exchange.http import NotSent, ReplyLost
from tests.exchange.answers import CANCEL, SUBMIT, accepting, ref
from tests.exchange.parts import (
    EVENT_ID,
    Parts,
    Step,
    a_client,
    an_order,
    approved,
    refused,
    reply,
    run,
    wire_order,
)

SWEEP = "/v4/mm/cancel_orders_by_market"
EVERYTHING = "/v4/mm/cancel_all_orders"
FIRST, SECOND = ExternalId("mm-0a-1"), ExternalId("mm-0a-2")


def noted(
    work: Callable[[Parts], Awaitable[object]], **scripts: tuple[Step, ...]
) -> tuple[list[RequestSent], list[RequestAnswered]]:
    """What was told while that was done; the scripts are by the name of the path."""
    paths = {"submit": SUBMIT, "cancel": CANCEL, "sweep": SWEEP, "everything": EVERYTHING}

    async def scenario() -> list[Note]:
        parts, notes = a_client(), list[Note]()
        parts.rest.attempts.keep = notes.append
        for name, steps in scripts.items():
            parts.http.on(paths[name], *steps)
        await parts.session.token()
        await parts.clock.sleep(10)  # old enough to be renewed after a 401
        await work(parts)
        await asyncio.sleep(0)
        return notes

    notes = run(scenario())
    sent = [note for note in notes if isinstance(note, RequestSent)]
    return sent, [note for note in notes if isinstance(note, RequestAnswered)]


async def place(parts: Parts) -> None:
    await parts.gateway.place([approved(an_order(1)), approved(an_order(2))])


async def cancel(parts: Parts) -> None:
    await parts.gateway.cancel([ref(1), ref(2)])


def test_a_batch_is_one_attempt_that_names_all_its_orders() -> None:
    [sent], [answered] = noted(place, submit=(accepting,))
    assert (sent.number, sent.what, sent.external_ids) == (1, "place", (FIRST, SECOND))
    assert (answered.number, answered.status, answered.code) == (1, 200, "")
    assert len(answered.outcomes) == 1  # one word for both
    assert sent.at_ns <= answered.at_ns


def test_outcomes_that_differ_are_told_per_order() -> None:
    failed = {"index": 1, "error": "invalid_price", "message": "no"}
    body = {"data": {"succeed_orders": [wire_order(1)], "failed_orders": [failed]}}
    _, [answered] = noted(place, submit=(reply(body),))
    assert answered.outcomes[1] == "refused invalid_price"
    assert answered.outcomes[0] == wire_order(1)["status"]


def test_an_answer_that_never_came_has_no_status() -> None:
    lost = ReplyLost("no reply within 12 s")
    sent, [answered] = noted(place, submit=(lost,))
    assert len(sent) == 1
    assert (answered.status, answered.outcomes) == (0, ("lost: no reply within 12 s",))


def test_what_never_left_is_no_attempt() -> None:
    async def withheld(parts: Parts) -> None:
        async def cleared() -> str:
            return "withheld"

        await parts.gateway.place([approved(an_order(1))], cleared)

    assert noted(withheld, submit=(accepting,)) == ([], [])


def test_a_connection_that_broke_at_the_write_is_told_as_not_asked() -> None:
    _, [answered] = noted(place, submit=(NotSent("no connection: reset"),))
    assert answered.outcomes == ("not asked: no connection: reset",)


def test_the_repeat_after_a_401_is_an_attempt_of_its_own() -> None:
    sent, answered = noted(place, submit=(refused(401, "unauthorized"), accepting))
    assert [one.number for one in sent] == [1, 2]
    assert {one.external_ids for one in sent} == {(FIRST, SECOND)}
    assert [(one.number, one.status) for one in answered] == [(1, 401), (2, 200)]
    assert answered[0].outcomes == ("not executed",)
    assert answered[0].code == "unauthorized"


def test_a_429_and_a_5xx_say_their_code() -> None:
    _, [throttled] = noted(place, submit=(refused(429, "rate_limit_reached"),))
    assert (throttled.status, throttled.code) == (429, "rate_limit_reached")
    _, [broken] = noted(place, submit=(refused(502, ""),))
    assert broken.status == 502
    assert broken.outcomes[0].startswith("lost: ")


def test_a_cancel_is_told_too_and_so_is_what_names_no_order() -> None:
    [sent], [answered] = noted(cancel, cancel=(reply({"success": True}),))
    assert (sent.what, sent.external_ids) == ("cancel", (FIRST, SECOND))
    assert answered.outcomes == ("acknowledged: a bare success",)

    async def sweep(parts: Parts) -> None:
        await parts.gateway.sweep(SweepStrike(EVENT_ID, MarketId(7), StrikeId("home")))

    steps = (refused(400, "invalid_market_id"), reply({"success": True}))
    sents, answers = noted(sweep, sweep=steps)
    assert [(one.what, one.strike_id) for one in sents] == [("sweep", "home")] * 2
    assert [one.outcomes for one in answers] == [("not executed",), ("done",)]

    async def everything(parts: Parts) -> None:
        await parts.gateway.cancel_everything()

    [one], [end] = noted(everything, everything=(refused(503, "internal_error", "x" * 400),))
    assert (one.what, one.external_ids) == ("mass cancel", ())
    assert end.outcomes[0].startswith("failed: internal_error")
    assert len(end.outcomes[0]) <= WORDS_CHARS_MAX


def test_nothing_is_told_before_the_write_has_been_made() -> None:
    """The order leaves first: telling takes its turn in the loop."""

    async def scenario() -> None:
        parts, notes = a_client(), list[Note]()
        parts.rest.attempts.keep = notes.append
        seen: list[int] = []

        def answer(_: object) -> object:
            seen.append(len(notes))
            return reply({"success": True})

        parts.http.on(CANCEL, answer)  # type: ignore[arg-type]  # called with what was asked
        await parts.clock.sleep(1.1)
        await parts.gateway.cancel([ref(1)])
        await asyncio.sleep(0)
        assert seen == [0]
        assert len(notes) == 2

    run(scenario())
