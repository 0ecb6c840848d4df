"""Wanted minus live, for one strike: what to cancel, what to place, what must wait.

There is no amend, and the place in the queue is worth money: an order that is good enough
stays. Whatever may still fill counts as live, until its end is proven.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mmbot.domain.ids import ExternalId, StrikeId
from mmbot.domain.order import Order, State
from mmbot.domain.price import Ladder, Price, implied
from mmbot.domain.quote import Quote

# A partly filled order keeps its place in the queue while this share of the wish is left.
REMAINING_SHARE_MIN: Final = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """Cancels most dangerous first; `waiting` quotes need one of ours to be gone first."""

    cancels: tuple[ExternalId, ...] = ()
    places: tuple[Quote, ...] = ()
    waiting: tuple[Quote, ...] = ()


NOTHING: Final = Plan()


def plan(
    wanted: Sequence[Quote], live: Sequence[Order], ladder: Ladder, overlap: bool = False
) -> Plan:
    """Wishes of one strike that are valid now, and its orders that are not terminal.

    `overlap` lets a dearer quote be placed beside the cheaper order that it replaces.
    """
    if not live:  # the way of a fresh tick: nothing to keep, to cancel or to wait for
        ordered = wanted if len(wanted) < 2 else _dearest_first(wanted)
        return Plan(places=tuple(ordered)) if ordered else NOTHING
    wishes = _dearest_first(wanted)
    staying = sorted((o for o in live if not _leaving(o)), key=_dearness, reverse=True)
    kept, unmet = _match(wishes, staying, ladder)
    cancelled = [order for order in staying if order.external_id not in kept]
    gone_soon = [*(order for order in live if _leaving(order)), *cancelled]
    places, waiting = _release(unmet, gone_soon, overlap)
    return Plan(tuple(order.external_id for order in cancelled), places, waiting)


class LastPlans:
    """The last plan of each strike: as long as wishes and orders are the same, so is it."""

    def __init__(self) -> None:
        self._known: dict[StrikeId, tuple[Sequence[Quote], Sequence[Order], Ladder, Plan]] = {}

    def of(
        self, strike_id: StrikeId, wanted: Sequence[Quote], live: Sequence[Order], ladder: Ladder
    ) -> Plan:
        """`plan`; `live` and `ladder` must be the same objects as long as nothing changed."""
        if not live:
            return plan(wanted, live, ladder)
        known = self._known.get(strike_id)
        if known is not None and known[1] is live and known[2] is ladder and known[0] == wanted:
            return known[3]
        planned = plan(wanted, live, ladder)
        self._known[strike_id] = (wanted, live, ladder, planned)
        return planned


def _leaving(order: Order) -> bool:
    return order.state is State.CANCELLING or order.cancel_wanted


def _dearness(order: Order) -> float:
    return implied(order.price)


def _dearest_first(wanted: Iterable[Quote]) -> list[Quote]:
    """One wish per price: quotes at the same price are one order, never two."""
    by_price: dict[Price, Quote] = {}
    for quote in wanted:
        seen = by_price.get(quote.price)
        total = quote.quantity_cents + (seen.quantity_cents if seen else 0)
        by_price[quote.price] = replace(quote, quantity_cents=total) if seen else quote
    return sorted(by_price.values(), key=lambda quote: implied(quote.price), reverse=True)


def _match(
    wishes: Sequence[Quote], staying: Sequence[Order], ladder: Ladder
) -> tuple[set[ExternalId], list[Quote]]:
    """Orders that stay, at most one per wish, and the wishes that none of them meets.

    Equal prices first, so that no tolerance takes an order from the wish it was made for; and
    an order at some wish's price counts for that wish alone, or two would stand at one price.
    """
    kept: set[ExternalId] = set()
    unmet = list(wishes)
    prices = {wish.price for wish in wishes}
    for near in (False, True):
        for wish in tuple(unmet):
            found = next(
                (
                    order
                    for order in staying
                    if order.external_id not in kept
                    and _size_meets(order, wish)
                    and (
                        order.price not in prices and _near(order.price, wish, ladder)
                        if near
                        else order.price == wish.price
                    )
                ),
                None,
            )
            if found is not None:
                kept.add(found.external_id)
                unmet.remove(wish)
    return kept, unmet


def _size_meets(order: Order, wish: Quote) -> bool:
    # While an answer is outstanding the order is looked for, and perhaps sent again, as it is.
    if order.state in {State.INTENDED, State.IN_DOUBT}:
        return order.remaining_cents <= wish.quantity_cents
    least = REMAINING_SHARE_MIN * wish.quantity_cents
    return least <= order.remaining_cents <= wish.quantity_cents


def _near(price: Price, wish: Quote, ladder: Ladder) -> bool:
    """A few steps cheaper than wished: it earns more, and it has its place in the queue."""
    if price not in ladder or wish.price not in ladder:
        return False
    return 0 < ladder.ticks_between(price, wish.price) <= wish.keep_ticks


def _release(
    unmet: Sequence[Quote], gone_soon: Sequence[Order], overlap: bool
) -> tuple[tuple[Quote, ...], tuple[Quote, ...]]:
    """Each order that is still going holds one wish back, and any wish at its own price.

    So a cancel that fails never ends in two orders where one was wanted.
    """
    places: list[Quote] = []
    waiting: list[Quote] = []
    holders = list(gone_soon)
    for wish in unmet:
        holder = _holder(wish, holders, overlap)
        if holder is not None:
            holders.remove(holder)
            waiting.append(wish)
        elif any(order.price == wish.price for order in gone_soon):
            waiting.append(wish)
        else:
            places.append(wish)
    return tuple(places), tuple(waiting)


def _holder(wish: Quote, holders: Sequence[Order], overlap: bool) -> Order | None:
    same = next((order for order in holders if order.price == wish.price), None)
    if same is not None:
        return same
    for order in holders:
        if not overlap or implied(order.price) > implied(wish.price):
            return order
    return None
