"""From priorities, plan and draws to a console document.

Belongs here: joining them by bill, and the cut. Does not: computing them (`runway_calcs`), words (``render.py``).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd

from experiences.console.document import MOST_BILLS, ConsoleBill, ConsoleDocument, ConsolePlan
from experiences.console.ledger_facts import ConsoleLedger
from experiences.digest.wording import plain_text
from runway_calcs.bills.priority import BillPriority
from runway_calcs.books.cash import CashPosition
from runway_calcs.forecast.figures import CashForecast
from runway_calcs.forecast.what_if_draws import WhatIfDraws
from runway_calcs.pay_plan.apart import UnplannedBill
from runway_calcs.pay_plan.plan import PayPlan


def build_console(
    *,
    tenant_id: str,
    tenant_name: str,
    firm_name: str,
    currency: str,
    zone: str,
    data_as_of: datetime,
    cash: CashPosition,
    forecast: CashForecast,
    priorities: Sequence[BillPriority],
    plan: PayPlan | None,
    draws: WhatIfDraws | None,
    open_payables: pd.DataFrame,
    ledger: ConsoleLedger | None = None,
) -> ConsoleDocument:
    """The console document of one tenant's week; `open_payables` as of ``runway_calcs.books.open_items``."""
    planned = {} if plan is None else {bill.bill_id: bill for bill in plan.bills}
    is_bill = open_payables["txn_type"] == "Bill"
    rows = {str(row["qbo_id"]): row for row in open_payables[is_bill].to_dict("records")}
    bills = [
        ConsoleBill(
            bill_id=one.bill_id,
            vendor=plain_text(one.party_name),
            doc_number=plain_text(str(rows[one.bill_id]["doc_number"])),
            open_cents=one.open_cents,
            due_on=None if pd.isna(rows[one.bill_id]["due_date"]) else rows[one.bill_id]["due_date"].date(),
            priority=one,
            planned=planned.get(one.bill_id),
        )
        for one in priorities
    ]
    return ConsoleDocument(
        schema_version=1,
        tenant_id=tenant_id,
        tenant_name=plain_text(tenant_name),
        firm_name=plain_text(firm_name),
        currency=currency,
        zone=zone,
        as_of=forecast.as_of,
        data_as_of=data_as_of.astimezone(UTC),
        cash_cents=cash.cash_cents,
        reserved_cents=forecast.reserved_cents,
        floor_cents=forecast.floor_cents,
        floor_reason=plain_text(forecast.floor_reason),
        bills=tuple(bills[:MOST_BILLS]),
        count=len(bills),
        total_cents=sum(one.open_cents for one in bills),
        plan=None if plan is None else _plan(plan),
        draws=draws,
        unplanned=() if plan is None else tuple(_shown(one) for one in plan.apart),
        ledger=ledger,
    )


def _shown(one: UnplannedBill) -> UnplannedBill:
    return replace(one, party_name=plain_text(one.party_name), doc_number=plain_text(one.doc_number))


def _plan(plan: PayPlan) -> ConsolePlan:
    return ConsolePlan(
        state=plan.state,
        words=plan.words,
        is_repeatable=plan.is_repeatable,
        low_cents=plan.low_cents,
        low_on=plan.low_on,
        balance_cents=plan.balance_cents,
        short_cents=None if plan.shortfall is None else plan.shortfall.cents,
        short_on=None if plan.shortfall is None else plan.shortfall.worst_on,
    )
