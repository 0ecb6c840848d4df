"""When a client was told of its order, in the judge of staleness."""

from __future__ import annotations

import pytest

from mmbot.sim.witness.stale_watch import named


def test_an_answer_names_an_order_only_with_the_id_that_a_cancel_needs() -> None:
    body = b"""{"data": {"failed_orders": [{"external_id": "b", "error": "existed"}], "orders": [
      {"external_id": "a", "order_id": "1", "price": -110, "quantity": 5},
      {"external_id": "c", "order_id": "", "price": -110, "quantity": 5},
      {"external_id": "d", "id": "4", "odds": -110, "stake": 5}]}}"""
    assert sorted(named(body)) == ["a", "d"]
    assert not list(named(b"<html>502</html>"))


@pytest.mark.parametrize("odd", ['"price":0', '"quantity":"15"', '"quantity":null', '"x":15'])
def test_an_order_without_its_figures_tells_nothing_that_can_be_believed(odd: str) -> None:
    # faults: A13
    whole = '{"external_id":"a","order_id":"x","price":-110,"quantity":15.5}'
    assert list(named(whole.encode())) == ["a"]
    key = odd.partition(":")[0].replace("x", "quantity")
    old = '"price":-110' if key == '"price"' else '"quantity":15.5'
    assert not list(named(whole.replace(old, odd).encode()))
