"""Everything that only looks: orders, history, books, money, ladder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Final

from mmbot.domain.commands import MARKET_EVENTS_MAX, ReadHistory, ReadOrder
from mmbot.domain.errors import FindOut, MmbotError, TryAgain
from mmbot.domain.events import (
    BookUpdated,
    Event,
    HistoryRead,
    LadderLoaded,
    OrderNotFound,
    OrderSeen,
    ReadFailed,
    TradesRead,
    TransactionsRead,
)
from mmbot.domain.fill import Trade, Transaction
from mmbot.domain.ids import SportEventId
from mmbot.domain.order import OrderReport
from mmbot.exchange import codec, wire
from mmbot.exchange.amounts import NS_PER_S, time_ns
from mmbot.exchange.books import BookReader, leaves
from mmbot.exchange.drift import Finding, What
from mmbot.exchange.history_rows import one_by_one, orders_of
from mmbot.exchange.listing import Listing
from mmbot.exchange.page import page
from mmbot.exchange.rest import Answer, Rest
from mmbot.exchange.routes import PAGE_ROWS_MAX, Route
from mmbot.exchange.windows import history_queries, windows
from mmbot.runtime.limiter import Priority

PAGES_MAX: Final = 1_000
# `to` lies a little ahead, so that an order made during the read is inside the window.
AHEAD_S: Final = 5
SILENT_LINES_MIN: Final = 3
SILENT_ALARM_S: Final = 60  # and not with each read: what is mute is read every two seconds


class NoSuchRoute(TryAgain):
    """An unsure route of the dialect does not exist here."""


class ReadGateway:
    """Each method answers with domain events; a read that fails answers ReadFailed."""

    def __init__(self, rest: Rest, listing: Listing) -> None:
        self.rest = rest
        self.listing = listing
        self.notices = rest.notices
        self.books = BookReader(listing, rest.notices)
        self._silent_ns = -SILENT_ALARM_S * NS_PER_S  # when that was last alarmed

    async def read_order(self, read: ReadOrder) -> list[Event]:
        """OrderSeen, OrderNotFound or ReadFailed."""
        priority = Priority.DOUBT if read.ends_doubt else Priority.AUDIT
        try:
            answer = await page(self.rest, self.rest.routes.order, priority, item=read.order_id)
        except MmbotError as error:
            return [ReadFailed("ReadOrder", str(error))]
        synced_ns = _synced_ns(answer.body)
        if answer.refusal is not None:
            if answer.reply.status == 404:
                return [OrderNotFound(read.external_id, synced_ns, answer.received_ns)]
            return [ReadFailed("ReadOrder", answer.refusal.text)]
        report = self._one_order(answer)
        if report is None:
            return [ReadFailed("ReadOrder", "an order that cannot be read")]
        shown = OrderSeen(report, "read", answer.received_ns, synced_ns)
        return [replace(shown, exchange_ns=answer.date_ns)]

    def _one_order(self, answer: Answer) -> OrderReport | None:
        """Flat below `data`, or one level deeper (contract 15.6)."""
        try:
            data = wire.unwrap(answer.body, wire.Raw)
            inner = wire.decode(data, dict[str, wire.Raw]).get("order", data)
        except wire.Unreadable as error:
            self.notices.count("order_unreadable", str(error))
            return None
        return self._report(inner, "order_unreadable")

    def _report(self, raw: wire.Raw, kind: str) -> OrderReport | None:
        if wire.is_absent(raw):
            return None
        try:
            return codec.order_report(raw, self.notices)
        except ValueError as error:
            self.notices.count(kind, str(error))
            return None

    async def read_history(self, read: ReadHistory) -> list[Event]:
        """All orders created or changed since `from_ns` as one HistoryRead, or ReadFailed.

        It shows nothing later than its window, however young the copy: its turn may come late.
        Beside a page that cannot be had, or a row that cannot be read, the others tell of
        themselves, each as OrderSeen: the id of an order in doubt must not be lost with the list.
        """
        # Until it is known what rests nothing is quoted; what has changed can wait.
        urgent = read.ends_doubt or read.alive_only
        priority = Priority.DOUBT if urgent else Priority.AUDIT
        rows: list[wire.Raw] = []
        synced: list[int | None] = []
        first: Answer | None = None
        failed = ""
        until_s = self._until_s()
        try:
            for query in history_queries(read, until_s):
                async for answer in self._pages(self.rest.routes.history, priority, query):
                    first = first or answer
                    synced.append(_synced_ns(answer.body))
                    rows += wire.rows_of(answer.body, "orders")
        except (MmbotError, ValueError) as error:
            failed = str(error)
        if first is None:
            return [ReadFailed("ReadHistory", failed or "the window lies in the future")]
        known = [ns for ns in synced if ns is not None]
        date_ns = first.date_ns
        reports, spoiled = orders_of(rows, self.notices)
        shown = HistoryRead(
            from_ns=read.from_ns,
            reports=reports,
            synced_ns=min(*known, until_s * NS_PER_S) if len(known) == len(synced) else None,
            date_ns=self.rest.session.exchange_now_ns() if date_ns is None else date_ns,
            received_ns=first.received_ns,
            alive_only=read.alive_only,
            changed_only=read.changed_only,
        )
        if why := failed or spoiled:
            return [*one_by_one(shown), ReadFailed("ReadHistory", why)]
        return [shown]

    async def _pages(
        self, route: Route, priority: Priority, query: dict[str, str | int]
    ) -> AsyncIterator[Answer]:
        """Each page of a listing; raises TryAgain or FindOut when one cannot be had.

        NoSuchRoute where an unsure route is missing.
        """
        cursors: set[str] = set()
        cursor = ""
        while True:
            page_query = {**query, "limit": PAGE_ROWS_MAX}
            if cursor:
                page_query["next_cursor"] = cursor
            answer = await page(self.rest, route, priority, page_query)
            if answer.refusal is not None:
                if route.unsure and answer.refusal.no_such_route:
                    raise NoSuchRoute(f"{route.name}: {answer.refusal.text}")
                raise TryAgain(f"{route.name}: {answer.refusal.text}")
            yield answer
            cursor = _cursor(answer.body)
            if not cursor:
                return
            if cursor in cursors or len(cursors) >= PAGES_MAX - 1:
                self.notices.count("cursor_repeated", route.name)
                raise FindOut(f"{route.name}: the pages do not end")
            cursors.add(cursor)

    async def read_markets(self, event_ids: Sequence[SportEventId]) -> list[Event]:
        """Book images, except where the stream was newer; ReadFailed beside what was read."""
        events: list[Event] = []
        for start in range(0, len(event_ids), MARKET_EVENTS_MAX):
            chunk = event_ids[start : start + MARKET_EVENTS_MAX]
            try:
                answer, markets = await self.markets_of(chunk)
            except (MmbotError, wire.Unreadable) as error:
                events.append(ReadFailed("ReadMarkets", str(error)))
                continue
            for event_id, raws in markets.items():
                events.extend(self.books_of(event_id, raws, answer))
        self._compare_with_stream(events)
        return events

    def _compare_with_stream(self, events: Sequence[Event]) -> None:
        """One line may have moved just now; many at once mean that the stream is silent (E4)."""
        books = [event.book for event in events if isinstance(event, BookUpdated)]
        compared = [self.listing.differs_from_stream(book) for book in books]
        differing, shown = compared.count(True), len(compared) - compared.count(None)
        if differing:
            self.notices.count("book_differs_from_stream", f"{differing} of {shown} lines")
        if differing >= SILENT_LINES_MIN and differing * 2 > shown:
            self.notices.drift.note(Finding(What.SILENT_CHANNEL, "stream.market_selections"))
            now_ns = self.rest.clock.now_ns()
            if now_ns - self._silent_ns >= SILENT_ALARM_S * NS_PER_S:
                self._silent_ns = now_ns
                self.notices.alarm("stream_silent", f"{differing} of {shown} books moved unseen")

    async def markets_of(
        self, event_ids: Sequence[SportEventId]
    ) -> tuple[Answer, dict[SportEventId, list[wire.Raw]]]:
        """Raw markets by event, at most 50 events. Events that are missing are asked once more.

        Raises TryAgain, FindOut or wire.Unreadable.
        """
        answer, found = await self._markets_once(event_ids)
        missing = [event_id for event_id in event_ids if event_id not in found]
        if missing:
            # The vendor calls it a defect of theirs; it is seen, so it is asked once more.
            self.notices.count("markets_of_event_missing", str(missing[0]))
            _, more = await self._markets_once(missing)
            found |= more
        return answer, found

    async def _markets_once(
        self, event_ids: Sequence[SportEventId]
    ) -> tuple[Answer, dict[SportEventId, list[wire.Raw]]]:
        query: dict[str, str | int] = {"event_ids": ",".join(str(ident) for ident in event_ids)}
        answer = await page(self.rest, self.rest.routes.markets, Priority.AUDIT, query)
        if answer.refusal is not None:
            raise TryAgain(f"{self.rest.routes.markets.name}: {answer.refusal.text}")
        data = wire.unwrap(answer.body, wire.Raw)
        if wire.is_list(data):
            return answer, self._grouped(wire.raw_list(data))
        by_event = {} if wire.is_absent(data) else wire.decode(data, dict[str, wire.Raw])
        return answer, {
            SportEventId(int(key)): wire.raw_list(raw)
            for key, raw in by_event.items()
            if key.isdigit()
        }

    def _grouped(self, raws: Sequence[wire.Raw]) -> dict[SportEventId, list[wire.Raw]]:
        grouped: dict[SportEventId, list[wire.Raw]] = {}
        for raw in raws:
            try:
                ident = wire.decode(raw, wire.Market).event_id
                grouped.setdefault(SportEventId(int(ident or 0)), []).append(raw)
            except ValueError as error:
                self.notices.count("market_unreadable", str(error))
        grouped.pop(SportEventId(0), None)
        return grouped

    def books_of(
        self, event_id: SportEventId, raws: Sequence[wire.Raw], answer: Answer
    ) -> list[Event]:
        """Images of lines that are listed and were not streamed since the request left."""
        events: list[Event] = []
        for raw in raws:
            for leaf in leaves(raw, event_id, self.notices):
                book = self.books.read_leaf(leaf, answer.received_ns)
                if book is None or self.listing.streamed_since(book.line_id, answer.sent_ns):
                    continue
                events.append(BookUpdated(book, answer.sent_ns))
        return events

    async def read_balance(self) -> list[Event]:
        """BalanceSeen; its cash is None when the answer could not be used (fails closed)."""
        try:
            answer = await self.rest.call(self.rest.routes.balance, Priority.AUDIT)
        except MmbotError as error:
            return [ReadFailed("ReadBalance", str(error))]
        if answer.refusal is not None:
            return [ReadFailed("ReadBalance", answer.refusal.text)]
        seen = codec.balance_seen(answer.body, answer.received_ns)
        if seen.cash_cents is None:
            self.notices.alarm("balance_unreadable", "a figure is missing in get_balance")
        return [replace(seen, asked_ns=answer.sent_ns)]

    async def read_transactions(self, from_ns: int) -> list[Event]:
        """All money rows created since `from_ns` (exchange time), or ReadFailed.

        Of rows that cannot be booked nothing is guessed: the answer says that there were some.
        """
        route = self.rest.routes.transactions
        asked_ns = self.rest.clock.now_ns()
        if route is None:
            return [TransactionsRead((), from_ns, asked_ns, asked_ns, by_rows=False)]
        rows: dict[str, Transaction] = {}
        by_rows = True
        try:
            for query in windows(from_ns, self._until_s()):
                async for answer in self._pages(route, Priority.AUDIT, query):
                    for raw in wire.rows_of(answer.body, "transactions"):
                        row = self._money_row(raw)
                        if row is None:
                            by_rows = False
                        else:
                            rows[row.transaction_id] = row
        except NoSuchRoute:
            return [TransactionsRead((), from_ns, asked_ns, asked_ns, by_rows=False)]
        except (MmbotError, ValueError) as error:
            return [ReadFailed("ReadTransactions", str(error))]
        received_ns = self.rest.clock.now_ns()
        return [TransactionsRead(tuple(rows.values()), from_ns, received_ns, asked_ns, by_rows)]

    def _money_row(self, raw: wire.Raw) -> Transaction | None:
        try:
            return codec.transaction(raw)
        except wire.Unreadable:
            raise
        except ValueError as error:
            self.notices.count("transaction_unusable", str(error))
            return None

    async def read_trades(self, from_ns: int) -> list[Event]:
        """All fills since `from_ns` (exchange time), or ReadFailed; nothing without the route."""
        route = self.rest.routes.trades
        if route is None:
            return []
        rows: dict[str, Trade] = {}
        asked_ns = self.rest.clock.now_ns()
        try:
            for query in windows(from_ns, self._until_s()):
                async for answer in self._pages(route, Priority.AUDIT, query):
                    for raw in wire.rows_of(answer.body, "trades"):
                        row = codec.trade(raw)
                        rows[row.trade_id] = row
        except NoSuchRoute:
            return []
        except (MmbotError, ValueError) as error:
            return [ReadFailed("ReadTrades", str(error))]
        return [TradesRead(tuple(rows.values()), from_ns, asked_ns)]

    def _until_s(self) -> int:
        return self.rest.session.exchange_now_ns() // NS_PER_S + AHEAD_S

    async def load_ladder(self) -> LadderLoaded:
        """Raises SetUpError for a ladder that cannot be used, TryAgain or FindOut else."""
        answer = await page(self.rest, self.rest.routes.ladder, Priority.AUDIT)
        if answer.refusal is not None:
            raise TryAgain(f"the price ladder cannot be loaded: {answer.refusal.text}")
        try:
            found = wire.decode(answer.body, wire.Raw)
            data = wire.decode(found, wire.Envelope).data if wire.is_object(found) else found
        except wire.Unreadable:  # cut short on the way: that is no wrong set-up
            raise TryAgain("the price ladder cannot be loaded: an answer that is no JSON") from None
        if bytes(data) in {b"null", b"[]"}:  # not there now, like a list that is null elsewhere
            raise TryAgain("the price ladder cannot be loaded: it is empty")
        return LadderLoaded(codec.ladder(answer.body, self.notices))


def _synced_ns(body: bytes) -> int | None:
    try:
        return time_ns(wire.decode(body, wire.Envelope).last_synced_at)
    except wire.Unreadable:
        return None


def _cursor(body: bytes) -> str:
    """Below `data`, or beside it."""
    page = wire.unwrap(body, wire.Raw)
    inner = None if wire.is_list(page) else wire.decode(page, wire.Page).next_cursor
    return inner or wire.decode(body, wire.Envelope).next_cursor or ""
