"""`mmbot bench`: tick-to-trade of the whole daemon beside a vendor-style stack."""

from __future__ import annotations

import importlib.util
from typing import Final

import typer

KINDS: Final = ("daemon", "box", "ledger", "stream", "gate", "cancel")


def register(app: typer.Typer) -> None:
    app.command("bench")(bench)


def bench(
    seed: int = typer.Option(1, help="Decides the ticks and the order of turns."),
    rounds: int = typer.Option(25, help="Rounds; in each, every stack gets the same burst."),
    ticks: int = typer.Option(15, help="Orders in a burst, 1 to 18; as many cancels follow."),
    load_rounds: int = typer.Option(10, help="Rounds with 200 frames/s; 0 leaves them out."),
    as_json: bool = typer.Option(False, "--json", help="The last line of stdout is JSON."),
    what: str = typer.Option(
        "daemon",
        help="daemon; box: the exchange; ledger: the journal; stream: market data; gate: risk; "
        "cancel: bad news.",
    ),
    minutes: float | None = typer.Option(
        None, help="How long a Sunday (box, 30) or a flood (stream, 10) runs."
    ),
) -> None:
    """Measure stream message to durable order at the server; needs a source checkout.

    Example: make bench ARGS="--seed 7 --json"

    Example: make bench ARGS="--what box --minutes 5"

    Example: make bench ARGS="--what ledger"

    Example: make bench ARGS="--what stream --minutes 1"

    Example: make bench ARGS="--what gate"

    Example: make bench ARGS="--what cancel"
    """
    from mmbot.domain.errors import SetUpError

    try:
        found = importlib.util.find_spec("tests.bench.__main__")
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise SetUpError("the benchmarks are part of a source checkout: run make bench there")
    if what not in KINDS:
        raise SetUpError(f"--what: {what!r} is none of {', '.join(KINDS)}")
    if minutes is not None and minutes <= 0:
        raise SetUpError(f"--minutes: {minutes:g} is not above 0")
    if what == "daemon":
        from tests.bench.__main__ import Options, main

        raise typer.Exit(main(Options(seed, rounds, ticks, load_rounds, as_json)))
    raise typer.Exit(_measure(what, seed, minutes, as_json))


def _measure(what: str, seed: int, minutes: float | None, as_json: bool) -> int:
    match what:
        case "box":
            from tests.bench.box import main as measure_box

            return measure_box(minutes or 30.0, as_json=as_json)
        case "ledger":
            from tests.bench.ledger_bench import main as measure_ledger

            return measure_ledger(seed=seed, as_json=as_json)
        case "stream":
            from tests.bench.stream_bench import main as measure_stream

            return measure_stream(minutes or 10.0, seed, as_json=as_json)
        case "gate":
            from tests.bench.gate_bench import main as measure_gate

            return measure_gate(seed=seed, as_json=as_json)
        case _:
            from tests.bench.cancel_bench import main as measure_cancel

            return measure_cancel(as_json=as_json)
