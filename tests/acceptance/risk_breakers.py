"""Breakers, walked from outside: figures of a configuration file, judged by the box's record.

The real daemon quotes in a market that stands still, so that whatever goes was pulled. Each walk
kills the process, too: what was pulled stays so, and comes back when it should.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any, Final

from mmbot.app import simulate
from mmbot.sim.games.results import result_of
from mmbot.store.latch import HaltLatch
from tests.acceptance.doors import FULL
from tests.simulation.still_market import Still, still

STRIKES: Final = 4  # of each sport event, and one order rests on each
LONG: Final = 1900  # 0.05
NEAR_EVEN: Final = 130  # 0.43, so that it meets none of ours


async def lines(market: Still) -> list[dict[str, Any]]:
    _, _, body = await market.box.http_request("GET", "/_box/state", {}, b"")
    return list(json.loads(body)["lines"])


async def events(market: Still) -> list[int]:
    return list(dict.fromkeys(line["event_id"] for line in await lines(market)))


def resting(market: Still, event_id: int | None = None) -> list[dict[str, Any]]:
    """Orders that may fill, by the box's record."""
    rows = [row for row in market.record()["orders"] if row["open_cents"]]
    return [row for row in rows if event_id in {None, row["event_id"]}]


def shown(market: Still, breaker: str) -> dict[str, Any]:
    """The row of `mmbot status --json`."""
    rows = market.daemon.status()["breakers"]
    (row,) = (row for row in rows if row["breaker"] == breaker)
    return dict(row)


async def bought(market: Still, strike_id: str) -> None:
    """Somebody takes all of our order there."""
    (order,) = (row for row in resting(market) if row["strike_id"] == strike_id)
    await market.do("take", external_id=order["external_id"])
    await market.wait(2)


def walk_pulling() -> None:
    """Fill bursts over a crash, price jumps, reject loops: pulled at once, back in a minute."""

    async def burst(market: Still) -> None:
        (first, *others) = await events(market)
        await market.do("take", event=first, usd=20.0)
        await market.wait(1)
        assert not resting(market, first)
        await market.wait(9)
        await market.kill(2.0)
        await market.wait(45)
        row = shown(market, "fill burst")
        assert (row["state"], row["event"], row["reason"]) == (
            "cooling off", first, "4 fills of 111.22 USD in 10 s",
        )  # fmt: skip
        assert not resting(market, first)
        assert all(len(resting(market, other)) == STRIKES for other in others)
        await market.wait(10)
        assert shown(market, "fill burst")["state"] == "armed"
        assert len(resting(market, first)) == STRIKES

    async def jump(market: Still) -> None:
        line = (await lines(market))[-1]
        event_id, one, other = line["event_id"], *(s["strike_id"] for s in line["strikes"])
        for name, at in (("before", (LONG, NEAR_EVEN)), ("after", (NEAR_EVEN, LONG))):
            for side, strike_id in enumerate((one, other)):
                hand = {"strike_id": strike_id, "price": at[side], "usd": 50.0}
                await market.do("place", account="maker", external_id=f"{name}-{side}", **hand)
            await market.wait(1)
            if name == "before":
                assert len(resting(market, event_id)) == STRIKES + 2
                for side in range(2):
                    await market.do("cancel", account="maker", external_id=f"before-{side}")
        assert len(resting(market, event_id)) == 2  # the person's
        assert shown(market, "price jump")["event"] == event_id
        for side in range(2):
            await market.do("cancel", account="maker", external_id=f"after-{side}")

    async def rejects(market: Still) -> None:
        await market.do("switch", set={"refuse_code": "insufficient_amount"})
        for event_id in await events(market):
            await market.do("news", event=event_id, shift_logit=0.3)
        await market.wait(8)
        row = shown(market, "reject loop")
        assert (row["state"], row["event"]) == ("cooling off", None)
        assert not resting(market)
        assert market.daemon.status()["mode"] == "CANCEL_ONLY"
        await market.do("switch", set={"refuse_code": ""})

    async def evening(market: Still) -> None:
        for trouble in (burst, jump, rejects):
            await trouble(market)
            await market.wait(65)
            assert len(resting(market)) == STRIKES * len(await events(market)), trouble.__name__

    still(evening, config={"breakers": {"event_fills_max": 3, "jump_max_logit": 0.5,
                                        "refusals_max": 5}})  # fmt: skip


