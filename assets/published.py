"""What a sync publishes for payments, and whether its books agree with themselves.

Belongs here: the asset `published/balances` and the checks that reconcile what it is taken from. Does not: the arithmetic
(`runway_calcs/books/reconciliation.py`, `cash.py`), the tables (`resources/published_balances.py`).

The checks hang on this asset and not on `raw_qbo/*`: they concern several kinds together, here the newest books are read and typed
already, and one op costs a sync less than two. They warn and block nothing: a journal entry on accounts payable is legal.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

import dagster as dg
import pandas as pd

from assets.ingest import raw_key
from assets.partitions import TENANTS
from assets.present_books import Present, present_books
from assets.same_books import FoundOut, books_mark, keep, kept
from assets.tenants import Metadata, for_each_tenant
from payments.after_sync import after_sync
from payments.sending.clocks import BooksClock
from payments.store.ledger import Ledger
from resources.commits import Sync
from resources.installation import Installation
from resources.published_balances import CashSnapshot, OpenBill
from resources.qbo.kinds import ENTITIES
from resources.settings import Thresholds
from resources.tenants import Tenant, TenantId
from runway_calcs.books.cash import cash_position
from runway_calcs.books.reconciliation import Agreement, Comparison, reconcile
from runway_calcs.policy import CashPolicy

GROUP = "published"
BALANCES = dg.AssetKey(["published", "balances"])
_UNUSED = frozenset({"CompanyInfo", "Term"})
_SAMPLE = 10

_COLUMNS = {
    "cash_snapshot.account_id": ("string", "QuickBooks' id of a bank account that counts as cash."),
    "cash_snapshot.balance_cents": ("int64", "Its book balance on the day of the read, in home cents."),
    "cash_snapshot.dated_later_cents": ("int64", "Entered by then and dated later: not in the balance (signed)."),
    "open_bill.bill_id": ("string", "QuickBooks' id of a bill that is not paid in full."),
    "open_bill.vendor_id": ("string", "Whose bill it is."),
    "open_bill.due_date": ("date", "Date it is due; empty if it has none."),
    "open_bill.open_cents": ("int64", "What is still owed, in home cents."),
    "read_started_at": ("timestamp[us, UTC]", "When the read of these books began."),
}

_DESCRIPTIONS = {
    "payables_equal_vendor_balances": "The account(s) payable are the sum of the vendors' balances. Yellow: the amount is the "
    "difference; look for entries on the account without a vendor.",
    "payables_equal_open_bills": "The account(s) payable are the open bills less vendor credits and overpayments. Yellow: "
    "journal entries on the account are the usual reason, and legal.",
    "receivables_equal_open_invoices": "The account(s) receivable are the open invoices less unapplied payments and credit memos. "
    "Yellow: journal entries on the account are the usual reason, and legal.",
    "money_equals_postings": "Each bank, card and undeposited account is the sum of the transactions read. Yellow: QuickBooks "
    "keeps transactions on it that it does not hand out (payroll and tax payments).",
    "totals_equal_lines": "Each transaction's total is the sum of its lines and taxes. Yellow: the transactions are listed.",
}


@dg.multi_asset(
    name="published_balances",
    specs=[
        dg.AssetSpec(
            BALANCES,
            group_name=GROUP,
            description="The newest sync's cash accounts and open bills, in the operational database for decisions on payments.",
            kinds={"python", "sql"},
            deps=[raw_key(kind) for kind in ENTITIES if kind.entity not in _UNUSED],
            metadata={
                "dagster/column_schema": dg.TableSchema(
                    columns=[dg.TableColumn(name, kind, description=text) for name, (kind, text) in _COLUMNS.items()]
                )
            },
        )
    ],
    check_specs=[
        dg.AssetCheckSpec(name, asset=BALANCES, description=text, blocking=False, partitions_def=TENANTS)
        for name, text in _DESCRIPTIONS.items()
    ],
    partitions_def=TENANTS,
)
def published_balances(
    context: dg.AssetExecutionContext, installation: dg.ResourceParam[Installation]
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult | dg.Output[None]]:
    """Publish what the newest sync of each tenant holds, set it against itself, and clear the changes that sync has read."""
    compared: dict[str, tuple[Comparison, ...]] = {}

    def publish(tenant: TenantId) -> Mapping[dg.AssetKey, Metadata]:
        metadata, compared[tenant] = publish_balances(tenant, installation=installation)
        return {BALANCES: metadata}

    yield from for_each_tenant(context, publish)
    if len(compared) == 1:
        yield from (_result(one) for one in next(iter(compared.values())))
        return
    # A result marks all partitions of a run; of several tenants each is named, and the results' places are filled.
    for tenant, comparisons in compared.items():
        for one in comparisons:
            context.log_event(_evaluation(tenant, one))
    for name in _DESCRIPTIONS:
        yield dg.Output(None, output_name=f"{BALANCES.to_python_identifier()}_{name}")


def publish_balances(tenant: TenantId, *, installation: Installation) -> tuple[Metadata, tuple[Comparison, ...]]:
    """Publish what a tenant's newest sync holds, tell the payments, clear the changes it read; how its books compare."""
    known = installation.registry.tenant(tenant)
    sync, found = _found_out(known, installation=installation)
    ledger = _into_the_ledger(known, installation=installation)
    installation.dirty_tenants.cover(tenant, read_started_at=sync.data_as_of)
    return {**_metadata(sync, found, installation=installation), **ledger}, found.comparisons


