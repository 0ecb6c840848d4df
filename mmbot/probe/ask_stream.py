"""What the stream looks like, told from what was heard during the whole run."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from mmbot.domain.catalog import Line
from mmbot.domain.ids import SportEventId
from mmbot.domain.price import Price, complement
from mmbot.exchange.amounts import NS_PER_S, time_ns
from mmbot.exchange.stream import ORDER_WORDS, PRINT_WORDS
from mmbot.probe.ask_reads import objects
from mmbot.probe.calls import dig
from mmbot.probe.desk import HISTORY, Ticket
from mmbot.probe.ground import MARKETS
from mmbot.probe.lab import Lab, Measurement, Unmeasurable
from mmbot.probe.listener import NOT_THERE, UNVERSIONED_PATH, Heard
from mmbot.probe.transcript import readable

SERVICE: Final = re.compile(r"service=(\d+)")
SLOW_S: Final = 2.0  # longer than a registration takes by itself
IMAGE_NS: Final = NS_PER_S // 5
WINDOWS: Final = 60
EARLY_NS: Final = 5 * NS_PER_S
CHANCE_MAX: Final = 0.01  # that all of them changed just then
EVENTS_MAX: Final = 2  # the least channel limit that anybody has named
SHARE_SURE: Final = 0.75
TOGETHER_NS: Final = NS_PER_S // 50
DELAYS_MIN: Final = 5
DELAY_SPREAD: Final = 0.1  # by which what is always the same may differ
SHARE_ALIKE: Final = 0.85  # of the orders, where messages are late at times
DELAY_NOISE_S: Final = 0.01
US_MIN: Final = 10**15
NS_MIN: Final = 10**18


def subscriptions(lab: Lab) -> list[dict[str, Any]]:
    """All tournaments, whose channel is free, and very few events."""
    tournaments = sorted({event.tournament_id for event in lab.ground.events})
    events = [] if lab.calls.seed else listened(lab)  # there books come with their tournament
    return [
        {"type": kind, "ids": [str(ident) for ident in idents]}
        for kind, idents in (("tournament", tournaments), ("event", events))
        if idents
    ]


def listened(lab: Lab) -> list[SportEventId]:
    """The events with the most lines, the one at hand first."""
    counts = Counter(spot.event_id for spot in lab.ground.spots)
    home = [lab.home.event_id] if lab.home else []
    return list(dict.fromkeys([*home, *(ident for ident, _ in counts.most_common())]))[:EVENTS_MAX]


async def registration(lab: Lab) -> None:
    note, listener = lab.notebook, lab.listener
    config = listener.config
    if config is not None and config.ok and isinstance(config.data, dict):
        note.found("stream.ws_host_shown", bool(config.data.get("ws_host")), "connection-config")
    _paths(lab)
    reply = listener.registered
    if reply is None:
        raise Unmeasurable(listener.why_not)
    answered = [one for one in listener.registrations.values() if one.ok]
    took_s = min((one.received_ns - one.sent_ns) / NS_PER_S for one in answered)
    slow = round(took_s) if took_s >= SLOW_S else 0
    note.found("stream.registration_delay_s", slow, f"the registration took {took_s:.2f} s")
    if not lab.calls.seed:  # these are fields of the other registration
        _channels(lab, reply.data)
    if not listener.alive:
        raise Unmeasurable(listener.why_not)
    data = listener.signed_in_data
    if data is None:
        raise Unmeasurable("nothing was signed in")
    inner = readable(data.encode()) if isinstance(data, str) else data
    form_of = "user_data" if isinstance(inner, dict) and inner else "empty"
    note.found("stream.signin_success", form_of, f"its data is {type(data).__name__}")


def _paths(lab: Lab) -> None:
    """Both paths of the registration were tried; a refusal of another kind tells nothing."""
    there = {path: reply.status for path, reply in lab.listener.registrations.items()}
    said = ", ".join(f"{path} {status}" for path, status in there.items())
    versioned = there.get(lab.calls.rest.routes.register.path, 0)
    both = (versioned, there.get(UNVERSIONED_PATH, 0))
    if all(200 <= status < 300 or status in NOT_THERE for status in both):
        form = {(True, True): "both", (True, False): "v4", (False, True): "unversioned"}
        found = form.get((both[0] not in NOT_THERE, both[1] not in NOT_THERE))
        if found:
            lab.notebook.found("wire.registration_path", found, said)
            return
    lab.notebook.unknown("wire.registration_path", said or "no registration was answered")


def _channels(lab: Lab, answer: Any) -> None:
    note = lab.notebook
    channels = [one for one in dig(answer, "authorized_channel") or () if isinstance(one, dict)]
    scoped = sum(1 for one in channels if one.get("scope"))
    count, limit = dig(answer, "channel_count"), dig(answer, "channel_limit")
    if isinstance(limit, int):
        note.found("session.channel_limit", limit, "channel_limit of the registration")
    said = f"channel_count {count}: {scoped} with a scope of {len(channels)} channels"
    if count in {scoped, len(channels)} and scoped != len(channels):
        note.found("stream.channel_count", "own" if count == scoped else "all", said)
    else:
        note.unknown("stream.channel_count", said)
    services = {
        number for one in channels for number in SERVICE.findall(str(one.get("channel_name")))
    }
    if len(services) == 1:
        note.found("stream.channel_service", int(services.pop()), "the channels' names")
    user = readable(str(dig(answer, "authenticated", "user_data") or "").encode())
    keys = [key for key in ("user_id", "id") if dig(user, key)]
    if keys:
        note.found("stream.user_data_key", keys[0], "authenticated.user_data")
    rejected = [one for one in dig(answer, "rejected") or () if dig(one, "type") == "tournament"]
    form = str(dig(rejected[0], "reason")) if rejected else "accepted"
    note.found("stream.tournament_entry", form, f"{len(rejected)} tournaments were rejected")


async def messages(lab: Lab) -> None:
    """Names and numbers in what came of our own orders and of the trades of all."""
    note, heard = lab.notebook, lab.listener.heard
    own = [one for ticket in lab.desk.tickets for one in ticket.told]
    if not own:
        raise Unmeasurable(lab.listener.why_not or "no message of our orders came")
    names = {one.event for one in own} & ORDER_WORDS
    if len(names) == 1:
        name = "stream.private_event_legacy" if lab.calls.seed else "stream.private_event"
        note.found(name, names.pop(), f"{len(own)} messages of our orders")
    for field in ("update_type", "update_status"):
        if any(field in one.info for one in own):
            note.found("stream.update_field", field, "messages of our orders")
    numbers = [one.info.get("sequence_number") for one in own]
    usable = [one for one in numbers if isinstance(one, int) and one > US_MIN]
    if usable:
        unit = "ns" if min(usable) > NS_MIN else "us"
        note.found("rules.sequence_unit", unit, f"sequence_number {usable[0]}")
    printed = {one.change_type for one in heard} & PRINT_WORDS
    if len(printed) == 1:
        note.found("stream.trade_print_name", printed.pop(), "public prints")


async def prints(lab: Lab) -> None:
    """Public messages about our own fills: both sides' strikes, or one."""
    counts = Counter(count for ticket in lab.filled for count in _prints_of(lab, ticket))
    if not counts:
        raise Unmeasurable("no fill of ours was printed")
    (usual, times), said = counts.most_common(1)[0], f"prints per fill: {dict(counts)}"
    sure = times >= SHARE_SURE * counts.total()  # others may trade there at the same moment
    if sure and usual in {1, 2}:
        lab.notebook.found("rules.trade_prints", "one" if usual == 1 else "two", said)
    else:
        lab.notebook.unknown("rules.trade_prints", said)


