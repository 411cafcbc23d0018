"""Settings from the environment: defaults, names of bad ones, secrets that stay unseen, the README's table."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from resources.settings import LOCAL_CLIENT_ID, LOCAL_CLIENT_SECRET, AttentionSettings, Settings, Thresholds
from runway_calcs.policy import AttentionPolicy

_README = Path(__file__).resolve().parents[2] / "README.md"
_CANARY = "canary-4711-secret"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine reaches these tests."""
    for name in os.environ:
        if name.startswith("RUNWAY_"):
            monkeypatch.delenv(name)


def test_an_empty_environment_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings()
    data = tmp_path / ".runway"
    assert settings.url_of_database == f"sqlite:///{data / 'runway.sqlite'}"
    assert settings.lake_root == data / "lake"
    assert settings.digests_root == data / "digests"
    assert settings.key_file == data / "keys" / "token.keys"
    assert settings.dagster_home == data / "dagster"
    client_id, secret = settings.client_credentials
    assert (client_id, secret.get_secret_value()) == (LOCAL_CLIENT_ID, LOCAL_CLIENT_SECRET)
    assert list(tmp_path.iterdir()) == []


def test_everything_follows_the_data_folder_unless_it_is_set_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNWAY_DATA_DIR", "/srv/runway")
    monkeypatch.setenv("RUNWAY_LAKE_DIR", "/mnt/lake")
    monkeypatch.setenv("RUNWAY_DATABASE_URL", "postgresql+psycopg:///runway")
    settings = Settings()
    assert settings.lake_root == Path("/mnt/lake")
    assert settings.digests_root == Path("/srv/runway/digests")
    assert settings.url_of_database == "postgresql+psycopg:///runway"


@pytest.mark.parametrize(
    "name", ["LAKE_DIR", "DIGESTS_DIR", "DATABASE_URL", "QBO_TIMEOUT_SECONDS", "THRESHOLDS__FLOOR_CENTS"]
)
def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """An empty path once meant the current folder."""
    monkeypatch.setenv(f"RUNWAY_{name}", "")
    assert Settings() == _default_settings(monkeypatch, name)


def _default_settings(monkeypatch: pytest.MonkeyPatch, name: str) -> Settings:
    monkeypatch.delenv(f"RUNWAY_{name}")
    return Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QBO_ENVIRONMENT", "prod"),
        ("QBO_TIMEOUT_SECONDS", "soon"),
        ("QBO_TIMEOUT_SECONDS", "0"),
        ("QBO_RETRY_SECONDS", "-1"),
        ("LOG_LEVEL", "LOUD"),
        ("THRESHOLDS__CARD_BASIS", "both"),
        ("THRESHOLDS__STALE_AFTER_DAYS", "-1"),
        ("THRESHOLDS__FLOOR_CENTS", "12.5"),
        ("THRESHOLDS__FLOR_CENTS", "12"),
    ],
)
def test_a_bad_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"RUNWAY_{name}", value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    places = ["__".join(str(part) for part in one["loc"]).upper() for one in caught.value.errors()]
    assert places == [name]


@pytest.mark.parametrize("environment", ["sandbox", "production"])
@pytest.mark.parametrize("given", ["", "ID", "SECRET"])
def test_intuit_without_both_keys_is_refused(monkeypatch: pytest.MonkeyPatch, environment: str, given: str) -> None:
    monkeypatch.setenv("RUNWAY_QBO_ENVIRONMENT", environment)
    if given:
        monkeypatch.setenv(f"RUNWAY_QBO_CLIENT_{given}", _CANARY)
    with pytest.raises(ValidationError, match="RUNWAY_QBO_CLIENT_ID and RUNWAY_QBO_CLIENT_SECRET"):
        Settings()


def test_intuit_with_keys_uses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNWAY_QBO_ENVIRONMENT", "production")
    monkeypatch.setenv("RUNWAY_QBO_CLIENT_ID", "my-app")
    monkeypatch.setenv("RUNWAY_QBO_CLIENT_SECRET", _CANARY)
    client_id, secret = Settings().client_credentials
    assert (client_id, secret.get_secret_value()) == ("my-app", _CANARY)


