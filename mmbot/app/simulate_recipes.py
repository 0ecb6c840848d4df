"""How each fault of the list is made on a simulated day: rules for wire and box, and moments."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from mmbot.app import simulate_games as games
from mmbot.app import simulate_scenes as scenes
from mmbot.app import simulate_stream as stream
from mmbot.app.simulate_moments import Moment
from mmbot.app.simulate_scenes import Scene
from mmbot.sim.faults.plan import Fault, FaultRule

USUAL_SHARE: Final = 0.4  # of the seeds have a fault that may strike on any day
SELDOM: Final = 0.15  # those for whose length nothing may be quoted: the day shall have its orders
GUARDED: Final = 0.2  # those that need a second process beside the daemon
PLACE: Final = frozenset({"place"})
CANCEL: Final = frozenset({"cancel"})
WRITES: Final = PLACE | CANCEL
ORDERS: Final = frozenset({"orders"})
READS: Final = frozenset({"order", "report"})
HOUR_S: Final = 3600.0
NEVER_S: Final = 3000.0  # later than the end of any day
FEW_IDS: Final = 3  # when no more are asked for, each is on in every seed, all day, as a storm
STORM: Final = 4
STORM_SHARE: Final = 0.15


@dataclass(frozen=True, slots=True)
class Often:
    """A fault of the wire or the box: how often on an occasion, and at most how many times."""

    fault: Fault
    rate: float
    on: frozenset[str] = frozenset()
    times_max: int = 4
    delay_s: tuple[float, float] = (0.05, 2.0)
    late_s: tuple[float, ...] = ()
    whole_day: bool = False
    for_s: float = 0.0  # strikes whenever it can for so long, before the middle of the day


@dataclass(frozen=True, slots=True)
class Recipe:
    """`box`: values of the exchange's own rules, of which one is drawn."""

    often: tuple[Often, ...] = ()
    scenes: tuple[Scene, ...] = ()
    box: tuple[Mapping[str, Any], ...] = ()
    share: float = USUAL_SHARE


# Minutes of silence, or until the next log-in: on a short day they would lie on top of each other,
# and nothing would tell.
LONG_SCENES: Final[frozenset[Scene]] = frozenset(
    {
        scenes.dark, scenes.left_out, scenes.unreadable, scenes.listed_late, scenes.unpaid,
        stream.logged_out, stream.too_many_sessions, stream.quiet,
    }
)  # fmt: skip
ROOM_S: Final = 600.0  # of a day that has room for them


