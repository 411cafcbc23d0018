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
from runway_calcs.books.ageing import Ageing
from runway_calcs.forecast.change import ChangeState, ForecastChange
from runway_calcs.forecast.figures import CashForecast
from runway_calcs.forecast.score import ForecastScore

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
    weeks = desk.result("runway/cash_forecast", CashForecast).weeks
    found = [
        f"week {week.number}: opening, receipts, disbursements and released reserves do not make closing"
        for week in weeks
        if week.opening_cents + week.receipts_cents - week.disbursements_cents + week.released_cents
        != week.closing_cents
    ]
    found += [
        f"week {week.number}: the kinds do not sum to its receipts and disbursements"
        for week in weeks
        if (sum(total.amount_cents for total in week.receipts), sum(total.amount_cents for total in week.disbursements))
        != (week.receipts_cents, week.disbursements_cents)
    ]
    found += [
        f"week {after.number} does not open where week {before.number} closed"
        for before, after in pairwise(weeks)
        if before.closing_cents != after.opening_cents
    ]
    return found


def _causes_do_not_sum(desk: Desk) -> list[str]:
    change = desk.result("runway/forecast_change", ForecastChange)
    if change.state is not ChangeState.COMPARED:
        return []
    figures = (
        ("days", change.days, sum(one.days for one in change.causes)),
        (
            "low point",
            _difference(change.low_cents, change.last_low_cents),
            sum(one.low_cents for one in change.causes),
        ),
        (
            "closing balance",
            _difference(change.closing_cents, change.last_closing_cents),
            sum(one.closing_cents for one in change.causes),
        ),
    )
    return [
        f"the causes sum to {total} of the {name}, not to {whole}" for name, whole, total in figures if whole != total
    ]


def _difference(now: int | None, before: int | None) -> int | None:
    return None if now is None or before is None else now - before


def _differences_do_not_sum(desk: Desk) -> list[str]:
    score = desk.result("runway/forecast_score", ForecastScore)
    if score.closing is None:
        return []
    missed = score.closing.actual_cents - score.closing.expected_cents
    named = sum(miss.miss_cents for miss in score.misses)
    found = []
    if named != score.timing_cents + score.permanent_cents:
        found.append(f"the differences by name sum to {named} cents, timing and permanent to another sum")
    if named + score.corrected_cents != missed:
        found.append(f"the differences sum to {named + score.corrected_cents} cents, the balance missed by {missed}")
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
            "runway/cash_forecast",
            "weeks_roll",
            description="Each week of the forecast opens where the one before closed and is the sum of its kinds. Red: the "
            "forecast is wrong, do not read it.",
        ),
        _weeks_do_not_roll,
    ),
    (
        _identity(
            "runway/forecast_change",
            "causes_sum",
            description="The causes of the change since the last forecast sum to the change. Red: do not read the causes.",
        ),
        _causes_do_not_sum,
    ),
    (
        _identity(
            "runway/forecast_score",
            "differences_sum",
            description="What the last forecast missed is the sum of the differences by name. Red: do not read the score.",
        ),
        _differences_do_not_sum,
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
