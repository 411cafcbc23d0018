"""The ledger: where its transactions begin and end.

Belongs here: acts and looks. Does not: what is done in them (one module a topic), statements (`repository.py`).

Each act is one writing transaction that first lets nobody else write for this tenant: what it reads stays true until it
commits. Its changes and its one row of the audit commit together. No act spans a network call.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from payments.store.repository import Act, Look
from resources.clock import Clock
from resources.database import Database
from resources.failpoints import failpoint
from resources.registry import lock_tenant
from resources.row_security import see_tenant
from resources.tenants import TenantId

#: Who acts when no person does.
SYNC = "system:sync"
DUE = "system:due"
OPERATOR = "operator"


class _NotMeant(Exception):
    """Ends the transaction of a dry run."""


class Ledger:
    """The ledger of all tenants of one installation; each act and look is of one tenant."""

    def __init__(self, database: Database, *, clock: Clock, dry_run: bool = False) -> None:
        self.database = database
        self.clock = clock
        #: Acts do everything and then commit nothing: every refusal shows, nothing changes.
        self.dry_run = dry_run

    @contextmanager
    def act(self, tenant: TenantId, *, actor: str, kind: str, point: str | None = None) -> Iterator[Act]:
        """One change: committed with its audit row at the end, rolled back on an exception.

        `point` names the failpoints around it: `<point>.before`, `<point>.in`, `<point>.after`.
        """
        _pass(point, "before")
        try:
            with self.database.write() as connection:
                registered = lock_tenant(connection, tenant)
                act = Act(connection, tenant, now=self.clock.now(), actor=actor, kind=kind)
                if registered is not None:
                    act.tenant_row = dict(registered)
                yield act
                act.write_audit()
                _pass(point, "in")
                self._end_dry_run()
        except _NotMeant:
            return
        _pass(point, "after")

    @contextmanager
    def write_people(self) -> Iterator[Connection]:
        """One change of the people of firms, who belong to no tenant; it is committed but for a dry run."""
        try:
            with self.database.write() as connection:
                yield connection
                self._end_dry_run()
        except _NotMeant:
            return

    def _end_dry_run(self) -> None:
        if self.dry_run:
            raise _NotMeant

    @contextmanager
    def look(self, tenant: TenantId) -> Iterator[Look]:
        """Reads one state and changes nothing."""
        with self.database.read() as connection:
            see_tenant(connection, tenant)
            yield Look(connection, tenant, now=self.clock.now())


def _pass(point: str | None, where: str) -> None:
    if point is not None:
        failpoint(f"{point}.{where}")
