"""Each step in each phase is done for real, and compared with the table as a person wrote it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import pytest

from mmbot.exchange.pusher import (
    ChannelAuth,
    Failed,
    Odd,
    PusherEvent,
    PusherProtocol,
    PusherTimeouts,
)
from mmbot.exchange.pusher_states import TABLE, Phase, Step, Then
from tests.exchange.parts import S, example
from tests.exchange.pusher_parts import MORE, OURS, SIGNIN, at, said, succeeded

Do = Callable[[PusherProtocol], list[PusherEvent]]

# C connecting, R registering, G signing in, U subscribing, D subscribed, F failed;
# ! done, the phase stays; . nothing at all; ? told as odd; - cannot be: an assertion
EXPECTED: Final = """
                      C R G U D F
    ESTABLISHED       R . . . . .
    UNNAMED           F ? ? ? ? .
    RENAMED           - F F F F .
    SIGNED_IN         ? ? U . . .
    GRANTED           ? ? ? ! ! .
    REFUSED           ? ? ? ! ! .
    ERROR             F F F F F .
    ERROR_WITHOUT_CODE F ? F ? ? .
    ERROR_IN_PASSING  ? ? ? ? ? .
    PING              ! ! ! ! ! .
    PONG              . . . . . .
    UNKNOWN           ? ? ? ? ? .
    UNREADABLE        ? ? ? ? ? .
    MESSAGE           ? ! ! ! ! .
    AUTHORISED        - G - - - .
    AUTHORISED_ONLY   - U - - - .
    SUBSCRIBE         - - - ! ! .
    UNSUBSCRIBE       - - - ! ! .
    ALL_ANSWERED      - - - D . .
    UNANSWERED        F - F - - .
    CHANNEL_SILENT    - - - ! ! .
    ASK_AGAIN         - - - ! ! .
    QUIET             ! ! ! ! ! .
    NO_PONG           F F F F F .
"""
LETTERS: Final = dict(zip("CRGUDF", Phase, strict=True))
OURS_TO_DO: Final = {Step.AUTHORISED, Step.AUTHORISED_ONLY, Step.SUBSCRIBE, Step.UNSUBSCRIBE}
TIMEOUTS: Final = PusherTimeouts(10.0, 5.0, 3.0, ask_again_s=4.0)
CHANNELS: Final = [ChannelAuth(OURS, "key:2"), ChannelAuth(MORE, "key:3")]


def hears(text: str | bytes) -> Do:
    return lambda protocol: protocol.receive(text, 0)


def hears_error(code: int | None) -> Do:
    return hears(said("pusher:error", {"code": code, "message": "no"}))


def does(what: Callable[[PusherProtocol], None]) -> Do:
    def do(protocol: PusherProtocol) -> list[PusherEvent]:
        what(protocol)
        return []

    return do


def all_answer(protocol: PusherProtocol) -> list[PusherEvent]:
    for channel in tuple(protocol.pending):
        protocol.receive(succeeded(channel), 0)
    return []


def ticks(*seconds: int) -> Do:
    return lambda protocol: [event for at_s in seconds for event in protocol.tick(at_s * S)]


def one_channel_of_two_is_silent(protocol: PusherProtocol) -> list[PusherEvent]:
    protocol.subscribe([ChannelAuth("new", "")], 5 * S)
    return protocol.tick(10 * S)


def a_refused_channel_has_waited(protocol: PusherProtocol) -> list[PusherEvent]:
    protocol.receive(said("pusher:subscription_error", {}, MORE), 0)
    return protocol.tick(4 * S)


STEPS: Final[Mapping[Step, Do]] = {
    Step.ESTABLISHED: hears(example("ws_frame.connection_established.json")),
    Step.UNNAMED: hears(said("pusher:connection_established", {})),
    Step.RENAMED: hears(said("pusher:connection_established", {"socket_id": "9.9"})),
    Step.SIGNED_IN: hears(example("ws_frame.signin_success.json")),
    Step.GRANTED: hears(succeeded(MORE)),
    Step.REFUSED: hears(said("pusher:subscription_error", {"status": 401}, MORE)),
    Step.ERROR: hears_error(4001),
    Step.ERROR_WITHOUT_CODE: hears_error(None),
    Step.ERROR_IN_PASSING: hears_error(4301),
    Step.PING: hears(example("ws_frame.ping.json")),
    Step.PONG: hears(example("ws_frame.pong.json")),
    Step.UNKNOWN: hears(said("pusher:novelty", {})),
    Step.UNREADABLE: hears("{"),
    Step.MESSAGE: hears(said("orders", {}, OURS)),
    Step.AUTHORISED: does(lambda protocol: protocol.authorise(CHANNELS, SIGNIN, 0)),
    Step.AUTHORISED_ONLY: does(lambda protocol: protocol.authorise(CHANNELS, None, 0)),
    Step.SUBSCRIBE: does(lambda protocol: protocol.subscribe([ChannelAuth("new", "")], 0)),
    Step.UNSUBSCRIBE: does(lambda protocol: protocol.unsubscribe([MORE])),
    Step.ALL_ANSWERED: all_answer,
    Step.UNANSWERED: ticks(10),
    Step.CHANNEL_SILENT: one_channel_of_two_is_silent,
    Step.ASK_AGAIN: a_refused_channel_has_waited,
    Step.QUIET: ticks(5),
    Step.NO_PONG: ticks(5, 8),
}


def cells() -> list[tuple[Step, Phase, str]]:
    head, *rows = (line.split() for line in EXPECTED.strip().splitlines())
    assert head == list("CRGUDF")
    return [
        (Step[name], LETTERS[column], letter)
        for name, *letters in rows
        for column, letter in zip(head, letters, strict=True)
    ]


def test_no_cell_is_left_out() -> None:
    expected = {(phase, step) for step, phase, _ in cells()}
    assert expected == {(phase, step) for phase in Phase for step in Step}
    assert expected == {(phase, step) for phase, row in TABLE.items() for step in row}


@pytest.mark.parametrize(("step", "phase", "letter"), cells())
def test_what_each_step_does_in_each_phase(step: Step, phase: Phase, letter: str) -> None:
    protocol = at(phase, TIMEOUTS)
    if letter == "-":
        assert TABLE[phase][step] is Then.DASH
        if step in OURS_TO_DO:
            with pytest.raises(AssertionError):
                STEPS[step](protocol)
            assert protocol.phase is phase
        return
    events = STEPS[step](protocol)
    assert protocol.phase is LETTERS.get(letter, phase)
    spoke = bool(protocol.to_send()) or bool(events)
    match letter:
        case "?":
            assert [type(event) for event in events] == [Odd]
        case ".":
            assert not spoke
        case "F":
            assert [type(event) for event in events] == [Failed]
        case "D":
            assert not protocol.pending
        case _:
            assert spoke
            assert not any(isinstance(event, Odd | Failed) for event in events)
