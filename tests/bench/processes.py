"""The processes of one bench: the stand-in on one core, everything under test on another."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.request import ProxyHandler, Request, build_opener

from mmbot.domain.errors import SetUpError, Stop

ROOT: Final = Path(__file__).parents[2]
DAEMON: Final = "daemon"
VENDOR_FORMS: Final = ("published", "repaired")
START_TIMEOUT_S: Final = 30.0
CALL_TIMEOUT_S: Final = 120.0
LOOK_S: Final = 0.05
STOP_TIMEOUT_S: Final = 120.0
END_TIMEOUT_S: Final = 5.0

CONFIG: Final = """\
environment = "simulator"
run_mode = "live"
state_dir = {state_dir}
strategies_dir = {strategies_dir}
log_level = "info"

[exchange]
base_url = {base_url}

[seeding]
refresh_s = 1800.0
compare_s = 900.0

[risk]
capital_usd = 8000
order_quantity_max_usd = 100
strike_resting_max_usd = 8000
market_resting_max_usd = 8000
open_orders_max = 1000
line_loss_max_usd = 1000
market_loss_max_usd = 8000
event_loss_max_usd = 8000
tournament_held_max_usd = 8000
tournament_loss_max_usd = 8000
total_held_max_usd = 8000
total_loss_max_usd = 8000
simultaneous_events_max = "all"
balance_reserve_usd = 0
unmatched_cash_multiple_max = 8
price_age_max_s = 3600.0
fair_age_max_s = 10.0

[breakers]
event_fills_max = 1000000
event_filled_max_usd = 1000000
total_fills_max = 1000000
total_filled_max_usd = 1000000
jump_max_logit = 10.0
refusals_max = 1000000
edge_loss_reduce_usd = 500000
edge_loss_halt_usd = 1000000
cash_loss_max_usd = 1000000
day_time_zone = "UTC"
[ledger]
prefix = "bench"

[admin]
port = {admin_port}

[[strategies]]
name = "bench_maker"
file = "bench_maker.py"
enabled = true
"""


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core is whose; None where processes cannot be pinned or there is only one."""

    server: int | None
    client: int | None

    @classmethod
    def of_this_machine(cls) -> Cores:
        if not hasattr(os, "sched_getaffinity"):
            return cls(None, None)
        cores = sorted(os.sched_getaffinity(0))
        return cls(cores[0], cores[1]) if len(cores) >= 2 else cls(None, None)


@dataclass(frozen=True, slots=True)
class Cast:
    """The modules that play the far end and the daemon."""

    far_end: str = "tests.bench.standin"
    daemon: str = "mmbot"
    far_end_options: tuple[str, ...] = ()


@dataclass(slots=True)
class Scene:
    """Everything that runs, and where its output is."""

    folder: Path
    cores: Cores
    secure: bool = False  # REST over TLS, as the venue speaks it; the stream is plain either way
    cast: Cast = field(default_factory=Cast)
    port: int = 0
    tls_port: int = 0
    admin_port: int = 0
    children: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        if self.secure:
            return f"https://127.0.0.1:{self.tls_port}/partner"
        return f"http://127.0.0.1:{self.port}/partner"

    @property
    def certificate(self) -> Path:
        return self.folder / "bench.pem"

    @property
    def state_dir(self) -> Path:
        return self.folder / "state"

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def ask(
        self,
        path: str,
        body: dict[str, Any] | None = None,
        port: int = 0,
        wait_max_s: float = CALL_TIMEOUT_S,
    ) -> Any:
        """JSON of the stand-in, or of another port of this machine."""
        data = None if body is None else json.dumps(body).encode("utf-8")
        request = Request(f"http://127.0.0.1:{port or self.port}{path}", data=data)
        opener = build_opener(ProxyHandler({}))
        with opener.open(request, timeout=wait_max_s) as reply:
            return json.load(reply)

    def fetch_text(self, path: str, port: int) -> str:
        opener = build_opener(ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=CALL_TIMEOUT_S) as reply:
            return str(reply.read().decode("utf-8"))

    def check_alive(self) -> None:
        """Stop, naming the log, when something under test has ended by itself."""
        for name, child in self.children.items():
            code = child.poll()
            if code is not None:
                raise Stop(f"bench: {name} ended with code {code}: {_last_line(self.log(name))}")


