"""Our ids say whose they are and of which run."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.ids import (
    EXTERNAL_ID_LENGTH_MAX,
    MarketId,
    SportEventId,
    external_id,
    line_id,
    run_of,
)
from mmbot.domain.money import usd

prefixes = st.from_regex(r"[A-Za-z0-9_]{1,20}", fullmatch=True)
runs = st.integers(0, 2**48 - 1).map(lambda bits: f"{bits:012x}")


@given(prefixes, runs, st.integers(1, 10**12))
def test_an_external_id_is_legal_and_tells_its_run(prefix: str, run: str, n: int) -> None:
    ident = external_id(prefix, run, n)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", ident)
    assert len(ident) <= EXTERNAL_ID_LENGTH_MAX
    assert run_of(prefix, ident) == run


@pytest.mark.parametrize("foreign", ["", "manual-1", "mm", "mm-", "mm-abc", "mm-abc-x", "xmm-a-1"])
def test_an_order_of_a_human_is_not_ours(foreign: str) -> None:
    assert run_of("mm", foreign) is None


def test_a_line_is_known_by_event_market_and_number() -> None:
    assert line_id(SportEventId(7), MarketId(223), -4.5) == "7/223/-4.5"
    assert line_id(SportEventId(7), MarketId(219), None) == "7/219/0"


@pytest.mark.parametrize(
    ("cents", "text"),
    [(0, "0.00"), (5, "0.05"), (-123456, "-1,234.56"), (100_000_000, "1,000,000.00")],
)
def test_money_for_people(cents: int, text: str) -> None:
    assert usd(cents) == text
