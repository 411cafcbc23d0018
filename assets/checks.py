"""Checks that are true when green: our own identities, blocking because behind them a person would read a wrong number.

Belongs here: one factory for partitioned checks (a preview feature of Dagster, kept in this one module) and what they assert.
Does not: reconciliation with QuickBooks' own balances.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise

import dagster as dg

from assets.desk import Desk, desk_for
from assets.partitions import TENANTS
from resources.installation import Installation, RunWeek
from resources.tenants import tenant_id
from runway_calcs.ageing import Ageing
from runway_calcs.projection import CashRunway

_SAMPLE = 10


def _identity(asset: str, name: str, *, description: str) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        name,
        asset=dg.AssetKey(asset.split("/")),
        description=description,
        blocking=True,
        partitions_def=TENANTS,
    )


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


#: Each identity and what lists where it does not hold.
_IDENTITIES: tuple[tuple[dg.AssetCheckSpec, Callable[[Desk], list[str]]], ...] = (
    (
        _identity(
            "runway/payables_ageing",
            "buckets_sum_to_open_bills",
            description="The ageing buckets add up to the open bills less credits. Red: look at books/open_bills first.",
        ),
        _ageing_differs("runway/payables_ageing", "books/open_bills"),
    ),
    (
        _identity(
            "runway/receivables_ageing",
            "buckets_sum_to_open_invoices",
            description="The ageing buckets add up to the open invoices less credits. Red: look at books/open_invoices first.",
        ),
        _ageing_differs("runway/receivables_ageing", "books/open_invoices"),
    ),
    (
        _identity(
            "runway/cash_runway",
            "weeks_roll",
            description="Each projected week opens where the one before closed. Red: the projection is wrong, do not read it.",
        ),
        _weeks_do_not_roll,
    ),
)


@dg.multi_asset_check(specs=[spec for spec, _ in _IDENTITIES])
def runway_identities(
    context: dg.AssetCheckExecutionContext,
    installation: dg.ResourceParam[Installation],
    week: dg.ResourceParam[RunWeek],
) -> Iterator[dg.AssetCheckResult]:
    """Check one tenant's week."""
    with desk_for(tenant_id(context.partition_key), installation=installation, week=week) as desk:
        checked = [(spec, broken(desk)) for spec, broken in _IDENTITIES]
    for spec, found in checked:
        yield dg.AssetCheckResult(
            asset_key=spec.asset_key,
            check_name=spec.name,
            passed=not found,
            metadata={"count": len(found), "sample": dg.MetadataValue.text("\n".join(found[:_SAMPLE]))},
        )


CHECKS = (runway_identities,)
