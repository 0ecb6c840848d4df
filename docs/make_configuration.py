"""Writes docs/configuration.md: its table is made from the shipped config file and the settings.

PYTHONPATH=. .venv/bin/python docs/make_configuration.py
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from mmbot.config import LineSelection, OddsApiSource, Settings, StrategySettings, bundled_folder

HERE = Path(__file__).resolve().parent
HEAD = """# Configuration

One TOML file per daemon. This page is made by `docs/make_configuration.py` from the comments of
`config/sandbox.toml` and the defaults in the code; `make test` fails when it is out of date.

- An unknown key is an error. `mmbot check --config FILE` reports every problem at once.
- Paths are relative to the folder in which `mmbot` is started.
- `strategies_dir = "strategies"` means the bundled strategies when there is no such folder.

## Secrets

Never in the file; a secret found there is an error. Looked for in this order:

1. environment: `MMBOT_ACCESS_KEY`, `MMBOT_SECRET_KEY`, and `MMBOT_ODDS_API_KEY` for an odds feed
   that needs one
2. systemd credentials (`$CREDENTIALS_DIRECTORY/access_key` and so on)
3. files of these names in `secrets_dir`

They are shown as `**********` and cut out of every log line.

## Hosts

| `environment` | `base_url` may be |
|---|---|
| `simulator` | loopback; a private address that answers `GET /_box/whoami`; a sandbox |
| `sandbox` | loopback; over https `*.prophetx.dev` and the old sandbox hosts (`mmbot/hosts.py`) |
| `production` | those and any other host over https, which needs `--arm-production` as well |

## Keys
"""
PARAMS = """
## Parameters of the strategies that come with mmbot

`[strategies.params]` belongs to the file: see `Params` in `strategies/consensus.py` and
`strategies/ladder_maker.py`, where each field has its default and a comment.
"""


def page() -> str:
    """The whole document."""
    comments = _comments((bundled_folder("config") / "sandbox.toml").read_text(encoding="utf-8"))
    shipped = tomllib.loads((bundled_folder("config") / "sandbox.toml").read_text("utf-8"))
    parts = [HEAD]
    parts += _table("the file itself", "", Settings, shipped, comments)
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if name != "credentials" and isinstance(kind, type) and issubclass(kind, BaseModel):
            parts += _table(f"[{name}]", name, kind, shipped.get(name, {}), comments)
    rows = shipped["sources"][0], shipped["strategies"][0]
    parts += _table("[[sources]]", "sources", OddsApiSource, rows[0], comments)
    parts.append(
        '\n`kind = "static"` has `file` instead of `url`: fair values from a local file.\n'
    )
    parts += _table("[[strategies]]", "strategies", StrategySettings, rows[1], comments)
    lines = rows[1].get("lines", {})
    parts += _table("[strategies.lines]", "strategies.lines", LineSelection, lines, comments)
    return "\n".join(parts).rstrip() + "\n" + PARAMS


def _table(
    title: str, path: str, model: Any, shipped: dict[str, Any], comments: dict[str, str]
) -> list[str]:
    lines = [f"\n### {title}\n", "| key | default | sandbox.toml | meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        kind = field.annotation
        if name in {"credentials", "sources", "strategies", "lines", "params"} or (
            isinstance(kind, type) and issubclass(kind, BaseModel)
        ):
            continue
        value = shipped.get(name)
        meaning = comments.get(f"{path}.{name}" if path else name, "")
        lines.append(f"| `{name}` | {_default(field.default)} | {_shown(value)} | {meaning} |")
    return lines


def _default(value: object) -> str:
    if value is PydanticUndefined:
        return "none: must be given"
    if isinstance(value, tuple):
        value = list(value)
    return "" if value is None else _shown(str(value) if isinstance(value, Path) else value)


def _shown(value: object) -> str:
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text}`" if len(text) <= 40 else "(an address)"


def _comments(text: str) -> dict[str, str]:
    """`table.key` -> the comment lines above it; the first table of a list speaks for all."""
    found: dict[str, str] = {}
    table = ""
    comment: list[str] = []
    for line in text.splitlines():
        if header := re.fullmatch(r"\[+([\w.]+)\]+", line):
            table, comment = header[1] + ".", []
        elif match := re.match(r"(?:# )?(\w+) = [\"\[\dtf]", line):
            found.setdefault(table + match[1], " ".join(comment))
            comment = []
        elif line.startswith("#"):
            comment.append(line.removeprefix("#").strip())
        else:
            comment = []
    return found


if __name__ == "__main__":
    (HERE / "configuration.md").write_text(page(), encoding="utf-8")
