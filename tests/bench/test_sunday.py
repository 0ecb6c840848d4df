"""The judgement of the Sunday bench: what is flat, what grows, what was a pause."""

from __future__ import annotations

import pytest

from tests.bench.sunday import GROWTH_MAX_SHARE, Sample, growth, stood_still_s


def _samples(*rss_mib: float, every_s: float = 5.0) -> list[Sample]:
    return [Sample(number * every_s, one, 0.0) for number, one in enumerate(rss_mib)]


def test_a_warm_up_and_noise_are_flat() -> None:
    warm = [50 + min(one, 55) for one in range(200)]
    wave = [one + (number % 3) * 0.2 for number, one in enumerate(warm)]
    assert abs(growth(_samples(*wave))[1]) < GROWTH_MAX_SHARE


def test_a_leak_after_the_warm_up_is_growth() -> None:
    per_h, share = growth(_samples(*(80 + one * 0.1 for one in range(300))))
    assert per_h == pytest.approx(72.0)
    assert share > GROWTH_MAX_SHARE


def test_a_pause_of_the_machine_is_told_apart() -> None:
    samples = [*_samples(80, 80, 80), Sample(70.0, 80.0, 0.0)]
    assert stood_still_s(samples) == pytest.approx(55.0)
    assert stood_still_s(_samples(80, 80, 80)) == 0.0
