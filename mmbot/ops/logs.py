"""JSON log lines on stderr; no secret passes."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final, TextIO, assert_never, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from mmbot.domain.facts import (
    Alarm,
    DifferenceRepaired,
    Fact,
    FillCounted,
    FillTakenBack,
    ModeChanged,
    OrderIntended,
    OrderMoved,
    PlacementRefused,
    Reconciled,
    StrategyFailed,
)

LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
HIDDEN: Final = "***"
SECRET_KEY_NAMES: Final = re.compile(
    r"(?i)(secret|token|password|authorization|access_?key|api_?key|credential|cookie)"
)
# Secrets that nobody told us: bearer headers, JSON web tokens, keys inside an address.
SECRET_SHAPES: Final = re.compile(
    r"(?i)(?<=bearer )[\w.~+/=-]+"
    r"|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"
    r"|(?<=[?&]apikey=)[^&\s\"']+"
)
SECRET_LENGTH_MIN: Final = 3  # a shorter one would hide ordinary words
DEPTH_MAX: Final = 8  # deeper values are shown as text
TEXT_CHARS_MAX: Final = 4_000


class Redactor:
    """Hides known secret values, secret key names and secret shapes, at any depth."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({s for s in secrets if len(s) >= SECRET_LENGTH_MIN}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def text(self, text: str) -> str:
        """The text without secrets, cut to `TEXT_CHARS_MAX`."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        text = SECRET_SHAPES.sub(HIDDEN, text)
        return text if len(text) <= TEXT_CHARS_MAX else f"{text[:TEXT_CHARS_MAX]}..."

    def value(self, value: object, depth: int = 0) -> object:
        """The same value, JSON-able and without secrets."""
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, str):
            return self.text(value)
        if depth >= DEPTH_MAX:
            return self.text(repr(value))
        if isinstance(value, Mapping):
            return {
                self.text(str(key)): HIDDEN
                if SECRET_KEY_NAMES.search(str(key))
                else self.value(item, depth + 1)
                for key, item in value.items()
            }
        if is_dataclass(value) and not isinstance(value, type):
            named = {field.name: getattr(value, field.name) for field in fields(value)}
            return self.value(named, depth)
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.value(item, depth + 1) for item in value]
        return self.text(str(value))

    def __call__(self, logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
        """As a structlog processor; runs last, so that it also sees tracebacks."""
        cleaned = self.value(dict(event))
        assert isinstance(cleaned, dict)
        return cleaned


class Sink:
    """A log that cannot be written (its disk is full) is no reason to stop; what is lost is."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.lost = 0

    def write(self, text: str) -> None:
        try:
            if self.lost:
                self._out.write(json.dumps({"event": "LinesLost", "lines": self.lost}) + "\n")
            self._out.write(text)
            self._out.flush()
            self.lost = 0
        except OSError:
            self.lost += 1

    def flush(self) -> None:
        """Each line is flushed when it is written."""


def configure(
    secrets: Iterable[str], level: str = "info", stream: TextIO | None = None
) -> FilteringBoundLogger:
    """Set up structlog for the process, and return the daemon's logger."""
    out = Sink(sys.stderr if stream is None else stream)
    redactor = Redactor(secrets)
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redactor,
        structlog.processors.JSONRenderer(),
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", out)),
        cache_logger_on_first_use=False,
    )
    _route_standard_logging(redactor, level, out)
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


def _route_standard_logging(redactor: Redactor, level: str, out: Sink) -> None:
    """Libraries log through `logging`: one handler, the same JSON, from warning upwards."""
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_logger_name,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
                structlog.stdlib.PositionalArgumentsFormatter(),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redactor,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(max(LEVELS[level], logging.WARNING))


def log_fact(logger: FilteringBoundLogger, fact: Fact) -> None:
    """One line per fact; what a person must see is a warning, the order's daily life is debug."""
    level = _level(fact)
    if logger.is_enabled_for(level):  # asked first: this stands in the path of every order
        logger.log(level, type(fact).__name__, **_words(fact))


def _level(fact: Fact) -> int:
    match fact:
        case Alarm(page=True):
            return logging.CRITICAL
        case Alarm() | StrategyFailed():
            return logging.WARNING
        case ModeChanged() | FillCounted() | FillTakenBack() | DifferenceRepaired() | Reconciled():
            return logging.INFO
        case OrderIntended() | OrderMoved() | PlacementRefused():
            return logging.DEBUG
        case _:
            assert_never(fact)


def _words(fact: Fact) -> dict[str, Any]:
    return {field.name: getattr(fact, field.name) for field in fields(fact)}
