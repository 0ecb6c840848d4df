"""Requests that go wrong inside the box, so that a fault is the same over sockets and in memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import Final, Protocol

from mmbot.sim.core.messages import Json
from mmbot.sim.core.orders import Account, Refusal
from mmbot.sim.faults.board import NS, FaultBoard
from mmbot.sim.faults.canned import canned, canned_error
from mmbot.sim.faults.kinds import external_ids, route_kind
from mmbot.sim.faults.odd_values import odd_answer
from mmbot.sim.faults.plan import NOT_EXECUTED, Fault, Hit, Target
from mmbot.sim.faults.switches import Switches
from mmbot.sim.http.replies import Reply, reply
from mmbot.sim.http.requests import body_of
from mmbot.sim.http.routes import Arrival

IDS_SHOWN_MAX: Final = 3
BATCH_ITEMS_MAX: Final = 20
TRAVEL_NS: Final = 500_000  # even a refusal travels
LOST: Final = Reply(0, {}, b"", lost=True)
SESSIONS_FULL: Final = Refusal(403, "session_num_exceed", "too many sessions")
Schedule = Callable[[int, Callable[[int], None]], None]


class Door(Protocol):
    """The routes of the exchange, as they are when nothing goes wrong."""

    def arrive(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, now_ns: int
    ) -> Arrival | Reply: ...

    def execute(self, arrival: Arrival, now_ns: int) -> Reply: ...

    def refuse(self, arrival: Arrival, refused: Refusal, now_ns: int) -> Reply: ...


class Mishaps:
    """Stands before the routes: what the board draws for a request happens to it."""

    def __init__(
        self, door: Door, board: FaultBoard, switches: Switches, schedule: Schedule
    ) -> None:
        self._door = door
        self._board = board
        self._switches = switches
        self._schedule = schedule

    def arrive(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, now_ns: int
    ) -> Arrival | Reply:
        kind = route_kind(path)
        if kind == "control":
            return self._door.arrive(method, path, headers, body, now_ns)
        route = path.partition("?")[0]
        if kind in ("auth", "feed"):
            if self._switches.sessions_full and route.endswith("/auth/login"):
                return self._dated(reply(SESSIONS_FULL, now_ns), now_ns)
            done = self._at_once(
                self._board.request(kind, now_ns, Target(access_keys(body), route)),
                (method, path, headers, body),
                now_ns,
            )
            return self._delayed(done) if kind == "auth" else done
        found = self._door.arrive(method, path, headers, body, now_ns)
        if isinstance(found, Reply):
            return self._dated(found, now_ns)
        refusal = self._refusal(found)
        if refusal is not None:
            return self._dated(self._door.refuse(found, refusal, now_ns), now_ns)
        if kind == "place" and self._switches.place_late_s:
            self._land_in(self._switches.place_late_s, found, now_ns)
            return dataclasses.replace(LOST, hang=True)
        hit = self._board.request(kind, now_ns, Target(_names(found.account), route))
        if hit is None:
            return found
        told = _describe(method, route, body)
        if hit.fault is Fault.BATCH_CUT:
            told += " cut and lost" if hit.copies % 2 else " cut and failed"
        self._board.note(hit, told, now_ns)
        if hit.fault is Fault.LANDS_LATE:
            self._land_in(hit.late_s[int(hit.chance * len(hit.late_s))], found, now_ns)
            return LOST
        if hit.fault in NOT_EXECUTED:
            done = _answered(hit, route, LOST, now_ns)
            return self._dated(self._worded(hit, found, done, now_ns), now_ns)
        return dataclasses.replace(found, hit=hit)

    def execute(self, arrival: Arrival, now_ns: int) -> Reply:
        hit = arrival.hit
        if hit is None:
            return self._dated(self._door.execute(arrival, now_ns), now_ns)
        if hit.fault is Fault.BATCH_CUT:
            arrival = _cut(arrival, hit.chance)
        elif hit.fault is Fault.ITEM_TWICE:
            arrival = _repeated(arrival, hit.chance)
        elif hit.fault is Fault.ITEM_UNKNOWN:
            return self._dated(self._mistaken(arrival, hit.chance, now_ns), now_ns)
        done = self._door.execute(arrival, now_ns)
        done = _answered(hit, arrival.route, done, now_ns)
        return self._dated(self._worded(hit, arrival, done, now_ns), now_ns)

    def _worded(self, hit: Hit, arrival: Arrival, done: Reply, now_ns: int) -> Reply:
        """An error that was made up speaks the dialect of who asked."""
        status, code = canned_error(hit, route_kind(arrival.route))
        made_up = done.status == status >= 400
        if not made_up or done.headers.get("Content-Type") != "application/json":
            return done
        worded = self._door.refuse(arrival, Refusal(status, code, code), now_ns)
        return dataclasses.replace(done, body=worded.body)

    def _mistaken(self, arrival: Arrival, chance: float, now_ns: int) -> Reply:
        """One order of the batch is looked up under a wrong id, so that it is not found."""
        items = _items(arrival)
        if not items:
            return self._door.execute(arrival, now_ns)
        number = int(chance * len(items))
        wrong = {name: _reversed_id(value) for name, value in items[number].items()}
        fields: Json = {"data": [*items[:number], wrong, *items[number + 1 :]]}
        done = self._door.execute(dataclasses.replace(arrival, body=fields), now_ns)
        told = done.body
        for name, value in items[number].items():
            told = told.replace(str(wrong[name]).encode(), str(value).encode())
        return dataclasses.replace(done, body=told)

    def _land_in(self, late_s: float, arrival: Arrival, now_ns: int) -> None:
        def land(at_ns: int) -> None:
            self._door.execute(arrival, at_ns)

        self._schedule(now_ns + round(late_s * NS), land)

    def _delayed(self, done: Arrival | Reply) -> Arrival | Reply:
        delay_ns = round(self._switches.auth_delay_s * NS)
        if not delay_ns or not isinstance(done, Reply):
            return done
        return dataclasses.replace(done, after_ns=done.after_ns + delay_ns)

    def _at_once(
        self, hit: Hit | None, request: tuple[str, str, Mapping[str, str], bytes], now_ns: int
    ) -> Arrival | Reply:
        """Log-in, refresh and the odds feed are answered at the door."""
        method, path, headers, body = request
        done: Arrival | Reply = LOST
        if hit is None or hit.fault not in NOT_EXECUTED:
            done = self._door.arrive(method, path, headers, body, now_ns)
        if not isinstance(done, Reply):
            return done
        if hit is not None:
            self._board.note(hit, f"{method} {path.partition('?')[0]}", now_ns)
            done = _answered(hit, path.partition("?")[0], done, now_ns)
        return self._dated(done, now_ns)

    def _refusal(self, arrival: Arrival) -> Refusal | None:
        """What a switch has the exchange say to everybody."""
        if route_kind(arrival.route) == "place" and self._switches.placement_ip_refused:
            return Refusal(403, "placement_ip_refused", "orders are not accepted from this address")
        return None

    def _dated(self, done: Reply, now_ns: int) -> Reply:
        """The Date header of an exchange whose clock is wrong."""
        skew_s = self._switches.clock_skew_s
        if skew_s and "Date" in done.headers:
            date = formatdate(now_ns / NS + skew_s, usegmt=True)
            return dataclasses.replace(done, headers=done.headers | {"Date": date})
        return done


def delays_ns(arrival: Arrival) -> tuple[int, int]:
    """How long a slow request is under way before it is executed, and its answer after that."""
    hit = arrival.hit
    if hit is None or hit.fault is not Fault.SLOW:
        return 0, 0
    total = round(hit.delay_s * NS)
    before = round(total * hit.chance)
    return before, total - before


def _answered(hit: Hit, route: str, done: Reply, now_ns: int) -> Reply:
    """What comes back after a fault, when `done` would have come back without it."""
    match hit.fault:
        case Fault.REPLY_RESET | Fault.REQUEST_RESET:
            return LOST
        case Fault.REPLY_HANGS | Fault.REQUEST_HANGS:
            return dataclasses.replace(LOST, hang=True)
        case Fault.SLOW | Fault.ITEM_TWICE:
            return done
        case Fault.TRUNCATED:
            return dataclasses.replace(done, body=done.body[: int(len(done.body) * hit.chance)])
        case Fault.TRICKLE:
            return dataclasses.replace(done, trickle=True)
        case Fault.REPLY_ODD:
            return dataclasses.replace(done, body=odd_answer(done.body, hit.chance))
        case Fault.BATCH_CUT if hit.copies % 2:
            return LOST
        case _:
            return Reply(*canned(hit, route_kind(route), now_ns), after_ns=TRAVEL_NS)


def _cut(arrival: Arrival, chance: float) -> Arrival:
    """A batch of which only the first items are seen: none, some, or all."""
    items = _items(arrival)
    if items is None:
        return arrival
    fields: Json = {"data": items[: int(chance * (len(items) + 1))]}
    return dataclasses.replace(arrival, body=fields)


def _repeated(arrival: Arrival, chance: float) -> Arrival:
    """A batch with one of its items twice; a full one stays as it is."""
    items = _items(arrival)
    if not items or len(items) >= BATCH_ITEMS_MAX:
        return arrival
    fields: Json = {"data": [*items, items[int(chance * len(items))]]}
    return dataclasses.replace(arrival, body=fields)


def _items(arrival: Arrival) -> list[Json] | None:
    items = arrival.body.get("data") if isinstance(arrival.body, dict) else None
    return items if isinstance(items, list) else None


def _reversed_id(value: object) -> object:
    """An id of the same form that belongs to nobody."""
    return value[::-1] if isinstance(value, str) else value


def _names(account: Account) -> tuple[str, ...]:
    return (account.name, account.access_key)


def access_keys(body: bytes) -> tuple[str, ...]:
    """The access key that a log-in names."""
    fields = body_of(body, "", form=False)
    key = fields.get("access_key") if isinstance(fields, dict) else None
    return (str(key),) if key else ()


def _describe(method: str, route: str, body: bytes) -> str:
    ids = external_ids(body)
    more = f" and {len(ids) - IDS_SHOWN_MAX} more" if len(ids) > IDS_SHOWN_MAX else ""
    return f"{method} {route} {' '.join(ids[:IDS_SHOWN_MAX])}{more}".rstrip()
