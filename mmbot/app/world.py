"""Everything of the outer world that a daemon is given: live, or virtual and seeded."""

from __future__ import annotations

import random
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from mmbot.app.writer import Commit
from mmbot.exchange.http import HttpPort
from mmbot.exchange.ws import WsPort
from mmbot.runtime.clock import Clock
from mmbot.sources.fetching import HttpRequest
from mmbot.store.journal import Journal


@dataclass(frozen=True, slots=True)
class Reach:
    """What it takes to speak with the exchange."""

    clock: Clock
    http: HttpPort
    websockets: WsPort
    rng: random.Random


@dataclass(frozen=True, slots=True)
class World(Reach):
    """Ports. `commit` writes to the journal where that does not hold up the loop."""

    source_http: HttpRequest
    run: str  # 48 random bits in hex, new for every start
    journal: Journal
    commit: Commit
    logger: FilteringBoundLogger
    live: bool  # real sockets: admin server, signals and the strategy timer
    watched: bool = False  # also without: a person and a sentinel use the files of `state_dir`
