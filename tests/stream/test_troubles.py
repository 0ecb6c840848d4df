"""The plan: the same seed, the same troubles, and room between them."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.stream.troubles import APART_S, FORMS, Kind, Route, Trouble, draw_troubles, now_on

LONG_S = 3_600.0
RESET = Trouble(Kind.RESET, Route.BOTH, at_s=10.0, lasts_s=2.0)


def test_the_same_seed_draws_the_same_troubles() -> None:
    assert draw_troubles(7, LONG_S) == draw_troubles(7, LONG_S)
    assert draw_troubles(7, LONG_S) != draw_troubles(8, LONG_S)


@given(seed=st.integers(0, 10_000), until_s=st.floats(0.0, LONG_S))
def test_troubles_keep_apart_and_end_in_time(seed: int, until_s: float) -> None:
    troubles = draw_troubles(seed, until_s)
    assert all(one.until_s <= until_s for one in troubles)
    assert all(later.at_s - one.until_s >= APART_S[0] for one, later in pairwise(troubles))


@given(seed=st.integers(0, 10_000))
def test_every_kind_comes_before_one_comes_twice(seed: int) -> None:
    kinds = [one.kind for one in draw_troubles(seed, LONG_S)]
    assert set(kinds[: len(Kind)]) == set(Kind) == set(FORMS)


def test_what_holds_at_a_moment() -> None:
    assert now_on([RESET], 9.9) is None
    assert now_on([RESET], 10.0) is RESET
    assert now_on([RESET], 12.0) is None


def test_both_is_either_route() -> None:
    assert RESET.hits(Route.REST)
    assert RESET.hits(Route.STREAM)
    assert not Trouble(Kind.RESET, Route.REST, 0.0, 1.0).hits(Route.STREAM)


def test_a_trouble_says_what_it_is() -> None:
    assert str(Trouble(Kind.DELAY, Route.REST, 1.0, 3.0, 0.25)) == "delay 0.25 on rest for 3.0 s"
    assert str(RESET) == "reset on both for 2.0 s"
