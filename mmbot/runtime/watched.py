"""Whether somebody else is still at work, by our own clock. Pure: `now_ns` is given."""

from __future__ import annotations

from collections.abc import Hashable


class Watched:
    """Life is change: what was found at the first look may be years old."""

    def __init__(self, now_ns: int) -> None:
        self._last: Hashable | None = None
        self._changed_ns = now_ns
        self.lived = False  # it changed while we looked

    def saw(self, sign: Hashable | None, now_ns: int) -> None:
        """`sign` differs with each beat; None: nothing was found, which is no sign of life."""
        if sign is None or sign == self._last:
            return
        self.lived = self._last is not None
        self._last = sign
        self._changed_ns = now_ns

    @property
    def found(self) -> bool:
        """Something was there once, alive or not."""
        return self._last is not None

    def silent_ns(self, now_ns: int) -> int:
        """Since its last change; before the first sign, since we began to look."""
        return max(0, now_ns - self._changed_ns)