def _prints_of(lab: Lab, ticket: Ticket) -> Iterator[int]:
    """For the fills that an own order made as it opened, how many prints there are for each.

    One that comes later is made by somebody else's order, which may have met others, too.
    """
    lines = (spot.line for spot in lab.ground.spots)
    line = next((one for one in lines if ticket.strike_id in _strikes_of(one)), None)
    printed = {
        (one.stamp_ns, repr(one.payload)): one  # a line that stutters says the same thing twice
        for one in lab.listener.heard
        if one.change_type in PRINT_WORDS and one.info.get("strike_id") in _strikes_of(line)
    }.values()
    opened = _opened(ticket)
    if opened is None:
        return
    fills = [one for one in ticket.told if one.info.get("fill_price") and _together(opened, one)]
    own, prices = len(fills), {one.info["fill_price"] for one in fills}
    prices |= {complement(Price(int(price))) for price in prices}  # as the other side tells it
    near = sum(_together(opened, one) and one.info.get("fill_price") in prices for one in printed)
    if own and near and near % own == 0:
        yield near // own


def _strikes_of(line: Line | None) -> set[str]:
    return set() if line is None else {one.strike_id for one in line.strikes}


def _together(one: Heard, other: Heard) -> bool:
    """By the exchange's own time where it tells it."""
    if one.stamp_ns and other.stamp_ns:
        return abs(one.stamp_ns - other.stamp_ns) <= TOGETHER_NS
    return abs(one.at_ns - other.at_ns) <= TOGETHER_NS


