"""Scenes of a simulated day: moments that belong together, drawn for one fault of the list."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

from mmbot.app.simulate_moments import Moment, What

MANUAL_ODDS: Final = (2000, 1000, 500, -110, -1000)  # a longshot rests, a favourite trades
DARK_S: Final = 180.0  # longer than anybody needs to know, and then an audit
UNANSWERED_S: Final = 5.0
LEFT_OUT_S: Final = 90.0  # one list within it is past the arrival bound
STANDS_S: Final = 120.0  # by our clock two lists within it are past the arrival bound
STANDS_SHARE: Final = 0.3  # of the days on which lists leave something out
UNREADABLE_S: Final = 120.0  # two lists within it are past the arrival bound
UNLISTED_SHARE: Final = 0.3  # of the days with a person
OVERFULL_SHARE: Final = 0.15  # of the days that ask for it: each has an hour in it
FULL: Final = "by-hand-and-full"
MUCH: Final = "by-hand-and-much"
OVER_USD: Final = 50.0  # so much has to go of what rests
UNPAID_S: Final = 190.0  # longer than the judge lets anybody be unaware
UNPAID_SHARE: Final = 0.3
UNTOLD: Final = json.dumps({"private_orders_lost": True, "money_stands": True})
UNTOLD_SHARE: Final = 0.15  # of the days that ask for it: their quotes are patient
HELD: Final = json.dumps({"auth_delay_s": 12.0, "place_request_lost": False})
HELD_SHARE: Final = 0.25  # of the days that ask for it: their quotes are patient
LATE_S: Final = 66.0  # the arrival bound is 72 s
CROWD: Final = 1000  # orders of a person, so that every read has many pages

Scene = Callable[[Random, float], Iterator[Moment]]


def _do(at_s: float, action: str, **asked: Any) -> Moment:
    return Moment(round(at_s, 1), "do", ask=json.dumps({"action": action} | asked))


def switched(name: str, value: Any, longest_s: float) -> Scene:
    """A switch of the box is on for a while."""

    def scene(chance: Random, last_s: float) -> Iterator[Moment]:
        at_s = chance.uniform(0.05, 0.8) * last_s
        end_s = min(last_s, at_s + longest_s * chance.uniform(0.1, 1.0))
        off = type(value)()
        yield Moment(round(at_s, 1), "switch", ask=json.dumps({name: value}))
        yield Moment(round(end_s, 1), "switch", ask=json.dumps({name: off}))

    return scene


def dies(where: str) -> Scene:
    """The process is killed at one point of the way of an order."""

    def scene(chance: Random, last_s: float) -> Iterator[Moment]:
        if chance.random() < 0.4:
            yield Moment(round(chance.uniform(0.05, 0.9) * last_s, 1), "die", ask=where)

    return scene


def deaf(chance: Random, last_s: float) -> Iterator[Moment]:
    """No message of an order comes for the first half of the day: only lists tell."""
    if chance.random() < 0.5:
        yield Moment(0.0, "switch", ask=json.dumps({"private_orders_lost": True}))
        end_s = chance.uniform(0.3, 0.6) * last_s
        yield Moment(round(end_s, 1), "switch", ask=json.dumps({"private_orders_lost": False}))


def dark(chance: Random, last_s: float) -> Iterator[Moment]:
    """Placements without a reply while no messages come, and perhaps no lists."""
    if chance.random() < 0.5:
        return
    at_s = round(chance.uniform(0.05, 0.5) * last_s, 1)
    away = {"private_orders_lost": True, "reporting_down": chance.random() < 0.8}
    for look_s, which in ((0.0, "begin"), (40.0, "first"), (69.0, "last")):
        yield Moment(at_s + look_s, "swept", ask=which)
    yield Moment(at_s, "switch", ask=json.dumps(away | {"place_reply_lost": True}))
    for news_s in (1.0, 4.0, 20.0):
        yield Moment(at_s + news_s, "news")
    yield Moment(at_s + 6.0, "switch", ask=json.dumps({"place_reply_lost": False}))
    for again_s in (70.0, 130.0) if away["reporting_down"] else ():
        yield Moment(at_s + again_s, "switch", ask=json.dumps(away))  # the judge waits anew
    yield Moment(at_s + DARK_S, "switch", ask=json.dumps(dict.fromkeys(away, False)))


def left_out(chance: Random, last_s: float) -> Iterator[Moment]:
    """Orders are placed without a word and cannot be cancelled, and the lists leave them out.

    First nothing tells: one list, the first that is young enough to prove absence, is false. Then
    the same id is sent again and exists, which no list may contradict. How far they may go on a
    day on which answers are lost, too: sim/witness/lists.py.
    """
    first_s = chance.uniform(0.05, 0.2) * last_s
    if chance.random() < STANDS_SHARE:  # lists that say how old they are: none proves absence
        yield from _stuck(first_s, STANDS_S, chance.random(), "copy_stands_still")
        return
    for begin_s, again_s in ((first_s, 0.0), (first_s + 0.4 * last_s, 10.0)):
        for_s = LEFT_OUT_S + 3.0 * again_s
        yield from _stuck(begin_s, for_s, chance.random(), "changes_unlisted", again_s)


def unreadable(chance: Random, last_s: float) -> Iterator[Moment]:
    """The same, while lists come of which no row can be read."""
    if chance.random() < 0.5:
        return
    begin_s = chance.uniform(0.05, 0.8) * last_s
    yield from _stuck(begin_s, UNREADABLE_S, chance.random(), "history_rows_cut")


def _stuck(
    begin_s: float, for_s: float, which: float, lists: str, again_s: float = 0.0
) -> Iterator[Moment]:
    """All that is placed as a game reopens, until it pauses anew; `lists`: what they do then."""
    silent = {"private_orders_lost": True, lists: True}
    stuck = {"refuse_what": "cancel", "refuse_code": "order_unable_to_cancel"}
    wanted_s, end_s = begin_s + UNANSWERED_S + again_s, begin_s + for_s
    yield Moment(round(begin_s - 3.0, 1), "suspend", which)
    begins = silent | stuck | {"place_reply_lost": True}
    yield Moment(round(begin_s, 1), "switch", ask=json.dumps(begins))
    yield Moment(round(begin_s + 0.2, 1), "reopen", which)
    answered = json.dumps({"place_reply_lost": False})
    yield Moment(round(begin_s + UNANSWERED_S, 1), "switch", ask=answered)
    yield Moment(round(wanted_s, 1), "suspend", which)
    # Refused for so long, nobody can keep the interval of an audit: the judge waits anew.
    yield Moment(round(begin_s + 60.0, 1), "switch", ask=json.dumps(stuck))
    over = {"refuse_code": ""} | dict.fromkeys(silent, False)
    yield Moment(round(end_s, 1), "switch", ask=json.dumps(over))
    yield Moment(round(end_s, 1), "reopen", which)


def cleared(chance: Random, last_s: float) -> Iterator[Moment]:
    """A person cancels all that rests; no message tells it, and no list of what changed."""
    at_s = round(chance.uniform(0.5, 0.7) * last_s, 1)
    silent = {"private_orders_lost": True, "changes_unlisted": True}
    yield Moment(at_s, "switch", ask=json.dumps(silent))
    yield _do(at_s + 1.0, "cancel")
    off = json.dumps(dict.fromkeys(silent, False))
    yield Moment(round(at_s + LEFT_OUT_S, 1), "switch", ask=off)


def twice_restarted(chance: Random, last_s: float) -> Iterator[Moment]:
    at_s = chance.uniform(0.1, 0.9) * last_s
    yield Moment(round(at_s, 2), "kill")
    yield Moment(round(at_s + chance.uniform(1.5, 4.5), 2), "kill")


def renamed(chance: Random, last_s: float) -> Iterator[Moment]:
    at_s = round(chance.uniform(0.2, 0.8) * last_s, 1)
    yield Moment(at_s, "rename")
    yield Moment(at_s, "kill", 0.5)


def by_hand(chance: Random, last_s: float) -> Iterator[Moment]:
    for _ in range(chance.randint(2, 5)):
        at_s = chance.uniform(0.05, 0.9) * last_s
        place = {"event": chance.randint(1, 3), "line": chance.randint(1, 3)}
        price, usd = chance.choice(MANUAL_ODDS), float(chance.randint(5, 60))
        yield _do(at_s, "place", **place, side=chance.randint(0, 1), price=price, usd=usd)


def unlisted(chance: Random, last_s: float) -> Iterator[Moment]:
    """Where we place without a word, a person's orders rest, too; neither message nor list tells
    of them, and we start again."""
    if chance.random() >= UNLISTED_SHARE:
        return
    at_s = round(chance.uniform(0.1, 0.8) * last_s, 1)
    silent = {"private_orders_lost": True, "reporting_down": True}
    yield Moment(at_s - 3.0, "suspend")
    yield Moment(at_s, "switch", ask=json.dumps(silent | {"place_reply_lost": True}))
    yield Moment(at_s + 0.2, "reopen")
    for line in (1, 2, 3):
        place = {"event": 1, "line": line, "side": chance.randint(0, 1)}
        yield _do(at_s + 1.5, "place", **place, price=2000, usd=5.0)
    yield Moment(at_s + 2.0, "kill")
    yield Moment(at_s + 2.5, "switch", ask=json.dumps({"place_reply_lost": False}))
    yield Moment(at_s + 45.0, "switch", ask=json.dumps(dict.fromkeys(silent, False)))


def overfull(chance: Random, last_s: float) -> Iterator[Moment]:
    """A person's fill takes all of a line's limit. An hour later, when no list of what changed
    shows it any more, we are killed."""
    if chance.random() >= OVERFULL_SHARE:
        return
    at_s = round(chance.uniform(0.05, 0.2) * last_s, 1)
    line, side = chance.randint(1, 3), chance.randint(0, 1)
    place = {"event": 1, "line": line, "side": side, "external_id": FULL}
    yield _do(at_s - 1.0, "cash", usd=100_000.0)
    yield _do(at_s, "place", **place, price=2000, usd=2500.0)
    yield _do(at_s + 1.0, "take", external_id=FULL)
    yield Moment(round(0.55 * last_s, 1), "idle", chance.random(), ask="paused")
    yield Moment(round(0.55 * last_s + 120.0, 1), "kill")  # what we did since is young


def crowd(chance: Random, last_s: float) -> Iterator[Moment]:
    at_s = round(chance.uniform(0.1, 0.6) * last_s, 1)
    yield Moment(at_s, "crowd", ask=str(CROWD))
    yield Moment(at_s + 20.0, "kill")
    yield Moment(at_s + 80.0, "crowd", ask="0")  # and they leave


def takes(chance: Random, last_s: float) -> Iterator[Moment]:
    """Somebody takes a part of everything; soon after, the market pauses or the news come."""
    for _ in range(chance.randint(1, 3)):
        at_s = chance.uniform(0.05, 0.9) * last_s
        yield _do(at_s, "take", event=chance.randint(0, 3), usd=float(chance.randint(2, 30)))
        yield Moment(round(at_s + chance.uniform(0.0, 0.3), 2), "news")


def halt_races(chance: Random, last_s: float) -> Iterator[Moment]:
    """A halt cancels everything while somebody takes what rests."""
    at_s = chance.uniform(0.1, 0.8) * last_s
    yield Moment(round(at_s, 2), "halt")
    yield _do(at_s + chance.uniform(0.0, 0.5), "take", usd=float(chance.randint(5, 50)))
    yield Moment(round(min(last_s, at_s + chance.uniform(5.0, 40.0)), 1), "resume")


def halt_without_disk(chance: Random, last_s: float) -> Iterator[Moment]:
    at_s = chance.uniform(0.1, 0.7) * last_s
    how: What = chance.choice(("break", "lock"))
    yield Moment(round(at_s, 1), how)
    yield Moment(round(at_s + chance.uniform(0.5, 5.0), 1), "halt")
    yield Moment(round(at_s + 30.0, 1), "mend")
    yield Moment(round(min(last_s, at_s + 45.0), 1), "resume")


def bad_disk(chance: Random, last_s: float) -> Iterator[Moment]:
    """Fills go on coming: what was not written waits, and newer steps come behind it."""
    for part in range(chance.randint(2, 3)):
        at_s = (0.05 + 0.3 * (part + 0.8 * chance.random())) * last_s
        how: What = chance.choice(("break", "break", "lock", "slow"))
        yield Moment(round(at_s, 1), how)
        mended_s = min(last_s, at_s + chance.uniform(2.0, 30.0))
        for taken_s in (at_s + 0.5, at_s + 1.5):
            yield _do(taken_s, "take", usd=float(chance.randint(1, 6)))
        yield Moment(round(mended_s, 1), "mend")


def poor(chance: Random, last_s: float) -> Iterator[Moment]:
    """The cash is gone for a moment, again and again: one is just before all is quoted anew."""
    for _ in range(8):
        at_s = round(chance.uniform(0.1, 0.9) * last_s, 1)
        yield _do(at_s, "cash", usd=float(chance.randint(16, 28)))
        yield _do(min(last_s, at_s + chance.uniform(8.0, 25.0)), "cash", usd=100_000.0)


def restart(chance: Random, last_s: float) -> Iterator[Moment]:
    at_s, down_s = chance.uniform(0.1, 0.7) * last_s, chance.choice((5.0, 30.0, 120.0))
    down_s = min(down_s, last_s - at_s)
    yield _do(at_s, "restart", down_s=down_s, lost_share=chance.choice((0.0, 0.3, 1.0)))


def tokens_die(chance: Random, last_s: float) -> Iterator[Moment]:
    for _ in range(chance.randint(1, 3)):
        at_s = chance.uniform(0.05, 0.9) * last_s
        yield _do(at_s, "expire_tokens")
        yield Moment(round(at_s, 1), "news")


def held_back(chance: Random, last_s: float) -> Iterator[Moment]:
    """What is sent again waits for a token, then behind a 429; at last it leaves, unanswered, and
    lands when the bound of its decision is long over. Meanwhile nobody wants it any more."""
    at_s, which = round(chance.uniform(0.1, 0.8) * last_s, 1), chance.random()
    if chance.random() >= HELD_SHARE:
        return
    yield Moment(at_s - 3.0, "suspend", which)
    yield Moment(at_s, "switch", ask=json.dumps({"place_request_lost": True}))
    yield Moment(at_s + 0.2, "reopen", which)
    yield Moment(at_s + 5.0, "switch", ask=HELD)
    yield _do(at_s + 5.0, "expire_tokens")
    waits = {"rate_limited_all": True, "retry_after_s": 36.0, "place_late_s": LATE_S}
    yield Moment(at_s + 10.0, "switch", ask=json.dumps(waits))
    soon = {"rate_limited_all": False, "retry_after_s": 0.0, "auth_delay_s": 0.0}
    yield Moment(at_s + 17.0, "switch", ask=json.dumps(soon))
    yield Moment(at_s + 54.0, "suspend", which)
    yield Moment(at_s + 70.0, "switch", ask=json.dumps({"place_late_s": 0.0}))
    yield Moment(at_s + 95.0, "reopen", which)


def busted(chance: Random, last_s: float) -> Iterator[Moment]:
    yield _do(chance.uniform(0.2, 0.9) * last_s, "bust", fills=chance.randint(1, 3))


def listed_late(chance: Random, last_s: float) -> Iterator[Moment]:
    """Fills are undone, and lists go on showing them: they are as old as they say."""
    at_s = round(chance.uniform(0.1, 0.8) * last_s, 1)
    yield _do(at_s - 10.0, "take", event=1, usd=7.0)
    yield Moment(at_s, "switch", ask=json.dumps({"history_stands": True}))
    yield _do(at_s + 1.0, "bust", fills=3)
    yield Moment(at_s + 90.0, "switch", ask=json.dumps({"history_stands": False}))


def unpaid(chance: Random, last_s: float) -> Iterator[Moment]:
    """Fills that offset others are undone one by one, and for minutes no money tells it; then a
    person's fill takes a little more than the limit of all lines leaves."""
    if chance.random() >= UNPAID_SHARE:
        return
    at_s = round(chance.uniform(0.4, 0.6) * last_s, 1)
    yield _do(at_s - 1.0, "cash", usd=100_000.0)
    yield Moment(at_s, "switch", ask=json.dumps({"money_stands": True}))
    for again_s in (1.0, 10.0, 19.0):
        yield _do(at_s + again_s, "take", event=1, usd=15.0)
        yield _do(at_s + again_s + 1.0, "bust", fills=1)
    place = {"event": 2, "line": 1, "side": chance.randint(0, 1), "external_id": MUCH}
    yield _do(at_s + 21.0, "place", **place, price=2000, over_usd=OVER_USD)
    yield _do(at_s + 22.0, "take", external_id=MUCH)
    over = json.dumps({"money_stands": False})
    yield Moment(at_s + UNPAID_S, "switch", ask=over)


