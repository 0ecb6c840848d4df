"""What we ship for operators is accepted by the tool that will read it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from mmbot.ops.metrics import Levels, Metrics
from mmbot.ops.sentinel_metrics import SentinelLevels, SentinelMetrics

REPOSITORY: Final = Path(__file__).resolve().parents[2]
DEPLOY: Final = REPOSITORY / "deploy"
UNIT: Final = DEPLOY / "mmbot.service"
UNITS: Final = (UNIT, DEPLOY / "mmbot-sentinel.service")
SENTINEL_LEVELS: Final = SentinelLevels(True, False, False, False, 0, 0.5, 0.5, None)
EXPOSURE_MAX: Final = 20  # tenths: systemd calls up to 2.0 "OK"
# Variables of Grafana, as a query would be sent with them.
VARIABLES: Final = {"$instance": ".*", "$__rate_interval": "1m"}


def tool(name: str, source: str) -> str:
    """The tool's path; skips loudly when it is not there."""
    beside_python = Path(sys.executable).parent / name
    found = str(beside_python) if beside_python.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} IS NOT INSTALLED, this file was not checked (it comes with {source})")
    return found


def output_of(*command: str) -> tuple[int, str]:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=30, cwd=REPOSITORY
    )
    return done.returncode, done.stdout + done.stderr


def test_hadolint_accepts_the_dockerfile() -> None:
    hadolint = tool("hadolint", "the dev lock")
    assert output_of(hadolint, "Dockerfile") == (0, "")


def test_the_image_is_not_root_and_watches_itself() -> None:
    text = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    last_stage = text[text.rindex("FROM ") :]
    assert re.search(r"^USER \d+:\d+$", last_stage, re.MULTILINE)
    assert "HEALTHCHECK" in last_stage
    assert "--require-hashes" in text


def test_everything_the_dockerfile_copies_is_let_in() -> None:
    allowed = {
        line.removeprefix("!")
        for line in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    text = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    copied = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY ")]
    wanted = {name for names in copied if "--from=build" not in names for name in names}
    assert wanted == allowed


@pytest.mark.parametrize("shipped", UNITS, ids=lambda unit: unit.stem)
def test_systemd_reads_the_unit_without_a_word(shipped: Path, tmp_path: Path) -> None:
    analyze = tool("systemd-analyze", "systemd")
    unit = tmp_path / shipped.name
    text = shipped.read_text(encoding="utf-8")
    # Only the program is exchanged: it is not installed where the tests run.
    unit.write_text(text.replace("/opt/mmbot/bin/mmbot", "/bin/true"), encoding="utf-8")
    # A misspelt key is only a warning with exit code 0, so any output fails.
    assert output_of(analyze, "verify", "--man=no", str(unit)) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_the_unit_is_locked_down(unit: Path) -> None:
    analyze = tool("systemd-analyze", "systemd")
    code, said = output_of(
        analyze, "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", str(unit)
    )
    assert code == 0, said


def test_the_unit_gives_a_stop_the_time_it_may_need() -> None:
    text = UNIT.read_text(encoding="utf-8")
    reply_timeout_s, arrival_bound_s = 12, 60
    (stop_s,) = re.findall(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    assert int(stop_s) > reply_timeout_s + arrival_bound_s
    assert "RestartPreventExitStatus=2" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "deploy/prometheus.yml"),
        ("check", "rules", "deploy/alerts.yml"),
        ("test", "rules", "deploy/alerts_test.yml"),
    ],
)
def test_promtool_accepts(arguments: tuple[str, ...]) -> None:
    promtool = tool("promtool", "Debian's package prometheus")
    code, said = output_of(promtool, *arguments)
    assert code == 0, said


def test_every_alert_has_a_severity_and_words() -> None:
    rules = yaml.safe_load((DEPLOY / "alerts.yml").read_text(encoding="utf-8"))
    for rule in rules["groups"][0]["rules"]:
        assert rule["labels"]["severity"] in {"page", "warn"}, rule["alert"]
        assert {"summary", "description"} <= set(rule["annotations"]), rule["alert"]


def test_the_compose_file_hangs_together() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert set(services) == {"exchange", "daemon", "prometheus"}
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} would listen to the world"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).exists(), f"{name}: {source}"


def dashboard() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DEPLOY / "grafana/mmbot.json").read_text(encoding="utf-8"))
    return loaded


def dashboard_queries() -> Iterator[tuple[str, str]]:
    board = dashboard()
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], _substituted(target["expr"])
    for annotation in board["annotations"]["list"]:
        yield annotation["name"], _substituted(annotation["expr"])


def _substituted(expr: str) -> str:
    for name, value in VARIABLES.items():
        expr = expr.replace(name, value)
    return expr


def alert_queries() -> Iterator[tuple[str, str]]:
    rules = yaml.safe_load((DEPLOY / "alerts.yml").read_text(encoding="utf-8"))
    for rule in rules["groups"][0]["rules"]:
        yield rule["alert"], rule["expr"]


def exported_names() -> set[str]:
    metrics = Metrics("0.1.0")
    metrics.observe_levels(Levels("ENABLED", 0, 0, 0, 1, 0, 0, 45))
    metrics.observe_request("login", 200, 0.1)
    metrics.observe_stream("private", True)
    text = metrics.text().decode() + SentinelMetrics().text(SENTINEL_LEVELS).decode()
    names = set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
    return names | {f"{name}_bucket" for name in names} | {"up"}


def test_every_query_parses() -> None:
    promql_parser = pytest.importorskip("promql_parser", reason="promql-parser IS NOT INSTALLED")
    queries = [*dashboard_queries(), *alert_queries()]
    assert len(queries) > 20
    for where, expr in queries:
        try:
            promql_parser.parse(expr)
        except ValueError as error:
            pytest.fail(f"{where}: {error}: {expr}")


def test_every_query_asks_for_a_metric_that_mmbot_exports() -> None:
    names = exported_names()
    for where, expr in (*dashboard_queries(), *alert_queries()):
        asked = set(re.findall(r"\b(mmbot_\w+|process_\w+|up)\b", re.sub(r'"[^"]*"', "", expr)))
        assert asked, where
        assert asked <= names, f"{where}: {asked - names}"


def test_the_dashboard_is_laid_out_without_overlap() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} covers {taken[x, y]}"
                taken[x, y] = panel["title"]


def test_every_panel_says_what_it_shows() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        if panel["type"] != "row":
            assert panel["description"], panel["title"]
            assert panel["targets"], panel["title"]
