"""How orders are cancelled: by which ids, how early, how often, and by the market at once."""

from __future__ import annotations

from typing import Final

from mmbot.domain.errors import FindOut
from mmbot.probe.calls import Reply
from mmbot.probe.desk import CANCEL_BY_MARKET, Ticket
from mmbot.probe.findings import Value
from mmbot.probe.lab import Lab, Measurement, Unmeasurable
from mmbot.runtime.limiter import Priority

PASSES_MS: Final = (20, 300)
PASS_LOOK_S: Final = 0.1
AGAIN_STATUSES: Final = frozenset({409, 425, 500})
AGREEING: Final = 2
YOUNG_MAX: Final = 4
ENDS_S: Final = 10.0  # after a cancel that was taken
OPENS_S: Final = 12.0


async def cancels(lab: Lab) -> None:
    """By one id, by both, and once more."""
    note, ticket = lab.notebook, await lab.resting()
    reply = await _asked_until_told(lab, ticket, {"order_id": ticket.order_id})
    said = f"order_id alone: {reply.status} {reply.code}".strip()
    if reply.ok and await lab.desk.follow(ticket, lambda one: one.over, ENDS_S):
        note.found("rules.cancel_needs", "order_id", said)
    elif 400 <= reply.status < 500 and reply.status not in AGAIN_STATUSES:
        note.found("rules.cancel_needs", "both", said)
    await lab.desk.end(ticket)
    if not ticket.over:
        raise Unmeasurable("a cancelled order was not seen to end")
    reply = await lab.desk.cancel(ticket)
    said = f"a second cancel: {reply.status} {reply.code}".strip()
    form = {400: "refuse_400", 404: "not_found"}.get(reply.status)
    if form is None:
        note.unknown("rules.cancel_again", said)
    else:
        note.found("rules.cancel_again", form, said)


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
        if _in_first_pass(reply):
            said = f"{reply.status} {reply.code}".strip()
            lab.notebook.found("rules.first_pass_status", reply.status, said)
            await lab.clock.sleep(PASS_LOOK_S)
            again = await lab.desk.cancel(ticket)
            done = again.ok and await lab.desk.follow(ticket, lambda one: one.over, ENDS_S)
            _pass_length(lab, ticket, again, done)
            await lab.desk.end(ticket)
            return
        await lab.desk.end(ticket)
    why = "no cancel came early enough to meet the first pass"
    lab.notebook.leave(("rules.first_pass_status", "rules.first_pass_ms"), why)


def _in_first_pass(reply: Reply) -> bool:
    """In the older form a 500, which then says so."""
    return reply.status == 425 or (reply.status == 500 and "retry" in reply.code)


def _pass_length(lab: Lab, ticket: Ticket, again: Reply, done: bool) -> None:
    """The shorter one when it is surely over, the longer one when it surely should be."""
    name = "rules.first_pass_ms"
    opened = next((one for one in ticket.told if one.info.get("status") == "open"), None)
    if opened is None or lab.listener.late_ns(opened) > PASSES_MS[0] * 1_000_000:
        lab.notebook.unknown(name, "the message that it is open came late")
        return
    opened_ns = opened.at_ns
    sent_ms = (again.sent_ns - opened_ns) / 1e6
    came_ms = (again.received_ns - opened_ns) / 1e6
    said = f"{sent_ms:.0f} to {came_ms:.0f} ms after it was open: {again.status} {again.code}"
    if done and came_ms < PASSES_MS[1]:
        lab.notebook.found(name, PASSES_MS[0], said.strip())
    elif _in_first_pass(again) and sent_ms > 2 * PASSES_MS[0]:
        lab.notebook.found(name, PASSES_MS[1], said.strip())
    else:
        lab.notebook.unknown(name, f"the answer came too late to tell: {said}".strip())


