"""What happens when: the timeline of a scenario, as data; `moves.py` carries it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from mmbot.sim.faults.plan import FaultRule
from mmbot.sim.tables import Between, ScenarioError, built
from mmbot.sim.timeline.hand_actions import Burst, Cancel, Place, Restart, Take

DAY_S = 86_400
# an event: its place in the listing from 1, or its id; 0 means all of them (or one by chance)
EventNumber = int
# a line of that event: its place from 1; 0 means all of them
LineNumber = Annotated[int, Between(0, 20_000)]
AmericanOdds = Annotated[int, Between(-1_000_000, 1_000_000)]
CloseCode = Annotated[int, Between(1000, 4999)]


@dataclass(frozen=True, slots=True)
class News:
    """The fair value of a game jumps; without a shift, as far as the scenario's `drift` says."""

    event: EventNumber = 0
    shift_logit: Annotated[float, Between(-2, 2)] | None = None


@dataclass(frozen=True, slots=True)
class Suspend:
    """Markets take no orders; `market` is a kind (moneyline) or a sub_type, empty for all."""

    event: EventNumber = 0
    market: str = ""


@dataclass(frozen=True, slots=True)
class Reopen:
    event: EventNumber = 0
    market: str = ""


@dataclass(frozen=True, slots=True)
class GoLive:
    event: EventNumber


@dataclass(frozen=True, slots=True)
class End:
    event: EventNumber


@dataclass(frozen=True, slots=True)
class ListEvent:
    """A new game, made from the seed, is listed."""

    lines: Annotated[int, Between(1, 1000)] = 25
    props: Annotated[int, Between(0, 1000)] = 0
    start_after_s: Annotated[float, Between(1, 7 * DAY_S)] = 3600.0


@dataclass(frozen=True, slots=True)
class Unlist:
    event: EventNumber


@dataclass(frozen=True, slots=True)
class Relist:
    event: EventNumber
    new_id: bool = False


@dataclass(frozen=True, slots=True)
class MoveStart:
    """Positive is later; with `in_s` the game begins so long from now, whenever it would have."""

    event: EventNumber
    by_s: Annotated[float, Between(-7 * DAY_S, 7 * DAY_S)] = 0.0
    in_s: Annotated[float, Between(-7 * DAY_S, 7 * DAY_S)] | None = None


@dataclass(frozen=True, slots=True)
class ChangeStatus:
    """A game that does not take place, or will after all; live and over have actions of their own.

    Nothing rests on it unless it is not_started.
    """

    event: EventNumber
    status: Literal["postponed", "cancelled", "not_started"]


@dataclass(frozen=True, slots=True)
class MoveLine:
    """A line gets another number; without `line` the main one of its kind."""

    event: EventNumber
    by: Annotated[float, Between(-50, 50)]
    kind: Literal["spread", "total"] = "spread"
    line: LineNumber = 0


@dataclass(frozen=True, slots=True)
class ChangeLadder:
    """Prices leave the ladder and others come; what rests at one that left goes by rule."""

    remove: tuple[AmericanOdds, ...] = ()
    add: tuple[AmericanOdds, ...] = ()


@dataclass(frozen=True, slots=True)
class Settle:
    """The result and the money; `by_hand` is a manual settlement."""

    event: EventNumber = 0
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Void:
    event: EventNumber
    line: LineNumber = 0


@dataclass(frozen=True, slots=True)
class Push:
    event: EventNumber
    line: LineNumber = 0


@dataclass(frozen=True, slots=True)
class Draw:
    event: EventNumber
    line: LineNumber = 0


@dataclass(frozen=True, slots=True)
class Reverse:
    """A settlement is taken back; what was paid is paid back."""

    event: EventNumber


@dataclass(frozen=True, slots=True)
class Bust:
    """The newest fills of the accounts with keys are taken back."""

    fills: Annotated[int, Between(1, 1000)] = 1


@dataclass(frozen=True, slots=True)
class SwitchTraders:
    """Takers and rivals come or go."""

    on: bool


@dataclass(frozen=True, slots=True)
class Switch:
    """Runtime switches by name, as `POST /_box/faults` takes them."""

    set: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Faults:
    """Fault rules from now on, in place of those before; no rules end all faults."""

    rules: tuple[FaultRule, ...] = ()


@dataclass(frozen=True, slots=True)
class CloseSockets:
    code: CloseCode = 4200
    reason: str = "closed by the scenario"
    account: str = ""


@dataclass(frozen=True, slots=True)
class RefuseSockets:
    """New sockets are turned away with this code; 0 lets them in again."""

    code: Annotated[int, Between(0, 4999)] = 0
    reason: str = "refused by the scenario"


