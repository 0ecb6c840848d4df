"""Open questions that a run of this size cannot or must not ask, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_RESULT: Final = "shows only when a game has its result"
_LIVE: Final = "shows only in a game that is being played"
_VENUE: Final = "only the venue can bring it about"
_MONEY: Final = "needs more money at risk than a run may have"

NOT_ASKED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "rules.activation.failure": _MONEY,
        "rules.activation.in_play_delay_ms": _LIVE,
        "rules.fee_bps": _RESULT,
        "rules.life.bust_form": _VENUE,
        "rules.life.busted_trades": _VENUE,
        "rules.life.in_play": _LIVE,
        "rules.life.winner_status": _RESULT,
        "rules.life.wiped_messages": "shows only at the start of a game with orders on it",
        "rules.money.cancel_while_paying": "a cancel would have to meet a payment under way",
        "rules.money.delayed": _MONEY,
        "rules.money.fee_net": _RESULT,
        "rules.money.fill_payment_ms": "a cancel would have to meet a payment under way",
        "rules.money.resting_cap": _MONEY,
        "rules.resting_cash_multiple_max": _MONEY,
        "session.counted_until": "would burn the account's sessions",
        "session.sessions_max": "would burn the account's sessions",
        "session.window_ends": "an order would have to be made at a whole second",
        "stream.close_at_token_expiry": "takes longer than a token lives, and a run may not",
    }
)

# What the seed dialect says in its own way, whatever the v4 routes do: a probe in seed hears it,
# but it is no answer to these questions.
V4_ONLY: Final = frozenset(
    {
        "stream.initial_image",
        "stream.signin_success",
        "stream.trade_print_name",
        "wire.error_words",
        "wire.order_id_field",
    }
)
