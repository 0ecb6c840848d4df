"""The demo's configuration: the shipped simulator.toml, with this run's addresses in it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmbot.config import bundled_folder
from mmbot.domain.errors import SetUpError


@dataclass(frozen=True, slots=True)
class DemoPlaces:
    """Where the parts of one run are."""

    base_url: str  # of the exchange, with /partner
    admin_port: int
    state_dir: Path

    @property
    def box_url(self) -> str:
        return self.base_url.removesuffix("/partner")

    @property
    def admin_url(self) -> str:
        return f"http://127.0.0.1:{self.admin_port}"

    @property
    def config_file(self) -> Path:
        return self.state_dir / "demo.toml"

    @property
    def ledger_file(self) -> Path:
        return self.state_dir / "ledger.sqlite3"


def write_config(places: DemoPlaces, dialect: str = "v4") -> Path:
    """Write the daemon's configuration file; raises SetUpError when the folder refuses it."""
    shipped = bundled_folder("config") / "simulator.toml"
    settings = tomllib.loads(shipped.read_text(encoding="utf-8"))
    settings["state_dir"] = str(places.state_dir)
    settings["strategies_dir"] = str(bundled_folder("strategies"))
    settings["exchange"] |= {"base_url": places.base_url, "dialect": dialect}
    settings["admin"] = {"host": "127.0.0.1", "port": places.admin_port}
    settings["ledger"]["file"] = places.ledger_file.name
    for source in settings["sources"]:
        if source["kind"] == "odds_api":
            source["url"] = f"{places.box_url}/_feed/odds"
    text = "# Written by `mmbot demo` from config/simulator.toml.\n" + to_toml(settings)
    try:
        places.config_file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SetUpError(f"{places.config_file}: cannot be written: {error.strerror}") from None
    return places.config_file


def to_toml(table: Mapping[str, Any]) -> str:
    """TOML of plain tables, arrays of tables and scalars; what our own files consist of."""
    return "\n".join(_table(table, "")) + "\n"


def _table(table: Mapping[str, Any], path: str) -> Iterator[str]:
    inner = {}
    for key, value in table.items():
        if isinstance(value, dict) or (value and _is_tables(value)):
            inner[key] = value
        else:
            yield f"{key} = {_scalar(value)}"
    for key, value in inner.items():
        name = f"{path}{key}"
        if isinstance(value, dict):
            yield f"\n[{name}]"
            yield from _table(value, f"{name}.")
        else:
            for row in value:
                yield f"\n[[{name}]]"
                yield from _table(row, f"{name}.")


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _scalar(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_scalar(item) for item in value) + "]"
    if isinstance(value, (bool, str)):
        return json.dumps(value)  # JSON's strings and booleans are TOML's as well
    return repr(value)
