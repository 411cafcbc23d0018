"""One installation wired together: every outside thing, built from the settings.

Belongs here: the wiring, and the week of a run. Does not: Dagster (`resources/dagster_wrappers.py`); behaviour of the parts.
"""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from resources.clock import Clock, SystemClock
from resources.commits import Commits
from resources.connecting import Connector
from resources.connections import Connections
from resources.database import Database
from resources.dirty_tenants import DirtyTenants
from resources.documents import Documents
from resources.entries import Entries
from resources.errors import TenantError
from resources.lake import Lake
from resources.mail.outbox import Outbox
from resources.mail.recipients import Recipients
from resources.mail.sender import Mailer
from resources.mail.unsubscribe import MailKeys
from resources.published_balances import PublishedBalancesStore
from resources.qbo.bill_payments import BillPayments, PaymentClient
from resources.qbo.client import QboClient
from resources.qbo.company_line import CompanyLine
from resources.qbo.oauth import INTUIT_DISCOVERY_URL, INTUIT_SANDBOX_DISCOVERY_URL, OAuthClient
from resources.qbo.patience import USER_ACTION, Patience, RetryPolicy
from resources.qbo.smart_sync import SmartSync
from resources.qbo.sync_status import SyncStatuses
from resources.qbo.token_keeper import TokenKeeper
from resources.qbo.turnstile import Turnstile
from resources.qbo.usage import CallBudget
from resources.registry import TenantRegistry
from resources.secret_text import Secret
from resources.settings import Settings
from resources.store import Store
from resources.tenants import FRIDAY, Tenant, TenantId
from resources.token_vault import TokenVault, keys_from_file, keys_from_text

QBO_URLS = {
    "sandbox": "https://sandbox-quickbooks.api.intuit.com",
    "production": "https://quickbooks.api.intuit.com",
}


class NotAFriday(ValueError):
    """A week is named by its Friday."""


class WeekNotReached(TenantError):
    """The week of the run ends after the tenant's own day: what it published would stand for the newest week until then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWeek:
    """The week a run works on: a named Friday, or each tenant's newest Friday at the run's start."""

    week_ending: date | None
    started_at: datetime

    def of(self, tenant: Tenant) -> date:
        """The Friday of this run in the tenant's calendar; `WeekNotReached` if a named one lies ahead there."""
        if self.week_ending is None:
            return tenant.latest_friday(self.started_at)
        today = tenant.local_date(self.started_at)
        if self.week_ending > today:
            raise WeekNotReached(
                what=f"The week ending {self.week_ending} lies ahead of {tenant.tenant_id!r}, where it is {today}.",
                next_step="Name a Friday that has come, or none: then it is the newest one.",
            )
        return self.week_ending