@dataclass(frozen=True, slots=True)
class MuteSockets:
    """Open sockets say nothing any more; with `pongs` they still answer pings."""

    on: bool = True
    pongs: bool = True
    account: str = ""


@dataclass(frozen=True, slots=True)
class MoveStream:
    """connection-config names another key, cluster or host; a code closes the open sockets.

    New sockets that ask for `dead_host` are cut until the stream moves back there. Where it
    moves, sequence numbers may count in another unit; empty: as before.
    """

    key: str = ""
    cluster: str = ""
    host: str = ""
    dead_host: str = ""
    close_code: Annotated[int, Between(0, 4999)] = 0
    sequence_unit: Literal["", "us", "ns"] = ""


@dataclass(frozen=True, slots=True)
class Cash:
    """The cash of an account becomes so much."""

    usd: Annotated[float, Between(0, 1e9)]
    account: str = "maker"


@dataclass(frozen=True, slots=True)
class ExpireTokens:
    """Access tokens die now; with `sessions` the refresh tokens too."""

    account: str = "maker"
    sessions: bool = False


@dataclass(frozen=True, slots=True)
class SuspendAccount:
    account: str = "maker"
    on: bool = True


Action = (
    News | Suspend | Reopen | GoLive | End | ListEvent | Unlist | Relist | MoveStart
    | ChangeStatus | MoveLine | ChangeLadder | Settle | Void | Push | Draw | Reverse | Bust
    | SwitchTraders | Switch | Faults | CloseSockets | RefuseSockets | MuteSockets | MoveStream
    | Cash | ExpireTokens | SuspendAccount | Place | Cancel | Take | Restart | Burst
)  # fmt: skip

ACTIONS: Final[Mapping[str, type[Action]]] = {
    "news": News,
    "suspend": Suspend,
    "reopen": Reopen,
    "go_live": GoLive,
    "end": End,
    "list": ListEvent,
    "unlist": Unlist,
    "relist": Relist,
    "move_start": MoveStart,
    "change_status": ChangeStatus,
    "move_line": MoveLine,
    "change_ladder": ChangeLadder,
    "settle": Settle,
    "void": Void,
    "push": Push,
    "draw": Draw,
    "reverse": Reverse,
    "bust": Bust,
    "traders": SwitchTraders,
    "switch": Switch,
    "faults": Faults,
    "close_sockets": CloseSockets,
    "refuse_sockets": RefuseSockets,
    "mute_sockets": MuteSockets,
    "move_stream": MoveStream,
    "cash": Cash,
    "expire_tokens": ExpireTokens,
    "suspend_account": SuspendAccount,
    "place": Place,
    "cancel": Cancel,
    "take": Take,
    "restart": Restart,
    "burst": Burst,
}


@dataclass(frozen=True, slots=True)
class When:
    """Seconds after the birth of the box, and how often again."""

    at_s: Annotated[float, Between(0, 7 * DAY_S)]
    every_s: Annotated[float, Between(0.001, 7 * DAY_S)] = DAY_S
    times: Annotated[int, Between(1, 100_000)] = 1


@dataclass(frozen=True, slots=True)
class Step:
    """One row of `[[timeline]]`: when, what, and the row's name for messages."""

    when: When
    action: Action
    where: str = field(default="timeline", compare=False)


def read_action(row: object, where: str) -> Action:
    """`{action = "go_live", event = 1}`; raises ScenarioError that names the key."""
    if not isinstance(row, Mapping):
        raise ScenarioError(f"{where} must be a table")
    name = row.get("action")
    kind = ACTIONS.get(name) if isinstance(name, str) else None
    if kind is None:
        known = ", ".join(ACTIONS)
        raise ScenarioError(f"{where}.action must be one of {known}, not {name!r}")
    return built(kind, {k: v for k, v in row.items() if k != "action"}, where)


def read_timeline(rows: object) -> tuple[Step, ...]:
    if not isinstance(rows, list):
        raise ScenarioError("timeline must be a list of tables ([[timeline]])")
    return tuple(_step(row, f"timeline[{i}]") for i, row in enumerate(rows, start=1))


def _step(row: object, where: str) -> Step:
    if not isinstance(row, Mapping):
        raise ScenarioError(f"{where} must be a table")
    times = {key: value for key, value in row.items() if key in ("at_s", "every_s", "times")}
    what = {key: value for key, value in row.items() if key not in times}
    return Step(built(When, times, where), read_action(what, where), where)
