"""`make setup` with a Python that will not do: one clear line, and nothing half-made."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Final

import pytest

REPOSITORY: Final = Path(__file__).resolve().parents[2]
OLD_PYTHON: Final = """#!/bin/sh
case "$2" in *version_info*) exit 1 ;; *) echo 3.9.18 ;; esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    if shutil.which("make") is None:
        pytest.skip("make IS NOT INSTALLED")
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(REPOSITORY / name, tmp_path)
    return tmp_path


def setup_with(python: str, checkout: Path) -> subprocess.CompletedProcess[str]:
    # without the variables of an outer `make`, which would change what this one prints
    environ = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    return subprocess.run(
        ["make", "setup", f"PYTHON={python}"],
        cwd=checkout,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_a_python_that_is_too_old_is_named(checkout: Path) -> None:
    old = checkout / "python3.9"
    old.write_text(OLD_PYTHON, encoding="utf-8")
    old.chmod(old.stat().st_mode | stat.S_IXUSR)
    done = setup_with(str(old), checkout)
    assert done.returncode == 2
    assert done.stderr.startswith(f"mmbot needs Python 3.11 or newer: {old} is 3.9.18 ")
    assert not (checkout / ".venv").exists()


def test_a_python_that_is_not_there_is_named(checkout: Path) -> None:
    done = setup_with("no-such-python", checkout)
    assert done.returncode == 2
    assert done.stderr.startswith("mmbot needs Python 3.11 or newer: no-such-python was not found")
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize(
    "target", ["setup", "demo", "test", "check", "bench", "crash", "mutation", "lock"]
)
def test_the_targets_that_the_readme_names_are_there(checkout: Path, target: str) -> None:
    done = subprocess.run(
        ["make", "help"], cwd=checkout, capture_output=True, text=True, check=False, timeout=30
    )
    assert f"make {target}\t" in done.stdout
