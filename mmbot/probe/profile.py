"""The profile: what was measured, as a TOML file that the box and the daemon read.

Each finding stands under the name of its setting (`[rules] fill_or_kill`), as a scenario of the
box spells it; `[unknown]` gives the reason for each that could not be told.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from mmbot.domain.errors import SetUpError
from mmbot.probe.findings import Found, Notebook, Unknown, Value

HEAD: Final = "# Measured by `mmbot probe`; the raw answers are in the file beside this one.\n"


def text_of(notebook: Notebook, about: Mapping[str, Value]) -> str:
    """The whole file; `about` says when, where and at what cost it was measured."""
    tables: dict[str, dict[str, Found]] = {}
    unknown: dict[str, str] = {}
    for name, finding in sorted(notebook.findings.items()):
        match finding:
            case Found():
                table, _, field = name.rpartition(".")
                tables.setdefault(table, {})[field] = finding
            case Unknown(why):
                unknown[name] = why
    parts = [HEAD, *_table("probe", about)]
    for table, fields in tables.items():
        parts.append(f"\n[{table}]\n")
        parts += [
            f"{key} = {_value(one.value)}  # {_line(one.seen)}\n" for key, one in fields.items()
        ]
    parts += _table("unknown", unknown)
    return "".join(parts)


def read(path: Path) -> dict[str, Value]:
    """The values of a profile by their whole names, those of `[probe]`, too.

    Raises SetUpError when there is no such file or it is none.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SetUpError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SetUpError(f"{path}: is not valid TOML: {error}") from None
    table.pop("unknown", None)
    return dict(_flat(table))


def _flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Value]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _table(name: str, fields: Mapping[str, Value]) -> Iterator[str]:
    yield f"\n[{name}]\n"
    for key, value in fields.items():
        yield f"{_key(key)} = {_value(value)}\n"


def _key(key: str) -> str:
    return key if key.replace("_", "").isalnum() else json.dumps(key)


def _value(value: Value) -> str:
    """JSON's texts, numbers and truth values are TOML's, too."""
    return json.dumps(value)


def _line(text: str) -> str:
    """A comment ends with its line, and control characters are not allowed in it."""
    return "".join(one if one.isprintable() else " " for one in text)
