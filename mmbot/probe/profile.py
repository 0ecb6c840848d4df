"""The profile: what was measured, as a TOML file that the box and the daemon read.

Each finding stands under the name of its setting (`[rules] fill_or_kill`), as a scenario of the
box spells it; `[unknown]` gives the reason for each that could not be told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

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


def settings_of(notebook: Notebook) -> dict[str, Any]:
    """The same findings as nested tables, e.g. {"rules": {"fill_or_kill": "partial"}}."""
    found: dict[str, Any] = {}
    for name, finding in notebook.findings.items():
        if isinstance(finding, Found):
            *tables, field = name.split(".")
            inner = found
            for table in tables:
                inner = inner.setdefault(table, {})
            inner[field] = finding.value
    return found


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
