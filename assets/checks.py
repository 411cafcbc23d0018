"""Checks that are true when green: our own identities, blocking because behind them a person would read a wrong number.

Belongs here: one factory for partitioned checks (a preview feature of Dagster, kept in this one module) and what they assert.
Does not: reconciliation with QuickBooks' own balances.
"""

from collections.abc import Callable
from itertools import pairwise

import dagster as dg

from assets.calculators import runway_cash_runway, runway_payables_ageing, runway_receivables_ageing
from assets.desk import Desk, desk_for
from assets.partitions import TENANTS
from resources.installation import Installation, RunWeek
from resources.tenants import tenant_id
from runway_calcs.ageing import Ageing
from runway_calcs.projection import CashRunway

_SAMPLE = 10


def identity(
    *, name: str, asset: dg.AssetsDefinition, broken: Callable[[Desk], list[str]], description: str
) -> dg.AssetChecksDefinition:
    """A blocking check of one tenant's result; `broken` lists what does not hold."""

    @dg.asset_check(asset=asset, name=name, description=description, blocking=True, partitions_def=TENANTS)
    def _check(
        context: dg.AssetCheckExecutionContext,
        installation: dg.ResourceParam[Installation],
        week: dg.ResourceParam[RunWeek],
    ) -> dg.AssetCheckResult:
        found = broken(desk_for(tenant_id(context.partition_key), installation=installation, week=week))
        return dg.AssetCheckResult(
            passed=not found,
            metadata={"count": len(found), "sample": dg.MetadataValue.text("\n".join(found[:_SAMPLE]))},
        )

    return _check


def _ageing_differs(ageing_table: str, items_table: str) -> Callable[[Desk], list[str]]:
    def broken(desk: Desk) -> list[str]:
        aged = desk.result(ageing_table, Ageing)
        open_cents = int(desk.frame(items_table)["open_cents"].sum())
        found = []
        if sum(aged.bucket_cents) != open_cents:
            found.append(f"buckets sum to {sum(aged.bucket_cents)} cents, the open items to {open_cents}")
        if sum(party.total_cents for party in aged.parties) != aged.total_cents:
            found.append("the parties do not sum to the total")
        return found

    return broken


def _weeks_do_not_roll(desk: Desk) -> list[str]:
    weeks = desk.result("runway/cash_runway", CashRunway).weeks
    found = [
        f"week {week.number}: opening plus net is not closing"
        for week in weeks
        if week.opening_cents + week.net_cents != week.closing_cents
    ]
    found += [
        f"week {after.number} does not open where week {before.number} closed"
        for before, after in pairwise(weeks)
        if before.closing_cents != after.opening_cents
    ]
    return found


CHECKS = (
    identity(
        name="buckets_sum_to_open_bills",
        asset=runway_payables_ageing,
        broken=_ageing_differs("runway/payables_ageing", "books/open_bills"),
        description="The ageing buckets add up to the open bills less credits. Red: look at books/open_bills first.",
    ),
    identity(
        name="buckets_sum_to_open_invoices",
        asset=runway_receivables_ageing,
        broken=_ageing_differs("runway/receivables_ageing", "books/open_invoices"),
        description="The ageing buckets add up to the open invoices less credits. Red: look at books/open_invoices first.",
    ),
    identity(
        name="weeks_roll",
        asset=runway_cash_runway,
        broken=_weeks_do_not_roll,
        description="Each projected week opens where the one before closed. Red: the projection is wrong, do not read it.",
    ),
)
