"""When the daemon is killed: drawn from a seed, near what may go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final, Literal

# anywhere: at a random time of its life, also while it recovers. commit: milliseconds after an
# intent was committed, so before, while and after the order leaves. sent: milliseconds after a
# placement reached the exchange. write: while the ledger's file is written, so amid a commit.
# again: while it still starts after the last kill.
Kind = Literal["anywhere", "commit", "sent", "write", "again"]

KILLS_MAX: Final = 1000
SHARES: Final[tuple[Kind, ...]] = ("commit", "anywhere", "sent", "again", "write")
ANYWHERE_S: Final = (0.2, 10.0)
AGAIN_S: Final = (0.05, 2.5)
WRITE_FROM_S: Final = (0.0, 3.0)  # after it quotes again
TIMES_MAX: Final = 2  # of this life: the first quotes, or what follows from them
AIMED_DELAY_S: Final = (0.000_05, 0.03)
AIMED_LATER_SHARE: Final = 0.6  # the others at once
LIFE_MEAN_S: Final = 10.0  # of one life, recovery and all; for planning only


@dataclass(frozen=True, slots=True)
class Kill:
    """`after_s` counts from the restart; for `commit` and `sent` from the last of so many,
    for `write` from when it quotes again."""

    kind: Kind
    after_s: float
    times: int = 0


def kills(seed: int, count: int) -> list[Kill]:
    """So many kills; the same seed draws the same ones."""
    draw = Random(f"crash {seed}")
    kinds = [SHARES[i % len(SHARES)] for i in range(count)]
    first, rest = kinds[:1], kinds[1:]
    draw.shuffle(rest)
    return [_kill(kind, draw) for kind in [*first, *rest]]


def _kill(kind: Kind, draw: Random) -> Kill:
    match kind:
        case "anywhere":
            return Kill(kind, draw.uniform(*ANYWHERE_S))
        case "write":
            return Kill(kind, draw.uniform(*WRITE_FROM_S))
        case "again":
            return Kill(kind, draw.uniform(*AGAIN_S))
        case "commit" | "sent":
            low_s, high_s = AIMED_DELAY_S
            after_s = low_s * (high_s / low_s) ** draw.random()  # as many near 0 as far from it
            after_s *= draw.random() < AIMED_LATER_SHARE
            return Kill(kind, after_s, draw.randint(1, TIMES_MAX))
