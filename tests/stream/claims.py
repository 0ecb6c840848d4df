"""What must be so after the troubles: each claim with what was seen. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from mmbot.sim.witness.stale import NS, Verdict, judge
from mmbot.sim.witness.stale_record import cancels_of, hindered_of, placements_of, quotes_of
from tests.crash.claims import Claim, Outcome
from tests.crash.claims import claims as crash_claims
from tests.crash.run import ACCOUNT
from tests.stream.run import Seen
from tests.stream.spans import Ways, excuses, healthy, outages, quoted_share

STALE: Final = "seconds quoted on stale data"
SHARE_MIN: Final = 0.8
HEALTHY_MIN: Final = 0.25  # of the run, or the share says nothing
SHOWN_MAX: Final = 10
LOGIN_EVERY_S: Final = 120.0
OF_KILLS: Final = frozenset({"kills", "kills amid a placement", "log-ins"})


def claims(seen: Seen) -> list[Claim]:
    return list(_claims(seen))


def staleness(seen: Seen) -> Verdict:
    """The judge of the box's record, over the outages of scenario and way."""
    born_ns = seen.outcome.record["started_ns"]
    found = outages(seen.table, born_ns, seen.lines, seen.ways, seen.until_ns)
    hindered = hindered_of(seen.lines, ACCOUNT, seen.until_ns)
    placed = placements_of(seen.lines, ACCOUNT)
    quotes = quotes_of(seen.outcome.record["orders"], cancels_of(seen.lines, ACCOUNT), placed)
    return judge(found, quotes, [*hindered, *excuses(seen.ways)])


def _claims(seen: Seen) -> Iterator[Claim]:
    outcome, began_ns = seen.outcome, seen.ways.began_ns
    verdict = staleness(seen)
    stale_s = round(verdict.stale_ns / NS, 3)
    told = tuple(map(str, verdict.findings[:SHOWN_MAX]))
    yield Claim(STALE, stale_s, 0, not verdict.stale_ns, told)
    well = healthy(seen.table, outcome.record["started_ns"], seen.ways, seen.until_ns)
    well_share = sum(until - since for since, until in well) / (seen.until_ns - began_ns)
    yield Claim(
        "healthy time", round(well_share, 3), f">= {HEALTHY_MIN}", well_share >= HEALTHY_MIN
    )
    record = outcome.record
    share = quoted_share(record["orders"], list(record["quoted_share"]), well)
    yield Claim("quoted share of it", round(share, 3), f">= {SHARE_MIN}", share >= SHARE_MIN)
    logins, most = outcome.truth.logins, 1 + int((seen.until_ns - began_ns) / NS / LOGIN_EVERY_S)
    yield Claim("log-ins", logins, f"1 to {most}", 1 <= logins <= most)
    whole = crash_claims(_as_sent(outcome, seen.ways))
    yield from (claim for claim in whole if claim.what not in OF_KILLS)


def _as_sent(outcome: Outcome, ways: Ways) -> Outcome:
    """What a trouble held back arrives all at once: requests count when they were sent."""
    if not ways.asked_s:
        return outcome
    requests = {**outcome.record["requests"], "per_second_max": ways.busiest}
    return replace(outcome, record={**outcome.record, "requests": requests})
