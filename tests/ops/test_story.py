"""The story of an order: from its entries to plain sentences, in order of time."""

from __future__ import annotations

from mmbot.domain.book import Level
from mmbot.domain.entries import (
    Entry,
    FillDisputed,
    FillReversed,
    OrderStepped,
    PlaceIntended,
    RunStarted,
    SettlementSeen,
)
from mmbot.domain.evidence import Evidence, Kind
from mmbot.domain.ids import OrderId, StrikeId
from mmbot.domain.motive import FairSeen, Motive, Verdict
from mmbot.domain.notes import IdExists, ManualSeen, RequestAnswered, RequestSent, ResendDecided
from mmbot.domain.order import State, Step
from mmbot.domain.price import Price
from mmbot.domain.view import Position
from mmbot.ops.story import Story, story
from mmbot.ops.telling import clock, plain
from tests.builders import AWAY, HOME, NOW, RUN, SECOND, a_report, an_order, ident

MS = 1_000_000
ME = ident()
CHECKS = ("on_ladder", "data_is_fresh")
RUN_1 = RunStarted(RUN, NOW - SECOND, CHECKS)
MOTIVE = Motive(
    (FairSeen("feed", 412_300, 250),),
    (None, Level(Price(-140), 12_000)),
    40,
    Position((5_000, 0), (7_500, 0)),
)
VERDICT = Verdict("ENABLED", 5_000, 15_000, 50_000, 60_000, 200_000, 10_000, 800_000)
ORDER = an_order(order_id=None)
INTENT = PlaceIntended(ORDER, False, MOTIVE, VERDICT)


def stepped(
    step: Step, state: State, kind: Kind, after_ms: int, filled: int = 0, detail: str = ""
) -> OrderStepped:
    evidence = Evidence(kind, "place", detail)
    wanted = step is Step.CANCEL_WANTED
    return OrderStepped(ME, step, state, filled, "theirs", wanted, evidence, NOW + after_ms * MS)


def told(*entries: Entry) -> Story:
    return story(ME, entries, RUN_1)


def texts(*entries: Entry) -> list[str]:
    return [one.text for one in told(*entries).told]


def test_view_verdict_and_intent_come_first() -> None:
    view, gate, intent = texts(INTENT)
    assert view == (
        "view of consensus: fair 41.23 % by feed, 0.250 s old; best of others none here, "
        "-140 x 120.00 opposite; book 0.040 s old; inventory 50.00 here, 0.00 opposite"
    )
    assert gate == (
        "gate: 2 checks passed, mode ENABLED; line holds 50.00, 150.00 if everything fills, "
        "limit 500.00; everything 600.00 of 2,000.00; unmatched 100.00 of 8,000.00"
    )
    assert intent == "intent: 100.00 at +150 on strike-home; in the journal before anything leaves"


def test_a_fair_value_is_told_for_the_orders_own_side() -> None:
    away = PlaceIntended(an_order(side=1, strike_id=AWAY), False, MOTIVE, None)
    assert "fair 58.77 % by feed" in texts(away)[0]
    assert "-140 x 120.00 here" in texts(away)[0]


def test_attempts_and_answers_stand_where_they_happened() -> None:
    place = RequestSent(1, "place", (ident(9), ME), NOW + 2 * MS)
    answer = RequestAnswered(1, 200, "", ("open", "lost: in neither list"), NOW + 5 * MS)
    lost = stepped(Step.LOST_REPLY, State.IN_DOUBT, Kind.SILENCE, 6)
    resend = ResendDecided(ME, VERDICT, NOW + 3_000 * MS)
    again = RequestSent(2, "place", (ME,), NOW + 3_001 * MS)
    shown = stepped(Step.SEEN_ALIVE, State.OPEN, Kind.SAME_ID, 3_010, detail="open")
    said = told(INTENT, lost, shown, resend, place, answer, again)  # notes are kept later
    assert [one.text for one in said.told[3:]] == [
        "sent: place, one of 2 in the request (attempt 1)",
        "answer to attempt 1 after 3.0 ms: 200, lost: in neither list",
        "INTENDED -> IN_DOUBT: lost reply; no usable answer",
        "still wanted: the same id is to go out again, at most one can land",
        "sent: the same id again (attempt 2)",
        "IN_DOUBT -> OPEN: seen alive; the answer to the same id sent again (open)",
    ]
    assert said.title == f"{ME}, order theirs: OPEN"
    assert said.unproven == f"what happened since it was last shown alive at {clock(shown.at_ns)}"


