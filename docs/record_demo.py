"""Runs `mmbot demo` in a terminal of its own and keeps what was really on the screen.

    .venv/bin/python docs/record_demo.py

It writes docs/images/demo.svg (a picture every few seconds, played in turn), demo-quoting.svg,
demo-killed.svg and demo-end.txt (what the demo prints after its view is gone). Needs no terminal
program: the view is a full frame each time, so the last bytes after "cursor home" are the screen.
"""

from __future__ import annotations

import argparse
import fcntl
import io
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.text import Text

IMAGES = Path(__file__).resolve().parent / "images"
COLUMNS, ROWS = 120, 40
HOME = b"\x1b[H"
READ_BYTES_MAX = 1 << 16
WAIT_MAX_S = 240.0
# (seconds after the start, key): kill -9, late news, halt, resume, stop.
KEYS = ((22.0, "k"), (36.0, "n"), (52.0, "h"), (60.0, "h"), (72.0, "q"))
FRAME_EVERY_S = 4.0
SHOWN_S = 1.6
# As rich's own template, but without fonts from elsewhere: a picture may not call a host.
SVG = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: arial; }}
{styles}
</style>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


@dataclass(slots=True)
class Recording:
    """Frames of the view with their times, and what came after it."""

    frames: list[tuple[float, str]] = field(default_factory=list)
    after: str = ""


def record(command: list[str]) -> Recording:
    """Run the command on a terminal of 120 by 40 and press the keys at their times."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environ = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ, start_new_session=True
    )
    os.close(theirs)
    began_s, keys = time.monotonic(), list(KEYS)
    chunks: list[tuple[float, bytes]] = []
    while (elapsed_s := time.monotonic() - began_s) < WAIT_MAX_S:
        if keys and elapsed_s >= keys[0][0]:
            os.write(ours, keys.pop(0)[1].encode())
        if select.select([ours], [], [], 0.1)[0]:
            try:
                data = os.read(ours, READ_BYTES_MAX)
            except OSError:  # Linux: the other end is closed
                break
            if not data:
                break
            chunks.append((elapsed_s, data))
    if process.wait() != 0:
        sys.exit(f"the demo ended with exit code {process.returncode}: not recorded")
    return _understood(chunks)


def _understood(chunks: list[tuple[float, bytes]]) -> Recording:
    """Each frame begins where the cursor is sent home; the view ends with the second screen."""
    recording, times, data = Recording(), [], b""
    for at_s, chunk in chunks:
        times.append((len(data), at_s))
        data += chunk
    view, _, after = data.partition(b"\x1b[?1049l")
    recording.after = re.sub(r"\x1b\[\??[0-9;]*[a-zA-Z]", "", after.decode()).replace("\r", "")
    offset = 0
    for part in view.split(HOME):
        at_s = max(t for start, t in times if start <= offset)
        offset += len(part) + len(HOME)
        text = part.decode(errors="replace").replace("\r", "")
        if "mmbot demo" in text:
            recording.frames.append((at_s, re.sub(r"\x1b\[\?[0-9;]*[a-z]", "", text)))
    return recording


def svg(frame: str, unique_id: str) -> str:
    """One frame as a picture."""
    lines = Text.from_ansi(frame).split("\n")
    while lines and not lines[-1].plain.strip():
        lines.pop()
    console = Console(
        record=True, width=COLUMNS, height=ROWS, file=io.StringIO(), force_terminal=True
    )
    for line in lines:
        console.print(line, no_wrap=True, overflow="crop", crop=True)
    made = console.export_svg(title="mmbot demo", code_format=SVG, unique_id=unique_id)
    made = re.sub(r' clip-path="[^"]*"', "", made)  # nothing is wider than the screen
    return re.sub(r"[ \t]+\n", "\n", made)


def film(frames: list[str]) -> str:
    """All frames in one picture, each visible in its turn; plain CSS, no script."""
    total_s, share = len(frames) * SHOWN_S, 100.0 / len(frames)
    parts, sizes = [], []
    for i, frame in enumerate(frames):
        picture = svg(frame, f"f{i}")
        sizes.append(tuple(map(float, re.findall(r'viewBox="0 0 (\S+) (\S+)"', picture)[0])))
        inner = picture[picture.index("<style>") : picture.rindex("</svg>")]
        parts.append(f'<g class="frame" style="animation-delay:{i * SHOWN_S:.2f}s">{inner}</g>')
    width, height = (max(size[n] for size in sizes) for n in (0, 1))
    style = (
        f".frame{{visibility:hidden;animation:play {total_s:.2f}s step-end infinite}}"
        f"@keyframes play{{0%{{visibility:visible}}{share:.4f}%,100%{{visibility:hidden}}}}"
    )
    head = f'<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">'
    return "\n".join([head, f"<style>{style}</style>", *parts, "</svg>\n"])


def spaced(frames: list[tuple[float, str]]) -> Iterator[str]:
    """A frame every few seconds, and each in which the caption says something new."""
    last_s, last_caption = -FRAME_EVERY_S, ""
    for i, (at_s, frame) in enumerate(frames):
        said = caption(frame)
        final = i == len(frames) - 1
        if final or at_s - last_s >= FRAME_EVERY_S or said != last_caption:
            # The picture just after a new caption shows the same words with newer figures.
            yield frame
            last_s, last_caption = at_s, said


def caption(frame: str) -> str:
    """The line in reverse colours."""
    found = re.search(r"\x1b\[1;7m ?(.*?) ?\x1b\[0m", frame)
    return found[1].strip() if found else ""


def main() -> None:
    """Record, and write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", default="7")
    parser.add_argument("--show-captions", action="store_true")
    given = parser.parse_args()
    recording = record([sys.executable, "-m", "mmbot", "demo", "--seed", given.seed])
    frames = recording.frames
    if given.show_captions:
        for at_s, frame in frames:
            print(f"{at_s:6.1f} {len(frame):6d} {caption(frame)}")
    IMAGES.mkdir(exist_ok=True)
    quoting = [frame for at_s, frame in frames if at_s < KEYS[0][0]][-1]
    killed = [frame for at_s, frame in frames if at_s < KEYS[1][0]][-1]
    (IMAGES / "demo-quoting.svg").write_text(svg(quoting, "quoting"), encoding="utf-8")
    (IMAGES / "demo-killed.svg").write_text(svg(killed, "killed"), encoding="utf-8")
    (IMAGES / "demo.svg").write_text(film(list(spaced(frames))), encoding="utf-8")
    (IMAGES / "demo-end.txt").write_text(recording.after.strip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
