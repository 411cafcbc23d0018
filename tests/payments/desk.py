"""A tenant's payment desk for tests: people with roles, published books, a ledger, and short ways to the verbs.

Nothing here decides anything: each method calls the service of its name.
"""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from payments.bills.approvals import approve
from payments.bills.cycles import running
from payments.bills.decisions import Decided, pay_now, schedule, stage
from payments.bills.discovery import Discovered, discover
from payments.bills.postponing import delay
from payments.cash.free_cash import FreeCash, free_cash
from payments.cash.reflection import Reflected, reflect
from payments.controls.people import add_person, grant
from payments.controls.policies import set_policy
from payments.sending.batches import Finalized, finalize
from payments.sending.promotion import DayPassed, pass_day
from payments.store.ledger import OPERATOR, Ledger
from payments.store.repository import Row
from resources.clock import FixedClock
from resources.commits import Commits
from resources.database import Database
from resources.published_balances import CashSnapshot, OpenBill, PublishedBalancesStore
from resources.tables import CONNECTION
from resources.tenants import TenantId
from tests.resources.builders import ACME, add_tenants, commit_sync

CHECKING = "35"
PEOPLE: dict[str, tuple[str, ...]] = {
    "ada": ("administrator",),
    "pat": ("preparer",),
    "amy": ("approver",),
    "art": ("approver",),
    "dan": ("adviser", "emergency"),
    "dot": ("adviser",),
    "fin": ("finalizer",),
    "oli": ("owner",),
    "vic": ("viewer",),
}


def make_bill(bill_id: str = "b1", *, open_cents: int = 10_000, **overrides: Any) -> OpenBill:
    """A published bill that is due."""
    fields: dict[str, Any] = {
        "bill_id": bill_id,
        "vendor_id": f"v-{bill_id}",
        "vendor_name": f"Vendor of {bill_id}",
        "doc_number": f"D-{bill_id}",
        "txn_date": date(2026, 11, 1),
        "due_date": date(2026, 11, 30),
        "currency": "USD",
        "home_currency": "USD",
        "total_cents": open_cents,
        "open_cents": open_cents,
        "sync_token": "0",
        "ap_account_id": "33",
        "lines_sha256": "l1",
    }
    return OpenBill(**{**fields, **overrides})


