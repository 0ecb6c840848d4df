"""Strategy files that stopped the event loop: the process had to end, and a person looks first."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from structlog.typing import FilteringBoundLogger

from mmbot.config import Settings
from mmbot.domain.errors import SetUpError
from mmbot.runtime.watchdog import Place, Ports, Stack

FILE: Final = "quarantine.json"
MODE: Final = 0o600
PLACES_SHOWN_MAX: Final = 8
EXIT_CODE: Final = 1  # a failure: the service manager starts us again


class Quarantine:
    """In `state_dir`: file in the strategies folder -> why. Read at the start."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE

    def held(self) -> dict[str, str]:
        """Raises SetUpError when it is there and cannot be read: nobody is set free by accident."""
        try:
            told = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise SetUpError(f"{self._path}: cannot be read ({error}); mend or remove it") from None
        if not isinstance(told, dict):
            raise SetUpError(f"{self._path}: a table of files is expected; mend or remove it")
        return {str(file): str(why) for file, why in told.items()}

    def put(self, file: str, why: str) -> None:
        """Raises OSError, or SetUpError of `held`."""
        self._write(self.held() | {file: why})

    def lift(self, file: str) -> bool:
        """A person's word; False when it was not held. Raises as `put`."""
        held = self.held()
        if held.pop(file, None) is None:
            return False
        self._write(held)
        return True

    def _write(self, held: Mapping[str, str]) -> None:
        new = self._path.with_suffix(".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MODE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as text:
            json.dump(held, text)
            text.flush()
            os.fsync(text.fileno())
        new.replace(self._path)


def watchdog_ports(settings: Settings, logger: FilteringBoundLogger) -> Ports:
    """What the watchdog does with what it sees."""
    files = {
        str((settings.strategies_path / one.file).absolute()): one.file
        for one in settings.strategies
        if one.enabled
    }

    def named(stack: Stack) -> None:
        logger.error("LoopBlocked", seconds=1, stack=_shown(stack))

    def last_words(first: Stack, last: Stack) -> None:
        # It stood in the file both times: one that was only on its way is not to blame.
        place = _guilty(last, {place.file for place in first} & files.keys())
        blamed = files[place.file] if place is not None else ""
        trouble = _kept(settings.state_dir, blamed, str(place)) if blamed else ""
        logger.error(
            "LoopBlockedEnd", seconds=2, quarantined=blamed, trouble=trouble, stack=_shown(last)
        )

    return Ports(named, last_words, lambda: os._exit(EXIT_CODE))


def _kept(state_dir: Path, file: str, place: str) -> str:
    """Put it on the list; why that was not to be done, else ""."""
    try:
        Quarantine(state_dir).put(file, f"the event loop stood still for 2 s at {place}")
    except (OSError, SetUpError) as error:
        return f"it is not kept, and the restart asks it again: {error}"
    return ""


def _guilty(stack: Stack, files: set[str]) -> Place | None:
    """The innermost call in one of the files."""
    return next((place for place in reversed(stack) if place.file in files), None)


def _shown(stack: Stack) -> str:
    return " > ".join(str(place) for place in stack[-PLACES_SHOWN_MAX:])
