"""Tables of a scenario file or of a JSON body become frozen dataclasses; errors name the key."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


class ScenarioError(Exception):
    """The scenario cannot be used; the text says what and where."""


@dataclass(frozen=True, slots=True)
class Between:
    """Bounds of a number, both ends included; without them a number is finite and not negative."""

    low: float
    high: float = math.inf


NOT_NEGATIVE = Between(0)


def overlay(base: T, table: Mapping[str, Any], where: str = "") -> T:
    """`base`, any dataclass of options, with the values of a table in it."""
    hints = get_type_hints(type(base), include_extras=True)
    changes: dict[str, Any] = {}
    for key, value in table.items():
        _known(key, hints, where)
        changes[key] = _value(f"{where}{key}", value, hints[key], getattr(base, key))
    found = dataclasses.replace(base, **changes)  # type: ignore[type-var]  # T is a dataclass here
    _in_order(found, changes, where)
    return found


def built(kind: type[T], row: object, where: str) -> T:
    """A dataclass from one row; a field without a default must be named."""
    if not isinstance(row, Mapping):
        raise ScenarioError(f"{where} must be a table")
    hints = get_type_hints(kind, include_extras=True)
    values: dict[str, Any] = {}
    for key, value in row.items():
        _known(key, hints, f"{where}.")
        values[key] = _value(f"{where}.{key}", value, hints[key], None)
    for one in dataclasses.fields(kind):  # type: ignore[arg-type]  # kind is a dataclass here
        needed = one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
        if needed and one.name not in values:
            raise ScenarioError(f"{where}.{one.name} is missing")
    found = kind(**values)
    _in_order(found, values, f"{where}.")
    return found


def all_built(kind: type[T], rows: object, where: str) -> tuple[T, ...]:
    """One dataclass per row of an array of tables."""
    if not isinstance(rows, list | tuple):
        raise ScenarioError(f"{where} must be a list of tables ([[{where}]])")
    return tuple(built(kind, row, f"{where}[{i}]") for i, row in enumerate(rows, start=1))


def unknown_key(key: str, known: Iterable[str], where: str) -> ScenarioError:
    near = get_close_matches(key, list(known), n=1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    return ScenarioError(f"unknown key {where}{key}{meant}")


def _known(key: str, hints: Mapping[str, Any], where: str) -> None:
    if key not in hints:
        raise unknown_key(key, hints, where)


def _value(name: str, value: object, hint: Any, current: object) -> object:
    bounds = NOT_NEGATIVE
    if get_origin(hint) in (Union, UnionType):
        kinds = [one for one in get_args(hint) if one is not NoneType]
        hint = kinds[0] if len(kinds) == 1 else hint
    if get_origin(hint) is Annotated:
        hint, *notes = get_args(hint)
        bounds = next((note for note in notes if isinstance(note, Between)), bounds)
    if get_origin(hint) is Literal:
        return _one_of(name, value, get_args(hint))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(_one_of(name, value, tuple(one.value for one in hint)))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, Mapping):
            raise ScenarioError(f"{name} must be a table")
        if current is None:
            return built(hint, value, name)
        return overlay(current, value, f"{name}.")
    if get_origin(hint) in (tuple, frozenset):
        return _list(name, value, hint)
    return _plain(name, value, hint, bounds)


def _one_of(name: str, value: object, allowed: tuple[object, ...]) -> object:
    if value not in allowed or isinstance(value, bool) not in {
        type(one) is bool for one in allowed
    }:
        known = ", ".join(map(str, allowed))
        raise ScenarioError(f"{name} must be one of {known}, not {value!r}")
    return value


def _list(name: str, value: object, hint: Any) -> object:
    if not isinstance(value, list | tuple):
        raise ScenarioError(f"{name} must be a list, not {value!r}")
    kinds = get_args(hint)
    endless = get_origin(hint) is frozenset or kinds[-1] is Ellipsis
    if not endless and len(value) != len(kinds):
        raise ScenarioError(f"{name} must have {len(kinds)} values")
    found = tuple(
        _value(f"{name}[{i}]", one, kinds[0] if endless else kinds[i - 1], None)
        for i, one in enumerate(value, start=1)
    )
    return frozenset(found) if get_origin(hint) is frozenset else found


def _plain(name: str, value: object, hint: Any, bounds: Between) -> object:
    kind = get_origin(hint) or hint
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    wrong_bool = isinstance(value, bool) and kind is not bool
    if wrong_bool or not isinstance(value, kind if isinstance(kind, type) else object):
        wanted = kind.__name__ if isinstance(kind, type) else str(kind)
        raise ScenarioError(f"{name} must be {wanted}, not {value!r}")
    if isinstance(value, int | float) and not _fits(value, bounds):
        raise ScenarioError(f"{name} must be {_range(bounds)}, not {value!r}")
    return value


def _fits(value: float, bounds: Between) -> bool:
    return isinstance(value, bool) or (math.isfinite(value) and bounds.low <= value <= bounds.high)


def _range(bounds: Between) -> str:
    if bounds.high == math.inf:
        return f"{bounds.low:g} or more"
    return f"between {bounds.low:g} and {bounds.high:g}"


def _in_order(found: object, changed: Mapping[str, Any], where: str) -> None:
    """`x_min` is never above `x_max` of the same table."""
    for key in changed:
        stem, _, end = key.rpartition("_")
        if end in {"min", "max"}:
            low = getattr(found, f"{stem}_min", None)
            high = getattr(found, f"{stem}_max", None)
            if low is not None and high is not None and low > high:
                raise ScenarioError(f"{where}{stem}_min is above {where}{stem}_max")
