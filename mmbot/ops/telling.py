"""One entry of the journal as a plain sentence, for the story of an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Final

from mmbot.domain.book import Level
from mmbot.domain.difference import DifferenceFound
from mmbot.domain.entries import (
    Entry,
    FillDisputed,
    FillReversed,
    OrderStepped,
    PlaceIntended,
    RunStarted,
    SettlementSeen,
)
from mmbot.domain.evidence import Evidence, Kind
from mmbot.domain.money import usd
from mmbot.domain.motive import FairSeen, Motive, Verdict
from mmbot.domain.notes import IdExists, ManualSeen, RequestAnswered, RequestSent, ResendDecided
from mmbot.domain.order import TERMINAL, Order, State, Step

NS_PER_S: Final = 1_000_000_000
FILLS: Final = frozenset({Step.PART_FILL, Step.FILLED_UP})


def clock(at_ns: int, date: bool = False) -> str:
    """UTC, to the microsecond where that says something."""
    whole_s, rest_ns = divmod(at_ns, NS_PER_S)
    form = "%Y-%m-%d %H:%M:%S" if date else "%H:%M:%S"
    try:
        text = datetime.fromtimestamp(whole_s, UTC).strftime(form)
    except (ValueError, OverflowError, OSError):
        return str(at_ns)  # a figure of the exchange may be anything
    return text + (f".{rest_ns // 1000:06d}".rstrip("0") if rest_ns else "")


def who(evidence: Evidence) -> str:
    """Who said it, without details."""
    match evidence.kind:
        case Kind.REPLY:
            return "the answer to its placement"
        case Kind.SAME_ID:
            return "the answer to the same id sent again"
        case Kind.CANCEL_ITEM:
            return "the answer to a cancel of it"
        case Kind.MESSAGE:
            return "a private message"
        case Kind.READ:
            return f"a read of the {evidence.source or 'exchange'}"
        case Kind.UNSENT:
            return "our own wire"
        case Kind.SILENCE:
            return "no usable answer"
        case Kind.TIMER:
            return "our own clock"
        case Kind.RESTART:
            return "a restart of ours"
        case Kind.DECISION:
            return "our own decision"
        case Kind.TEXT:
            return "an older ledger"


def said(evidence: Evidence) -> str:
    """The same with its words and the exchange's own figures."""
    details = [evidence.detail]
    if evidence.exchange_ns is not None:
        details.append(f"their clock {clock(evidence.exchange_ns)}")
    if evidence.synced_ns is not None:
        details.append(f"synced {clock(evidence.synced_ns)}")
    if evidence.sequence is not None:
        details.append(f"number {evidence.sequence}")
    shown = "; ".join(detail for detail in details if detail)
    return f"{who(evidence)} ({shown})" if shown else who(evidence)


# --- why it was wanted ----------------------------------------------------------------------


def view(order: Order, motive: Motive) -> str:
    here, there = order.side, 1 - order.side
    fairs = [_fair(one, order.side) for one in motive.fairs] or ["none"]
    stakes = motive.position.stake_cents
    parts = [
        f"fair {', '.join(fairs)}",
        f"best of others {_level(motive.best[here])} here, {_level(motive.best[there])} opposite",
        f"book {_age(motive.book_age_ms)}",
        f"inventory {usd(stakes[here])} here, {usd(stakes[there])} opposite",
    ]
    return f"view of {order.owner or 'nobody'}: {'; '.join(parts)}"


def _fair(one: FairSeen, side: int) -> str:
    prob_ppm = one.prob_ppm if side == 0 else 1_000_000 - one.prob_ppm
    return f"{prob_ppm / 10_000:.2f} % by {one.source}, {_age(one.age_ms)}"


def _level(level: Level | None) -> str:
    return "none" if level is None else f"{level.price:+d} x {usd(level.stake_cents)}"


def _age(age_ms: int | None) -> str:
    return "never seen" if age_ms is None else f"{age_ms / 1000:.3f} s old"


def verdict(figures: Verdict, checks: Sequence[str]) -> str:
    passed = f"{len(checks)} checks passed" if checks else "every check passed"
    line = (
        f"line holds {usd(figures.line_held_cents)}, {usd(figures.line_full_cents)} if everything"
        f" fills, limit {usd(figures.line_limit_cents)}"
    )
    total = f"everything {usd(figures.total_full_cents)} of {usd(figures.total_limit_cents)}"
    free = f"unmatched {usd(figures.unmatched_cents)} of {usd(figures.unmatched_limit_cents)}"
    return f"gate: {passed}, mode {figures.mode}; {line}; {total}; {free}"


def intent(entry: PlaceIntended) -> str:
    order = entry.order
    what = f"{usd(order.quantity_cents)} at {order.price:+d} on {order.strike_id}"
    if entry.adopted:
        return f"found on the exchange and taken over: {what}, line {order.line_id}"
    return f"intent: {what}; in the journal before anything leaves"


