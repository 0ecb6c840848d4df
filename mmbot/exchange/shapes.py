"""What JSON bodies look like, learned from examples: fields, their types, always there or not."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType, NoneType
from typing import Any, Final

KINDS: Final[Mapping[type, str]] = MappingProxyType(
    {
        NoneType: "null",
        bool: "truth value",
        int: "number",
        float: "number",
        str: "text",
        list: "list",
        dict: "object",
    }
)
IDENT: Final = re.compile(r"-?\d+(\.\d+)?")  # a key that is an id or the number of a line


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A value at one place of a body. `kinds` are words of KINDS.

    `always` names the fields that every example of the object has. `each` is the shape of a
    list's items, or of an object's values where its keys are ids. `words` are all the values that
    may stand there, where not any may.
    """

    path: str
    kinds: frozenset[str]
    fields: Mapping[str, Shape] = field(default_factory=dict)
    always: frozenset[str] = frozenset()
    each: Shape | None = None
    words: Container[object] | None = None


@dataclass(frozen=True, slots=True)
class Noun:
    """An object that occurs at many places, known by a field that only it has.

    `also` are fields that the contract names otherwise than every example shows them, with their
    kinds (words of KINDS, or `absent`, with `|` between); `words` the values that some may have,
    or, of a name that ends with [], that the items of its list may have.
    """

    tell: str
    also: Mapping[str, str]
    words: Mapping[str, Container[object]]


def objects_in(shape: Shape) -> Iterator[Shape]:
    """Each object with fields of its own, outer ones first."""
    if shape.fields:
        yield shape
    for inner in (*shape.fields.values(), *([] if shape.each is None else [shape.each])):
        yield from objects_in(inner)


def kind_of(value: object) -> str:
    return KINDS[type(value)]


def shape_of(values: Sequence[Any], nouns: Sequence[Noun] = (), path: str = "") -> Shape:
    """What all of `values`, decoded JSON from one place of several examples, have in common."""
    objects = [value for value in values if isinstance(value, dict)]
    kinds = frozenset(map(kind_of, values))
    keys = list(dict.fromkeys(key for one in objects for key in one))
    if keys and all(map(IDENT.fullmatch, keys)):
        inner = [one[key] for one in objects for key in one]
        return Shape(path, kinds, each=shape_of(inner, nouns, f"{path}[]"))
    items = [item for value in values if isinstance(value, list) for item in value]
    return _named(
        Shape(
            path,
            kinds | {"null"} if "list" in kinds else kinds,  # every list may be null (15.7)
            {
                key: shape_of(
                    [one[key] for one in objects if key in one],
                    nouns,
                    f"{path}.{key}" if path else key,
                )
                for key in keys
            },
            frozenset.intersection(*map(frozenset, objects)) if objects else frozenset(),
            shape_of(items, nouns, f"{path}[]") if items else None,
        ),
        nouns,
    )


def _worded(shape: Shape, words: Container[object], *, of_items: bool) -> Shape:
    if not of_items:
        return replace(shape, words=words)
    return shape if shape.each is None else replace(shape, each=replace(shape.each, words=words))


def _named(shape: Shape, nouns: Sequence[Noun]) -> Shape:
    """The same with what is known of its noun."""
    for noun in nouns:
        if noun.tell in shape.fields:
            also = {name: frozenset(kinds.split("|")) for name, kinds in noun.also.items()}
            fields = dict(shape.fields)
            for name, kinds in also.items():
                known = fields.get(name, Shape(f"{shape.path}.{name}", frozenset()))
                fields[name] = replace(known, kinds=known.kinds | kinds)
            for named, words in noun.words.items():
                name = named.removesuffix("[]")
                if name in fields:
                    fields[name] = _worded(fields[name], words, of_items=name != named)
            absent = {name for name, kinds in also.items() if "absent" in kinds}
            return replace(shape, fields=fields, always=shape.always - absent)
    return shape
