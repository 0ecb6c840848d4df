"""Scenes of a simulated day about safety: games that start, move and flap, cash, and halts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, Final

from mmbot.app.simulate_moments import Moment

GAMES: Final = 3  # on a day that asks for safety, and lines in all
LINES: Final = 15
TIGHT_SHARE: Final = 0.7  # of those days; on the others nothing binds but the cash
LEAST_USD: Final = 20  # a quote has to fit
WIPES: Final[tuple[Mapping[str, Any], ...]] = (
    {"wiped_messages": "none"},
    {"wiped_messages": "batches"},
    {"in_play": True},  # who quotes on would find takers
    {},
)
DAY_S: Final = 86_400.0
NOTICE_S: Final = 5.0
MUTE_S: Final = (13.0, 28.0)  # missed by two health_checks, and not given up
SOON_S: Final = (100.0, 240.0)  # around the guard's margin of 120 s
FLAPS: Final = 50
FLAP_S: Final = 0.2
AWAY_S: Final = (20.0, 120.0)
POOR_S: Final = (40.0, 150.0)
HIDDEN_S: Final = (60.0, 300.0)  # for two minutes a balance that was read is believed
RICH_USD: Final = 100_000.0
# What rests is a few hundred dollars: from 9.99 times the cash to 50 times, and then half of it.
POOR_USD: Final = (54.0, 50.0, 30.0, 11.0)
NEAR_EVEN: Final = (-200, -150, -110, 100, 105, 120, 150, 200)
CHANNELS: Final = ("file", "signal", "admin")
PULLS: Final = 10
POINTS: Final = (101, 300)  # where most is quoted
POINTS_OFF: Final = 60
DUST_USD: Final = (0.01, 0.5, 0.99)  # the smallest order is of a dollar
STILL_S: Final = (3.0, 6.0, 7.0, 15.0, 60.0)  # around the lease of 6 s
ALONE_S: Final = (8.0, 45.0)


def _do(at_s: float, action: str, **asked: Any) -> Moment:
    return Moment(round(at_s, 2), "do", ask=json.dumps({"action": action} | asked))


def _game(chance: Random) -> int:
    return chance.randint(1, GAMES)


def limits_usd(chance: Random) -> Mapping[str, int]:
    """What each level may lose, from the widest down; nothing: as shipped."""
    if chance.random() >= TIGHT_SHARE:
        return {}
    most, limits = float(chance.randint(200, 2000)), {}
    for level, least in (("total", 1.0), ("tournament", 0.5), ("event", 0.3), ("market", 0.5)):
        most *= chance.uniform(least, 1.0)
        limits[level] = max(LEAST_USD, int(most))
    limits["line"] = max(LEAST_USD, int(most * chance.uniform(0.3, 1.0)))
    return limits


def starts_late(chance: Random, last_s: float) -> Iterator[Moment]:
    """The start comes near and passes; the exchange does not say so. Perhaps it is moved on."""
    at_s, game = chance.uniform(0.05, 0.6) * last_s, _game(chance)
    in_s = chance.uniform(*SOON_S)
    yield _do(at_s, "move_start", event=game, in_s=round(in_s, 1))
    if chance.random() < 0.6:
        on_s = at_s + in_s + chance.uniform(-60.0, 60.0)
        yield _do(min(last_s, on_s), "move_start", event=game, in_s=DAY_S)


def brought_forward(chance: Random, last_s: float) -> Iterator[Moment]:
    """The start is moved to in five seconds; perhaps a moment later it is not so soon after all."""
    at_s, game = chance.uniform(0.05, 0.9) * last_s, _game(chance)
    yield _do(at_s, "move_start", event=game, in_s=NOTICE_S)
    if chance.random() < 0.5:
        yield _do(at_s + chance.uniform(0.5, 4.0), "move_start", event=game, in_s=DAY_S)


def postponed(chance: Random, last_s: float) -> Iterator[Moment]:
    """It does not take place, and is resumed on the next day, or cancelled for good."""
    at_s, game = chance.uniform(0.05, 0.7) * last_s, _game(chance)
    back_s = min(last_s, at_s + chance.uniform(*AWAY_S))
    how = chance.choice(("resumed", "resumed", "cancelled", "void"))
    yield _do(at_s, "change_status", event=game, status="postponed")
    if how == "resumed":
        yield _do(back_s, "move_start", event=game, in_s=DAY_S)
        yield _do(back_s + 0.1, "change_status", event=game, status="not_started")
        return
    yield _do(back_s, "change_status", event=game, status="cancelled")
    if how == "void":
        yield _do(back_s + 1.0, "void", event=game)


def unheard(chance: Random, last_s: float) -> Iterator[Moment]:
    """A game starts soon, or starts, while nobody can hear it: no socket is open for a moment, or
    all of them say nothing for a while."""
    at_s, game = chance.uniform(0.05, 0.8) * last_s, _game(chance)
    if chance.random() < 0.5:
        yield _do(at_s, "refuse_sockets", code=4200)
        yield _do(at_s + 0.1, "close_sockets", code=4200)
        yield _do(at_s + chance.uniform(1.0, 8.0), "refuse_sockets", code=0)
    else:
        yield _do(at_s, "mute_sockets")
        yield _do(at_s + chance.uniform(*MUTE_S), "mute_sockets", on=False)
    if chance.random() < 0.5:
        yield _do(at_s + 0.5, "move_start", event=game, in_s=chance.choice((NOTICE_S, 60.0)))
    else:
        yield _do(at_s + 0.5, "go_live", event=game)


def goes_live(chance: Random, last_s: float) -> Iterator[Moment]:
    yield _do(chance.uniform(0.2, 0.9) * last_s, "go_live", event=_game(chance))


def relisted(chance: Random, last_s: float) -> Iterator[Moment]:
    """Away, and back under the same id or a new one."""
    at_s, game = chance.uniform(0.05, 0.8) * last_s, _game(chance)
    yield _do(at_s, "unlist", event=game)
    back_s = min(last_s, at_s + chance.choice((0.2, 5.0, chance.uniform(*AWAY_S))))
    yield _do(back_s, "relist", event=game, new_id=chance.random() < 0.5)


def flapping(chance: Random, last_s: float) -> Iterator[Moment]:
    """Suspended and open again, fifty times, each in a fifth of a second."""
    at_s, game = chance.uniform(0.05, 0.9) * last_s, _game(chance)
    market = chance.choice(("", "moneyline", "spread", "total"))
    for turn in range(FLAPS):
        begin_s = at_s + turn * FLAP_S
        yield _do(begin_s, "suspend", event=game, market=market)
        yield _do(begin_s + FLAP_S / 2.0, "reopen", event=game, market=market)


def unwatched(chance: Random, last_s: float) -> Iterator[Moment]:
    """The tournament is off the watch list when we start again, and later it is back."""
    at_s = chance.uniform(0.05, 0.7) * last_s
    back_s = min(last_s - 1.0, at_s + chance.uniform(60.0, 150.0))
    for when_s, which in ((at_s, "none"), (back_s, "all")):
        yield Moment(round(when_s, 1), "watch", ask=which)
        yield Moment(round(when_s + 0.1, 1), "kill")


def line_moves(chance: Random, last_s: float) -> Iterator[Moment]:
    """A strike's number changes: its ids die, and what rests on them may rest on."""
    for _ in range(chance.randint(1, 3)):
        at_s, kind = chance.uniform(0.05, 0.9) * last_s, chance.choice(("spread", "total"))
        by = chance.choice((-10.0, -0.5, 0.5, 10.0))
        yield _do(at_s, "move_line", event=_game(chance), kind=kind, by=by)


