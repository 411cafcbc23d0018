"""The company's own money: opening balances, the monthly card payment, savings, estimated taxes.

Belongs here: entries that move money between own accounts, and the opening position they start from.
Does not: client money (``trust.py``), what is earned and spent.
"""

from collections.abc import Iterator, Sequence
from datetime import date, time, timedelta

from qbo_sandbox.generate.chart import (
    CARD,
    CHECKING,
    EQUIPMENT,
    ESTIMATED_TAXES,
    OPENING_EQUITY,
    SAVINGS,
    account_ref,
    setup_moment,
)
from qbo_sandbox.generate.office import DAY, business_day_from
from qbo_sandbox.generate.parties import Vendor
from qbo_sandbox.generate.plan import Plan
from qbo_sandbox.generate.timeline import Entry, Json, expense_line, journal_line, money

_CARD_PAID_ON = 12
_PAID_BY_CHECK_CHANCE = 0.25
_SAVED_ON = 20
_SAVED_DAYS_OF_OUTFLOW = 0.25
_SAVINGS_SHARE = 0.2
_LOWEST_DAYS_OF_OUTFLOW = 3
_TAX_MONTHS = (1, 4, 6, 9)
_TAX_DAY = 15
_KEYED_AT = time(10, 0)


def estimated_tax_entries(plan: Plan, treasury: Vendor) -> Iterator[Entry]:
    """Quarterly estimated taxes: January, April, June, September."""
    for month in plan.months():
        if month.first.month not in _TAX_MONTHS:
            continue
        day = business_day_from(month.first + DAY * (_TAX_DAY - 1))
        cents = plan.spending.taxes // 4
        body: Json = {
            "AccountRef": account_ref(CHECKING),
            "PaymentType": "Check",
            "EntityRef": treasury.entity_ref,
            "TxnDate": day.isoformat(),
            "PrivateNote": "Estimated tax",
            "Line": [expense_line(account_ref(ESTIMATED_TAXES), cents)],
        }
        yield _entry(plan, day, "Purchase", f"estimated_tax:{day.isoformat()}", body, cash_cents=-cents)


def card_payment_entries(plan: Plan, entries: Sequence[Entry]) -> Iterator[Entry]:
    """The payment of each month's card statement in the middle of the next month.

    Some companies enter it as a transfer, others as a check drawn on the card's account.
    """
    as_check = float(plan.rng("card payments").random()) < _PAID_BY_CHECK_CHANCE
    charges = sorted((entry.on, -entry.card_cents) for entry in entries if entry.card_cents)
    paid = 0
    for month in plan.months():
        owed = sum(cents for on, cents in charges if on < month.first) - paid
        day = business_day_from(month.first + DAY * (_CARD_PAID_ON - 1))
        if owed <= 0:
            continue
        paid += owed
        entity, body = ("Purchase", _card_check(owed)) if as_check else ("Transfer", _transfer(CHECKING, CARD, owed))
        body["TxnDate"] = day.isoformat()
        body["PrivateNote"] = "Card statement"
        yield _entry(plan, day, entity, f"card_payment:{day.isoformat()}", body, cash_cents=-owed)


def _card_check(cents: int) -> Json:
    return {
        "AccountRef": account_ref(CHECKING),
        "PaymentType": "Check",
        "Line": [expense_line(account_ref(CARD), cents)],
    }


def _transfer(source: str, target: str, cents: int) -> Json:
    return {"FromAccountRef": account_ref(source), "ToAccountRef": account_ref(target), "Amount": money(cents)}


def savings_entries(plan: Plan) -> Iterator[Entry]:
    """A little put aside every month, where the company has a savings account."""
    if not plan.keeps_savings:
        return
    cents = round(plan.outflow_day_cents * _SAVED_DAYS_OF_OUTFLOW)
    for month in plan.months():
        day = business_day_from(month.first + DAY * (_SAVED_ON - 1))
        body = _transfer(CHECKING, SAVINGS, cents) | {"TxnDate": day.isoformat(), "PrivateNote": "To savings"}
        yield _entry(plan, day, "Transfer", f"savings:{day.isoformat()}", body, cash_cents=-cents)


def opening_entries(plan: Plan, entries: Sequence[Entry]) -> Iterator[Entry]:
    """The position the books start from, by journal entry and deposit to Opening Balance Equity.

    The plan's days of cash are what a covered company ends with, and it has more if it would run dry on the way: such an
    opening knows all that follows. A drawn one opens with them whatever follows, and its account may be overdrawn one day.
    """
    target = plan.target_cash_days * plan.outflow_day_cents
    saved = round(target * _SAVINGS_SHARE) if plan.keeps_savings else 0
    checking = target - saved
    if plan.spec.opening == "covered":
        lowest, last = _checking_path(entries)
        checking = max(checking - last, _LOWEST_DAYS_OF_OUTFLOW * plan.outflow_day_cents - lowest)
    equipment = plan.gross_cents
    at = setup_moment(plan) + timedelta(minutes=20)
    body: Json = {
        "TxnDate": plan.start.isoformat(),
        "DocNumber": "OPENING",
        "PrivateNote": "Opening balances",
        "Line": [
            journal_line(account_ref(CHECKING), checking),
            journal_line(account_ref(EQUIPMENT), equipment),
            journal_line(account_ref(OPENING_EQUITY), -checking - equipment),
        ],
    }
    yield Entry(at=at, on=plan.start, entity="JournalEntry", key="opening", body=body, cash_cents=checking)
    if saved:
        yield _opening_savings(plan, saved)


def _opening_savings(plan: Plan, cents: int) -> Entry:
    line: Json = {
        "DetailType": "DepositLineDetail",
        "Amount": money(cents),
        "DepositLineDetail": {"AccountRef": account_ref(OPENING_EQUITY)},
    }
    body: Json = {
        "DepositToAccountRef": account_ref(SAVINGS),
        "TxnDate": plan.start.isoformat(),
        "PrivateNote": "Opening balance",
        "Line": [line],
    }
    at = setup_moment(plan) + timedelta(minutes=21)
    return Entry(at=at, on=plan.start, entity="Deposit", key="opening:savings", body=body)


def _checking_path(entries: Sequence[Entry]) -> tuple[int, int]:
    """The lowest and the last balance of checking if it opened with nothing."""
    by_day: dict[date, int] = {}
    for entry in entries:
        if entry.cash_cents:
            by_day[entry.on] = by_day.get(entry.on, 0) + entry.cash_cents
    balance = lowest = 0
    for day in sorted(by_day):
        balance += by_day[day]
        lowest = min(lowest, balance)
    return lowest, balance


def _entry(plan: Plan, day: date, entity: str, key: str, body: Json, *, cash_cents: int) -> Entry:
    at = plan.office.at(day, _KEYED_AT)
    return Entry(at=at, on=day, entity=entity, key=key, body=body, cash_cents=cash_cents)
