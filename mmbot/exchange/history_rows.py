"""The orders of a history: what its rows show, and what they still show when one is spoiled."""

from __future__ import annotations

from collections.abc import Iterable

from mmbot.domain.events import Event, HistoryRead, OrderSeen
from mmbot.domain.ids import OrderId
from mmbot.domain.order import OrderReport
from mmbot.exchange import codec, wire
from mmbot.exchange.notices import Notices


def orders_of(rows: Iterable[wire.Raw], notices: Notices) -> tuple[tuple[OrderReport, ...], str]:
    """The orders, and why this is not all of them; "" when it is.

    An order whose row cannot be read would seem absent, so one such row spoils the history. An
    order on two pages counts as the later one shows it.
    """
    reports: dict[OrderId, OrderReport] = {}
    spoiled = ""
    for row in rows:
        try:
            report = codec.order_report(row, notices)
        except ValueError as error:
            notices.alarm("history_unreadable", str(error))
            spoiled = str(error)
        else:
            reports[report.order_id] = report
    return tuple(reports.values()), spoiled


def one_by_one(read: HistoryRead) -> list[Event]:
    """The same orders without the claim that these are all."""
    return [
        OrderSeen(report, "read", read.received_ns, read.synced_ns, "history", None, read.date_ns)
        for report in read.reports
    ]
