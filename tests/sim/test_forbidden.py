"""When nothing may rest, as the judge hears it from the exchange's own moves."""

# faults: F1 F2 F3 H12

from __future__ import annotations

from mmbot.sim.core.lifecycle import SportEvent
from mmbot.sim.witness.forbidden import MARGIN_NS, Forbidden
from tests.sim.small_venue import NS, START_NS, SmallVenue


class Scene:
    """The pure exchange; every message of it is heard."""

    def __init__(self) -> None:
        self.venue = SmallVenue()
        self.forbidden = Forbidden(self.venue.exchange.listing.events, START_NS)

    @property
    def event(self) -> SportEvent:
        return self.venue.event

    def wait(self, seconds: float) -> None:
        self.venue.wait(seconds)
        self.hear()

    def hear(self) -> None:
        for message in self.venue.messages():
            self.forbidden.published(message)

    def starts_in(self, seconds: float) -> None:
        at_ns = self.venue.now_ns + round(seconds * NS)
        self.venue.exchange.calendar.move_start(self.event, at_ns, self.venue.now_ns)
        self.hear()

    def says(self, status: str) -> None:
        self.venue.exchange.calendar.set_status(self.event, status, self.venue.now_ns)
        self.hear()

    def spans(self) -> list[tuple[float, float]]:
        """Of the first game, in seconds from the beginning."""
        return [
            ((one.from_ns - START_NS) / NS, (one.until_ns - START_NS) / NS)
            for one in self.forbidden.over(self.venue.now_ns)
            if one.part in ("", str(self.event.event_id))
        ]


def test_a_game_closes_by_the_clock_and_stays_closed_when_it_begins() -> None:
    scene = Scene()
    scene.wait(3600)
    scene.wait(10)
    assert scene.spans() == [(3600 - MARGIN_NS / NS, 3610)]


def test_a_start_that_moves_closes_at_once_and_opens_again() -> None:
    scene = Scene()
    scene.wait(100)
    scene.starts_in(5)
    scene.wait(3)
    scene.starts_in(4)  # it is closed already
    scene.wait(1)
    scene.starts_in(1000)
    scene.wait(100)
    assert scene.spans() == [(100, 104)]
    scene.wait(800)
    assert scene.spans() == [(100, 104), (104 + 1000 - MARGIN_NS / NS, 1004)]


def test_only_not_started_is_before_the_start() -> None:
    scene = Scene()
    scene.wait(50)
    scene.says("postponed")
    scene.wait(20)
    scene.says("not_started")
    scene.wait(20)
    assert scene.spans() == [(50, 70)]


def test_from_a_halt_until_somebody_lets_it_go_on() -> None:
    scene = Scene()
    scene.forbidden.halted(START_NS + 10 * NS)
    scene.forbidden.halted(START_NS + 12 * NS)
    scene.forbidden.resumed(START_NS + 20 * NS)
    scene.forbidden.resumed(START_NS + 21 * NS)
    scene.forbidden.halted(START_NS + 30 * NS)
    scene.wait(40)
    assert scene.spans() == [(10, 20), (30, 40)]


# faults: F7
def test_what_is_off_the_watch_list_is_left_after_a_start() -> None:
    scene = Scene()
    scene.forbidden.watched(False, START_NS + 10 * NS)
    scene.forbidden.watched(True, START_NS + 60 * NS)
    scene.forbidden.watched(True, START_NS + 70 * NS)
    scene.wait(100)
    assert scene.spans() == [(10, 60)]
