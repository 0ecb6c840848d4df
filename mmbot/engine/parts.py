"""What the engine is made of."""

from __future__ import annotations

from dataclasses import dataclass

from mmbot.engine.breakers import Breakers
from mmbot.engine.housekeeping import Housekeeping
from mmbot.engine.ledger import Ledger
from mmbot.engine.modes import Modes
from mmbot.engine.placing import Placing
from mmbot.engine.state import MarketState
from mmbot.engine.wishes import Wishes


@dataclass(slots=True)
class Parts:
    """Composed in app/wiring.py."""

    ledger: Ledger
    state: MarketState
    modes: Modes
    wishes: Wishes
    placing: Placing
    housekeeping: Housekeeping
    breakers: Breakers
    halt_whole_account: bool = True
