"""What the exchange says otherwise than the contract's examples: seen, counted, never guessed.

The readers ignore what they do not know and fail closed where money or a side is concerned; this
says what they ignored. A shape that was judged once is known by its keys and types, so that the
next body of the same shape costs a look into a table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple

import msgspec

from mmbot.exchange.shapes import IDENT, Shape, kind_of

FINDINGS_MAX: Final = 200
VERDICTS_MAX: Final = 2_000
ITEMS_MAX: Final = 1_000  # of a longer list so many are looked at, evenly spread
BODY_BYTES_MAX: Final = 512 * 1024  # of larger bodies one in LARGE_ONE_IN
LARGE_ONE_IN: Final = 10
SAMPLE_CHARS_MAX: Final = 40
FIELD_CHARS_MAX: Final = 100

# Where one of these is not what it was, a person has to look at once.
MONEY_OR_SIDE: Final = frozenset(
    {
        "balance", "matched_order_balance", "amount", "transaction_type", "price", "quantity",
        "filled_quantity", "total_filled_quantity", "open_quantity", "value", "status",
        "matching_status", "winning_status", "strike", "strike_id", "outcome_id", "selections",
        "market_strikes", "order_id", "external_id",
    }
)  # fmt: skip
LADDERS: Final = frozenset({"get_price_ladder", "get_odds_ladder"})  # of prices, nameless
# Their answers are keys and tokens: of these not even a sample is shown.
SECRET_PLACES: Final = frozenset({"login", "refresh", "connection-config", "websocket", "pusher"})


class What(Enum):
    UNKNOWN_FIELD = "unknown field"
    MISSING_FIELD = "missing field"
    CHANGED_TYPE = "changed type"
    UNKNOWN_VALUE = "unknown value"
    UNKNOWN_MESSAGE = "unknown message"
    SILENT_CHANNEL = "silent channel"
    UNREADABLE = "unreadable"
    OTHER = "more than are told apart"


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference; `field` is its path in the body, without ids."""

    what: What
    place: str
    field: str = ""

    @property
    def matters(self) -> bool:
        """Money or a side is concerned."""
        if self.what in {What.UNKNOWN_FIELD, What.OTHER}:
            return False
        name = self.field.rpartition(".")[2].rstrip("[]")
        return name in MONEY_OR_SIDE or self.place in LADDERS

    def __str__(self) -> str:
        return f"{self.what.value}: {self.place} {self.field}".rstrip()


@dataclass(slots=True)
class Seen:
    """How often, and one sample of it: bounded, and without what may be a secret."""

    count: int
    sample: str


class DriftLog:
    """Every difference since the start; `first` hears each of them once, with its sample."""

    def __init__(self, first: Callable[[Finding, str], None]) -> None:
        self.seen: dict[Finding, Seen] = {}
        self.shown: set[Shape] = set()  # the objects of the contract that came at all
        self._first = first

    def note(self, finding: Finding, value: object = None) -> None:
        """`value` is what stood there."""
        seen = self.seen.get(finding)
        if seen is None and len(self.seen) >= FINDINGS_MAX:
            finding = Finding(What.OTHER, "")
            seen = self.seen.get(finding)
        if seen is not None:
            seen.count += 1
            return
        self.seen[finding] = shown = Seen(1, sample_of(finding, value))
        self._first(finding, shown.sample)

    def rows(self) -> list[dict[str, Any]]:
        """Plain data, what concerns money or a side first."""
        found = sorted(
            self.seen.items(),
            key=lambda row: (not row[0].matters, row[0].place, row[0].field, row[0].what.value),
        )
        return [
            {
                "what": finding.what.value,
                "place": finding.place,
                "field": finding.field,
                "matters": finding.matters,
                "count": seen.count,
                "sample": seen.sample,
            }
            for finding, seen in found
        ]


def sample_of(finding: Finding, value: object) -> str:
    """A short value as it is; of what is long or may be a secret only its kind."""
    match value:
        case None if finding.what in {What.MISSING_FIELD, What.SILENT_CHANNEL}:
            return ""
        case str() if finding.place in SECRET_PLACES or len(value) > SAMPLE_CHARS_MAX:
            return f"text of {len(value)} characters"
        case str() | int() | float() | None:
            return msgspec.json.encode(value).decode()[: SAMPLE_CHARS_MAX + 2]
        case list():
            return f"list of {len(value)}"
        case _:
            return kind_of(value)


