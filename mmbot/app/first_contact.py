"""What the daemon takes from the profile of its exchange: one limit, and reasons not to start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from mmbot.config import Settings
from mmbot.domain.errors import SetUpError
from mmbot.engine.limits import EXCHANGE_QUANTITY_MIN_CENTS
from mmbot.probe import profile
from mmbot.probe.findings import Value

WHERE = "[exchange] profile"


def quantity_min_cents(settings: Settings) -> int:
    """The smallest order that was taken; the usual figure without a profile.

    Raises SetUpError with one line for each thing in the profile that forbids a start.
    """
    if settings.exchange.profile is None:
        return EXCHANGE_QUANTITY_MIN_CENTS
    measured = profile.read(settings.exchange.profile)
    problems = list(_problems(settings, measured))
    if problems:
        raise SetUpError("\n".join(f"{WHERE}: {problem}" for problem in problems))
    return _least_cents(measured)


def _least_cents(measured: Mapping[str, Value]) -> int:
    return int(measured.get("rules.quantity_min_cents", EXCHANGE_QUANTITY_MIN_CENTS))


def _problems(settings: Settings, measured: Mapping[str, Value]) -> Iterator[str]:
    """What was measured and cannot be traded on, or not with these settings."""
    exchange = settings.exchange
    place = str(measured.get("probe.base_url", exchange.base_url))
    if urlsplit(place).hostname != urlsplit(exchange.base_url).hostname:
        yield f"it was measured at {place}, not at {exchange.base_url}"
    paths = measured.get("wire.paths", "all")
    if paths not in {"all", exchange.dialect}:
        yield f'the exchange has only the routes of {paths}, but dialect = "{exchange.dialect}"'
    prices = measured.get("wire.prices", "american")
    if prices != "american":
        yield f"prices are {prices}; mmbot reads American ones only"
    if measured.get("rules.alo_crossing") == "takes":
        yield "an ALO order takes what it meets: a quote would not only rest"
    life_s = float(measured.get("session.access_life_s", float("inf")))
    if settings.session.refresh_every_s >= life_s:
        yield f"tokens live {life_s:.0f} s, but [session] refresh_every_s is not less"
    least_cents = _least_cents(measured)
    if least_cents > settings.risk.order_quantity_max_cents:
        yield (
            f"the smallest order is ${least_cents / 100:.2f}, which is above [risk] "
            f"order_quantity_max_usd = {settings.risk.order_quantity_max_usd}"
        )