def untold(chance: Random, last_s: float) -> Iterator[Moment]:
    """Fills of orders that go on resting are undone, and nothing tells it but a list."""
    if chance.random() >= UNTOLD_SHARE:
        return
    first_s = round(chance.uniform(0.1, 0.5) * last_s, 1)
    for at_s in (first_s, first_s + 230.0):  # one of them not just before all are replaced
        for before_s in (20.0, 10.0):
            yield _do(at_s - before_s, "take", event=1, usd=4.0)
        yield Moment(at_s, "switch", ask=UNTOLD)
        yield _do(at_s + 1.0, "bust", fills=9)
        over = json.dumps(dict.fromkeys(json.loads(UNTOLD), False))
        yield Moment(at_s + UNPAID_S, "switch", ask=over)


def other_paths(chance: Random, last_s: float) -> Iterator[Moment]:
    """Only one dialect is served for a while, and at the end all of them again."""
    at_s = chance.uniform(0.05, 0.7) * last_s
    which = chance.choice(("v4", "legacy"))
    longest_s = 0.3 * last_s if which == "v4" else 60.0
    end_s = min(last_s, at_s + chance.uniform(0.3, 1.0) * longest_s)
    for when_s, paths in ((at_s, which), (end_s, "all")):
        yield Moment(round(when_s, 1), "rules", ask=json.dumps({"wire": {"paths": paths}}))


def an_hour(chance: Random, last_s: float) -> Iterator[Moment]:
    """Nobody trades for an hour: we are switched off, or our strategies pause."""
    how = chance.choice(("down", "paused"))
    yield Moment(round(0.75 * last_s, 1), "idle", chance.uniform(0.9, 1.0), ask=how)


def when_quiet(chance: Random, last_s: float) -> Iterator[Moment]:
    at_s = chance.uniform(0.2, 0.8) * last_s
    yield Moment(round(at_s, 1), "halt")
    yield Moment(round(min(last_s, at_s + chance.uniform(30.0, 180.0)), 1), "resume")
