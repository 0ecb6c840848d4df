"""The newest lines of a diary in few bytes: older ones are packed, the oldest go."""

from __future__ import annotations

import zlib
from array import array
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

BLOCK_BYTES_MAX: Final = 256 << 10
BLOCKS_MIN: Final = 16  # what goes at once is at most this part of the whole
PACK_LEVEL: Final = 1  # lines are so alike that a higher level costs time and gains little


class Line(NamedTuple):
    """One line of JSON without its end, and its number."""

    number: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together, packed; `numbers` are those of the lines in it."""

    numbers: array[int]
    raw_bytes: int
    packed: bytes

    def lines(self) -> Iterator[Line]:
        return map(Line, self.numbers, zlib.decompress(self.packed).split(b"\n"))


@dataclass(slots=True)
class Ring:
    """Lines in order of their number, in at most so many bytes before they are packed."""

    bytes_max: int
    dropped: int = 0
    _blocks: deque[Block] = field(default_factory=deque)
    _blocks_bytes: int = 0
    _newest: list[Line] = field(default_factory=list)
    _newest_bytes: int = 0

    def add(self, line: Line) -> None:
        self._newest.append(line)
        self._newest_bytes += len(line.text)
        if self._newest_bytes >= min(BLOCK_BYTES_MAX, self.bytes_max // BLOCKS_MIN):
            self._pack()

    def after(self, since: int) -> Iterator[Line]:
        """The lines above a number, oldest first."""
        for block in tuple(self._blocks):
            if block.numbers[-1] > since:
                yield from (line for line in block.lines() if line.number > since)
        yield from [line for line in self._newest if line.number > since]

    def _pack(self) -> None:
        packed = zlib.compress(b"\n".join([line.text for line in self._newest]), PACK_LEVEL)
        numbers = array("Q", [line.number for line in self._newest])
        self._blocks.append(Block(numbers, self._newest_bytes, packed))
        self._blocks_bytes += self._newest_bytes
        self._newest.clear()
        self._newest_bytes = 0
        while self._blocks_bytes > self.bytes_max:
            oldest = self._blocks.popleft()
            self._blocks_bytes -= oldest.raw_bytes
            self.dropped += len(oldest.numbers)
