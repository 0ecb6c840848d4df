"""Text and environment to settings: every problem is found at once and says where it is."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    TomlConfigSettingsSource,
)

from mmbot.breakers_config import BreakerSettings
from mmbot.domain.errors import SetUpError
from mmbot.hosts import Environment
from mmbot.hosts import classify_host as classify_host
from mmbot.limits_config import RiskSettings, ScopeSettings, Seconds
from mmbot.sentinel_config import SentinelSettings

TABLES: Final = (
    "exchange", "session", "stream", "seeding", "risk", "breakers", "ledger", "admin", "sentinel"
)  # fmt: skip
ENV_PREFIX: Final = "MMBOT_"
SECRET_WORDS: Final = ("access_key", "secret_key", "api_key", "apikey", "password", "token")

REQUESTS_PER_SECOND_MIN: Final = 9  # the reserves of so small a share leave four placements

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$")]
Port = Annotated[int, Field(ge=0, le=65535)]
DialectName = Literal["v4", "seed"]


class ConfigError(SetUpError):
    """All problems of one configuration, one line each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Credentials(BaseSettings):
    """The secrets; printing one shows `**********`."""

    model_config = {"frozen": True, "extra": "forbid"}

    access_key: SecretStr
    secret_key: SecretStr
    odds_api_key: SecretStr | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` gives: nothing is read behind its back."""
        return (init_settings,)

    @property
    def revealed(self) -> tuple[str, ...]:
        """The values themselves, for the log redactor only."""
        given = (self.access_key, self.secret_key, self.odds_api_key)
        return tuple(secret.get_secret_value() for secret in given if secret is not None)


class ExchangeSettings(_Section):
    base_url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")]
    dialect: DialectName = "v4"
    reply_timeout_s: Annotated[float, Field(ge=1, le=60)] = 12.0
    requests_per_second_max: Annotated[int, Field(ge=25, le=45)] = 45
    account_share: Annotated[float, Field(ge=0.2, le=1, allow_inf_nan=False)] = 1.0
    fee_net_winnings: Annotated[float, Field(ge=0, le=0.05, allow_inf_nan=False)] = 0.02
    ladder_fallback: bool = False
    profile: Path | None = None

    @model_validator(mode="after")
    def _share_is_enough(self) -> ExchangeSettings:
        if int(self.requests_per_second_max * self.account_share) < REQUESTS_PER_SECOND_MIN:
            raise ValueError("account_share leaves too little of requests_per_second_max to trade")
        return self


class SessionSettings(_Section):
    refresh_every_s: Annotated[float, Field(ge=10, le=570)] = 480.0


class StreamSettings(_Section):
    config_poll_s: Seconds = 1800.0
    health_timeout_s: Seconds = 11.0
    reconnect_after_s: Seconds = 30.0


class SeedingSettings(_Section):
    tournaments: tuple[int, ...] = ()
    refresh_s: Seconds = 1800.0
    compare_s: Seconds = 900.0


class LedgerSettings(_Section):
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,20}$")]
    file: Annotated[str, Field(pattern=r"^[^/\\]+$")] = "ledger.sqlite3"
    journal_wait_max_s: Seconds = 1.0


class AdminSettings(_Section):
    host: str = "127.0.0.1"
    port: Port = 9464


class OddsApiSource(_Section):
    kind: Literal["odds_api"]
    name: Name
    url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")]
    poll_s: Seconds = 5.0


class StaticSource(_Section):
    kind: Literal["static"]
    name: Name
    file: Path
    poll_s: Seconds = 5.0


SourceSettings = Annotated[OddsApiSource | StaticSource, Field(discriminator="kind")]


class LineSelection(_Section):
    """Which lines a strategy owns; an empty list selects all."""

    tournaments: tuple[int, ...] = ()
    events: tuple[int, ...] = ()
    market_types: tuple[str, ...] = ()
    sub_types: tuple[str, ...] = ()


class StrategySettings(_Section):
    name: Name
    file: str
    enabled: bool = True
    lines: LineSelection = LineSelection()
    params: dict[str, Any] = Field(default_factory=dict)


class Settings(_Section):
    """One daemon's whole configuration."""

    environment: Environment
    run_mode: Literal["observe", "live"]
    state_dir: Path
    strategies_dir: Path = Path("strategies")
    secrets_dir: Path | None = None
    halt_scope: Literal["account", "ours"] = "account"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    exchange: ExchangeSettings
    session: SessionSettings = SessionSettings()
    stream: StreamSettings = StreamSettings()
    seeding: SeedingSettings = SeedingSettings()
    risk: RiskSettings
    breakers: BreakerSettings
    ledger: LedgerSettings
    admin: AdminSettings = AdminSettings()
    sentinel: SentinelSettings = SentinelSettings()
    sources: tuple[SourceSettings, ...] = ()
    strategies: tuple[StrategySettings, ...] = ()
    credentials: Credentials

    @model_validator(mode="after")
    def _one_game_stops_no_sunday(self) -> Settings:
        events = [one.figures.get("event_loss_max_cents", 0) for one in self.risk.scopes]
        most = max(self.risk.figures["event_loss_max_cents"], *events, 0)
        if self.breakers.cash_loss_max_cents < 2 * most:
            raise ValueError(
                "[breakers] cash_loss_max_usd is below twice [risk] event_loss_max_usd: one game "
                "within its own limit could stop the day; raise it"
            )
        return self

    @model_validator(mode="after")
    def _names_are_unique(self) -> Settings:
        for what, names in (
            ("sources", [source.name for source in self.sources]),
            ("strategies", [strategy.name for strategy in self.strategies]),
        ):
            doubled = sorted({name for name in names if names.count(name) > 1})
            if doubled:
                raise ValueError(f"[[{what}]] two have the name {', '.join(doubled)}")
        return self

    @property
    def strategies_path(self) -> Path:
        """`strategies_dir`; the bundled folder when the usual name does not exist here."""
        if self.strategies_dir == Path("strategies") and not self.strategies_dir.is_dir():
            return bundled_folder("strategies")
        return self.strategies_dir


def bundled_folder(name: Literal["strategies", "config"]) -> Path:
    """The folder that came with mmbot: in a wheel below the package, else in the checkout."""
    package = Path(__file__).resolve().parent
    in_wheel = package / "_bundled" / name
    return in_wheel if in_wheel.is_dir() else package.parent / name


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read one TOML file and its secrets; raises ConfigError with all problems."""
    data = _read_toml(path)
    problems = [f"{path}: {problem}" for problem in _secrets_in_file(data)]
    secrets, secret_problems = _secrets(data.get("secrets_dir"), environ)
    data["credentials"] = secrets
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        problems += [f"{path}: {_problem(item)}" for item in error.errors() if _shown(item)]
        raise ConfigError((*problems, *secret_problems)) from None
    if problems or secret_problems:
        raise ConfigError((*problems, *secret_problems))
    return settings


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb"):
            pass  # the settings source below treats a missing file as an empty one
        return dict(TomlConfigSettingsSource(Credentials, toml_file=path)())
    except OSError as error:
        raise ConfigError((f"{path}: cannot be read: {error.strerror}",)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError((f"{path}: is not valid TOML: {error}",)) from None


def _secrets_in_file(data: dict[str, Any], where: str = "") -> Iterator[str]:
    """Secrets found in the text, taken out of the data so that they are reported once."""
    for key in list(data):
        value = data[key]
        if isinstance(value, dict) and key != "params":
            yield from _secrets_in_file(value, f"[{key}] ")
        elif key.lower() in SECRET_WORDS or key == "credentials":
            del data[key]
            yield (
                f"{where}{key}: a secret does not belong in a config file; set it as "
                f"{ENV_PREFIX}{key.upper()}, in secrets_dir, or as a systemd credential"
            )
        elif isinstance(value, str) and any(f"{word}=" in value.lower() for word in SECRET_WORDS):
            yield f"{where}{key}: carries a secret; set {ENV_PREFIX}ODDS_API_KEY instead"
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, dict):
                    yield from _secrets_in_file(item, f"[[{key}]] ")


def _secrets(folder: object, environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Secrets and what is wrong with them; environment first, then credentials, then folder."""
    found: dict[str, str] = {}
    problems: list[str] = []
    for setting, value in (
        ("secrets_dir", folder),
        ("CREDENTIALS_DIRECTORY", environ.get("CREDENTIALS_DIRECTORY")),
    ):
        if not isinstance(value, str) or not value:
            continue
        if not Path(value).is_dir():
            problems.append(f"{setting}: {value} is not a folder")
            continue
        try:
            found |= SecretsSettingsSource(Credentials, secrets_dir=value)()
        except OSError as error:
            problems.append(f"{setting}: {error.filename} cannot be read: {error.strerror}")
    for name in Credentials.model_fields:
        given = environ.get(f"{ENV_PREFIX}{name.upper()}", found.get(name, "")).strip()
        if given:
            found[name] = given
        elif Credentials.model_fields[name].is_required():
            found[name] = "missing"
            problems.append(
                f"{name}: missing; set {ENV_PREFIX}{name.upper()}, a file {name} in secrets_dir, "
                "or a systemd credential"
            )
        else:
            found.pop(name, None)
    return found, problems


def _shown(item: ErrorDetails) -> bool:
    return item["loc"][:1] != ("credentials",)


def _problem(item: ErrorDetails) -> str:
    """`[risk] line_loss_max_usd: field required`; the value itself is never shown."""
    loc = [part for part in item["loc"] if part not in {"odds_api", "static"}]
    match loc:
        case [str(table), int(number), *rest]:
            where = f"[[{table}]] #{number + 1} {'.'.join(map(str, rest))}"
        case [str(table), str(rows), int(number), *rest]:
            where = f"[[{table}.{rows}]] #{number + 1} {'.'.join(map(str, rest))}"
        case [str(table), *rest] if rest or table in TABLES:
            where = f"[{table}] {'.'.join(map(str, rest))}"
        case _:
            where = ".".join(map(str, loc))
    where = where.strip()
    if item["type"] == "extra_forbidden":
        return f"{where}: unknown key{_suggestion(loc)}"
    message = item["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    return f"{where}: {message}" if where else message


def _suggestion(loc: list[int | str]) -> str:
    model: Any = Settings
    rows = {"sources": OddsApiSource, "strategies": StrategySettings, "scopes": ScopeSettings}
    for part in loc[:-1]:
        if isinstance(part, str):
            field = model.model_fields.get(part)
            model = rows.get(part) or (None if field is None else field.annotation)
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return ""
    close = difflib.get_close_matches(str(loc[-1]), list(model.model_fields), n=1)
    return f" (did you mean {close[0]}?)" if close else ""
