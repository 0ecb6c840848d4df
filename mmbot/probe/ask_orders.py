"""How orders are taken, rounded and refused; all of them rest far from the market."""

from __future__ import annotations

from typing import Any, Final

from mmbot.domain.errors import FindOut
from mmbot.domain.price import Price, profit_ratio
from mmbot.probe.calls import Reply, dig
from mmbot.probe.desk import CANCEL_MANY, SUBMIT, SUBMIT_MANY, Ticket
from mmbot.probe.lab import Lab, Measurement, Unmeasurable
from mmbot.runtime.limiter import Priority

UNITS_CENTS: Final = (100, 200, 500)
NEVER_S: Final = 45.0  # activation was seen to take ten
LEGACY_WORDS: Final = ("wager", "line_id", "stake", "odds")
OWN_WORDS: Final = ("order", "strike", "quantity", "price")


async def first_order(lab: Lab) -> None:
    """The smallest order that is taken, and what its answer and a read of it look like."""
    note, spot = lab.notebook, lab.spot
    far = lab.far_price(0)
    refusals = []
    for cents in UNITS_CENTS:
        ticket = await lab.desk.place(spot.strike(0), far, cents)
        if not ticket.refused:
            break
        refusals.append(f"{cents / 100:.2f} {ticket.refused}")
    else:
        raise Unmeasurable(f"every order was refused: {', '.join(refusals)}")
    lab.unit_cents = cents
    said = f"{cents / 100:.2f} was taken"
    note.found("rules.quantity_min_cents", cents, "; ".join([*refusals, said]))
    order = dig(ticket.reply.data, "order") if ticket.reply else None
    if isinstance(order, dict):
        name = next((key for key in ("order_id", "id", "wager_id") if order.get(key)), "")
        note.found("wire.order_id_field", name, "the submit's answer")
        for name in ("winning_status", "profit_status"):
            if name in order:
                note.found("wire.winning_field", name, "the submit's answer")
    await _read_at_once(lab, ticket)
    await lab.desk.follow(ticket, lambda one: one.rests or one.over, NEVER_S)
    if ticket.status == "inactive":
        note.found("rules.activation.delay", "never", f"not open after {NEVER_S:.0f} s")
    if not ticket.rests:
        raise Unmeasurable(f"the first order became {ticket.status or 'nothing that was told'}")
    await _read_later(lab, ticket)


async def _read_at_once(lab: Lab, ticket: Ticket) -> None:
    name = "session.get_order_from"
    reply = await lab.desk.read(ticket)
    if lab.desk.lag_s < 3.0:
        lab.notebook.unknown(name, "the reporting copy is not behind: nothing to tell it by")
    elif reply is not None:
        where = "exchange" if reply.ok else "copy"
        lab.notebook.found(name, where, f"an order just placed is read with {reply.status}")


async def _read_later(lab: Lab, ticket: Ticket) -> None:
    """When the copy must have it."""
    await lab.clock.sleep(lab.desk.lag_s + 1.0 if lab.desk.lag_s else 0.0)
    reply = await lab.desk.read(ticket)
    if reply is None or not reply.ok:
        raise Unmeasurable("an order that rests cannot be read by its id")
    nested = isinstance(dig(reply.data, "order"), dict)
    lab.notebook.found("wire.order_nesting", "nested" if nested else "flat", "get_order")


async def rounding(lab: Lab) -> None:
    """The profit of an order whose exact profit ends in half a cent or more."""
    cents, price = _broken(lab)
    ticket = await lab.desk.place(lab.spot.strike(0), price, cents)
    profit = dig(ticket.seen, "profit")
    exact = cents * profit_ratio(price)
    if profit is None:
        raise Unmeasurable(f"the answer tells no profit {ticket.refused}")
    said = f"{cents / 100:.2f} at {price:+d} wins {profit} ({float(exact) / 100:.4f} exactly)"
    told = round(profit * 100)
    mode = {int(exact): "floor", int(exact) + 1: "half_up"}.get(told)
    if mode is None:
        lab.notebook.unknown("rules.profit_rounding", said)
    else:
        lab.notebook.found("rules.profit_rounding", mode, said)
    await lab.desk.end(ticket)


