"""How long to wait before the next connection: by the close code, longer after each failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mmbot.exchange.pusher_states import CloseClass, close_class


@dataclass(frozen=True, slots=True)
class PauseSettings:
    first_s: float = 0.5
    longer_max_s: float = 10.0  # blind that long after the exchange is back, at the most
    max_s: float = 30.0  # after it has said: not again as it was


class Pauses:
    """Failures in a row of one kind of attempt; `draw` gives 0..1 for the jitter."""

    def __init__(self, settings: PauseSettings, draw: Callable[[], float]) -> None:
        self._settings = settings
        self._draw = draw
        self.failures = 0
        self.refusals = 0  # of these, closes that say: not again as it was

    def over(self) -> None:
        """It works: the next failure is the first."""
        self.failures = self.refusals = 0

    def after(self, code: int | None, lived_s: float = 0.0) -> float:
        """Seconds to wait after one failure more, which ended with this close code.

        What is paced are the attempts: the time that the failed one has lived is waited already.
        """
        self.failures += 1
        first, settings = self.failures == 1, self._settings
        longer_s = min(settings.longer_max_s, settings.first_s * 2.0 ** min(self.failures - 1, 10))
        jitter = 0.5 + 0.5 * self._draw()
        backed_off_s = max(settings.first_s * jitter, longer_s * jitter - lived_s)
        match close_class(code):
            case CloseClass.AT_ONCE:
                return 0.0 if first else backed_off_s
            case CloseClass.PAUSE:
                return max(1.0, backed_off_s)
            case CloseClass.CHANGE_FIRST:
                # Something is changed before: soon, whatever failed before it (a stream that moves
                # closes what is open, and refuses the old key a moment later), and then slowly.
                self.refusals += 1
                return settings.first_s if self.refusals == 1 else settings.max_s
            case CloseClass.BACK_OFF:
                return backed_off_s
