"""Reading an account over REST: balance, orders, fills and money as the reporting copy has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final, get_args

from mmbot.sim.core import messages
from mmbot.sim.core.lifecycle import iso_utc
from mmbot.sim.core.messages import Json
from mmbot.sim.core.orders import Account, Fill, Refusal, Status, Transaction
from mmbot.sim.core.prices import usd
from mmbot.sim.dialects.errors import refusal
from mmbot.sim.http.arrival import Arrival
from mmbot.sim.http.pages import PAGE_USUAL, Page, page_asked, page_written, within
from mmbot.sim.http.reporting import Reporting, without_times
from mmbot.sim.http.requests import EVENT_ID_MAX, ORDER_ID, integer
from mmbot.sim.rules import SessionRules, WireRules

if TYPE_CHECKING:
    from mmbot.sim.box import Box

Body = Json | Refusal
ORDERS_PER_QUERY_MAX = 100
LEGACY_V2_PAGE_MAX = 1000
# in order words; the legacy list of transactions has one word of its own
TRANSACTION_TYPES: Final = (
    *("TRADE", "DEPOSIT", "REFUND", "PAY", "WITHDRAW", "COMMISSION", "ADJUSTMENT_REDUCE"),
    *("ADJUSTMENT_INCREASE", "VOID", "REJECT_WITHDRAW", "APPROVE_WITHDRAW", "CANCEL", "PUSH"),
)
CUT_FROM_ROWS: Final = frozenset({"quantity", "filled_quantity", "open_quantity"})
_WORDS_OF: Final = {
    "status": get_args(Status),
    "matching_status": ("unmatched", "partially_matched", "fully_matched"),
    "transaction_type": (*TRANSACTION_TYPES, "BET"),
}
Query = dict[str, str]
Rows = Iterator[tuple[int, Json]]


class ReadRoutes:
    """The private read side of the API."""

    def __init__(self, box: Box, reporting: Reporting) -> None:
        self._box = box
        self._exchange = box.exchange
        self._reporting = reporting
        self._live = Reporting(0.0)

    @property
    def _wire(self) -> WireRules:
        return self._box.options.wire

    @property
    def _session(self) -> SessionRules:
        return self._box.options.session

    def balance(self, asked: Arrival, now_ns: int) -> Body:
        account = asked.account
        if self._box.sessions.without_wallet(account):
            return refusal("wallet_not_found")
        failed = self._wire.unmatched_balance == "failed"
        return {
            "data": {
                "balance": usd(account.cash_cents),
                "gec_balance": usd(self._exchange.credit_cents(account)),
                "matched_order_balance": usd(account.matched_cents),
                "unmatched_order_balance": 0 if failed else usd(account.resting_cents),
                "unmatched_order_balance_status": self._wire.unmatched_balance,
                "unmatched_order_last_synced_at": None if failed else iso_utc(now_ns),
            }
        }

    def order(self, asked: Arrival, now_ns: int) -> Body:
        order_id = asked.id_asked
        if not ORDER_ID.fullmatch(order_id):
            return refusal("invalid_order_id")
        order = asked.account.orders.get(order_id)
        source = self._reporting if self._session.get_order_from == "copy" else self._live
        row = None if order is None else source.history_row(order, now_ns)
        # only the less likely, nested form was shown with times
        with_times = self._wire.order_nesting == "nested"
        fields = row if with_times or row is None else without_times(row)
        if fields is None:
            return refusal("data_not_found", "no such order")
        return {"data": fields, "last_synced_at": source.synced_at(now_ns)}

    def history(self, asked: Arrival, now_ns: int) -> Body:
        limit_max = self._session.history_page_max
        if asked.asked.dialect == "legacy" and asked.asked.version == 2:
            limit_max = max(limit_max, LEGACY_V2_PAGE_MAX)
        page = self._page(asked, limit_max)
        if isinstance(page, Refusal):
            return page
        refused = _filter_refusal(asked.query)
        if refused is not None:
            return refused
        if page.created is None and page.updated is None:
            return refusal("missing_date_range")
        as_of_ns = self._reporting.listed_ns(now_ns)
        return self._paged("orders", self._orders(asked, page, as_of_ns), page, as_of_ns)

    def _orders(self, asked: Arrival, page: Page, now_ns: int) -> Rows:
        """The newest first; what lies before the window is not looked at."""
        filters = _filters(asked.query)
        status = asked.query.get("status", "")
        for order in reversed(asked.account.orders):
            if page.created is not None and order.created_ns < page.created[0]:
                return
            if status and self._reporting.status(order, now_ns) != status:
                continue
            if not (page.after_cursor(order.number) and within(page.created, order.created_ns)):
                continue
            if not within(page.updated, self._reporting.updated_ns(order, now_ns)):
                continue
            if self._reporting.left_out(order):
                continue
            row = self._reporting.history_row(order, now_ns)
            if row is not None and all(str(row[name]) == value for name, value in filters):
                if self._box.switches.history_rows_cut:
                    row = {k: v for k, v in row.items() if k not in CUT_FROM_ROWS}
                yield order.number, row

    def matched_detail(self, asked: Arrival, now_ns: int) -> Body:
        page = self._page(asked, self._session.history_page_max)
        if isinstance(page, Refusal):
            return page
        ids = {asked.query["order_id"]} if asked.query.get("order_id") else set()
        ids |= set(filter(None, asked.query.get("order_ids", "").split(",")))
        if len(ids) > ORDERS_PER_QUERY_MAX:
            return refusal("invalid_param", "order_ids: at most 100")
        if not all(ORDER_ID.fullmatch(order_id) for order_id in ids):
            return refusal("invalid_order_id")
        rows = (
            (number, messages.matched_detail_row(asked.account, fill))
            for number, fill in self._fills(asked.account, page, now_ns)
            if not ids or messages.own_part(asked.account, fill)[0].order_id in ids
        )
        return self._paged("matching_details", rows, page, now_ns)

    def trades(self, asked: Arrival, now_ns: int) -> Body:
        return self._trades(asked, "trades", messages.trade_row, now_ns)

    def bets(self, asked: Arrival, now_ns: int) -> Body:
        """The legacy row names more of the order than a v4 trade does."""
        answer = self._trades(asked, "matched_bets", _bet_row, now_ns)
        if not isinstance(answer, Refusal):
            answer.pop("last_synced_at")
        return answer

    def transactions(self, asked: Arrival, now_ns: int) -> Body:
        rules = self._session
        page = self._page(asked, rules.transactions_page_max, rules.transactions_page)
        if isinstance(page, Refusal):
            return page
        refused = _filter_refusal(asked.query)
        if refused is not None:
            return refused
        until = self._reporting.until_ns(self._reporting.money_ns(now_ns))
        rows = (
            (row.number, messages.transaction_row(row))
            for row in reversed(asked.account.transactions)
            if row.at_ns <= until
            and page.after_cursor(row.number)
            and within(page.created, row.at_ns)
            and _transaction_wanted(row, asked.query)
        )
        answer = self._paged("transactions", rows, page, now_ns)
        answer.pop("last_synced_at")
        return answer

    def _trades(
        self, asked: Arrival, name: str, row_of: Callable[[Account, Fill], Json], now_ns: int
    ) -> Body:
        page = self._page(asked, self._session.history_page_max)
        if isinstance(page, Refusal):
            return page
        account = asked.account
        found = self._fills(account, page, now_ns)
        rows = ((number, row_of(account, fill)) for number, fill in found)
        return self._paged(name, rows, page, now_ns)

    def _fills(self, account: Account, page: Page, now_ns: int) -> Iterator[tuple[int, Fill]]:
        until = self._reporting.until_ns(now_ns)
        left_out = self._exchange.rules.life.busted_trades == "left_out"
        for fill in reversed(account.fills):
            if page.created is not None and fill.at_ns < page.created[0]:
                return
            if left_out and 0 < fill.busted_ns <= until:
                continue
            number = _fill_number(fill)
            known = fill.at_ns <= until and page.after_cursor(number)
            if known and within(page.created, fill.at_ns):
                yield number, fill

    def _page(self, asked: Arrival, limit_max: int, usual: int = PAGE_USUAL) -> Page | Refusal:
        return page_asked(asked.query, limit_max, usual, self._session.window_ends)

    def _paged(self, name: str, rows: Rows, page: Page, now_ns: int) -> Json:
        shown = list(islice(rows, page.limit + 1))
        data = page_written(name, shown, page, self._wire.end_of_pages)
        return {"data": data, "last_synced_at": self._reporting.synced_at(now_ns)}


def _fill_number(fill: Fill) -> int:
    return int(fill.fill_id.rpartition("-")[2])


def _bet_row(account: Account, fill: Fill) -> Json:
    order, price, cents, counter = messages.own_part(account, fill)
    return {
        "order_id": order.order_id,
        "external_id": order.request.external_id,
        "strike_id": order.request.strike_id,
        "price": price,
        "quantity": usd(cents),
        "profit": usd(counter),
        "matched_at": iso_utc(fill.at_ns),
    }


def _filter_refusal(query: Query) -> Refusal | None:
    """A filter that can fit no row is refused: an empty list would say that there is none."""
    for name, words in _WORDS_OF.items():
        if query.get(name) and query[name] not in words:
            return refusal("invalid_param", f"{name} is not known")
    for name in ("market_id", "event_id"):
        number = integer(query[name]) if query.get(name) else 1
        if number is None or number <= 0 or (name == "event_id" and number > EVENT_ID_MAX):
            return refusal(f"invalid_{name}")
    return None


def _filters(query: Query) -> list[tuple[str, str]]:
    names = {
        "status": "status",
        "matching_status": "matching_status",
        "market_id": "market_id",
        "event_id": "sport_event_id",
    }
    return [(field, query[name]) for name, field in names.items() if query.get(name)]


def _transaction_wanted(row: Transaction, query: Query) -> bool:
    kinds = (row.kind, "BET") if row.kind == "TRADE" else (row.kind,)
    wanted = {
        "trade_id": (row.trade_id,),
        "transaction_type": kinds,
        "market_id": (str(row.market_id),),
        "event_id": (str(row.event_id),),
    }
    return all(not query.get(name) or query[name] in values for name, values in wanted.items())
