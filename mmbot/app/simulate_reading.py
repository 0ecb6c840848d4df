"""One reading of the venue: a day on which one thing that nobody outside knows is otherwise."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mmbot.app.simulate_day import DayReport, run_day
from mmbot.app.simulate_plan import DayPlan, DayRules, Moment, Scenario, draw
from mmbot.domain.errors import SetUpError
from mmbot.sim.faults.plan import Fault, FaultRule
from mmbot.sim.unknowns import UNKNOWNS, settings

SEED: Final = 4
ORDERS_MIN: Final = 40  # the default day has 100: whoever reads half of the venue shows here
# The strategy that people run: one that needs no fair price would quote what has no sub_type, too.
RULES: Final = DayRules(quoting_s=90.0, calm_s=90.0, tight_limits_share=0.0, strategy="consensus")
# A crash, a jump of the fair value, a market that pauses and a game that begins: on every day.
MOMENTS: Final = (
    Moment(15.0, "news"),
    Moment(25.0, "kill"),
    Moment(35.0, "suspend", 0.3),
    Moment(45.0, "reopen", 0.3),
    Moment(60.0, "start", 0.6),
)
BEGIN_S: Final = 30.0
END_S: Final = RULES.quoting_s
DEFAULT: Final = "default"

Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """What is otherwise, and what else the day needs so that it matters."""

    name: str
    value: str
    box: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[FaultRule, ...] = ()
    quoting_s: float = RULES.quoting_s

    @property
    def quiet(self) -> str:
        """What the daemon must say, when nothing can be filled under this reading."""
        return QUIET.get(str(self), "")

    def __str__(self) -> str:
        return f"{self.name}={self.value}" if self.value else self.name


# Longer than the daemon keeps a token.
LONG_S: Final[Mapping[str, float]] = {"session.access_life_s": 540.0}
_NO_LADDER: Final = "the price ladder cannot be loaded"
_NO_SUB_TYPE: Final = "market_without_sub_type"
# Where nothing can be filled, the daemon has to say why, in these words.
QUIET: Final[Mapping[str, str]] = {
    "rules.activation.delay=never": "cancel not confirmed",
    "rules.activation.failure=funds": "placing goes on failing",
    "rules.activation.failure=cap": "placing goes on failing",
    "switch:ladder_empty=always": _NO_LADDER,
    "switch:placement_ip_refused=always": "placement_ip_refused",
    "wire.event_words=affiliate": "event_status:scheduled",
    "wire.paths=legacy": _NO_LADDER,
    "wire.paths=seed": _NO_LADDER,
    "wire.prices=decimal": "the price ladder cannot be used: a price that is no integer",
    "wire.registration_path=unversioned": "registration: data_not_found",
    "wire.sub_type=absent": _NO_SUB_TYPE,
    "wire.sub_type=empty": _NO_SUB_TYPE,
    "wire.sub_type=null": _NO_SUB_TYPE,
}


def _step(at_s: float, action: str, **what: object) -> Table:
    return {"at_s": at_s, "action": action, **what}


def _switch(begin_s: float = BEGIN_S, end_s: float = END_S, **on: object) -> list[Table]:
    """On for a while, or to the end of the day."""
    off = {name: type(value)() for name, value in on.items()}
    begin = _step(begin_s, "switch", set=on)
    return [begin, _step(end_s, "switch", set=off)] if end_s else [begin]


_REFUSED: Final = [
    _step(30, "switch", set={"refuse_code": "order_is_placing", "refuse_what": "cancel"}),
    _step(45, "switch", set={"refuse_code": ""}),
]
# What must be set besides, for a setting to matter.
_SHORT_TOKENS: Final[Table] = {"session": {"access_life_s": 90}}
_POOR: Final[Table] = {"cash_usd": 1_000}
BESIDES: Final[Mapping[str, Table]] = {
    "session.expiry_unit": _SHORT_TOKENS,
    "stream.close_at_token_expiry": _SHORT_TOKENS,
    "rules.activation.in_play_delay_ms": {"rules": {"life": {"in_play": True}}},
    "rules.money.cancel_while_paying": {"rules": {"money": {"fill_payment_ms": 400}}},
    "rules.money.resting_cap": _POOR,
    "rules.money.delayed": _POOR,
    "rules.resting_cash_multiple_max": _POOR,
    "rules.first_pass_status": {"rules": {"first_pass_ms": 300}},
    "wire.error_form": {"timeline": _REFUSED},
    "wire.error_words": {"timeline": _REFUSED},
    "rules.life.bust_form": {"timeline": [{"at_s": 50, "action": "bust", "fills": 2}]},
}
# Orders that a cancel by id does not end, so that their strike is swept.
_STUCK: Final = (FaultRule(Fault.NEVER_ACTIVATED, 0.2),)
FAULTS_BESIDES: Final[Mapping[str, tuple[FaultRule, ...]]] = {
    "rules.market_cancel_strike": _STUCK,
    "rules.market_id_form": _STUCK,
}
SWITCHED: Final[Mapping[str, Mapping[str, list[Table]]]] = {
    "switch:books_silent": {"for a minute": _switch(books_silent=True),
                            "always": _switch(0, 0, books_silent=True)},
    "switch:health_check_stopped": {"for a minute": _switch(health_check_stopped=True)},
    "switch:ladder_empty": {"for a minute": _switch(ladder_empty=True),
                            "always": _switch(0, 0, ladder_empty=True)},
    "switch:placement_ip_refused": {"for a minute": _switch(placement_ip_refused=True),
                                    "always": _switch(0, 0, placement_ip_refused=True)},
    "switch:reply_delay_s": {"0.5": _switch(reply_delay_s=0.5), "4": _switch(reply_delay_s=4.0)},
    "switch:reporting_down": {"for a minute": _switch(reporting_down=True)},
    "switch:ws_host": {"moved": _switch(ws_host="localhost:8460")},
    "do:bust": {"3 fills": [_step(50, "bust", fills=3)]},
    "do:close_sockets": {
        str(code): [_step(BEGIN_S, "close_sockets", code=code)]
        for code in (1006, 4001, 4004, 4009, 4100, 4200, 4201)
    },
    "do:refuse_sockets": {
        str(code): [
            _step(BEGIN_S, "refuse_sockets", code=code),
            _step(BEGIN_S, "close_sockets", code=4200),
            _step(END_S, "refuse_sockets"),
        ]
        for code in (4001, 4100, 4200)
    },
    "do:go_live": {"all": [_step(50 + n, "go_live", event=n) for n in (1, 2)]},
    "do:move_stream": {"key": [_step(40, "move_stream", key="another-key", close_code=4200)]},
    "do:unlist": {"1": [_step(30, "unlist", event=1)]},
    "do:relist": {
        "same id": [_step(30, "unlist", event=1), _step(45, "relist", event=1)],
        "new id": [_step(30, "unlist", event=1), _step(45, "relist", event=1, new_id=True)],
    },
    "do:restart": {"forgets half": [_step(40, "restart", down_s=20, lost_share=0.5)],
                   "forgets nothing": [_step(40, "restart", down_s=20)]},
}  # fmt: skip
RATES: Final[Mapping[str, float]] = {
    "fault:activation_fails": 0.3,
    "fault:never_activated": 0.2,
    "fault:fill_taken_back": 0.3,
    "fault:frame_copied": 0.3,
    "fault:frame_lost": 0.3,
    "fault:frame_swapped": 0.3,
    "fault:slow": 0.3,
}


def readings() -> list[Reading]:
    """The venue as we believe it is, then every other value of every unknown."""
    found = [Reading(DEFAULT, "")]
    for setting in settings().values():
        for value in setting.values[1:]:
            one = Reading(setting.name, _word(value), quoting_s=LONG_S.get(setting.name, END_S))
            table = joined(BESIDES.get(setting.name, {}), setting.table(value))
            faults = FAULTS_BESIDES.get(setting.name, ())
            found.append(dataclasses.replace(one, box=table, faults=faults))
    for maker in dict.fromkeys(maker for row in UNKNOWNS for maker in row.makers):
        found += _made(maker)
    return found


def _made(maker: str) -> Iterator[Reading]:
    for value, timeline in SWITCHED.get(maker, {}).items():
        yield Reading(maker, value, {"timeline": timeline})
    if maker in RATES:
        fault = Fault(maker.removeprefix("fault:"))
        yield Reading(maker, str(RATES[maker]), faults=(FaultRule(fault, RATES[maker]),))


def reading(text: str) -> Reading:
    """Raises SetUpError for one that is not in the list."""
    known = {str(one): one for one in readings()}
    if text not in known:
        raise SetUpError(f"--reading {text!r}: no such reading; --readings prints all of them")
    return known[text]


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def joined(first: Mapping[str, Any], second: Mapping[str, Any]) -> Table:
    """Two scenario tables in one; the second wins."""
    found = dict(first)
    for key, value in second.items():
        both = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = joined(found[key], value) if both else value
    return found


# --- its day ---------------------------------------------------------------------------------


def plan(one: Reading) -> DayPlan:
    """Everything that is not otherwise is the default: nothing of it is left to the seed."""
    usual: Table = {"latency_profile": "venue", "cash_usd": 100_000}
    for setting in settings().values():
        usual = joined(usual, setting.table(setting.default))
    rules = dataclasses.replace(RULES, quoting_s=one.quoting_s)
    drawn = draw(SEED, Scenario(joined(usual, one.box), rules, one.faults))
    return dataclasses.replace(drawn, moments=MOMENTS, clock_skew_s=0.0)


def run_reading(one: Reading, log_level: str = "info") -> DayReport:
    report = run_day(plan(one), log_level=log_level)
    if one.quiet:
        report.findings = list(_judge_quiet(one, report))
    elif report.orders < ORDERS_MIN:
        report.findings.append(f"R: only {report.orders} orders were placed")
    elif not report.fills:
        report.findings.append("R: nothing was filled")
    return report


# What a day has to say of a daemon that rightly does not quote, or does not even start.
_IDLE: Final = ("I7: not quoting again", "I7: the daemon is gone", "I7: a bad wire was taken")
_NOT_STARTED: Final = "(no daemon runs)"


def _judge_quiet(one: Reading, report: DayReport) -> Iterator[str]:
    for finding in report.findings:
        if not finding.startswith(_IDLE) and not finding.endswith(_NOT_STARTED):
            yield finding
    if one.quiet not in report.log and not any(one.quiet in each for each in report.findings):
        yield f"R: quiet without a word of {one.quiet!r}"
    if report.fills:
        yield "R: something was filled: no longer a quiet reading"
