"""Reading over REST, v4: listing, books, orders, fills and money."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mmbot.sim import messages
from mmbot.sim.core import Exchange
from mmbot.sim.lifecycle import Line, SportEvent, iso_utc
from mmbot.sim.messages import Json
from mmbot.sim.orders import Account, Fill, Refusal, Transaction
from mmbot.sim.prices import usd
from mmbot.sim.reporting import Reporting
from mmbot.sim.requests import EVENT_ID_MAX, ORDER_ID, Page, integer, page_of

Body = Json | Refusal
EVENTS_PER_QUERY_MAX = 50
STRIKES_PER_QUERY_MAX = 20
ORDERS_PER_QUERY_MAX = 100
TRANSACTIONS_PAGE_MAX = 500
Query = dict[str, str]


class ReadRoutes:
    """The read side of the API; orders, fills and money come from the reporting copy."""

    def __init__(self, exchange: Exchange, reporting: Reporting) -> None:
        self._exchange = exchange
        self._reporting = reporting

    # -- listing --------------------------------------------------------------------------

    def balance(self, account: Account, query: Query, now_ns: int) -> Body:
        return {
            "data": {
                "balance": usd(account.cash_cents),
                "gec_balance": 0,
                "matched_order_balance": usd(account.matched_cents),
                "unmatched_order_balance": usd(account.resting_cents),
                "unmatched_order_balance_status": "succeed",
                "unmatched_order_last_synced_at": iso_utc(now_ns),
            }
        }

    def price_ladder(self, account: Account, query: Query, now_ns: int) -> Body:
        return {"data": list(self._exchange.ladder.wire)}

    def tournaments(self, account: Account, query: Query, now_ns: int) -> Body:
        listing = self._exchange.listing
        updated = min(event.updated_ns for event in listing.events.values())
        rows = [messages.tournament_fields(one, updated) for one in listing.tournaments()]
        return {"data": {"tournaments": rows}}

    def sport_events(self, account: Account, query: Query, now_ns: int) -> Body:
        wanted = query.get("tournament_id")
        ids = set(filter(None, query.get("event_ids", "").split(",")))
        found = [
            messages.event_fields(event)
            for event in self._exchange.listing.events.values()
            if (not wanted or str(event.tournament.id) == wanted)
            and (not ids or str(event.event_id) in ids)
            and event.status != "finished"
        ]
        return {"data": {"sport_events": found or None}}

    def markets(self, account: Account, query: Query, now_ns: int) -> Body:
        event_id = _event_id(query.get("event_id", ""))
        if isinstance(event_id, Refusal):
            return event_id
        event = self._exchange.listing.events.get(event_id)
        if event is None:
            return Refusal(404, "sport_event_not_found", "no such event")
        return {"data": {"event_id": event_id, "markets": self._markets(event)}}

    def multiple_markets(self, account: Account, query: Query, now_ns: int) -> Body:
        texts = [text for text in query.get("event_ids", "").split(",") if text]
        if not 1 <= len(texts) <= EVENTS_PER_QUERY_MAX:
            return Refusal(400, "market_event_limit_exceeded", "1 to 50 event ids")
        data: Json = {}
        for text in texts:
            event_id = _event_id(text)
            if isinstance(event_id, Refusal):
                return event_id
            event = self._exchange.listing.events.get(event_id)
            data[text] = None if event is None else self._markets(event)
        return {"data": data}

    def strikes(self, account: Account, query: Query, now_ns: int) -> Body:
        ids = [text for text in query.get("strike_ids", "").split(",") if text]
        if not 1 <= len(ids) <= STRIKES_PER_QUERY_MAX:
            return Refusal(400, "invalid_param", "1 to 20 strike_ids")
        rows: list[Json] = []
        for strike_id in ids:
            strike = self._exchange.listing.strikes.get(strike_id)
            if strike is None:
                continue
            line = self._exchange.listing.line_of(strike)
            rows.append(
                {
                    "event_id": line.event_id,
                    "market_id": line.market_id,
                    "strike_id": strike_id,
                    "type": line.kind,
                    "sub_type": line.kind,
                }
            )
        return {"data": rows}

    def _markets(self, event: SportEvent) -> list[Json]:
        by_market: dict[int, list[Line]] = {}
        for line in event.lines:
            by_market.setdefault(line.market_id, []).append(line)
        return [self._market(event, lines) for lines in by_market.values()]

    def _market(self, event: SportEvent, lines: list[Line]) -> Json:
        """Moneylines carry their selections, the other kinds nest their alternative lines."""
        first = next((line for line in lines if line.favourite), lines[0])
        status = event.market_status
        name = messages.MARKET_NAMES[first.kind]
        fields: Json = {
            "id": first.market_id,
            "event_id": event.event_id,
            "name": name,
            "display_name": name,
            "type": first.kind,
            "sub_type": first.kind,
            "category_name": messages.CATEGORY,
            "group_name": messages.CATEGORY,
            "description": "",
            "status": status,
            "favourite": first.kind != "spread",
            "player_id": 0,
            "updated_at": event.updated_ns,
        }
        if first.kind != "spread":
            fields["strike"] = messages.number(first.number)
        if first.kind == "moneyline":
            fields["selections"] = self._selections(first)
            return fields
        fields["market_strikes"] = [
            {
                "id": line.market_id,
                "name": line.name,
                "strike": messages.number(line.number),
                "favourite": line.favourite,
                "status": status,
                "selections": self._selections(line),
            }
            for line in lines
        ]
        return fields

    def _selections(self, line: Line) -> list[list[Json]]:
        book = self._exchange.books[line.index]
        return messages.selections(line, book, self._exchange.rules.book_levels_max)

    # -- orders and money, as the reporting copy has them --------------------------------

    def order(self, account: Account, order_id: str, now_ns: int) -> Body:
        if not ORDER_ID.fullmatch(order_id):
            return Refusal(400, "invalid_order_id", "order id is not valid")
        order = account.orders.get(order_id)
        fields = None if order is None else self._reporting.order_fields(order, now_ns)
        if fields is None:
            return Refusal(404, "data_not_found", "no such order")
        return {"data": fields, "last_synced_at": self._reporting.synced_at(now_ns)}

    def history(self, account: Account, query: Query, now_ns: int) -> Body:
        page = page_of(query)
        if isinstance(page, Refusal):
            return page
        if page.created is None and page.updated is None:
            return Refusal(400, "missing_date_range", "a time window is needed")
        rows: list[tuple[int, Json]] = []
        for order in reversed(account.orders.values()):
            if not (_before(page, order.number) and _within(page.created, order.created_ns)):
                continue
            row = self._reporting.history_row(order, now_ns)
            if row is None or not _within(page.updated, self._reporting.updated_ns(order, now_ns)):
                continue
            if all(str(row[name]) == value for name, value in _filters(query)):
                rows.append((order.number, row))
            if len(rows) > page.limit:
                break
        return self._paged("orders", rows, page, now_ns)

    def matched_detail(self, account: Account, query: Query, now_ns: int) -> Body:
        page = page_of(query)
        if isinstance(page, Refusal):
            return page
        ids = {query["order_id"]} if query.get("order_id") else set()
        ids |= set(filter(None, query.get("order_ids", "").split(",")))
        if len(ids) > ORDERS_PER_QUERY_MAX:
            return Refusal(400, "invalid_param", "at most 100 order_ids")
        rows = self._fills(account, page, now_ns, messages.matched_detail_row)
        wanted = [(n, row) for n, row in rows if not ids or row["order_id"] in ids]
        return self._paged("matching_details", wanted, page, now_ns)

    def trades(self, account: Account, query: Query, now_ns: int) -> Body:
        page = page_of(query)
        if isinstance(page, Refusal):
            return page
        rows = list(self._fills(account, page, now_ns, messages.trade_row))
        return self._paged("trades", rows, page, now_ns)

    def transactions(self, account: Account, query: Query, now_ns: int) -> Body:
        page = page_of(query, TRANSACTIONS_PAGE_MAX)
        if isinstance(page, Refusal):
            return page
        until = self._reporting.until_ns(now_ns)
        rows = [
            (row.number, messages.transaction_row(row))
            for row in reversed(account.transactions)
            if row.at_ns <= until
            and _before(page, row.number)
            and _within(page.created, row.at_ns)
            and _transaction_wanted(row, query)
        ]
        answer = self._paged("transactions", rows, page, now_ns)
        answer.pop("last_synced_at")
        return answer

    def _fills(
        self,
        account: Account,
        page: Page,
        now_ns: int,
        row_of: Callable[[Account, Fill], Json],
    ) -> Iterable[tuple[int, Json]]:
        until = self._reporting.until_ns(now_ns)
        for index in range(len(account.fills) - 1, -1, -1):
            fill = account.fills[index]
            if fill.at_ns <= until and _before(page, index) and _within(page.created, fill.at_ns):
                yield index, row_of(account, fill)

    def _paged(self, name: str, rows: list[tuple[int, Json]], page: Page, now_ns: int) -> Json:
        shown = rows[: page.limit]
        cursor = f"n{shown[-1][0]}" if len(rows) > page.limit else ""
        data: Json = {name: [row for _, row in shown], "next_cursor": cursor}
        return {"data": data, "last_synced_at": self._reporting.synced_at(now_ns)}


def _event_id(text: str) -> int | Refusal:
    event_id = integer(text)
    if event_id is None or not 0 < event_id <= EVENT_ID_MAX:
        return Refusal(400, "market_invalid_event", "event id is not valid")
    return event_id


def _before(page: Page, number: int) -> bool:
    return page.before is None or number < page.before


def _within(window: tuple[int, int] | None, ns: int) -> bool:
    return window is None or window[0] <= ns <= window[1]


def _filters(query: Query) -> list[tuple[str, str]]:
    names = {
        "status": "status",
        "matching_status": "matching_status",
        "market_id": "market_id",
        "event_id": "sport_event_id",
    }
    return [(field, query[name]) for name, field in names.items() if query.get(name)]


def _transaction_wanted(row: Transaction, query: Query) -> bool:
    wanted = {
        "trade_id": row.trade_id,
        "transaction_type": row.kind,
        "market_id": str(row.market_id),
        "event_id": str(row.event_id),
    }
    return all(not query.get(name) or query[name] == value for name, value in wanted.items())
