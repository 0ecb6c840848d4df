"""Entries of earlier versions are still read, each as what it would be now."""

from __future__ import annotations

import pytest

from mmbot.domain.entries import OrderStepped, PlaceIntended, RunStarted
from mmbot.domain.evidence import Evidence, Kind
from mmbot.domain.order import State, Step
from mmbot.store.codec import UnknownKind, decode

STEP = (
    b'{"external_id":"mm-0123456789ab-1","step":"seen alive","state":"OPEN","filled_cents":0,'
    b'"order_id":"theirs","cancel_wanted":false,"evidence":"reply status open","at_ns":7}'
)
INTENT = (
    b'{"order":{"external_id":"mm-0123456789ab-1","event_id":501,"market_id":251,'
    b'"line_id":"501/251/0","strike_id":"home","side":0,"price":150,"quantity_cents":10000,'
    b'"order_strategy":"ALO","owner":"consensus","intended_ns":5,"state":"INTENDED",'
    b'"order_id":null,"filled_cents":0,"cancel_wanted":false},"adopted":false}'
)


def test_a_step_with_evidence_in_words_keeps_its_words() -> None:
    entry = decode("step", STEP)
    assert isinstance(entry, OrderStepped)
    assert (entry.step, entry.state, entry.at_ns) == (Step.SEEN_ALIVE, State.OPEN, 7)
    assert entry.evidence == Evidence(Kind.TEXT, detail="reply status open")


def test_an_intent_without_motive_and_a_run_without_checks() -> None:
    intent = decode("intent", INTENT)
    assert isinstance(intent, PlaceIntended)
    assert (intent.motive, intent.verdict) == (None, None)
    assert decode("run", b'{"run":"0123456789ab","at_ns":7}') == RunStarted("0123456789ab", 7)


def test_a_kind_of_a_later_version_is_refused_by_name() -> None:
    with pytest.raises(UnknownKind, match="'dream'"):
        decode("dream", b"{}")


def test_a_step_that_is_neither_is_refused() -> None:
    with pytest.raises(ValueError, match="evidence"):
        decode("step", STEP.replace(b'"reply status open"', b"17"))
