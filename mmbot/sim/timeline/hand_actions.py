"""What a person does at the exchange: orders by hand, a passer-by who takes, a restart, a burst."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from mmbot.sim.tables import Between


@dataclass(frozen=True, slots=True)
class Place:
    """An order placed by hand on the account of a client.

    The strike by its id, or by the place of its event and line from 1, and its side.
    """

    price: Annotated[int, Between(-1_000_000, 1_000_000)]
    usd: Annotated[float, Between(0.01, 1e8)]
    strike_id: str = ""
    event: int = 1
    line: Annotated[int, Between(1, 20_000)] = 1
    side: Literal[0, 1] = 0
    account: str = "maker"
    external_id: str = ""
    strategy: Literal["", "ALO", "fillOrKill"] = ""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Orders of an account are cancelled by hand: one, or all."""

    external_id: str = ""
    account: str = "maker"


@dataclass(frozen=True, slots=True)
class Take:
    """Somebody takes the open orders of an account at once.

    With `usd` so much of each; with `leave_usd` all but so much of its stake.
    """

    event: int = 0
    external_id: str = ""
    usd: Annotated[float, Between(0, 1e8)] = 0.0
    leave_usd: Annotated[float, Between(0, 1e8)] = 0.0
    account: str = "maker"


@dataclass(frozen=True, slots=True)
class Restart:
    """The exchange is away for so long and forgets a share of the open orders of clients."""

    down_s: Annotated[float, Between(0, 86_400)] = 120.0
    lost_share: Annotated[float, Between(0, 1)] = 0.0


@dataclass(frozen=True, slots=True)
class Burst:
    """So many book messages at once, of one event or of all."""

    messages: Annotated[int, Between(1, 100_000)] = 5000
    event: int = 0
