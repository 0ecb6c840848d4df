"""When who was unwell: the scenario, the way, the daemon's own stream. Pure; times are ns."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mmbot.sim.witness.observer import ended_ns
from mmbot.sim.witness.stale import (
    EVERYTHING,
    NS,
    SILENT_NS,
    VISIBLE_NS,
    Outage,
    Span,
    merged,
    minus,
)
from tests.stream.troubles import Kind, Route, Trouble

Json = Mapping[str, Any]

REACH_NS: Final = 2 * NS  # after the way is free again a cancel may take that long
OVERLAP_NS: Final = 10 * NS  # a new connection and the one that it replaces, both open
FOREVER_NS: Final = 1 << 62
REST_S: Final = 15.0  # between the end of a scenario and its beginning
KEPT_NS: Final = 2 * NS  # who gave a connection up closes it sooner after its way is free
ANEW_NS: Final = 20 * NS
SILENT_SWITCHES: Final = frozenset({"health_check_stopped"})
REGISTRATIONS: Final = ("/mm/websocket", "/mm/pusher")


@dataclass(frozen=True, slots=True)
class Ways:
    """What the proxies did and saw: `cut_ns` are the moments that left no stream connection whole,
    `asked_s` when each request was sent (any clock), `open_ns` from when until when each stream
    connection was open; nothing where no proxy stood.
    """

    troubles: Sequence[Trouble]
    began_ns: int
    cut_ns: Sequence[int]
    reach_ns: int = REACH_NS
    asked_s: Sequence[float] = ()
    open_ns: Sequence[Span] = ()

    @property
    def busiest(self) -> int:
        """The most requests that were sent within a second."""
        times = sorted(self.asked_s)
        return max((bisect_right(times, at_s + 1.0) - n for n, at_s in enumerate(times)), default=0)


def moments_s(step: Json) -> list[float]:
    """Every time at which a step of a timeline happens."""
    times = int(step.get("times", 1))
    return [step["at_s"] + n * step.get("every_s", 0.0) for n in range(times)]


def ends_s(table: Json) -> float:
    """When the scenario has nothing more to show."""
    steps = [moments_s(step)[-1] for step in table.get("timeline", ())]
    rules = [rule["until_s"] for rule in table.get("faults", ()) if "until_s" in rule]
    return max([*steps, *rules], default=0.0)


def again(table: Json, until_s: float) -> dict[str, Any]:
    """The same scenario from its beginning, as often as it fits; its rates of faults go on."""
    period_s = ends_s(table) + REST_S
    times = max(1, int(until_s // period_s))
    longer_s = (times - 1) * period_s
    found = dict(table)
    if "timeline" in table:
        found["timeline"] = [
            {**step, "at_s": step["at_s"] + n * period_s}
            for n in range(times)
            for step in table["timeline"]
        ]
    if "faults" in table:
        found["faults"] = [
            {**rule, "until_s": rule["until_s"] + longer_s} if "until_s" in rule else rule
            for rule in table["faults"]
        ]
    return found


def _held(table: Json, until_s: float) -> Iterator[tuple[str, float, float]]:
    """What the scenario switches on and off again: (name, from, until), seconds."""
    since: dict[str, float] = {}
    steps = [(at_s, one) for one in table.get("timeline", ()) for at_s in moments_s(one)]
    for at_s, step in sorted(steps, key=lambda one: one[0]):
        for name, on in _states(step):
            if on:
                since.setdefault(name, at_s)
            elif name in since:
                yield name, since.pop(name), at_s
    yield from ((name, at_s, until_s) for name, at_s in since.items())


def _states(step: Json) -> Iterator[tuple[str, bool]]:
    match step["action"]:
        case "switch":
            yield from ((name, bool(value)) for name, value in step["set"].items())
        case "refuse_sockets":
            yield "refuse_sockets", bool(step.get("code"))
        case "mute_sockets":
            yield "mute_sockets", step.get("on", True)
        case _:
            pass


def _ns(born_ns: int, since_s: float, until_s: float) -> Span:
    return born_ns + round(since_s * NS), born_ns + round(until_s * NS)


def healthy(table: Json, born_ns: int, ways: Ways, until_ns: int) -> list[Span]:
    """Neither the scenario nor the way withheld anything. Coming back belongs to it."""
    unwell = [_ns(ways.began_ns, one.at_s, one.until_s) for one in ways.troubles]
    end_s = (until_ns - born_ns) / NS
    unwell += [_ns(born_ns, since, until) for _, since, until in _held(table, end_s)]
    return minus((ways.began_ns, until_ns), merged(unwell))


def excuses(ways: Ways) -> list[Span]:
    """Nobody could ask for a cancel: the way of requests was bad."""
    spans = [
        _ns(ways.began_ns, one.at_s, one.until_s) for one in ways.troubles if one.hits(Route.REST)
    ]
    return [(since_ns, until_ns + ways.reach_ns) for since_ns, until_ns in spans]


def outages(
    table: Json, born_ns: int, lines: Sequence[Json], ways: Ways, until_ns: int
) -> list[Outage]:
    """Of the daemon's stream, each from its beginning until it could be whole again."""
    registered = _registered(lines)
    shown = sorted((*ways.cut_ns, *_closed(table, born_ns), *_disconnected(lines)))
    found = [
        Outage(EVERYTHING, since_ns, _whole(registered, shown, ways, (since_ns, until)), SILENT_NS)
        for one in ways.troubles
        if one.kind is Kind.BLACKHOLE and one.hits(Route.STREAM)
        for since_ns, until in (_ns(ways.began_ns, one.at_s, one.until_s),)
    ]
    for name, since_s, held_s in _held(table, (until_ns - born_ns) / NS):
        if name == "mute_sockets" or name in SILENT_SWITCHES:
            found.append(Outage(EVERYTHING, *_ns(born_ns, since_s, held_s), SILENT_NS))
    for at_ns in shown:
        whole_ns = next((ns for ns in registered if ns > at_ns), until_ns)
        if not any(at_ns - OVERLAP_NS < ns <= at_ns for ns in registered):
            found.append(Outage(EVERYTHING, at_ns, whole_ns, VISIBLE_NS))
    return found


