"""What really happened: every request, order, fill and cent as one numbered JSON line each.

Kept in memory up to a number of bytes, oldest first out; a spill file gets every line. What was
dropped still counts in `totals`, so that cash can be rebuilt at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import merge
from typing import Final

import msgspec

from mmbot.sim.core.messages import Json
from mmbot.sim.core.orders import Account, Fill, Order
from mmbot.sim.core.wallet import Posting
from mmbot.sim.faults.plan import Injected
from mmbot.sim.witness.ring import Line, Ring

KEPT_BYTES_MAX: Final = 16 << 20
TRADERS_BYTES_MAX: Final = 8 << 20  # orders of the box's own traders, which come by the thousand
BODY_SHOWN_BYTES_MAX: Final = 4096
PAGE_LINES: Final = 1000
PAGE_LINES_MAX: Final = 10_000

encode = msgspec.json.encode


class Head(msgspec.Struct):
    """What a line is about, read back from its text."""

    kind: str
    account: str = ""
    maker: str = ""
    taker: str = ""


@dataclass(slots=True)
class Sums:
    """Of one account since its opening; equal to its cash at any time."""

    opening_cents: int = 0
    moved_cents: int = 0
    movements: int = 0
    orders: int = 0
    fills: int = 0
    requests: int = 0


class Truth:
    """The box's own diary; nothing in it is ever changed."""

    def __init__(self) -> None:
        self.keeps = True  # lines; without them the sums are still kept
        self._spill: Callable[[bytes], object] | None = None
        self._count = 0
        self._own = Ring(KEPT_BYTES_MAX)
        self._traders = Ring(TRADERS_BYTES_MAX)
        self._sums: dict[str, Sums] = {}

    def spill_to(self, write: Callable[[bytes], object]) -> None:
        """Every line so far and from now on goes there too."""
        for line in self._merged(0):
            write(line.text + b"\n")
        self._spill = write

    # -- what happened --------------------------------------------------------------------

    def opened(self, account: Account, now_ns: int) -> None:
        self._of(account.name).opening_cents = account.cash_cents
        fields: Json = {"user_id": account.user_id, "cash_cents": account.cash_cents}
        self._write("account", account.name, now_ns, fields)

    def request(self, account: str, method: str, path: str, body: bytes, now_ns: int) -> int:
        """Returns the number by which the answer will name it. Keys and secrets are left out."""
        self._of(account).requests += 1
        fields: Json = {"method": method, "path": path}
        if body and "/auth/" not in path:
            shown = body[:BODY_SHOWN_BYTES_MAX]
            fields["body"] = shown.decode("utf-8", "replace")
            if len(body) > len(shown):
                fields["body_bytes"] = len(body)
        return self._write("request", account, now_ns, fields)

    def answer(self, account: str, of: int, status: int, fate: str, now_ns: int) -> None:
        """`fate` says how it never got back to the client; empty when it did."""
        fields: Json = {"of": of, "status": status}
        if fate:
            fields["fate"] = fate
        self._write("answer", account, now_ns, fields)

    def order(self, order: Order, what: str, now_ns: int) -> None:
        account = order.account
        fields: Json = {
            "what": what,
            "order_id": order.order_id,
            "status": order.status,
            "open_cents": order.open_cents,
            "filled_cents": order.filled_cents,
        }
        if what == "accepted":
            self._of(account.name).orders += 1
            fields |= {
                "external_id": order.request.external_id,
                "strike_id": order.strike.strike_id,
                "price": order.price,
                "quantity_cents": order.request.quantity_cents,
                "strategy": order.request.strategy,
            }
        self._write("order", account.name, now_ns, fields, traders=account.internal)

    def fill(self, fill: Fill) -> None:
        maker, taker = fill.maker.account.name, fill.taker.account.name
        self._of(maker).fills += 1
        self._of(taker).fills += 1
        fields: Json = {
            "fill_id": fill.fill_id,
            "maker": maker,
            "taker": taker,
            "maker_order_id": fill.maker.order_id,
            "taker_order_id": fill.taker.order_id,
            "maker_strike_id": fill.maker.strike.strike_id,
            "maker_price": fill.maker_price,
            "maker_cents": fill.maker_cents,
            "taker_cents": fill.taker_cents,
        }
        internal = fill.maker.account.internal and fill.taker.account.internal
        self._write("fill", None, fill.at_ns, fields, traders=internal)

    def taken_back(self, fill: Fill) -> None:
        """A fill that was undone; the cents go back in lines of their own."""
        fields: Json = {"fill_id": fill.fill_id}
        fields |= {"maker": fill.maker.account.name, "taker": fill.taker.account.name}
        self._write("fill_taken_back", None, fill.busted_ns, fields)

    def moved(self, posting: Posting) -> None:
        """One movement of cash, after it; the chest is where the cents came from or went to."""
        account, cause = posting.account, posting.cause
        sums = self._of(account.name)
        sums.moved_cents += posting.cents
        sums.movements += 1
        fields: Json = {
            "why": posting.kind,
            "amount_cents": posting.cents,
            "cash_cents": account.cash_cents,
            "chest": posting.chest,
            "trade_id": cause.trade_id,
            "event_id": cause.event_id,
            "market_id": cause.market_id,
        }
        self._write("cash", account.name, cause.at_ns, fields, traders=account.internal)

    def fault(self, entry: Injected) -> None:
        self._write("fault", None, entry.now_ns, {"fault": entry.fault, "what": entry.what})

    def steered(self, what: str, asked: object, now_ns: int) -> None:
        """Somebody moved the box by hand or by its timeline."""
        self._write("control", None, now_ns, {"what": what, "asked": asked})

    # -- reading --------------------------------------------------------------------------

    def page(
        self, since: int = 0, account: str = "", kind: str = "", limit: int = PAGE_LINES
    ) -> tuple[list[bytes], int]:
        """Lines with a number above `since`, and the number to go on from."""
        found: list[bytes] = []
        last = since
        for line in self._merged(since):
            last = line.number
            if (not kind and not account) or _is_about(line.text, account, kind):
                found.append(line.text)
                if len(found) >= limit:
                    break
        return found, last

    def totals(self) -> Json:
        return {
            "lines": self._count,
            "dropped": {"accounts": self._own.dropped, "traders": self._traders.dropped},
            "accounts": {
                name: {
                    "opening_cents": sums.opening_cents,
                    "moved_cents": sums.moved_cents,
                    "cash_cents": sums.opening_cents + sums.moved_cents,
                    "movements": sums.movements,
                    "orders": sums.orders,
                    "fills": sums.fills,
                    "requests": sums.requests,
                }
                for name, sums in self._sums.items()
            },
        }

    def _merged(self, since: int) -> Iterator[Line]:
        """Both rings by number, from the first line above `since`."""
        return merge(self._own.after(since), self._traders.after(since))

    def _of(self, account: str) -> Sums:
        sums = self._sums.get(account)
        if sums is None:
            sums = self._sums[account] = Sums()
        return sums

    def _write(
        self,
        kind: str,
        account: str | None,
        now_ns: int,
        fields: Json,
        *,
        traders: bool = False,
    ) -> int:
        self._count += 1
        if not self.keeps:
            return self._count
        head: Json = {"n": self._count, "at_ns": now_ns, "kind": kind}
        if account is not None:
            head["account"] = account
        text = encode(head | fields)
        (self._traders if traders else self._own).add(Line(self._count, text))
        if self._spill is not None:
            self._spill(text + b"\n")
        return self._count


def _is_about(text: bytes, account: str, kind: str) -> bool:
    head = msgspec.json.decode(text, type=Head)
    if kind and head.kind != kind:
        return False
    return not account or account in (head.account, head.maker, head.taker)
