"""From a table of the config file to the parameters of a strategy, or everything wrong with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from math import isfinite
from typing import get_args, get_type_hints

import msgspec

from mmbot.strategy.api import NoParams
from mmbot.strategy.foreign import Containment


def params_type(strategy: type) -> type:
    """The `P` of `class X(QuotingStrategy[P])`; NoParams when it names none."""
    for cls in strategy.__mro__:
        for parent in cls.__dict__.get("__orig_bases__", ()):
            named = get_args(parent)
            kind: object = named[0] if len(named) == 1 else None
            if isinstance(kind, type) and dataclasses.is_dataclass(kind):
                return kind
    return NoParams


def read_params(kind: type, raw: Mapping[str, object]) -> object | tuple[str, ...]:
    """An instance of `kind`, or one line for each unknown, missing or unfit key."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    hints = get_type_hints(kind)
    problems = [
        f"{key}: unknown parameter (known: {', '.join(fields) or 'none'})"
        for key in raw
        if key not in fields
    ]
    values: dict[str, object] = {}
    for name, field in fields.items():
        if name in raw:
            value = _converted(raw[name], hints[name])
            if isinstance(value, _Unfit):
                problems.append(f"{name}: {value.why}")
            values[name] = value
        elif _required(field):
            problems.append(f"{name}: required, and not given")
    if problems:
        return tuple(problems)
    with Containment() as inside:
        made: object = kind(**values)
        return made
    return tuple(line for line in str(inside.error).splitlines() if line)


@dataclasses.dataclass(frozen=True, slots=True)
class _Unfit:
    why: str


def _converted(value: object, hint: object) -> object | _Unfit:
    if isinstance(value, float) and not isfinite(value):
        return _Unfit(f"{value} is not a finite number")
    try:
        converted: object = msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        return _Unfit(str(error))
    return converted


def _required(field: dataclasses.Field[object]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