def poorer(chance: Random, last_s: float) -> Iterator[Moment]:
    """The cash is less than what rests may need, then half of that, and back."""
    at_s, usd = chance.uniform(0.05, 0.7) * last_s, chance.choice(POOR_USD)
    yield _do(at_s, "cash", usd=usd)
    half_s = at_s + chance.uniform(0.1, 60.0)
    yield _do(half_s, "cash", usd=usd / 2.0)
    yield _do(min(last_s, half_s + chance.uniform(*POOR_S)), "cash", usd=RICH_USD)


def cash_unread(chance: Random, last_s: float) -> Iterator[Moment]:
    """Answers about the balance leave out its key."""
    at_s = chance.uniform(0.05, 0.7) * last_s
    end_s = min(last_s, at_s + chance.uniform(*HIDDEN_S))
    for when_s, absent in ((at_s, True), (end_s, False)):
        yield Moment(round(when_s, 1), "switch", ask=json.dumps({"balance_key_absent": absent}))


def swept_at_once(chance: Random, last_s: float) -> Iterator[Moment]:
    """All that rests on a game is filled in one moment, again and again."""
    for _ in range(chance.randint(2, 4)):
        yield _do(chance.uniform(0.05, 0.95) * last_s, "take", event=_game(chance))


def in_our_way(chance: Random, last_s: float) -> Iterator[Moment]:
    """A person's order stands near the price; then the news come, and we want the other side."""
    for _ in range(chance.randint(2, 4)):
        at_s, game = chance.uniform(0.05, 0.9) * last_s, _game(chance)
        place = {"event": game, "line": chance.randint(1, 5), "side": chance.randint(0, 1)}
        usd = float(chance.randint(5, 20))
        yield _do(at_s, "place", **place, price=chance.choice(NEAR_EVEN), usd=usd)
        for news_s in (1.0, 15.0):
            yield _do(at_s + news_s, "news", event=game, shift_logit=chance.choice((-0.5, 0.5)))


