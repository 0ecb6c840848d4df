"""Whether a socket ends with the token that it was registered with: seen, not known (rule 35)."""

from __future__ import annotations

from typing import Final

from mmbot.exchange.link import NS_PER_S, Link
from mmbot.exchange.rest import Rest

APART_NS: Final = 5 * NS_PER_S  # who ends so near to the end of its token ends with it
LEAD_NS: Final = 60 * NS_PER_S


class TokenBond:
    def __init__(self, rest: Rest) -> None:
        self._clock = rest.clock
        self._session = rest.session
        self._notices = rest.notices
        self._seen = False

    def ended(self, link: Link) -> None:
        """The exchange closed it."""
        apart_ns = abs(self._clock.now_ns() - link.token_until_ns)
        if link.live_since_ns and apart_ns <= APART_NS:
            self._seen = True
            self._notices.count("stream_ends_with_its_token", link.name)

    def due(self, link: Link) -> bool:
        """It ends soon, and there is a newer token for the next one."""
        soon_ns = self._clock.now_ns() + LEAD_NS
        return self._seen and link.token_until_ns < min(soon_ns, self._session.usable_until_ns)
