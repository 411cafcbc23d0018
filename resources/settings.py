"""Every setting of the product, typed and documented, in one place.

Belongs here: settings from `RUNWAY_*` environment variables and the thresholds a tenant may override.
Does not: what the thresholds mean (`runway_calcs/policy.py`); secrets at rest (`resources/token_vault.py`).
The README's table of settings, and the one of docs/mail.md, are checked against this module by tests.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

#: What the local QuickBooks accepts; it guards generated data only.
LOCAL_CLIENT_ID = "sandbox-client"
LOCAL_CLIENT_SECRET = "sandbox-secret"  # noqa: S105 - the published key of a program that serves generated data


class Thresholds(BaseModel):
    """Numbers a firm may set for everybody (`RUNWAY_THRESHOLDS__...`) or for one tenant (`runway tenant set`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    floor_cents: int | None = Field(
        default=None, ge=0, description="Cash floor in cents; empty: the next payroll is the floor."
    )
    card_basis: Literal["payment", "purchase"] = Field(
        default="payment", description="What counts as cash out: paying the card, or buying with it. Never both."
    )
    excluded_account_ids: tuple[str, ...] = Field(
        default=(), description="QBO ids of bank accounts that are not the company's own cash."
    )
    stale_after_days: int = Field(
        default=2,
        ge=1,
        description="Age in days from which the digest says that the books are old; the nightly sync may end before midnight.",
    )

    def overridden(self, overrides: Mapping[str, Any]) -> "Thresholds":
        """These thresholds with one tenant's own values; pydantic's `ValidationError` names a bad one."""
        return Thresholds.model_validate({**self.model_dump(), **overrides})


class AttentionSettings(BaseModel):
    """When a client stands on its firm's list of exceptions (`RUNWAY_ATTENTION__...`), for all firms."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    short_days: int = Field(default=28, ge=0, description="The runway is short at so many days or fewer.")
    short_cautious_days: int = Field(
        default=14, ge=0, description="The cautious runway is short at so many days or fewer."
    )
    fallen_days: int = Field(
        default=7, ge=1, description="The runway fell by so many days or more since the last forecast."
    )


class MailSettings(BaseModel):
    """The server that takes our mail (`RUNWAY_MAIL__...`); without one, mail can be looked at and not sent."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str = Field(default="", description="The SMTP server that takes our mail; empty: none, nothing can be sent.")
    port: int = Field(default=587, ge=1, le=65535, description="Its port: 587 for STARTTLS, 465 for implicit TLS.")
    tls: Literal["starttls", "implicit", "none"] = Field(
        default="starttls",
        description="How the connection is encrypted; `none` is taken for a server on this machine only.",
    )
    ca_file: Path | None = Field(
        default=None, description="Certificates (PEM) by which the server is known; empty: those of the system."
    )
    user: str = Field(default="", description="User name at the server; empty: it takes mail without one.")
    password: SecretStr = Field(default=SecretStr(""), description="Password at the server.")
    from_address: str = Field(default="", description="Address that mail comes from; its domain is yours.")
    from_name: str = Field(default="Runway", description="Name beside that address.")
    unsubscribe_url: str = Field(
        default="",
        description="Public https address of `runway webhooks` or `runway mail listen`; "
        "links to unsubscribe are `<this>/unsubscribe/<token>`.",
    )
    timeout_seconds: float = Field(default=30.0, gt=0, le=60, description="Longest wait for one answer of the server.")
    taking_seconds: float = Field(
        default=300.0, gt=0, le=600, description="Longest wait for its word that it has taken a mail that it was given."
    )

    @model_validator(mode="after")
    def _nothing_leaves_in_the_clear(self) -> Self:
        if self.tls == "none" and self.host not in ("", "localhost", "127.0.0.1", "::1"):
            raise ValueError("RUNWAY_MAIL__TLS=none is for a server on this machine: use starttls or implicit.")
        local = self.unsubscribe_url.startswith(("http://127.0.0.1:", "http://localhost:"))
        if self.unsubscribe_url and not (self.unsubscribe_url.startswith("https://") or local):
            raise ValueError("RUNWAY_MAIL__UNSUBSCRIBE_URL has to begin with https://.")
        if re.search(r"[^!-~]|[<>]", self.unsubscribe_url):
            raise ValueError("RUNWAY_MAIL__UNSUBSCRIBE_URL has characters that no address has.")
        if self.from_address and not re.fullmatch(r"[\w.+-]+@([a-z0-9-]+\.)+[a-z]{2,63}", self.from_address, re.ASCII):
            raise ValueError("RUNWAY_MAIL__FROM_ADDRESS is no mail address: write it as digest@example.com.")
        return self


class Settings(BaseSettings):
    """The settings of one installation, read from the environment."""

    model_config = SettingsConfigDict(
        env_prefix="RUNWAY_",
        env_nested_delimiter="__",
        env_ignore_empty=True,  # an empty variable means the default, as the descriptions say
        frozen=True,
        extra="ignore",
        validate_default=True,
        hide_input_in_errors=True,  # a message of a whole-model check would show every value, secrets too
    )

    data_dir: Path = Field(default=Path(".runway"), description="The one folder everything is kept in by default.")
    database_url: str = Field(
        default="",
        repr=False,  # it may hold a password
        description="SQLAlchemy URL of the operational database; empty: SQLite in the data folder.",
    )
    lake_dir: Path | None = Field(default=None, description="Root of the lake; empty: `lake` in the data folder.")
    digests_dir: Path | None = Field(
        default=None, description="Where digests are written; empty: `digests` in the data folder."
    )
    token_keys: SecretStr = Field(
        default=SecretStr(""),
        description="Base64 keys (32 bytes each) that encrypt tokens, newest first, separated by commas; "
        "empty: `keys/token.keys` in the data folder, made at first use.",
    )
    qbo_environment: Literal["local", "sandbox", "production"] = Field(
        default="local", description="Which QuickBooks: the local one of this project, Intuit's sandbox, production."
    )
    qbo_local_url: str = Field(
        default="http://127.0.0.1:8765", description="Address of the local QuickBooks (`runway sandbox`)."
    )
    qbo_client_id: str = Field(default="", description="OAuth client id of your Intuit app; the local one needs none.")
    qbo_client_secret: SecretStr = Field(
        default=SecretStr(""), description="OAuth client secret of your Intuit app; the local one needs none."
    )
    qbo_redirect_uri: str = Field(
        default="http://localhost:8766/callback", description="Redirect URI registered with your Intuit app."
    )
    qbo_webhook_verifier: SecretStr = Field(
        default=SecretStr(""), description="Verifier token of your Intuit app's webhooks, for `runway webhooks`."
    )
    qbo_timeout_seconds: float = Field(default=60.0, gt=0, le=120, description="Longest wait for one QBO answer.")
    qbo_retry_seconds: float = Field(
        default=30.0, ge=0, description="How long one call to QBO is tried again before it counts as failed."
    )
    qbo_call_budget: int = Field(
        default=3_000,
        ge=1,
        description="Metered QuickBooks calls planned for a tenant and month; more are made and shown as above the budget.",
    )
    qbo_call_limit: int = Field(
        default=20_000,
        ge=1,
        description="Metered QuickBooks calls of a tenant and month past which a sync fails and says so: a guard against "
        "runaway reads, never below the budget.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="WARNING", description="Level of the program's own log on standard error."
    )
    thresholds: Thresholds = Field(default=Thresholds(), description="See the table of thresholds.")
    attention: AttentionSettings = Field(default=AttentionSettings(), description="See the table of attention.")
    mail: MailSettings = Field(default=MailSettings(), description="See docs/mail.md.")

    @model_validator(mode="after")
    def _the_limit_is_above_the_budget(self) -> Self:
        if self.qbo_call_limit < self.qbo_call_budget:
            raise ValueError(
                f"RUNWAY_QBO_CALL_LIMIT={self.qbo_call_limit} is below RUNWAY_QBO_CALL_BUDGET={self.qbo_call_budget}: "
                "calls within the budget would be refused."
            )
        return self

    @model_validator(mode="after")
    def _intuit_needs_keys(self) -> Self:
        if self.qbo_environment != "local" and not (self.qbo_client_id and self.qbo_client_secret.get_secret_value()):
            raise ValueError(
                f"RUNWAY_QBO_ENVIRONMENT={self.qbo_environment} needs RUNWAY_QBO_CLIENT_ID and "
                "RUNWAY_QBO_CLIENT_SECRET of your Intuit app."
            )
        return self

    @property
    def url_of_database(self) -> str:
        """The operational database's URL with its default filled in."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'runway.sqlite').absolute()}"

    @property
    def lake_root(self) -> Path:
        """The lake's root folder."""
        return (self.lake_dir or self.data_dir / "lake").absolute()

    @property
    def digests_root(self) -> Path:
        """The folder the digests are written to."""
        return (self.digests_dir or self.data_dir / "digests").absolute()

    @property
    def pages_root(self) -> Path:
        """The folder the other pages are written to."""
        return (self.data_dir / "pages").absolute()

    @property
    def fleet_file(self) -> Path:
        """The derived database of all tenants."""
        return (self.data_dir / "fleet.duckdb").absolute()

    @property
    def mail_preview_root(self) -> Path:
        """The folder that mails are written to instead of being sent."""
        return (self.data_dir / "mail-preview").absolute()

    @property
    def machine_root(self) -> Path:
        """What this machine alone knows of the payments it sent; it never goes into a backup."""
        return (self.data_dir / "machine").absolute()

    @property
    def key_file(self) -> Path:
        """The key file used when no keys are given."""
        return (self.data_dir / "keys" / "token.keys").absolute()

    @property
    def dagster_home(self) -> Path:
        """Where Dagster keeps its storage when `DAGSTER_HOME` is not set."""
        return (self.data_dir / "dagster").absolute()

    @property
    def client_credentials(self) -> tuple[str, SecretStr]:
        """Client id and secret; the local QuickBooks has published ones."""
        if self.qbo_environment == "local" and not self.qbo_client_id:
            return LOCAL_CLIENT_ID, SecretStr(LOCAL_CLIENT_SECRET)
        return self.qbo_client_id, self.qbo_client_secret
