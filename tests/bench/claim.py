"""One line of a bench's verdict."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claim:
    """One line of the verdict; `spread` is the other rounds, or what else there is to know."""

    name: str
    value: float
    unit: str
    limit: float
    at_least: bool
    spread: str

    @property
    def kept(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def line(self) -> str:
        sign = ">=" if self.at_least else "<="
        word = "ok" if self.kept else "FAILED"
        value = f"{self.value:,.2f}" if self.value < 100 else f"{self.value:,.0f}"
        return (
            f"{self.name:<34}{value:>12} {self.unit:<10} {sign} {self.limit:,g}  {word:<7}"
            f" {self.spread}"
        )
