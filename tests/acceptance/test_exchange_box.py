"""The checklist of "The exchange in a box": one test per line of the issue.

What a line promises in depth is tested beside the code; here each line is walked once through
the public door. The long ones run with FULL=1.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance import (
    exchange_core,
    exchange_document,
    exchange_faults,
    exchange_market,
    exchange_readings,
    exchange_speed,
    exchange_stream,
    exchange_wire,
)


def test_line_1_every_route_in_three_dialects_over_one_core(tmp_path: Path) -> None:
    """Every route of section 4 in the v4, seed and legacy dialects at the same time."""
    exchange_wire.walk_dialects(tmp_path)


def test_line_2_auth(tmp_path: Path) -> None:
    """Key pairs, expiry in every unit, refresh, 20 sessions, suspended, several accounts."""
    exchange_wire.walk_auth(tmp_path)


def test_line_3_matching() -> None:
    """Price-time over opposite outcomes ... cents that always add up."""
    exchange_core.walk_matching()


def test_line_4_money() -> None:
    """Funds on fill, caps, settlement, fee, exposure credit, transactions, refund."""
    exchange_core.walk_money()


def test_line_5_life_cycle() -> None:
    """Listed, relisted, unlisted, start moved, go live, ended; lines move; suspended, reopened."""
    exchange_core.walk_life_cycle()


def test_line_6_stream(tmp_path: Path) -> None:
    """Both subscription models, HMAC, every close code on demand, health_check, ws_host moves."""
    exchange_stream.walk_stream(tmp_path)


@pytest.mark.timeout(180)
def test_line_7_life_in_the_market(tmp_path: Path) -> None:
    """Seeded takers and rivals; speed-up; scenario files; ten shipped."""
    exchange_market.walk_market(tmp_path)


def test_line_8_faults_on_purpose() -> None:
    """Each exchange-side fault id by scenario or control route; /_box/truth."""
    exchange_faults.walk_faults()


@pytest.mark.timeout(900)
def test_line_9_both_readings() -> None:
    """Each unknown is a switch; the daemon runs under each value on the virtual clock."""
    exchange_readings.walk_readings()


@pytest.mark.timeout(600)
def test_real_peers() -> None:
    """pusher-js, pysher, asyncpusher, soketi, the seed-style script in two dialects."""
    exchange_stream.walk_peers()


def test_conformance(tmp_path: Path) -> None:
    """`mmbot exchange --self-test`: every contract example, both ways, red when edited wrongly."""
    exchange_wire.walk_conformance(tmp_path)


@pytest.mark.timeout(2500)
def test_speed_and_size() -> None:
    """100,000 core messages/s, 1,500 orders/s over HTTP, 200 clients, flat memory."""
    exchange_speed.walk_speed()


def test_done_when_bad_requests_get_the_documented_error(tmp_path: Path) -> None:
    """Fuzzed bodies, 100 MB body, slow-loris, wrong HMAC, 10,000 subscriptions."""
    exchange_wire.walk_bad_requests(tmp_path)


def test_done_when_the_document_teaches_the_box() -> None:
    """docs/exchange.md: in five minutes; known, inferred and unknown about the venue."""
    exchange_document.walk_document()