def test_fills_an_end_and_who_said_so() -> None:
    entries = (
        INTENT,
        stepped(Step.SEEN_ALIVE, State.OPEN, Kind.REPLY, 4),
        stepped(Step.PART_FILL, State.OPEN, Kind.MESSAGE, 9, filled=2_500),
        stepped(Step.CANCEL_WANTED, State.CANCELLING, Kind.DECISION, 12, 2_500, "no quote"),
        stepped(Step.CANCEL_CONFIRMED, State.CANCELLED, Kind.READ, 20, 2_500, "canceled"),
    )
    lines = texts(*entries)[4:]
    assert lines == [
        "filled 25.00, 25.00 of 100.00 in all; a private message",
        "OPEN -> CANCELLING: cancel wanted: no quote",
        "CANCELLING -> CANCELLED: cancel confirmed; a read of the place (canceled)",
    ]
    said = told(*entries)
    assert said.ending == (
        "it ended CANCELLED, 25.00 of 100.00 filled; a read of the place proved it"
    )
    assert said.unproven == "the result of what has filled"
    settled = told(*entries, SettlementSeen(ME, "profit", NOW + SECOND))
    assert "settled as profit" in settled.ending
    assert settled.unproven == ""


def test_the_exchanges_own_figures_are_told() -> None:
    evidence = Evidence(Kind.READ, "history", "absent from two", NOW, NOW + 500 * MS, 17)
    gone = OrderStepped(ME, Step.TRUSTED_ABSENT, State.REJECTED, 0, "", False, evidence, NOW)
    figures = f"their clock {clock(NOW)}; synced {clock(NOW + 500 * MS)}; number 17"
    assert f"a read of the history (absent from two; {figures})" in texts(INTENT, gone)[-1]


def test_each_living_state_says_what_is_not_proven() -> None:
    doubt = stepped(Step.LOST_REPLY, State.IN_DOUBT, Kind.RESTART, 5)
    cancel = stepped(Step.CANCEL_WANTED, State.CANCELLING, Kind.DECISION, 9)
    assert "whether it reached the exchange" in told(INTENT).unproven
    assert "whether it lives" in told(INTENT, doubt).unproven
    assert "that it ended" in told(INTENT, cancel).unproven
    assert told(INTENT, doubt).ending == "it lives: IN_DOUBT, 0.00 of 100.00 filled"


def test_wide_cancels_concern_only_what_lived_then_and_there() -> None:
    ended = stepped(Step.CANCEL_CONFIRMED, State.CANCELLED, Kind.MESSAGE, 50)
    here = RequestSent(1, "sweep", (), NOW + 10 * MS, HOME)
    there = RequestSent(2, "sweep", (), NOW + 10 * MS, StrikeId("elsewhere"))
    all_of_it = RequestSent(3, "mass cancel", (), NOW + 40 * MS)
    answer = RequestAnswered(3, 200, "", ("done",), NOW + 60 * MS)
    late = RequestSent(4, "mass cancel", (), NOW + 70 * MS)
    late_answer = RequestAnswered(4, 200, "", ("done",), NOW + 80 * MS)
    lines = texts(INTENT, here, there, ended, all_of_it, answer, late, late_answer)[3:]
    assert lines == [
        "sent: cancel of everything on strike-home (attempt 1)",
        "sent: cancel of everything on the account (attempt 3)",
        "INTENDED -> CANCELLED: cancel confirmed; a private message",
        "answer to attempt 3 after 20.0 ms: 200, done",
    ]


