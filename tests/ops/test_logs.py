"""Log lines are JSON, and no secret passes whatever shape it comes in."""

from __future__ import annotations

import errno
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.facts import Alarm, FillCounted
from mmbot.domain.ids import ExternalId, LineId, StrikeId
from mmbot.ops.logs import HIDDEN, Redactor, configure, log_fact

SECRET = "s3cr3t-value"


@dataclass(frozen=True, slots=True)
class Holder:
    access_key: str
    note: str


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield io.StringIO()
    structlog.reset_defaults()
    root.handlers[:] = before
    root.setLevel(level)


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_time_and_level(out: io.StringIO) -> None:
    configure([], "info", out).info("started", port=9464)
    (line,) = lines(out)
    assert line.pop("time").endswith("Z")
    assert line == {"event": "started", "level": "info", "port": 9464}


def test_levels_below_the_chosen_one_are_silent(out: io.StringIO) -> None:
    logger = configure([], "warning", out)
    logger.info("no")
    logger.warning("yes")
    assert [line["event"] for line in lines(out)] == ["yes"]


@pytest.mark.parametrize(
    "words",
    [
        {"text": f"login with {SECRET} failed"},
        {"url": f"https://x/?k={SECRET}&b=1"},
        {"nested": {"list": [1, (SECRET, {"k": SECRET})]}},
        {"access_key": "anything-at-all-xyz"},
        {"headers": {"Authorization": "Bearer abc.def.ghi"}},
        {"message": "sent Bearer abcdef0123456789"},
        {"jwt": "got eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl here"},
        {"holder": Holder(access_key="anything-at-all-xyz", note=SECRET)},
        {SECRET: "as a key"},
        {"url": "https://odds.example/?apiKey=abcdef0123456789&x=1"},
        {"error": ValueError(f"bad {SECRET}")},
        {"raw": SECRET.encode()},
    ],
)
def test_no_secret_passes(out: io.StringIO, words: dict[str, Any]) -> None:
    configure([SECRET], "info", out).info("happened", **words)
    text = out.getvalue()
    assert HIDDEN in text
    for secret in (SECRET, "anything-at-all-xyz", "abcdef0123456789", "abc.def", "eyJzdWIi"):
        assert secret not in text


def test_a_traceback_is_cleaned_too(out: io.StringIO) -> None:
    logger = configure([SECRET], "info", out)
    try:
        raise ValueError(f"no entry for {SECRET}")
    except ValueError:
        logger.exception("failed")
    assert SECRET not in out.getvalue()
    assert "ValueError" in lines(out)[0]["exception"]


def test_what_libraries_log_is_json_and_cleaned(out: io.StringIO) -> None:
    configure([SECRET], "info", out)
    logging.getLogger("aiohttp.client").warning("retry %s", SECRET)
    (line,) = lines(out)
    assert (line["event"], line["logger"]) == (f"retry {HIDDEN}", "aiohttp.client")


def test_endless_and_bottomless_values_are_cut() -> None:
    bottomless: list[Any] = []
    bottomless.append(bottomless)
    redactor = Redactor([SECRET])
    assert len(redactor.text("x" * 100_000)) < 5_000
    assert redactor.value(bottomless)


@given(st.text(), st.text())
def test_a_known_secret_is_found_inside_any_text(before: str, after: str) -> None:
    assert SECRET not in Redactor([SECRET]).text(f"{before}{SECRET}{after}")


def test_a_secret_that_contains_another_is_hidden_whole() -> None:
    assert Redactor(["abcd", "abcdef"]).text("abcdef") == HIDDEN


class FullDisk(io.StringIO):
    """A log file on a disk that is full for a while."""

    full = True

    def write(self, text: str) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


def test_a_full_disk_loses_lines_and_says_how_many(out: io.StringIO) -> None:  # faults: H7
    disk = FullDisk()
    logger = configure([], "info", disk)
    logger.warning("one")
    logging.getLogger("aiohttp.client").warning("two")
    disk.full = False
    logger.warning("three")
    lost, told = lines(disk)
    assert (lost["event"], lost["lines"]) == ("LinesLost", 2)
    assert told["event"] == "three"
    logger.warning("four")
    assert [line["event"] for line in lines(disk)] == ["LinesLost", "three", "four"]


def test_an_alarm_is_a_warning_and_a_fill_is_news(out: io.StringIO) -> None:
    logger = configure([], "info", out)
    log_fact(logger, Alarm(what="unknown_run", detail="a second daemon"))
    log_fact(logger, FillCounted(ExternalId("mm-1"), LineId("l"), StrikeId("s"), 110, 2500))
    alarm, fill = lines(out)
    assert (alarm["event"], alarm["level"], alarm["what"]) == ("Alarm", "warning", "unknown_run")
    assert (fill["event"], fill["level"], fill["stake_cents"]) == ("FillCounted", "info", 2500)
