"""Ended orders of one account in a temporary file, so that a box that runs for days stays small."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import fields
from typing import Any, Final

import msgspec

from mmbot.sim.core.exchange import Exchange
from mmbot.sim.core.lifecycle import Listing
from mmbot.sim.core.orders import Account, Order, OrderRequest

CACHE_KIB: Final = 256
MARK_BITS: Final = 22  # of 200,000 ids one in twenty is asked for in vain
SCHEMA: Final = """
    CREATE TABLE ended (
        number INTEGER PRIMARY KEY,
        order_id TEXT NOT NULL UNIQUE,
        external_id TEXT NOT NULL UNIQUE,
        body BLOB NOT NULL
    ) STRICT
"""
BELONGS: Final = ("account", "request", "line", "strike", "fills")
PLAIN: Final = tuple(one.name for one in fields(Order) if one.name not in BELONGS)


@contextmanager
def archived(exchange: Exchange) -> Iterator[None]:
    """While it lasts, clients' orders that ended unfilled lie in files and not in memory."""
    with ExitStack() as files:
        for account in exchange.accounts.values():
            if not account.internal:
                archive = OrderArchive(account, exchange.listing)
                account.orders.archive = files.enter_context(closing(archive))
        yield


class Marks:
    """Which ids may have been seen: as large on the last day as on the first."""

    def __init__(self) -> None:
        self._bits = bytearray(1 << (MARK_BITS - 3))

    def add(self, text: str) -> None:
        mark = hash(text) % (1 << MARK_BITS)
        self._bits[mark >> 3] |= 1 << (mark & 7)

    def may_have(self, text: str) -> bool:
        """True of every id that was added, and of a few that were not."""
        mark = hash(text) % (1 << MARK_BITS)
        return bool(self._bits[mark >> 3] & (1 << (mark & 7)))


class OrderArchive:
    """A file that SQLite deletes when it is closed; nothing in it is ever changed."""

    def __init__(self, account: Account, listing: Listing) -> None:
        self._account = account
        self._listing = listing
        self._external = Marks()  # most submissions need no look into the file
        self._file = sqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}"):
            self._file.execute(f"PRAGMA {pragma}")
        self._file.execute(SCHEMA)

    def close(self) -> None:
        self._file.close()

    def keep(self, orders: Sequence[Order]) -> None:
        self._file.execute("BEGIN")
        self._file.executemany("INSERT INTO ended VALUES (?, ?, ?, ?)", map(_row, orders))
        self._file.execute("COMMIT")
        for one in orders:
            self._external.add(one.request.external_id)

    def find(self, order_id: str) -> Order | None:
        asked = "SELECT body FROM ended WHERE order_id = ?"
        row = self._file.execute(asked, (order_id,)).fetchone()
        return None if row is None else self._order(row[0])

    def knows_external(self, external_id: str) -> bool:
        if not self._external.may_have(external_id):
            return False
        asked = "SELECT 1 FROM ended WHERE external_id = ?"
        return self._file.execute(asked, (external_id,)).fetchone() is not None

    def orders(self, *, newest_first: bool = False) -> Iterator[Order]:
        way = "DESC" if newest_first else "ASC"
        for (body,) in self._file.execute(f"SELECT body FROM ended ORDER BY number {way}"):
            yield self._order(body)

    def __len__(self) -> int:
        found: int = self._file.execute("SELECT count(*) FROM ended").fetchone()[0]
        return found

    def _order(self, body: bytes) -> Order:
        plain, asked = msgspec.msgpack.decode(body, type=tuple[dict[str, Any], OrderRequest])
        known = self._listing
        strike = known.strikes.get(asked.strike_id) or known.gone[asked.strike_id]
        line = known.lines[strike.line_index]
        return Order(account=self._account, request=asked, line=line, strike=strike, **plain)


def _row(order: Order) -> tuple[int, str, str, bytes]:
    plain = {name: getattr(order, name) for name in PLAIN}
    body = msgspec.msgpack.encode((plain, order.request))
    return order.number, order.order_id, order.request.external_id, body