def resume(market: Still) -> None:
    HaltLatch(market.settings.state_dir).release()
    market.daemon.say("resume", "a walk")


def walk_edge_loss() -> None:
    """First only what lowers the loss rests, then nothing; both over a crash. A profit does not."""

    async def evening(market: Still) -> None:
        first, second, untouched, _ = await events(market)
        found = await lines(market)
        for event_id, shift, state in ((second, 0.2, "armed"), (first, -0.6, "reducing")):
            line = [line for line in found if line["event_id"] == event_id][1]
            held, other = (strike["strike_id"] for strike in line["strikes"])
            await bought(market, held)
            await market.do("news", event=event_id, shift_logit=shift)
            await market.wait(10)
            assert shown(market, "edge loss")["state"] == state
        for shift in (0.6, -2.0):  # a way back lifts nothing
            assert {row["strike_id"] for row in resting(market, first)} == {other}
            assert not resting(market, untouched)
            await market.do("news", event=first, shift_logit=shift)
            await market.wait(10)
            if shift > 0:
                await market.kill(2.0)
                await market.wait(30)
                assert market.daemon.status()["mode"] == "REDUCE_ONLY"
        assert not resting(market)
        await market.kill(2.0)
        await market.wait(30)
        assert (market.daemon.status()["mode"], resting(market)) == ("HALTED", [])
        assert shown(market, "edge loss")["state"] == "halted"
        resume(market)
        await market.wait(40)
        assert shown(market, "edge loss")["state"] == "armed"
        assert resting(market)

    still(evening, config={"breakers": {"edge_loss_reduce_usd": 10, "edge_loss_halt_usd": 25}})


def winners(market: Still, event_id: int, draws: Random) -> set[str]:
    """Strikes that win if it is settled next: the box draws results from a stream of its own."""
    event = market.box.box.exchange.listing.events[event_id]
    sides = result_of(event, draws).winners
    found = ((line, sides[line.index]) for line in event.lines)
    return {line.strikes[side].strike_id for line, side in found if side is not None}


def walk_cash_loss() -> None:
    """Results that cost too much halt and latch, also after a crash; results that pay do not."""

    async def evening(market: Still) -> None:
        draws, before = Random("7:timeline results"), 0
        all_of_them = await events(market)
        for event_id, wins in zip(all_of_them, (False, True, False, False), strict=True):
            strike_ids = winners(market, event_id, draws)
            orders = [
                row for row in resting(market, event_id) if (row["strike_id"] in strike_ids) is wins
            ]
            await bought(market, min(orders, key=lambda row: row["price"])["strike_id"])
            await market.do("settle", event=event_id)
            await market.wait(70)
            row = shown(market, "cash loss")
            assert (row["lost_cents"] < before) is wins
            before = row["lost_cents"]
            halted = event_id == all_of_them[-1]
            assert (before >= row["allowed_cents"]) is halted
            assert (market.daemon.status()["mode"] == "HALTED") is halted
        assert not resting(market)
        await market.kill(2.0)
        await market.wait(30)
        assert shown(market, "cash loss")["state"] == "halted"
        assert market.daemon.status()["mode"] == "HALTED"

    loss = dict.fromkeys(("line_loss_max_usd", "market_loss_max_usd", "event_loss_max_usd"), 110)
    still(evening, config={"risk": loss, "breakers": {"cash_loss_max_usd": 220}})


def walk_own_flow() -> None:
    """The shipped file of the demo and of simulated days trips none of them there."""

    async def evening(market: Still) -> None:
        await market.wait(60)
        assert market.daemon.status()["fills"] > 0
        assert {row["state"] for row in market.daemon.status()["breakers"]} == {"armed"}

    still(evening, takers={"on": True}, rival={"on": True}, drift={}, feed={})
    for seed in range(1, 4) if FULL else ():
        report = simulate.run_seed(seed, simulate.Days.of(simulate.Asked(faults="all")))
        assert not report.findings
        assert "is pulled for" not in report.log
        assert "edge loss" not in report.log
