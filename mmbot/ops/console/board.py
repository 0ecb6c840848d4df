"""The whole screen of a demo, from plain data; it fits into 80 by 24 and uses more if it can."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from mmbot.ops.console.rows import LineRow, SideRow, line_rows, maker_account

Json = Mapping[str, Any]

TITLE: Final = "mmbot demo"
PLAINLY: Final = "real closing prices, simulated takers: proves mechanics and risk, not profit"
KEYS: Final = "k kill -9 the daemon   n late news   h halt/resume   q stop, settle, compare"
TRADES_SHOWN_MAX: Final = 5
WIDE_FROM: Final = 112  # below it the sizes at the touch and the results are left out
FIXED_LINES: Final = 8  # title, plain words, column heads, figures, caption, keys


@dataclass(frozen=True, slots=True)
class Scene:
    """What is shown: the last states seen (None: not yet, or no answer), caption, room."""

    state: Json | None
    status: Json | None
    caption: str
    elapsed_s: float
    width: int = 120
    height: int = 40

    @property
    def wide(self) -> bool:
        return self.width >= WIDE_FROM


def board(scene: Scene) -> RenderableType:
    lines = [_title(scene)]
    caption = f" {scene.caption} "
    if len(caption) <= scene.width:  # else its second line needs the room
        lines.append(Text(PLAINLY, style="dim"))
    if scene.state is not None:
        rows = line_rows(scene.state, scene.status)
        lines += [_heads(scene), *_lines(scene, rows), *_figures(scene, rows)]
        free = scene.height - FIXED_LINES - len(rows) - len({row.event for row in rows})
        lines += list(_trades(scene.state))[: max(0, min(TRADES_SHOWN_MAX, free))]
    for line in lines:
        line.no_wrap = True
        line.overflow = "ellipsis"
    return Group(*lines, Text(caption, style="bold reverse"), Text(KEYS, style="dim"))


def _title(scene: Scene) -> Text:
    text = Text(TITLE, style="bold")
    if scene.state is not None:
        given = f"  seed {scene.state['seed']}  latency {scene.state['latency_profile']}"
        text.append(given, style="not bold")
    text.append(f"  {scene.elapsed_s:.0f} s  ", style="not bold")
    return text.append(*_mode(scene.status))


def _mode(status: Json | None) -> tuple[str, str]:
    if status is None:
        return "daemon: not answering", "bold red"
    if not status.get("recovered", True):
        return "daemon: recovering", "bold yellow"
    mode = str(status["mode"])
    return f"daemon: {mode}", "bold green" if mode == "ENABLED" else "bold yellow"


# --- the lines: name, then for each outcome name, fair, touch and our quote -------------------


def _heads(scene: Scene) -> Text:
    touch = f"{'taker gets':>12}" if scene.wide else f"{'touch':>6}"
    side = f"{'outcome':<9} {'fair':>5}{touch}{'our quote':>11}  "
    results = f"{'if first':>9}{'if second':>10}" if scene.wide else ""
    return Text(f"{'':<11} {side}{side}{results}", style="dim")


def _lines(scene: Scene, rows: list[LineRow]) -> Iterator[Text]:
    event = ""
    for row in rows:
        if row.event != event:
            event = row.event
            played = f" (played {row.true_date}, relisted for {row.start_time} UTC)"
            yield Text(event, style="bold").append(played, style="not bold dim")
        text = Text(f"{row.name[:11]:<11} ")
        for side in row.sides:
            _add_side(text, side, scene.wide)
        if scene.wide:
            for side in row.sides:
                _add_result(text, side.result_if_cents)
        yield text


def _add_side(text: Text, side: SideRow, wide: bool) -> None:
    text.append(f"{side.short_name[:9]:<9} ")
    text.append(f"{side.fair:5.3f}", style="cyan")
    touch = "-" if side.taker_price is None else f"{side.taker_price:+d}"
    if wide and side.taker_price is not None:
        touch += f" {_dollars(side.taker_cents)}"
    text.append(f"{touch:>{12 if wide else 6}}")
    if not side.ours:
        text.append(f"{'-':>11}  ", style="dim")
        return
    price, cents, in_doubt = side.ours[0]
    more = "+" if len(side.ours) > 1 else "?" if in_doubt else " "
    style = "yellow" if in_doubt else "bold green"
    text.append(f"{f'{price:+d} {_dollars(cents)}':>11}{more} ", style=style)


def _add_result(text: Text, cents: int) -> None:
    if cents == 0:
        text.append(f"{'0':>9}", style="dim")
    else:
        text.append(f"{cents / 100:>+9,.0f}", style="green" if cents > 0 else "red")


def _dollars(cents: int) -> str:
    return f"${cents / 100:,.0f}"


# --- figures and trades ------------------------------------------------------------------------


def _figures(scene: Scene, rows: list[LineRow]) -> Iterator[Text]:
    state, status = scene.state or {}, scene.status or {}
    account = maker_account(state) if state else {}
    orders = status.get("orders", {})
    marked = round(sum(row.expected_cents for row in rows))
    ticks = status.get("tick_to_trade_us") or {}
    worst, limit = status.get("worst_case_cents"), status.get("worst_case_limit_cents")
    risk = "-" if worst is None or limit is None else f"${worst / 100:,.0f} of ${limit / 100:,.0f}"
    yield _pairs(
        ("fills", str(account.get("fills", 0))),
        ("open", str(account.get("open_orders", 0))),
        ("placed", str(orders.get("placed", "-"))),
        ("in doubt", str(orders.get("in_doubt", "-"))),
        ("PnL", f"${marked / 100:+,.0f}"),
        ("worst case", risk),
    )
    yield _pairs(
        ("requests/s", f"{account.get('requests_last_second', 0)} of 50"),
        ("book age", _age(status.get("book_age_s"))),
        ("feed age", _age(status.get("fair_age_s"))),
        ("tick to trade", f"{ticks['p50'] / 1000:.1f} ms" if ticks.get("p50") else "-"),
    )


def _pairs(*pairs: tuple[str, str]) -> Text:
    text = Text()
    for n, (name, value) in enumerate(pairs):
        text.append("  " if n else "").append(f"{name} ", style="dim").append(value, style="bold")
    return text


def _age(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f} s"


def _trades(state: Json) -> Iterator[Text]:
    mine = maker_account(state).get("name", "")
    for trade in state["trades"]:
        with_us = mine in {trade["maker"], trade["taker"]}
        who = "us" if with_us else trade["maker"]
        yield Text(
            f"{_dollars(trade['taker_cents'])} bought {trade['taker_buys']} at "
            f"{trade['taker_price']:+d} from {who} ({trade['event']})",
            style="green" if with_us else "dim",
        )
