"""What came out of one simulated day, and out of many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from mmbot.app.simulate_faults import unstruck, what

ID_WIDTH: Final = 4
MEASURES: Final = ("orders", "fills", "lines", "fault_strikes", "fault_kinds", "virtual_s", "cpu_s")


@dataclass(slots=True)
class DayReport:
    """What came out of one seed; no `findings` means that every invariant held."""

    seed: int
    latency: str
    strategy: str = ""
    virtual_s: float = 0.0
    lines: int = 0  # of the market, that had an order of ours
    orders: int = 0
    fills: int = 0
    requests: int = 0
    requests_per_second_max: int = 0
    steps_per_s: int = 0  # turns of the event loop, box included
    quoted_share_min: float = 0.0
    pnl_cents: int = 0
    faults: dict[str, int] = field(default_factory=dict)  # by how they were made
    strikes: dict[str, int] = field(default_factory=dict)  # by the id of the fault list
    moments: list[str] = field(default_factory=list)  # that were played, as `--only` names them
    struck: list[str] = field(default_factory=list)  # faults that were drawn, likewise
    looks: int = 0  # of the judge that looks at every step
    audits: int = 0
    crashes: int = 0
    starts: int = 0
    failed_starts: int = 0
    alarms: dict[str, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    digest: str = ""  # of the box's whole record
    journal: str = ""  # SHA-256 of the journal's entries
    cpu_s: float = 0.0
    log: str = field(default="", repr=False)

    @property
    def good(self) -> bool:
        return not self.findings

    @property
    def fault_strikes(self) -> int:
        return sum(self.strikes.values())

    @property
    def fault_kinds(self) -> int:
        return len(self.strikes)

    def as_json(self) -> dict[str, Any]:
        table = asdict(self)
        del table["log"]
        return table


def line(report: DayReport) -> str:
    """One seed on one line."""
    count = len(report.findings)
    verdict = "ok" if report.good else f"{count} finding{'s' if count > 1 else ''}"
    return (
        f"seed {report.seed}  {report.latency}  {report.strategy}  {report.virtual_s:.0f} s  "
        f"{report.lines} lines  {report.orders} orders  {report.fills} fills  "
        f"{report.crashes} crashes  {report.fault_strikes} strikes of {report.fault_kinds} faults  "
        f"journal {report.journal[:12] or '-'}  {report.cpu_s:.1f} s cpu  {verdict}"
    )


@dataclass(slots=True)
class Total:
    """The sum of a run."""

    ids: tuple[str, ...]
    rows: list[tuple[float, ...]] = field(default_factory=list)
    strikes: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    violations: int = 0

    def add(self, report: DayReport) -> None:
        self.rows.append(tuple(float(getattr(report, name)) for name in MEASURES))
        self.strikes.update(report.strikes)
        self.failed += not report.good
        self.violations += len(report.findings)

    @property
    def unstruck(self) -> list[str]:
        return unstruck(self.strikes, self.ids, len(self.rows))

    @property
    def good(self) -> bool:
        return not self.failed and not self.unstruck

    def spread(self) -> dict[str, dict[str, float]]:
        """Per measure: least, median and the value that nine of ten seeds stay below."""
        columns = {name: sorted(row[i] for row in self.rows) for i, name in enumerate(MEASURES)}
        return {
            name: {"min": values[0], "median": _at(values, 0.5), "p90": _at(values, 0.9)}
            for name, values in columns.items()
        }

    def as_json(self) -> dict[str, Any]:
        return {
            "seeds": len(self.rows),
            "violations": self.violations,
            "failed_seeds": self.failed,
            "spread": self.spread(),
            "strikes": {name: self.strikes.get(name, 0) for name in self.ids},
            "not_struck": self.unstruck,
        }

    def text(self) -> str:
        """The distribution, the strikes, and the last line of the run."""
        lines = ["", f"{'per seed':<14}{'min':>9}{'median':>9}{'p90':>9}"]
        for name, row in self.spread().items():
            shown = "".join(f"{row[key]:>9.10g}" for key in ("min", "median", "p90"))
            lines.append(f"{name.replace('_', ' '):<14}{shown}")
        lines.append("")
        lines += [
            f"{name:<{ID_WIDTH}}{self.strikes.get(name, 0):>7}  {what(name)}" for name in self.ids
        ]
        if self.unstruck:
            lines.append(f"never struck: {', '.join(self.unstruck)}")
        lines.append(f"{len(self.rows)} seeds, {self.violations} violations")
        return "\n".join(lines)


def _at(values: Sequence[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))]
