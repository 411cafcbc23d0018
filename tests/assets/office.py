"""A tenant whose books are read, and the people who decide on its bills, for tests of what a week knows of the payment ledger.

Nothing here decides anything: each method calls the service of its name.
"""

from datetime import date

import dagster as dg

from assets.ingest import raw_qbo
from assets.published import BALANCES, published_balances
from payments.bills.approvals import approve
from payments.bills.decisions import Decided, pay_now, schedule, stage
from payments.bills.postponing import delay
from payments.controls.people import add_person, grant
from payments.store.ledger import OPERATOR, Ledger
from resources.clock import FixedClock
from resources.installation import Installation
from resources.published_balances import PublishedBalances
from resources.tenants import TenantId

_PEOPLE = {"ada": "administrator", "amy": "approver", "dan": "adviser", "oli": "owner"}


class Office:
    """Its clock is a minute on after everything, as a real one is: what is done later is known later."""

    def __init__(self, installation: Installation, clock: FixedClock, *, tenant: TenantId) -> None:
        self.installation = installation
        self.tenant = tenant
        self.ledger = Ledger(installation.database, clock=clock)
        self._clock = clock
        self._keys = iter(range(10_000))

    def read_books(self) -> None:
        """A sync, and what its pipeline makes of it."""
        self._clock.sleep(60)
        self.installation.smart_sync.sync(self.tenant)
        self.take_in()

    def take_in(self) -> None:
        """Publish the newest books, and let the ledger take them in."""
        self._clock.sleep(60)
        with dg.DagsterInstance.ephemeral() as instance:
            instance.add_dynamic_partitions("tenant", [self.tenant])
            assert dg.materialize(
                [raw_qbo, published_balances],
                instance=instance,
                resources={"installation": self.installation},
                selection=[BALANCES],
                partition_key=self.tenant,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            ).success
        self._clock.sleep(60)

    @property
    def books(self) -> PublishedBalances:
        """What the newest books publish."""
        found = self.installation.published_balances.read(self.tenant)
        assert found is not None
        return found

    @property
    def account_id(self) -> str:
        """The cash account that has most."""
        return max(self.books.cash, key=lambda one: (one.balance_cents, one.account_id)).account_id

    def hire(self, *, firm_id: str) -> None:
        """An administrator, an approver, an adviser and an owner, who work for the tenant."""
        for person in _PEOPLE:
            add_person(self.ledger, person_id=person, firm_id=firm_id, name=person.title())
        self.grant_roles()

    def grant_roles(self) -> None:
        """Let the people of the firm work for the tenant."""
        for person, role in _PEOPLE.items():
            by = OPERATOR if role == "administrator" else "ada"
            grant(self.ledger, self.tenant, by=by, person_id=person, role=role)

    def key(self) -> str:
        """A fresh request key."""
        return f"key-{next(self._keys)}"

    def stage(self, bill_id: str) -> None:
        """Approve a bill and propose its payment."""
        where, account = (self.ledger, self.tenant), self.account_id
        approve(*where, by="amy", bill_id=bill_id, request_key=self.key())
        stage(*where, by="dan", bill_id=bill_id, account_id=account, request_key=self.key())

    def pay_now(self, bill_id: str) -> Decided:
        """Decide that a staged bill is paid with the next batch."""
        wanted = {"bill_id": bill_id, "account_id": self.account_id, "request_key": self.key()}
        return pay_now(self.ledger, self.tenant, by="dan", **wanted)

    def delay(self, bill_id: str, *, until: date) -> str:
        """Put a staged bill off."""
        return delay(self.ledger, self.tenant, by="dan", bill_id=bill_id, until=until, request_key=self.key())

    def schedule(self, bill_id: str, *, on: date, amount_cents: int) -> Decided:
        """Decide that a part of a staged bill is paid on a day."""
        wanted = {"bill_id": bill_id, "account_id": self.account_id, "request_key": self.key()}
        return schedule(self.ledger, self.tenant, by="dan", pay_on=on, amount_cents=amount_cents, **wanted)
