"""What a request over the limit is told: asked once, at the end, when nothing rests any more."""

from __future__ import annotations

import asyncio
from typing import Final

from mmbot.domain.errors import MmbotError
from mmbot.exchange.http import HttpReply
from mmbot.probe.calls import dig
from mmbot.probe.desk import ORDER
from mmbot.probe.lab import Lab, Measurement, Unmeasurable
from mmbot.probe.transcript import readable

AT_ONCE: Final = 56  # the documented limit is 50 in a second
TOO_MANY: Final = 429
TIMEOUT_S: Final = 10.0


async def over_the_limit(lab: Lab) -> None:
    """As many cheap reads as break the limit, past our own rate budget."""
    for one in lab.desk.tickets:
        await lab.desk.end(one)
    ticket = next((one for one in lab.desk.tickets if one.order_id), None)
    if ticket is None or not lab.desk.all_over:
        raise Unmeasurable("not asked while an order may rest")
    if lab.allowance.requests_left < AT_ONCE:
        raise Unmeasurable(f"only {lab.allowance.requests_left} requests are left")
    path = f"{ORDER}/{ticket.order_id}"
    token = await lab.calls.rest.session.token()
    replies: list[HttpReply] = []

    async def ask() -> None:
        try:
            headers = {"Authorization": f"Bearer {token}"}
            replies.append(await lab.calls.http.request("GET", path, headers, b"", TIMEOUT_S))
        except MmbotError:
            return  # the others tell enough

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(ask())
    refused = [reply for reply in replies if reply.status == TOO_MANY]
    if not refused:
        raise Unmeasurable(f"{len(replies)} requests at once were all answered")
    said = f"{len(refused)} of {len(replies)} requests at once were refused"
    _all_or_none(
        lab, "session.retry_after", ["retry-after" in one.headers for one in refused], said
    )
    allowed = [dig(readable(one.body), "details", "next_allow_at") for one in refused]
    _all_or_none(lab, "session.next_allow_at", [one is not None for one in allowed], said)


def _all_or_none(lab: Lab, name: str, shown: list[bool], said: str) -> None:
    if all(shown) or not any(shown):
        lab.notebook.found(name, all(shown), said)
    else:
        lab.notebook.unknown(name, f"{sum(shown)} of {len(shown)} refusals showed it")


MEASUREMENTS: Final = (
    Measurement("rate limit", ("session.retry_after", "session.next_allow_at"), over_the_limit),
)