def test_numbers_of_another_run_are_other_attempts() -> None:
    entries = (
        INTENT,
        RequestSent(1, "place", (ME,), NOW + MS),
        RunStarted("fedcba987654", NOW + SECOND),
        RequestAnswered(1, 200, "", ("of another order",), NOW + 2 * SECOND),
    )
    assert texts(*entries)[-1] == "mmbot started anew (run fedcba987654)"


def test_an_end_that_was_contradicted_is_told_with_its_last_end() -> None:
    entries = (
        INTENT,
        stepped(Step.CANCEL_CONFIRMED, State.CANCELLED, Kind.MESSAGE, 5),
        stepped(Step.SEEN_ALIVE, State.CANCELLING, Kind.READ, 90),
        stepped(Step.CANCEL_CONFIRMED, State.CANCELLED, Kind.CANCEL_ITEM, 95),
    )
    assert told(*entries[:3]).ended is None
    assert told(*entries).ending.endswith("the answer to a cancel of it proved it")


def test_a_fill_taken_back_names_both_proofs() -> None:
    filled = stepped(Step.FILLED_UP, State.FILLED, Kind.MESSAGE, 5, filled=10_000)
    read = Evidence(Kind.READ, "order")
    back = FillReversed(ME, State.CLOSED, 4_000, 6_000, ("row-7",), read, NOW + SECOND)
    less, over = FillDisputed(ME, 6_000, NOW + MS), FillDisputed(ME, 0, NOW + 2 * MS)
    said = told(INTENT, filled, less, over, back)
    shown = [one.text for one in said.told]
    assert "the exchange shows 60.00 less filled; they count until money decides" in shown
    assert "its fills are as counted again" in shown
    assert said.told[-1].text == (
        "CLOSED: taken back 60.00, 40.00 stay filled; a read of the order and the money rows row-7"
    )
    assert said.order is not None
    assert (said.order.state, said.order.filled_cents) == (State.CLOSED, 4_000)


def test_adopted_landed_and_a_line_that_became_known() -> None:
    adopted = PlaceIntended(an_order(owner=""), adopted=True)
    moved = PlaceIntended(an_order(owner=""), adopted=True)
    exists = IdExists(ME, Evidence(Kind.SAME_ID, "place"), NOW + MS)
    first, second, third = texts(adopted, moved, exists)
    assert first.startswith("found on the exchange and taken over: 100.00 at +150")
    assert second == "its line became known: 501/251/0"
    assert third.startswith("its id exists on the exchange: something landed")


def test_a_persons_order_has_a_story_too() -> None:
    report = a_report(an_order(), filled=1_000, external_id=None, order_id=OrderId("hand"))
    seen = ManualSeen.of(report, Evidence(Kind.MESSAGE, "orders"), NOW)
    said = story("hand", [seen])
    assert said.title == "hand is not ours: a person's order, counted and left alone"
    assert said.told[0].text == (
        "a person's order, 100.00 at +150 on strike-home: open, filled 10.00, open 90.00; "
        "a private message"
    )
    assert (said.ending, said.unproven) == ("", "")


def test_an_older_ledger_still_has_a_story() -> None:
    intent = PlaceIntended(ORDER)
    step = stepped(Step.SEEN_ALIVE, State.OPEN, Kind.TEXT, 5, detail="reply status open")
    assert texts(intent, step)[1] == (
        "INTENDED -> OPEN: seen alive; an older ledger (reply status open)"
    )


def test_what_has_no_sentence_is_told_by_its_fields() -> None:
    assert plain(Evidence(Kind.READ, "order")) == "Evidence: kind read, source order"


def test_a_time_of_the_exchange_may_be_anything() -> None:
    assert clock(10**40) == str(10**40)
