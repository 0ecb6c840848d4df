"""The shape of answers to reads, each told from a real one; nothing is placed here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from mmbot.exchange.amounts import time_ns
from mmbot.probe.calls import Reply, dig
from mmbot.probe.desk import HISTORY
from mmbot.probe.findings import Found
from mmbot.probe.ground import EVENTS, LADDER, MARKETS, NOT_STARTED
from mmbot.probe.lab import Lab, Measurement, Unmeasurable
from mmbot.runtime.clock import NS_PER_S

BALANCE: Final = "/v4/mm/get_balance"
ONE_MARKET: Final = "/v4/mm/get_markets"
STRIKES: Final = "/v4/mm/get_strikes"
TRADES: Final = "/v4/mm/get_trades"
TRANSACTIONS: Final = "/v4/mm/get_transactions"
NOT_THERE: Final = frozenset({404, 405})
NOBODYS_ID: Final = 2_000_000_011  # an id that no event or tournament has
FALLBACK_PRICES: Final = 291  # the public list of the vendor's demo
EMPTY_LISTS: Final = 3  # that are asked for
LAG_LOOKS_MIN: Final = 3
LAG_LEAST_S: Final = 2.0  # below that it may be the way of the answer, or whole seconds
CENT: Final = 0.011


async def paths(lab: Lab) -> None:
    """The ladder by the path that each dialect calls."""
    there = {}
    for dialect, path in (
        ("v4", LADDER),
        ("seed", "/mm/get_price_ladder"),
        ("legacy", "/mm/get_odds_ladder"),
    ):
        there[dialect] = (await lab.calls.verbatim.get(path)).status not in NOT_THERE
    spoken = [dialect for dialect, answers in there.items() if answers]
    said = f"routes of {', '.join(spoken) or 'no dialect'} are there"
    if len(spoken) == len(there):
        lab.notebook.found("wire.paths", "all", said)
    elif len(spoken) == 1:
        lab.notebook.found("wire.paths", spoken[0], said)
    else:
        lab.notebook.unknown("wire.paths", said)


async def ladder(lab: Lab) -> None:
    note, reply = lab.notebook, lab.ground.replies[LADDER]
    data = reply.data
    form = "data"
    if isinstance(data, dict):
        form = next((key for key in ("odds", "ladder") if isinstance(data.get(key), list)), "")
        data = data.get(form)
    if not reply.ok or not isinstance(data, list) or not data:
        raise Unmeasurable(f"the ladder was answered with {reply.status} {reply.code}")
    note.found("wire.ladder_form", form, f"{len(data)} prices below {form}")
    numbers = [one for one in data if isinstance(one, (int, float))]
    american = all(abs(one) >= 100 and one == int(one) for one in numbers)
    note.found(
        "wire.prices", "american" if american else "decimal", f"{numbers[0]} .. {numbers[-1]}"
    )
    if american and 100 not in numbers:
        note.found("rules.ladder", "no_plus_100", f"{len(data)} prices, +100 is not among them")
    else:
        dense = len(numbers) > FALLBACK_PRICES
        note.found(
            "rules.ladder", "dense_555" if dense else "fallback_291", f"{len(numbers)} prices"
        )


async def balance(lab: Lab) -> None:
    reply = await lab.calls.get(BALANCE)
    word = dig(reply.data, "unmatched_order_balance_status")
    if isinstance(word, str):
        lab.notebook.found("wire.unmatched_balance", word, "unmatched_order_balance_status")


async def events(lab: Lab) -> None:
    rows = dig(lab.ground.replies[EVENTS].data, "sport_events") or []
    words = {str(dig(row, "status")) for row in rows}
    early = words & NOT_STARTED
    if len(early) == 1:
        word = early.pop()
        kind = "trading" if word == "not_started" else "affiliate"
        lab.notebook.found("wire.event_words", kind, f"events that wait are {word}")
    reply = await lab.calls.get(EVENTS, tournament_id=NOBODYS_ID)
    _empty(lab, "sport_events", reply)


def _empty(lab: Lab, name: str, reply: Reply) -> None:
    """Lists that must be empty: all null, all [], or some this and some that."""
    data = reply.data
    if not reply.ok or not isinstance(data, dict) or name not in data or data[name]:
        return
    seen = lab.empty_lists
    seen[name] = "null" if data[name] is None else "empty"


async def empty_lists(lab: Lab) -> None:
    """After all the lists were seen that hold nothing."""
    now_s = lab.clock.now_ns() // NS_PER_S
    long_ago_s = now_s - 6 * 86_400
    window: dict[str, str | int] = {"from": long_ago_s, "to": long_ago_s + 1, "limit": 10}
    for name, path in (("orders", HISTORY), ("trades", TRADES)):
        reply = await lab.calls.get(path, **window)
        _empty(lab, name, reply)
        _lag(lab, reply)
    seen = lab.empty_lists
    said = ", ".join(f"{name} {form}" for name, form in sorted(seen.items()))
    forms = set(seen.values())
    if len(forms) == 2:
        lab.notebook.found("wire.empty_lists", "some_null", said)
    elif len(seen) < EMPTY_LISTS:
        lab.notebook.unknown("wire.empty_lists", f"too few lists were empty: {said or 'none'}")
    else:
        lab.notebook.found("wire.empty_lists", forms.pop(), said)


async def markets(lab: Lab) -> None:
    note, many = lab.notebook, lab.ground.replies.get(MARKETS)
    if many is None or not many.ok:
        raise Unmeasurable("no markets could be read")
    data = many.data
    form = "by_event" if isinstance(data, dict) else "flat_list"
    note.found("wire.multiple_markets", form, f"data is a {type(data).__name__}")
    one = await lab.calls.get(ONE_MARKET, event_id=lab.ground.events[0].event_id)
    if one.ok and isinstance(one.data, (dict, list)):
        nesting = "list" if isinstance(one.data, list) else "object"
        note.found("wire.markets_nesting", nesting, f"data is a {type(one.data).__name__}")
    _fields(lab, list(objects(many.body)))
    if form == "by_event":
        reply = await lab.calls.get(
            MARKETS, event_ids=f"{lab.ground.events[0].event_id},{NOBODYS_ID}"
        )
        if reply.ok and isinstance(reply.data, dict):
            form = "null" if str(NOBODYS_ID) in reply.data else "absent"
            note.found("wire.unknown_event", form, "an event that is not there, asked for")
    await _strikes(lab)


async def _strikes(lab: Lab) -> None:
    strikes = await lab.calls.get(STRIKES, strike_ids=lab.spot.strike(0))
    rows = strikes.data
    market_id = dig(rows[0], "market_id") if isinstance(rows, list) and rows else None
    if market_id is not None:
        form = "text" if isinstance(market_id, str) else "number"
        lab.notebook.found("wire.strike_market_id", form, f"market_id is a {form}")


def _fields(lab: Lab, objects: list[dict[str, Any]]) -> None:
    """What can be told from any market and from any level."""
    note = lab.notebook
    books = [one["selections"] for one in objects if one.get("selections")]
    forms = {_form(book) for book in books}
    if len(forms) == 1:
        note.found("wire.selections", forms.pop(), f"{len(books)} books")
    parents = [one for one in objects if "selections" in one and "status" in one]
    _sub_type(lab, parents)
    closed = {str(one["status"]) for one in parents} - {"active"}
    if len(closed) == 1:
        note.found("wire.market_closed_word", closed.pop(), "a market that is not active")
    else:
        said = ", ".join(sorted(closed)) or "every market is active"
        note.unknown("wire.market_closed_word", said)
    levels = [one for one in objects if "strike_id" in one and "value" in one]
    _empty_side(lab, books, levels)
    _book_quantity(lab, levels)


def _form(book: Any) -> str:
    if isinstance(book, dict):
        return "dictionary"
    return "nested" if all(isinstance(side, list) for side in book) else "flat"


def _sub_type(lab: Lab, parents: list[dict[str, Any]]) -> None:
    """Alternative strikes may leave it to their parent: `absent` only where none has it."""
    words = [one["sub_type"] for one in parents if "sub_type" in one]
    forms = {"null" if word is None else "named" if word else "empty" for word in words}
    if not forms and parents:
        forms = {"absent"}
    if len(forms) == 1:
        lab.notebook.found("wire.sub_type", forms.pop(), f"{len(parents)} markets")
    elif forms:
        lab.notebook.unknown("wire.sub_type", f"several forms: {', '.join(sorted(forms))}")


def _empty_side(lab: Lab, books: list[Any], levels: list[dict[str, Any]]) -> None:
    blank = {
        ("placeholder" if one["price"] is None else "zero_price")
        for one in levels
        if not one.get("price") and "price" in one
    }
    nested = [book for book in books if isinstance(book, list)]
    if not blank and any(side == [] for book in nested for side in book):
        blank = {"empty"}
    if len(blank) == 1:
        lab.notebook.found("wire.empty_side", blank.pop(), "a side that nobody offers")
    else:
        lab.notebook.unknown("wire.empty_side", "no side without an offer was listed")


def _book_quantity(lab: Lab, levels: list[dict[str, Any]]) -> None:
    """More than value x b somewhere tells enough; equality only where something was taken."""
    more = sum(shows_more(one) is True for one in levels)
    if more:
        lab.notebook.found(
            "rules.book_quantity", "nominal", f"{more} levels show more than value x b"
        )


def shows_more(level: dict[str, Any]) -> bool | None:
    """Whether `quantity` is above the resting stake, value x b; None when that cannot be told."""
    price, value, quantity = level.get("price"), level.get("value"), level.get("quantity")
    if not price or not value or quantity is None or abs(price) < 100:
        return None
    ratio = price / 100 if price > 0 else 100 / -price
    return bool(quantity - value * ratio > CENT * (1 + ratio))


async def pages(lab: Lab) -> None:
    """How large a page may be, and how old the reporting copy is."""
    note = lab.notebook
    now_s = lab.clock.now_ns() // NS_PER_S
    week: dict[str, str | int] = {"from": now_s - 6 * 86_400, "to": now_s + 60}
    reply = await lab.calls.get(HISTORY, **week, limit=100)
    stamp = dig(reply.body, "last_synced_at")
    if stamp is not None:
        form = "text" if isinstance(stamp, str) else "number"
        note.found("wire.last_synced_at", form, f"last_synced_at is a {form}")
    _lag(lab, reply)
    orders = dig(reply.data, "orders")
    if reply.ok and isinstance(reply.data, dict) and len(orders or ()) < 100:
        cursor = reply.data.get("next_cursor", False)
        form = "absent" if cursor is False else "null" if cursor is None else "empty"
        note.found("wire.end_of_pages", form, "next_cursor of the last page")
    if lab.calls.seed:  # its history is the only report that tells its age
        _lag(lab, await lab.calls.get(HISTORY, **week, limit=10))
    for name, path, small, large in (
        ("session.history_page_max", HISTORY, 100, 1_000),
        ("session.transactions_page_max", TRANSACTIONS, 500, 1_000),
    ):
        reply = await lab.calls.get(path, **week, limit=small + 1)
        _lag(lab, reply)
        if reply.ok or reply.status == 400:
            said = f"limit={small + 1} was answered with {reply.status} {reply.code}".strip()
            note.found(name, large if reply.ok else small, said)


def _lag(lab: Lab, reply: Reply) -> None:
    """One look at the age of the reporting copy; the youngest look is the least disturbed."""
    stamp = dig(reply.body, "last_synced_at")
    synced_ns = time_ns(stamp)
    if synced_ns is None:
        return
    now_ns = reply.received_ns + lab.calls.rest.session.clock_offset_ns
    lab.lags_s.append(max(0.0, (now_ns - synced_ns) / NS_PER_S))
    lab.desk.lag_s = max(lab.lags_s)
    youngest_s = min(lab.lags_s)
    if len(lab.lags_s) >= LAG_LOOKS_MIN:
        whole_s = round(youngest_s) if isinstance(stamp, str) else int(youngest_s)  # cut off
        behind_s = whole_s if youngest_s >= LAG_LEAST_S else 0
        said = f"{youngest_s:.1f} to {max(lab.lags_s):.1f} s in {len(lab.lags_s)} looks"
        lab.notebook.findings["session.reporting_lag_s"] = Found(behind_s, said)


def objects(found: Any) -> Iterator[dict[str, Any]]:
    if isinstance(found, dict):
        yield found
        for inner in found.values():
            yield from objects(inner)
    elif isinstance(found, list):
        for inner in found:
            yield from objects(inner)


MEASUREMENTS: Final = (
    Measurement("paths", ("wire.paths",), paths),
    Measurement("ladder", ("wire.ladder_form", "wire.prices", "rules.ladder"), ladder),
    Measurement("balance", ("wire.unmatched_balance",), balance),
    Measurement("events", ("wire.event_words",), events),
    Measurement(
        "markets",
        (
            "wire.multiple_markets", "wire.markets_nesting", "wire.unknown_event",
            "wire.selections", "wire.sub_type", "wire.empty_side", "wire.market_closed_word",
            "wire.strike_market_id",
        ),
        markets,
    ),
    Measurement(
        "pages",
        (
            "wire.last_synced_at", "wire.end_of_pages", "session.history_page_max",
            "session.transactions_page_max", "session.reporting_lag_s",
        ),
        pages,
    ),
    Measurement("empty lists", ("wire.empty_lists",), empty_lists),
)  # fmt: skip
