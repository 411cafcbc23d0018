"""One tenant's tables as assets see them: history of raw objects, results of a week.

Belongs here: which sync a week is calculated from, and reading and writing tables of that week.
Does not: files (`resources/lake.py`), commit rows (`resources/commits.py`), arithmetic.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa

from resources.commits import Commits, Sync
from resources.errors import TenantNotReady
from resources.lake import Lake, Segment
from resources.tenants import Tenant, TenantId

#: Local time at which a week that lies before the connection is cut: the hour of Friday's sync.
RECONSTRUCTED_AT = time(5, 0)
#: Far longer than any run: a file this old that nothing names is from a run that died.
UNNAMED_KEPT_FOR = timedelta(days=2)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """The point of view of one tenant's weekly results, fixed for a run."""

    tenant: Tenant
    as_of: date
    known_until: datetime
    first_known_at: datetime
    sync: Sync

    @property
    def data_as_of(self) -> datetime:
        """When the books used here were read."""
        return self.sync.data_as_of


class Store:
    """Reads and writes a tenant's tables through the commit rows."""

    def __init__(self, *, lake: Lake, commits: Commits) -> None:
        self._lake = lake
        self._commits = commits

    def newest_week(self, tenant: Tenant, *, as_of: date) -> Week:
        """The newest complete sync of or before that day, whatever its age; for a day before the connection, the first.

        Raises:
            TenantNotReady: the tenant was never fully synced.
        """
        end_of_day = datetime.combine(as_of + timedelta(days=1), time(0), tzinfo=ZoneInfo(tenant.zone))
        sync = self._commits.newest_sync(tenant.tenant_id, until=end_of_day.astimezone(UTC) - _TICK)
        if sync is not None:
            return self._week(tenant, as_of=as_of, sync=sync, known_until=sync.data_as_of)
        first = self._commits.first_sync(tenant.tenant_id)
        if first is None:
            raise TenantNotReady(
                what=f"The books of {tenant.tenant_id!r} have never been read completely.",
                next_step=f"Run `runway connect {tenant.tenant_id}` if it is not connected, then materialize raw_qbo.",
            )
        cut = datetime.combine(as_of, RECONSTRUCTED_AT, tzinfo=ZoneInfo(tenant.zone))
        return self._week(tenant, as_of=as_of, sync=first, known_until=cut.astimezone(UTC))

    def week_of(self, tenant: Tenant, *, as_of: date, table: str) -> Week:
        """The point of view that a result of this day was calculated from: a sync that commits meanwhile changes nothing.

        Raises:
            TenantNotReady: there is no such result.
        """
        result = self._commits.result(tenant.tenant_id, table=table, as_of=as_of)
        if result is None:
            raise _not_calculated(tenant.tenant_id, table=table, as_of=as_of)
        sync = self._commits.sync(tenant.tenant_id, result.sync_id)
        return self._week(tenant, as_of=as_of, sync=sync, known_until=result.known_until)

    def _week(self, tenant: Tenant, *, as_of: date, sync: Sync, known_until: datetime) -> Week:
        first = self._commits.first_sync(tenant.tenant_id) or sync
        return Week(tenant=tenant, as_of=as_of, known_until=known_until, first_known_at=first.data_as_of, sync=sync)

    def history(self, week: Week, table: str) -> list[Segment]:
        """The segments with all versions of a raw table known to the week's sync, oldest first."""
        return self._commits.history(week.tenant.tenant_id, table=table, up_to=week.sync)

    def put(self, week: Week, table: str, rows: pa.Table) -> Segment:
        """Make these rows the week's result; the same rows again change nothing."""
        segment = self._lake.write(tenant=week.tenant.tenant_id, table=table, rows=rows)
        self._commits.commit_result(as_of=week.as_of, known_until=week.known_until, sync=week.sync, segment=segment)
        return segment

    def result(self, week: Week, table: str) -> Segment:
        """A result of this week; `TenantNotReady` if it is not there or was calculated from other books."""
        result = self._commits.result(week.tenant.tenant_id, table=table, as_of=week.as_of)
        if result is None or result.sync_id != week.sync.sync_id:
            raise _not_calculated(week.tenant.tenant_id, table=table, as_of=week.as_of)
        return result.segment

    def earlier_result(self, week: Week, table: str, *, as_of: date) -> Segment | None:
        """A result of an earlier day as it was calculated then, from whichever books; None if it never was."""
        if as_of >= week.as_of:
            raise ValueError(f"{as_of} is not earlier than {week.as_of}")
        result = self._commits.result(week.tenant.tenant_id, table=table, as_of=as_of)
        return None if result is None else result.segment

    def kept_result(self, week: Week, table: str, *, weeks: int) -> Segment | None:
        """What the newest run left of a table: of this week from whichever books, or of one of so many weeks before."""
        for back in range(weeks + 1):
            as_of = week.as_of - timedelta(weeks=back)
            result = self._commits.result(week.tenant.tenant_id, table=table, as_of=as_of)
            if result is not None:
                return result.segment
        return None

    def sweep(self, tenant: TenantId, *, now: datetime) -> int:
        """Delete files that no commit names and that no running write can still be about to name; how many."""
        return self._lake.sweep(tenant, named=self._commits.named_paths(tenant), older_than=now - UNNAMED_KEPT_FOR)


def _not_calculated(tenant: TenantId, *, table: str, as_of: date) -> TenantNotReady:
    return TenantNotReady(
        what=f"{table} of {tenant!r} is not calculated for {as_of} from the same books as the rest of that week.",
        next_step=f"Materialize {table} and what is downstream of it, or the whole job `friday`.",
    )
