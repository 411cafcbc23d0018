"""The calculators as assets: load a week's books, call the pure function, store its result.

Belongs here: which tables a calculator reads. Does not: arithmetic (`runway_calcs`), wording (`experiences`).
"""

from assets.desk import Desk, WeekTable, result_schema, week_assets
from assets.tenants import Metadata
from runway_calcs.ageing import Ageing, ageing
from runway_calcs.burn import Burn, burn
from runway_calcs.cash import CashPosition
from runway_calcs.collection import ExpectedCollection, expected_collections
from runway_calcs.dated_flows import dated_flows
from runway_calcs.policy import BurnPolicy, CollectionPolicy, RecurringPolicy
from runway_calcs.projection import CashRunway, cash_runway
from runway_calcs.recurring import RecurringFlow, recurring_outflows


def _cash_burn(desk: Desk) -> Metadata:
    position = desk.result("books/cash_position", CashPosition)
    found = burn(
        desk.frame("books/cash_movements"),
        as_of=desk.at.as_of,
        cash_cents=position.cash_cents,
        policy=BurnPolicy(),
    )
    return desk.put_result("runway/cash_burn", found)


def _payables_ageing(desk: Desk) -> Metadata:
    return desk.put_result("runway/payables_ageing", ageing(desk.frame("books/open_bills"), as_of=desk.at.as_of))


def _receivables_ageing(desk: Desk) -> Metadata:
    return desk.put_result("runway/receivables_ageing", ageing(desk.frame("books/open_invoices"), as_of=desk.at.as_of))


def _expected_collections(desk: Desk) -> Metadata:
    found = expected_collections(
        desk.frame("books/documents"), desk.frame("books/applications"), at=desk.at, policy=CollectionPolicy()
    )
    return desk.put_records("runway/expected_collections", found, kind=ExpectedCollection)


def _recurring_outflows(desk: Desk) -> Metadata:
    as_of = desk.at.as_of
    found = recurring_outflows(
        desk.frame("books/cash_movements"),
        as_of=as_of,
        horizon_end=desk.projection_policy.horizon_end(as_of),
        policy=RecurringPolicy(),
    )
    return desk.put_records("runway/recurring_outflows", found, kind=RecurringFlow)


def _cash_runway(desk: Desk) -> Metadata:
    position = desk.result("books/cash_position", CashPosition)
    flows = dated_flows(
        position=position,
        payables=desk.frame("books/open_bills"),
        receivables=desk.frame("books/open_invoices"),
        collections=desk.records("runway/expected_collections", ExpectedCollection),
        recurring=desk.records("runway/recurring_outflows", RecurringFlow),
        movements=desk.frame("books/cash_movements"),
        policy=desk.projection_policy,
    )
    found = cash_runway(position=position, flows=flows, policy=desk.projection_policy)
    return desk.put_result("runway/cash_runway", found)


CALCULATORS = (
    WeekTable(
        key="runway/cash_burn",
        description="Gross and net burn a day from thirteen weeks of cash movements, and the buffer days they leave.",
        deps=("books/cash_movements", "books/cash_position"),
        columns=result_schema(Burn),
        work=_cash_burn,
    ),
    WeekTable(
        key="runway/payables_ageing",
        description="What is owed to vendors by days past the due date: current, 1-30, 31-60, 61-90, 91 and over.",
        deps=("books/open_bills",),
        columns=result_schema(Ageing),
        work=_payables_ageing,
    ),
    WeekTable(
        key="runway/receivables_ageing",
        description="What customers owe by days past the due date: current, 1-30, 31-60, 61-90, 91 and over.",
        deps=("books/open_invoices",),
        columns=result_schema(Ageing),
        work=_receivables_ageing,
    ),
    WeekTable(
        key="runway/expected_collections",
        description="When each open invoice is expected to be paid, from the customer's own paying habit, with the reason.",
        deps=("books/documents", "books/applications"),
        columns=result_schema(ExpectedCollection),
        work=_expected_collections,
    ),
    WeekTable(
        key="runway/recurring_outflows",
        description="Payments that come back weekly, every two weeks, monthly or quarterly, and their next dates.",
        deps=("books/cash_movements",),
        columns=result_schema(RecurringFlow),
        work=_recurring_outflows,
    ),
    WeekTable(
        key="runway/cash_runway",
        description="The projected cash of the next thirteen weeks: the first day below the floor, and the low-water mark.",
        deps=(
            "books/cash_position",
            "books/cash_movements",
            "books/open_bills",
            "books/open_invoices",
            "runway/expected_collections",
            "runway/recurring_outflows",
        ),
        columns=result_schema(CashRunway),
        work=_cash_runway,
    ),
)

runway_calculators = week_assets("runway_calculators", CALCULATORS)

CALCULATOR_ASSETS = (runway_calculators,)
