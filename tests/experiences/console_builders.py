"""Console documents with sensible values that a test overrides."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from experiences.console.document import ConsoleBill, ConsoleDocument, ConsolePlan
from experiences.console.ledger_facts import (
    ConsoleAccount,
    ConsoleHold,
    ConsoleLedger,
    ConsoleReserve,
    ConsoleStaged,
)
from runway_calcs.bills.priority import Cause, ScorePart
from runway_calcs.forecast.what_if_draws import WhatIfDraws, WhatIfEffect, WhatIfFigures
from runway_calcs.pay_plan.apart import UnplannedBill, WhyApart
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


def make_console_ledger(
    *, vendor: str = "Harbor Print Works", name: str = "Checking", **overrides: Any
) -> ConsoleLedger:
    """80,140.07 in the books; floor 12,000, a reserve of 2,500, payments of 4,000 and 1,000: 60,640.07 are free."""
    account = ConsoleAccount(
        account_id="35",
        name=name,
        basis_cents=8_014_007,
        floor_cents=1_200_000,
        reserved_cents=250_000,
        pending_cents=400_000,
        posted_cents=100_000,
        free_cents=6_064_007,
        read_started_at=datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
    )
    holds = tuple(
        ConsoleHold(
            bill_id=bill_id,
            vendor=vendor,
            doc_number="41",
            account_id="35",
            amount_cents=cents,
            pay_on=FRIDAY + timedelta(days=days),
            state=state,
        )
        for bill_id, cents, days, state in (
            ("b7", 100_000, -1, "posted"),
            ("b8", 400_000, 3, "pending"),
            ("b9", 90_000, 30, "soft"),
        )
    )
    before = WhatIfFigures(days=None, low_cents=6_100_000, below_floor_ppm=21_000)
    values: dict[str, Any] = {
        "accounts": (account,),
        "holds": holds,
        "reserves": (
            ConsoleReserve(
                reserve_id="r1", kind="tax", name=name, account_id="35", held_cents=250_000, committed_cents=0
            ),
        ),
        "staged": (ConsoleStaged(bill_id="b6", vendor=vendor, doc_number="40", amount_cents=5_500_000),),
        "free_cents": 6_064_007,
        "staged_on": FRIDAY + timedelta(days=3),
        "staged_effect": WhatIfEffect(
            as_of=FRIDAY,
            draws=100,
            before=before,
            after=WhatIfFigures(days=62, low_cents=600_000, below_floor_ppm=640_000),
            days=-30,
            is_open_ended=True,
            low_cents=-5_500_000,
            below_floor_ppm=619_000,
            counted_bill_ids=("b6",),
            uncounted_bill_ids=(),
        ),
    }
    return ConsoleLedger(**{**values, **overrides})


def make_unplanned(*, vendor: str = "Quarry & Sons") -> tuple[UnplannedBill, ...]:
    """One bill that is decided, and one that is open for most of a year."""
    return tuple(
        UnplannedBill(
            bill_id=bill_id,
            party_id=vendor,
            party_name=vendor,
            doc_number="40",
            cents=cents,
            why=why,
            on=None,
            reason=reason,
        )
        for bill_id, cents, why, reason in (
            ("b8", 400_000, WhyApart.DECIDED, "not planned: decided, 4,000.00 on 23 Nov"),
            ("b2", 77_700, WhyApart.PROBABLY_DEAD, "not planned: open 231 days past its date"),
        )
    )
