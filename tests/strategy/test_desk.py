"""The coroutine form: newest view per line, wishes for named strikes only."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from mmbot.domain.ids import LineId, StrikeId
from mmbot.domain.price import Price
from mmbot.domain.quote import Quote
from mmbot.domain.view import MarketView
from mmbot.strategy import desk as desk_module
from mmbot.strategy.desk import Desk, LineDesk, QuotingCoroutine
from tests.strategy.views import LINE, OVER, UNDER, a_view

Told = list[tuple[Sequence[StrikeId], Sequence[Quote]]]


def on_line(name: str, prob: float = 0.5) -> MarketView:
    return replace(a_view(prob), line=replace(LINE, line_id=LineId(name)))


async def test_a_slow_reader_gets_the_newest_view_of_each_line() -> None:
    desk = LineDesk(lambda strikes, quotes: None)
    for view in (on_line("a", 0.4), on_line("b"), on_line("a", 0.6)):
        desk.offer(view)
    first, second = await desk.next_change(), await desk.next_change()
    assert [first.line.line_id, second.line.line_id] == ["a", "b"]
    assert first.fairs[0].prob == 0.6


async def test_it_waits_until_something_changes() -> None:
    desk = LineDesk(lambda strikes, quotes: None)
    async with asyncio.timeout(1), asyncio.TaskGroup() as group:
        waiting = group.create_task(desk.next_change())
        await asyncio.sleep(0)
        assert not waiting.done()
        desk.offer(on_line("a"))
    assert waiting.result().line.line_id == "a"


async def test_the_number_of_waiting_lines_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "LINES_WAITING_MAX", 2)
    desk = LineDesk(lambda strikes, quotes: None)
    for name in "abc":
        desk.offer(on_line(name))
    assert [(await desk.next_change()).line.line_id for _ in range(2)] == ["b", "c"]


async def test_a_coroutine_strategy_says_its_wishes() -> None:
    class JoinOnce(QuotingCoroutine[None]):
        async def run(self, desk: Desk) -> None:
            view = await desk.next_change()
            desk.wish(view.strikes, [Quote(view.strikes[0], Price(110), 2_500)])

    told: Told = []
    desk = LineDesk(lambda strikes, quotes: told.append((strikes, quotes)))
    desk.offer(a_view())
    await JoinOnce(None).run(desk)
    assert told == [((OVER, UNDER), (Quote(OVER, Price(110), 2_500),))]


async def test_a_quote_on_a_strike_that_was_not_named_is_refused() -> None:
    desk = LineDesk(lambda strikes, quotes: None)
    with pytest.raises(ValueError, match="not named"):
        desk.wish([UNDER], [Quote(OVER, Price(110), 2_500)])
