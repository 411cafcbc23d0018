"""What a sync publishes and how its books are reconciled: against the truth, and with a journal that breaks them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest

from assets.ingest import raw_qbo
from assets.partitions import TENANTS
from assets.present_books import Present, present_books
from assets.published import BALANCES, published_balances
from payments.cash.free_cash import all_free_cash
from payments.store.audit import verify
from payments.store.bill_tables import BILL_WORKFLOW
from payments.store.ledger import Ledger
from pipelines.build import build_defs
from resources.clock import FixedClock
from resources.installation import Installation
from resources.tenants import Tenant, TenantId
from tests.conftest import FRIDAY
from tests.firm import Company, Firm, dagster_instance
from tests.sandbox import Sandbox

_CHECKS = {
    "money_equals_postings",
    "payables_equal_open_bills",
    "payables_equal_vendor_balances",
    "receivables_equal_open_invoices",
    "totals_equal_lines",
}


@pytest.fixture
def firm(tmp_path: Path, installation: Installation, sandbox: Sandbox) -> Iterator[Firm]:
    with dagster_instance(tmp_path / "dagster") as instance:
        yield Firm(installation, instance, sandbox)


def _evaluations(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {one.check_name: one for one in result.get_asset_check_evaluations()}


def _write(firm: Firm, company: Company, entity: str, body: dict[str, Any]) -> dict[str, Any]:
    """Enter something in QuickBooks, as a bookkeeper does."""
    token = firm.installation.connections.load(company.tenant).tokens.access_token.reveal()
    answer = httpx.post(
        f"{firm.sandbox.url}/v3/company/{company.realm_id}/{entity}",
        json=body,
        headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _account(firm: Firm, company: Company, account_type: str) -> str:
    truth = firm.sandbox.truth(company.realm_id, basis="dated", day=FRIDAY)
    return next(str(one["id"]) for one in truth["accounts"] if one["account_type"] == account_type)


@pytest.mark.parametrize("industry", ["construction", "professional_services", "e_commerce"])
def test_what_is_published_is_the_truth_and_the_books_agree_with_themselves(
    firm: Firm, clock: FixedClock, industry: str
) -> None:
    company = firm.company("acme", industry=industry)
    result = firm.run("tenant_sync", "acme")
    assert result.success
    found = _evaluations(result)
    assert set(found) == _CHECKS
    for one in found.values():
        assert one.passed, (one.check_name, one.metadata)
        assert one.partition == "acme"
        assert one.metadata["difference_cents"].value == 0

    truth = firm.sandbox.truth(company.realm_id, basis="known", day=FRIDAY, instant=clock.now())
    published = firm.installation.published_balances.read(company.tenant)
    assert published is not None
    assert sum(one.balance_cents for one in published.cash) == truth["cash_cents"]
    owed = {one["id"]: one["open_cents"] for one in truth["payables"]["open"] if one["txn_type"] == "Bill"}
    assert {bill.bill_id: bill.open_cents for bill in published.bills} == owed
    newest = firm.installation.commits.newest_sync(company.tenant)
    assert newest is not None
    assert (published.sync_id, published.read_started_at) == (newest.sync_id, newest.data_as_of)
    # Both sides of an identity are figures of this company, not two zeros.
    assert found["payables_equal_vendor_balances"].metadata["stated_cents"].value == truth["payables"]["account_cents"]
    assert found["money_equals_postings"].metadata["stated_cents"].value != 0

    with Ledger(firm.installation.database, clock=clock).look(company.tenant) as look:
        taken = {
            row["bill_id"]: row["open_cents"] for row in look.many(BILL_WORKFLOW) if row["state"] == "awaiting_approval"
        }
        assert taken == owed
        assert sum(one.basis_cents for one in all_free_cash(look)) <= truth["cash_cents"]
        assert verify(look).is_sound


def test_a_journal_on_payables_is_shown_with_its_amount_and_stops_nothing(firm: Firm, clock: FixedClock) -> None:
    company = firm.company("acme")
    firm.succeed("tenant_sync", "acme")
    vendor = firm.sandbox.truth(company.realm_id, basis="dated", day=FRIDAY)["payables"]["open"][0]["party_id"]

    def line(side: str, account: str) -> dict[str, Any]:
        detail = {
            "PostingType": side,
            "AccountRef": {"value": account},
            "Entity": {"Type": "Vendor", "EntityRef": {"value": vendor}},
        }
        return {"Amount": 123.45, "DetailType": "JournalEntryLineDetail", "JournalEntryLineDetail": detail}

    expense, payable = _account(firm, company, "Expense"), _account(firm, company, "Accounts Payable")
    entry = {"TxnDate": FRIDAY.isoformat(), "Line": [line("Debit", expense), line("Credit", payable)]}
    _write(firm, company, "journalentry", entry)
    clock.move_to(clock.now() + timedelta(hours=1))

    result = firm.run("tenant_sync", "acme")
    assert result.success  # yellow, not red
    bills = _evaluations(result)["payables_equal_open_bills"]
    assert not bills.passed
    assert bills.severity is dg.AssetCheckSeverity.WARN
    assert bills.metadata["difference_cents"].value == -12_345
    assert "accounts payable" in str(bills.metadata["sample"].value)
    others = _evaluations(result).keys() - {"payables_equal_open_bills"}
    assert all(_evaluations(result)[name].passed for name in others - {"payables_equal_vendor_balances"})
    assert firm.run("friday", "acme").success


def test_a_later_sync_takes_the_place_of_what_was_published(firm: Firm, clock: FixedClock) -> None:
    company = firm.company("acme")
    firm.succeed("tenant_sync", "acme")
    first = firm.installation.published_balances.read(company.tenant)
    clock.move_to(clock.now() + timedelta(hours=1))
    firm.succeed("tenant_sync", "acme")
    second = firm.installation.published_balances.read(company.tenant)
    assert first is not None
    assert second is not None
    assert second.sync_id != first.sync_id
    assert second.read_started_at > first.read_started_at
    assert (second.cash, second.bills) == (first.cash, first.bills)


def _loads_of(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tenants whose books are read and typed from here on."""
    loaded: list[str] = []

    def counted(tenant: Tenant, *, installation: Installation) -> Present:
        loaded.append(tenant.tenant_id)
        return present_books(tenant, installation=installation)

    monkeypatch.setattr("assets.published.present_books", counted)
    return loaded


