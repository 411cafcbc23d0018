"""One tenant's sync with its publication and sweep, as a process that may die on the way, and what is left of it.

A module of its own, so that the process others are forked from has it loaded.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
from sqlalchemy import func, select

from resources.clock import FixedClock
from resources.failpoints import arm
from resources.installation import Installation
from resources.published_balances import CashSnapshot, OpenBill, PublishedBalances
from resources.qbo.entities import parse
from resources.qbo.list_objects import Account
from resources.qbo.sync_report import SyncReport
from resources.qbo.transactions import Bill
from resources.settings import Settings
from resources.tables import SEGMENT, SYNC
from resources.tenants import tenant_id
from tests.resources.qbo.kept_versions import kept, living

TENANT = tenant_id("linden-press")
#: A Friday morning.
START = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
_CENTS = 100


class WalkingClock(FixedClock):
    """A clock that goes on a little whenever it is looked at, so that leases are renewed and tokens die on the way."""

    def __init__(self, now: datetime, *, step: timedelta) -> None:
        super().__init__(now)
        self._step = step

    def now(self) -> datetime:
        self.sleep(self._step.total_seconds())
        return super().now()


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """Where a process dies: at the `hit`th passage of a point."""

    point: str
    hit: int


@contextmanager
def open_installation(folder: Path, url: str, *, starts: datetime = START) -> Iterator[Installation]:
    opened = Installation(
        Settings(data_dir=folder, qbo_local_url=url), clock=WalkingClock(starts, step=timedelta(seconds=3))
    )
    try:
        yield opened
    finally:
        opened.close()


def die_on_the_way(folder: Path, url: str, starts: datetime, death: Death) -> None:
    """The work of a process that does not live to its end."""
    arm(death.point, hit=death.hit)
    with open_installation(folder, url, starts=starts) as installation:
        sync_and_publish(installation)


def sync_and_publish(installation: Installation) -> SyncReport:
    """What a run does for a tenant: sync, publish, sweep (here: whatever nothing names, however young)."""
    report = installation.smart_sync.sync(TENANT)
    newest = installation.commits.newest_sync(TENANT)
    assert newest is not None
    cash, bills = _balances(installation)
    installation.published_balances.publish(newest, cash=cash, bills=bills)
    installation.store.sweep(TENANT, now=datetime.now(tz=UTC) + timedelta(days=3))
    return report


def files(installation: Installation) -> set[str]:
    """Every file in the tenant's folder of the lake."""
    folder = installation.settings.lake_root / TENANT
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def broken_segments(installation: Installation) -> list[str]:
    """Named segments whose file is not there, or holds another number of rows than its row says."""
    folder = installation.settings.lake_root / TENANT
    with installation.database.read() as connection:
        named = connection.execute(select(SEGMENT.c.path, SEGMENT.c.rows).where(SEGMENT.c.tenant_id == TENANT)).all()
    return [path for path, rows in named if pq.ParquetFile(folder / path).metadata.num_rows != rows]


def syncs(installation: Installation) -> int:
    """How many syncs are visible."""
    with installation.database.read() as connection:
        return connection.execute(select(func.count()).select_from(SYNC).where(SYNC.c.tenant_id == TENANT)).scalar_one()


def true_publication(installation: Installation) -> PublishedBalances:
    """The publication that the newest sync should have."""
    newest = installation.commits.newest_sync(TENANT)
    assert newest is not None
    cash, bills = _balances(installation)
    return PublishedBalances(
        sync_id=newest.sync_id, read_started_at=newest.data_as_of, cash=tuple(cash), bills=tuple(bills)
    )


def _balances(installation: Installation) -> tuple[list[CashSnapshot], list[OpenBill]]:
    """Bank accounts and open bills, for a company that has one currency."""
    present = living(kept(installation, TENANT, ("Account", "Bill")))
    accounts = [one for text in present["Account"].values() if isinstance(one := parse("Account", text), Account)]
    bills = [one for text in present["Bill"].values() if isinstance(one := parse("Bill", text), Bill)]
    cash = [
        CashSnapshot(
            account_id=one.id,
            name=one.name or "",
            balance_cents=int(one.current_balance * _CENTS),
            dated_later_cents=0,
        )
        for one in accounts
        if one.account_type == "Bank" and one.current_balance is not None
    ]
    return sorted(cash, key=lambda one: one.account_id), sorted(map(_open_bill, bills), key=lambda one: one.bill_id)


def _open_bill(bill: Bill) -> OpenBill:
    return OpenBill(
        bill_id=bill.id,
        vendor_id=bill.vendor_ref.value,
        vendor_name=bill.vendor_ref.name or "",
        doc_number=bill.doc_number or "",
        txn_date=bill.txn_date,
        due_date=bill.due_date,
        currency="USD",
        total_cents=int(bill.total_amt * _CENTS),
        open_cents=int(bill.balance * _CENTS),
    )
