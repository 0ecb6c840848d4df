"""Who is subscribed to which channel."""

from __future__ import annotations

from collections.abc import Callable

from mmbot.sim.stream.connections import Connection


class Members:
    """`hearers` are told of every change: (connection, channel, whether it is subscribed now)."""

    def __init__(self) -> None:
        self.hearers: list[Callable[[Connection, str, bool], None]] = []
        self._of: dict[str, dict[Connection, None]] = {}

    def __len__(self) -> int:
        """Channels that anybody is subscribed to."""
        return len(self._of)

    def __contains__(self, channel: str) -> bool:
        return channel in self._of

    def of(self, channel: str) -> list[Connection]:
        return list(self._of.get(channel, ()))

    def channels(self) -> list[str]:
        return list(self._of)

    def join(self, connection: Connection, channel: str) -> None:
        connection.channels.add(channel)
        self._of.setdefault(channel, {})[connection] = None
        self._tell(connection, channel, True)

    def leave(self, connection: Connection, channel: str) -> None:
        """Nothing happens to who is not in it."""
        if channel not in connection.channels:
            return
        connection.channels.discard(channel)
        members = self._of[channel]
        del members[connection]
        if not members:
            del self._of[channel]
        self._tell(connection, channel, False)

    def leave_all(self, connection: Connection) -> None:
        for channel in tuple(connection.channels):
            self.leave(connection, channel)

    def _tell(self, connection: Connection, channel: str, subscribed: bool) -> None:
        for hear in self.hearers:
            hear(connection, channel, subscribed)
