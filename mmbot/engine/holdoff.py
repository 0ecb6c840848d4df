"""After the exchange said no, the same strike, or any, is not tried again at once."""

from __future__ import annotations

from typing import Final

from mmbot.domain.ids import StrikeId

FIRST_NS: Final = 250_000_000
LONGEST_NS: Final = 30_000_000_000
DOUBLINGS_MAX: Final = 7
PROBE_FIRST_NS: Final = 1_000_000_000
PROBE_LONGEST_NS: Final = 5_000_000_000  # a pause that is over is noticed so soon
# About every strike, in both vocabularies: maintenance, or no order may only add liquidity.
CLOSED: Final = ("placement_disabled", "add_liquidity_only_disabled")
# About the price alone, in both vocabularies: it is not on the ladder, or not any more.
OFF_LADDER: Final = frozenset({"invalid_price", "wager_invalid_odds", "30010"})


class HoldOff:
    """Waits double from `FIRST_NS` while a strike goes on failing; one open order forgets them.

    Without it a refusal that stays (no funds, placement disabled) would be repeated at the full
    rate, each time with a new id and two rows in the journal. Where it concerns every strike one
    order asks for all of them, each in its turn, and what is accepted lets the others go: a
    strike that is refused even then is shut by itself, and waits by itself.
    """

    def __init__(self) -> None:
        self._failed: dict[StrikeId, tuple[int, int]] = {}  # times in a row, until when
        self._refused_ns: dict[StrikeId, int] = {}  # of those that seem to speak for all
        self._shut: set[StrikeId] = set()  # of them, since then others were accepted
        self._probes = 0  # since the exchange takes no order at all; 0: it does
        self._probe_ns = 0
        self._why = ""  # some strike has failed so often that a person should know
        self._told = False

    def failed(self, strike_id: StrikeId, now_ns: int, why: str) -> None:
        if any(code in why for code in CLOSED) and strike_id not in self._shut:
            self._refused_ns[strike_id] = now_ns
            if not self._probes:
                self.probed(now_ns)
            elif self._probes > DOUBLINGS_MAX:
                self._why = f"no order is taken at all, now for {why}"
            return
        times, until_ns = self._failed.get(strike_id, (0, 0))
        if now_ns < until_ns:
            return  # the rest of the batch that failed
        wait_ns = min(LONGEST_NS, FIRST_NS << times)
        self._failed[strike_id] = min(times + 1, DOUBLINGS_MAX), now_ns + wait_ns
        if times >= DOUBLINGS_MAX:
            self._why = f"{strike_id}: more than {times} times in a row, now for {why}"

    @property
    def probing(self) -> bool:
        """The exchange takes no order at all: one may ask whether that is over, if `probe_due`."""
        return self._probes > 0

    def probe_due(self, now_ns: int) -> bool:
        return now_ns >= self._probe_ns

    def refused_ns(self, strike_id: StrikeId) -> int:
        """Who asked last asks last; 0: not yet."""
        return self._refused_ns.get(strike_id, 0)

    def probed(self, now_ns: int) -> None:
        """One has left; the next waits twice as long."""
        doublings = min(self._probes, DOUBLINGS_MAX)
        self._probe_ns = now_ns + min(PROBE_LONGEST_NS, PROBE_FIRST_NS << doublings)
        self._probes += 1

    def accepted(self) -> None:
        """A placement was answered with an order: they are taken again."""
        self._probes = self._probe_ns = 0
        self._shut.update(self._refused_ns)
        self._refused_ns.clear()

    def worked(self, strike_id: StrikeId) -> None:
        self._failed.pop(strike_id, None)
        self._shut.discard(strike_id)
        self._why, self._told = "", False

    def to_tell(self) -> str:
        """What goes on failing; said once, and again after something has worked."""
        if self._told or not self._why:
            return ""
        self._told = True
        return self._why

    def holds(self, strike_id: StrikeId, now_ns: int) -> bool:
        return strike_id in self._failed and now_ns < self._failed[strike_id][1]
