"""Each limit, how much of it is used where it is used most, and what it refuses now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from mmbot.domain.catalog import Line, SportEvent
from mmbot.domain.ids import LineId, SportEventId
from mmbot.engine.ledger import Ledger
from mmbot.engine.limits import LimitBook
from mmbot.engine.parts import Parts
from mmbot.engine.state import MarketState
from mmbot.pricing.exposure import line_worst_case_cents

REFUSED_BY: Final = MappingProxyType(
    {
        "order_quantity_max_cents": "quantity_allowed",
        "strike_resting_max_cents": "within_strike_resting",
        "market_resting_max_cents": "within_market_resting",
        "open_orders_max": "within_open_orders",
        "line_loss_max_cents": "within_line_loss",
        "market_loss_max_cents": "within_market_loss",
        "event_loss_max_cents": "within_event_loss",
        "tournament_held_max_cents": "within_tournament_held",
        "tournament_loss_max_cents": "within_tournament_loss",
        "total_held_max_cents": "within_total_held",
        "total_loss_max_cents": "within_total_loss",
        "unmatched_cash_multiple_max": "within_unmatched_cash",
        "balance_reserve_cents": "leaves_the_reserve",
    }
)


@dataclass(frozen=True, slots=True)
class Use:
    """`used` and `allowed` in the unit of the figure: cents, orders, or times our cash."""

    figure: str
    used: float | None  # None: not known now
    allowed: float
    about: str  # where most of it is used; "" = everything
    table: str  # of the configuration, in which it was set
    refused: int  # quotes that are wanted and that it refuses now

    @property
    def share(self) -> float:
        return (self.used or 0) / self.allowed if self.allowed else 0.0


@dataclass(frozen=True, slots=True)
class _Spot:
    """Something that uses a limit."""

    used: int
    line_id: LineId | None  # one of its lines; None: no line of it is listed, or it is everything
    about: str = ""


def uses(parts: Parts, now_ns: int) -> list[Use]:
    """One row for each limit of section 6, in the order of the configuration."""
    book, state, ledger = parts.placing.limits, parts.state, parts.ledger
    refused = parts.placing.refusals.going_on(now_ns)
    cash, account = parts.housekeeping.usable_cash(now_ns), book.account
    rows = [_fullest(figure, spots, book, state) for figure, spots in _spots(ledger, state)]
    times = ledger.unmatched_cents / cash if cash is not None and cash > 0 else None
    most = account.unmatched_cash_multiple_max
    rows.append(Use("unmatched_cash_multiple_max", times, most, "", "[risk]", 0))
    reserve = account.balance_reserve_cents
    rows.append(Use("balance_reserve_cents", _eaten(cash, reserve), reserve, "", "[risk]", 0))
    return [_with_refusals(row, refused[REFUSED_BY[row.figure]]) for row in rows]


def _fullest(figure: str, spots: Iterable[_Spot], book: LimitBook, state: MarketState) -> Use:
    """Of all that use the limit that binds them, the one that uses most of it."""
    found, used, allowed, share = None, 0, getattr(book.account, figure), 0.0
    for spot in spots:
        most = getattr(book.of(*_place(spot, state)), figure)
        if spot.used / most > share:
            found, used, allowed, share = spot, spot.used, most, spot.used / most
    if found is None:
        return Use(figure, 0, allowed, "", "[risk]", 0)
    event, line = _place(found, state)
    about = found.about or _name(event, line)
    return Use(figure, used, allowed, about, book.table_of(figure, event, line), 0)


def _place(spot: _Spot, state: MarketState) -> tuple[SportEvent | None, Line | None]:
    line = None if spot.line_id is None else state.lines.get(spot.line_id)
    return (None if line is None else state.events.get(line.event_id)), line


def _spots(ledger: Ledger, state: MarketState) -> Iterator[tuple[str, Iterable[_Spot]]]:
    lines, portfolio = ledger.exposures(), ledger.portfolio
    yield (
        "order_quantity_max_cents",
        [_Spot(order.quantity_cents, order.line_id) for order in ledger.live()],
    )
    yield (
        "strike_resting_max_cents",
        [_Spot(max(one.resting_cents), line_id) for line_id, one in lines.items()],
    )
    yield (
        "market_resting_max_cents",
        [_Spot(ledger.market_resting_cents(line_id), line_id) for line_id in lines],
    )
    yield "open_orders_max", [_Spot(ledger.live_count, None)]
    yield (
        "line_loss_max_cents",
        [
            _Spot(line_worst_case_cents(one.position, one.resting_cents), line_id)
            for line_id, one in lines.items()
        ],
    )
    of_market = {(line.event_id, line.market_id): key for key, line in state.lines.items()}
    yield (
        "market_loss_max_cents",
        [
            _Spot(loss.everything_cents, of_market.get(key))
            for key, loss in portfolio.markets().items()
        ],
    )
    yield (
        "event_loss_max_cents",
        [
            _Spot(loss.everything_cents, _a_line(state, event_id), _event_name(state, event_id))
            for event_id, loss in portfolio.events().items()
        ],
    )
    of_tournament = {event.tournament_id: event for event in state.events.values()}
    for figure, held in (("tournament_held_max_cents", True), ("tournament_loss_max_cents", False)):
        spots = []
        for key, loss in portfolio.tournaments().items():
            event = of_tournament.get(key)
            line_id = None if event is None else _a_line(state, event.event_id)
            about = str(key) if event is None else event.tournament_name or str(key)
            used = loss.held_cents if held else loss.everything_cents
            spots.append(_Spot(used, line_id, about))
        yield figure, spots
    yield "total_held_max_cents", [_Spot(portfolio.total.held_cents, None)]
    yield "total_loss_max_cents", [_Spot(portfolio.total.everything_cents, None)]


def _a_line(state: MarketState, event_id: SportEventId) -> LineId | None:
    return next(iter(state.lines_of_event.get(event_id, ())), None)


def _event_name(state: MarketState, event_id: SportEventId) -> str:
    event = state.events.get(event_id)
    return f"event {event_id}" if event is None else event.name


def _name(event: SportEvent | None, line: Line | None) -> str:
    return f"{event.name}: {line.market_name}" if event is not None and line is not None else ""


def _eaten(cash_cents: int | None, reserve_cents: int) -> int | None:
    """How much of the reserve is gone."""
    return None if cash_cents is None else max(0, reserve_cents - max(0, cash_cents))


def _with_refusals(row: Use, refused: int) -> Use:
    return Use(row.figure, row.used, row.allowed, row.about, row.table, refused)
