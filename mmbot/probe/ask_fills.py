"""What needs somebody else's order: small takes of small offers, and refusals to take."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Final

from mmbot.domain.catalog import Side
from mmbot.domain.price import Price, complement, implied
from mmbot.exchange.amounts import NS_PER_S
from mmbot.probe.ask_reads import BALANCE, ONE_MARKET, TRADES, TRANSACTIONS, objects, shows_more
from mmbot.probe.calls import dig
from mmbot.probe.desk import Ticket
from mmbot.probe.ground import Spot, far_price, resting_behind
from mmbot.probe.lab import Lab, Measurement, Unmeasurable
from mmbot.probe.listener import Heard

TRIES_MAX: Final = 8
AGREEING_MIN: Final = 2  # an answer that a vanished offer could give as well is asked for twice
TAKE_WAIT_S: Final = 15.0
TICKS_BEYOND: Final = 3
SELF_MATCHES_MAX: Final = 3
REST_CENTS: Final = 300  # that a take leaves to rest, so that something is left to cancel
BEYOND_CENTS: Final = 100
STEP_NS: Final = NS_PER_S // 10
SOURCED: Final = frozenset(
    {
        "id", "trade_id", "order_id", "price", "quantity", "matched_at", "timestamp",
        "created_at", "transaction_type",
    }
)  # fmt: skip
PAGES_DEFAULT: Final = (10, 20)


@dataclass(frozen=True, slots=True)
class Money:
    """The account's own figures, in cents."""

    balance: int
    matched: int


async def money(lab: Lab) -> Money:
    reply = await lab.calls.get(BALANCE)
    figures = [dig(reply.data, name) for name in ("balance", "matched_order_balance")]
    if not all(isinstance(one, (int, float)) for one in figures):
        raise Unmeasurable(f"the balance was answered with {reply.status} {reply.code}")
    return Money(round(figures[0] * 100), round(figures[1] * 100))


async def funds(lab: Lab) -> None:
    """The balance before and while a small order rests, and after it is gone."""
    drops = []
    for _ in range(AGREEING_MIN):
        before = await money(lab)
        ticket = await lab.resting()
        during = await money(lab)
        filled = ticket.filled_cents
        await lab.desk.end(ticket)
        if not filled:
            drops.append(before.balance - during.balance)
    said = f"an order of {lab.unit / 100:.2f} at rest lowers the balance by " + ", ".join(
        f"{drop / 100:.2f}" for drop in drops
    )
    if drops and all(drop == 0 for drop in drops):
        lab.notebook.found("rules.money.funds", "on_fill", said)
    elif drops and all(drop == lab.unit for drop in drops):
        lab.notebook.found("rules.money.funds", "on_placement", said)
    else:
        lab.notebook.unknown("rules.money.funds", said)


async def partial_fill(lab: Lab) -> None:
    """Take small offers with more than they have, then cancel what rests."""
    async for take in _takes(lab, REST_CENTS, lab.allowance.limits.at_risk_cents_max):
        before = await money(lab)
        ticket = await lab.desk.place(take.strike_id, take.price, take.quantity_cents)
        await lab.desk.follow(ticket, lambda one: one.filled_cents > 0, TAKE_WAIT_S)
        await _rest_in_book(lab, take, ticket)
        await lab.desk.end(ticket)
        if not ticket.filled_cents or not ticket.over:
            continue
        lab.filled.append(ticket)
        _balance_form(lab, before, await money(lab), ticket)
        if ticket.filled_cents < ticket.quantity_cents:
            _quantity_left(lab, ticket)
            return
    raise Unmeasurable("no offer could be taken in part, or none could be paid for")


async def _rest_in_book(lab: Lab, take: Take, ticket: Ticket) -> None:
    """What the book shows of our own order, of which a part is filled.

    Read by the route of a single market, which need not wait for its turn.
    """
    before = ticket.filled_cents
    if lab.notebook.value("rules.book_quantity") or not before or not _rests_with(ticket, before):
        return
    reply = await lab.calls.get(ONE_MARKET, event_id=take.spot.event_id)
    other: Side = 0 if take.side else 1
    wanted = take.spot.strike(other), complement(take.price)
    level = next(
        (one for one in objects(reply.body) if (one.get("strike_id"), one.get("price")) == wanted),
        {},
    )
    more = shows_more(level)
    if more is None or not _rests_with(ticket, before):
        return
    said = (
        f"{before / 100:.2f} of {ticket.quantity_cents / 100:.2f} are filled, the level has "
        f"value {level['value']} and quantity {level['quantity']} at {level['price']:+d}"
    )
    lab.notebook.found("rules.book_quantity", "nominal" if more else "staked", said)


def _rests_with(ticket: Ticket, filled_cents: int) -> bool:
    return ticket.rests and ticket.filled_cents == filled_cents


def _quantity_left(lab: Lab, ticket: Ticket) -> None:
    left = round((dig(ticket.seen, "quantity") or 0) * 100)
    said = (
        f"{ticket.quantity_cents / 100:.2f}, of which {ticket.filled_cents / 100:.2f} were "
        f"filled, is told as {left / 100:.2f} after the end of the rest"
    )
    form = {ticket.quantity_cents: "kept", ticket.filled_cents: "shrunk"}.get(left)
    if form is not None:
        lab.notebook.found("rules.quantity_after_cancel", form, said)


