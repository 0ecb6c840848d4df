"""One page of a listing, asked for again when it was lost: the other pages need not be."""

from __future__ import annotations

from typing import Final

from mmbot.exchange import wire
from mmbot.exchange.http import ReplyLost
from mmbot.exchange.rest import Answer, Rest
from mmbot.exchange.routes import Route
from mmbot.runtime.limiter import Priority

PAGE_TRIES_MAX: Final = 3  # a listing of many pages would hardly ever end where each may be lost


async def page(rest: Rest, route: Route, priority: Priority, query: dict[str, str | int]) -> Answer:
    """The last answer that came; raises as `Rest.call` does when none did.

    The rate budget paces the tries. What the exchange refuses is not asked again, except an error
    of its own: that is no answer to the question.
    """
    for _ in range(PAGE_TRIES_MAX - 1):
        try:
            answer = await rest.call(route, priority, query)
        except ReplyLost:
            continue
        if answer.refusal is None and _is_readable(answer.body):
            return answer
        if answer.refusal is not None and answer.reply.status < 500:
            return answer
    return await rest.call(route, priority, query)


def _is_readable(body: bytes) -> bool:
    try:
        wire.unwrap(body, wire.Raw)
    except wire.Unreadable:
        return False
    return True
