"""A read that was lost is asked for again: a page among others, or an order among many."""

from __future__ import annotations

import math
from typing import Final

from mmbot.exchange import wire
from mmbot.exchange.http import ReplyLost
from mmbot.exchange.rest import Answer, Rest, Throttled
from mmbot.exchange.routes import Route
from mmbot.runtime.limiter import Priority

FIRST_TIMEOUT_S: Final = 2.0  # of a read that takes 0.15 s: one that hangs holds up a start
PAGE_TRIES_MAX: Final = 3  # a listing of many pages would hardly ever end where each may be lost


async def page(
    rest: Rest,
    route: Route,
    priority: Priority,
    query: dict[str, str | int] | None = None,
    item: str = "",
) -> Answer:
    """The last answer that came; raises as `Rest.call` does when none did.

    The rate budget paces the tries. What the exchange refuses is not asked again, except an error
    of its own, or that it was asked too soon: that is no answer to the question.
    """
    for timeout_s in (FIRST_TIMEOUT_S, *[math.inf] * (PAGE_TRIES_MAX - 2)):
        try:
            answer = await rest.call(route, priority, query, item=item, timeout_max_s=timeout_s)
        except (ReplyLost, Throttled):
            continue
        if answer.refusal is None and _is_readable(answer.body):
            return answer
        if answer.refusal is not None and answer.reply.status < 500:
            return answer
    return await rest.call(route, priority, query, item=item)


def _is_readable(body: bytes) -> bool:
    try:
        found = wire.decode(body, wire.Raw)
        if not wire.is_list(found):
            wire.unwrap(body, wire.Raw)
    except wire.Unreadable:
        return False
    return True
