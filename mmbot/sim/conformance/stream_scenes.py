"""Scenes on the stream: for each example of a frame, the frame that it should describe."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from mmbot.sim.conformance.rest_scenes import Shown
from mmbot.sim.conformance.stage import Listener, Stage, decoded
from mmbot.sim.core.settlement import Winners
from mmbot.sim.rules import Rules
from mmbot.sim.stream.frames import Close
from mmbot.sim.stream.rules import StreamRules

PROP: Final = "player_total_receiving_yards"


def registrations() -> Shown:
    stage = Stage()
    maker = stage.maker
    listener = maker.listen("10079123", f"10079123:{PROP}")
    body: dict[str, Any] = {
        "socket_id": listener.socket_id,
        "service": "pusher",
        "subscriptions": [
            {"type": "tournament", "ids": ["31"]},
            {"type": "event", "ids": ["10079123"]},
            {"type": "event_subtype", "ids": [f"10079123:{PROP}"]},
        ],
    }
    yield "websocket_register.response.v4.json", maker.post("/v4/mm/websocket", body)
    wrong = [{"type": "event", "ids": ["all"]}, {"type": "league", "ids": ["31"]}]
    body["subscriptions"] = [*body["subscriptions"][:2], *wrong]
    yield "websocket_register.response.v4.rejected.json", maker.post("/v4/mm/websocket", body)
    body["subscriptions"] = [{"type": "event", "ids": [str(n) for n in range(1, 500)]}]
    yield "error.400.exceed_subscription_count.json", maker.post("/v4/mm/websocket", body)
    tournaments = json.dumps([{"type": "tournament", "ids": [31]}])
    body = {"socket_id": listener.socket_id, "subscriptions": tournaments}
    yield "pusher_auth.response.legacy.json", maker.post("/mm/pusher", body)
    hidden = Stage(stream=StreamRules(ws_host_shown=False)).maker.get(
        "/websocket/connection-config"
    )
    yield "connection_config.response.pusher_fallback.json", hidden


def protocol() -> Shown:
    stage = Stage()
    listener = stage.maker.listen("10079123")
    for name, event in (
        ("connection_established", "pusher:connection_established"),
        ("signin_success", "pusher:signin_success"),
        ("subscription_succeeded", "pusher_internal:subscription_succeeded"),
    ):
        yield f"ws_frame.{name}.json", listener.named(event)[0]
    channel = listener.registered["data"]["authorized_channel"][0]
    listener.subscribe({**channel, "auth": "a1b2c3d4e5f6a7b8c9d0:" + "0" * 64})
    yield "ws_frame.subscription_error.json", listener.named("pusher:subscription_error")[0]
    listener.send("pusher:ping", {})
    yield "ws_frame.pong.json", listener.named("pusher:pong")[0]
    stage.wait(stage.box.options.session.activity_timeout_s + 1)
    yield "ws_frame.ping.json", listener.named("pusher:ping")[0]
    stage.box.hub.close_all(Close(4100, "Over capacity"))
    yield "ws_frame.error.json", listener.named("pusher:error")[0]
    vendor = Stage(stream=StreamRules(signin_success="empty", data_form="object"))
    answer = vendor.maker.listen().named("pusher:signin_success")[0]
    yield "ws_frame.signin_success.vendor_form.json", answer


def orders() -> Shown:
    stage = Stage(rules=Rules(first_pass_ms=0))
    maker, line = stage.maker, stage.line()
    home, away = line.strikes
    ours = maker.listen(str(line.event_id))
    first = maker.place(home.strike_id, -117, 117.0)
    yield from _newest(ours, "ws_order.activated", "orders")
    yield from _newest(ours, "ws_market_selections.event", "market_selections")
    yield from _newest(ours, "ws_market_selections.empty_side", "market_selections")
    stage.other.place(away.strike_id, 114, 50.0)
    yield from _newest(ours, "ws_order.partial_fill", "orders")
    yield from _newest(ours, "ws_matched_order", "matched_order")
    stage.other.place(away.strike_id, 114, 10.0)
    yield from _newest(ours, "ws_order.full_fill", "orders")
    maker.post("/v4/mm/cancel_order", first)
    yield from _newest(ours, "ws_order.canceled_rest", "orders")
    second = maker.place(home.strike_id, 170, 10.0)
    maker.post("/v4/mm/cancel_order", second)
    yield from _newest(ours, "ws_order.canceled_unfilled", "orders")
    maker.place(home.strike_id, 170, 900_000.0)
    yield from _newest(ours, "ws_order.invalid", "orders")
    stage.wait(6)
    yield from _newest(ours, "ws_health_check", "private_system_signal")
    maker.place(home.strike_id, 170, 10.0)
    stage.box.exchange.calendar.go_live(
        stage.box.exchange.listing.events[line.event_id], stage.now_ns
    )
    stage.wait(1)
    yield from _newest(ours, "ws_order.wiped", "orders")
    yield from _newest(ours, "ws_sport_event.update_live", "sport_event")
    yield from _results()


def _results() -> Shown:
    """One order that wins and one that loses."""
    for side, name in ((0, "settled_profit"), (1, "closed_loss")):
        stage = Stage()
        line = stage.line()
        ours = stage.maker.listen(str(line.event_id))
        stage.maker.place(line.strikes[0].strike_id, -117, 117.0)
        stage.other.place(line.strikes[1].strike_id, 114, 50.0)
        event = stage.box.exchange.listing.events[line.event_id]
        winners: Winners = {line.index: side}
        stage.box.exchange.settlement.settle(event, winners, stage.now_ns)
        stage.wait(1)
        frames = ours.changes("orders")
        wanted = "settled" if side == 0 else "closed"
        shown = [one for one in frames if decoded(one)["payload"]["info"]["status"] == wanted]
        yield from _both(f"ws_order.{name}", shown[-1])


def programme() -> Shown:
    """What the venue does with its events, markets and lines."""
    stage = Stage()
    exchange, line = stage.box.exchange, stage.line()
    event = exchange.listing.events[line.event_id]
    tournament = str(event.tournament.id)
    ours = stage.maker.listen(str(line.event_id))
    body = {
        "socket_id": ours.socket_id,
        "subscriptions": [{"type": "tournament", "ids": [tournament]}],
    }
    stage.maker.post("/v4/mm/websocket", body)
    fresh = dataclasses.replace(event, event_id=10_079_999, lines=[])
    specs = [one.spec for one in exchange.listing.lines if one.kind == "spread"][:2]
    exchange.calendar.list_event(fresh, specs, stage.now_ns)
    stage.wait(0.1)
    yield from _newest(ours, "ws_sport_event.create", "sport_event", "c")
    yield from _newest(ours, "ws_market_strike.create", "market_strike", "c")
    yield from _newest(ours, "ws_tournament", "tournament")
    exchange.calendar.suspend(event, stage.now_ns, on=True)
    stage.wait(0.1)
    yield from _newest(ours, "ws_market.update", "market")
    exchange.calendar.unlist(fresh, stage.now_ns)
    stage.wait(0.1)
    yield from _newest(ours, "ws_sport_event.delete", "sport_event", "d")
    nothing = dataclasses.replace(event, event_id=10_079_998, lines=[])
    exchange.listing.add_event(nothing, ())
    empty = stage.maker.get("/v4/mm/get_markets?event_id=10079998")
    yield "get_markets.response.v4.no_markets.json", empty


def older_words() -> Shown:
    stage = Stage()
    maker, line = stage.maker, stage.line()
    home, away = line.strikes
    ours = maker.listen(legacy=True)
    maker.place(home.strike_id, -117, 117.0)
    maker.place(away.strike_id, 150, 117.0)
    yield from _newest(ours, "ws_wager.activated.legacy", "wagers")
    yield from _newest(ours, "ws_market_selections.legacy_shared", "market_selections")
    stage.other.place(away.strike_id, 114, 50.0)
    yield from _newest(ours, "ws_matched_bet.legacy", "matched_bet")
    spread = stage.line("spread")
    stage.box.exchange.calendar.move_line(spread, spread.number + 20, stage.now_ns)
    stage.wait(0.1)
    yield from _newest(ours, "ws_market_line.update.legacy", "market_line")


def other_envelopes() -> Shown:
    stage = Stage(stream=StreamRules(payload_form="double"))
    line = stage.line()
    ours = stage.maker.listen(str(line.event_id))
    for strike in line.strikes:
        stage.maker.place(strike.strike_id, 150, 10.0)
    frame = ours.changes("market_selections")[-1]
    yield "ws_market_selections.double_encoded_payload.wire.json", frame
    stage = Stage(stream=StreamRules(data_form="object"))
    ours = stage.maker.listen()
    stage.wait(6)
    yield from _newest(ours, "ws_health_check.data_object", "private_system_signal")


def props() -> Shown:
    """A sub-market has a channel of its own."""
    stage = Stage()
    exchange = stage.box.exchange
    event = exchange.listing.events[stage.line().event_id]
    total = next(one.spec for one in exchange.listing.lines if one.kind == "total")
    spec = dataclasses.replace(
        total, sub_type=PROP, label="Example Receiver - Receiving Yards", market_id=921
    )
    fresh = dataclasses.replace(event, event_id=10_079_999, lines=[])
    exchange.calendar.list_event(fresh, [spec], stage.now_ns)
    ours = stage.maker.listen(f"10079999:{PROP}")
    for strike in fresh.lines[0].strikes:
        stage.maker.place(strike.strike_id, 150, 10.0)
    yield from _newest(ours, "ws_market_selections.subtype", "market_selections")


def _newest(listener: Listener, name: str, change_type: str, op: str = "") -> Shown:
    frames = listener.changes(change_type, op)
    if frames:
        yield from _both(name, frames[-1])


def _both(name: str, frame: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """A frame answers two examples: as it is on the wire, and decoded."""
    yield f"{name}.wire.json", frame
    yield f"{name}.decoded.json", decoded(frame)


SCENES: Final[tuple[Callable[[], Shown], ...]] = (
    registrations,
    protocol,
    orders,
    programme,
    older_words,
    other_envelopes,
    props,
)
