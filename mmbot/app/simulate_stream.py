"""Scenes of a simulated day in which stream or session lie: silent, mute, moved, refused, odd."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any, Final

from mmbot.app.simulate_moments import Moment

MUTE_S: Final = (60.0, 240.0)  # a channel that is mute is known after a minute at the latest
GONE_S: Final = (15.0, 60.0)  # two health_checks are missed, and perhaps the socket is given up
REFUSED_S: Final = (10.0, 90.0)
ODD_S: Final = (10.0, 60.0)
SHORT: Final = 0.25  # of the day: on a short one nothing lasts longer
BURST_MESSAGES: Final = 2_000  # each book of the day many times over
USUAL_CHANNELS: Final = 400
NEW_LINES: Final = 3
NEXT_DAY_S: Final = 86_400.0
IMAGES: Final = ("crossed", "locked", "dead", "one_sided")


def _for_a_while(
    chance: Random, last_s: float, longest: tuple[float, float], asked: dict[str, Any]
) -> Iterator[Moment]:
    """Switches of the box are on, and off again."""
    at_s = chance.uniform(0.05, 0.7) * last_s
    end_s = at_s + min(chance.uniform(*longest), SHORT * last_s)
    off = {name: type(value)() for name, value in asked.items()}
    yield Moment(round(at_s, 1), "switch", ask=json.dumps(asked))
    yield Moment(round(min(last_s, end_s), 1), "switch", ask=json.dumps(off))


def _do(at_s: float, action: str, **asked: Any) -> Moment:
    return Moment(round(at_s, 1), "do", ask=json.dumps({"action": action} | asked))


def mute(chance: Random, last_s: float) -> Iterator[Moment]:
    """Books are told no more; all else goes on, and the socket lives."""
    yield from _for_a_while(chance, last_s, MUTE_S, {"books_silent": True})


def granted_and_mute(chance: Random, last_s: float) -> Iterator[Moment]:
    """The same from the moment of a reconnect."""
    begin, end = mute(chance, last_s)
    yield begin
    yield _do(begin.at_s + 0.1, "close_sockets", code=4200)
    yield end


def private_gone(chance: Random, last_s: float) -> Iterator[Moment]:
    """The private channel is silent, the books are told."""
    gone = {"health_check_stopped": True, "private_orders_lost": True}
    yield from _for_a_while(chance, last_s, GONE_S, gone)


def odd_books(chance: Random, last_s: float) -> Iterator[Moment]:
    yield from _for_a_while(chance, last_s, ODD_S, {"book_image": chance.choice(IMAGES)})


def shuffled(chance: Random, last_s: float) -> Iterator[Moment]:
    """Channels come in another order, also for the next connection."""
    yield Moment(0.0, "switch", ask=json.dumps({"channels_shuffled": True}))
    yield _do(chance.uniform(0.1, 0.8) * last_s, "close_sockets", code=4200)


def moved(chance: Random, last_s: float, units: tuple[str, str] = ("", "")) -> Iterator[Moment]:
    """Another key, and back: who connects with the old one is sent away."""
    at_s = chance.uniform(0.05, 0.5) * last_s
    back_s = at_s + chance.uniform(0.1, 0.3) * last_s
    for when_s, key, unit in ((at_s, "another-key", units[0]), (back_s, "a-third-key", units[1])):
        yield _do(when_s, "move_stream", key=key, close_code=4200, sequence_unit=unit)


def counted_otherwise(chance: Random, last_s: float) -> Iterator[Moment]:
    """The same, and sequence numbers leap forth and back."""
    yield from moved(chance, last_s, ("ns", "us"))


def limited(chance: Random, last_s: float) -> Iterator[Moment]:
    """A socket may have no more than it has, and a game more is listed; then all connect anew."""
    at_s = chance.uniform(0.05, 0.5) * last_s
    again_s = at_s + chance.uniform(0.05, 0.2) * last_s
    over_s = again_s + chance.uniform(0.05, 0.2) * last_s
    for when_s, most in ((at_s, chance.choice((1, 2))), (over_s, USUAL_CHANNELS)):
        limit = {"session": {"channel_limit": most}}
        yield Moment(round(when_s, 1), "rules", ask=json.dumps(limit))
    yield _do(at_s + 1.0, "list", lines=NEW_LINES, start_after_s=NEXT_DAY_S)
    yield _do(again_s, "close_sockets", code=4200)


def rejected(chance: Random, last_s: float) -> Iterator[Moment]:
    """One id of each registration is refused, and names come back in capitals."""
    yield Moment(0.0, "switch", ask=json.dumps({"scopes_in_capitals": True}))
    begin, end = _for_a_while(chance, last_s, REFUSED_S, {"first_rejected": True})
    yield begin
    yield _do(begin.at_s + 0.1, "close_sockets", code=4200)
    yield end
    yield _do(end.at_s + 0.1, "close_sockets", code=4200)


def quiet(chance: Random, last_s: float) -> Iterator[Moment]:
    """Nobody trades for minutes, and nothing else happens either."""
    yield Moment(round(chance.uniform(0.2, 0.9) * last_s, 1), "quiet")


def burst(chance: Random, last_s: float) -> Iterator[Moment]:
    yield _do(chance.uniform(0.05, 0.9) * last_s, "burst", messages=BURST_MESSAGES)


def unauthorized(chance: Random, last_s: float) -> Iterator[Moment]:
    """No token is good enough, however fresh."""
    yield from _for_a_while(chance, last_s, REFUSED_S, {"unauthorized_all": True})


def logged_out(chance: Random, last_s: float, why: str = "refuse_login") -> Iterator[Moment]:
    """Both tokens die at once, and nobody may log in for a while."""
    begin, end = _for_a_while(chance, last_s, REFUSED_S, {why: True})
    yield begin
    yield _do(begin.at_s + 0.1, "expire_tokens", sessions=True)
    yield end


def too_many_sessions(chance: Random, last_s: float) -> Iterator[Moment]:
    yield from logged_out(chance, last_s, "sessions_full")
