"""The halt latch: a file name. Setting it is a rename, which needs no free space."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from mmbot.domain.errors import SetUpError

REASON_BYTES_MAX: Final = 400


class HaltLatch:
    """`halt.ready` exists while free, `HALTED` while latched; it survives every restart.

    Whoever makes the name HALTED halts us: a person with `touch`, too.
    """

    def __init__(self, state_dir: Path) -> None:
        self._free = state_dir / "halt.ready"
        self._set = state_dir / "HALTED"

    def prepare(self) -> None:
        """Make the file that a halt will rename; raises SetUpError where that cannot be done."""
        if self.latched:
            return
        try:
            self._free.touch(mode=0o600)
        except OSError as error:
            raise SetUpError(f"{self._free}: cannot be written: {error.strerror}") from None

    @property
    def latched(self) -> bool:
        try:
            return self._set.exists()
        except OSError:  # who cannot read it must not quote
            return True

    @property
    def reason(self) -> str:
        """Who latched it and why, where there was space for words."""
        try:
            with self._set.open("rb") as file:
                text = file.read(REASON_BYTES_MAX)
        except OSError:
            return ""
        return " ".join(text.decode(errors="replace").split())

    def latch(self, reason: str = "") -> None:
        """Idempotent: a second halt finds the name taken and is content. Raises OSError."""
        if self.latched:
            return
        try:
            self._free.rename(self._set)
        except FileNotFoundError:  # somebody took the prepared file away, or was faster
            self._set.touch(mode=0o600)
        with suppress(OSError):  # a full disk has no space for words: the name is what counts
            self._set.write_text(reason, encoding="utf-8")
        self._sync()

    def release(self) -> None:
        """A person resumes. Raises OSError."""
        if self.latched:
            self._set.rename(self._free)
            self._sync()

    def _sync(self) -> None:
        """The name outlives a power cut, too, where the system can promise it."""
        with suppress(OSError):
            folder = os.open(self._set.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
