"""The shape of JSON: keys, kinds and nesting; two shapes are compared both ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

# A placeholder of a book has no price; the other two are empty until they are known.
NULLABLE: Final = {
    "price": "number",
    "odds": "number",
    "sub_type": "text",
    "settled_at": "text",
}
MORE: Final = "not in the answer"


@dataclass(frozen=True, slots=True)
class Shape:
    """`kind` is null, flag, number, text, object or list; lists keep each distinct shape once."""

    kind: str
    fields: tuple[tuple[str, Shape], ...] = ()
    items: tuple[Shape, ...] = ()


def shape_of(value: object) -> Shape:
    if value is None:
        return Shape("null")
    if isinstance(value, bool):
        return Shape("flag")
    if isinstance(value, int | float):
        return Shape("number")
    if isinstance(value, str):
        return Shape("text")
    if isinstance(value, dict):
        if value and all(str(key).isdecimal() for key in value):
            # keyed by id: which ids is no matter of shape
            return Shape("object by id", (), _distinct(value.values()))
        return Shape("object", tuple((str(k), shape_of(value[k])) for k in sorted(value)))
    assert isinstance(value, list)
    return Shape("list", (), _distinct(value))


def differences(example: Shape, answer: Shape, path: str = "") -> list[str]:
    """One text per difference; an empty list of the example may be filled in the answer."""
    if example.kind != answer.kind:
        last = path.rpartition(".")[2]
        if {example.kind, answer.kind} == {"null", NULLABLE.get(last)}:
            return []
        return [f"{path or '(top)'}: {example.kind} in the example, {answer.kind} in the answer"]
    if example.kind == "object":
        return list(_object(dict(example.fields), dict(answer.fields), path))
    if example.kind in ("list", "object by id"):
        return _items(example, answer, path)
    return []


def _object(example: dict[str, Shape], answer: dict[str, Shape], path: str) -> Iterator[str]:
    for key in sorted(example.keys() | answer.keys()):
        where = f"{path}.{key}" if path else key
        if key not in answer:
            yield f"{where}: in the example, {MORE}"
        elif key not in example:
            yield f"{where}: in the answer, not in the example"
        else:
            yield from differences(example[key], answer[key], where)


def _items(example: Shape, answer: Shape, path: str) -> list[str]:
    if not example.items:
        return []
    if not answer.items:
        return [f"{path}[]: filled in the example, empty in the answer"]
    found: dict[str, None] = {}
    for item in example.items:
        pairs = [(item, one) for one in answer.items]
        found.update(dict.fromkeys(_nearest(pairs, f"{path}[]")))
    for item in answer.items:
        pairs = [(one, item) for one in example.items]
        said = _nearest(pairs, f"{path}[]")
        # an answer may hold rows of more kinds; what it lacks was asked for above
        found.update(dict.fromkeys(text for text in said if not text.endswith(MORE)))
    return list(found)


def _nearest(pairs: list[tuple[Shape, Shape]], path: str) -> list[str]:
    """The fewest differences of an item to one of the other side, of its own kind if possible."""
    alike = [pair for pair in pairs if pair[0].kind == pair[1].kind]
    return min((differences(*pair, path) for pair in alike or pairs), key=len)


def _distinct(values: Iterable[object]) -> tuple[Shape, ...]:
    return tuple(dict.fromkeys(shape_of(one) for one in values))
