"""The rows of a ledger sorted by order: which of them a start can do without, and why.

Read in one go and without making entries of them: a start with a long journal waits for this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from zlib import crc32

import msgspec

from mmbot.domain.order import TERMINAL
from mmbot.store.codec import STORY_KINDS
from mmbot.store.rows import KIND_SEALS, Row, unreadable, verify

# Longer than the engine itself remembers an ended order: then both know only its id.
CLOSED_FOR_NS: Final = 2 * 3_600 * 1_000_000_000
NAMELESS_KINDS: Final = frozenset(
    {"run", "transaction", "balance", "breaker"}
)  # of no single order
ENDS: Final = frozenset(str(state) for state in TERMINAL)


class _Order(msgspec.Struct, gc=False):
    external_id: str
    state: str
    filled_cents: int
    intended_ns: int


class _Intent(msgspec.Struct, gc=False):
    order: _Order


class _Step(msgspec.Struct, gc=False):
    external_id: str
    state: str
    filled_cents: int
    at_ns: int


class _About(msgspec.Struct, gc=False):
    external_id: str


_INTENT: Final = msgspec.json.Decoder(_Intent).decode
_STEP: Final = msgspec.json.Decoder(_Step).decode
_ABOUT: Final = msgspec.json.Decoder(_About).decode


@dataclass(slots=True)
class Life:
    """One order's entries, and how it stands after them.

    `thin` leaves out each step that the next one makes up for: alive before and after, and no
    fill. A step holds everything that has changed since the intent.
    """

    whole: list[int] = field(default_factory=list)
    thin: list[int] = field(default_factory=list)
    filled_cents: int = 0
    ever_filled: bool = False
    intended: bool = False
    stepped: bool = False  # the last entry is a step that the next may make up for
    ended_ns: int | None = None

    def is_over(self, youngest_ns: int) -> bool:
        """Ended long ago, without a fill, and known from its beginning."""
        if self.ended_ns is None or self.ever_filled or not self.intended:
            return False
        return self.ended_ns + CLOSED_FOR_NS <= youngest_ns

    def intend(self, seq: int, order: _Order) -> None:
        self.intended = True
        self.whole.append(seq)
        self.thin.append(seq)
        self._stand(order.state, order.filled_cents, order.intended_ns)
        self.stepped = False

    def step(self, seq: int, step: _Step) -> None:
        self.whole.append(seq)
        if self.stepped and step.filled_cents == self.filled_cents and step.state not in ENDS:
            self.thin[-1] = seq
            return
        self.thin.append(seq)
        self._stand(step.state, step.filled_cents, step.at_ns)
        self.stepped = self.ended_ns is None

    def _stand(self, state: str, filled_cents: int, at_ns: int) -> None:
        self.filled_cents = filled_cents
        self.ever_filled = self.ever_filled or filled_cents != 0
        if state not in ENDS:
            self.ended_ns = None
        elif self.ended_ns is None:
            self.ended_ns = at_ns


@dataclass(slots=True)
class Lives:
    """`rest`: entries of no order. `named`: whatever order they name must stay whole."""

    orders: dict[str, Life] = field(default_factory=dict)
    rest: list[int] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    edge: list[int] = field(default_factory=list)
    through: int = 0
    youngest_ns: int = 0


def read(rows: Iterable[Row]) -> Lives:
    """Raises SetUpError on a row that is damaged or cannot be read."""
    lives = Lives()
    orders = lives.orders
    seq = youngest_ns = 0
    for row in rows:
        seq, kind, body, crc = row
        if crc is not None and crc32(body, KIND_SEALS.get(kind, 0)) != crc:
            verify(row)  # raises, unless it is of a kind that only a later mmbot knows
        try:
            if kind == "step":
                step = _STEP(body)
                ident, at_ns = step.external_id, step.at_ns
                life = orders.get(ident) or orders.setdefault(ident, Life())
                life.step(seq, step)
            elif kind == "intent":
                order = _INTENT(body).order
                ident, at_ns = order.external_id, order.intended_ns
                life = orders.get(ident) or orders.setdefault(ident, Life())
                life.intend(seq, order)
            else:
                _take_other(lives, row)
                continue
        except msgspec.MsgspecError as error:
            raise unreadable(row, error) from None
        youngest_ns = max(youngest_ns, at_ns)
    lives.rest += lives.edge
    lives.through, lives.youngest_ns = seq, youngest_ns
    return lives


def _take_other(lives: Lives, row: Row) -> None:
    seq, kind, body, _ = row
    if kind == "id_exists":
        life = lives.orders.setdefault(_ABOUT(body).external_id, Life())
        life.whole.append(seq)
        life.thin.append(seq)
        life.stepped = False
        return
    if kind in STORY_KINDS:
        return
    if kind == "edge":
        lives.edge = [seq]  # it stands for all before it
        return
    lives.rest.append(seq)
    if kind not in NAMELESS_KINDS:
        lives.named.update(_texts(msgspec.json.decode(body)))


def _texts(value: Any) -> Iterator[str]:
    """Every text in an entry of another kind: one of them may be the id of an order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
