"""What a log-in says: how long tokens live, and in which unit the exchange tells so."""

from __future__ import annotations

from typing import Any, Final

from mmbot.probe.calls import dig
from mmbot.probe.lab import Lab, Measurement
from mmbot.probe.transcript import readable
from mmbot.runtime.clock import NS_PER_S

LOGIN: Final = "/auth/login"
RELATIVE_MAX: Final = 86_400
UNITS: Final = (
    ("ns", 10**18, 1),
    ("us", 10**15, 1_000),
    ("ms", 10**12, 10**6),
    ("s", 10**9, 10**9),
)
LIVES_S: Final = (600, 1_200)  # what the sources say
LIFE_TOLERANCE_S: Final = 15.0


async def login_answer(lab: Lab) -> None:
    """Read off the log-in that the run began with."""
    note = lab.notebook
    reply = lab.calls.http.last[LOGIN]
    body = readable(reply.body)
    note.found(
        "wire.login_form",
        "wrapped" if isinstance(dig(body, "data"), dict) else "flat",
        "where the tokens stand in the answer to the log-in",
    )
    fields = dig(body, "data") or body
    given = dig(fields, "access_expire_time")
    if isinstance(given, str) and given.isdigit():
        given = int(given)
    if not isinstance(given, (int, float)) or given <= 0:
        note.leave(("session.expiry_unit", "session.access_life_s"), "no expiry was given")
        return
    unit, life_s = _unit_and_life(given, lab.calls.rest.session.exchange_now_ns())
    note.found("session.expiry_unit", unit, f"access_expire_time = {given}")
    told = [life for life in LIVES_S if abs(life - life_s) <= LIFE_TOLERANCE_S + _age_s(lab)]
    if len(told) == 1:
        note.found(
            "session.access_life_s", told[0], f"the token ends {life_s:.0f} s after the question"
        )
    else:
        note.unknown("session.access_life_s", f"the answer says {life_s:.0f} s")


def _unit_and_life(given: Any, now_ns: int) -> tuple[str, float]:
    """The unit by magnitude, and the seconds left."""
    if given <= RELATIVE_MAX:
        return "relative", float(given)
    for unit, above, ns in UNITS:
        if given > above:
            return unit, (given * ns - now_ns) / NS_PER_S
    return "unreadable", 0.0


def _age_s(lab: Lab) -> float:
    """How long ago the log-in may have been: the answer was not read at once."""
    return lab.allowance.elapsed_s


MEASUREMENTS: Final = (
    Measurement(
        "log-in",
        ("wire.login_form", "session.expiry_unit", "session.access_life_s"),
        login_answer,
    ),
)
