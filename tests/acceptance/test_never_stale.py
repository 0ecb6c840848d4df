"""The checklist of "Never blind, never stale": one test per line of the issue.

What a line promises in depth is tested beside the code; here each line is walked once through
the public door. The long ones run with FULL=1.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance import (
    stream_channels,
    stream_dialects,
    stream_drift,
    stream_freshness,
    stream_network,
    stream_probe,
    stream_pusher,
    stream_quoting,
    stream_session,
)


@pytest.mark.timeout(400)
def test_line_1_pusher() -> None:
    """A sans-IO protocol 7 client: every frame form, sign-in, auth, deadlines, close codes."""
    stream_pusher.walk_pusher()


def test_line_2_subscription_models() -> None:
    """Seed and declarative; a planner by value, within the limit, over several sockets."""
    stream_channels.walk_subscription_models()


@pytest.mark.timeout(400)
def test_line_3_make_before_break() -> None:
    """Every planned change: duplicates counted once, the gap in quoting is zero by the box."""
    stream_channels.walk_make_before_break()


@pytest.mark.timeout(600)
def test_line_4_freshness(tmp_path: Path) -> None:
    """An age and a reason to be trusted; withdrawn within 1 s of knowing; back after agreement."""
    stream_freshness.walk_freshness(tmp_path)


@pytest.mark.timeout(900)
def test_line_5_session(tmp_path: Path) -> None:
    """Tokens never lapse under a quoting daemon, no log-in storms, it survives a restart."""
    stream_session.walk_session(tmp_path / "days")
    stream_session.walk_a_restart(tmp_path)
    stream_quoting.walk_tokens(tmp_path)


@pytest.mark.timeout(900)
def test_line_6_rate_governor(tmp_path: Path) -> None:
    """Decision 9 under all conditions, 429 with and without hints, breakers, a static split."""
    stream_session.walk_governor(tmp_path)
    stream_quoting.walk_refusals(tmp_path)


@pytest.mark.timeout(300)
def test_line_7_contract_drift_shield(tmp_path: Path) -> None:
    """Counted by place, logged once with a sample, in metrics and `mmbot doctor`; fails closed."""
    stream_drift.walk_drift(tmp_path)


@pytest.mark.timeout(1000)
def test_line_8_first_contact(tmp_path: Path) -> None:
    """`mmbot probe`: each open question that a client can measure, and a profile that both read."""
    stream_probe.walk_first_contact(tmp_path)


@pytest.mark.timeout(stream_dialects.RUN_MAX_S)
def test_line_9_both_dialects(tmp_path: Path) -> None:
    """The demo and the crash test run in v4 and in seed."""
    stream_dialects.walk_dialects(tmp_path)


@pytest.mark.timeout(600)
def test_line_10_backpressure(tmp_path: Path) -> None:
    """Bounded inbox; images conflate, private messages never drop; lag is a reason to pull."""
    stream_freshness.walk_backpressure(tmp_path)


def test_speed() -> None:
    """Frame to book <= 40 us; 5,000 messages/s, p99 < 50 ms, flat memory; 10 -> 10,000 lines."""
    stream_network.walk_speed()


def test_done_when_stream_check() -> None:
    """Four scenarios through the chaos proxy and the cable: 0 s stale, share >= 0.8."""
    stream_network.walk_stream_check()


@pytest.mark.timeout(400)
def test_done_when_soketi() -> None:
    """Connect, sign in, subscribe 100 private channels, survive its restart and 4200/4001."""
    stream_pusher.walk_soketi()


@pytest.mark.timeout(stream_probe.RUN_MAX_S)
def test_done_when_probe_recovers_random_settings() -> None:
    """50 of 50 on the virtual clock, and 3 of 3 over sockets."""
    stream_probe.walk_random_settings()
