"""Random worlds of money: fills, busts, results and their undoing, half of it never told."""
# faults: F11 B13 A8 A9 A16

from __future__ import annotations

from random import Random
from typing import Final

from tests.engine.money_world import MoneyWorld
from tests.engine.test_money_world import DEEDS, RULES, ended, equal, rebuilt, told

WORLDS: Final = 400
DEEDS_MAX: Final = 60


def walk_worlds() -> None:
    """Each ends equal to the exchange, to the cent, without a case, and its journal says so."""
    for number in range(WORLDS):
        rng = Random(number)
        deeds = rng.choices(DEEDS, k=rng.randrange(DEEDS_MAX))
        lossy, late = rng.choice((0.0, 0.3, 0.8, 1.0)), rng.random() < 0.5
        world = ended(MoneyWorld(number, rng.choice(RULES), lossy, late), deeds)
        equal(world)
        assert told(rebuilt(world)) == told(world.ledger)
