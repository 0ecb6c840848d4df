"""How orders are cancelled: by which ids, how early, how often, and by the market at once."""

from __future__ import annotations

from typing import Final

from mmbot.probe.calls import Reply
from mmbot.probe.desk import CANCEL_BY_MARKET, Ticket
from mmbot.probe.lab import Lab, Measurement, Unmeasurable
from mmbot.runtime.limiter import Priority

PASSES_MS: Final = (20, 300)
PASS_LOOK_S: Final = 0.1
AGAIN_STATUSES: Final = frozenset({409, 425, 500})


async def cancels(lab: Lab) -> None:
    """By one id, by both, and once more."""
    note, ticket = lab.notebook, await lab.resting()
    reply = await _asked_until_told(lab, ticket, {"order_id": ticket.order_id})
    if reply.ok:
        note.found("rules.cancel_needs", "order_id", "cancelled by order_id alone")
    elif reply.status not in AGAIN_STATUSES:
        note.found(
            "rules.cancel_needs", "both", f"order_id alone: {reply.status} {reply.code}".strip()
        )
        reply = await _asked_until_told(lab, ticket, ticket.ids)
    await lab.desk.follow(ticket, lambda one: one.over, 10.0)
    if not ticket.over:
        raise Unmeasurable("a cancelled order was not seen to end")
    reply = await lab.desk.cancel(ticket)
    said = f"a second cancel: {reply.status} {reply.code}".strip()
    if reply.status in {400, 404}:
        note.found("rules.cancel_again", "refuse_400" if reply.status == 400 else "not_found", said)
    else:
        note.unknown("rules.cancel_again", said)


async def _asked_until_told(lab: Lab, ticket: Ticket, body: dict[str, str]) -> Reply:
    """A cancel, repeated while the order is in its first pass or still being placed."""
    reply = await lab.desk.cancel(ticket, body)
    for wait_s in (0.4, 0.8, 2.0):
        if reply.status not in AGAIN_STATUSES:
            break
        await lab.clock.sleep(wait_s)
        reply = await lab.desk.cancel(ticket, body)
    return reply


async def first_pass(lab: Lab) -> None:
    """A cancel at the very moment at which the order is told to be open, and one soon after."""
    for _ in range(3):
        ticket = await lab.resting()
        reply = await lab.desk.cancel(ticket)
        if reply.status in {425, 500}:
            said = f"{reply.status} {reply.code}".strip()
            lab.notebook.found("rules.first_pass_status", reply.status, said)
            await lab.clock.sleep(PASS_LOOK_S)
            _pass_length(lab, ticket, await lab.desk.cancel(ticket))
            await lab.desk.end(ticket)
            return
        await lab.desk.end(ticket)
    why = "no cancel came early enough to meet the first pass"
    lab.notebook.leave(("rules.first_pass_status", "rules.first_pass_ms"), why)


def _pass_length(lab: Lab, ticket: Ticket, again: Reply) -> None:
    """The shorter one when it is surely over, the longer one when it surely should be."""
    name = "rules.first_pass_ms"
    opened_ns = next(one.at_ns for one in ticket.told if one.info.get("status") == "open")
    sent_ms = (again.sent_ns - opened_ns) / 1e6
    came_ms = (again.received_ns - opened_ns) / 1e6
    said = f"{sent_ms:.0f} to {came_ms:.0f} ms after it was open: {again.status} {again.code}"
    if again.ok and came_ms < PASSES_MS[1]:
        lab.notebook.found(name, PASSES_MS[0], said.strip())
    elif again.status in {425, 500} and sent_ms > 2 * PASSES_MS[0]:
        lab.notebook.found(name, PASSES_MS[1], said.strip())
    else:
        lab.notebook.unknown(name, f"the answer came too late to tell: {said}".strip())


