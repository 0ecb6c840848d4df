"""Settings for every test: the event loop is the one production uses."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping

import pytest


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run async tests on uvloop; `@pytest.mark.asyncio(loop_factories=["asyncio"])` picks one."""
    factories: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {}
    if sys.platform != "win32":
        import uvloop

        factories["uvloop"] = uvloop.new_event_loop
    if not factories or _asks_for_asyncio(item):
        factories["asyncio"] = asyncio.new_event_loop
    return factories


def _asks_for_asyncio(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("asyncio")
    return marker is not None and "asyncio" in (marker.kwargs.get("loop_factories") or ())
