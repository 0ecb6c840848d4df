"""Where a demo is shown: a live terminal, or plain lines."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from typing import Final, TextIO

from rich.console import Console
from rich.live import Live

from mmbot.app.demo_links import Json
from mmbot.ops.console.board import Json as SeenJson
from mmbot.ops.console.board import Scene, board

KEY_BYTES_MAX: Final = 32


class PlainStage:
    """Captions as lines with the time; nothing at all when `quiet`."""

    def __init__(self, out: TextIO, now_s: Callable[[], float], *, quiet: bool) -> None:
        self._out = None if quiet else out
        self._now_s = now_s
        self._began_s = now_s()

    def caption(self, text: str) -> None:
        if self._out is not None:
            elapsed_s = self._now_s() - self._began_s
            print(f"[{elapsed_s:6.1f} s] {text}", file=self._out, flush=True)

    def show(self, state: Json | None, status: Json | None) -> None:
        """The states are for the live view."""


class LiveStage:
    """The board of ops/console, redrawn whenever something is told."""

    def __init__(self, console: Console, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._began_s = now_s()
        self._console = console
        self._live = Live(console=console, screen=True, auto_refresh=False)
        self._scene = Scene(None, None, "", 0.0)

    def __enter__(self) -> LiveStage:
        self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def caption(self, text: str) -> None:
        self._draw(self._scene.state, self._scene.status, text)

    def show(self, state: Json | None, status: Json | None) -> None:
        self._draw(state, status, self._scene.caption)

    def _draw(self, state: SeenJson | None, status: SeenJson | None, caption: str) -> None:
        width, height = self._console.size
        elapsed_s = self._now_s() - self._began_s
        self._scene = Scene(state, status, caption, elapsed_s, width, height)
        self._live.update(board(self._scene), refresh=True)


@contextlib.contextmanager
def keys(press: Callable[[str], None]) -> Iterator[None]:
    """Single keys of the terminal, without Enter, while the block runs."""
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)

    def read() -> None:
        for key in os.read(terminal, KEY_BYTES_MAX).decode(errors="ignore"):
            press(key.lower())

    loop = asyncio.get_running_loop()
    tty.setcbreak(terminal)
    loop.add_reader(terminal, read)
    try:
        yield
    finally:
        loop.remove_reader(terminal)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
