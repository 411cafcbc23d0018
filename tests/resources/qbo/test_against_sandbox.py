"""The client against the local QuickBooks over real HTTP: nothing lost, books that tie out, statements that hold."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from migrations.chain import upgrade
from resources.clock import Clock, FixedClock, SystemClock
from resources.installation import Installation
from resources.qbo.errors import ConnectionLost, QboNotAuthorised, QboUnavailable
from resources.qbo.fields import QboObject
from resources.qbo.frames import accounts, documents
from resources.qbo.history import versions
from resources.qbo.home_currency import home_currency
from resources.qbo.kinds import KINDS
from resources.qbo.postings import chart_of_accounts, postings
from resources.qbo.query import compare, select
from resources.qbo.sync_report import SyncReport
from resources.settings import Settings
from resources.tenants import TenantId, tenant_id
from tests.sandbox import Sandbox

#: After the generated companies end, so that everything they entered lies inside the window.
NOW = datetime(2026, 11, 20, 23, tzinfo=UTC)
_POSTING = (
    "BillPayment",
    "Purchase",
    "Payment",
    "SalesReceipt",
    "RefundReceipt",
    "Deposit",
    "Transfer",
    "JournalEntry",
)


@pytest.fixture
def installation(tmp_path: Path, sandbox: Sandbox) -> Iterator[Installation]:
    """An installation on the local QuickBooks with a clock just after the companies' last day."""
    settings = Settings(data_dir=tmp_path / "data", qbo_local_url=sandbox.url, qbo_retry_seconds=0.0)
    opened = Installation(settings, clock=FixedClock(NOW))
    upgrade(opened.database)
    opened.registry.add_firm("birch-cpa", name="Birch CPA")
    try:
        yield opened
    finally:
        opened.close()


def _connected(installation: Installation, sandbox: Sandbox, *, realm_id: str, industry: str) -> TenantId:
    sandbox.add_company(
        realm_id=realm_id,
        name=f"Larkspur {realm_id[-2:]}",
        industry=industry,
        size="micro",
        seed=int(realm_id[-2:]),
        as_of="2026-11-20",
        zone="America/New_York",
    )
    # The clock of these tests jumps where a real one waits, so the limits of real time are checked in a test of their own.
    sandbox.control.post(f"/__sandbox__/realms/{realm_id}/settings", json={"throttled": False}).raise_for_status()
    tenant = tenant_id(f"larkspur-{realm_id[-2:]}")
    installation.registry.add_tenant(tenant, firm_id="birch-cpa", name=tenant, zone="America/New_York")
    consented = installation.oauth.consent_without_browser(
        redirect_uri=installation.settings.qbo_redirect_uri, realm_id=realm_id
    )
    assert consented.realm_id == realm_id
    installation.connections.connect(tenant, environment="local", realm_id=realm_id, tokens=consented.tokens)
    return tenant


def _history(installation: Installation, tenant: TenantId, *entities: str) -> list[tuple[datetime, QboObject]]:
    newest = installation.commits.newest_sync(tenant)
    assert newest is not None
    with installation.lake.open(tenant) as opened:
        return [
            version
            for entity in entities
            for version in versions(
                opened,
                installation.commits.history(tenant, table=KINDS[entity].table, up_to=newest),
                entity=entity,
                until=newest.data_as_of,
            )
        ]


def _open_cents(installation: Installation, tenant: TenantId, *entities: str) -> int:
    return int(documents(_history(installation, tenant, *entities), home_currency="USD")["open_cents"].sum())