def _whole(registered: Sequence[int], shown: Sequence[int], ways: Ways, hole: Span) -> int:
    """After a blackhole the old connection goes on: what it held back arrives. Where nobody saw
    that, or it was given up: unless a new one was opened right after, and not for something that
    happened to the stream in between.
    """
    since_ns, until_ns = hole
    if any(
        born_ns < since_ns and until_ns + KEPT_NS < died_ns for born_ns, died_ns in ways.open_ns
    ):
        return until_ns
    anew_ns = next((ns for ns in registered if until_ns < ns < until_ns + ANEW_NS), until_ns)
    return until_ns if any(until_ns < ns < anew_ns for ns in shown) else anew_ns


def _registered(lines: Sequence[Json]) -> list[int]:
    """When the exchange granted channels."""
    asked = {
        line["n"]
        for line in lines
        if line["kind"] == "request" and line["path"].partition("?")[0].endswith(REGISTRATIONS)
    }
    return [
        line["at_ns"]
        for line in lines
        if line["kind"] == "answer" and line["of"] in asked and line["status"] == 200
    ]


def _closed(table: Json, born_ns: int) -> list[int]:
    """The exchange closes every socket."""
    return [
        born_ns + round(at_s * NS)
        for step in table.get("timeline", ())
        if step["action"] in {"close_sockets", "restart"} or step.get("close_code")
        for at_s in moments_s(step)
    ]


def _disconnected(lines: Sequence[Json]) -> list[int]:
    """A fault closed a socket."""
    return [line["at_ns"] for line in lines if line.get("fault") == "disconnect"]


def quoted_share(orders: Sequence[Json], strikes: Sequence[str], well: Sequence[Span]) -> float:
    """The mean over the strikes: how much of that time at least one order rested on each."""
    rested: dict[str, list[Span]] = {strike: [] for strike in strikes}
    for order in orders:
        opened = [ns for ns, what in order["history"] if what == "open"]
        if opened and order["strike_id"] in rested:
            ended = ended_ns(order)
            until_ns = FOREVER_NS if math.isinf(ended) else int(ended)
            rested[order["strike_id"]].append((opened[0], until_ns))
    whole_ns = sum(until - since for since, until in well)
    missed_ns = sum(
        gap[1] - gap[0]
        for spans in rested.values()
        for window in well
        for gap in minus(window, merged(spans))
    )
    return 1.0 - missed_ns / (whole_ns * len(rested)) if whole_ns and rested else 0.0
