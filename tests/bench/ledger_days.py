"""Ledgers to measure with: many closed orders in a file, many open ones in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from mmbot.domain.book import Level
from mmbot.domain.entries import Entry, PlaceIntended, RunStarted, TransactionBooked
from mmbot.domain.events import HistoryRead
from mmbot.domain.fill import Transaction
from mmbot.domain.ids import OrderId, StrikeId
from mmbot.domain.motive import FairSeen, Motive, Verdict
from mmbot.domain.notes import RequestAnswered, RequestSent
from mmbot.domain.order import Order, OrderReport
from mmbot.domain.price import Price
from mmbot.domain.view import Position
from mmbot.engine.ledger import Ledger
from mmbot.store.journal import Journal
from tests.builders import (
    AWAY,
    EVENT,
    HOME,
    NOW,
    PREFIX,
    RUN,
    SECOND,
    a_report,
    an_order,
    lines_of,
    seen,
)
from tests.builders import a_ledger as a_fresh_ledger

DATA: Final = Path(__file__).resolve().parents[2] / "mmbot" / "data"
EXAMPLE: Final = DATA / "contract" / "get_order_history.response.v4.json"
FILLED_EVERY: Final = 10  # one order in ten is filled, settled and paid
APART_NS: Final = SECOND  # between two intents: 100,000 orders in 28 hours
COMMIT_ORDERS: Final = 100
NEXT_RUN: Final = "fedcba987654"
MOTIVE: Final = Motive(
    (FairSeen("box_feed", 929_970, 445), FairSeen("odds_api", 931_200, 1_204)),
    (Level(Price(-1200), 14_868), Level(Price(1500), 401)),
    55,
    Position(),
)
VERDICT: Final = Verdict("ENABLED", 0, 10_000, 150_000, 10_000, 1_200_000, 10_000, 80_000_000)


def write_closed(path: Path, orders: int) -> int:
    """A file of that many closed orders, as a daemon writes them; returns its entries."""
    count = 1
    with closing(Journal.open(path)) as journal:
        journal.append([RunStarted(RUN, NOW)])
        commit: list[Entry] = []
        for n, life in enumerate(closed_lives(orders), start=1):
            commit += life
            if n % COMMIT_ORDERS == 0 or n == orders:
                journal.append(commit)
                count += len(commit)
                commit = []
    return count


def closed_lives(orders: int) -> Iterator[list[Entry]]:
    """All entries of one order after the other, the story of its requests included."""
    ledger = a_fresh_ledger()
    for n in range(orders):
        at_ns = NOW + n * APART_NS
        order = _an_order(ledger, n, at_ns)
        ledger.intend(order)
        [intent, *_] = ledger.drain().entries
        assert isinstance(intent, PlaceIntended)
        entries: list[Entry] = [replace(intent, motive=MOTIVE, verdict=VERDICT)]
        entries.append(RequestSent(2 * n, "place", (order.external_id,), at_ns))
        ledger.apply(seen(a_report(order), "reply", at_ns), at_ns)
        entries.append(RequestAnswered(2 * n, 200, "", ("inactive",), at_ns))
        if n % FILLED_EVERY:
            ledger.want_cancel(order.external_id, at_ns)
            entries.append(RequestSent(2 * n + 1, "cancel", (order.external_id,), at_ns))
            ledger.apply(seen(a_report(order, status="canceled"), at_ns=at_ns), at_ns)
            entries.append(RequestAnswered(2 * n + 1, 200, "", ("canceled",), at_ns))
        else:
            _fill(ledger, order, at_ns)
            entries += [TransactionBooked(row, at_ns) for row in _rows(order, n, at_ns)]
        entries += ledger.drain().entries
        yield entries
        ledger.tick(at_ns)
        ledger.drain()


def _an_order(ledger: Ledger, n: int, at_ns: int) -> Order:
    side = n % 2
    return an_order(
        ledger.next_external_id(),
        side=side,
        strike_id=AWAY if side else HOME,
        price=Price(-130 if side else 150),
        intended_ns=at_ns,
    )


def _fill(ledger: Ledger, order: Order, at_ns: int) -> None:
    for cents in (4_000, 10_000):
        ledger.apply(seen(a_report(order, filled=cents), at_ns=at_ns), at_ns)
    done = a_report(order, filled=10_000, status="closed", winning_status="loss")
    ledger.apply(seen(done, at_ns=at_ns), at_ns)


def _rows(order: Order, n: int, at_ns: int) -> list[Transaction]:
    trade, market = f"trade-{n}", str(order.market_id)
    return [
        Transaction(f"tx-{n}-{k}", "TRADE", -cents, f"{trade}-{k}", int(EVENT), market, at_ns)
        for k, cents in enumerate((4_000, 6_000))
    ]


def open_ledger(orders: int) -> tuple[Ledger, tuple[OrderReport, ...]]:
    """That many open orders of a run before, and the exchange's reports of them."""
    before = a_fresh_ledger()
    ledger = Ledger(PREFIX, line_of=lines_of())
    ledger.replay(RunStarted(RUN, NOW))
    reports = []
    for n in range(orders):
        order = replace(_an_order(before, n, NOW), strike_id=StrikeId(f"strike-{n % 700}"))
        report = a_report(order, order_id=OrderId(f"theirs-{n}"))
        ledger.replay(PlaceIntended(order))
        ledger.apply(seen(report, "reply", NOW), NOW)
        reports.append(report)
    ledger.begin_run(NEXT_RUN, NOW + SECOND)
    ledger.start(NOW + SECOND)
    ledger.drain()
    return ledger, tuple(reports)


def everything_alive(
    reports: tuple[OrderReport, ...], at_ns: int, changed: bool = False
) -> HistoryRead:
    """The list of all that is alive, as a start or an audit reads it.

    `changed`: one order in twenty has filled in part, one in twenty is not in the list.
    """
    if changed:
        reports = tuple(
            replace(one, filled_cents=100, open_cents=one.open_cents - 100) if n % 20 == 1 else one
            for n, one in enumerate(reports)
            if n % 20
        )
    return HistoryRead(at_ns - 7 * 86_400 * SECOND, reports, at_ns, at_ns, at_ns, alive_only=True)


def written_row(n: int) -> bytes:
    """A row of the order history, as the contract shows it."""
    shown = json.loads(EXAMPLE.read_text(encoding="utf-8"))["data"]["orders"][0]
    row = {**shown, "order_id": f"theirs-{n}", "external_id": f"{PREFIX}-{RUN}-{n}"}
    return json.dumps(row).encode()