@pytest.mark.parametrize(
    ("industry", "realm_id"),
    [
        ("marketing_agency", "9130357849000061"),
        ("construction", "9130357849000062"),
        ("professional_services", "9130357849000063"),
        ("e_commerce", "9130357849000064"),
        ("consulting", "9130357849000065"),
    ],
)
def test_a_generated_companys_books_tie_out_as_they_were_read(
    installation: Installation, sandbox: Sandbox, industry: str, realm_id: str
) -> None:
    tenant = _connected(installation, sandbox, realm_id=realm_id, industry=industry)
    report = installation.smart_sync.sync(tenant)
    assert report.quarantined == 0
    assert report.new_versions == report.read > 300
    assert report.calls <= report.read // 1000 + 25

    lists = _history(installation, tenant, "Account", "Item", "Preferences")
    currency = home_currency(lists)
    chart = chart_of_accounts(lists)
    moved = postings(_history(installation, tenant, *_POSTING), chart=chart, home_currency=currency)
    found = accounts(lists, home_currency=currency)
    money = found[found["qbo_id"].isin(list(chart.money_ids))].set_index("qbo_id")["current_balance_cents"]
    sums = moved.groupby("account_id")["amount_cents"].sum().reindex(money.index, fill_value=0)
    assert money.abs().sum() > 0
    assert sums.to_dict() == money.to_dict()

    by_type = found.groupby("account_type")["current_balance_cents"].sum()
    owed = _open_cents(installation, tenant, "Bill", "VendorCredit", "BillPayment")
    expected = _open_cents(installation, tenant, "Invoice", "CreditMemo", "Payment")
    assert owed == -by_type["Accounts Payable"]
    assert expected == by_type["Accounts Receivable"]

    again = installation.smart_sync.sync(tenant)
    assert (again.kind, again.calls, again.new_versions) == ("changes", 1, 0)


def test_faults_and_revocation_are_the_tenants_own_and_pass(installation: Installation, sandbox: Sandbox) -> None:
    tenant = _connected(installation, sandbox, realm_id="9130357849000066", industry="consulting")
    sandbox.break_with("9130357849000066", kind="http_500")
    with pytest.raises(QboUnavailable):
        installation.smart_sync.sync(tenant)
    sandbox.heal("9130357849000066")
    assert isinstance(installation.smart_sync.sync(tenant), SyncReport)
    sandbox.revoke("9130357849000066")
    with pytest.raises(ConnectionLost, match=f"runway connect {tenant}"):
        installation.smart_sync.sync(tenant)


class _Running(Clock):
    """A clock that runs and waits as the machine's does, on another day."""

    def __init__(self) -> None:
        self._machine = SystemClock()
        self._ahead = NOW - self._machine.now()

    def now(self) -> datetime:
        return self._machine.now() + self._ahead

    def sleep(self, seconds: float) -> None:
        self._machine.sleep(seconds)


def test_a_sync_in_real_time_stays_below_the_limits(installation: Installation, sandbox: Sandbox) -> None:
    realm_id = "9130357849000070"
    tenant = _connected(installation, sandbox, realm_id=realm_id, industry="consulting")
    sandbox.control.post(f"/__sandbox__/realms/{realm_id}/settings", json={"throttled": True}).raise_for_status()
    running = Installation(installation.settings, clock=_Running())
    try:
        for _ in range(3):
            running.smart_sync.sync(tenant)
    finally:
        running.close()
    exceeded = sandbox.control.get("/__sandbox__/limits").json()["by_limit"]
    assert realm_id not in {one["realm"] for one in exceeded}


def test_a_good_token_opens_no_other_company(installation: Installation, sandbox: Sandbox) -> None:
    tenant = _connected(installation, sandbox, realm_id="9130357849000067", industry="consulting")
    other = _connected(installation, sandbox, realm_id="9130357849000068", industry="consulting")
    mine, theirs = (installation.connections.load(one) for one in (tenant, other))
    with pytest.raises(QboNotAuthorised):
        installation.qbo_client.singleton(
            "CompanyInfo", realm_id=theirs.realm_id, access_token=mine.tokens.access_token
        )


@pytest.mark.parametrize(
    "name",
    [r"O'Brien\' OR Id > '0", "trailing backslash\\", "%27 OR DisplayName LIKE '%", "') STARTPOSITION 1 --", "a+b&c#d"],
)
def test_the_servers_parser_sees_one_literal(installation: Installation, sandbox: Sandbox, name: str) -> None:
    tenant = _connected(installation, sandbox, realm_id="9130357849000069", industry="consulting")
    known = installation.connections.load(tenant)
    statement = select("Vendor", where=[compare("DisplayName", "=", name)])
    page = installation.qbo_client.query(statement, realm_id=known.realm_id, access_token=known.tokens.access_token)
    assert page.objects == ()