def _broken(lab: Lab) -> tuple[int, Price]:
    """(quantity in cents, price) with a profit that ends in .55 to .9 cents."""
    for ticks in range(-12, 1):
        price = lab.ladder.step(lab.far_price(0), ticks)
        if price is None:
            continue
        for cents in range(lab.unit, lab.unit + 40):
            exact = cents * profit_ratio(price)
            if 0.55 <= float(exact - int(exact)) <= 0.9:
                return cents, price
    raise Unmeasurable("no price on the ladder wins broken cents")


async def batches(lab: Lab) -> None:
    """One external id twice in a batch; a batch cancel with a row that must be refused."""
    note, desk = lab.notebook, lab.desk
    price = lab.far_price(0)
    body = desk.draft(lab.spot.strike(0), price, lab.unit)
    ticket = desk.ticket_of(body)
    reply = await lab.calls.post(SUBMIT_MANY, {"data": [body, body]})
    taken = dig(reply.data, "succeed_orders") or []
    failed = dig(reply.data, "failed_orders") or []
    said = f"{reply.status}: {len(taken)} taken, {len(failed)} failed"
    for order in taken:
        desk.adopt(order, ticket)
    if reply.ok and len(taken) == 1:
        note.found("rules.batch_repeated_id", "one_fails", said)
        await desk.follow(ticket, lambda one: one.rests or one.over, 15.0)
    elif not taken and (failed or not reply.ok):
        note.found("rules.batch_repeated_id", "refuse_all", said)
        ticket.refused = reply.code or "refused"
        ticket = await lab.resting()
    else:
        raise FindOut(f"a batch of one order twice: {said}")
    await _cancel_rows(lab, ticket)


async def _cancel_rows(lab: Lab, ticket: Ticket) -> None:
    """Whether the row that is refused stands where it was asked, the first of two."""
    name = "rules.batch_cancel_rows"
    await lab.clock.sleep(0.4)  # past the first pass
    nobody = {"external_id": "probe-nobody", "order_id": "0" * 32}
    rows = {"data": [nobody, ticket.ids]}
    reply = await lab.calls.post(CANCEL_MANY, rows, Priority.CANCEL)
    found = reply.data if isinstance(reply.data, list) else []
    success = [dig(row, "success") is True for row in found]
    await lab.desk.end(ticket)
    if success == [False, True]:
        lab.notebook.found(name, "as_asked", "the refused row stands first, as it was asked")
    elif success == [True, False]:
        lab.notebook.found(name, "refused_last", "the refused row was asked first, stands last")
    else:
        lab.notebook.unknown(name, f"{reply.status}: rows {success}")


async def errors(lab: Lab) -> None:
    """The words and the form of a refusal: a strike that is not there, an id twice."""
    nobody = lab.desk.draft("0" * 32, 100, lab.unit)
    lab.desk.ticket_of(nobody).refused = "never meant to be taken"
    reply = await lab.calls.post(SUBMIT, nobody)
    again = next((one for one in lab.desk.tickets if one.order_id), None)
    replies = [reply]
    if again is not None:
        body = {
            "external_id": again.external_id,
            "strike_id": again.strike_id,
            "price": again.price,
            "quantity": again.quantity_cents / 100,
        }
        replies.append(await lab.calls.post(SUBMIT, body))
    for one in replies:
        if one.ok:
            raise Unmeasurable("an order that must be refused was taken")
        _error_form(lab, one)


def _error_form(lab: Lab, reply: Reply) -> None:
    error = dig(reply.body, "error")
    form = {str: "text", dict: "object", int: "number"}.get(type(error))
    said = f"{reply.status} {reply.code or error}"
    if form:
        lab.notebook.found("wire.error_form", form, said)
    word = _word(error, reply.code)
    if any(one in word for one in LEGACY_WORDS):
        lab.notebook.found("wire.error_words", "legacy", said)
    elif any(one in word for one in OWN_WORDS):
        lab.notebook.found("wire.error_words", "own", said)
    else:
        lab.notebook.unknown("wire.error_words", f"a refusal in neither wording: {said}")


def _word(error: Any, code: str) -> str:
    return code if code else str(error)


MEASUREMENTS: Final = (
    Measurement(
        "first order",
        (
            "rules.quantity_min_cents", "wire.order_id_field", "wire.winning_field",
            "wire.order_nesting", "session.get_order_from",
        ),
        first_order,
    ),
    Measurement("rounding", ("rules.profit_rounding",), rounding),
    Measurement("batches", ("rules.batch_repeated_id", "rules.batch_cancel_rows"), batches),
    Measurement("errors", ("wire.error_form", "wire.error_words"), errors),
)  # fmt: skip
