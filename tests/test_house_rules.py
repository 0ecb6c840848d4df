"""The house rules hold in this repository, and their checker finds planted violations."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.house_rules import python_findings, text_findings

REPOSITORY: Final = Path(__file__).resolve().parent.parent
CODE_FOLDERS: Final = ("mmbot", "strategies", "tests")
TEXT_SUFFIXES: Final = frozenset(
    {"", ".py", ".toml", ".md", ".yml", ".yaml", ".json", ".lock", ".service", ".sh", ".cfg"}
)
SKIPPED_FOLDERS: Final = frozenset(
    {".git", ".venv", "__pycache__", ".hypothesis", "build", "dist", "state", "node_modules"}
)
FUTURE: Final = "from __future__ import annotations\n"


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in SKIPPED_FOLDERS or path.name.endswith("_cache"):
            continue
        if path.is_dir():
            yield from _files(path)
        elif path.is_file():
            yield path


def _relative(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def test_every_python_file_keeps_the_house_rules() -> None:
    findings = [
        finding
        for folder in CODE_FOLDERS
        for path in _files(REPOSITORY / folder)
        if path.suffix == ".py"
        for finding in python_findings(_relative(path), path.read_text(encoding="utf-8"))
    ]
    assert not findings, "\n" + "\n".join(findings)


def test_no_file_names_a_machine_or_a_package_index() -> None:
    findings = [
        finding
        for path in _files(REPOSITORY)
        if path.suffix in TEXT_SUFFIXES and path.stat().st_size < 2_000_000
        for finding in text_findings(
            _relative(path), path.read_text(encoding="utf-8", errors="replace")
        )
    ]
    assert not findings, "\n" + "\n".join(findings)


def test_the_locks_are_hashed_agree_and_satisfy_the_ranges() -> None:
    paths = (REPOSITORY / "requirements.lock", *sorted((REPOSITORY / "tests").glob("*.lock")))
    pinned: dict[str, str] = {}
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert "://" not in text, f"{_relative(path)} contains an address"
        for block in text.replace(" \\\n", " ").splitlines():
            if "==" not in block or block.startswith((" ", "#")):
                continue
            name, _, rest = block.partition("==")
            version = rest.split()[0]
            assert "--hash=sha256:" in block, f"{_relative(path)}: {name} has no hash"
            assert pinned.setdefault(name, version) == version, f"{name} differs between locks"
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    for requirement in project["project"]["dependencies"]:
        assert requirement.partition(">=")[0] in pinned, f"{requirement} is in no lock"


PLANTED: Final = (
    ("mmbot/app/a.py", "x = 1\n" * 350, "351 lines"),
    ("mmbot/app/a.py", "def f() -> None:\n" + "    x = 1\n" * 60, "61 lines"),
    ("mmbot/app/a.py", f"x = '{'y' * 100}'\n", "characters"),
    ("mmbot/app/utils.py", "x = 1\n", "named by the trade"),
    ("mmbot/app/a.py", "class A:\n    def __init__(self,a,b,c,d,e,f,g,h): ...\n", "constructor"),
    ("mmbot/app/a.py", "class AMixin: ...\n", "mixin"),
    ("mmbot/app/a.py", "class A(metaclass=B): ...\n", "metaclass"),
    ("mmbot/engine/a.py", "import time\n", "arrive as arguments"),
    ("mmbot/domain/a.py", "from random import random\n", "arrive as arguments"),
    ("mmbot/engine/a.py", "x = datetime.now()\n", "asks the clock"),
    ("mmbot/engine/a.py", "x = datetime.datetime.now()\n", "asks the clock"),
    ("strategies/a.py", "from mmbot.exchange import rest\n", "may not import"),
    ("strategies/a.py", "from mmbot import exchange\n", "may not import"),
    ("mmbot/sim/a.py", "from mmbot.domain.price import x\n", "the box may not"),
    ("tests/a.py", "from unittest.mock import Mock\n", "not mocks"),
    ("tests/a.py", "import time\ntime.sleep(1)\n", "never sleep"),
    ("mmbot/app/a.py", "asyncio.create_task(f())\n", "TaskGroup"),
    ("mmbot/app/a.py", "loop.create_task(f())\n", "TaskGroup"),
    ("mmbot/app/a.py", "asyncio.gather(f())\n", "TaskGroup"),
    ("mmbot/app/a.py", "asyncio.ensure_future(f())\n", "TaskGroup"),
    ("mmbot/app/a.py", "try:\n    f()\nexcept Exception:\n    pass\n", "broad except"),
    ("mmbot/app/a.py", "try:\n    f()\nexcept (OSError, Exception):\n    pass\n", "broad except"),
    ("mmbot/app/a.py", "try:\n    f()\nexcept:\n    pass\n", "broad except"),
    ("mmbot/app/a.py", "CACHE = {}\n", "module-level state"),
    ("mmbot/app/a.py", "cache: dict[str, int] = {}\n", "module-level state"),
    ("mmbot/app/a.py", "def f():\n    global x\n", "global"),
    ("mmbot/app/a.py", "x = f()  # type: ignore\n", "type ignore"),
    ("mmbot/app/a.py", "x = f()  # type: ignore[misc]\n", "type ignore"),
    ("mmbot/app/a.py", "import x  # noqa: F401\n", "noqa"),
    ("mmbot/domain/a.py", "@dataclass\nclass A:\n    x: int\n", "dataclass A"),
    ("mmbot/domain/a.py", "@dataclass(slots=True)\nclass A:\n    x: int\n", "dataclass A"),
)


@pytest.mark.parametrize(("path", "text", "expected"), PLANTED)
def test_the_checker_finds_a_planted_violation(path: str, text: str, expected: str) -> None:
    findings = list(python_findings(path, FUTURE + text))
    assert any(expected in finding for finding in findings), findings


def test_the_checker_finds_a_missing_future_import() -> None:
    assert list(python_findings("mmbot/app/a.py", '"""A."""\n\nimport sys\n'))


@pytest.mark.parametrize(
    "line", ["open('/wo" + "rk/x')", "cd /ro" + "ot", "https://py" + "pi.org/simple"]
)
def test_the_checker_finds_machine_paths_and_package_indexes(line: str) -> None:
    assert list(text_findings("a.md", line))


GOOD: Final = (
    ("mmbot/app/a.py", "async def f() -> None:\n    group.create_task(g())\n"),
    ("mmbot/app/a.py", "self._tasks.create_task(g())\n"),
    ("mmbot/app/a.py", "try:\n    f()\nexcept BaseException:\n    close()\n    raise\n"),
    ("mmbot/runtime/supervisor.py", "try:\n    f()\nexcept Exception:\n    pass\n"),
    ("mmbot/app/a.py", "TABLE: Final = {1: 2}\n__all__ = ['f']\n"),
    ("mmbot/app/a.py", "x = f()  # type: ignore[misc]  # the library says Any\n"),
    ("mmbot/app/a.py", "import x  # noqa: F401 - registers itself\n"),
    ("strategies/a.py", "from mmbot.strategy.api import Quote\nimport math\n"),
    ("mmbot/domain/a.py", "@dataclass(frozen=True, slots=True)\nclass A:\n    x: int\n"),
    ("mmbot/domain/a.py", ""),
)


@pytest.mark.parametrize(("path", "text"), GOOD)
def test_the_checker_lets_good_code_pass(path: str, text: str) -> None:
    assert not list(python_findings(path, (FUTURE if text else "") + text))


def test_a_web_address_with_the_word_work_is_no_machine_path() -> None:
    inner = "/".join(("", "work", "x"))  # a path inside an address is none of this machine
    assert not list(text_findings("a.md", "https://example.org" + inner + " and net" + inner))