@dataclass(slots=True)
class Made:
    """What the recipes of one seed came to."""

    rules: list[FaultRule] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    box: list[Mapping[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    safety: bool = False  # is asked for
    risk_usd: Mapping[str, int] = field(default_factory=dict)  # limits that are tighter


def cook(ids: tuple[str, ...], seed: int, quoting_s: float) -> Made:
    """Draw for one seed which of these faults are on, and when; all of them when they are few."""
    made = Made()
    chance = Random(f"recipes {seed}")
    few = len(ids) <= FEW_IDS
    storm = STORM if chance.random() < STORM_SHARE or few else 1
    for name in ids:
        recipe, own = KNOWN[name], Random(f"recipe {seed} {name}")
        if own.random() >= (1.0 if few else recipe.share):
            continue
        made.ids.append(name)
        often = (dataclasses.replace(one, whole_day=one.whole_day or few) for one in recipe.often)
        made.rules += [_rule(one, own, quoting_s, storm) for one in often]
        for scene in recipe.scenes:
            if quoting_s < ROOM_S and scene in LONG_SCENES:
                continue
            made.moments += scene(own, quoting_s)
        if recipe.box:
            made.box.append(own.choice(recipe.box))
    if SAFETY.keys() & set(ids):
        made.safety = True
        made.box.append({"events": {"count": games.GAMES, "lines": games.LINES}})
        made.risk_usd = games.limits_usd(Random(f"limits {seed}"))
    return made


def _rule(often: Often, chance: Random, quoting_s: float, storm: int) -> FaultRule:
    start_s = 0.0 if often.whole_day else chance.uniform(0.0, 0.7) * quoting_s
    length_s = quoting_s if often.whole_day else chance.uniform(0.15, 0.5) * quoting_s
    if often.for_s:
        start_s, length_s = start_s / 2.0, often.for_s
    rule = FaultRule(
        often.fault,
        1.0 if often.for_s else min(1.0, storm * often.rate * chance.uniform(0.5, 1.0)),
        often.on,
        start_s=round(start_s, 1),
        until_s=round(min(quoting_s, start_s + length_s), 1),
        times_max=often.times_max if often.for_s else storm * chance.randint(1, often.times_max),
        delay_s=often.delay_s,
    )
    return dataclasses.replace(rule, late_s=often.late_s) if often.late_s else rule


AMBIGUOUS: Final[Mapping[str, Recipe]] = {
    # For a while each attempt is lost, also of an id that is sent again: it comes late, or never.
    "A1": Recipe(
        (
            Often(Fault.LANDS_LATE, 0.08, PLACE),
            Often(Fault.LANDS_LATE, 1.0, PLACE, 100, late_s=(45.0, 58.0, NEVER_S), for_s=40.0),
        ),
        (scenes.deaf,),
        (*({},) * 3, {"session": {"reporting_lag_s": 40.0}}),
    ),
    "A2": Recipe(
        (Often(Fault.REQUEST_HANGS, 0.05, PLACE), Often(Fault.REQUEST_RESET, 0.05, PLACE))
    ),
    "A3": Recipe((Often(Fault.LANDS_LATE, 0.1, PLACE, late_s=(0.1, 5.0)),)),
    "A3b": Recipe(
        (Often(Fault.REPLY_RESET, 0.06, PLACE), Often(Fault.REPLY_HANGS, 0.04, PLACE)),
        (scenes.takes, scenes.dark),
    ),
    "A4": Recipe((Often(Fault.ERROR_BEFORE, 0.05, PLACE), Often(Fault.ERROR_AFTER, 0.06, PLACE))),
    "A5": Recipe(
        (
            Often(Fault.HTML_BEFORE, 0.04, WRITES),
            Often(Fault.HTML_AFTER, 0.04, WRITES),
            Often(Fault.TRUNCATED, 0.04, WRITES),
            Often(Fault.EMPTY_DATA, 0.04, WRITES),
        )
    ),
    "A6": Recipe((Often(Fault.SLOW, 0.3, PLACE, 12, (0.5, 6.0)),)),
    "A7": Recipe((Often(Fault.SLOW, 0.5, PLACE, 12, (4.0, 11.0)),), (scenes.takes,)),
    "A8": Recipe((Often(Fault.FRAME_SWAPPED, 0.3, ORDERS, 30),), (scenes.takes,)),
    "A9": Recipe((Often(Fault.FRAME_COPIED, 0.2, ORDERS, 20),)),
    "A10": Recipe((Often(Fault.FRAME_SWAPPED, 0.5, ORDERS, 40),), (scenes.takes,)),
    "A11": Recipe((Often(Fault.FALSE_ABSENCE, 0.3, whole_day=True),), (scenes.left_out,)),
    "A13": Recipe(
        (Often(Fault.FRAME_ODD, 0.1, ORDERS, 8), Often(Fault.REPLY_ODD, 0.05, READS, 6)),
        (scenes.unreadable,),
    ),
    "A14": Recipe(
        (Often(Fault.NEVER_ACTIVATED, 0.03), Often(Fault.ACTIVATION_FAILS, 0.03)),
    ),
    # The same id is sent again as long as it is wanted, and is lost again.
    "A15": Recipe(
        (Often(Fault.LANDS_LATE, 1.0, PLACE, 100, late_s=(HOUR_S,), for_s=150.0),),
        (scenes.an_hour,),
        share=0.04,
    ),
    "A16": Recipe((Often(Fault.FRAME_LOST, 0.15, ORDERS, 12),), (scenes.cleared, scenes.untold)),
}
CANCELS: Final[Mapping[str, Recipe]] = {
    "B1": Recipe((Often(Fault.FRAME_LATE, 0.3, ORDERS, 10, (0.5, 3.0)),), (scenes.takes,)),
    "B2": Recipe(
        (Often(Fault.REPLY_RESET, 0.15, CANCEL),),
        box=({"rules": {"cancel_again": "not_found"}}, {}),
    ),
    "B3": Recipe(
        (Often(Fault.SLOW, 0.2, CANCEL),),
        box=({"rules": {"first_pass_ms": 1500}}, {"rules": {"first_pass_status": 500}}),
    ),
    "B4": Recipe(
        (
            Often(Fault.REPLY_HANGS, 0.1, CANCEL),
            Often(Fault.LANDS_LATE, 0.1, CANCEL),
            Often(Fault.EMPTY_UNDONE, 0.1, CANCEL),
        ),
        (scenes.takes,),
    ),
    "B5": Recipe((Often(Fault.SLOW, 0.3, CANCEL, 10),)),
    "B6": Recipe((), (scenes.takes,)),
    "B8": Recipe((), (scenes.halt_races,), share=0.2),
    "B9": Recipe(
        (Often(Fault.ERROR_BEFORE, 0.15, CANCEL), Often(Fault.REQUEST_HANGS, 0.1, CANCEL))
    ),
    "B10": Recipe((), (scenes.when_quiet,), share=0.1),
    "B11": Recipe((), (scenes.takes,)),
    "B12": Recipe((), (scenes.by_hand, scenes.overfull, scenes.unlisted), share=0.3),
    "B13": Recipe(
        (Often(Fault.FILL_TAKEN_BACK, 0.1, times_max=2, delay_s=(1.0, 200.0)),),
        (scenes.busted, scenes.listed_late, scenes.unpaid),
        ({}, {"session": {"reporting_lag_s": 3.0}}),
        share=0.2,
    ),
    "B14": Recipe((), (scenes.halt_without_disk,), share=0.2),
}
BATCHES: Final[Mapping[str, Recipe]] = {
    "C1": Recipe((Often(Fault.ITEM_TWICE, 0.2, PLACE), Often(Fault.ACTIVATION_FAILS, 0.02))),
    "C2": Recipe((Often(Fault.BATCH_CUT, 0.1, PLACE), Often(Fault.REPLY_HANGS, 0.05, PLACE))),
    "C3": Recipe((Often(Fault.BATCH_CUT, 0.15, PLACE),)),
    "C4": Recipe((), (scenes.dies("after_reply"),)),
    "C5": Recipe((Often(Fault.ITEM_TWICE, 0.2, PLACE),)),
    "C7": Recipe((Often(Fault.ITEM_UNKNOWN, 0.15, CANCEL),)),
    "C8": Recipe((Often(Fault.UNAUTHORIZED, 0.2, PLACE, 3),), (scenes.tokens_die,)),
    "C9": Recipe(
        (), (scenes.poor,), ({"rules": {"money": {"resting_cap": "refuse"}}},), share=0.15
    ),
}
SESSIONS: Final[Mapping[str, Recipe]] = {
    "D8": Recipe((Often(Fault.TOO_MANY_DELAYED, 0.2, PLACE, 8),)),
    "D10": Recipe((), (scenes.crowd,), share=0.02),
    "D12": Recipe((), (scenes.other_paths,), share=0.1),
    "D13": Recipe(
        (Often(Fault.MAINTENANCE, 0.2, PLACE),),
        (scenes.switched("placement_disabled", True, 120.0),),
    ),
    "D14": Recipe(
        (Often(Fault.NO_REPORTS, 0.3, times_max=10),),
        (scenes.switched("reporting_down", True, 120.0),),
    ),
    "D16": Recipe((), (scenes.restart,), share=0.2),
}
OPERATIONS: Final[Mapping[str, Recipe]] = {
    "H1": Recipe(
        (
            Often(Fault.CRASH_BEFORE, 0.3, PLACE, 1),
            Often(Fault.CRASH_AFTER, 0.3, PLACE, 1),
            Often(Fault.CRASH_BETWEEN, 1.0, PLACE, 1),
        ),
        (scenes.dies("before_commit"), scenes.dies("after_commit"), scenes.dies("after_reply")),
    ),
    "H3": Recipe(
        (Often(Fault.FRAME_COPIED, 0.1, ORDERS, 10),), (scenes.twice_restarted,), share=0.3
    ),
    "H4": Recipe((), (scenes.renamed,), share=0.15),
    "H7": Recipe((), (scenes.bad_disk,), share=0.2),
}
# What any connection does.
WEATHER: Final[Mapping[str, Recipe]] = {
    "D2": Recipe((Often(Fault.ERROR_BEFORE, 0.5, frozenset({"auth"}), 10),), share=0.2),
    "D7": Recipe((Often(Fault.TOO_MANY, 0.1, times_max=10),), (scenes.held_back,)),
    "E1": Recipe((Often(Fault.SILENCE, 1.0, times_max=2, delay_s=(5.0, 60.0)),), share=0.2),
    "E5": Recipe((Often(Fault.DISCONNECT, 1.0, times_max=3), Often(Fault.CONNECT_REFUSED, 0.5))),
}
BOOKS: Final = frozenset({"books"})
# The stream and the session go wrong.
STREAM: Final[Mapping[str, Recipe]] = {
    "D1": Recipe(
        (), (scenes.tokens_die,), tuple({"session": {"access_life_s": s}} for s in (45, 600, 1200))
    ),
    "D3": Recipe((), (stream.logged_out,), share=SELDOM),
    "D4": Recipe((), (stream.unauthorized,), share=SELDOM),
    "D5": Recipe((), (stream.too_many_sessions,), share=SELDOM),
    "D6": Recipe((Often(Fault.DISCONNECT, 1.0, times_max=2),), (scenes.tokens_die,)),
    "E2": Recipe((), (stream.quiet,), share=0.06),
    "E3": Recipe((), (stream.granted_and_mute,), share=SELDOM),
    "E4": Recipe((), (stream.mute,), share=SELDOM),
    "E6": Recipe((), (stream.moved,)),
    "E7": Recipe((Often(Fault.ERROR_BEFORE, 0.5, frozenset({"stream"}), 10),)),
    "E8": Recipe((), (stream.limited,)),
    "E9": Recipe((), (stream.rejected,), ({"events": {"props": 2}},), share=SELDOM),
    "E10": Recipe((), (stream.shuffled,)),
    "E11": Recipe((), (stream.odd_books,)),
    "E12": Recipe((Often(Fault.FRAME_LOST, 0.05, BOOKS, 6),)),
    "E15": Recipe((), (stream.burst,), share=0.1),
    "E16": Recipe((), (stream.private_gone,), share=SELDOM),
    "J5": Recipe((), (stream.counted_otherwise,)),
}
RECIPES: Final[Mapping[str, Recipe]] = {
    **AMBIGUOUS, **CANCELS, **BATCHES, **SESSIONS, **OPERATIONS, **WEATHER, **STREAM,
}  # fmt: skip
# Games, money and halts; asked for by name, and judged by judges of their own.
SAFETY: Final[Mapping[str, Recipe]] = {
    "F1": Recipe(
        (), (games.starts_late, games.unheard), ({"rules": {"life": {"start": "by_hand"}}},)
    ),
    "F2": Recipe((), (games.brought_forward, games.postponed)),
    "F3": Recipe(
        (),
        (games.goes_live, games.unheard),
        tuple({"rules": {"life": life}} for life in games.WIPES),
    ),
    "F5": Recipe((), (games.relisted,)),
    "F6": Recipe((), (games.flapping,)),
    "F7": Recipe((), (games.unwatched,), share=SELDOM),
    "F8": Recipe((), (games.line_moves,), ({"rules": {"life": {"line_move": "wipe"}}}, {}, {})),
    "G1": Recipe(
        (),
        (games.ladder_changes,),
        tuple({"rules": {"life": {"ladder_change": how}}} for how in ("rest", "cancel", "wipe")),
    ),
    "G2": Recipe((), (games.poorer,)),
    "G3": Recipe((), (games.cash_unread,)),
    "G5": Recipe((), (games.swept_at_once,)),
    "G6": Recipe((), (scenes.by_hand, scenes.takes)),
    "G7": Recipe((), (games.in_our_way,), ({"rules": {"self_match": "invalid"}},)),
    "G8": Recipe((), (games.no_post_only,)),
    "G10": Recipe(
        (), (games.left_with_dust,), tuple({"rules": {"dust": how}} for how in ("rest", "cancel"))
    ),
    # With a strategy of its own beside the usual one: mmbot/data/days/unruly.py.
    "H10": Recipe((), (scenes.takes,)),
    "H12": Recipe((), (games.pulled,)),
    "H13": Recipe((), (games.full_and_halted,)),
    "H14": Recipe((), (games.left_alone,), share=GUARDED),
    "J1": Recipe((), (games.stands_still,), share=GUARDED),
}
BESIDE_A_SENTINEL: Final = frozenset({"H14", "J1"})
KNOWN: Final[Mapping[str, Recipe]] = {**RECIPES, **SAFETY}
SAFE: Final = frozenset({"B13", "B14", *SAFETY})
# Those of the list that must strike within a long run. H7 needs a real disk, and is made anyway.
REQUIRED: Final = tuple(name for name in KNOWN if name != "H7")
