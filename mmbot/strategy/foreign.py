"""Calling code that is not ours: whatever it raises becomes one line, and nothing gets out."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from itertools import islice
from types import TracebackType
from typing import Final, Protocol, get_args

from mmbot.domain.price import crosses
from mmbot.domain.quote import OrderStrategy, Quote
from mmbot.domain.view import MarketView

QUOTES_PER_LINE_MAX: Final = 20
ERROR_CHARS_MAX: Final = 300
WHOLE_MAX: Final = 2**53  # more is no number to the journal, the wire or numpy; the gate does less


class Containment:
    """A `with` block that foreign code cannot leave by raising, not even by `sys.exit`.

    Only KeyboardInterrupt passes: it comes from a person and not from the code inside.
    """

    def __init__(self) -> None:
        self.error: BaseException | None = None

    def __enter__(self) -> Containment:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is None or isinstance(error, KeyboardInterrupt):
            return False
        self.error = error
        return True

    def line(self, file: str) -> str:
        """`file:7: ValueError: why`, the number being the last line of `file` on the way."""
        error = self.error
        if error is None:
            return ""
        if isinstance(error, SyntaxError) and error.filename == file:
            return _short(f"{file}:{error.lineno}: {type(error).__name__}: {error.msg}")
        lines = [
            number
            for frame, number in traceback.walk_tb(error.__traceback__)
            if frame.f_code.co_filename == file
        ]
        where = f":{lines[-1]}" if lines else ""
        return _short(f"{file}{where}: {_said(error)}")


class Quoter(Protocol):
    """The pure form of a strategy."""

    def quotes(self, view: MarketView) -> Iterable[Quote]: ...


def ask(quoter: Quoter, view: MarketView) -> tuple[Quote, ...] | str:
    """Its quotes, or one line that says how it failed; then nothing of it is wanted.

    One bad quote spoils the answer: code that is wrong once is not trusted with the rest.
    """
    with Containment() as inside:
        quotes = tuple(islice(quoter.quotes(view), QUOTES_PER_LINE_MAX + 1))
        return _short(_problems(quotes, view)) or quotes
    return inside.line(_file_of(quoter))


def _problems(quotes: tuple[Quote, ...], view: MarketView) -> str:
    """What is wrong with an answer, the worst first; its type is only what was promised."""
    if len(quotes) > QUOTES_PER_LINE_MAX:
        return f"more than {QUOTES_PER_LINE_MAX} quotes for one line"
    for quote in quotes:
        if problem := _problem(quote, view):
            return problem
    if len(quotes) < 2:
        return ""
    if len({(quote.strike_id, quote.price) for quote in quotes}) < len(quotes):
        return "two quotes at one price"
    first, second = (
        [quote.price for quote in quotes if quote.strike_id == strike] for strike in view.strikes
    )
    if any(crosses(a, b) for a in first for b in second):
        return "quotes of the two strikes would trade with each other"
    return ""


def _problem(quote: object, view: MarketView) -> str:
    if type(quote) is not Quote:  # one of its own kind may be another at every look
        return f"a {type(quote).__name__} is no Quote"
    if quote.strike_id not in view.strikes:
        return f"strike {quote.strike_id!r} is not of this line"
    if type(quote.price) is not int or quote.price not in view.ladder:
        return f"price {quote.price!r} is no ladder price"
    if not _whole(quote.quantity_cents, 1):
        return f"quantity_cents {quote.quantity_cents!r} is not a positive whole number of money"
    if not _whole(quote.keep_ticks, 0):
        return f"keep_ticks {quote.keep_ticks!r} is not 0 or more"
    if type(quote.valid_until_ns) is not int:
        return f"valid_until_ns {quote.valid_until_ns!r} is not nanoseconds"
    if quote.order_strategy not in get_args(OrderStrategy):
        return f"order_strategy {quote.order_strategy!r} is none"
    return ""


def _whole(value: object, least: int) -> bool:
    return type(value) is int and least <= value <= WHOLE_MAX


def _file_of(quoter: object) -> str:
    code = getattr(getattr(type(quoter), "quotes", None), "__code__", None)
    return str(getattr(code, "co_filename", type(quoter).__name__))


def _said(error: BaseException) -> str:
    with Containment() as inside:  # even the text of a foreign error is foreign code
        text = " ".join(str(error).split())
        return f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"{type(error).__name__} ({type(inside.error).__name__} while it was printed)"


def _short(text: str) -> str:
    return text if len(text) <= ERROR_CHARS_MAX else f"{text[: ERROR_CHARS_MAX - 3]}..."