def test_no_message_shows_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check of the whole model once showed all values beside its message."""
    monkeypatch.setenv("RUNWAY_QBO_ENVIRONMENT", "production")
    monkeypatch.setenv("RUNWAY_QBO_CLIENT_SECRET", _CANARY)
    monkeypatch.setenv("RUNWAY_TOKEN_KEYS", _CANARY)
    monkeypatch.setenv("RUNWAY_DATABASE_URL", f"postgresql+psycopg://runway:{_CANARY}@db/runway")
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert _CANARY not in f"{caught.value} {caught.value!r}"


def test_printed_settings_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNWAY_QBO_CLIENT_SECRET", _CANARY)
    monkeypatch.setenv("RUNWAY_TOKEN_KEYS", _CANARY)
    monkeypatch.setenv("RUNWAY_DATABASE_URL", f"postgresql+psycopg://runway:{_CANARY}@db/runway")
    settings = Settings()
    assert _CANARY not in f"{settings} {settings!r}"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().log_level = "DEBUG"  # type: ignore[misc]  # the subject


def test_thresholds_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNWAY_THRESHOLDS__FLOOR_CENTS", "2500000")
    monkeypatch.setenv("RUNWAY_THRESHOLDS__EXCLUDED_ACCOUNT_IDS", '["35", "36"]')
    thresholds = Settings().thresholds
    assert (thresholds.floor_cents, thresholds.excluded_account_ids) == (2_500_000, ("35", "36"))
    assert thresholds.card_basis == "payment"


def test_when_a_client_needs_attention_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert AttentionPolicy(**Settings().attention.model_dump()) == AttentionPolicy()
    monkeypatch.setenv("RUNWAY_ATTENTION__SHORT_DAYS", "40")
    assert Settings().attention.short_days == 40
    monkeypatch.setenv("RUNWAY_ATTENTION__FALLEN_DAYS", "0")
    with pytest.raises(ValidationError, match="fallen_days"):
        Settings()


def test_a_tenants_own_thresholds_win_one_by_one() -> None:
    general = Thresholds(floor_cents=100, stale_after_days=5)
    own = general.overridden({"floor_cents": 900, "excluded_account_ids": ["35"]})
    assert own == Thresholds(floor_cents=900, stale_after_days=5, excluded_account_ids=("35",))
    assert general.floor_cents == 100


@pytest.mark.parametrize(
    "overrides", [{"floor_cents": -1}, {"floor": 1}, {"card_basis": "both"}, {"stale_after_days": "many"}]
)
def test_a_bad_threshold_of_a_tenant_is_refused_by_name(overrides: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(overrides))):
        Thresholds().overridden(overrides)


def test_a_limit_of_calls_below_their_budget_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNWAY_QBO_CALL_BUDGET", "50000")
    with pytest.raises(ValidationError, match="RUNWAY_QBO_CALL_LIMIT=20000 is below RUNWAY_QBO_CALL_BUDGET=50000"):
        Settings()


def test_the_readmes_table_is_the_module() -> None:
    text = _README.read_text(encoding="utf-8")
    section = text.split("<!-- settings -->")[1].split("<!-- /settings -->")[0]
    rows = re.findall(r"^\| `(RUNWAY_[A-Z_]+)` \| (.+?) \| (.+?) \|$", section, flags=re.MULTILINE)
    assert rows == [
        *_rows("RUNWAY_", Settings),
        *_rows("RUNWAY_THRESHOLDS__", Thresholds),
        *_rows("RUNWAY_ATTENTION__", AttentionSettings),
    ]


def _rows(prefix: str, model: type[BaseModel]) -> list[tuple[str, str, str]]:
    fields = {
        name: field for name, field in model.model_fields.items() if name not in ("thresholds", "attention", "mail")
    }
    return [(f"{prefix}{name.upper()}", _default(field), str(field.description)) for name, field in fields.items()]


def _default(field: FieldInfo) -> str:
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    return "(empty)" if value in (None, "", ()) else f"`{value}`"
