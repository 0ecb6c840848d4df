"""One socket of the stream, where clients are sent, and what the stream asks of the exchange."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal, Protocol

from mmbot.sim.core.messages import Outgoing
from mmbot.sim.stream.channels import Service
from mmbot.sim.stream.envelopes import V4_FORM, Form
from mmbot.sim.stream.frames import Close

# half open: all is sent, only what keeps the socket alive, or nothing
Mute = Literal["", "data", "all"]
Forms = dict[Service, Form]


class Catalog(Protocol):
    """What the stream must know of the exchange."""

    def tournament_of(self, event_id: int) -> int: ...

    def tournaments(self) -> list[int]: ...

    def images(self, event_id: int, sub_type: str, now_ns: int) -> list[Outgoing]: ...


@dataclass(slots=True, eq=False)
class Connection:
    """One socket; `out` holds what its transport has still to send."""

    socket_id: str
    heard_ns: int
    host: str = ""
    channels: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    out: deque[str | Close] = field(default_factory=deque)
    pinged_ns: int | None = None
    useful_ns: int = 0
    user_id: str = ""
    token_until_ns: int = 0
    # what was promised by the registration of each generation of channels
    forms: Forms = field(default_factory=dict)
    mute: Mute = ""
    signed_in: bool = False
    closed: bool = False

    def form(self, service: Service) -> Form:
        """How this socket is told what goes out on the channels of a generation."""
        return self.forms.get(service, V4_FORM)


@dataclass(slots=True)
class Address:
    """What connection-config says of the stream; an empty host is the box's own."""

    cluster: str
    host: str = ""
    dead_hosts: set[str] = field(default_factory=set)