def no_post_only(chance: Random, last_s: float) -> Iterator[Moment]:
    """The exchange takes no ALO for a while; before and after, the news make some cross."""
    at_s = chance.uniform(0.05, 0.7) * last_s
    end_s = min(last_s, at_s + chance.uniform(*AWAY_S))
    for when_s, off in ((at_s, True), (end_s, False)):
        yield Moment(round(when_s, 1), "rules", ask=json.dumps({"rules": {"alo_disabled": off}}))
        yield Moment(round(when_s + 0.3, 1), "news")


def pulled(chance: Random, last_s: float) -> Iterator[Moment]:
    """The kill switch ten times, by every channel, perhaps while a client reconnects or starts."""
    at_s = chance.uniform(0.05, 0.8) * last_s
    how = chance.choice(("", "close_sockets", "kill"))
    if how == "close_sockets":
        yield _do(at_s - 0.3, how, code=4200)
    elif how == "kill":
        yield Moment(round(at_s - 0.5, 2), "kill")
    for turn in range(PULLS):
        channel = CHANNELS[turn % len(CHANNELS)]
        yield Moment(round(at_s + turn * chance.uniform(0.05, 0.6), 2), "halt", ask=channel)
    end_s = min(last_s, at_s + chance.uniform(12.0, 60.0))
    if chance.random() < 0.5:
        yield Moment(round(min(end_s - 4.0, at_s + 8.0), 1), "kill")  # it stays halted
    yield Moment(round(end_s, 1), "resume")


def full_and_halted(chance: Random, last_s: float) -> Iterator[Moment]:
    """Everything that rests is filled, and the halt comes in the same moment."""
    at_s = round(chance.uniform(0.1, 0.8) * last_s, 1)
    for before_s in (40.0, 0.1):
        yield _do(max(1.0, at_s - before_s), "take")
    yield Moment(at_s, "halt", ask=chance.choice(CHANNELS))
    yield Moment(round(min(last_s, at_s + chance.uniform(5.0, 40.0)), 1), "resume")


def stands_still(chance: Random, last_s: float) -> Iterator[Moment]:
    """The process is stopped and goes on later, perhaps with placements on their way."""
    at_s, for_s = chance.uniform(0.05, 0.85) * last_s, chance.choice(STILL_S)
    for_s *= chance.uniform(0.9, 1.0)
    if chance.random() < 0.5:
        yield _do(at_s - chance.uniform(0.0, 0.4), "news", event=_game(chance))
    yield Moment(round(at_s, 3), "freeze")
    yield Moment(round(min(last_s, at_s + for_s), 3), "thaw")


def left_alone(chance: Random, last_s: float) -> Iterator[Moment]:
    """The daemon is stopped, is dead for longer than a restart takes, or is cut off; or it is its
    sentinel that dies. One after the other."""
    for part in range(chance.randint(1, 2)):
        at_s = round((0.05 + 0.45 * (part + 0.8 * chance.random())) * last_s, 2)
        for_s = round(min(last_s - at_s, chance.uniform(*ALONE_S)), 2)
        match chance.choice(("freeze", "kill", "cut", "unguard")):
            case "freeze":
                yield Moment(at_s, "freeze")
                yield Moment(at_s + for_s, "thaw")
            case "cut":
                yield Moment(at_s, "cut")
                yield Moment(at_s + for_s, "mend_cable")
            case "kill":
                yield Moment(at_s, "kill", ask=str(for_s))
            case _:
                yield Moment(at_s, "unguard", ask=str(for_s))


def ladder_changes(chance: Random, last_s: float) -> Iterator[Moment]:
    """Points near the price leave the ladder, and later come back, some that never were with them.
    After each change the news come: all is quoted anew."""
    at_s = chance.uniform(0.05, 0.6) * last_s
    back_s = min(last_s, at_s + chance.uniform(*AWAY_S))
    sizes = chance.sample(range(*POINTS), POINTS_OFF)
    points = [sign * size for size in sizes for sign in (1, -1)]
    for when_s, what in ((at_s, "remove"), (back_s, "add")):
        yield _do(when_s, "change_ladder", **{what: points})
        yield Moment(round(when_s + 0.3, 1), "news")


def left_with_dust(chance: Random, last_s: float) -> Iterator[Moment]:
    """Somebody takes all of what rests on a game but less than the exchange's smallest order."""
    for _ in range(chance.randint(2, 4)):
        at_s = chance.uniform(0.05, 0.95) * last_s
        yield _do(at_s, "take", event=_game(chance), leave_usd=chance.choice(DUST_USD))
