"""Matching, money and life cycle of the box, walked through REST, the stream and its steering."""

from __future__ import annotations

from typing import Any

from mmbot.sim.box import Box
from mmbot.sim.market.options import EventOptions
from mmbot.sim.rules import ActivationRules, LifeRules, MoneyRules, Rules
from tests.sim.builders import Client, a_box, a_second_client

GAMES = EventOptions(count=2, lines=20)


def walk_matching() -> None:
    rules = Rules(first_pass_ms=300, life=LifeRules(in_play=True))
    box = a_box(rules=rules, events=GAMES)
    maker, taker = Client(box), a_second_client(box)
    market = markets_of(maker, box)["moneyline"]
    side_a, side_b = strikes_of(market)
    # price before time, opposite outcomes, execution at the resting price, partial fills
    worse, older, newer = (placed(maker, side_a, price, 20.0) for price in (110, 105, 105))
    taken = placed(taker, side_b, -110, 30.0)
    filled = [maker.read(one["order_id"])["filled_quantity"] for one in (worse, older, newer)]
    assert filled == [0.0, 20.0, 8.57]  # 30.00 at -105 stand against 28.57 at +105
    assert taken["matching_status"] == "fully_matched"
    details = taker.api("GET", f"/v4/mm/get_order_matched_detail?order_id={taken['order_id']}")[1][
        "data"
    ]["matching_details"]
    assert {one["fill_price"] for one in details} == {-105}
    # an own order on the other side, adding liquidity only, fill or kill
    own = maker.api("POST", "/v4/mm/submit_order", maker.order(side_b, -110, 20.0))
    assert (own[0], own[1]["error"]) == (400, "self_match")
    crossing = placed(taker, side_b, -110, 5.0, order_strategy="ALO")
    assert crossing["status"] == "invalid"
    rest = placed(maker, side_a, 105, 1.0, order_strategy="fillOrKill")
    maker.wait(2)
    assert maker.read(rest["order_id"])["status"] == "canceled"
    # less than a cent to win; the first matching pass
    dust = maker.api("POST", "/v4/mm/submit_order", maker.order(side_a, -10000, 0.5))
    assert (dust[0], dust[1]["error"]) == (400, "order_invalid_profit")
    young = placed(maker, side_a, 900, 5.0)
    assert maker.cancel(young)[0] == 425
    maker.wait(0.3)
    assert maker.cancel(young)[0] == 200
    # in play an order waits, and a cancel has to wait too
    do(maker, "go_live", event=event_id(box))
    _, answer = maker.api("POST", "/v4/mm/submit_order", maker.order(side_a, 900, 5.0))
    waiting = answer["data"]["order"]
    maker.wait(4)
    assert maker.cancel(waiting)[1]["error"] == "order_is_placing"
    maker.wait(2)
    assert maker.read(waiting["order_id"])["status"] == "open"
    every_cent_is_somewhere(box)


def walk_money() -> None:
    rules = Rules(
        first_pass_ms=0,
        money=MoneyRules(credit="gec", fill_payment_ms=3_000, mass_cancel_refunds=True),
    )
    box = a_box(rules=rules, cash_usd=1_000, events=GAMES)
    maker, taker = Client(box), a_second_client(box)
    markets = markets_of(maker, box)
    side_a, side_b = strikes_of(markets["moneyline"])
    # nothing is taken when an order is placed, all when it is filled
    placed(maker, side_a, 100, 100.0)
    assert balance(maker)["balance"] == 1_000
    placed(taker, side_b, 100, 100.0)
    assert (balance(maker)["balance"], balance(maker)["matched_order_balance"]) == (900, 100)
    # a mass cancel races a fill that is being paid: the venue takes the fill back
    resting = placed(maker, side_a, 100, 50.0)
    placed(taker, side_b, 100, 20.0)
    assert maker.api("POST", "/v4/mm/cancel_all_orders")[0] == 200
    assert maker.read(resting["order_id"])["status"] == "canceled"
    assert (balance(maker)["balance"], kinds(maker)[0]) == (900, "REFUND")
    # caps: 10 times the cash may rest, beyond 50 times submissions are delayed
    lots = [placed(maker, side_a, 900, 900.0)["status"] for _ in range(11)]
    assert lots == ["open"] * 10 + ["invalid"]
    do(maker, "cash", account="maker", usd=100)
    delayed = maker.api("POST", "/v4/mm/submit_order", maker.order(side_a, 900, 5.0))
    assert (delayed[0], delayed[1]["error"]) == (429, "too_many_delayed_requests")
    do(maker, "cash", account="maker", usd=900)
    maker.api("POST", "/v4/mm/cancel_all_orders")
    # both outcomes matched: the market pays back in any case, which is credit some seconds later
    placed(maker, side_b, 100, 60.0)
    placed(taker, side_a, 100, 60.0)
    maker.wait(11)
    assert balance(maker)["gec_balance"] == 120
    # results: settled, taken back, settled by hand, void; 2 % of what a market won
    before = balance(maker)["balance"]
    do(maker, "settle", event=event_id(box))
    won = round(balance(maker)["balance"] - before, 2)
    assert won in (200 - 0.02 * 40, 120)
    do(maker, "reverse", event=event_id(box))
    assert balance(maker)["balance"] == before
    do(maker, "settle", event=event_id(box), by_hand=True)
    [status] = {one["status"] for one in history(maker) if one["filled_quantity"]}
    assert status == "manually_settled"
    for line in range(1, len(box.exchange.listing.events[event_id(box)].lines) + 1):
        do(maker, "void", event=event_id(box), line=line)
    assert {one["winning_status"] for one in history(maker) if one["filled_quantity"]} == {
        "no_result"
    }
    assert balance(maker)["balance"] == 1_000
    every_cent_is_somewhere(box)


