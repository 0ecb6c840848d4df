"""Everybody who trades on the box's own account: they come and go together."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Protocol

from mmbot.sim.core.exchange import Exchange
from mmbot.sim.market.bursts import Bursts
from mmbot.sim.market.fair import FairBoard
from mmbot.sim.market.makers import Maker
from mmbot.sim.market.rival import Rival
from mmbot.sim.market.snipers import Snipers
from mmbot.sim.market.takers import Takers
from mmbot.sim.scenario import BoxOptions


class Trader(Protocol):
    def start(self, now_ns: int) -> None: ...

    def stop(self, now_ns: int) -> None: ...


class Traders:
    """Takers, the rival, and whoever else the scenario names."""

    def __init__(
        self,
        exchange: Exchange,
        fair: FairBoard,
        options: BoxOptions,
        rng: Callable[[str], Random],
    ) -> None:
        self._all: list[Trader] = [Takers(exchange, fair, options.takers, rng("takers"))]
        # the usual rival has its account also when it stays at home: ids stay what they were
        rival = Rival(exchange, fair, options.rival, rng("rival"))
        if options.rival.on:
            self._all.append(rival)
        if options.snipers.on:
            self._all.append(Snipers(exchange, fair, options.snipers, rng("snipers")))
        if options.bursts.on:
            self._all.append(Bursts(exchange, fair, options.bursts, rng("bursts")))
        for number, maker in enumerate(options.makers, start=1):
            self._all.append(Maker(exchange, fair, maker, rng(f"maker {number}")))

    def start(self, now_ns: int) -> None:
        for trader in self._all:
            trader.start(now_ns)

    def stop(self, now_ns: int) -> None:
        for trader in self._all:
            trader.stop(now_ns)
