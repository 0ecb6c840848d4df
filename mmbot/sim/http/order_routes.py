"""Submitting and cancelling over REST; bodies are in order words, whatever the dialect."""

from __future__ import annotations

from typing import Any, Final

from mmbot.sim.core import messages
from mmbot.sim.core.exchange import Exchange
from mmbot.sim.core.messages import Json
from mmbot.sim.core.orders import Account, Order, Refusal
from mmbot.sim.dialects.errors import refusal
from mmbot.sim.faults.switches import Switches
from mmbot.sim.http.arrival import Arrival
from mmbot.sim.http.requests import (
    EVENT_ID_MAX,
    INVALID_BODY,
    ORDER_ID,
    STRIKE_ID,
    integer,
    order_request,
)
from mmbot.sim.http.sessions import Sessions

Body = Json | Refusal
NOTHING_TO_CANCEL = refusal("no_cancellable_orders")
SUCCESS: Final[Json] = {"data": {"success": True}}


class OrderRoutes:
    """The write side of the API for one exchange."""

    def __init__(self, exchange: Exchange, switches: Switches, sessions: Sessions) -> None:
        self._exchange = exchange
        self._switches = switches
        self._sessions = sessions

    # -- submit ---------------------------------------------------------------------------

    def submit(self, asked: Arrival, now_ns: int) -> Body:
        order = self._barred(asked.account) or self._place(asked.account, asked.body, now_ns)
        if isinstance(order, Refusal):
            return order
        return {"data": {"success": True, "order": messages.order_fields(order)}}

    def submit_many(self, asked: Arrival, now_ns: int) -> Body:
        items = _items(asked.body)
        refused = self._barred(asked.account) or self._batch_refusal(items)
        if refused is None and self._exchange.rules.batch_repeated_id == "refuse_all":
            refused = _repeated_id(items)
        if refused is not None:
            return refused
        succeeded: list[Json] = []
        failed: list[Json] = []
        for index, item in enumerate(items):
            order = self._place(asked.account, item, now_ns)
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

    def _told_to_refuse(self, what: str) -> Refusal | None:
        """A switch of the box: whatever comes is refused with one code of the table."""
        code = self._switches.refuse_code
        return refusal(code) if code and self._switches.refuse_what == what else None

    def _barred(self, account: Account) -> Refusal | None:
        """What keeps an account from placing anything at all."""
        if self._switches.placement_disabled:
            return refusal("err_order_placement_disabled")
        if self._sessions.suspended(account):
            return refusal("user_suspended")
        if self._sessions.without_wallet(account):
            return refusal("wallet_not_found")
        return None

    def _place(self, account: Account, item: object, now_ns: int) -> Order | Refusal:
        exchange = self._exchange
        told = self._told_to_refuse("place")
        if told is not None:
            return told
        known = isinstance(item, dict) and account.orders.knows_external(
            str(item.get("external_id"))
        )
        if known:
            return refusal("order_external_id_existed")
        request = order_request(item, exchange.ladder, exchange.rules)
        if isinstance(request, Refusal):
            return request
        return exchange.submit(account, request, now_ns)

    # -- cancel ---------------------------------------------------------------------------

    def cancel(self, asked: Arrival, now_ns: int) -> Body:
        order = self._cancel_one(asked.account, asked.body, now_ns)
        return order if isinstance(order, Refusal) else SUCCESS

    def cancel_many(self, asked: Arrival, now_ns: int) -> Body:
        items = _items(asked.body)
        refused = self._batch_refusal(items)
        if refused is not None:
            return refused
        answers: list[Json] = []
        for item in items:
            order = self._cancel_one(asked.account, item, now_ns)
            if isinstance(order, Refusal):
                error: Json = {"error_code": order.code, "message": order.message}
                answers.append({"success": False, "statusCode": order.status, "error": error})
            else:
                answers.append({"success": True, "order": messages.order_fields(order)})
        if self._exchange.rules.batch_cancel_rows == "refused_last":
            answers.sort(key=lambda one: not one["success"])
        return {"data": answers}

    def cancel_all(self, asked: Arrival, now_ns: int) -> Body:
        return self._cancel_where(list(asked.account.alive.values()), now_ns)

    def cancel_by_event(self, asked: Arrival, now_ns: int) -> Body:
        event_id = self._event_id(asked.body)
        if isinstance(event_id, Refusal):
            return event_id
        alive = asked.account.alive.values()
        return self._cancel_where([o for o in alive if o.line.event_id == event_id], now_ns)

    def cancel_by_market(self, asked: Arrival, now_ns: int) -> Body:
        event_id, body, rules = self._event_id(asked.body), asked.body, self._exchange.rules
        if isinstance(event_id, Refusal) or not isinstance(body, dict):
            return event_id if isinstance(event_id, Refusal) else INVALID_BODY
        given, strike_id = body.get("market_id"), body.get("strike_id")
        market_id = integer(given)
        wanted = {"any": int | str, "number": int, "text": str}[rules.market_id_form]
        if not market_id or market_id < 0 or not isinstance(given, wanted):
            return refusal("invalid_market_id")
        if not strike_id and rules.market_cancel_strike == "needed":
            return refusal("invalid_strike_id")
        if strike_id and not (isinstance(strike_id, str) and STRIKE_ID.fullmatch(strike_id)):
            return refusal("invalid_strike_id")
        mine = [
            one
            for one in asked.account.alive.values()
            if one.line.event_id == event_id
            and one.line.market_id == market_id
            and (not strike_id or one.strike.strike_id == strike_id)
        ]
        return self._cancel_where(mine, now_ns)

    def _cancel_where(self, orders: list[Order], now_ns: int) -> Body:
        told = self._told_to_refuse("cancel")
        if told is not None:
            return told
        count = self._exchange.mass_cancel(orders, now_ns)
        return SUCCESS if count else NOTHING_TO_CANCEL

    def _event_id(self, body: object) -> int | Refusal:
        event_id = integer(body.get("event_id")) if isinstance(body, dict) else None
        if event_id is None or not 0 < event_id <= EVENT_ID_MAX:
            return refusal("invalid_event_id")
        if event_id not in self._exchange.listing.events:
            return refusal("sport_event_not_found")
        return event_id

    def _cancel_one(self, account: Account, item: object, now_ns: int) -> Order | Refusal:
        told = self._told_to_refuse("cancel")
        if told is not None or not isinstance(item, dict):
            return told or INVALID_BODY
        order_id, external_id = item.get("order_id"), item.get("external_id")
        if not isinstance(order_id, str) or not ORDER_ID.fullmatch(order_id):
            return refusal("invalid_order_id")
        order = account.find(order_id) or self._exchange.find(order_id)
        if order is None:
            return refusal("data_not_found", "no such order")
        if order.account is not account:
            return refusal("order_not_belongs_to_user")
        one_is_enough = self._exchange.rules.cancel_needs == "order_id" and external_id is None
        if external_id != order.request.external_id and not one_is_enough:
            return refusal("order_not_matching_external_id")
        refused = self._exchange.cancel_refusal(order, now_ns)
        if refused is not None:
            return refused
        self._exchange.cancel(order, now_ns)
        return order

    def _batch_refusal(self, items: list[Any]) -> Refusal | None:
        if not items:
            return INVALID_BODY
        if len(items) > self._exchange.rules.batch_orders_max:
            return refusal("order_limit_exceeded")
        return None


def _items(body: object) -> list[Any]:
    """What a batch holds; nothing when the body is no batch."""
    items = body.get("data") if isinstance(body, dict) else None
    return items if isinstance(items, list) else []


def _repeated_id(items: list[Any]) -> Refusal | None:
    ids = [str(item.get("external_id")) for item in items if isinstance(item, dict)]
    return refusal("order_external_id_existed") if len(set(ids)) < len(ids) else None