def walk_life_cycle() -> None:
    rules = Rules(first_pass_ms=0, activation=ActivationRules(delay="fixed", delay_ms=20))
    box = a_box(rules=rules, events=GAMES)
    client, taker = Client(box), a_second_client(box)
    event = event_id(box)
    stream = client.listen(event)

    def events() -> set[int]:
        found = client.api("GET", "/mm/get_sport_events")[1]["data"]["sport_events"]
        return {one["event_id"] for one in found}

    # listed and unlisted
    added = do(client, "list", lines=4)["event_id"]
    assert added in events()
    do(client, "unlist", event=added)
    assert added not in events()
    # a market closes and opens again, and what rests there stays
    market = markets_of(client, box)["moneyline"]
    side = strikes_of(market)[0]
    resting = client.place(side, 900, 5.0)
    do(client, "suspend", event=event, market="moneyline")
    assert answer_to_an_order(client, side) == "event_not_available"
    do(client, "reopen", event=event, market="moneyline")
    assert answer_to_an_order(client, side) == ""
    assert client.read(resting["order_id"])["status"] == "open"
    # a line moves: new strike ids, the old ones are invalid, old orders rest
    old = strikes_of(markets_of(client, box)["total"]["market_strikes"][0])[0]
    below = client.place(old, 900, 5.0)
    do(client, "move_line", event=event, kind="total", by=0.25, line=line_number(box, old))
    assert answer_to_an_order(client, old) == "strike_id_invalid"
    assert client.read(below["order_id"])["status"] == "open"
    # unlisted, then back under its own id and under a new one
    do(client, "unlist", event=event)
    assert client.read(resting["order_id"])["status"] == "wiped"
    assert answer_to_an_order(client, side) == "sport_event_is_not_booked"
    do(client, "relist", event=event)
    assert answer_to_an_order(client, side) == ""
    fresh = do(client, "relist", event=event, new_id=True)["event_id"]
    assert fresh != event
    assert {fresh} <= events() - {event}
    assert answer_to_an_order(client, side) == "strike_id_invalid"
    # the start comes forward, the game goes live and wipes, and ends
    side = strikes_of(markets_of(client, box, fresh)["moneyline"])[0]
    last = client.place(side, 900, 5.0)
    starts_in_s = (box.exchange.listing.events[fresh].start_ns - client.now_ns) / 1e9
    do(client, "move_start", event=fresh, by_s=60 - starts_in_s)
    for _ in range(7):
        stream.send("pusher:ping", {})
        client.wait(10)
    assert client.read(last["order_id"])["status"] == "wiped"
    assert answer_to_an_order(client, side) == "event_not_available"
    do(client, "end", event=fresh)
    assert fresh not in events()
    seen = [frame["event"] for frame in stream.frames()]
    assert {"orders", "tournament_31"} <= set(seen)
    assert taker.api("POST", "/v4/mm/cancel_all_orders")[0] == 404


# -- words of these walks -----------------------------------------------------------------


def placed(client: Client, strike_id: str, price: int, usd: float, **extra: object) -> Any:
    """Place at the time of the box, which another client may have moved."""
    client.now_ns = client.box.exchange.now_ns
    return client.place(strike_id, price, usd, **extra)


def answer_to_an_order(client: Client, strike_id: str) -> str:
    """The error of a submission, or nothing."""
    body = client.order(strike_id, 900, 5)
    status, answer = client.api("POST", "/v4/mm/submit_order", body)
    client.wait(0.1)
    return "" if status == 200 else str(answer["error"])


def event_id(box: Box) -> int:
    """The first game; the generated ones have all kinds of lines."""
    return next(iter(box.exchange.listing.events))


def line_number(box: Box, strike_id: str) -> int:
    line = box.exchange.listing.line_of(box.exchange.listing.strikes[strike_id])
    return box.exchange.listing.events[line.event_id].lines.index(line) + 1


def markets_of(client: Client, box: Box, event: int = 0) -> dict[str, Any]:
    path = f"/v4/mm/get_markets?event_id={event or event_id(box)}"
    status, answer = client.api("GET", path)
    assert status == 200, answer
    return {market["type"]: market for market in answer["data"]["markets"]}


def strikes_of(market: dict[str, Any]) -> tuple[str, str]:
    first, second = (levels[0]["strike_id"] for levels in market["selections"])
    return first, second


def do(client: Client, action: str, **fields: object) -> dict[str, Any]:
    status, answer = client.call("POST", "/_box/do", {"action": action, **fields})
    assert status == 200, answer
    found: dict[str, Any] = answer
    return found


def balance(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.api("GET", "/v4/mm/get_balance")[1]["data"]
    return found


def history(client: Client) -> list[dict[str, Any]]:
    seconds = client.now_ns // 10**9
    path = f"/v4/mm/get_order_history?from={seconds - 86_400}&to={seconds + 1}"
    found: list[dict[str, Any]] = client.api("GET", path)[1]["data"]["orders"]
    return found


def kinds(client: Client) -> list[str]:
    """Transaction types, the newest first."""
    rows = client.api("GET", "/v4/mm/get_transactions?limit=100")[1]["data"]["transactions"]
    return [row["transaction_type"] for row in rows]


def every_cent_is_somewhere(box: Box) -> None:
    accounts = list(box.exchange.accounts.values())
    assert box.exchange.wallet.balance_cents(accounts) == 0