def test_a_sync_that_brought_nothing_new_publishes_the_same_without_reading_the_books_again(
    firm: Firm, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = firm.company("acme")
    first = firm.run("tenant_sync", "acme")
    loaded = _loads_of(monkeypatch)
    clock.move_to(clock.now() + timedelta(hours=1))
    second = firm.run("tenant_sync", "acme")
    assert loaded == []
    assert {name: (one.passed, one.metadata) for name, one in _evaluations(second).items()} == {
        name: (one.passed, one.metadata) for name, one in _evaluations(first).items()
    }
    newest = firm.installation.commits.newest_sync(company.tenant)
    published = firm.installation.published_balances.read(company.tenant)
    assert newest is not None
    assert published is not None
    assert (published.sync_id, published.read_started_at) == (newest.sync_id, newest.data_as_of)


@pytest.mark.parametrize(
    "what",
    [
        "a bill",
        pytest.param("a day", marks=pytest.mark.long),
        "a threshold",
        pytest.param("a program", marks=pytest.mark.long),
    ],
)
def test_books_that_could_come_out_differently_are_read_again(
    firm: Firm, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    company = firm.company("acme")
    firm.succeed("tenant_sync", "acme")
    loaded = _loads_of(monkeypatch)
    clock.move_to(clock.now() + timedelta(hours=1))
    if what == "a bill":
        step = {"days": 1, "seed": 1, "deeds": ["bill"], "move_clock": False}
        firm.sandbox.control.post(f"/__sandbox__/realms/{company.realm_id}/step", json=step).raise_for_status()
    elif what == "a day":
        clock.move_to(clock.now() + timedelta(days=1))
    elif what == "a program":
        monkeypatch.setattr("assets.same_books._program", lambda: "another one")
    else:
        defaults = firm.installation.settings.thresholds
        firm.installation.registry.set_thresholds(company.tenant, {"excluded_account_ids": ("35",)}, defaults=defaults)
    firm.succeed("tenant_sync", "acme")
    assert loaded == ["acme"]


def test_in_a_run_of_several_tenants_each_has_its_own_checks_and_one_failure_is_its_own(firm: Firm) -> None:
    for tenant, seed in (("acme", 1), ("bolt", 2), ("cedar", 3)):
        firm.company(tenant, seed=seed)
    for tenant in ("acme", "bolt"):
        firm.installation.smart_sync.sync(TenantId(tenant))

    def run(last: str) -> dg.ExecuteInProcessResult:
        return dg.materialize(
            [raw_qbo, published_balances],
            instance=firm.instance,
            resources={"installation": firm.installation},
            selection=[BALANCES],
            tags={"dagster/asset_partition_range_start": "acme", "dagster/asset_partition_range_end": last},
            raise_on_error=False,
        )

    both = run("bolt")
    assert both.success
    found = {(one.check_name, one.partition) for one in both.get_asset_check_evaluations()}
    assert found == {(name, tenant) for name in _CHECKS for tenant in ("acme", "bolt")}

    assert not run("cedar").success  # never synced
    status = firm.instance.get_status_by_partition(BALANCES, ["acme", "bolt", "cedar"], TENANTS) or {}
    assert {tenant: one.value for tenant, one in status.items() if one} == {
        "acme": "MATERIALIZED",
        "bolt": "MATERIALIZED",
        "cedar": "FAILED",
    }


def test_the_checks_run_with_the_sync_and_block_nothing() -> None:
    job = build_defs().resolve_job_def("tenant_sync")
    assert BALANCES in job.asset_layer.selected_asset_keys
    specs = [published_balances.get_spec_for_check_key(key) for key in published_balances.check_keys]
    assert {spec.name for spec in specs} == _CHECKS
    assert not any(spec.blocking for spec in specs)