async def initial_image(lab: Lab) -> None:
    """Books told at once after subscribing, and how many are told in as short a time later."""
    listener = lab.listener
    if not listener.alive:
        raise Unmeasurable(listener.why_not)
    books = _books(lab)
    if not books:
        raise Unmeasurable("no book was listened to")
    first, *later = _shares(lab, books)
    usual = sum(later) / max(1, len(later))
    said = f"{first:.0%} of {len(books)} books came at once; {usual:.1%} in as long a time later"
    early = [one for one in listener.heard if one.at_ns - listener.subscribed_ns < EARLY_NS]
    if any(listener.late_ns(one) > IMAGE_NS // 2 for one in early):
        raise Unmeasurable("messages came late when the image was awaited")
    by_chance = _at_least(round(first * len(books)), len(books), max(usual, 1 / WINDOWS))
    if first < SHARE_SURE:  # an image would have shown them all
        lab.notebook.found("stream.initial_image", False, said)
    elif by_chance <= CHANCE_MAX:
        lab.notebook.found("stream.initial_image", True, said)
    else:
        lab.notebook.unknown("stream.initial_image", said)


def _at_least(hits: int, of: int, share: float) -> float:
    """How probable it is that so many or more of them hit when each does with this chance."""
    return sum(math.comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(hits, of + 1))


def _books(lab: Lab) -> list[set[str]]:
    """The strikes of each book of the events that were listened to, as REST listed them."""
    reply, events = lab.ground.replies.get(MARKETS), {str(one) for one in listened(lab)}
    data = reply.data if reply is not None else None
    if isinstance(data, dict):
        listed = [rows for event_id, rows in data.items() if event_id in events]
    else:
        listed = [one for one in data or () if str(dig(one, "event_id")) in events]
    books = []
    for one in objects(listed):
        levels = objects(one.get("selections"))
        strikes = {str(level["strike_id"]) for level in levels if level.get("price")}
        if strikes:
            books.append(strikes)
    return books


def _shares(lab: Lab, books: list[set[str]]) -> list[float]:
    """For each short window since subscribing, which share of the books was told in it."""
    began_ns = lab.listener.subscribed_ns - IMAGE_NS // 2
    windows: dict[int, set[str]] = {}
    for one in lab.listener.heard:
        if one.change_type == "market_selections":
            windows.setdefault((one.at_ns - began_ns) // IMAGE_NS, set()).update(_strikes_in(one))
    shown = [windows.get(number, set()) for number in range(WINDOWS)]
    return [sum(bool(book & one) for book in books) / len(books) for one in shown]


def _strikes_in(heard: Heard) -> Iterator[str]:
    found = heard.info.get("selections")
    rows = found if isinstance(found, list) else []
    for side in rows:
        for level in side if isinstance(side, list) else [side]:
            yield str(dig(level, "strike_id"))


async def activation(lab: Lab) -> None:
    """From the exchange's time of an order to its time of the message that it is open."""
    now_s = lab.clock.now_ns() // NS_PER_S
    await lab.clock.sleep(lab.desk.lag_s)
    reply = await lab.calls.get(HISTORY, **{"from": now_s - 3_600, "to": now_s + 60, "limit": 100})
    made = {
        str(dig(row, "external_id")): time_ns(dig(row, "created_at"))
        for row in dig(reply.data, "orders") or ()
    }
    delays = sorted(
        (opened.stamp_ns - made_ns) / NS_PER_S
        for ticket in lab.desk.tickets
        if (opened := _opened(ticket)) is not None
        and opened.stamp_ns
        and (made_ns := made.get(ticket.external_id))
    )
    if len(delays) < DELAYS_MIN:
        raise Unmeasurable(f"{len(delays)} orders were told to be open")
    low, middle, high = delays[0], delays[len(delays) // 2], delays[-1]
    said = f"{low:.3f} to {high:.3f} s in {len(delays)} orders, {middle:.3f} in the middle"
    note = lab.notebook
    near = max(middle * DELAY_SPREAD, DELAY_NOISE_S)
    alike = sum(abs(delay_s - middle) <= near for delay_s in delays) / len(delays)
    if alike >= SHARE_ALIKE:
        note.found("rules.activation.delay", "fixed", said)
        note.found("rules.activation.delay_ms", round(middle * 1000), said)
    else:
        note.found("rules.activation.delay", "spread", said)
        note.found("rules.activation.delay_ms", round(low * 1000), said)
        note.found("rules.activation.delay_ms_max", round(high * 1000), f"at least: {said}")


def _opened(ticket: Ticket) -> Heard | None:
    """The message that nothing but opening can have brought: others may have been lost."""
    return next(
        (
            one
            for one in ticket.told
            if one.info.get("status") == "open"
            and one.info.get("open_quantity") == one.info.get("quantity")
        ),
        None,
    )


MEASUREMENTS: Final = (
    Measurement(
        "registration",
        (
            "stream.ws_host_shown", "wire.registration_path", "stream.registration_delay_s",
            "session.channel_limit", "stream.channel_count", "stream.channel_service",
            "stream.user_data_key", "stream.tournament_entry", "stream.signin_success",
        ),
        registration,
    ),
    Measurement(
        "messages",
        (
            "stream.private_event", "stream.update_field", "rules.sequence_unit",
            "stream.trade_print_name",
        ),
        messages,
    ),
    Measurement("prints", ("rules.trade_prints",), prints),
    Measurement("initial image", ("stream.initial_image",), initial_image),
    Measurement(
        "activation", ("rules.activation.delay", "rules.activation.delay_ms"), activation
    ),
)  # fmt: skip
