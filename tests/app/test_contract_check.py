"""`mmbot doctor --contract` against the box: the same, and each switch as its own difference."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from mmbot.app.contract_check import Comparison, look
from mmbot.app.demo_config import DemoPlaces, write_config
from mmbot.app.world import Reach
from mmbot.config import Settings, load
from mmbot.domain.errors import SetUpError, Stop
from mmbot.exchange.http import InMemoryHttp
from mmbot.exchange.ws import InMemoryWs
from mmbot.runtime.clock import LoopClock
from mmbot.sim.memory import InMemoryBox
from mmbot.sim.scenario import BoxOptions, with_table
from mmbot.sim.virtual.loop import EPOCH_NS, VirtualLoop, run_virtual
from tests.simulation.resting import BASE_URL, Account

LISTEN_S: Final = 12.0
ORDERS: Final = 2


def settings_in(folder: Path, options: BoxOptions, dialect: str, **keys: str) -> Settings:
    secrets = {"MMBOT_ACCESS_KEY": options.access_key, "MMBOT_SECRET_KEY": options.secret_key}
    return load(write_config(DemoPlaces(BASE_URL, 9464, folder), dialect), {**secrets, **keys})


def compared(
    folder: Path,
    table: Mapping[str, Any],
    *,
    listen_s: float = LISTEN_S,
    looks: int = 1,
    dialect: str = "v4",
    **keys: str,
) -> Comparison:
    """The last look at a box of this scenario table, where two orders of the account rest."""
    options = with_table(BoxOptions(), table)

    async def play(loop: VirtualLoop) -> Comparison:
        box = InMemoryBox(options, EPOCH_NS)
        account = Account(box, options)
        await account.log_in()
        await account.rest("mm", ORDERS)
        await asyncio.sleep(60)
        http, sockets = InMemoryHttp(box.http_request), InMemoryWs(box.ws_connect)
        reach = Reach(LoopClock(EPOCH_NS, loop), http, sockets, Random(1))
        for _ in range(looks):
            found = await look(settings_in(folder, options, dialect, **keys), reach, listen_s)
        box.stop()
        return found

    return run_virtual(play, seed=1)


def differences(found: Comparison) -> list[str]:
    return [f"{row['what']}: {row['place']} {row['field']}".rstrip() for row in found.log.rows()]


def test_the_box_as_we_believe_it_differs_in_nothing(tmp_path: Path) -> None:
    found = compared(tmp_path, {})
    assert found.same
    assert differences(found) == []
    assert found.not_shown == [
        "get_transactions data.transactions[]",
        "get_trades data.trades[]",
        "websocket data.rejected[]",
        "stream.orders",
        "stream.orders info",
    ]


def test_a_box_in_seed_differs_in_nothing_either(tmp_path: Path) -> None:
    found = compared(tmp_path, {}, dialect="seed")
    assert differences(found) == []


@pytest.mark.parametrize(
    ("table", "shown"),
    [
        (
            {"wire": {"order_id_field": "id"}},
            ["missing field: get_order_history data.orders[].order_id",
             "unknown field: get_order_history data.orders[].id"],
        ),
        (
            {"wire": {"winning_field": "profit_status"}},
            ["missing field: get_order data.winning_status",
             "missing field: get_order_history data.orders[].winning_status",
             "unknown field: get_order data.profit_status",
             "unknown field: get_order_history data.orders[].profit_status"],
        ),
        ({"wire": {"ladder_form": "odds"}}, ["changed type: get_price_ladder data"]),
        (
            {"wire": {"selections": "flat"}},
            ["changed type: get_multiple_markets data[][].market_strikes[].selections[]",
             "changed type: get_multiple_markets data[][].selections[]"],
        ),
        ({"wire": {"multiple_markets": "flat_list"}}, ["changed type: get_multiple_markets data"]),
        (
            {"wire": {"prices": "decimal"}},
            ["unknown value: get_multiple_markets data[][].market_strikes[].selections[][].price",
             "unknown value: get_multiple_markets data[][].selections[][].price",
             "unknown value: get_price_ladder data[]"],
        ),
        (
            {"wire": {"event_words": "affiliate"}},
            ["unknown value: get_sport_events data.sport_events[].status"],
        ),
        (
            {"wire": {"last_synced_at": "number"}},
            ["changed type: get_order last_synced_at",
             "changed type: get_order_history last_synced_at",
             "changed type: get_trades last_synced_at"],
        ),
    ],
    ids=str,
)  # fmt: skip
def test_each_switch_of_the_box_is_its_own_difference(
    tmp_path: Path, table: dict[str, Any], shown: list[str]
) -> None:
    # faults: A13 G1 G3
    found = compared(tmp_path, table, listen_s=0)
    assert differences(found) == shown
    assert not found.same


def test_several_switches_at_once_are_told_apart(tmp_path: Path) -> None:
    wire = {"order_id_field": "id", "ladder_form": "ladder", "multiple_markets": "flat_list"}
    assert len(differences(compared(tmp_path, {"wire": wire}, listen_s=0))) == 4


def test_a_stream_without_health_checks_is_a_silent_channel(tmp_path: Path) -> None:
    # faults: E1 E4
    mute = [{"at_s": 0, "action": "switch", "set": {"health_check_stopped": True}}]
    found = compared(tmp_path, {"timeline": mute})
    assert differences(found) == ["silent channel: stream.private_system_signal"]


def test_what_cannot_be_asked_is_named_and_is_not_the_same(tmp_path: Path) -> None:
    # faults: D14
    down = [{"at_s": 0, "action": "switch", "set": {"reporting_down": True}}]
    found = compared(tmp_path, {"timeline": down}, listen_s=0)
    assert differences(found) == []
    assert "get_trades" in found.failed
    assert not found.same


def test_a_stream_that_cannot_be_had_says_why(tmp_path: Path) -> None:
    found = compared(tmp_path, {"wire": {"registration_path": "unversioned"}})
    assert "registration" in found.failed["stream"]


def test_wrong_keys_are_a_wrong_set_up(tmp_path: Path) -> None:
    with pytest.raises(SetUpError, match="refused the log-in"):
        compared(tmp_path, {}, MMBOT_SECRET_KEY="wrong")


def test_an_exchange_that_gives_no_session_is_a_failure(tmp_path: Path) -> None:
    # faults: D5
    with pytest.raises(Stop, match="no session"):
        compared(tmp_path, {"session": {"sessions_max": 1}})


def test_a_second_look_uses_the_session_of_the_first(tmp_path: Path) -> None:
    # faults: D5
    two = {"session": {"sessions_max": 2}}  # one is the account's own
    assert compared(tmp_path, two, listen_s=0, looks=2).same
