"""How much waits in a queue, and how much may."""

from __future__ import annotations

from typing import NamedTuple


class Depth(NamedTuple):
    """Of one queue at one moment, both in its own units: events, requests, orders."""

    waiting: int
    most: int