class Desk:
    """One tenant, its people and its ledger."""

    def __init__(
        self, database: Database, clock: FixedClock, *, tenant: TenantId = ACME, register: bool = True
    ) -> None:
        self.database = database
        self.clock = clock
        self.tenant = tenant
        self.ledger = Ledger(database, clock=clock)
        self._commits = Commits(database, clock=clock)
        self._published = PublishedBalancesStore(database)
        self._keys = itertools.count(1)
        if register:
            add_tenants(database, clock, tenant)
            self.people(add=True)

    def people(self, *, add: bool) -> None:
        """Everybody of `PEOPLE` with their roles, and a connection."""
        if add:
            for person in PEOPLE:
                add_person(self.ledger, person_id=person, firm_id="north-books", name=person.title())
        self.grant_roles()
        with self.database.write() as connection:
            row = {
                "tenant_id": self.tenant,
                "environment": "local",
                "realm_id": f"realm-{self.tenant}",
                "token_version": 1,
            }
            row |= {"state": "connected", "connected_at": self.clock.now(), "access_token": b"", "refresh_token": b""}
            row |= {"access_expires_at": self.clock.now(), "refresh_expires_at": self.clock.now()}
            connection.execute(insert(CONNECTION).values(row))

    def grant_roles(self) -> None:
        """Let the people of `PEOPLE` work for the tenant."""
        for person, roles in PEOPLE.items():
            for role in roles:
                by = OPERATOR if role == "administrator" else "ada"
                grant(self.ledger, self.tenant, by=by, person_id=person, role=role)

    def key(self) -> str:
        """A fresh request key."""
        return f"key-{next(self._keys)}"

    def later(self, **delta: float) -> datetime:
        """Let time pass."""
        self.clock.move_to(self.clock.now() + timedelta(**delta))
        return self.clock.now()

    def publish(self, *bills: OpenBill, cash: int = 100_000, accounts: Sequence[CashSnapshot] | None = None) -> None:
        """A sync whose read began now publishes these bills and this cash."""
        self.later(seconds=1)
        with self._commits.lease(self.tenant) as lease:
            sync = commit_sync(self._commits, lease, data_as_of=self.clock.now())
        snapshot = CashSnapshot(account_id=CHECKING, name="Checking", balance_cents=cash, dated_later_cents=0)
        self._published.publish(sync, cash=[snapshot] if accounts is None else accounts, bills=bills)
        self.later(seconds=1)

    def sync(
        self, *bills: OpenBill, cash: int = 100_000, accounts: Sequence[CashSnapshot] | None = None
    ) -> tuple[Discovered, Reflected]:
        """Publish, then what the pipelines do after a sync."""
        self.publish(*bills, cash=cash, accounts=accounts)
        return discover(self.ledger, self.tenant), reflect(self.ledger, self.tenant)

    def policy(self, **changes: Any) -> None:
        """Another version of the policy."""
        set_policy(self.ledger, self.tenant, by="oli", changes=changes)

    def approve(self, bill_id: str = "b1", *, by: str = "amy") -> list[str]:
        """An approval."""
        return approve(self.ledger, self.tenant, by=by, bill_id=bill_id, request_key=self.key())

    def stage(self, bill_id: str = "b1", *, by: str = "pat", **overrides: Any) -> int:
        """A proposal from the checking account."""
        wanted = {"account_id": CHECKING, "request_key": self.key(), **overrides}
        return stage(self.ledger, self.tenant, by=by, bill_id=bill_id, **wanted)

    def ready(self, *bill_ids: str) -> None:
        """Approve and stage bills."""
        for bill_id in bill_ids or ("b1",):
            self.approve(bill_id)
            self.stage(bill_id)

    def pay_now(self, bill_id: str = "b1", *, by: str = "dan", **overrides: Any) -> Decided:
        """A decision to pay from the checking account."""
        wanted = {"account_id": CHECKING, "request_key": self.key(), **overrides}
        return pay_now(self.ledger, self.tenant, by=by, bill_id=bill_id, **wanted)

    def schedule(self, bill_id: str = "b1", *, by: str = "dan", days: int = 3, **overrides: Any) -> Decided:
        """A decision to pay in some days."""
        day = self.today + timedelta(days=days)
        wanted = {"account_id": CHECKING, "request_key": self.key(), "pay_on": day, **overrides}
        return schedule(self.ledger, self.tenant, by=by, bill_id=bill_id, **wanted)

    def delay(self, bill_id: str = "b1", *, by: str = "dan", days: int = 7) -> str:
        """A decision to put a bill off."""
        until = self.today + timedelta(days=days)
        return delay(self.ledger, self.tenant, by=by, bill_id=bill_id, until=until, request_key=self.key())

    def finalize(self, *decided: Decided, by: str = "fin", request_key: str | None = None) -> Finalized:
        """A sealed batch."""
        ids = [one.decision_id for one in decided]
        return finalize(self.ledger, self.tenant, by=by, decision_ids=ids, request_key=request_key or self.key())

    def pass_day(self) -> DayPassed:
        """What happens without people."""
        return pass_day(self.ledger, self.tenant)

    @property
    def today(self) -> date:
        """The tenant's date."""
        with self.ledger.look(self.tenant) as look:
            return look.today

    def cash(self, account_id: str = CHECKING) -> FreeCash:
        """Free cash of an account."""
        with self.ledger.look(self.tenant) as look:
            return free_cash(look, account_id)

    def bill(self, bill_id: str = "b1") -> Row:
        """The running cycle of a bill."""
        with self.ledger.look(self.tenant) as look:
            return running(look, bill_id)

    def rows(self, table: Any, *conditions: Any) -> list[Row]:
        """Rows of the tenant."""
        with self.ledger.look(self.tenant) as look:
            return look.many(table, *conditions)


def changed(bill: OpenBill, **changes: Any) -> OpenBill:
    """The bill as somebody changed it in QuickBooks."""
    return replace(bill, **changes)
