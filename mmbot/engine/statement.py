"""The statement of account: per sport event, market and strike, in cents, as plain data."""

from __future__ import annotations

from typing import Any

from mmbot.engine.books import NO_SHARE, Market, Place
from mmbot.engine.ledger import Ledger


def statement(ledger: Ledger) -> dict[str, Any]:
    """The same journal gives the same statement, to the byte.

    `pnl_cents` is the cash that trading made so far; an open stake has left the cash, so
    `realised_cents` is without it. Cash and open stakes are the account's, a person's trades
    included, as rows name no order; what is staked is ours alone.
    """
    accounting = ledger.accounting
    books, manual = accounting.books, ledger.manual_waiting_cents
    places = sorted({*books.markets, *manual})
    return {
        "pnl_cents": ledger.pnl_cents,
        "realised_cents": ledger.pnl_cents + ledger.open_stake_cents,
        "open_stake_cents": ledger.open_stake_cents,
        "fees_cents": books.fees_cents,
        "by": "balance" if accounting.pnl_is_instead else "rows",
        "markets": [
            _market(place, books.markets.get(place), manual.get(place, 0)) for place in places
        ],
        "cases": case_rows(ledger),
    }


def case_rows(ledger: Ledger) -> list[dict[str, Any]]:
    """The open cases: what differs, by how much, and the rows that show it."""
    return [
        {
            "case": case.case_id,
            "ours_cents": case.ours_cents,
            "theirs_cents": case.theirs_cents,
            "detail": case.detail,
            "rows": list(case.rows),
        }
        for _, case in sorted(ledger.accounting.cases.items())
    ]


def _market(place: Place, known: Market | None, manual_cents: int) -> dict[str, Any]:
    market = known or Market()
    open_cents = market.total.waiting_cents + manual_cents
    held = {ident: share for ident, share in market.shares.items() if share != NO_SHARE}
    return {
        "event_id": place[0],
        "market_id": place[1],
        "staked_cents": market.total.filled_cents,
        "open_stake_cents": open_cents,
        "realised_cents": market.net_cents + open_cents,
        "fees_cents": market.fees_cents,
        "rows": dict(sorted(market.rows.items())),
        "strikes": [
            {
                "line_id": market.lines[ident],
                "strike_id": ident,
                "staked_cents": share.filled_cents,
                "open_stake_cents": share.waiting_cents,
            }
            for ident, share in sorted(held.items())
        ],
    }
