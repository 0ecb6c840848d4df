"""Faults that can be switched on and off while the box runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mmbot.sim.core.messages import Json
from mmbot.sim.core.orders import Refusal
from mmbot.sim.dialects.errors import ERRORS

CHOICES: Final[Mapping[str, frozenset[str]]] = {
    "refuse_code": frozenset({"", *ERRORS}),
    "refuse_what": frozenset({"place", "cancel", "read"}),
    "book_image": frozenset({"", "crossed", "locked", "dead", "one_sided"}),
}


@dataclass(slots=True)
class Switches:
    """Each is off by default; `POST /_box/faults` sets them by name."""

    placement_disabled: bool = False
    reporting_down: bool = False
    history_rows_cut: bool = False
    unavailable_502: bool = False
    refuse_login: bool = False
    refuse_refresh: bool = False
    unauthorized_all: bool = False
    rate_limited_all: bool = False
    retry_after_s: float = 0.0  # what every 429 says, whatever the rules; 0: as they have it
    health_check_stopped: bool = False
    private_orders_lost: bool = False
    # lists leave out what is created or changed from now on, whatever `last_synced_at` says
    changes_unlisted: bool = False
    copy_stands_still: bool = False  # nothing new reaches the reads; `last_synced_at` says so
    history_stands: bool = False  # the same, of lists of orders alone
    money_stands: bool = False  # the same, of lists of transactions alone
    books_silent: bool = False
    subscriptions_refused: bool = False
    place_reply_lost: bool = False
    cancel_reply_lost: bool = False
    place_request_lost: bool = False
    place_late_s: float = 0.0  # the caller waits in vain, and it arrives so much later
    auth_delay_s: float = 0.0  # log-in and refresh are answered so much later
    feed_down: bool = False
    feed_frozen: bool = False
    ladder_empty: bool = False
    placement_ip_refused: bool = False
    # any code of the error table for every placement, cancel (batches: per item) or read
    refuse_code: str = ""
    refuse_what: str = "place"
    sessions_full: bool = False
    balance_key_absent: bool = False
    channels_shuffled: bool = False
    first_rejected: bool = False  # the first event or sub_type of each registration
    scopes_in_capitals: bool = False  # sub_types are not written as they were asked for
    # "crossed", "locked", "dead" or "one_sided": how every book looks
    book_image: str = ""
    # change types that nobody hears of any more, by comma: "sport_event,market"
    silent_types: str = ""
    feed_decimal: bool = False
    feed_swapped: bool = False
    feed_shift_logit: float = 0.0
    clock_skew_s: float = 0.0
    ws_host: str = ""
    reply_delay_s: float = 0.0
    silent: set[str] = field(default_factory=set)

    def set_all(self, body: object) -> Refusal | None:
        """Set several by name; nothing is changed when one is unknown or of a wrong type."""
        if not isinstance(body, dict):
            return Refusal(400, "invalid_request", "an object of switches is expected")
        kinds = {one.name: type(getattr(self, one.name)) for one in dataclasses.fields(self)}
        del kinds["silent"]
        for name, value in body.items():
            kind = kinds.get(name)
            fits = kind is not None and (
                isinstance(value, kind)
                or (kind is float and isinstance(value, int) and not isinstance(value, bool))
            )
            if not fits or (name in CHOICES and value not in CHOICES[name]):
                return Refusal(400, "invalid_param", f"no switch {name!r} with this value")
        for name, value in body.items():
            setattr(self, name, value)
        named = {
            "health_check": self.health_check_stopped,
            "orders": self.private_orders_lost,
            "market_selections": self.books_silent,
            "subscribe": self.subscriptions_refused,
        }
        self.silent.clear()
        self.silent.update(name for name, on in named.items() if on)
        self.silent.update(one.strip() for one in self.silent_types.split(",") if one.strip())
        return None

    def reset(self) -> None:
        """All off, as at birth."""
        usual = Switches()
        self.set_all({name: getattr(usual, name) for name in usual.shown()})

    def shown(self) -> Json:
        return {
            one.name: getattr(self, one.name)
            for one in dataclasses.fields(self)
            if one.name != "silent"
        }
