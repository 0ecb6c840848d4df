"""Config files, their problems in one clear line each, secrets, and the production guard."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.app import wiring
from mmbot.breakers_config import BreakerSettings
from mmbot.config import ConfigError, Settings, bundled_folder, load
from mmbot.domain.errors import SetUpError
from mmbot.hosts import Environment, classify_host
from mmbot.limits_config import RiskSettings
from mmbot.runtime.limiter import Rates
from mmbot.strategy.loader import Found, create
from mmbot.strategy.loader import load as load_strategy

SHIPPED: Final = ("simulator", "sandbox", "production")
ENVIRON: Final = {"MMBOT_ACCESS_KEY": "an-access-key", "MMBOT_SECRET_KEY": "a-secret-key"}
GOOD: Final = """
environment = "simulator"
run_mode = "live"
state_dir = "state"
[exchange]
base_url = "http://127.0.0.1:8400/partner"
[risk]
capital_usd = 5000
order_quantity_max_usd = 100
strike_resting_max_usd = 200
market_resting_max_usd = 800
open_orders_max = 50
line_loss_max_usd = 250.50
market_loss_max_usd = 300
event_loss_max_usd = 400
tournament_held_max_usd = 500
tournament_loss_max_usd = 900
total_held_max_usd = 600
total_loss_max_usd = 1000
simultaneous_events_max = "all"
balance_reserve_usd = 0
unmatched_cash_multiple_max = 8
price_age_max_s = 30
fair_age_max_s = 10
[breakers]
event_fills_max = 10
event_filled_max_usd = 100
total_fills_max = 40
total_filled_max_usd = 300
jump_max_logit = 0.4
refusals_max = 10
edge_loss_reduce_usd = 100
edge_loss_halt_usd = 200
cash_loss_max_usd = 2000
day_time_zone = "UTC"
[ledger]
prefix = "mm"
"""


def share(per_second_max: int, part: float) -> str:
    rates = f"requests_per_second_max = {per_second_max}\naccount_share = {part}\n"
    return GOOD.replace("[risk]", rates + "[risk]")


def a_file(folder: Path, text: str = GOOD) -> Path:
    path = folder / "x.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(folder: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(a_file(folder, text), ENVIRON if environ is None else environ)
    assert caught.value.problems
    return [problem.removeprefix(f"{folder / 'x.toml'}: ") for problem in caught.value.problems]


def settings_of(folder: Path, text: str = GOOD) -> Settings:
    return load(a_file(folder, text), ENVIRON)


@pytest.mark.parametrize("name", SHIPPED)
def test_each_shipped_file_loads_and_explains_every_line(name: str) -> None:
    path = bundled_folder("config") / f"{name}.toml"
    settings = load(path, ENVIRON)
    assert settings.environment == name
    lines = path.read_text(encoding="utf-8").splitlines()
    for before, line in itertools.pairwise(lines):
        if re.match(r"[a-z_]+ = ", line):
            assert before.startswith("# "), f"{path.name}: nothing explains {line!r}"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_file_names_every_setting_there_is(name: str) -> None:
    text = (bundled_folder("config") / f"{name}.toml").read_text(encoding="utf-8")
    for section, field in Settings.model_fields.items():
        if section in {"credentials", "sources", "strategies", "secrets_dir"}:
            continue
        inner = getattr(field.annotation, "model_fields", {section: None})
        for key in inner:
            shown = rf"^(# )?({key} = |\[\[{section}\.{key}\]\])"  # or as a comment
            assert re.search(shown, text, re.MULTILINE), f"{name}.toml: no {key}"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_file_fits_the_shipped_strategies(name: str) -> None:
    settings = load(bundled_folder("config") / f"{name}.toml", ENVIRON)
    assert {strategy.name for strategy in settings.strategies} == {"consensus", "ladder_maker"}
    for strategy in settings.strategies:
        found = load_strategy(bundled_folder("strategies") / strategy.file)
        assert isinstance(found, Found), found
        made = create(found, strategy.params)
        assert not isinstance(made, tuple), made


def test_production_is_shipped_watching_only() -> None:
    assert load(bundled_folder("config") / "production.toml", ENVIRON).run_mode == "observe"


def test_money_becomes_integer_cents(tmp_path: Path) -> None:
    risk = settings_of(tmp_path).risk
    assert (risk.order_quantity_max_cents, risk.line_loss_max_cents) == (10_000, 25_050)
    assert risk.total_loss_max_cents == 100_000


@given(cents=st.integers(min_value=1, max_value=10**9))
def test_no_cent_is_lost_on_the_way_from_text(cents: int) -> None:
    settings = Settings.model_validate(
        {
            "environment": "simulator",
            "run_mode": "live",
            "state_dir": "state",
            "exchange": {"base_url": "http://127.0.0.1/partner"},
            "breakers": dict.fromkeys(BreakerSettings.model_fields, 10)
            | {"edge_loss_reduce_usd": 5, "cash_loss_max_usd": 10**9, "day_time_zone": "UTC"},
            "ledger": {"prefix": "mm"},
            "credentials": {"access_key": "a", "secret_key": "b"},
            "risk": dict.fromkeys(RiskSettings.model_fields.keys() - {"scopes"}, 10**8)
            | {
                "order_quantity_max_usd": 1,
                "line_loss_max_usd": cents / 100,
                "open_orders_max": 1,
                "unmatched_cash_multiple_max": 8,
            },
        }
    )
    assert settings.risk.line_loss_max_cents == cents


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("line_loss_max_usd = 250.50\n", "line_los_max_usd = 1\n")
    text = text.replace('run_mode = "live"', 'run_mode = "lively"') + "\nprefx = 1\n"
    assert problems_of(tmp_path, text, {}) == [
        "run_mode: input should be 'observe' or 'live'",
        "[risk] line_loss_max_usd: field required",
        "[risk] line_los_max_usd: unknown key (did you mean line_loss_max_usd?)",
        "[ledger] prefx: unknown key (did you mean prefix?)",
        "access_key: missing; set MMBOT_ACCESS_KEY, a file access_key in secrets_dir, "
        "or a systemd credential",
        "secret_key: missing; set MMBOT_SECRET_KEY, a file secret_key in secrets_dir, "
        "or a systemd credential",
    ]


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ("unknown_at_top = 1\n" + GOOD, "unknown_at_top: unknown key"),
        (GOOD + "[[strategies]]\nname = 'a'\n", "[[strategies]] #1 file: field required"),
        (
            GOOD + "[[sources]]\nkind = 'static'\nname = 's'\n",
            "[[sources]] #1 file: field required",
        ),
        (
            GOOD + "[[strategies]]\nname='a'\nfile='a.py'\n[[strategies]]\nname='a'\nfile='b.py'\n",
            "[[strategies]] two have the name a",
        ),
        (GOOD.replace("_max = 8", "_max = 9"), "less than or equal to 8"),
        (GOOD.replace("250.50", "2500"), "[risk]: line_loss_max_usd is above market_loss_max_usd"),
        (GOOD.replace("250.50", "nan"), "[risk] line_loss_max_usd: "),
        (
            GOOD.replace("usd = 2000\nday", "usd = 799.99\nday"),
            "[breakers] cash_loss_max_usd is below",
        ),
        (
            GOOD.replace("halt_usd = 200", "halt_usd = 100"),
            "[breakers]: edge_loss_reduce_usd is not below edge_loss_halt_usd",
        ),
        (GOOD.replace("reduce_usd = 100", "reduce_usd = -1"), "[breakers] edge_loss_reduce_usd: "),
        (GOOD.replace("halt_usd = 200", "halt_usd = inf"), "[breakers] edge_loss_halt_usd: "),
        (
            GOOD.replace('"UTC"', '"Mars/Base"'),
            "[breakers] day_time_zone: no time zone Mars/Base",
        ),
        (GOOD.replace("250.50", "-1"), "[risk] line_loss_max_usd: "),
        (GOOD.replace("250.50", "0.001"), "[risk] line_loss_max_usd: "),
        (GOOD.replace("age_max_s = 10", "age_max_s = inf"), "[risk] fair_age_max_s: "),
        (GOOD.replace('"mm"', '"no spaces"'), "[ledger] prefix: "),
        (share(45, 0.19), "[exchange] account_share: "),
        (share(25, 0.3), "[exchange]: account_share leaves too little"),
    ],
)
def test_a_wrong_value_says_where_it_is(tmp_path: Path, extra: str, expected: str) -> None:
    problems = problems_of(tmp_path, extra)
    assert any(expected in problem for problem in problems), problems


def test_a_process_takes_its_share_of_the_accounts_rate_and_no_more(tmp_path: Path) -> None:
    # faults: D9
    assert wiring.rates(settings_of(tmp_path)) == Rates()
    assert wiring.rates(settings_of(tmp_path, share(45, 0.5))) == Rates.of_share(45, 0.5)


def test_no_risk_figure_has_a_default(tmp_path: Path) -> None:
    text = re.sub(r"\[risk\].*?\[ledger\]", "[risk]\n[breakers]\n[ledger]", GOOD, flags=re.DOTALL)
    missing = {problem.split()[1].rstrip(":") for problem in problems_of(tmp_path, text)}
    figures = RiskSettings.model_fields.keys() | BreakerSettings.model_fields.keys()
    assert missing == figures - {"scopes"}


def test_a_missing_file_and_broken_text_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(SetUpError, match="cannot be read: No such file"):
        load(tmp_path / "none.toml", ENVIRON)
    (problem,) = problems_of(tmp_path, "environment = \n")
    assert problem.startswith("is not valid TOML: ")
    assert "line 1" in problem


@pytest.mark.parametrize(
    "text",
    [
        'access_key = "hunter2"\n' + GOOD,
        GOOD.replace("[risk]", 'secret_key = "hunter2"\n[risk]'),
        GOOD + '[[sources]]\nkind="odds_api"\nname="o"\nurl="https://o.example/?apiKey=hunter2"\n',
        GOOD + '[[sources]]\nkind="odds_api"\nname="o"\nurl="https://o.example/"\n'
        'api_key="hunter2"\n',
        GOOD + '[credentials]\naccess_key = "hunter2"\n',
    ],
)  # fmt: skip
def test_a_secret_in_the_file_is_an_error_that_does_not_repeat_it(
    tmp_path: Path, text: str
) -> None:
    (problem,) = problems_of(tmp_path, text)
    assert "secret" in problem
    assert "hunter2" not in problem


def test_secrets_come_from_a_folder_a_credential_or_the_environment(tmp_path: Path) -> None:
    folder, credentials = tmp_path / "folder", tmp_path / "credentials"
    for path, value in ((folder, "from-folder"), (credentials, "from-systemd")):
        path.mkdir()
        (path / "access_key").write_text(f"{value}\n", encoding="utf-8")
        (path / "secret_key").write_text("s", encoding="utf-8")
    path = a_file(tmp_path, f'secrets_dir = "{folder}"\n{GOOD}')

    def access_key(environ: dict[str, str]) -> str:
        return load(path, environ).credentials.access_key.get_secret_value()

    assert access_key({}) == "from-folder"
    assert access_key({"CREDENTIALS_DIRECTORY": str(credentials)}) == "from-systemd"
    assert access_key({"MMBOT_ACCESS_KEY": "from-environment"}) == "from-environment"


def test_nothing_but_the_given_environment_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODDS_API_KEY", "stray")
    monkeypatch.setenv("MMBOT_ODDS_API_KEY", "stray")
    assert settings_of(tmp_path).credentials.odds_api_key is None


def test_a_secrets_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, f'secrets_dir = "{tmp_path}/none"\n{GOOD}')
    assert problems == [f"secrets_dir: {tmp_path}/none is not a folder"]


def test_printing_settings_shows_no_secret(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    shown = f"{settings!r} {settings} {settings.model_dump_json()} {settings.model_dump()}"
    assert "an-access-key" not in shown
    assert "a-secret-key" not in shown
    assert settings.credentials.revealed == ("an-access-key", "a-secret-key")


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings_of(tmp_path).run_mode = "observe"  # type: ignore[misc]  # that is the test


@pytest.mark.parametrize(
    ("url", "environment", "armed", "expected"),
    [
        ("http://127.0.0.1:8400/partner", "simulator", False, "loopback"),
        ("http://localhost/partner", "production", False, "loopback"),
        ("http://[::1]:80/partner", "sandbox", False, "loopback"),
        ("http://[::ffff:127.0.0.1]/partner", "sandbox", False, "loopback"),
        ("http://10.1.2.3/partner", "simulator", False, "box"),
        ("https://api.sandbox.prophetx.dev/partner", "sandbox", False, "sandbox"),
        ("https://API.Sandbox.ProphetX.dev./partner", "simulator", False, "sandbox"),
        ("https://api-ss-sandbox.betprophet.co/partner", "sandbox", False, "sandbox"),
        ("https://api.example.com/partner", "production", True, "production"),
    ],
)
def test_a_host_is_what_it_is(
    url: str, environment: Environment, armed: bool, expected: str
) -> None:
    assert classify_host(url, environment, armed=armed) == expected


@pytest.mark.parametrize(
    ("url", "environment", "armed"),
    [
        ("https://api.prophetx.co/partner", "sandbox", True),
        ("https://api.prophetx.co/partner", "production", False),
        ("http://api.prophetx.co/partner", "production", True),
        ("https://prophetx.dev.evil.example/partner", "sandbox", True),
        ("https://evilprophetx.dev/partner", "sandbox", True),
        ("https://api.sandbox.prophetx.dev@evil.example/partner", "sandbox", True),
        ("https://127.0.0.1.evil.example/partner", "simulator", True),
        ("http://localhost.evil.example/partner", "simulator", True),
        ("http://10.1.2.3/partner", "sandbox", True),
        ("http://169.254.1.1/partner", "simulator", True),
        ("https://10.1.2.3/partner", "production", False),
        ("https://2130706433/partner", "simulator", False),
        ("http://api.sandbox.prophetx.dev/partner", "sandbox", False),
        ("ftp://127.0.0.1/", "simulator", False),
        ("https:///partner", "production", True),
    ],
)
def test_any_other_host_is_refused_unless_production_is_armed(
    url: str, environment: Environment, armed: bool
) -> None:
    with pytest.raises(SetUpError):
        classify_host(url, environment, armed=armed)
