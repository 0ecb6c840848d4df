"""Strategies from a folder: one file, one strategy; a broken file breaks nothing else."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from mmbot.strategy.api import QuotingStrategy
from mmbot.strategy.desk import QuotingCoroutine
from mmbot.strategy.foreign import Containment
from mmbot.strategy.params import params_type, read_params

MODULE_PREFIX: Final = "mmbot_strategy_file_"
FILES_MAX: Final = 200

Strategy = QuotingStrategy[Any] | QuotingCoroutine[Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A strategy that can be made; `summary` is the first line of its docstring."""

    file: Path
    name: str
    kind: type[QuotingStrategy[Any]] | type[QuotingCoroutine[Any]]
    summary: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A file without a usable strategy; `problem` is one line and begins with file:line."""

    file: Path
    problem: str


def discover(folder: Path) -> list[Found | Broken]:
    """Every *.py of the folder, by name; those that begin with `_` are parts of others.

    Raises nothing for what is in the files, and OSError when the folder cannot be read.
    """
    files = sorted(path for path in folder.iterdir() if _is_strategy_file(path))
    found: list[Found | Broken] = [load(path) for path in files[:FILES_MAX]]
    found += [Broken(path, f"{path}: more than {FILES_MAX} files") for path in files[FILES_MAX:]]
    return found


def load(file: Path) -> Found | Broken:
    """Import one file by its path; `sys.path` stays as it is."""
    file = file.absolute()
    if not file.is_file():
        return Broken(file, f"{file}: no such file")
    with Containment() as inside:
        found = _only_strategy(file, _imported(file))
        if isinstance(found, Broken):
            sys.modules.pop(_module_name(file), None)
        return found
    sys.modules.pop(_module_name(file), None)
    return Broken(file, inside.line(str(file)))


def create(found: Found, raw: Mapping[str, object]) -> Strategy | tuple[str, ...]:
    """The strategy with its parameters, or one line for each thing that is wrong."""
    params = read_params(params_type(found.kind), raw)
    if isinstance(params, tuple):
        return params
    with Containment() as inside:
        made: Strategy = found.kind(params)
        return made
    return (inside.line(str(found.file)),)


def _is_strategy_file(path: Path) -> bool:
    return path.suffix == ".py" and not path.name.startswith(("_", ".")) and path.is_file()


def _imported(file: Path) -> ModuleType:
    name = _module_name(file)
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} cannot be imported")
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and type hints look their own module up there
    spec.loader.exec_module(module)
    return module


def _module_name(file: Path) -> str:
    return f"{MODULE_PREFIX}{file.stem}"


def _only_strategy(file: Path, module: ModuleType) -> Found | Broken:
    """The one class that is defined here; what was imported from elsewhere does not count."""
    kinds = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, (QuotingStrategy, QuotingCoroutine))
        and value.__module__ == module.__name__
    ]
    if len(kinds) != 1:
        named = ", ".join(kind.__name__ for kind in kinds) or "none"
        return Broken(file, f"{file}: one strategy class is expected, found {named}")
    kind = kinds[0]
    if issubclass(kind, QuotingStrategy) and kind.quotes is QuotingStrategy.quotes:
        return Broken(file, f"{file}: {kind.__name__} has no method quotes(self, view)")
    name: object = kind.name
    if not isinstance(name, str):
        return Broken(file, f"{file}: {kind.__name__}.name must be text, got {name!r}")
    doc = (kind.__doc__ or module.__doc__ or "").strip()
    return Found(file, name or file.stem, kind, doc.partition("\n")[0])
