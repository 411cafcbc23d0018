"""Console documents with sensible values that a test overrides."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from experiences.console.document import ConsoleBill, ConsoleDocument, ConsolePlan
from runway_calcs.bills.priority import Cause, ScorePart
from runway_calcs.forecast.what_if_draws import WhatIfDraws
from runway_calcs.pay_plan.plan import PlanState
from tests.experiences.priority_builders import FRIDAY, make_bill_priority, make_planned_bill

NO_DRAWS = WhatIfDraws(as_of=FRIDAY, horizon_days=1, unit_cents=100, paths=((80_000,),), bills=())


def make_console_bill(*, vendor: str = "Lindqvist Media Buying", **overrides: Any) -> ConsoleBill:
    """A bill that costs a late fee by the day, and is paid on Monday."""
    bill_id = str(overrides.get("bill_id", "b1"))
    planned = make_planned_bill(bill_id=bill_id, vendor=vendor, paid_in=3, due_in=-4, cents=925_050)
    values: dict[str, Any] = {
        "bill_id": bill_id,
        "vendor": vendor,
        "doc_number": "88120",
        "open_cents": 925_050,
        "due_on": date(2026, 11, 16),
        "priority": make_bill_priority(
            bill_id=bill_id,
            party_name=vendor,
            score=1_380,
            parts=(
                ScorePart(cause=Cause.LATE_FEE, micro=1_500, words="late fee, 8 days late on 24 Nov"),
                ScorePart(cause=Cause.CASH_YIELD, micro=-120, words="the cash earns until then"),
            ),
            latest_safe_on=None,
        ),
        "planned": replace(planned, reason="paid on 2026-11-23, the day on which it costs least"),
    }
    return ConsoleBill(**{**values, **overrides})


def make_console(*bills: ConsoleBill, **overrides: Any) -> ConsoleDocument:
    """The console of a tenant with these bills."""
    values: dict[str, Any] = {
        "schema_version": 1,
        "tenant_id": "acme",
        "tenant_name": "Brightside Studio LLC",
        "firm_name": "Hartwell & Finch CPAs",
        "currency": "USD",
        "zone": "America/New_York",
        "as_of": FRIDAY,
        "data_as_of": datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
        "cash_cents": 8_014_007,
        "reserved_cents": 250_000,
        "floor_cents": 1_200_000,
        "floor_reason": "the next payroll, expected 2026-11-27",
        "bills": bills,
        "count": len(bills),
        "total_cents": sum(one.open_cents for one in bills),
        "plan": ConsolePlan(
            state=PlanState.OPTIMAL,
            words="optimal",
            is_repeatable=True,
            low_cents=6_100_000,
            low_on=FRIDAY,
            balance_cents=(7_000_000,),
        ),
        "draws": NO_DRAWS,
    }
    return ConsoleDocument(**{**values, **overrides})
