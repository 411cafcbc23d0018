"""Payroll every two weeks, as the accountant enters it, and the payroll taxes that follow.

Belongs here: pay runs (a journal entry in some companies, a purchase with a negative line in others) and tax deposits.
Does not: pay checks of single employees, which QuickBooks Online does not show over its API.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time

import numpy as np

from qbo_sandbox.generate.chart import CHECKING, PAYROLL_LIABILITY, PAYROLL_TAXES, WAGES, account_ref
from qbo_sandbox.generate.office import DAY, after_business_days, business_day_from, months_before, next_month
from qbo_sandbox.generate.parties import Vendor
from qbo_sandbox.generate.plan import EMPLOYER_TAX_RATE, WITHHELD_RATE, Plan
from qbo_sandbox.generate.timeline import Entry, Json, expense_line, journal_line

_EVERY = DAY * 14
_KEYED_AT = time(9, 15)
_TAXES_KEYED_AT = time(10, 30)
_OVERTIME_SPREAD = 0.012
_YEARLY_RAISE = 0.03
_YEAR_END_BONUS = 0.25
# With the last payday of December: one lies in every two weeks.
_BONUS_FROM = (12, 18)
_JOURNAL_STYLE_CHANCE = 0.6
_MONTHLY_DEPOSIT_DAY = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class _PayRun:
    on: date
    gross: int
    employer_taxes: int
    withheld: int

    @property
    def net(self) -> int:
        return self.gross - self.withheld

    @property
    def liability(self) -> int:
        return self.withheld + self.employer_taxes


def payroll_entries(plan: Plan, treasury: Vendor) -> Iterator[Entry]:
    """Pay runs and payroll tax deposits of the history."""
    rng = plan.rng("payroll")
    is_journal = float(rng.random()) < _JOURNAL_STYLE_CHANCE
    runs = list(_pay_runs(plan, rng))
    for run in runs:
        entity, body = ("JournalEntry", _journal(run)) if is_journal else ("Purchase", _purchase(run))
        at = plan.office.at(run.on, _KEYED_AT)
        key = f"payroll:{run.on.isoformat()}"
        yield Entry(at=at, on=run.on, entity=entity, key=key, body=body, cash_cents=-run.net)
    for day, cents in _tax_deposits(plan, runs):
        yield _tax_entry(plan, treasury, day, cents)


def _pay_runs(plan: Plan, rng: np.random.Generator) -> Iterator[_PayRun]:
    day = plan.first_payday
    while day <= plan.as_of:
        factor = 1 + float(rng.normal(0.0, _OVERTIME_SPREAD))
        # Written for the middle of the history, so that its average is the plan's.
        factor *= 1 + _YEARLY_RAISE * (day.year - plan.start.year - 1)
        if (day.month, day.day) >= _BONUS_FROM:
            factor *= 1 + _YEAR_END_BONUS
        gross = round(plan.gross_cents * factor)
        yield _PayRun(
            on=day,
            gross=gross,
            employer_taxes=round(gross * EMPLOYER_TAX_RATE),
            withheld=round(gross * WITHHELD_RATE),
        )
        day += _EVERY


def _journal(run: _PayRun) -> Json:
    return {
        "TxnDate": run.on.isoformat(),
        "DocNumber": f"PR-{run.on:%y%m%d}",
        "PrivateNote": "Payroll",
        "Line": [
            journal_line(account_ref(WAGES), run.gross, memo="Gross pay"),
            journal_line(account_ref(PAYROLL_TAXES), run.employer_taxes, memo="Employer taxes"),
            journal_line(account_ref(PAYROLL_LIABILITY), -run.liability, memo="Taxes to deposit"),
            journal_line(account_ref(CHECKING), -run.net, memo="Net pay"),
        ],
    }


def _purchase(run: _PayRun) -> Json:
    return {
        "AccountRef": account_ref(CHECKING),
        "PaymentType": "Check",
        "TxnDate": run.on.isoformat(),
        "DocNumber": f"PR-{run.on:%y%m%d}",
        "PrivateNote": "Payroll",
        "Line": [
            expense_line(account_ref(WAGES), run.gross, memo="Gross pay"),
            expense_line(account_ref(PAYROLL_TAXES), run.employer_taxes, memo="Employer taxes"),
            expense_line(account_ref(PAYROLL_LIABILITY), -run.liability, memo="Taxes to deposit"),
        ],
    }


def _tax_deposits(plan: Plan, runs: list[_PayRun]) -> Iterator[tuple[date, int]]:
    """Small employers deposit on the 15th for the month before, others three business days after payday."""
    if not plan.size.monthly_payroll_tax:
        for run in runs:
            yield after_business_days(run.on, 3), run.liability
        return
    by_month: dict[date, int] = {}
    for run in runs:
        month = months_before(run.on, 0)
        by_month[month] = by_month.get(month, 0) + run.liability
    for month, cents in by_month.items():
        yield business_day_from(next_month(month) + DAY * (_MONTHLY_DEPOSIT_DAY - 1)), cents


def _tax_entry(plan: Plan, treasury: Vendor, day: date, cents: int) -> Entry:
    body: Json = {
        "AccountRef": account_ref(CHECKING),
        "PaymentType": "Check",
        "EntityRef": treasury.entity_ref,
        "TxnDate": day.isoformat(),
        "PrivateNote": "Payroll tax deposit",
        "Line": [expense_line(account_ref(PAYROLL_LIABILITY), cents)],
    }
    at = plan.office.at(day, _TAXES_KEYED_AT)
    key = f"payroll_tax:{day.isoformat()}"
    return Entry(at=at, on=day, entity="Purchase", key=key, body=body, cash_cents=-cents)
