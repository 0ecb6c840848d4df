"""The coroutine form inside the daemon: its wishes, its failures, its end."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from mmbot.app import strategies
from mmbot.app.strategies import FAILURES_MAX, DeskQuoter, Enabled
from mmbot.domain.errors import Stop
from mmbot.domain.events import Event, StrategyQuarantined, WishesChanged
from mmbot.domain.price import Price
from mmbot.domain.quote import Quote
from mmbot.domain.view import MarketView
from mmbot.runtime.clock import LoopClock
from mmbot.runtime.supervisor import Restart, Service, Supervisor, SupervisorEvent
from mmbot.strategy.desk import Desk, QuotingCoroutine
from tests.app.parts import in_virtual_time
from tests.strategy.views import OVER, UNDER, a_view

WISH = Quote(OVER, Price(105), 1_000)


class Follower(QuotingCoroutine[None]):
    """Wishes one quote for every view that it is given."""

    def __init__(self, fails_at: int = 0, error: Exception | None = None) -> None:
        super().__init__(None)
        self.error = error or ValueError("a bug in it")
        self.views: list[MarketView] = []
        self.fails_at = fails_at

    async def run(self, desk: Desk) -> None:
        while True:
            self.views.append(await desk.next_change())
            if self.fails_at and len(self.views) >= self.fails_at:
                raise self.error
            desk.wish([OVER, UNDER], [WISH])


class Engine:
    """Asks again on every told change, as the engine does."""

    def __init__(self, quoter: DeskQuoter) -> None:
        self._quoter = quoter
        self.view = a_view()
        self.told: list[Event] = []

    def tell(self, event: Event) -> None:
        self.told.append(event)
        if isinstance(event, WishesChanged):
            self.ask()

    def ask(self) -> list[Quote]:
        self.view = replace(self.view, now_ns=self.view.now_ns + 1)
        return list(self._quoter.quotes(self.view))


def supervised(
    strategy: Follower, work: Callable[[Engine, LoopClock], Awaitable[None]]
) -> list[SupervisorEvent]:
    """Run it as the daemon does; returns what the supervisor told."""

    async def main(clock: LoopClock) -> list[SupervisorEvent]:
        events: list[SupervisorEvent] = []
        quoter = DeskQuoter("follower", uses_fairs=True)
        engine = Engine(quoter)
        enabled = Enabled(coroutines=[("follower", strategy, quoter)])
        supervisor = Supervisor(clock, random.Random(1), events.append)

        async def steer() -> None:
            await work(engine, clock)
            supervisor.stop()
            await clock.sleep(10_000)

        inner = strategies.services(enabled, engine.tell, clock)
        await supervisor.run([Service("test", steer, Restart.NEVER)], inner)
        return events

    return in_virtual_time(main)


def test_its_wishes_are_its_quotes_and_an_unchanged_line_does_not_wake_it_again() -> None:
    strategy = Follower()

    async def work(engine: Engine, clock: LoopClock) -> None:
        assert engine.ask() == []
        await clock.sleep(1)
        assert engine.ask() == [WISH]
        await clock.sleep(1)
        assert len(strategy.views) == 1
        engine.view = a_view(0.6)
        engine.ask()
        await clock.sleep(1)
        assert len(strategy.views) == 2

    supervised(strategy, work)


def test_a_failure_withdraws_its_wishes() -> None:
    strategy = Follower(fails_at=2)

    async def work(engine: Engine, clock: LoopClock) -> None:
        engine.ask()
        await clock.sleep(0.1)
        assert engine.ask() == [WISH]
        engine.view = a_view(0.6)
        engine.ask()
        await clock.sleep(0.1)
        assert engine.told[-1] == WishesChanged("follower", (OVER, UNDER))
        assert engine.ask() == []

    supervised(strategy, work)


@pytest.mark.parametrize("error", [ValueError("a bug in it"), Stop("all of us")])
def test_one_that_always_fails_is_quarantined_and_the_daemon_lives_on(error: Exception) -> None:
    strategy = Follower(fails_at=1, error=error)

    async def work(engine: Engine, clock: LoopClock) -> None:
        for n in range(600):
            engine.view = a_view(0.4 + n / 10_000)
            engine.ask()
            await clock.sleep(1)
        assert isinstance(engine.told[-1], StrategyQuarantined)
        assert engine.told[-1].owner == "follower"
        assert engine.ask() == []

    supervised(strategy, work)
    assert len(strategy.views) == FAILURES_MAX
