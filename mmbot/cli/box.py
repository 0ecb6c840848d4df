"""`mmbot exchange`: the exchange in the box, alone."""

from __future__ import annotations

from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    app.command("exchange")(exchange)


def exchange(
    port: int = typer.Option(8460, help="Loopback port; 0 chooses a free one."),
    seed: int | None = typer.Option(None, help="Everything random is drawn from it; usually 7."),
    latency: str | None = typer.Option(
        None, help="loopback (the default without a scenario) or venue (with one)."
    ),
    scenario: Path | None = typer.Option(None, help="A shipped scenario's name, or a TOML file."),
    profile: Path | None = typer.Option(None, help="What `mmbot probe` measured: play that."),
    list_scenarios: bool = typer.Option(False, help="Name the shipped scenarios and end."),
    speed: float | None = typer.Option(None, help="The market lives so many times faster."),
    data: Path | None = typer.Option(None, help="A folder with other odds of the same form."),
    record: Path | None = typer.Option(None, help="Write the record to this file at the end."),
    truth: Path | None = typer.Option(None, help="Write every line of the truth to this file."),
    control_token: str | None = typer.Option(
        None, help="What steering must show in X-Box-Token; else one is made and printed."
    ),
    list_faults: bool = typer.Option(False, help="Name each fault and who makes it, and end."),
    self_test: bool = typer.Option(False, help="Compare the box with the contract's examples."),
    examples: Path | None = typer.Option(None, help="With --self-test: another folder of them."),
    as_json: bool = typer.Option(False, "--json", help="With --self-test: say it as JSON."),
) -> None:
    """Run the exchange in the box on loopback, without a daemon.

    Example: mmbot exchange --port 8460 --seed 7

    Example: mmbot exchange --scenario sunday --speed 10

    Example: mmbot exchange --profile state/probe/profile.toml

    Example: mmbot exchange --self-test
    """
    if self_test:
        from mmbot.sim.conformance.self_test import main as compare

        raise typer.Exit(compare(examples, as_json=as_json))
    from mmbot.sim.http.server import main as serve

    arguments = ["--port", str(port)]
    given = (
        ("--seed", seed),
        ("--latency", latency),
        ("--scenario", scenario),
        ("--profile", profile),
        ("--speed", speed),
        ("--data", data),
        ("--record", record),
        ("--truth", truth),
        ("--control-token", control_token),
    )
    for flag, value in given:
        if value is not None:
            arguments += [flag, str(value)]
    if list_scenarios:
        arguments.append("--list-scenarios")
    if list_faults:
        arguments.append("--list-faults")
    raise typer.Exit(serve(arguments))
