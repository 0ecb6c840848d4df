"""Breaks proposed by people who have not seen the tests. Add yours here; nothing else changes.

Break(
    "a name of a few words",
    "mmbot/engine/FILE.py",
    old="exact text that stands once in that file",
    new="what stands there instead",
    why="what goes wrong then, and which promise it breaks",
),
"""

from __future__ import annotations

from typing import Final

from tests.mutation.breaks import Break

PROPOSED: Final[tuple[Break, ...]] = ()
