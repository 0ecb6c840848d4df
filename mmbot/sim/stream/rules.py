"""How the stream looks and behaves where the contract leaves it open; each unknown is a field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class StreamRules:
    """The defaults are the likelier readings; numbers bound what one socket may cost."""

    # what a frame looks like
    data_form: Literal["string", "object"] = "string"
    payload_form: Literal["base64", "double", "object", "text"] = "base64"
    private_event: Literal["orders", "order", "wagers", "wager"] = "orders"
    private_event_legacy: Literal["wagers", "wager"] = "wagers"
    trade_print_name: Literal["matched_order", "trade_execution", "matched_bet"] = "matched_order"
    update_field: Literal["update_type", "update_status"] = "update_type"
    event_deleted: Literal["id_only", "zero_info"] = "id_only"
    subscribed_data: Literal["string", "absent"] = "string"
    signin_success: Literal["user_data", "empty"] = "user_data"
    activity_timeout_shown: bool = True
    # what is sent, and where
    channel_service: Literal[6, 3] = 6
    shared_books_legacy: bool = True
    shared_books_v4: bool = False
    health_check_on: Literal["private", "all"] = "private"
    initial_image: bool = False
    # how requests of a socket are answered, and what ends it
    close_at_token_expiry: bool = False
    duplicate_subscription: Literal["error", "succeeded"] = "error"
    subscription_refusal: Literal["error_frame", "close_4009", "null_code", "silence"] = (
        "error_frame"
    )
    # the registration answers and connection-config
    pusher_words: Literal["wager", "order"] = "wager"
    binding_events: Literal["objects", "strings"] = "objects"
    channel_count: Literal["own", "all"] = "own"
    rejected_when_none: Literal["absent", "null"] = "absent"
    tournament_entry: Literal["accepted", "unknown_type"] = "accepted"
    user_data_key: Literal["id", "user_id"] = "id"
    signin_block: bool = True
    registration_delay_s: float = 0.0
    ws_host_shown: bool = True
    config_wrapped: bool = False
    cluster: str = "mt1"
    # bounds
    sockets_max: int = 10_000
    frames_queued_max: int = 20_000
    channels_per_socket_max: int = 20_000
    ids_per_registration_max: int = 20_000
    idle_timeout_s: int = 86_400