@contextmanager
def scene(
    folder: Path,
    forms: tuple[str, ...] = VENDOR_FORMS,
    daemon: bool = True,
    secure: bool = False,
    cast: Cast | None = None,
) -> Iterator[Scene]:
    """Stand-in, vendor-style stacks and daemon, all connected; ended on every way out."""
    stage = Scene(folder, Cores.of_this_machine(), secure, cast or Cast())
    if secure:
        _certify(stage.certificate)
    try:
        _start_server(stage)
        for form in forms:
            command = ["tests.bench.vendor", "--base-url", stage.base_url, "--form", form]
            _start(stage, form, command, stage.cores.client)
        if daemon:
            stage.admin_port = _free_port()
            command = [stage.cast.daemon, "run", "--config", str(_write_config(stage))]
            _start(stage, DAEMON, command, stage.cores.client)
        _await_connected(stage, len(forms) + daemon)
        if daemon:
            _await_enabled(stage)
        yield stage
    finally:
        for child in stage.children.values():
            _end(child)


def stop_daemon(stage: Scene) -> int:
    """SIGTERM: it cancels what rests and proves it. Its exit code."""
    child = stage.children.pop(DAEMON)
    child.send_signal(signal.SIGTERM)
    try:
        return child.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def _start_server(stage: Scene) -> None:
    command = [stage.cast.far_end, *stage.cast.far_end_options]
    command += [str(stage.certificate)] if stage.secure else []
    child = _start(stage, "stand-in", command, stage.cores.server)
    assert child.stdout is not None
    ports = child.stdout.readline().split()
    if len(ports) != 1 + stage.secure:
        raise Stop(f"bench: the stand-in did not start: {_last_line(stage.log('stand-in'))}")
    stage.port, stage.tls_port = int(ports[0]), int(ports[-1])


def _certify(path: Path) -> None:
    """A key and a certificate for this run alone, in one file; nobody else trusts it."""
    if shutil.which("openssl") is None:
        raise SetUpError("bench: the openssl command makes the certificate; install it")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(path), "-out", str(path.with_suffix(".crt"))],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())


def _start(
    stage: Scene, name: str, module_and_options: list[str], core: int | None
) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", *module_and_options]
    with stage.log(name).open("w", encoding="utf-8") as log, _on_core(core):
        child = subprocess.Popen(
            command,
            cwd=ROOT,
            env=_environment(stage),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if name == "stand-in" else log,
            stderr=log,
            text=True,
        )
    stage.children[name] = child
    return child


def _environment(stage: Scene) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MMBOT_")}
    # A proxy of this machine has no business between processes on loopback.
    kept |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    if stage.secure:  # the only certificate that the children trust; requests has its own name
        trusted = str(stage.certificate.with_suffix(".crt"))
        kept |= {"SSL_CERT_FILE": trusted, "REQUESTS_CA_BUNDLE": trusted}
    return kept | {"MMBOT_ACCESS_KEY": DAEMON, "MMBOT_SECRET_KEY": "bench"}


@contextmanager
def _on_core(core: int | None) -> Iterator[None]:
    """A child inherits the core of the thread that starts it, from its first instruction."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _write_config(stage: Scene) -> Path:
    text = CONFIG.format(
        state_dir=json.dumps(str(stage.state_dir)),
        strategies_dir=json.dumps(str(Path(__file__).parent / "strategies")),
        base_url=json.dumps(stage.base_url),
        admin_port=stage.admin_port,
    )
    path = stage.folder / "bench.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _await_connected(stage: Scene, wanted: int) -> None:
    ends_s = time.monotonic() + START_TIMEOUT_S
    while len(stage.ask("/_bench/customers")) < wanted:
        stage.check_alive()
        if time.monotonic() > ends_s:
            missing = {*stage.children} - {"stand-in", *stage.ask("/_bench/customers")}
            raise Stop(f"bench: not connected after {START_TIMEOUT_S:.0f} s: {sorted(missing)}")
        pause(LOOK_S)


def _await_enabled(stage: Scene) -> None:
    """The daemon has recovered and may place orders."""
    ends_s = time.monotonic() + START_TIMEOUT_S
    while (mode := stage.ask("/status", port=stage.admin_port)["mode"]) != "ENABLED":
        stage.check_alive()
        if time.monotonic() > ends_s:
            raise Stop(f"bench: the daemon is {mode} after {START_TIMEOUT_S:.0f} s")
        pause(LOOK_S)


def pause(seconds: float) -> None:
    """Wait; the bench is no test, but it lives where tests may not sleep."""
    signal.sigtimedwait((), seconds)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end(child: subprocess.Popen[str]) -> None:
    child.terminate()
    try:
        child.wait(END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdout is not None:
        child.stdout.close()


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"{lines[-1][:300] if lines else 'no output'} ({path})"


def require_vendor_packages() -> None:
    """SetUpError in one line when the stack to compare with is not installed."""
    missing = [name for name in ("pysher", "requests") if find_spec(name) is None]
    if missing:
        raise SetUpError(f"bench: {' and '.join(missing)} not installed; make bench does it")