# --- what became of it ----------------------------------------------------------------------


def step(entry: OrderStepped, before: Order) -> str:
    evidence = entry.evidence
    moved = "" if entry.state is before.state else f"{before.state} -> {entry.state}: "
    gained = entry.filled_cents - before.filled_cents
    if entry.step in FILLS and gained > 0:
        total = f"{usd(entry.filled_cents)} of {usd(before.quantity_cents)}"
        return f"{moved}filled {usd(gained)}, {total} in all; {said(evidence)}"
    if entry.step is Step.CANCEL_WANTED:
        return f"{moved}cancel wanted: {evidence.detail or 'no reason was kept'}"
    return f"{moved or f'stays {entry.state}: '}{entry.step}; {said(evidence)}"


def sent(entry: RequestSent, again: bool) -> str:
    size = len(entry.external_ids)
    batch = f", one of {size} in the request" if size > 1 else ""
    match entry.what:
        case "place":
            what = "the same id again" if again else "place"
        case "sweep":
            what = f"cancel of everything on {entry.strike_id}"
        case "mass cancel":
            what = "cancel of everything on the account"
        case _:
            what = entry.what
    return f"sent: {what}{batch} (attempt {entry.number})"


def answered(entry: RequestAnswered, request: RequestSent | None, ident: str) -> str:
    words = _outcome(entry, request, ident)
    status = str(entry.status) if entry.status else "none"
    code = f" {entry.code}" if entry.code and entry.code not in words else ""
    took = f" after {(entry.at_ns - request.at_ns) / 1e6:,.1f} ms" if request else ""
    return f"answer to attempt {entry.number}{took}: {status}{code}, {words}"


def _outcome(entry: RequestAnswered, request: RequestSent | None, ident: str) -> str:
    if len(entry.outcomes) > 1 and request is not None:
        for named, words in zip(request.external_ids, entry.outcomes, strict=False):
            if named == ident:
                return words
    return entry.outcomes[0] if entry.outcomes else "nothing told"


def manual(entry: ManualSeen) -> str:
    what = f"{usd(entry.quantity_cents)} at {entry.price:+d} on {entry.strike_id}"
    amounts = f"filled {usd(entry.filled_cents)}, open {usd(entry.open_cents)}"
    return f"a person's order, {what}: {entry.status}, {amounts}; {said(entry.evidence)}"


def other(entry: Entry) -> str:
    """Entries that need no more than a line."""
    match entry:
        case RunStarted(run):
            return f"mmbot started anew (run {run})"
        case ResendDecided():
            return "still wanted: the same id is to go out again, at most one can land"
        case IdExists(_, evidence):
            return f"its id exists on the exchange: something landed; {said(evidence)}"
        case SettlementSeen(_, word):
            return f"settled: {word}"
        case DifferenceFound(found):
            kind = found.kind.replace("_", " ")
            sides = f"here {found.ours}, there {found.theirs}"
            return f"{found.cause}: {kind}: {sides}; {found.repair}"
        case FillDisputed(_, 0):
            return "its fills are as counted again"
        case FillDisputed(_, cents):
            return f"the exchange shows {usd(cents)} less filled; they count until money decides"
        case FillReversed():
            rows = f" and the money rows {', '.join(entry.rows)}" if entry.rows else ""
            taken = f"taken back {usd(entry.reversed_cents)}, {usd(entry.filled_cents)} stay filled"
            return f"{entry.state}: {taken}; {said(entry.evidence)}{rows}"
        case _:
            return plain(entry)


def plain(value: object) -> str:
    """A record that has no sentence of its own: its name and what it holds."""
    if not is_dataclass(value):
        return str(value)
    inner = [
        f"{field.name} {plain(held)}"
        for field in fields(value)
        if (held := getattr(value, field.name)) not in (None, "", ()) and field.name != "at_ns"
    ]
    return f"{type(value).__name__}: {', '.join(inner)}"


def unproven(order: Order, seen_alive_ns: int | None) -> str:
    """What nobody has proven yet; "" when all is known."""
    match order.state:
        case State.INTENDED:
            return "whether it reached the exchange; until an answer tells, all of it counts"
        case State.IN_DOUBT:
            return (
                "whether it lives; all of it counts until a message, a read or the answer to the"
                " same id shows it, or two reads that must have seen it do not"
            )
        case State.OPEN:
            last = "" if seen_alive_ns is None else f" at {clock(seen_alive_ns)}"
            return f"what happened since it was last shown alive{last}"
        case State.CANCELLING:
            return "that it ended; what is left counts until the exchange shows nothing open"
        case _ if order.state in TERMINAL:
            return ""
    return ""