def parse_week_ending(text: str | None) -> date | None:
    """A Friday from ISO text; None stays None. `NotAFriday` for another day and for what is no day."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise NotAFriday(f"{text!r} is no day: write the Friday of the week as 2026-11-20.") from error
    if day.weekday() != FRIDAY:
        raise NotAFriday(f"{text} is not a Friday: a week is named by the Friday it ends on.")
    return day


class Installation:
    """The parts of one installation, each built when first needed."""

    def __init__(self, settings: Settings, *, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()

    @cached_property
    def database(self) -> Database:
        """The operational database."""
        return Database(self.settings.url_of_database)

    @cached_property
    def registry(self) -> TenantRegistry:
        """Firms and tenants."""
        return TenantRegistry(self.database, clock=self.clock)

    @property
    def _key_ring(self) -> list[bytes]:
        given = self.settings.token_keys.get_secret_value()
        return keys_from_text(given) if given else keys_from_file(self.settings.key_file)

    @cached_property
    def vault(self) -> TokenVault:
        """Encrypts tokens and bank details; reads the token keys."""
        return TokenVault(self._key_ring)

    @cached_property
    def connections(self) -> Connections:
        """QBO connections; reads the token keys."""
        return Connections(self.database, vault=self.vault, clock=self.clock)

    @cached_property
    def lake(self) -> Lake:
        """The lake."""
        return Lake(self.settings.lake_root)

    @cached_property
    def commits(self) -> Commits:
        """Leases and commit points."""
        return Commits(self.database, clock=self.clock)

    @cached_property
    def store(self) -> Store:
        """Tables of a tenant's week."""
        return Store(lake=self.lake, commits=self.commits)

    @cached_property
    def documents(self) -> Documents:
        """Published documents."""
        return Documents(self.database, clock=self.clock)

    @cached_property
    def recipients(self) -> Recipients:
        """Who receives the mail of a tenant or firm, and whether any leaves the machine."""
        return Recipients(self.database, clock=self.clock)

    @cached_property
    def mail_keys(self) -> MailKeys:
        """What mails are known and unsubscribed by."""
        return MailKeys(self._key_ring)

    @cached_property
    def outbox(self) -> Outbox:
        """What is to be sent and what became of it."""
        return Outbox(self.database, clock=self.clock, keys=self.mail_keys)

    @cached_property
    def mailer(self) -> Mailer:
        """Sends what is due."""
        return Mailer(self.outbox, keys=self.mail_keys, settings=self.settings.mail, clock=self.clock)

    @cached_property
    def published_balances(self) -> PublishedBalancesStore:
        """Cash and open bills as the newest syncs published them."""
        return PublishedBalancesStore(self.database)

    @cached_property
    def entries(self) -> Entries:
        """What people entered: known items, dates, tiers, notes, targets of reserves."""
        return Entries(self.database, clock=self.clock)

    @cached_property
    def dirty_tenants(self) -> DirtyTenants:
        """Tenants whose books QuickBooks says to have changed."""
        return DirtyTenants(self.database, clock=self.clock, environment=self.settings.qbo_environment)

    @cached_property
    def oauth(self) -> OAuthClient:
        """The authorisation server of the chosen QuickBooks."""
        client_id, secret = self.settings.client_credentials
        discovery = {
            "local": f"{self.settings.qbo_local_url}/.well-known/openid_sandbox_configuration",
            "sandbox": INTUIT_SANDBOX_DISCOVERY_URL,
            "production": INTUIT_DISCOVERY_URL,
        }[self.settings.qbo_environment]
        return OAuthClient(
            discovery_url=discovery,
            client_id=client_id,
            client_secret=Secret(secret.get_secret_value()),
            clock=self.clock,
        )

    @cached_property
    def qbo_client(self) -> QboClient:
        """The raw client of the chosen QuickBooks."""
        url = {"local": self.settings.qbo_local_url, **QBO_URLS}[self.settings.qbo_environment]
        return QboClient(url=url, timeout_seconds=self.settings.qbo_timeout_seconds)

    @cached_property
    def connector(self) -> Connector:
        """Connects tenants to companies of the chosen QuickBooks."""
        return Connector(
            registry=self.registry,
            connections=self.connections,
            oauth=self.oauth,
            client=self.qbo_client,
            environment=self.settings.qbo_environment,
            redirect_uri=self.settings.qbo_redirect_uri,
        )

    @cached_property
    def token_keeper(self) -> TokenKeeper:
        """Fresh tokens of the tenants."""
        return TokenKeeper(
            connections=self.connections,
            oauth=self.oauth,
            clock=self.clock,
            environment=self.settings.qbo_environment,
        )

    @cached_property
    def turnstile(self) -> Turnstile:
        """Pace and count of calls to QuickBooks."""
        budget = CallBudget(soft=self.settings.qbo_call_budget, hard=self.settings.qbo_call_limit)
        return Turnstile(self.database, clock=self.clock, budget=budget)

    @cached_property
    def patience(self) -> Patience:
        """Pace and retries of calls to QuickBooks."""
        return Patience(
            clock=self.clock,
            policy=RetryPolicy(transient_seconds=self.settings.qbo_retry_seconds),
            turnstile=self.turnstile,
        )

    def company_line(self, tenant: TenantId) -> CompanyLine:
        """The line to one tenant's company, for single questions."""
        return CompanyLine(tenant, client=self.qbo_client, tokens=self.token_keeper, patience=self.patience)

    @cached_property
    def payment_client(self) -> PaymentClient:
        """The raw client that records payments: a lease outlives its longest wait several times."""
        url = {"local": self.settings.qbo_local_url, **QBO_URLS}[self.settings.qbo_environment]
        return PaymentClient(url=url, timeout_seconds=min(20.0, self.settings.qbo_timeout_seconds))

    def bill_payments(self, tenant: TenantId) -> BillPayments:
        """The bill payments of one tenant's company."""
        patience = Patience(clock=self.clock, policy=USER_ACTION, turnstile=self.turnstile)
        return BillPayments(tenant, client=self.payment_client, tokens=self.token_keeper, patience=patience)

    @cached_property
    def smart_sync(self) -> SmartSync:
        """Reads a tenant's books."""
        return SmartSync(
            client=self.qbo_client,
            tokens=self.token_keeper,
            commits=self.commits,
            lake=self.lake,
            patience=self.patience,
            clock=self.clock,
        )

    @cached_property
    def sync_statuses(self) -> SyncStatuses:
        """How the tenants' syncs stand."""
        return SyncStatuses(
            commits=self.commits, connections=self.connections, turnstile=self.turnstile, policy=self.smart_sync.policy
        )

    def close(self) -> None:
        """Give back what was opened."""
        for name in ("qbo_client", "payment_client", "oauth"):
            if name in self.__dict__:
                self.__dict__[name].close()
        if "database" in self.__dict__:
            self.database.close()
