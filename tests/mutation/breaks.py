"""One break of the program, as text: what is replaced by what, and why it must be caught."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class StaleBreak(ValueError):
    """The old text is not in its file exactly once: the break proves nothing."""


@dataclass(frozen=True, slots=True)
class Break:
    """`old` occurs exactly once in `file`.

    `faults` are those of the list under which a few seeds notice; they are tried before `all`.
    `beside` names a break of the daemon, for breaks of the witness: a witness that sees less is
    only noticed where there is something to see. `equivalent` is the proof that no day can tell
    the difference; such a break is listed and not run.
    """

    name: str
    file: str
    old: str
    new: str
    why: str
    faults: str = ""
    beside: str = ""
    equivalent: str = ""

    def apply(self, tree: Path) -> None:
        """Rewrite the file in that copy of the tree; raises StaleBreak."""
        path = tree / self.file
        path.write_text(self.applied(path), encoding="utf-8")

    def applied(self, path: Path) -> str:
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise StaleBreak(f"{self.name}: {self.file}: {error.strerror}") from None
        times = text.count(self.old)
        if times != 1:
            raise StaleBreak(f"{self.name}: its text is {times} times in {self.file}, not once")
        return text.replace(self.old, self.new)
