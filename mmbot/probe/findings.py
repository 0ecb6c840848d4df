"""What was found out, and why the rest is not known: one notebook for one run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Found:
    """`seen` says in one line what was seen; it holds no secret."""

    value: Value
    seen: str


@dataclass(frozen=True, slots=True)
class Unknown:
    why: str


Finding = Found | Unknown


@dataclass(slots=True)
class Notebook:
    """Findings by the name of the setting that they are about, e.g. `rules.fill_or_kill`.

    Two measurements that contradict each other leave the setting unknown, whatever comes later.
    """

    findings: dict[str, Finding] = field(default_factory=dict)
    _torn: set[str] = field(default_factory=set)

    def found(self, name: str, value: Value, seen: str) -> None:
        before = self.findings.get(name)
        if name in self._torn:
            return
        if isinstance(before, Found) and before.value != value:
            self._torn.add(name)
            self.findings[name] = Unknown(f"two answers: {before.seen}; {seen}")
        elif not isinstance(before, Found):
            self.findings[name] = Found(value, seen)

    def unknown(self, name: str, why: str) -> None:
        """Why a measurement told nothing; what another one found stands."""
        if not isinstance(self.findings.get(name), Found):
            self.findings[name] = Unknown(why)

    def leave(self, names: Iterable[str], why: str) -> None:
        """The reason for those names of which nothing at all was written."""
        for name in names:
            self.findings.setdefault(name, Unknown(why))

    def forget(self, names: Iterable[str], why: str) -> None:
        """What was found there answers another question."""
        for name in names:
            self.findings[name] = Unknown(why)

    def value(self, name: str) -> Value | None:
        finding = self.findings.get(name)
        return finding.value if isinstance(finding, Found) else None