class _Verdict(NamedTuple):
    """What is wrong with the keys and types of an object, and what of it has to be looked at."""

    wrong: tuple[tuple[What, str], ...]
    deeper: tuple[tuple[str, Shape], ...]
    words: tuple[tuple[str, Container[object]], ...]


class Shield:
    """Judges bodies against the contract; what differs goes to the log."""

    def __init__(self, contract: Mapping[str, Shape], log: DriftLog) -> None:
        self._contract = contract
        self._log = log
        self._verdicts: dict[tuple[Shape, tuple[str, ...], tuple[type, ...]], _Verdict] = {}
        self._large: Counter[str] = Counter()

    def body(self, place: str, body: bytes | str) -> None:
        """One body. Never raises for what it holds; a place that is not known has no findings."""
        shape = self._contract.get(place)
        if shape is None or (len(body) > BODY_BYTES_MAX and not self._is_turn(place)):
            return
        try:
            value = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._log.note(Finding(What.UNREADABLE, place), len(body))
            return
        self._value(place, shape, value)

    def _is_turn(self, place: str) -> bool:
        """Whether a large body is looked at: the first, and then one in so many."""
        self._large[place] += 1
        return self._large[place] % LARGE_ONE_IN == 1

    def _value(self, place: str, shape: Shape, value: Any) -> None:
        if kind_of(value) not in shape.kinds:
            self._log.note(Finding(What.CHANGED_TYPE, place, shape.path), value)
        elif _is_strange(shape, value):
            self._log.note(Finding(What.UNKNOWN_VALUE, place, shape.path), value)
        else:
            self._inside(place, shape, value)

    def _inside(self, place: str, shape: Shape, value: Any) -> None:
        """A value of a kind that is known there."""
        if type(value) is list:
            if shape.each is not None:
                for item in value[:: len(value) // ITEMS_MAX + 1]:
                    self._value(place, shape.each, item)
        elif type(value) is dict:
            if shape.each is not None and not shape.fields:
                for item in value.values():
                    self._value(place, shape.each, item)
            else:
                self._object(place, shape, value)

    def _object(self, place: str, shape: Shape, value: dict[str, Any]) -> None:
        key = (shape, tuple(value), tuple(map(type, value.values())))
        verdict = self._verdicts.get(key)
        if verdict is None:
            if len(self._verdicts) >= VERDICTS_MAX:
                self._verdicts.clear()
            verdict = self._verdicts[key] = _judged(shape, value)
            self._log.shown.add(shape)
        for name, words in verdict.words:
            if value[name] not in words:
                self._note(What.UNKNOWN_VALUE, place, shape, name, value[name])
        for name, inner in verdict.deeper:
            self._inside(place, inner, value[name])
        for what, name in verdict.wrong:
            self._note(what, place, shape, name, value.get(name))

    def _note(self, what: What, place: str, shape: Shape, name: str, value: object) -> None:
        path = f"{shape.path}.{name}" if shape.path else name
        self._log.note(Finding(what, place, path[:FIELD_CHARS_MAX]), value)


def _is_strange(shape: Shape, value: Any) -> bool:
    if shape.words is None or value is None or isinstance(value, (list, dict)):
        return False
    return value not in shape.words


def _judged(shape: Shape, value: dict[str, Any]) -> _Verdict:
    wrong: list[tuple[What, str]] = []
    deeper: list[tuple[str, Shape]] = []
    words: list[tuple[str, Container[object]]] = []
    for name, item in value.items():
        inner = shape.fields.get(name)
        if inner is None:
            wrong.append((What.UNKNOWN_FIELD, "[]" if IDENT.fullmatch(name) else name))
        elif kind_of(item) not in inner.kinds:
            wrong.append((What.CHANGED_TYPE, name))
        elif isinstance(item, (list, dict)):
            deeper.append((name, inner))
        elif inner.words is not None and item is not None:
            words.append((name, inner.words))
    wrong += [(What.MISSING_FIELD, name) for name in sorted(shape.always - value.keys())]
    return _Verdict(tuple(wrong), tuple(deeper), tuple(words))
