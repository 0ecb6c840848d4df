"""What a drill makes of the box's record, and a cable that is cut."""

from __future__ import annotations

import asyncio
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from mmbot.app.drill import HALT_WORDS, ONE_OF_EACH, STRIKES, Row, obeyed, plan, table
from mmbot.app.drill_judge import places_orders, seen_of
from mmbot.app.drill_wire import HOST, Wire
from mmbot.cli.entry import execute

S = 1_000_000_000
STRUCK_NS = 100 * S
PLACE = "/partner/v4/mm/submit_multiple_orders"
LOOK = "/partner/v4/mm/get_order_history?status=open"


class Diary:
    """Lines of a truth; times in seconds."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self._numbers = count(1)

    def _add(self, at_s: float, kind: str, **more: Any) -> int:
        number = next(self._numbers)
        self.lines.append({"n": number, "at_ns": round(at_s * S), "kind": kind, **more})
        return number

    def order(self, at_s: float, ident: str, open_cents: int, what: str = "moved") -> None:
        more = {"status": "open", "open_cents": open_cents, "what": what}
        self._add(at_s, "order", order_id=ident, **more)

    def filled(self, at_s: float, ident: str, cents: int) -> None:
        ours = {"maker_order_id": ident, "maker_cents": cents}
        self._add(at_s, "fill", **ours, taker_order_id="of another", taker_cents=7)

    def asked(self, at_s: float, path: str, answered_s: float | None, status: int = 200) -> None:
        of = self._add(at_s, "request", path=path)
        if answered_s is not None:
            self._add(answered_s, "answer", of=of, status=status)

    def orders(self, idents: str) -> Diary:
        for ident in idents:
            self.order(90, ident, 100, "accepted")
        return self


def test_flat_is_when_the_last_order_ends_and_stays_so() -> None:
    diary = Diary().orders("abc")
    for at_s, ident in ((101, "a"), (102, "b"), (103, "c")):
        diary.order(at_s, ident, 0)
    seen = seen_of(diary.lines, STRUCK_NS)
    assert (seen.resting, seen.flat_ns) == (3, 103 * S)


def test_an_order_that_lands_late_moves_the_moment() -> None:
    diary = Diary().orders("a")
    diary.order(101, "a", 0)
    diary.order(102, "late", 100, "accepted")
    assert seen_of(diary.lines, STRUCK_NS).flat_ns is None
    diary.order(105, "late", 0)
    seen = seen_of(diary.lines, STRUCK_NS)
    assert (seen.flat_ns, seen.landed_after) == (105 * S, 1)


def test_a_fill_is_all_that_is_told_of_the_end_of_an_order() -> None:
    diary = Diary().orders("ab")
    diary.order(101, "b", 0)
    diary.filled(102, "a", 60)
    assert seen_of(diary.lines, STRUCK_NS).flat_ns is None
    diary.filled(103, "a", 40)
    assert seen_of(diary.lines, STRUCK_NS).flat_ns == 103 * S


def test_what_was_filled_before_the_trip_did_not_rest() -> None:
    diary = Diary().orders("abc")
    diary.filled(95, "c", 100)
    diary.order(103, "a", 0)
    diary.order(104, "b", 0)
    seen = seen_of(diary.lines, STRUCK_NS)
    assert (seen.resting, seen.flat_ns) == (2, 104 * S)


def test_a_cancelled_order_that_is_still_called_open_is_gone() -> None:
    diary = Diary().orders("a")
    diary.order(101, "a", 0)
    assert seen_of(diary.lines, STRUCK_NS).flat_ns == 101 * S


@pytest.mark.parametrize(("answered_s", "flies"), [(99.0, False), (101.0, True), (None, True)])
def test_a_batch_is_in_flight_until_it_is_answered(answered_s: float | None, flies: bool) -> None:
    diary = Diary().orders("a")
    diary.asked(98, PLACE, answered_s)
    diary.order(103, "a", 0)
    diary.lines.sort(key=lambda line: line["at_ns"])
    assert seen_of(diary.lines, STRUCK_NS).in_flight is flies


def test_only_looks_after_the_account_was_empty_count() -> None:
    diary = Diary().orders("a")
    diary.asked(101, LOOK, 101.1)
    diary.asked(101.9, LOOK, 102.1)
    diary.order(102, "a", 0)
    diary.lines.sort(key=lambda line: line["at_ns"])
    diary.asked(103, LOOK, 103.1)
    diary.asked(104, LOOK, 104.1, status=503)
    assert seen_of(diary.lines, STRUCK_NS).looks == 1


def test_whoever_places_after_that_is_seen() -> None:
    diary = Diary().orders("a")
    diary.order(102, "a", 0)
    diary.asked(104, PLACE, 104.1)
    assert seen_of(diary.lines, STRUCK_NS).placed_after_flat == 1


REQUEST = f"POST {PLACE} HTTP/1.1\r\nHost: here\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("gone_s", "held", "trouble"),
    [
        (118, 1, ""),
        (118, 0, "placed again"),
        (119, 1, "what landed late still rests"),
        (None, 1, "what landed late still rests"),
    ],
)
def test_what_a_cable_held_may_land_when_it_is_mended_and_is_to_be_found(
    gone_s: float | None, held: int, trouble: str
) -> None:
    diary = Diary().orders("a")
    diary.order(102, "a", 0)
    diary.asked(110.1, PLACE, 110.2)
    diary.order(110.2, "late", 100, "accepted")
    if gone_s is not None:
        diary.order(gone_s, "late", 0)
    row = Row("network cut", "loopback", "sentinel", 28, True, 6.0, 0.3, 8.5, held=True)
    row = obeyed(row, seen_of(diary.lines, STRUCK_NS), 110 * S, held)
    assert (row.trouble, row.held, row.landed_after) == (trouble, not trouble, 1)


def test_a_row_that_did_not_hold_is_not_mended_by_what_comes_after() -> None:
    diary = Diary().orders("a")
    diary.order(102, "a", 0)
    row = Row("network cut", "loopback", "sentinel", 28, True, 6.0, 9.3, 9.5, held=False)
    assert obeyed(row, seen_of(diary.lines, STRUCK_NS), 110 * S, 0).held is False


def test_a_person_reads_what_held_and_what_is_only_shown() -> None:
    row = Row("daemon frozen", "loopback", "sentinel", 28, True, 6.0, 0.3, 8.5, held=True)
    shown = Row("daemon frozen", "venue", "sentinel", 28, True, 6.0, 6.1, None)
    head, first, second = table([row, shown])
    assert head.split()[0] == "tripped"
    assert "0.3s" in first
    assert first.endswith("box; held")
    assert "never" in second
    assert second.endswith("not judged")


class Far:
    """A server of loopback that answers each chunk with the same."""

    def __init__(self) -> None:
        self.heard = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(1_000):
            self.heard += chunk
            writer.write(chunk)
        writer.close()


async def test_a_cut_cable_takes_bytes_and_gives_none() -> None:
    far = Far()
    server = await asyncio.start_server(far.serve, HOST, 0)
    async with server, Wire(server.sockets[0].getsockname()[1]) as wire:
        reader, writer = await asyncio.open_connection(HOST, wire.port)
        writer.write(b"before")
        assert await reader.readexactly(6) == b"before"
        wire.cut()
        writer.write(b"after")
        late, later = await asyncio.open_connection(HOST, wire.port)
        later.write(b"new")
        reads = [asyncio.create_task(one.read(9)) for one in (reader, late)]
        answered, _ = await asyncio.wait(reads, timeout=0.1)
        assert not answered
        assert far.heard == b"before"
        assert b"after" in wire.held
        wire.mend()
        assert [await one for one in reads] == [b"after", b"new"]
        for one, its in ((writer, reader), (later, late)):
            one.write_eof()
            assert await its.read() == b""
            one.close()


def test_a_held_placement_is_told_from_what_else_a_cable_holds() -> None:
    assert places_orders(REQUEST)
    assert not places_orders(REQUEST.replace(b"submit_multiple", b"cancel_multiple"))


@pytest.mark.parametrize(("flag", "known"), [("--profile", "venue"), ("--only", "daemon frozen")])
def test_a_word_that_is_no_trip_is_wrong_use(
    flag: str, known: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["drill", flag, "earthquake"]) == 2
    said = capsys.readouterr().err
    assert f"{flag}: earthquake" in said
    assert known in said


def test_unasked_all_are_judged_and_one_of_each_kind_is_shown_beside() -> None:
    assert [(profile, tuple(trips)) for profile, trips in plan([], [])] == [
        ("loopback", tuple(STRIKES)),
        ("loopback", HALT_WORDS),
        ("venue", ONE_OF_EACH),
    ]


def test_what_is_asked_for_is_tripped_and_nothing_else() -> None:
    assert plan([], ["network cut"]) == [("loopback", ["network cut"])]
    assert [profile for profile, _ in plan(["venue"], [])] == ["venue", "venue"]


def test_a_folder_that_cannot_be_made_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    arguments = ["drill", "--only", "daemon frozen", "--logs", str(tmp_path / "file")]
    assert execute(arguments) == 2
    assert "--logs: " in capsys.readouterr().err
