"""The calculators as assets: load a week's books, call the pure function, store its result.

Belongs here: which tables a calculator reads. Does not: arithmetic (`runway_calcs`), wording (`experiences`).
"""

from collections.abc import Iterable
from datetime import timedelta

from assets.books import home_currency
from assets.desk import Desk, WeekTable, result_schema, week_assets
from assets.forecast_inputs import forecast_inputs, forecasting, ledger, reserve_targets
from assets.schemas import LEDGER_TABLES
from assets.tenants import Metadata
from runway_calcs.ageing import Ageing, ageing
from runway_calcs.burn import Burn, burn
from runway_calcs.cash import CashPosition
from runway_calcs.collection import ExpectedCollection, expected_collections
from runway_calcs.correction_effects import figures_of, recomputation
from runway_calcs.dated_flows import dated_flows
from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast import ExpectedItem
from runway_calcs.hygiene import Hygiene, hygiene
from runway_calcs.hygiene_defects import known_books
from runway_calcs.ledger_measures import LedgerMeasures, ledger_measures
from runway_calcs.policy import (
    BurnPolicy,
    CollectionPolicy,
    HygienePolicy,
    MeasurePolicy,
    RecurringPolicy,
    ReservePolicy,
)
from runway_calcs.projection import CashRunway, cash_runway
from runway_calcs.recurring import RecurringFlow, recurring_outflows
from runway_calcs.reserve_outlook import cash_outlook, paid_within_path
from runway_calcs.reserves import ReservePlan, funding_plan

_LEDGER = tuple(f"books/{table.noun}" for table in LEDGER_TABLES)
"""What a forecast and a correction of the books start from."""


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


def _ledger_measures(desk: Desk) -> Metadata:
    position = desk.result("books/cash_position", CashPosition)
    policy = MeasurePolicy()
    base = forecasting(desk)
    until = desk.at.as_of + timedelta(days=policy.window_days)
    soon = [item for item in base.forecast.items if item.expected_on <= until]
    has_forecast = base.simulation is not None
    found = ledger_measures(
        desk.frame("books/documents"),
        desk.frame("books/applications"),
        receivables=desk.frame("books/open_invoices"),
        payables=desk.frame("books/open_bills"),
        at=desk.at,
        cash_cents=position.cash_cents,
        card_owed_cents=position.card_owed_cents,
        expected_receipts_cents=_total(soon, FlowKind.INVOICE) if has_forecast else None,
        taxes_due_cents=-_total(soon, FlowKind.TAX) if has_forecast else None,
        policy=policy,
    )
    return desk.put_result("runway/ledger_measures", found)


def _total(items: Iterable[ExpectedItem], kind: FlowKind) -> int:
    return sum(item.amount_cents for item in items if item.kind is kind)


def _hygiene(desk: Desk) -> Metadata:
    base = forecasting(desk)
    recompute = None
    if base.simulation is not None:
        recompute = recomputation(
            ledger(desk),
            base=base,
            home_currency=home_currency(desk),
            inputs=forecast_inputs(desk),
            cash_policy=desk.cash_policy,
            recurring_policy=RecurringPolicy(),
        )
    found = hygiene(
        known_books(ledger(desk), at=desk.at),
        position=desk.result("books/cash_position", CashPosition),
        base=figures_of(base),
        recompute=recompute,
        horizon_days=base.prepared.policy.horizon_days,
        policy=HygienePolicy(),
        cash_policy=desk.cash_policy,
    )
    return desk.put_result("runway/hygiene", found)


def _reserves(desk: Desk) -> Metadata:
    base, targets, policy = forecasting(desk), reserve_targets(desk), ReservePolicy()
    outlook = cash_outlook(base, gross_burn_cents_per_day=desk.result("runway/cash_burn", Burn).gross_per_day_cents)
    plans = (
        ()
        if outlook is None
        else funding_plan(
            targets,
            balances={},
            paid_within_path=paid_within_path(targets, base.forecast.items, policy=policy),
            outlook=outlook,
            policy=policy,
        ).plans
    )
    return desk.put_records("runway/reserves", plans, kind=ReservePlan)


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
    WeekTable(
        key="runway/ledger_measures",
        description="DSO and what of it is overdue, days to pay, DPO, collection effectiveness and quick ratio, each with "
        "its inputs and its reason.",
        deps=(
            *_LEDGER,
            "books/company",
            "books/cash_position",
            "books/open_bills",
            "books/open_invoices",
        ),
        columns=result_schema(LedgerMeasures),
        work=_ledger_measures,
    ),
    WeekTable(
        key="runway/hygiene",
        description="What is wrong in the books, what mending each thing takes and what it would change in the forecast, "
        "and a score whose parts add up.",
        deps=(*_LEDGER, "books/company", "books/cash_position"),
        columns=result_schema(Hygiene),
        work=_hygiene,
    ),
    WeekTable(
        key="runway/reserves",
        description="Each reserve with a target: how it stands, and how it fills up without touching the floor. No row "
        "without a target or without a forecast.",
        deps=(*_LEDGER, "books/company", "runway/cash_burn"),
        columns=result_schema(ReservePlan),
        work=_reserves,
    ),
)

runway_calculators = week_assets("runway_calculators", CALCULATORS)

CALCULATOR_ASSETS = (runway_calculators,)
