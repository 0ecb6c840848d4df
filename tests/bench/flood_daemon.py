"""The daemon in a flood: `mmbot run`, with a stamp on both sides of what the stream brings.

    python -m tests.bench.flood_daemon run --config FILE

The flood's first word says when which frame is due (`flood_end`); a frame's lag is the time from
then until the decision that it led to has been made. At the last word the lags are written to
`lags.json` in the state folder.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Final

from mmbot.app.compose import run
from mmbot.config import load
from mmbot.exchange.ws import After, LiveWs, Take, WsConnection
from tests.bench.flood_end import ENDS

LAG_MS_MAX: Final = 20_000
BOOK: Final = b'{"event":"market_selections"'
WORD: Final = b'{"event": "flood_'


class Lags:
    """How many frames came how late, in whole milliseconds."""

    def __init__(self, at_ns: int, period_ns: float) -> None:
        self.counts = [0] * (LAG_MS_MAX + 1)
        self.frames = 0
        self._at_ns = at_ns
        self._period_ns = period_ns

    def decided(self, frames: int, now_ns: int) -> None:
        """So many more were read, and what follows from them is decided."""
        for number in range(self.frames, self.frames + frames):
            late_ms = int((now_ns - self._at_ns - number * self._period_ns) / 1e6)
            self.counts[min(max(late_ms, 0), LAG_MS_MAX)] += 1
        self.frames += frames

    def quantile_ms(self, share: float) -> int:
        """The whole milliseconds within which `share` of the frames were decided."""
        left = share * self.frames
        for late_ms, count in enumerate(self.counts):
            left -= count
            if left <= 0:
                return late_ms + 1
        return LAG_MS_MAX + 1


class StampedWs:
    """Real sockets; counts the books that pass, and knows when all of them are decided."""

    def __init__(self, report: Path) -> None:
        self._sockets = LiveWs()
        self._report = report

    async def connect(self, url: str) -> WsConnection:
        return _Stamped(await self._sockets.connect(url), self._report)


class _Stamped:
    def __init__(self, connection: WsConnection, report: Path) -> None:
        self._connection = connection
        self._report = report
        self._lags = Lags(0, 0.0)  # nobody looks at those before the flood
        self.send, self.close = connection.send, connection.close

    async def consume(self, take: Take, after: After) -> None:
        waiting, over = 0, False

        def took(text: str | bytes) -> None:
            nonlocal waiting, over
            assert isinstance(text, bytes)
            if text.startswith(BOOK):
                waiting += 1
            elif text.startswith(WORD):
                said = json.loads(text)
                over = said["event"] == ENDS
                if not over:
                    self._lags = Lags(**said["data"])
                return
            take(text)

        def decided() -> None:
            nonlocal waiting, over
            after()
            self._lags.decided(waiting, time.monotonic_ns())
            waiting = 0
            if over:  # its word came together with the last frames
                self._tell()
                over = False

        await self._connection.consume(took, decided)

    def _tell(self) -> None:
        lags = self._lags
        shares = {f"p{share:g}_ms": lags.quantile_ms(share / 100) for share in (50, 99, 99.9)}
        told = {"frames": lags.frames, **shares, "max_ms": lags.quantile_ms(1.0)}
        self._report.write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    settings = load(Path(sys.argv[-1]), os.environ)
    websockets = StampedWs(settings.state_dir / "lags.json")
    raise SystemExit(run(settings, armed=False, websockets=websockets))
