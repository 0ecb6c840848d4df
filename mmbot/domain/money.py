"""Money is integer cents (US dollars)."""

from __future__ import annotations

from typing import NewType

Cents = NewType("Cents", int)
ZERO = Cents(0)


def usd(cents: int) -> str:
    """`-123456` -> `-1,234.56`, for people."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"
