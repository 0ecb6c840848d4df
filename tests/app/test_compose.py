"""A private address is spoken to only when a box answers there: real money is armed on purpose."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from mmbot.app.compose import prove_box
from mmbot.domain.errors import SetUpError, Stop

WHO = b'{"box":"mmbot exchange","version":"0.1.0"}'


class Server:
    def __init__(self, status: int = 200, body: bytes = WHO, down: bool = False) -> None:
        self.asked: list[str] = []
        self._status, self._body, self._down = status, body, down

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        self.asked.append(f"{method} {url}")
        if self._down:
            raise ConnectionError("ClientConnectorError")
        return self._status, {}, self._body


async def test_a_box_is_asked_who_it_is_and_nothing_else() -> None:
    server = Server()
    await prove_box("http://10.0.0.5:8460/partner", server.ask)
    assert server.asked == ["GET http://10.0.0.5:8460/_box/whoami"]


@pytest.mark.parametrize("server", [Server(404), Server(200, b"<html>")])
async def test_anything_else_at_a_private_address_is_a_wrong_set_up(server: Server) -> None:
    with pytest.raises(SetUpError, match=r"10\.0\.0\.5:8460 is no exchange in the box"):
        await prove_box("http://10.0.0.5:8460/partner", server.ask)


async def test_an_address_that_does_not_answer_is_a_failure() -> None:
    with pytest.raises(Stop, match="does not answer"):
        await prove_box("http://10.0.0.5:8460/partner", Server(down=True).ask)
