"""What happens at a second of a simulated day, beside the faults of wire and box."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

What = Literal[
    "kill", "news", "halt", "resume", "suspend", "reopen", "start", "break", "mend",
    "do", "switch", "rules", "die", "slow", "lock", "rename", "crowd", "idle",
    "swept", "quiet", "watch", "freeze", "thaw", "cut", "mend_cable", "unguard",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class DayRules:
    """The shape of a day, in seconds of virtual time; table `[day]` of a scenario."""

    quoting_s: float = 1020.0  # under faults
    calm_s: float = 90.0  # then without; an order in doubt has ended after that
    crashes_max: int = 1  # in the middle of a request, of each kind
    kills_max: int = 1  # at any moment
    news_max: int = 2
    halts_max: int = 1
    suspensions_max: int = 1
    kick_offs_max: int = 1  # a game goes live, and all that rests on it is wiped
    journal_failures_max: int = 1
    tight_limits_share: float = 0.25  # of the days, with limits that bind
    down_share: float = 0.25  # of the days are settled while no daemon runs
    reversed_share: float = 0.15  # of the days have a settlement that is taken back at the end
    patient_share: float = 0.08  # of the days have quotes that rest for minutes
    strategy: Literal["", "consensus", "restless"] = ""  # "": drawn


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """Something that happens at a second of the day.

    `chance` picks the game it is about; `ask` is what the box is asked (JSON), or a word.
    """

    at_s: float
    what: What
    chance: float = 0.0
    ask: str = ""


def weather(rules: DayRules, chance: Random) -> Iterator[Moment]:
    """What may happen on any day: kills, news, halts, pauses, kick-offs, a disk that fails."""
    last_s = rules.quoting_s
    kill_s = chance.uniform(3.0, last_s)
    for _ in range(chance.randint(0, rules.kills_max)):
        yield Moment(kill_s, "kill")
        soon = chance.random() < 0.3  # twice within five seconds
        kill_s = kill_s + chance.uniform(0.5, 5.0) if soon else chance.uniform(3.0, last_s)
    for _ in range(chance.randint(0, rules.news_max)):
        yield Moment(chance.uniform(10.0, last_s), "news")
    for _ in range(chance.randint(0, 2 * rules.kick_offs_max) // 2):
        yield Moment(chance.uniform(0.5, 1.0) * last_s, "start", chance.random())
    spans: tuple[tuple[int, What, What, float], ...] = (
        (rules.halts_max, "halt", "resume", 40.0),
        (rules.suspensions_max, "suspend", "reopen", 20.0),
        (rules.journal_failures_max, "break", "mend", 30.0),
    )
    for times_max, begin, end, longest_s in spans:
        for _ in range(chance.randint(0, times_max)):
            at_s, which = chance.uniform(5.0, last_s), chance.random()
            yield Moment(at_s, begin, which)
            yield Moment(min(last_s, at_s + longest_s * chance.random() ** 2), end, which)
