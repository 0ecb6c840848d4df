"""Names of the channels in both generations of the venue, and the signatures that open them."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final, Literal

Service = Literal[6, 3]
SERVICES: Final[tuple[Service, Service]] = (6, 3)
NAME: Final = re.compile(r"private-[A-Za-z0-9_\-=@,.;]{1,192}")


def main_channel(service: Service = 6) -> str:
    return f"private-broadcast-service={service}-device_type=5"


def user_channel(user_id: str, service: Service = 6) -> str:
    return f"private-service={service}-device_type=5-user={user_id.replace('-', '')}"


def event_channel(event_id: int, sub_type: str = "", service: Service = 6) -> str:
    name = f"{main_channel(service)}-event={event_id}"
    return f"{name}-subtype={sub_type}" if sub_type else name


EVENT_CHANNEL: Final = re.compile(
    re.escape("private-broadcast-service=") + r"[36]-device_type=5-event=(\d{1,10})"
    r"(?:-subtype=([a-z0-9_]+))?"
)


def event_of(channel: str) -> tuple[int, str] | None:
    """Event id and sub_type of an event channel; nothing for the other channels."""
    found = EVENT_CHANNEL.fullmatch(channel)
    return (int(found[1]), found[2] or "") if found else None


def service_of(channel: str) -> Service:
    """The generation that a channel belongs to."""
    return 3 if "service=3-" in channel else 6


def is_private(channel: str) -> bool:
    return "-user=" in channel


@dataclass(frozen=True, slots=True)
class AppKey:
    """Key and secret of the stream application; the secret signs, only the box knows it."""

    key: str
    secret: str

    def sign(self, text: str) -> str:
        digest = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        return f"{self.key}:{digest}"

    def channel_auth(self, socket_id: str, channel: str) -> str:
        return self.sign(f"{socket_id}:{channel}")

    def user_auth(self, socket_id: str, user_data: str) -> str:
        return self.sign(f"{socket_id}::user::{user_data}")

    def has_signed(self, auth: str, text: str) -> bool:
        return hmac.compare_digest(
            auth.encode(errors="replace"), self.sign(text).encode(errors="replace")
        )
