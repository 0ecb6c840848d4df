"""Errors, grouped by what the caller must do.

MmbotError
 +- TryAgain      nothing was asked of the book: wait `retry_after_s`, then repeat the same thing
 +- Refused       the exchange understood and said no (`code`, `message`): record it
 +- FindOut       the outcome is unknown: ask, never guess
 +- SetUpError    a person must fix configuration or credentials: exit code 2
 +- Stop          the process cannot go on: exit code 1
"""

from __future__ import annotations


class MmbotError(Exception):
    """Work that cannot go on; the message is one clear line without secrets."""


class TryAgain(MmbotError):
    def __init__(self, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Refused(MmbotError):
    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.status = status


class FindOut(MmbotError):
    pass


class SetUpError(MmbotError):
    pass


class Stop(MmbotError):
    pass
