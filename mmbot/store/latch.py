"""The halt latch: a file name. Setting it is a rename, which needs no free space."""

from __future__ import annotations

from pathlib import Path

from mmbot.domain.errors import SetUpError


class HaltLatch:
    """`halt.ready` exists while free, `HALTED` while latched; it survives every restart."""

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
        return self._set.exists()

    def latch(self) -> None:
        """Idempotent: a second halt finds the name taken and is content."""
        if not self.latched:
            self._free.rename(self._set)

    def release(self) -> None:
        """A person resumes."""
        if self.latched:
            self._set.rename(self._free)
