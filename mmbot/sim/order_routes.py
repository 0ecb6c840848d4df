"""Submitting and cancelling over REST, v4."""

from __future__ import annotations

from typing import Final

from mmbot.sim import messages
from mmbot.sim.core import MS, Exchange
from mmbot.sim.messages import Json
from mmbot.sim.orders import Account, Order, Refusal
from mmbot.sim.requests import INVALID_BODY, ORDER_ID, integer, order_request
from mmbot.sim.switches import Switches

Body = Json | Refusal
NOTHING_TO_CANCEL = Refusal(404, "no_cancellable_orders", "nothing to cancel")
SUCCESS: Final[Json] = {"data": {"success": True}}


class OrderRoutes:
    """The write side of the API for one exchange."""

    def __init__(self, exchange: Exchange, switches: Switches) -> None:
        self._exchange = exchange
        self._switches = switches

    # -- submit ---------------------------------------------------------------------------

    def submit(self, account: Account, body: object, now_ns: int) -> Body:
        order = self._place(account, body, now_ns)
        if isinstance(order, Refusal):
            return order
        return {"data": {"success": True, "order": messages.order_fields(order)}}

    def submit_many(self, account: Account, body: object, now_ns: int) -> Body:
        items = body.get("data") if isinstance(body, dict) else None
        refusal = self._batch_refusal(items)
        if refusal is not None or not isinstance(items, list):
            return refusal or INVALID_BODY
        succeeded: list[Json] = []
        failed: list[Json] = []
        for index, item in enumerate(items):
            order = self._place(account, item, now_ns)
            if isinstance(order, Refusal):
                failed.append(
                    {
                        "index": index,
                        "error": order.code,
                        "message": order.message,
                        "request": item,
                    }
                )
            else:
                succeeded.append(messages.order_fields(order))
        return {"data": {"succeed_orders": succeeded, "failed_orders": failed}}

    def _place(self, account: Account, item: object, now_ns: int) -> Order | Refusal:
        exchange, rules = self._exchange, self._exchange.rules
        if self._switches.placement_disabled:
            return Refusal(403, "err_order_placement_disabled", "placement is disabled")
        known = isinstance(item, dict) and str(item.get("external_id")) in account.by_external
        if known:
            return Refusal(400, "order_external_id_existed", "external id was used before")
        request = order_request(item, exchange.ladder, rules)
        if isinstance(request, Refusal):
            return request
        strike = exchange.listing.strikes.get(request.strike_id)
        if strike is None:
            return Refusal(400, "strike_id_invalid", "strike id is unknown")
        line = exchange.listing.line_of(strike)
        if not exchange.listing.events[line.event_id].tradable:
            return Refusal(400, "event_not_available", "event is not available")
        if account.resting_cents > account.cash_cents * rules.delayed_cash_multiple:
            return Refusal(429, "too_many_delayed_requests", "too many delayed requests")
        if exchange.crosses_own(account, request):
            return Refusal(400, "self_match", "order would trade with an own order")
        if request.strategy == "ALO" and rules.alo_crossing == "reject":
            book = exchange.books[line.index]
            if next(book.crossing(strike.side, request.price), None) is not None:
                return Refusal(400, "invalid_request", "order would take liquidity")
        return exchange.accept(account, request, now_ns)

    # -- cancel ---------------------------------------------------------------------------

    def cancel(self, account: Account, body: object, now_ns: int) -> Body:
        order = self._cancel_one(account, body, now_ns)
        return order if isinstance(order, Refusal) else SUCCESS

    def cancel_many(self, account: Account, body: object, now_ns: int) -> Body:
        items = body.get("data") if isinstance(body, dict) else None
        refusal = self._batch_refusal(items)
        if refusal is not None or not isinstance(items, list):
            return refusal or INVALID_BODY
        answers: list[Json] = []
        for item in items:
            order = self._cancel_one(account, item, now_ns)
            if isinstance(order, Refusal):
                error: Json = {"error_code": order.code, "message": order.message}
                answers.append({"success": False, "statusCode": order.status, "error": error})
            else:
                answers.append({"success": True, "order": messages.order_fields(order)})
        return {"data": answers}

    def cancel_all(self, account: Account, body: object, now_ns: int) -> Body:
        return self._cancel_where(list(account.alive.values()), now_ns)

    def cancel_by_event(self, account: Account, body: object, now_ns: int) -> Body:
        event_id = self._event_id(body)
        if isinstance(event_id, Refusal):
            return event_id
        mine = [one for one in account.alive.values() if one.line.event_id == event_id]
        return self._cancel_where(mine, now_ns)

    def cancel_by_market(self, account: Account, body: object, now_ns: int) -> Body:
        event_id = self._event_id(body)
        if isinstance(event_id, Refusal) or not isinstance(body, dict):
            return event_id if isinstance(event_id, Refusal) else INVALID_BODY
        market_id = integer(body.get("market_id"))
        if not market_id:
            return Refusal(400, "invalid_market_id", "market id is not valid")
        strike_id = body.get("strike_id")
        mine = [
            one
            for one in account.alive.values()
            if one.line.event_id == event_id
            and one.line.market_id == market_id
            and (not strike_id or one.strike.strike_id == strike_id)
        ]
        return self._cancel_where(mine, now_ns)

    def _cancel_where(self, orders: list[Order], now_ns: int) -> Body:
        count = self._exchange.cancel_all(orders, now_ns)
        return SUCCESS if count else NOTHING_TO_CANCEL

    def _event_id(self, body: object) -> int | Refusal:
        event_id = integer(body.get("event_id")) if isinstance(body, dict) else None
        if not event_id or event_id < 0:
            return Refusal(400, "invalid_event_id", "event id is not valid")
        if event_id not in self._exchange.listing.events:
            return Refusal(404, "sport_event_not_found", "no such event")
        return event_id

    def _cancel_one(self, account: Account, item: object, now_ns: int) -> Order | Refusal:
        if not isinstance(item, dict):
            return INVALID_BODY
        order_id = item.get("order_id")
        if not isinstance(order_id, str) or not ORDER_ID.fullmatch(order_id):
            return Refusal(400, "invalid_order_id", "order id is not valid")
        order = self._exchange.orders.get(order_id)
        if order is None:
            return Refusal(404, "data_not_found", "no such order")
        if order.account is not account:
            return Refusal(500, "order_not_belongs_to_user", "order belongs to another user")
        if item.get("external_id") != order.request.external_id:
            return Refusal(400, "order_not_matching_external_id", "ids do not belong together")
        refusal = self._cancel_refusal(order, now_ns)
        if refusal is not None:
            return refusal
        self._exchange.cancel(order, now_ns)
        return order

    def _cancel_refusal(self, order: Order, now_ns: int) -> Refusal | None:
        rules = self._exchange.rules
        if order.alive:
            if order.status == "inactive" and rules.cancel_inactive == "conflict":
                return Refusal(409, "order_is_placing", "order is being placed")
            in_first_pass = now_ns - order.opened_ns < rules.first_pass_ms * MS
            if order.status == "open" and in_first_pass:
                return Refusal(425, "order_opened_retry", "retry after 300ms")
            return None
        if order.status == "invalid":
            return Refusal(400, "order_is_invalid", "order is invalid")
        if order.status in ("canceled", "wiped", "void") or order.rest_canceled:
            return Refusal(400, "order_already_cancelled", "order already cancelled")
        return Refusal(400, "order_already_filled", "order already matched")

    def _batch_refusal(self, items: object) -> Refusal | None:
        if not isinstance(items, list) or not items:
            return INVALID_BODY
        if len(items) > self._exchange.rules.batch_orders_max:
            return Refusal(400, "order_limit_exceeded", "more than 20 orders")
        return None
