"""The turnstile before each call to a company: when it may start, and that it is counted.

Belongs here: the pace of one company over all processes, the count of its metered calls. Does not: waiting and trying again
(`patience.py`), what the counts mean (`usage.py`).

Both need to hold across processes and crashes, so both are one row each in the operational database, written together
before a call starts: a call that a crash hides is counted, never forgotten. Limiter packages (pyrate-limiter) keep time by
clocks of their own and bring stores of their own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from resources.clock import Clock
from resources.database import Database
from resources.errors import TenantError
from resources.failpoints import failpoint
from resources.qbo.usage import CallBudget, Usage, month_of, next_month, projected_calls
from resources.registry import lock_tenant
from resources.tables import CALL_METER, CALL_PACE
from resources.tenants import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds between the starts of two calls: 0.125 are 8 a second and 480 a minute, below QuickBooks' 10 and 500."""

    between_calls: timedelta = timedelta(seconds=0.125)


class BudgetSpent(TenantError):
    """The tenant's metered calls of this month are used up."""


class Turnstile:
    """One for all tenants of an installation; every statement names its tenant."""

    def __init__(
        self, database: Database, *, clock: Clock, pace: Pace | None = None, budget: CallBudget | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._pace = pace or Pace()
        self._budget = budget or CallBudget()

    def enter(self, tenant: TenantId) -> float:
        """Take the next turn and count its call; the seconds to wait until the turn. `BudgetSpent` if none is left."""
        now = self._clock.now()
        with self._database.write() as connection:
            lock_tenant(connection, tenant)
            start = self._next_start(connection, tenant, now=now)
            self._count(connection, tenant, now=now, waits=start - now)
            failpoint("turnstile.in")
        failpoint("turnstile.after")
        return (start - now).total_seconds()

    def take_back(self, tenant: TenantId) -> None:
        """The call just counted was not carried out: QuickBooks meters only what it answers."""
        with self._database.write() as connection:
            connection.execute(
                update(CALL_METER)
                .where(*_month(tenant, self._clock.now()), CALL_METER.c.metered > 0)
                .values(metered=CALL_METER.c.metered - 1)
            )

    def throttled(self, tenant: TenantId, *, waits: timedelta) -> None:
        """A call was refused as one too many, and the next try waits so long."""
        more = {
            "throttled": CALL_METER.c.throttled + 1,
            "waited_milliseconds": CALL_METER.c.waited_milliseconds + _milliseconds(waits),
        }
        with self._database.write() as connection:
            connection.execute(update(CALL_METER).where(*_month(tenant, self._clock.now())).values(more))

    def usage(self, tenant: TenantId) -> Usage:
        """What the tenant has used of this month."""
        now = self._clock.now()
        with self._database.read() as connection:
            row = connection.execute(select(CALL_METER).where(*_month(tenant, now))).first()
        metered, since = (0, now) if row is None else (row.metered, row.counted_since)
        return Usage(
            month=month_of(now),
            metered=metered,
            projected=projected_calls(metered, since=since, now=now),
            budget=self._budget,
            throttled=0 if row is None else row.throttled,
            waited=timedelta() if row is None else timedelta(milliseconds=row.waited_milliseconds),
        )

    def _count(self, connection: Connection, tenant: TenantId, *, now: datetime, waits: timedelta) -> None:
        row = connection.execute(select(CALL_METER.c.metered).where(*_month(tenant, now))).first()
        if row is None:
            first = {"tenant_id": tenant, "month": month_of(now), "metered": 1, "counted_since": now}
            connection.execute(insert(CALL_METER).values(first | {"waited_milliseconds": _milliseconds(waits)}))
            return
        if row.metered >= self._budget.hard:
            raise BudgetSpent(
                what=f"Tenant {tenant!r} has used its {self._budget.hard} metered QuickBooks calls of {month_of(now)}.",
                next_step=f"Calls are free again on {next_month(now).date()}; nothing was asked.",
            )
        more = {
            "metered": CALL_METER.c.metered + 1,
            "waited_milliseconds": CALL_METER.c.waited_milliseconds + _milliseconds(waits),
        }
        connection.execute(update(CALL_METER).where(*_month(tenant, now)).values(more))

    def _next_start(self, connection: Connection, tenant: TenantId, *, now: datetime) -> datetime:
        mine = CALL_PACE.c.tenant_id == tenant
        row = connection.execute(select(CALL_PACE.c.next_call_at).where(mine)).first()
        # A turn far ahead is from a clock that was set back since: nobody waits for it.
        planned = now if row is None or row.next_call_at > now + timedelta(minutes=5) else row.next_call_at
        start = max(now, planned)
        following = start + self._pace.between_calls
        if row is None:
            connection.execute(insert(CALL_PACE).values(tenant_id=tenant, next_call_at=following))
        else:
            connection.execute(update(CALL_PACE).where(mine).values(next_call_at=following))
        return start


def _month(tenant: TenantId, now: datetime) -> tuple[Any, ...]:
    return CALL_METER.c.tenant_id == tenant, CALL_METER.c.month == month_of(now)


def _milliseconds(span: timedelta) -> int:
    return round(span / timedelta(milliseconds=1))
