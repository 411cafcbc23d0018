"""The calculators as assets: load a week's books, call the pure function, store its result.

Belongs here: which tables a calculator reads. Does not: arithmetic (`runway_calcs`), wording (`experiences`).
"""

from collections.abc import Iterable
from datetime import timedelta

from assets.books import home_currency
from assets.desk import Desk, WeekTable, result_schema, week_assets
from assets.forecast_inputs import (
    earlier_hits,
    forecast_inputs,
    forecasting,
    last_forecasting,
    ledger,
    reserve_targets,
)
from assets.known_payments import known_payments, reserve_balances
from assets.priorities import PRIORITIES
from assets.schemas import LEDGER_TABLES
from assets.tenants import Metadata
from runway_calcs.books.ageing import Ageing, ageing
from runway_calcs.books.burn import Burn, burn
from runway_calcs.books.cash import CashPosition
from runway_calcs.books.ledger_measures import LedgerMeasures, ledger_measures
from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.change import ForecastChange, forecast_change
from runway_calcs.forecast.correction_effects import Recomputation, figures_of
from runway_calcs.forecast.expected_payments import ExpectedPayment, expected_payments
from runway_calcs.forecast.figures import CashForecast, ExpectedItem
from runway_calcs.forecast.recurring import RecurringFlow
from runway_calcs.forecast.score import ForecastScore, forecast_score
from runway_calcs.hygiene.assessment import Hygiene, hygiene
from runway_calcs.hygiene.defects import known_books
from runway_calcs.policy import (
    BurnPolicy,
    HygienePolicy,
    MeasurePolicy,
    RecurringPolicy,
    ReservePolicy,
)
from runway_calcs.reserves.outlook import cash_outlook, paid_within_path
from runway_calcs.reserves.targets import ReservePlan, funding_plan

_LEDGER = tuple(f"books/{table.noun}" for table in LEDGER_TABLES if table.noun != "bill_lines")
"""What a correction of the books starts from."""
_FORECAST = (
    *_LEDGER,
    "books/company",
    "books/cash_position",
    "books/cash_movements",
    "books/open_bills",
    "books/open_invoices",
)
"""What a forecast starts from."""


def _cash_burn(desk: Desk) -> Metadata:
    found = burn(
        desk.frame("books/cash_movements"),
        as_of=desk.at.as_of,
        # What reserves and decided payments keep is spoken for: the buffer is of what the forecast opens with.
        cash_cents=forecasting(desk).prepared.opening_cents,
        policy=BurnPolicy(),
    )
    return desk.put_result("runway/cash_burn", found)


def _payables_ageing(desk: Desk) -> Metadata:
    return desk.put_result("runway/payables_ageing", ageing(desk.frame("books/open_bills"), as_of=desk.at.as_of))


def _receivables_ageing(desk: Desk) -> Metadata:
    return desk.put_result("runway/receivables_ageing", ageing(desk.frame("books/open_invoices"), as_of=desk.at.as_of))


def _cash_forecast(desk: Desk) -> Metadata:
    return desk.put_result("runway/cash_forecast", forecasting(desk).forecast)


def _expected_payments(desk: Desk) -> Metadata:
    return desk.put_records("runway/expected_payments", expected_payments(forecasting(desk)), kind=ExpectedPayment)


def _recurring_flows(desk: Desk) -> Metadata:
    return desk.put_records("runway/recurring_flows", forecasting(desk).prepared.series, kind=RecurringFlow)


def _forecast_change(desk: Desk) -> Metadata:
    found = forecast_change(last_forecasting(desk), forecasting(desk))
    return desk.put_result("runway/forecast_change", found)


def _forecast_score(desk: Desk) -> Metadata:
    found = forecast_score(last_forecasting(desk), forecasting(desk), earlier=earlier_hits(desk))
    return desk.put_result("runway/forecast_score", found)


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
        recompute = Recomputation(
            ledger=ledger(desk),
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
            balances=reserve_balances(known_payments(desk)),
            paid_within_path=paid_within_path(targets, base.forecast.items, policy=policy),
            outlook=outlook,
            policy=policy,
        ).plans
    )
    return desk.put_records("runway/reserves", plans, kind=ReservePlan)


CALCULATORS = (
    WeekTable(
        key="runway/cash_burn",
        description="Gross and net burn a day from thirteen weeks of cash movements, and the days that the cash less what "
        "reserves keep would last.",
        deps=_FORECAST,
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
        key="runway/cash_forecast",
        description="Thirteen weeks of cash from what is on the books, what recurs and what is not entered yet: weeks with "
        "bands, the first day below the floor (P50 and P10), and the low-water mark.",
        deps=_FORECAST,
        columns=result_schema(CashForecast),
        work=_cash_forecast,
    ),
    WeekTable(
        key="runway/expected_payments",
        description="When each open invoice and bill is expected to be paid, from its payer's own habit, with range and reason.",
        deps=_FORECAST,
        columns=result_schema(ExpectedPayment),
        work=_expected_payments,
    ),
    WeekTable(
        key="runway/recurring_flows",
        description="Receipts and payments that come back in a rhythm, such as weekly or twice a month, and their next dates.",
        deps=_FORECAST,
        columns=result_schema(RecurringFlow),
        work=_recurring_flows,
    ),
    WeekTable(
        key="runway/forecast_change",
        description="What changed since the last forecast, in at most three causes that sum to the change.",
        deps=_FORECAST,
        columns=result_schema(ForecastChange),
        work=_forecast_change,
    ),
    WeekTable(
        key="runway/forecast_score",
        description="The last forecast's week against what happened: in, out and closing, the largest differences by name, "
        "and in how many of the last weeks the balance lay inside the band.",
        deps=_FORECAST,
        columns=result_schema(ForecastScore),
        work=_forecast_score,
    ),
    WeekTable(
        key="runway/ledger_measures",
        description="DSO and what of it is overdue, days to pay, DPO, collection effectiveness and quick ratio, each with "
        "its inputs and its reason.",
        deps=_FORECAST,
        columns=result_schema(LedgerMeasures),
        work=_ledger_measures,
    ),
    WeekTable(
        key="runway/hygiene",
        description="What is wrong in the books, what mending each thing takes and what it would change in the forecast, "
        "and a score whose parts add up.",
        deps=_FORECAST,
        columns=result_schema(Hygiene),
        work=_hygiene,
    ),
    WeekTable(
        key="runway/reserves",
        description="Each reserve with a target: how it stands, and how it fills up without touching the floor. No row "
        "without a target or without a forecast.",
        deps=(*_FORECAST, "runway/cash_burn"),
        columns=result_schema(ReservePlan),
        work=_reserves,
    ),
)

runway_calculators = week_assets("runway_calculators", (*CALCULATORS, *PRIORITIES))

CALCULATOR_ASSETS = (runway_calculators,)