def _balance_form(lab: Lab, before: Money, after: Money, ticket: Ticket) -> None:
    paid, told = before.balance - after.balance, after.matched - before.matched
    filled = ticket.filled_cents
    said = f"a fill of {filled / 100:.2f}: balance -{paid / 100:.2f}, matched +{told / 100:.2f}"
    form = {(filled, filled): "cash", (0, filled): "gross", (filled, 0): "inside"}.get((paid, told))
    if form is None:
        lab.notebook.unknown("wire.balance", said)
    else:
        lab.notebook.found("wire.balance", form, said)


@dataclass(frozen=True, slots=True)
class Take:
    """An order that meets what is offered up to its price: `cents` of it, as just read."""

    spot: Spot
    side: Side
    price: Price
    cents: int
    quantity_cents: int  # of the order: more than there is

    @property
    def strike_id(self) -> str:
        return self.spot.strike(self.side)


async def _takes(
    lab: Lab, extra_cents: int, most_cents: int, ticks: int = 0
) -> AsyncIterator[Take]:
    """Small ones first, each read afresh, for orders of at most so much.

    `ticks` worse than the best offer, for who must meet one that may move meanwhile.
    """
    most_cents = min(most_cents, lab.allowance.limits.at_risk_cents_max)
    thin = lab.ground.thin(most_cents - extra_cents)
    if not thin:
        raise Unmeasurable(f"no offer of at most ${(most_cents - extra_cents) / 100:.2f} is listed")
    for old, side in islice(cycle(thin), TRIES_MAX):  # an offer that was taken may come back
        spot = await lab.ground.again(old)
        offer = None if spot is None else spot.best(side)
        if spot is None or offer is None or offer.price not in lab.ladder:
            continue
        price = lab.ladder.step(offer.price, ticks) or offer.price
        cents = spot.offered_cents(side, price)
        quantity_cents = max(lab.unit, cents + extra_cents)
        left_cents = lab.allowance.limits.at_risk_cents_max - lab.desk.at_risk_cents
        if quantity_cents <= min(most_cents, left_cents):
            yield Take(spot, side, price, cents, quantity_cents)


async def _still_there(lab: Lab, take: Take) -> bool:
    """At least half of the amount is still offered at that price or a better one."""
    fresh = await lab.ground.again(take.spot)
    return fresh is not None and 2 * fresh.offered_cents(take.side, take.price) >= take.cents


async def fill_or_kill(lab: Lab) -> None:
    """Ask for more than is offered."""
    name, killed = "rules.fill_or_kill", 0
    async for take in _takes(lab, BEYOND_CENTS, lab.allowance.limits.at_risk_cents_max):
        ticket = await lab.desk.place(take.strike_id, take.price, take.quantity_cents, "fillOrKill")
        if ticket.refused:
            raise Unmeasurable(f"fillOrKill was refused: {ticket.refused}")
        await lab.desk.follow(ticket, lambda one: one.over, TAKE_WAIT_S)
        await lab.desk.end(ticket)
        said = f"{ticket.filled_cents / 100:.2f} of {take.quantity_cents / 100:.2f} were filled"
        if ticket.filled_cents:
            lab.filled.append(ticket)
        if ticket.over and 0 < ticket.filled_cents < ticket.quantity_cents:
            _quantity_left(lab, ticket)  # others may fill up all that the next one leaves to rest
        if 0 < ticket.filled_cents < ticket.quantity_cents or _in_steps(ticket):
            lab.notebook.found(name, "partial", f"{said}, in {len(_fills(ticket))} steps")
            return
        if ticket.over and not ticket.filled_cents and await _still_there(lab, take):
            killed += 1
            if killed >= AGREEING_MIN:
                lab.notebook.found(name, "all_or_nothing", f"{said}, {killed} times")
                return
    lab.notebook.unknown(name, "offers went away before they could be taken in part")


def _fills(ticket: Ticket) -> list[Heard]:
    return [one for one in ticket.told if one.info.get("fill_price")]


def _in_steps(ticket: Ticket) -> bool:
    """Filled at several moments: it lived on while a part of it was filled."""
    moments = [one.at_ns for one in _fills(ticket)]
    return bool(moments) and max(moments) - min(moments) > STEP_NS


async def alo(lab: Lab) -> None:
    """An order that may only rest, at a price at which it would take."""
    name, seen = "rules.alo_crossing", list[str]()
    async for take in _takes(lab, 0, lab.allowance.limits.at_risk_cents_max, TICKS_BEYOND):
        ticket = await lab.desk.place(take.strike_id, take.price, lab.unit, "ALO")
        if ticket.refused == "err_add_liquidity_only_disabled":
            raise Unmeasurable("ALO is switched off")
        if not ticket.refused:
            await lab.desk.follow(ticket, lambda one: one.rests or one.over, TAKE_WAIT_S)
        outcome = _alo_outcome(ticket)
        await lab.desk.end(ticket)
        if outcome and (outcome != "rests" or await _still_there(lab, take)):
            seen.append(outcome)
        if answer := _alo_answer(seen):
            lab.notebook.found(name, answer, f"orders that would cross: {', '.join(seen)}")
            return
    lab.notebook.unknown(name, f"seen: {', '.join(seen) or 'no offer stayed'}")


