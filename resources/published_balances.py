"""What a sync publishes for payments: the cash of each account that counts, and the open bills.

Belongs here: publishing and reading them in the operational database, so that nobody who pays waits for a run. Does not: which
accounts are cash and what is open (`runway_calcs`), what is decided about a bill (`payments/`).

There is one publication a tenant: that of its newest sync, in place of the one before. `read_started_at` is when that
sync's read began: a payment entered in QuickBooks after it is not in these balances.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import Connection, delete, func, insert, select

from resources.commits import Sync
from resources.database import Database
from resources.failpoints import failpoint
from resources.registry import lock_tenant
from resources.tables import CASH_SNAPSHOT, OPEN_BILL, SYNC
from resources.tenants import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class CashSnapshot:
    """The book balance of an account that counts as cash, on the day of the read."""

    account_id: str
    name: str
    balance_cents: int
    #: Entered by then but dated later: not in the balance (signed).
    dated_later_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBill:
    """A bill that is not paid in full, in home cents."""

    bill_id: str
    vendor_id: str
    vendor_name: str
    doc_number: str
    txn_date: date
    due_date: date | None
    #: Currency of the document; the amounts are in the home currency.
    currency: str
    total_cents: int
    open_cents: int
    #: The currency the amounts are in.
    home_currency: str = ""
    #: What an approval covers beside the amounts (`qbo/bill_content.py`).
    sync_token: str = ""
    ap_account_id: str = ""
    lines_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedBalances:
    """One tenant's publication."""

    sync_id: str
    read_started_at: datetime
    cash: tuple[CashSnapshot, ...]
    bills: tuple[OpenBill, ...]


class PublishedBalancesStore:
    """The publications; every statement names its tenant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(self, sync: Sync, *, cash: Sequence[CashSnapshot], bills: Sequence[OpenBill]) -> bool:
        """Put a sync's balances in place of those of an older one; whether anything changed."""
        tenant = sync.tenant_id
        which = {"tenant_id": tenant, "sync_id": sync.sync_id, "read_started_at": sync.data_as_of}
        with self._database.write() as connection:
            lock_tenant(connection, tenant)
            newest = select(func.max(SYNC.c.data_as_of)).where(SYNC.c.tenant_id == tenant)
            if sync.data_as_of < connection.execute(newest).scalar_one():
                return False
            before = _published_by(connection, tenant)
            kept = _read(connection, tenant, before) if before is not None else None
            new = PublishedBalances(
                sync_id=sync.sync_id, read_started_at=sync.data_as_of, cash=tuple(cash), bills=tuple(bills)
            )
            if kept == new:
                return False
            for table in (CASH_SNAPSHOT, OPEN_BILL):
                connection.execute(delete(table).where(table.c.tenant_id == tenant))
            failpoint("publish.in")
            if cash:
                connection.execute(insert(CASH_SNAPSHOT), [which | asdict(one) for one in cash])
            if bills:
                connection.execute(insert(OPEN_BILL), [which | asdict(one) for one in bills])
        failpoint("publish.after")
        return True

    def read(self, tenant: TenantId) -> PublishedBalances | None:
        """The tenant's publication; None if there is none, or its newest one held neither cash account nor bill."""
        with self._database.read() as connection:
            by = _published_by(connection, tenant)
            return None if by is None else _read(connection, tenant, by)


def _published_by(connection: Connection, tenant: TenantId) -> tuple[str, datetime] | None:
    """The sync that the tenant's rows are from."""
    for table in (CASH_SNAPSHOT, OPEN_BILL):
        named = select(table.c.sync_id).where(table.c.tenant_id == tenant).limit(1)
        sync_id = connection.execute(named).scalar_one_or_none()
        if sync_id is not None:
            when = select(SYNC.c.data_as_of).where(SYNC.c.tenant_id == tenant, SYNC.c.sync_id == sync_id)
            return sync_id, connection.execute(when).scalar_one()
    return None


def _read(connection: Connection, tenant: TenantId, by: tuple[str, datetime]) -> PublishedBalances:
    cash = connection.execute(
        select(CASH_SNAPSHOT).where(CASH_SNAPSHOT.c.tenant_id == tenant).order_by(CASH_SNAPSHOT.c.account_id)
    )
    bills = connection.execute(select(OPEN_BILL).where(OPEN_BILL.c.tenant_id == tenant).order_by(OPEN_BILL.c.bill_id))
    return PublishedBalances(
        sync_id=by[0],
        read_started_at=by[1],
        cash=tuple(
            CashSnapshot(
                account_id=row.account_id,
                name=row.name,
                balance_cents=row.balance_cents,
                dated_later_cents=row.dated_later_cents,
            )
            for row in cash
        ),
        bills=tuple(
            OpenBill(
                bill_id=row.bill_id,
                vendor_id=row.vendor_id,
                vendor_name=row.vendor_name,
                doc_number=row.doc_number,
                txn_date=row.txn_date,
                due_date=row.due_date,
                currency=row.currency,
                total_cents=row.total_cents,
                open_cents=row.open_cents,
                home_currency=row.home_currency,
                sync_token=row.sync_token,
                ap_account_id=row.ap_account_id,
                lines_sha256=row.lines_sha256,
            )
            for row in bills
        ),
    )
