"""What goes wrong on the way between the daemon and the exchange, and when: drawn from a seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Final


class Kind(Enum):
    DELAY = "delay"  # everything comes `amount` s later
    JITTER = "jitter"  # between 0 and `amount` s later, in order
    THROTTLE = "throttle"  # `amount` bytes a second
    HALF_CLOSE = "half-close"  # the exchange says no more, and still listens
    RESET = "reset"  # open connections are reset, and whoever comes meanwhile
    BLACKHOLE = "blackhole"  # nothing passes and nobody is told; what waited comes afterwards
    TRUNCATE = "truncate"  # the next answer of an open connection stops in its middle


class Route(Enum):
    REST = "rest"
    STREAM = "stream"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Trouble:
    """From `at_s` on, seconds after the plan began, for `lasts_s`."""

    kind: Kind
    route: Route
    at_s: float
    lasts_s: float
    amount: float = 0.0

    @property
    def until_s(self) -> float:
        return self.at_s + self.lasts_s

    def hits(self, route: Route) -> bool:
        return self.route in {route, Route.BOTH}

    def __str__(self) -> str:
        amount = f" {self.amount:g}" if self.amount else ""
        return f"{self.kind.value}{amount} on {self.route.value} for {self.lasts_s:.1f} s"


@dataclass(frozen=True, slots=True)
class Form:
    """How long a kind lasts and how bad it is, each from..to."""

    lasts_s: tuple[float, float]
    amount: tuple[float, float] = (0.0, 0.0)


FORMS: Final = {
    Kind.DELAY: Form((3.0, 8.0), (0.1, 0.6)),
    Kind.JITTER: Form((3.0, 8.0), (0.1, 0.8)),
    Kind.THROTTLE: Form((3.0, 8.0), (20_000.0, 60_000.0)),
    Kind.HALF_CLOSE: Form((0.0, 0.0)),
    Kind.RESET: Form((0.0, 3.0)),
    # Shorter than a detection is noise; longer than it must have been noticed.
    Kind.BLACKHOLE: Form((6.0, 20.0)),
    Kind.TRUNCATE: Form((0.0, 0.0)),
}
FIRST_S: Final = 8.0  # of quoting
APART_S: Final = (45.0, 75.0)  # from the end of one to the next: time to come back and to quote


def draw_troubles(seed: int, until_s: float) -> tuple[Trouble, ...]:
    """One after the other, none past `until_s`; every kind comes once before one comes twice."""
    draw = Random(f"troubles {seed}")
    found: list[Trouble] = []
    at_s = FIRST_S
    for kind in _kinds(draw):
        form = FORMS[kind]
        route = draw.choice(tuple(Route))
        trouble = Trouble(
            kind, route, at_s, draw.uniform(*form.lasts_s), draw.uniform(*form.amount)
        )
        if trouble.until_s > until_s:
            break
        found.append(trouble)
        at_s = trouble.until_s + draw.uniform(*APART_S)
    return tuple(found)


def _kinds(draw: Random) -> Iterator[Kind]:
    while True:
        yield from draw.sample(tuple(Kind), len(Kind))


def now_on(troubles: Sequence[Trouble], at_s: float) -> Trouble | None:
    """What holds at that moment, given that troubles of one route do not overlap."""
    return next((one for one in troubles if one.at_s <= at_s < one.until_s), None)