async def young_cancel(lab: Lab) -> None:
    """A single cancel of an order that is not yet open."""
    for _ in range(3):
        ticket = await _fresh(lab)
        reply = await lab.desk.cancel(ticket)
        opened = "open" in ticket.words
        await lab.desk.end(ticket)
        said = f"a cancel before it was open: {reply.status} {reply.code}".strip()
        if reply.status == 409 and not opened:
            lab.notebook.found("rules.cancel_inactive", "conflict", said)
            return
        if reply.ok and "open" not in ticket.words:
            lab.notebook.found("rules.cancel_inactive", "allow", said)
            return
    lab.notebook.unknown("rules.cancel_inactive", "orders were open before a cancel arrived")


async def _fresh(lab: Lab) -> Ticket:
    price = lab.far_price(0)
    ticket = await lab.desk.place(lab.spot.strike(0), price, lab.unit)
    if ticket.refused:
        raise Unmeasurable(f"an order was refused: {ticket.refused}")
    return ticket


async def market_cancels(lab: Lab) -> None:
    """The mass cancel of one market: with and without strike, its id as number and as text."""
    line = lab.spot.line
    event_id, number = int(line.event_id), int(line.market_id)
    note = lab.notebook
    whole = {"event_id": event_id, "strike_id": lab.spot.strike(0)}
    refused = {}
    for form, market_id in (("number", number), ("text", str(number))):
        await lab.resting()
        reply = await lab.calls.post(
            CANCEL_BY_MARKET, {**whole, "market_id": market_id}, Priority.CANCEL
        )
        refused[form] = "" if reply.ok else f"{reply.status} {reply.code}"
        await _taken_back(lab)
    said = ", ".join(f"{form}: {word or 'taken'}" for form, word in refused.items())
    taken = [form for form, word in refused.items() if not word]
    if taken:
        note.found("rules.market_id_form", "any" if len(taken) == 2 else taken[0], said)
    else:
        raise Unmeasurable(f"the cancel by market was refused: {said}")
    await lab.resting()
    market_id = number if "number" in taken else str(number)
    reply = await lab.calls.post(
        CANCEL_BY_MARKET, {"event_id": event_id, "market_id": market_id}, Priority.CANCEL
    )
    said = f"without strike_id: {reply.status} {reply.code}".strip()
    if reply.ok or reply.status == 400:
        note.found("rules.market_cancel_strike", "optional" if reply.ok else "needed", said)
    await _taken_back(lab)


async def _taken_back(lab: Lab) -> None:
    for ticket in lab.desk.tickets:
        if not ticket.over:
            await lab.desk.follow(ticket, lambda one: one.over, 1.0)
            await lab.desk.end(ticket)


async def young_mass_cancel(lab: Lab) -> None:
    """Whether the mass cancel takes an order that is not yet open."""
    line, name = lab.spot.line, "rules.mass_cancel_inactive"
    form = str if lab.notebook.value("rules.market_id_form") == "text" else int
    body = {
        "event_id": int(line.event_id),
        "market_id": form(int(line.market_id)),
        "strike_id": lab.spot.strike(0),
    }
    for _ in range(3):
        ticket = await _fresh(lab)
        reply = await lab.calls.post(CANCEL_BY_MARKET, body, Priority.CANCEL)
        opened = "open" in ticket.words
        await lab.desk.follow(ticket, lambda one: one.rests or one.over, 12.0)
        late = ticket.rests
        await lab.desk.end(ticket)
        if opened:
            continue
        if late:
            said = f"it opened after a mass cancel ({reply.status})"
            lab.notebook.found(name, False, said)
            return
        if reply.ok and "open" not in ticket.words:
            lab.notebook.found(name, True, "it ended without having been open")
            return
    lab.notebook.unknown(name, "orders were open before a mass cancel arrived")


MEASUREMENTS: Final = (
    Measurement("cancels", ("rules.cancel_needs", "rules.cancel_again"), cancels),
    Measurement("first pass", ("rules.first_pass_status", "rules.first_pass_ms"), first_pass),
    Measurement("young cancel", ("rules.cancel_inactive",), young_cancel),
    Measurement(
        "market cancels", ("rules.market_id_form", "rules.market_cancel_strike"), market_cancels
    ),
    Measurement("young mass cancel", ("rules.mass_cancel_inactive",), young_mass_cancel),
)
