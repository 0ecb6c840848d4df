"""Numbers, ids and times of the wire in our units; what cannot be read raises ValueError."""

from __future__ import annotations

import re
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

from mmbot.domain.price import Price

NS_PER_S: Final = 1_000_000_000
EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
DATES_KEPT: Final = 16
NUMBER_MAX: Final = Decimal(10) ** 15
_CENT: Final = Decimal("0.01")
_RFC3339: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,18}))?(?:[Zz]|([+-])(\d\d):?(\d\d))?"
)

WireNumber = int | Decimal


def cents(dollars: Decimal) -> int:
    """USD to integer cents; fractions of a cent go to the nearest even one."""
    if not dollars.is_finite() or abs(dollars) > NUMBER_MAX:
        raise ValueError("an amount that is no number")
    scaled = dollars.scaleb(2)
    amount = int(scaled)
    if amount == scaled:  # nearly always, and asked for every amount of every row
        return amount
    return int(dollars.quantize(_CENT, rounding=ROUND_HALF_EVEN).scaleb(2))


def dollars(amount_cents: int) -> Decimal:
    """Integer cents to USD with two decimals, as the wire wants it."""
    return Decimal(amount_cents).scaleb(-2)


def american(number: Decimal | None) -> Price:
    """A price of the trading surface: integral, and no American odds lie inside +-100."""
    if number is None or not number.is_finite() or abs(number) > NUMBER_MAX:
        raise ValueError("a price that is no number")
    value = int(number)
    if value != number:
        raise ValueError(f"a price that is no integer: {number}")
    return american_int(value)


def american_int(value: int) -> Price:
    """An integer as a price; even money is always written +100."""
    if -100 < value < 100:
        raise ValueError(f"not an American price: {value}")
    return Price(100) if value == -100 else Price(value)


def whole(ident: int | str | float | None) -> int:
    """An id that is a number, whether it came as one or as text."""
    if ident is None or ident == "" or isinstance(ident, bool):
        raise ValueError("an id is missing")
    if isinstance(ident, float) and not ident.is_integer():
        raise ValueError(f"not an id: {ident}")
    return int(ident)


def epoch_ns(number: Decimal | int | float) -> int:
    """A time since 1970 of unknown unit, told by its magnitude (contract 2.1)."""
    value = Decimal(number) if not isinstance(number, float) else Decimal(str(number))
    if not value.is_finite() or value < 0:
        raise ValueError("a time that is no number")
    for above, unit_ns in ((10**18, 1), (10**15, 1_000), (10**12, 1_000_000), (10**9, NS_PER_S)):
        if value > above:
            return int(value * unit_ns)
    raise ValueError(f"not a time since 1970: {number}")


def time_ns(text: str | int | float | Decimal | None) -> int | None:
    """RFC 3339 text or a number of any unit; None when absent or not readable."""
    if text is None or text == "":
        return None
    try:
        if not isinstance(text, str):
            return epoch_ns(text)
        if text.replace(".", "", 1).isdigit():
            return epoch_ns(Decimal(text))
        return _rfc3339_ns(text)
    except (ValueError, ArithmeticError):
        return None


def _rfc3339_ns(text: str) -> int:
    found = _RFC3339.fullmatch(text.strip())
    if found is None:
        raise ValueError("not a time")
    year, month, day, hour, minute, second, fraction, sign, shift_h, shift_min = found.groups()
    days = date(int(year), int(month), 1).toordinal() - EPOCH_DAY + int(day) - 1
    total_s = days * 86_400 + int(hour) * 3_600 + int(minute) * 60 + int(second)
    if sign:
        shift_s = (int(shift_h) * 60 + int(shift_min)) * 60
        total_s -= shift_s if sign == "+" else -shift_s
    return total_s * NS_PER_S + (int(fraction.ljust(9, "0")[:9]) if fraction else 0)


@lru_cache(DATES_KEPT)  # many replies come within one second
def http_date_ns(text: str | None) -> int | None:
    """A Date header; whole seconds."""
    if not text:
        return None
    try:
        return int(parsedate_to_datetime(text).timestamp()) * NS_PER_S
    except (ValueError, TypeError, OverflowError):
        return None
