"""HTTP to the box's control routes and to the daemon's admin port, both on loopback."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import aiohttp

from mmbot.domain.errors import FindOut

ANSWER_TIMEOUT_S: Final = 10.0

Json = dict[str, Any]


class Link:
    """JSON in, JSON out; every way to fail becomes FindOut with one line."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        name: str,
        base_url: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._http = http
        self._name = name
        self._base_url = base_url
        self._headers = dict(headers or {})

    async def get(self, path: str, **query: str) -> Json:
        return await self._ask("GET", path, None, query)

    async def post(self, path: str, say: object = None) -> Json:
        return await self._ask("POST", path, say or {}, {})

    async def _ask(self, method: str, path: str, say: object, query: Mapping[str, str]) -> Json:
        timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S)
        try:
            async with self._http.request(
                method,
                self._base_url + path,
                json=say,
                params=dict(query),
                headers=self._headers,
                timeout=timeout,
            ) as reply:
                text = await reply.text()
                if reply.status >= 400:
                    said = f"{reply.status}: {text[:200]}"
                    raise FindOut(f"{self._name} answered {path} with {said}")
                found = json.loads(text) if text else {}
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise FindOut(f"{self._name} does not answer {path}: {reason}") from None
        except ValueError:
            raise FindOut(f"{self._name} answered {path} with something else than JSON") from None
        return found if isinstance(found, dict) else {"answer": found}


def open_session() -> aiohttp.ClientSession:
    """One session for both; no proxy from the environment stands between loopback and us."""
    return aiohttp.ClientSession(trust_env=False)
