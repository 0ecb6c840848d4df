"""Lists that leave out what is new, or a part of every row, whatever `last_synced_at` says."""

from __future__ import annotations

from mmbot.sim.rules import SessionRules
from tests.sim.builders import NS, Client, a_box, a_line


# faults: A11
def test_a_list_that_leaves_out_what_is_new_while_a_single_read_shows_it() -> None:
    box = a_box()
    client, strike = Client(box), a_line(box).strikes[0].strike_id

    def listed() -> int:
        query = f"from={client.now_ns // NS - 60}&to={client.now_ns // NS + 60}"
        return len(client.api("GET", f"/v4/mm/get_order_history?{query}")[1]["data"]["orders"])

    def place(odds: int) -> str:
        body = client.order(strike, odds, 5.0)
        placed = client.api("POST", "/v4/mm/submit_order", body)[1]["data"]["order"]
        return str(placed["order_id"])

    place(900)
    assert box.switches.set_all({"changes_unlisted": True}) is None
    new = place(800)
    assert listed() == 1
    assert client.api("GET", f"/v4/mm/get_order/{new}")[0] == 200
    box.switches.set_all({"changes_unlisted": False})
    client.wait(2)
    assert listed() == 2


# faults: A13
def test_rows_of_the_history_without_their_quantities() -> None:
    box = a_box()
    client, strike = Client(box), a_line(box).strikes[0].strike_id
    client.api("POST", "/v4/mm/submit_order", client.order(strike, 900, 5.0))
    query = f"from={client.now_ns // NS - 60}&to={client.now_ns // NS + 60}"

    def row() -> dict[str, object]:
        answer = client.api("GET", f"/v4/mm/get_order_history?{query}")[1]["data"]["orders"]
        return dict(answer[0])

    whole = row()
    assert box.switches.set_all({"history_rows_cut": True}) is None
    client.wait(2)
    cut = row()
    assert cut["order_id"] == whole["order_id"]
    assert whole.keys() - cut.keys() == {"quantity", "filled_quantity", "open_quantity"}


# faults: A11 D14
def test_a_copy_that_stands_still_says_how_old_it_is() -> None:
    box = a_box()
    client, strike = Client(box), a_line(box).strikes[0].strike_id

    def listed() -> tuple[str, list[str]]:
        query = f"from={client.now_ns // NS - 60}&to={client.now_ns // NS + 60}"
        answer = client.api("GET", f"/v4/mm/get_order_history?{query}")[1]
        rows = answer["data"]["orders"]
        return answer["last_synced_at"], sorted(row["status"] for row in rows)

    def place(odds: int) -> str:
        body = client.order(strike, odds, 5.0)
        placed = client.api("POST", "/v4/mm/submit_order", body)[1]["data"]["order"]
        return str(placed["order_id"])

    old = place(900)
    client.wait(2)
    assert box.switches.set_all({"copy_stands_still": True}) is None
    stood = listed()
    client.wait(1)
    place(800)
    client.wait(10)
    assert listed() == stood
    client.api("POST", "/v4/mm/cancel_order", {"external_id": "", "order_id": old})
    box.switches.set_all({"copy_stands_still": False})
    client.wait(10)
    assert listed()[0] > stood[0]
    assert len(listed()[1]) == 2


# faults: B13
def test_lists_that_stand_still_and_say_so_while_a_single_read_goes_on() -> None:
    box = a_box(session=SessionRules(reporting_lag_s=1.0))
    client, strike = Client(box), a_line(box).strikes[0].strike_id

    def listed() -> tuple[list[str], str]:
        query = f"from={client.now_ns // NS - 600}&to={client.now_ns // NS + 60}"
        answer = client.api("GET", f"/v4/mm/get_order_history?{query}")[1]
        return [row["status"] for row in answer["data"]["orders"]], answer["last_synced_at"]

    placed = client.api("POST", "/v4/mm/submit_order", client.order(strike, 900, 5.0))[1]
    order_id = placed["data"]["order"]["order_id"]
    client.wait(5)
    before = listed()
    assert box.switches.set_all({"history_stands": True}) is None
    listed()
    client.api("POST", "/v4/mm/cancel_all_orders", {})
    client.wait(30)
    assert listed() == before == (["open"], before[1])
    single = client.api("GET", f"/v4/mm/get_order/{order_id}")[1]
    assert single["data"]["status"] == "canceled"
    assert single["last_synced_at"] > before[1]
    box.switches.set_all({"history_stands": False})
    assert listed()[0] == ["canceled"]