def _found_out(tenant: Tenant, *, installation: Installation) -> tuple[Sync, FoundOut]:
    """The newest sync, published, and what its books come to; read only if they are others than before."""
    thresholds = installation.settings.thresholds.overridden(tenant.thresholds)
    sync = installation.commits.newest_sync(tenant.tenant_id)
    if sync is not None:
        mark = books_mark(tenant, sync, thresholds=thresholds, installation=installation)
        before = installation.published_balances.read(tenant.tenant_id)
        found = kept(tenant, mark=mark, published=before, installation=installation)
        if found is not None and before is not None:
            installation.published_balances.publish(sync, cash=before.cash, bills=before.bills)
            return sync, found
    present = present_books(tenant, installation=installation)
    found = FoundOut(
        cash_state=_publish(present, thresholds=thresholds, installation=installation),
        comparisons=reconcile(present.books),
    )
    mark = books_mark(tenant, present.sync, thresholds=thresholds, installation=installation)
    keep(found, mark=mark, sync=present.sync, installation=installation)
    return present.sync, found


def _publish(present: Present, *, thresholds: Thresholds, installation: Installation) -> str:
    """Put the cash accounts and open bills into the operational database; the state of the cash figure."""
    position = cash_position(
        present.books.accounts,
        present.books.postings,
        at=present.at,
        home_currency=present.books.home_currency,
        policy=CashPolicy(
            excluded_account_ids=frozenset(thresholds.excluded_account_ids), card_basis=thresholds.card_basis
        ),
    )
    cash = [
        CashSnapshot(
            account_id=account.account_id,
            name=account.name,
            balance_cents=account.balance_cents,
            dated_later_cents=account.dated_later_cents,
        )
        for account in position.accounts
    ]
    installation.published_balances.publish(present.sync, cash=_by_id(cash), bills=_open_bills(present))
    return position.state.value


def _metadata(sync: Sync, found: FoundOut, *, installation: Installation) -> Metadata:
    published = installation.published_balances.read(sync.tenant_id)
    accounts, bills = (0, 0) if published is None else (len(published.cash), len(published.bills))
    return {
        "dagster/partition_row_count": dg.MetadataValue.int(accounts + bills),
        "data_as_of": dg.MetadataValue.timestamp(sync.data_as_of),
        "sync_id": dg.MetadataValue.text(sync.sync_id),
        "cash_state": dg.MetadataValue.text(found.cash_state),
        "accounts": dg.MetadataValue.int(accounts),
        "open_bills": dg.MetadataValue.int(bills),
    }


def _into_the_ledger(tenant: Tenant, *, installation: Installation) -> Metadata:
    """Let the payment ledger take what is published, and its day pass; what that did, in counts."""
    thresholds = installation.settings.thresholds.overridden(tenant.thresholds)
    ledger = Ledger(installation.database, clock=installation.clock)
    books_clock = BooksClock.of(installation)
    found = after_sync(ledger, tenant.tenant_id, floor_cents=thresholds.floor_cents, books_clock=books_clock)
    return {f"payments/{name}": dg.MetadataValue.int(count) for name, count in found.items()}


def _by_id(cash: Sequence[CashSnapshot]) -> list[CashSnapshot]:
    return sorted(cash, key=lambda one: one.account_id)


def _open_bills(present: Present) -> list[OpenBill]:
    documents = present.books.documents
    found = documents[(documents["txn_type"] == "Bill") & (documents["open_cents"] != 0)]
    return [
        OpenBill(
            bill_id=row["qbo_id"],
            vendor_id=row["party_id"],
            vendor_name=row["party_name"],
            doc_number=row["doc_number"],
            txn_date=row["txn_date"].date(),
            due_date=None if pd.isna(row["due_date"]) else row["due_date"].date(),
            currency=row["currency"],
            total_cents=int(row["total_cents"]),
            open_cents=int(row["open_cents"]),
            home_currency=present.books.home_currency,
            **asdict(present.bill_details[row["qbo_id"]]),
        )
        for row in found.sort_values("qbo_id").to_dict("records")
    ]


def _result(one: Comparison) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=BALANCES,
        check_name=one.name,
        passed=one.agreement is Agreement.AGREES,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=_described(one),
    )


def _evaluation(tenant: str, one: Comparison) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=BALANCES,
        check_name=one.name,
        passed=one.agreement is Agreement.AGREES,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=_described(one),
        partition=tenant,
    )


def _described(one: Comparison) -> Metadata:
    described: dict[str, dg.MetadataValue] = {"agreement": dg.MetadataValue.text(one.agreement.value)}
    if one.reason:
        return described | {"reason": dg.MetadataValue.text(one.reason)}
    assert one.stated_cents is not None, "what can be compared has two sides"
    assert one.derived_cents is not None, "what can be compared has two sides"
    lines = [
        f"{found.subject}: {found.stated_cents} stated, {found.derived_cents} derived, {found.difference_cents} cents apart"
        for found in sorted(one.differences, key=lambda found: -abs(found.difference_cents))[:_SAMPLE]
    ]
    return described | {
        "stated_cents": dg.MetadataValue.int(one.stated_cents),
        "derived_cents": dg.MetadataValue.int(one.derived_cents),
        "difference_cents": dg.MetadataValue.int(one.stated_cents - one.derived_cents),
        "count": dg.MetadataValue.int(len(one.differences)),
        "sample": dg.MetadataValue.text("\n".join(lines)),
    }


PUBLISHED_ASSETS = (published_balances,)
