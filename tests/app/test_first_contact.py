"""What a measured profile changes in the daemon, and when it forbids a start."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmbot.app.first_contact import quantity_min_cents
from mmbot.app.wiring import limits
from mmbot.config import Settings, bundled_folder, load
from mmbot.domain.errors import SetUpError
from mmbot.probe import profile
from mmbot.probe.findings import Notebook

KEYS = {"MMBOT_ACCESS_KEY": "a", "MMBOT_SECRET_KEY": "b"}


def settings_with(folder: Path, text: str) -> Settings:
    file = folder / "profile.toml"
    file.write_text(text, encoding="utf-8")
    shipped = (bundled_folder("config") / "simulator.toml").read_text(encoding="utf-8")
    config = folder / "mmbot.toml"
    config.write_text(
        shipped.replace("[exchange]\n", f'[exchange]\nprofile = "{file}"\n'), encoding="utf-8"
    )
    return load(config, KEYS)


def test_without_a_profile_nothing_changes() -> None:
    settings = load(bundled_folder("config") / "simulator.toml", KEYS)
    assert limits(settings).account.quantity_min_cents == 100


def test_the_smallest_order_is_the_one_that_was_taken(tmp_path: Path) -> None:
    notebook = Notebook()
    notebook.found("rules.quantity_min_cents", 500, "5.00 was taken")
    notebook.found("wire.paths", "all", "routes of v4 are there")
    notebook.unknown("rules.fee_bps", "shows only when a game has its result")
    text = profile.text_of(notebook, {"base_url": "http://127.0.0.1:8460/partner"})
    assert limits(settings_with(tmp_path, text)).account.quantity_min_cents == 500


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('probe.base_url = "https://other.prophetx.dev"', "it was measured at https://other"),
        ('wire.paths = "legacy"', 'only the routes of legacy, but dialect = "v4"'),
        ('wire.prices = "decimal"', "prices are decimal"),
        ('rules.alo_crossing = "takes"', "an ALO order takes what it meets"),
        ("session.access_life_s = 300", "tokens live 300 s"),
        ("rules.quantity_min_cents = 99_999_00", "the smallest order is $99999.00"),
        ("what is this", "is not valid TOML"),
    ],
)
def test_what_cannot_be_traded_on_stops_the_start(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SetUpError, match=r"profile") as caught:
        quantity_min_cents(settings_with(tmp_path, text))
    assert said in str(caught.value)


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    text = 'wire.prices = "decimal"\nrules.alo_crossing = "takes"\n'
    with pytest.raises(SetUpError) as caught:
        quantity_min_cents(settings_with(tmp_path, text))
    assert len(str(caught.value).splitlines()) == 2
