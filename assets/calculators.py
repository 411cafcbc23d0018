"""The calculators as assets: load a week's books, call the pure function, store its result.

Belongs here: which tables a calculator reads. Does not: arithmetic (`runway_calcs`), wording (`experiences`).
"""

from datetime import timedelta

import dagster as dg

from assets.books import books_cash_movements, books_cash_position, books_open_bills, books_open_invoices
from assets.desk import Desk, for_each_desk, result_schema
from assets.partitions import TENANTS
from assets.tenants import Metadata
from resources.installation import Installation, RunWeek
from runway_calcs.ageing import Ageing, ageing
from runway_calcs.burn import Burn, burn
from runway_calcs.cash import CashPosition
from runway_calcs.collection import ExpectedCollection, expected_collections
from runway_calcs.dated_flows import dated_flows
from runway_calcs.policy import BurnPolicy, CollectionPolicy, RecurringPolicy
from runway_calcs.projection import CashRunway, cash_runway
from runway_calcs.recurring import RecurringOutflow, recurring_outflows

GROUP = "runway"
KINDS = {"python", "parquet"}


@dg.asset(
    key_prefix="runway",
    name="cash_burn",
    group_name=GROUP,
    partitions_def=TENANTS,
    deps=[books_cash_movements, books_cash_position],
    kinds=KINDS,
    metadata=result_schema(Burn),
)
def runway_cash_burn(
    context: dg.AssetExecutionContext,
    installation: dg.ResourceParam[Installation],
    week: dg.ResourceParam[RunWeek],
) -> dg.MaterializeResult[None]:
    """Gross and net burn a day from thirteen weeks of cash movements, and the buffer days they leave."""

    def work(desk: Desk) -> Metadata:
        position = desk.result("books/cash_position", CashPosition)
        movements = desk.frame("books/cash_movements")
        return desk.put_result(
            "runway/cash_burn",
            burn(movements, as_of=desk.at.as_of, cash_cents=position.cash_cents, policy=BurnPolicy()),
        )

    return for_each_desk(context, installation=installation, week=week, work=work)


@dg.asset(
    key_prefix="runway",
    name="payables_ageing",
    group_name=GROUP,
    partitions_def=TENANTS,
    deps=[books_open_bills],
    kinds=KINDS,
    metadata=result_schema(Ageing),
)
def runway_payables_ageing(
    context: dg.AssetExecutionContext,
    installation: dg.ResourceParam[Installation],
    week: dg.ResourceParam[RunWeek],
) -> dg.MaterializeResult[None]:
    """What is owed to vendors by days past the due date: current, 1-30, 31-60, 61-90, 91 and over."""

    def work(desk: Desk) -> Metadata:
        return desk.put_result("runway/payables_ageing", ageing(desk.frame("books/open_bills"), as_of=desk.at.as_of))

    return for_each_desk(context, installation=installation, week=week, work=work)


@dg.asset(
    key_prefix="runway",
    name="receivables_ageing",
    group_name=GROUP,
    partitions_def=TENANTS,
    deps=[books_open_invoices],
    kinds=KINDS,
    metadata=result_schema(Ageing),
)
def runway_receivables_ageing(
    context: dg.AssetExecutionContext,
    installation: dg.ResourceParam[Installation],
    week: dg.ResourceParam[RunWeek],
) -> dg.MaterializeResult[None]:
    """What customers owe by days past the due date: current, 1-30, 31-60, 61-90, 91 and over."""

    def work(desk: Desk) -> Metadata:
        return desk.put_result(
            "runway/receivables_ageing", ageing(desk.frame("books/open_invoices"), as_of=desk.at.as_of)
        )

    return for_each_desk(context, installation=installation, week=week, work=work)


@dg.asset(
    key_prefix="runway",
    name="expected_collections",
    group_name=GROUP,
    partitions_def=TENANTS,
    deps=[["books", "documents"], ["books", "applications"]],
    kinds=KINDS,
    metadata=result_schema(ExpectedCollection),
)
def runway_expected_collections(
    context: dg.AssetExecutionContext,
    installation: dg.ResourceParam[Installation],
    week: dg.ResourceParam[RunWeek],
) -> dg.MaterializeResult[None]:
    """When each open invoice is expected to be paid, from the customer's own paying habit, with the reason."""

    def work(desk: Desk) -> Metadata:
        found = expected_collections(
            desk.frame("books/documents"),
            desk.frame("books/applications"),
            at=desk.at,
            policy=CollectionPolicy(),
        )
        return desk.put_records("runway/expected_collections", found, kind=ExpectedCollection)

    return for_each_desk(context, installation=installation, week=week, work=work)


@dg.asset(
    key_prefix="runway",
    name="recurring_outflows",
    group_name=GROUP,
    partitions_def=TENANTS,
    deps=[books_cash_movements],
    kinds=KINDS,
    metadata=result_schema(RecurringOutflow),
)
def runway_recurring_outflows(
    context: dg.AssetExecutionContext,
    installation: dg.ResourceParam[Installation],
    week: dg.ResourceParam[RunWeek],
) -> dg.MaterializeResult[None]:
    """Payments that come back weekly, every two weeks, monthly or quarterly, and their next dates."""

    def work(desk: Desk) -> Metadata:
        as_of = desk.at.as_of
        found = recurring_outflows(
            desk.frame("books/cash_movements"),
            as_of=as_of,
            horizon_end=as_of + timedelta(weeks=desk.projection_policy.horizon_weeks),
            policy=RecurringPolicy(),
        )
        return desk.put_records("runway/recurring_outflows", found, kind=RecurringOutflow)

    return for_each_desk(context, installation=installation, week=week, work=work)


@dg.asset(
    key_prefix="runway",
    name="cash_runway",
    group_name=GROUP,
    partitions_def=TENANTS,
    deps=[
        books_cash_position,
        books_cash_movements,
        books_open_bills,
        books_open_invoices,
        runway_expected_collections,
        runway_recurring_outflows,
    ],
    kinds=KINDS,
    metadata=result_schema(CashRunway),
)
def runway_cash_runway(
    context: dg.AssetExecutionContext,
    installation: dg.ResourceParam[Installation],
    week: dg.ResourceParam[RunWeek],
) -> dg.MaterializeResult[None]:
    """The projected cash of the next thirteen weeks: the first day below the floor, and the low-water mark."""

    def work(desk: Desk) -> Metadata:
        position = desk.result("books/cash_position", CashPosition)
        flows = dated_flows(
            position=position,
            payables=desk.frame("books/open_bills"),
            receivables=desk.frame("books/open_invoices"),
            collections=desk.records("runway/expected_collections", ExpectedCollection),
            recurring=desk.records("runway/recurring_outflows", RecurringOutflow),
            movements=desk.frame("books/cash_movements"),
            policy=desk.projection_policy,
        )
        return desk.put_result(
            "runway/cash_runway", cash_runway(position=position, flows=flows, policy=desk.projection_policy)
        )

    return for_each_desk(context, installation=installation, week=week, work=work)


CALCULATOR_ASSETS = (
    runway_cash_burn,
    runway_payables_ageing,
    runway_receivables_ageing,
    runway_expected_collections,
    runway_recurring_outflows,
    runway_cash_runway,
)
