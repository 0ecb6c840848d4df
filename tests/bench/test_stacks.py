"""The parts on real sockets: each stack orders and cancels on every tick it is shown."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from mmbot.store.journal import export_orders
from tests.bench.processes import DAEMON, ROOT, VENDOR_FORMS, scene, stop_daemon

needs_vendor_packages = pytest.mark.skipif(
    not (find_spec("pysher") and find_spec("requests")),
    reason="pysher and requests are not installed: `make bench` installs tests/bench.lock",
)
BURST = {"seed": 5, "ticks": 3}


def test_the_daemon_answers_ticks_with_orders_that_its_ledger_holds(tmp_path: Path) -> None:
    with scene(tmp_path, forms=()) as stage:
        answer = stage.ask("/_bench/burst", {"customer": DAEMON, **BURST})
        seen = stage.ask(f"/_bench/orders?customer={DAEMON}")
        assert stop_daemon(stage) == 0
    assert (len(answer["place_ns"]), len(answer["cancel_ns"])) == (3, 3)
    assert (answer["missed"], answer["unasked"]) == (0, 0)
    ledger = {row["external_id"]: row for row in export_orders(stage.state_dir / "ledger.sqlite3")}
    assert set(seen) <= ledger.keys()
    assert {row["state"] for row in ledger.values()} == {"CANCELLED"}


@needs_vendor_packages
def test_both_vendor_style_stacks_send_the_same_orders(tmp_path: Path) -> None:
    with scene(tmp_path, VENDOR_FORMS, daemon=False) as stage:
        answers = [stage.ask("/_bench/burst", {"customer": form, **BURST}) for form in VENDOR_FORMS]
    for answer in answers:
        assert (len(answer["place_ns"]), len(answer["cancel_ns"])) == (3, 3)
        assert (answer["missed"], answer["unasked"]) == (0, 0)
    assert answers[0]["orders"] == answers[1]["orders"]


def test_without_a_checkout_the_command_says_so_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "mmbot").symlink_to(ROOT / "mmbot")
    # As from a wheel: the checkout, which an editable install puts on the path, is not there.
    code = (
        f"import sys; sys.path[:] = [{str(tmp_path)!r}, "
        f"*(one for one in sys.path if one not in ('', {str(ROOT)!r}))]; "
        "from mmbot.cli import main; sys.exit(main())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, "bench"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "mmbot: the benchmarks are part of a source checkout: run make bench there"
    ]
