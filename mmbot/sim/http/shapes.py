"""The other shapes in which an answer may come: one pure last step over what v4 would say."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from mmbot.sim.core.messages import Json
from mmbot.sim.core.prices import ratio
from mmbot.sim.faults.odd_books import draw
from mmbot.sim.faults.switches import Switches
from mmbot.sim.rules import WireRules

Fields = dict[str, Any]
LISTS: Final = frozenset(
    {
        "tournaments", "sport_events", "markets", "market_strikes", "players", "orders", "trades",
        "transactions", "matching_details", "matched_bets", "succeed_orders", "failed_orders",
    }
)  # fmt: skip
# What has a source for the rows of these lists (contract, section 4.10).
SOURCED: Final = {
    "trades": ("id", "order_id", "price", "quantity", "matched_at"),
    "matching_details": ("order_id",),
    "transactions": ("trade_id", "transaction_type"),
}
MARKET_READS: Final = frozenset({"markets", "multiple_markets", "search_markets"})
ORDER_READS: Final = frozenset({"order", "history", "submit", "submit_many", "cancel_many"})
EVENT_WORDS: Final = {"not_started": "scheduled"}


class Shapes:
    """Changes an answer as the rules and switches say; with the usual ones it is untouched."""

    def __init__(self, wire: WireRules, switches: Switches) -> None:
        self._wire = wire
        self._switches = switches
        self._of: dict[str, Callable[[Fields], Fields]] = {
            "ladder": self._ladder,
            "markets": self._markets,
            "order": self._order,
            "balance": self._balance,
            "register": self._registration,
            "trades": self._trades,
            "events": self._events,
        }

    def use(self, wire: WireRules) -> None:
        self._wire = wire

    def answer(self, operation: str, answer: Json) -> Json:
        """The same answer to the same operation, in the shape that is wanted."""
        if self._wire == USUAL and not self._shaping_switch():
            return answer
        found: Fields = copy.deepcopy(answer)
        if operation in MARKET_READS:
            self._walk_markets(found)
        if operation in ORDER_READS:
            self._walk_orders(found)
        if operation in self._of:
            found = self._of[operation](found)
        self._walk_lists(found)
        if "last_synced_at" in found and self._wire.last_synced_at == "number":
            stamp = str(found["last_synced_at"])[:19]
            found["last_synced_at"] = int(datetime.fromisoformat(stamp + "+00:00").timestamp())
        return found

    def _shaping_switch(self) -> bool:
        switches = self._switches
        return bool(
            switches.balance_key_absent or switches.channels_shuffled or switches.book_image
        )

    # -- one operation --------------------------------------------------------------------

    def _ladder(self, found: Fields) -> Fields:
        if self._wire.prices == "decimal" and found["data"]:
            found["data"] = [decimal_price(price) for price in found["data"]]
        if self._wire.ladder_form != "data":
            found["data"] = {self._wire.ladder_form: found["data"]}
        return found

    def _markets(self, found: Fields) -> Fields:
        if self._wire.markets_nesting == "list":
            found["data"] = found["data"]["markets"]
        return found

    def _order(self, found: Fields) -> Fields:
        if self._wire.order_nesting == "nested":
            found["data"] = {"order": found["data"]}
        return found

    def _balance(self, found: Fields) -> Fields:
        data = found["data"]
        if self._wire.balance == "gross":
            data["balance"] = round(data["balance"] + data["matched_order_balance"], 2)
        elif self._wire.balance == "inside":
            data["matched_order_balance"] = data["unmatched_order_balance"] = 0
        if self._switches.balance_key_absent:
            del data["balance"]
        return found

    def _registration(self, found: Fields) -> Fields:
        if self._switches.channels_shuffled:
            found["data"]["authorized_channel"].reverse()
        return found

    def _trades(self, found: Fields) -> Fields:
        if self._wire.trade_id_field == "trade_id":
            for row in found["data"]["trades"]:
                row["trade_id"] = row.pop("id")
        return found

    def _events(self, found: Fields) -> Fields:
        if self._wire.event_words == "affiliate":
            for event in found["data"]["sport_events"] or ():
                event["status"] = EVENT_WORDS.get(event["status"], event["status"])
        return found

    # -- everywhere -----------------------------------------------------------------------

    def _walk_markets(self, found: Fields) -> None:
        for fields in _objects(found):
            if fields.get("status") == "suspended":
                fields["status"] = self._wire.market_closed_word
            if "sub_type" in fields:
                self._sub_type(fields)
            if isinstance(fields.get("selections"), list):
                fields["selections"] = self._selections(fields["selections"])

    def _sub_type(self, fields: Fields) -> None:
        match self._wire.sub_type:
            case "empty":
                fields["sub_type"] = ""
            case "null":
                fields["sub_type"] = None
            case "absent":
                del fields["sub_type"]

    def _selections(self, sides: list[list[Fields]]) -> object:
        if self._switches.book_image:
            sides = draw(sides, self._switches.book_image)
        for number, levels in enumerate(sides):
            for level in levels:
                if self._wire.empty_side == "zero_price" and level["price"] is None:
                    level["price"] = 0
                if self._wire.prices == "decimal" and level["price"]:
                    level["price"] = decimal_price(level["price"])
            if self._wire.empty_side == "empty" and all(one["price"] is None for one in levels):
                sides[number] = []
        if self._wire.selections == "flat":
            return [level for levels in sides for level in levels]
        if self._wire.selections == "dictionary":
            by_line: dict[str, list[Fields]] = {}
            for levels in sides:
                for level in levels:
                    by_line.setdefault(str(level["strike"]), []).append(level)
            return by_line
        return sides

    def _walk_orders(self, found: Fields) -> None:
        for fields in _objects(found):
            if "matching_status" not in fields:
                continue
            if self._wire.winning_field != "winning_status":
                fields[self._wire.winning_field] = fields.pop("winning_status")
            if self._wire.order_id_field != "order_id":
                fields[self._wire.order_id_field] = fields.pop("order_id")

    def _walk_lists(self, found: Fields) -> None:
        for fields in _objects(found):
            for name in LISTS & fields.keys():
                rows = fields[name]
                if not rows and self._wire.empty_lists != "some_null":
                    fields[name] = None if self._wire.empty_lists == "null" else []
                if rows and name in SOURCED and self._wire.item_fields == "sourced":
                    keep = {*SOURCED[name], self._wire.trade_id_field}
                    fields[name] = [{k: v for k, v in row.items() if k in keep} for row in rows]


USUAL: Final = WireRules()


def decimal_price(price: int) -> float:
    """What one gets back per 1 staked, as the venue's data guide shows prices."""
    num, den = ratio(price)
    return round(1 + num / den, 2)


def _objects(found: object) -> Iterator[Fields]:
    """Every object in an answer, the outer ones first."""
    if isinstance(found, dict):
        yield found
        for inner in list(found.values()):
            yield from _objects(inner)
    elif isinstance(found, list):
        for inner in found:
            yield from _objects(inner)
