"""Which faults of session and stream really struck, as their answers on the wire tell."""

from __future__ import annotations

from mmbot.sim.faults.faulty_ports import Sent
from mmbot.sim.faults.kinds import route_kind
from mmbot.sim.faults.plan import Fault, Injected
from mmbot.sim.witness.strikes import Strikes

LOGIN, REFRESH = "/partner/auth/login", "/partner/auth/refresh"
CONFIG, REGISTER = "/partner/websocket/connection-config", "/partner/v4/mm/websocket"


def struck(*answers: tuple[str, int, bytes]) -> dict[str, int]:
    strikes = Strikes("mm")
    for path, status, body in answers:
        request = Sent("POST", path, {}, b"", route_kind(path), None)
        strikes.answered(request, (status, {}, body), 0)
    return dict(strikes.counts)


def test_a_token_that_rotates_between_address_and_channels() -> None:
    # faults: D1 D6
    config, channels, token = (CONFIG, 200, b""), (REGISTER, 200, b""), (REFRESH, 200, b"")
    assert struck(token, config, channels) == {"D1": 1}
    assert struck(config, token, channels, channels) == {"D1": 1, "D6": 1}
    assert struck(config, token, (REGISTER, 401, b"")) == {"D1": 1}


def test_log_ins_that_are_refused() -> None:
    # faults: D3 D5
    assert struck((LOGIN, 200, b"")) == {}
    assert struck((LOGIN, 401, b"")) == {"D3": 1}
    assert struck((LOGIN, 403, b'{"error":"session_num_exceed"}')) == {"D5": 1}


def test_registrations_that_are_refused_in_part_or_as_a_whole() -> None:
    # faults: E8 E9
    assert struck((REGISTER, 400, b'{"error":"exceed_subscription_count"}')) == {"E8": 1}
    assert struck((REGISTER, 200, b'{"data":{"rejected":[{"id":"7"}]}}')) == {"E9": 1}
    assert struck((REGISTER, 200, b'{"data":{"rejected":null}}')) == {}


def test_what_the_wire_drew_for_the_stream() -> None:
    # faults: E7 E12
    strikes = Strikes("mm")
    strikes.struck(Injected(0, Fault.ERROR_BEFORE, f"GET {CONFIG}"))
    strikes.struck(Injected(0, Fault.FRAME_LOST, "books"))
    assert strikes.counts == {"E7": 1, "E12": 1}