async def young_cancel(lab: Lab) -> None:
    """A single cancel of an order that is not yet open, with two answers that agree."""
    name, seen = "rules.cancel_inactive", list[Value]()
    for _ in range(YOUNG_MAX):
        ticket = await _fresh(lab)
        reply = await lab.desk.cancel(ticket)
        opened = "open" in ticket.words
        await lab.desk.end(ticket)
        if reply.status == 409 and not opened:
            seen.append("conflict")
        elif reply.ok and "open" not in ticket.words:
            seen.append("allow")
        if len(seen) >= AGREEING:
            said = f"a cancel before it was open: {reply.status} {reply.code}"
            _agree(lab, name, seen, said.strip())
            return
    lab.notebook.unknown(name, "orders were open before a cancel arrived")


def _agree(lab: Lab, name: str, seen: list[Value], said: str) -> None:
    if len(set(seen)) == 1:
        lab.notebook.found(name, seen[0], said)
    else:
        lab.notebook.unknown(name, f"several answers: {', '.join(map(str, seen))}")


async def _fresh(lab: Lab) -> Ticket:
    ticket = await lab.desk.place(lab.spot.strike(0), lab.far_price(0), lab.unit)
    if ticket.refused:
        raise Unmeasurable(f"an order was refused: {ticket.refused}")
    return ticket


async def market_cancels(lab: Lab) -> None:
    """The mass cancel of one market: its id as number and as text, with and without a strike.

    Taken is what ended the order; a bare success proves nothing.
    """
    note, number = lab.notebook, int(lab.spot.line.market_id)
    strike = {"strike_id": lab.spot.strike(0)}
    answers = {
        form: await _mass_cancel(lab, strike | {"market_id": market_id})
        for form, market_id in (("number", number), ("text", str(number)))
    }
    said = ", ".join(f"{form}: {answer or 'taken'}" for form, answer in answers.items())
    taken = [form for form, answer in answers.items() if not answer]
    if not taken:
        raise Unmeasurable(f"the cancel by market was refused: {said}")
    note.found("rules.market_id_form", "any" if len(taken) == 2 else taken[0], said)
    answer = await _mass_cancel(lab, {"market_id": number if "number" in taken else str(number)})
    said = f"without strike_id: {answer or 'taken'}"
    note.found("rules.market_cancel_strike", "needed" if answer else "optional", said)


async def _mass_cancel(lab: Lab, body: dict[str, object]) -> str:
    """The words of a refusal, "" when it ended an order; FindOut when it did neither."""
    ticket = await lab.resting()
    whole = {"event_id": int(lab.spot.event_id), **body}
    reply = await lab.calls.post(CANCEL_BY_MARKET, whole, Priority.CANCEL)
    ended = reply.ok and await lab.desk.follow(ticket, lambda one: one.over, ENDS_S)
    await lab.desk.end(ticket)
    if reply.ok and not ended:
        raise FindOut("a mass cancel was answered with success and ended nothing")
    return "" if ended else f"{reply.status} {reply.code}".strip()


async def young_mass_cancel(lab: Lab) -> None:
    """Whether the mass cancel takes an order that is not yet open; two answers that agree."""
    line, name = lab.spot.line, "rules.mass_cancel_inactive"
    form = str if lab.notebook.value("rules.market_id_form") == "text" else int
    body = {
        "event_id": int(line.event_id),
        "market_id": form(int(line.market_id)),
        "strike_id": lab.spot.strike(0),
    }
    seen: list[Value] = []
    for _ in range(YOUNG_MAX):
        ticket = await _fresh(lab)
        reply = await lab.calls.post(CANCEL_BY_MARKET, body, Priority.CANCEL)
        opened = "open" in ticket.words
        await lab.desk.follow(ticket, lambda one: one.rests or one.over, OPENS_S)
        late = ticket.rests
        await lab.desk.end(ticket)
        if not opened and late:
            seen.append(False)
        elif not opened and reply.ok and "open" not in ticket.words:
            seen.append(True)
        if len(seen) >= AGREEING:
            _agree(lab, name, seen, "it opened later" if late else "it ended without being open")
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