def _alo_answer(seen: list[str]) -> str:
    """What two orders met alike, "" while none did. One that rests may have come while the offer
    was away for a moment; one that does not rest has met it."""
    alike = [one for one in seen if one != "rests"] or seen
    return alike[0] if len(alike) >= AGREEING_MIN and len(set(alike)) == 1 else ""


def _alo_outcome(ticket: Ticket) -> str:
    if ticket.refused or ticket.filled_cents:
        return "reject" if ticket.refused else "takes"
    if ticket.rests:
        return "rests"
    return ticket.status if ticket.over else ""


async def self_match(lab: Lab) -> None:
    """An own order alone at the best price, and one from the other side that would meet it.

    The first may be taken by somebody else before the second comes: then another line is tried.
    """
    name = "rules.self_match"
    for spot, price in _gaps(lab):
        maker = await lab.desk.rest(spot.strike(0), price, lab.unit)
        if not _rests_with(maker, 0):
            await lab.desk.end(maker)
            continue
        taker = await lab.desk.place(spot.strike(1), complement(price), lab.unit)
        if not taker.refused:
            await lab.desk.follow(taker, lambda one: one.rests or one.over, TAKE_WAIT_S)
        undisturbed = _rests_with(maker, 0)
        for ticket in (taker, maker):
            await lab.desk.end(ticket)
        said = f"the second order: {taker.refused or taker.status}"
        form = "refuse" if taker.refused else "invalid" if taker.status == "invalid" else ""
        if form and undisturbed:
            lab.notebook.found(name, form, said)
            return
        if maker.filled_cents + taker.filled_cents > lab.unit:
            break  # dear enough: the money is for the questions to come
    lab.notebook.unknown(name, "no own order could be met by another one")


def _gaps(lab: Lab) -> Iterator[tuple[Spot, Price]]:
    """A few lines and a price for outcome 0 at which we are alone and best, and do not take:
    lines where nobody is, first, then those with room between the two sides."""
    found = [
        (spot, price)
        for spot in sorted(lab.ground.spots, key=lambda one: any(one.offers))
        if (price := _alone(lab, spot)) is not None and complement(price) in lab.ladder
    ]
    yield from found[:SELF_MATCHES_MAX]


def _alone(lab: Lab, spot: Spot) -> Price | None:
    mine, other = spot.best(0), spot.best(1)
    if other is None:
        return far_price(lab.ladder, spot, 0)
    if resting_behind(other) not in lab.ladder:
        return None
    price = lab.ladder.step(resting_behind(other), 1)
    room = price is not None and (mine is None or implied(price) < implied(mine.price))
    return price if room else None


async def trades(lab: Lab) -> None:
    """Rows of the account's trades and of its money, when the copy must have them."""
    if not lab.filled:
        raise Unmeasurable("nothing was filled")
    await lab.clock.sleep(lab.desk.lag_s + 1.0)
    now_s = lab.clock.now_ns() // NS_PER_S
    week: dict[str, str | int] = {"from": now_s - 6 * 86_400, "to": now_s + 60}
    reply = await lab.calls.get(TRADES, **week, limit=100)
    rows = dig(reply.data, "trades") or []
    if not rows:
        raise Unmeasurable(f"no trade is listed ({reply.status} {reply.code})")
    keys = set(rows[0])
    name = "trade_id" if "trade_id" in keys else "id"
    lab.notebook.found("wire.trade_id_field", name, "a row of get_trades")
    reply = await lab.calls.get(TRANSACTIONS, **week)
    rows += dig(reply.data, "transactions") or []
    more = sorted({key for row in rows for key in row} - SOURCED)
    said = f"rows have also {', '.join(more)[:80]}" if more else "rows have nothing else"
    lab.notebook.found("wire.item_fields", "full" if more else "sourced", said)
    count = len(dig(reply.data, "transactions") or ())
    more_rows = bool(dig(reply.data, "next_cursor"))
    if more_rows and count in PAGES_DEFAULT:
        lab.notebook.found("session.transactions_page", count, f"{count} rows and a cursor")
    else:
        lab.notebook.unknown("session.transactions_page", f"the account has {count} rows in all")


MEASUREMENTS: Final = (
    Measurement("funds", ("rules.money.funds",), funds),
    Measurement("ALO", ("rules.alo_crossing",), alo),
    # before what spends: two orders at once need the room
    Measurement("self match", ("rules.self_match",), self_match),
    Measurement("fillOrKill", ("rules.fill_or_kill",), fill_or_kill),
    Measurement(
        "partial fill",
        ("rules.quantity_after_cancel", "rules.book_quantity", "wire.balance"),
        partial_fill,
    ),
    Measurement(
        "trades",
        ("wire.trade_id_field", "wire.item_fields", "session.transactions_page"),
        trades,
    ),
)
