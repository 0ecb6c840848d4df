"""`mmbot probe` for real: sockets, signals, and the two files that it leaves behind."""

from __future__ import annotations

import asyncio
import random
import secrets
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aiohttp

from mmbot import __version__
from mmbot.app.compose import on_best_loop, prove_box
from mmbot.config import Settings
from mmbot.domain.errors import SetUpError
from mmbot.exchange.dialect import DIALECTS
from mmbot.exchange.http import HttpSettings, LiveHttp
from mmbot.exchange.tokens import Credentials
from mmbot.exchange.ws import LiveWs
from mmbot.hosts import classify_host
from mmbot.probe import profile
from mmbot.probe.allowance import Limits
from mmbot.probe.run import Outcome, Probe, ProbePorts
from mmbot.runtime.clock import NS_PER_S, Clock, SystemClock
from mmbot.sources.fetching import http_requests

PROFILE_FILE: Final = "profile.toml"
RAW_FILE: Final = "raw.jsonl"


def probe(settings: Settings, folder: Path, limits: Limits) -> Outcome:
    """Measure, write both files, give what was found.

    Raises SetUpError for production and for a folder that cannot be written, Stop when the
    exchange cannot be asked, KeyboardInterrupt when told to stop; in each of the last two cases
    the raw answers were written and what rested was taken back.
    """
    if settings.environment == "production":
        raise SetUpError("mmbot probe: never on production; use a sandbox or the box")
    host = classify_host(settings.exchange.base_url, settings.environment, armed=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / RAW_FILE, "")
    except OSError as error:
        raise SetUpError(f"{folder}: cannot be written: {error.strerror}") from None
    outcomes: list[Outcome] = []
    try:
        on_best_loop(_live(settings, limits, outcomes, must_be_box=host == "box"))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        for outcome in outcomes:
            _write(folder / RAW_FILE, outcome.transcript.text)
    outcome = outcomes[0]
    about = _about(settings, outcome, SystemClock())
    _write(folder / PROFILE_FILE, profile.text_of(outcome.notebook, about))
    return outcome


async def _live(
    settings: Settings, limits: Limits, outcomes: list[Outcome], *, must_be_box: bool
) -> int:
    base_url, keys = settings.exchange.base_url, settings.credentials
    if must_be_box:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
            await prove_box(base_url, http_requests(client))
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    order_paths = DIALECTS[settings.exchange.dialect].routes.order_paths
    http = LiveHttp(HttpSettings(base_url, settings.exchange.reply_timeout_s), order_paths)
    try:
        draw = random.Random(secrets.randbits(64)).random
        measured = Probe(
            base_url,
            Credentials(keys.access_key.get_secret_value(), keys.secret_key.get_secret_value()),
            ProbePorts(http, LiveWs(), SystemClock(), draw),
            limits,
            settings.exchange.dialect,
        )
        outcomes.append(measured.outcome)
        await measured.run()
    finally:
        await http.close()
    return 0


def _about(settings: Settings, outcome: Outcome, clock: Clock) -> dict[str, str | int | float]:
    at = datetime.fromtimestamp(clock.now_ns() // NS_PER_S, UTC)
    return {
        "mmbot": __version__,
        "base_url": settings.exchange.base_url,
        "dialect": settings.exchange.dialect,
        "measured_at": at.isoformat(),
        "requests": outcome.allowance.requests,
        "at_risk_usd_top": outcome.allowance.at_risk_cents_top / 100,
        "duration_s": round(outcome.allowance.elapsed_s, 1),
    }


def _write(path: Path, text: str) -> None:
    """For its owner only: the answers are an account's own."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
