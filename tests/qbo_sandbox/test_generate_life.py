"""Generated companies live as small companies do: payroll, seasons, late keying, paying habits, discounts, defects."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from qbo_sandbox.company import Company
from qbo_sandbox.generate.companies import build_company, draw_history
from qbo_sandbox.generate.habits import Habit, HabitKind, pays_on
from qbo_sandbox.generate.plan import make_plan
from qbo_sandbox.spec import INDUSTRIES, Industry, Size
from tests.qbo_sandbox.generated import (
    ALL,
    AS_OF,
    SMALL,
    accounts_of,
    bodies,
    cash_accounts,
    cents,
    entered_on,
    generated,
    spec_of,
    txn_date,
)

# One worker builds each company once.
pytestmark = pytest.mark.xdist_group("generated companies")


# -- payroll


def _payroll_share(company: Company, last: date) -> float:
    """Payroll and payroll taxes as a share of a year's money out, transfers between own accounts apart."""
    cash, bank = cash_accounts(company), accounts_of(company, AccountType="Bank")
    payroll = accounts_of(company, AccountSubType="PayrollExpenses")
    payroll |= accounts_of(company, AccountSubType="PayrollTaxPayable")
    paid = total = 0
    for entry in company.ledger.entries:
        if not last - timedelta(days=365) < date.fromisoformat(entry.txn_date) <= last:
            continue
        out = -sum(amount for account, amount in entry.effect.postings if account in cash)
        if out <= 0 or {account for account, _ in entry.effect.postings} <= bank:
            continue
        total += out
        paid += out if any(account in payroll for account, _ in entry.effect.postings) else 0
    return paid / total


@pytest.mark.parametrize(("industry", "size"), ALL)
def test_payroll_is_61_to_88_percent_of_every_trailing_years_outflow(industry: Industry, size: Size) -> None:
    company = generated(industry, size)
    for weeks in range(0, 26, 5):
        assert 0.61 <= _payroll_share(company, AS_OF - timedelta(weeks=weeks)) <= 0.88


@pytest.mark.parametrize("industry", SMALL)
def test_payday_is_every_second_week_on_one_weekday(industry: Industry) -> None:
    company = generated(industry, "small")
    wages = accounts_of(company, Name="Payroll Wages")
    paydays = sorted(
        date.fromisoformat(entry.txn_date)
        for entry in company.ledger.entries
        if any(account in wages for account, _ in entry.effect.postings)
    )
    assert len(paydays) >= 39
    assert {(later - earlier).days for earlier, later in pairwise(paydays)} == {14}


def test_some_accountants_enter_payroll_as_journal_entries_and_some_as_purchases() -> None:
    entities = set()
    for seed in (1, 2, 3, 4):
        company = generated("consulting", "micro", seed)
        wages = accounts_of(company, Name="Payroll Wages")
        entities |= {
            entry.entity
            for entry in company.ledger.entries
            if any(account in wages for account, _ in entry.effect.postings)
        }
    assert entities == {"JournalEntry", "Purchase"}


# -- payables


@pytest.mark.parametrize(("industry", "size"), ALL)
def test_a_quarter_of_the_bills_is_keyed_in_five_days_late_and_some_36(industry: Industry, size: Size) -> None:
    bills = bodies(generated(industry, size), "Bill")
    lags = [(entered_on(bill) - txn_date(bill)).days for bill in bills]
    assert 0.25 <= sum(lag >= 5 for lag in lags) / len(lags) <= 0.45
    assert 0.02 <= sum(lag >= 36 for lag in lags) / len(lags) <= 0.08


def test_a_discount_is_a_vendor_credit_used_in_the_payment_within_the_discount_days() -> None:
    company = generated("construction", "small")
    discounts = {
        credit["Id"]: credit
        for credit in bodies(company, "VendorCredit")
        if credit.get("PrivateNote") == "Early-payment discount"
    }
    bills = {bill["Id"]: bill for bill in bodies(company, "Bill")}
    assert discounts
    used = set()
    for payment in bodies(company, "BillPayment"):
        links = [line["LinkedTxn"][0] for line in payment["Line"]]
        taken = [discounts[link["TxnId"]] for link in links if link["TxnId"] in discounts]
        used |= {credit["Id"] for credit in taken}
        paid = {bills[link["TxnId"]]["DocNumber"]: bills[link["TxnId"]] for link in links if link["TxnType"] == "Bill"}
        for credit in taken:
            bill = paid[credit["DocNumber"].removeprefix("DISC-")]
            assert cents(credit["TotalAmt"]) == cents(bill["TotalAmt"]) * 2 // 100
            assert txn_date(payment) <= txn_date(bill) + timedelta(days=10)
    assert used == set(discounts)


# -- receivables and habits


def _habit(kind: HabitKind, **changes: Any) -> Habit:
    values: dict[str, Any] = {
        "kind": kind,
        "typical_days_late": 4.0,
        "spread_days": 2.0,
        "tail_chance": 0.0,
        "tail_days": 0.0,
        "dispute_chance": 0.0,
        "weekday": None,
        "stops_on": None,
        "contact_response_days": 3,
    }
    return Habit(**{**values, **changes})


def test_a_pay_run_customer_pays_on_its_weekday_only() -> None:
    rng = np.random.default_rng(5)
    habit = _habit(HabitKind.PAY_RUN, weekday=3)
    due = date(2026, 3, 2)
    paid = [pays_on(habit, rng, due=due + timedelta(days=n), not_before=due) for n in range(200)]
    assert {day.weekday() for day in paid if day is not None} == {3}
    assert None not in paid


def test_nobody_who_stopped_paying_pays_again() -> None:
    rng = np.random.default_rng(5)
    stops_on = date(2026, 6, 1)
    habit = _habit(HabitKind.STOPS_PAYING, stops_on=stops_on)
    paid = [
        pays_on(habit, rng, due=date(2026, 3, 2) + timedelta(days=n), not_before=date(2026, 3, 1)) for n in range(200)
    ]
    assert any(day is None for day in paid)
    assert all(day is None or day < stops_on for day in paid)


def test_a_slow_tail_makes_some_payments_very_late_and_no_payment_precedes_its_invoice() -> None:
    rng = np.random.default_rng(5)
    habit = _habit(HabitKind.SLOW_TAIL, tail_chance=0.35, tail_days=30.0, typical_days_late=-20.0)
    due, invoiced = date(2026, 3, 2), date(2026, 2, 20)
    paid = [pays_on(habit, rng, due=due, not_before=invoiced) for _ in range(400)]
    late = [(day - due).days for day in paid if day is not None]
    assert min(late) >= (invoiced - due).days
    assert sum(days > 10 for days in late) / len(late) == pytest.approx(0.13, abs=0.06)


@pytest.mark.parametrize("industry", SMALL)
def test_every_customer_of_a_small_company_has_a_habit_and_every_kind_occurs(industry: Industry) -> None:
    company = generated(industry, "small")
    assert set(company.habits) == set(company.objects["Customer"])
    assert {habit.kind for habit in company.habits.values()} == set(HabitKind)


def _paid_late(company: Company) -> dict[str, list[int]]:
    """Days from due date to payment of each customer's invoices paid within the history."""
    due = {invoice["Id"]: date.fromisoformat(invoice["DueDate"]) for invoice in bodies(company, "Invoice")}
    late: defaultdict[str, list[int]] = defaultdict(list)
    for payment in bodies(company, "Payment"):
        for line in payment["Line"]:
            link = line["LinkedTxn"][0]
            if link["TxnType"] == "Invoice":
                late[payment["CustomerRef"]["value"]].append((txn_date(payment) - due[link["TxnId"]]).days)
    return late


@pytest.mark.parametrize("industry", SMALL)
def test_customers_pay_as_their_habits_say(industry: Industry) -> None:
    company = generated(industry, "small")
    late = _paid_late(company)
    by_kind: defaultdict[HabitKind, list[int]] = defaultdict(list)
    for customer_id, habit in company.habits.items():
        by_kind[habit.kind] += late[customer_id]
    assert median(by_kind[HabitKind.PROMPT]) <= 0
    assert 4 <= median(by_kind[HabitKind.STEADY_LATE]) <= 25
    assert np.percentile(by_kind[HabitKind.SLOW_TAIL], 90) > np.percentile(by_kind[HabitKind.STEADY_LATE], 90)


def test_habits_and_responses_tell_nothing_about_amounts() -> None:
    amounts: list[float] = []
    lateness: list[float] = []
    responses: list[float] = []
    for industry in INDUSTRIES:
        company = generated(industry, "small")
        invoiced: defaultdict[str, list[int]] = defaultdict(list)
        for invoice in bodies(company, "Invoice"):
            invoiced[invoice["CustomerRef"]["value"]].append(cents(invoice["TotalAmt"]))
        typical = median(median(of_customer) for of_customer in invoiced.values())
        for customer_id, of_customer in invoiced.items():
            habit = company.habits[customer_id]
            amounts.append(float(np.log(median(of_customer) / typical)))
            lateness.append(habit.typical_days_late)
            responses.append(habit.contact_response_days)
    # Five companies, some 200 customers: chance alone stays within 3 / sqrt(n).
    bound = 3 / np.sqrt(len(amounts))
    assert len(amounts) > 150
    assert abs(np.corrcoef(amounts, lateness)[0, 1]) < bound
    assert abs(np.corrcoef(amounts, responses)[0, 1]) < bound
    assert len(set(responses)) > 10


def test_busy_months_differ_by_industry() -> None:
    def by_month(industry: Industry, entity: str) -> Counter[int]:
        sales: Counter[int] = Counter()
        for body in bodies(generated(industry, "small"), entity):
            if date(2025, 11, 1) <= txn_date(body) < date(2026, 11, 1):
                sales[txn_date(body).month] += cents(body["TotalAmt"])
        return sales

    shop, builder = by_month("e_commerce", "SalesReceipt"), by_month("construction", "Invoice")
    assert {month for month, _ in shop.most_common(2)} == {11, 12}
    assert builder[6] + builder[7] + builder[8] > 1.25 * (builder[12] + builder[1] + builder[2])


def test_some_companies_burn_and_some_do_not_and_cash_targets_differ() -> None:
    plans = [make_plan(spec_of(industry, "small", seed=seed)) for industry in INDUSTRIES for seed in range(20)]
    burning = sum(plan.revenue_cents * 0.965 < plan.outflow_day_cents * 365 * 0.97 for plan in plans)
    assert 20 <= burning <= 50
    targets = sorted(plan.target_cash_days for plan in plans)
    assert targets[10] < 20
    assert targets[-10] > 60


def test_a_drawn_opening_is_the_plans_whatever_follows_and_nothing_else_is_different() -> None:
    covered_spec = spec_of("consulting", "micro", seed=4)
    covered, drawn = draw_history(covered_spec), draw_history(replace(covered_spec, opening="drawn"))
    openings = [
        {entry.key: entry.cash_cents for entry in history.entries if entry.key.startswith("opening")}
        for history in (covered, drawn)
    ]
    plan = drawn.plan
    planned = plan.target_cash_days * plan.outflow_day_cents
    assert openings[1]["opening"] == (planned - round(planned / 5) if plan.keeps_savings else planned)
    assert openings[0]["opening"] != openings[1]["opening"]
    rest = [[entry for entry in history.entries if entry.key != "opening"] for history in (covered, drawn)]
    assert rest[0] == rest[1]


# -- every feature occurs somewhere

_Check = Callable[[Company], bool]


def _links(company: Company, entity: str) -> list[Counter[str]]:
    return [
        Counter(line["LinkedTxn"][0]["TxnType"] for line in body["Line"] if line.get("LinkedTxn"))
        for body in bodies(company, entity)
    ]


def _linked_parts(company: Company, entity: str, target: str) -> Counter[str]:
    return Counter(
        line["LinkedTxn"][0]["TxnId"]
        for body in bodies(company, entity)
        for line in body["Line"]
        if line["LinkedTxn"][0]["TxnType"] == target
    )


def _pays_card_from_bank(company: Company, entity: str) -> bool:
    cards, banks = accounts_of(company, AccountType="Credit Card"), accounts_of(company, AccountType="Bank")
    return any(
        entry.entity == entity and {account for account, _ in entry.effect.postings} & banks
        for entry in company.ledger.entries
        if {account for account, _ in entry.effect.postings} & cards
    )


def _overpaid(payment: dict[str, Any]) -> bool:
    lines: Counter[str] = Counter()
    for line in payment["Line"]:
        lines[line["LinkedTxn"][0]["TxnType"]] += cents(line["Amount"])
    return cents(payment["TotalAmt"]) > lines["Bill"] - lines["VendorCredit"]


_FEATURES: dict[str, _Check] = {
    "several invoices in one payment": lambda c: any(links["Invoice"] > 1 for links in _links(c, "Payment")),
    "invoice paid in parts": lambda c: max(_linked_parts(c, "Payment", "Invoice").values()) > 1,
    "credit memo used in a payment": lambda c: any(
        links["CreditMemo"] and cents(payment["TotalAmt"])
        for links, payment in zip(_links(c, "Payment"), bodies(c, "Payment"), strict=True)
    ),
    "credit memo linked by a payment of zero": lambda c: any(
        links["CreditMemo"] and not cents(payment["TotalAmt"])
        for links, payment in zip(_links(c, "Payment"), bodies(c, "Payment"), strict=True)
    ),
    "open credit memo": lambda c: any(cents(memo["Balance"]) for memo in bodies(c, "CreditMemo")),
    "customer overpayment": lambda c: any(cents(payment["UnappliedAmt"]) for payment in bodies(c, "Payment")),
    "payment straight to the bank": lambda c: any("DepositToAccountRef" in body for body in bodies(c, "Payment")),
    "deposit of several receipts": lambda c: any(sum(links.values()) > 1 for links in _links(c, "Deposit")),
    "money waiting in undeposited funds": lambda c: (
        c.account_cents(next(iter(accounts_of(c, AccountSubType="UndepositedFunds")))) > 0
    ),
    "sales receipts": lambda c: len(bodies(c, "SalesReceipt")) > 500,
    "refund receipts": lambda c: bool(bodies(c, "RefundReceipt")),
    "invoices 91 days overdue": lambda c: any(
        cents(body["Balance"]) and date.fromisoformat(body["DueDate"]) < AS_OF - timedelta(days=91)
        for body in bodies(c, "Invoice")
    ),
    "several bills in one payment": lambda c: any(links["Bill"] > 1 for links in _links(c, "BillPayment")),
    "bill paid in parts": lambda c: max(_linked_parts(c, "BillPayment", "Bill").values()) > 1,
    "bill payment by card": lambda c: any(body["PayType"] == "CreditCard" for body in bodies(c, "BillPayment")),
    "bill payment by check": lambda c: any(body["PayType"] == "Check" for body in bodies(c, "BillPayment")),
    "vendor credit used": lambda c: any(links["VendorCredit"] for links in _links(c, "BillPayment")),
    "vendor credit open": lambda c: any(cents(body["Balance"]) for body in bodies(c, "VendorCredit")),
    "overpaid bill": lambda c: any(_overpaid(body) for body in bodies(c, "BillPayment")),
    "card refund": lambda c: any(body.get("Credit") for body in bodies(c, "Purchase")),
    "card paid by transfer": lambda c: _pays_card_from_bank(c, "Transfer"),
    "savings": lambda c: bool(accounts_of(c, AccountSubType="Savings")),
    "trust account": lambda c: bool(accounts_of(c, AccountSubType="TrustAccounts")),
    "estimated taxes": lambda c: (
        sum(body.get("PrivateNote") == "Estimated tax" for body in bodies(c, "Purchase")) in (5, 6, 7)
    ),
    "rent by bill every month": lambda c: (
        sum(body.get("DocNumber", "").startswith("RENT-") for body in bodies(c, "Bill")) >= 18
    ),
    "opening balances by journal": lambda c: any(
        body.get("DocNumber") == "OPENING" for body in bodies(c, "JournalEntry")
    ),
    "opening savings by deposit": lambda c: any(
        body.get("PrivateNote") == "Opening balance" for body in bodies(c, "Deposit")
    ),
}


@pytest.mark.parametrize("feature", _FEATURES)
def test_the_feature_occurs_in_a_small_company(feature: str) -> None:
    assert any(_FEATURES[feature](generated(industry, "small")) for industry in INDUSTRIES)


def test_some_companies_pay_the_card_by_check() -> None:
    companies = [generated(industry, "micro") for industry in INDUSTRIES]
    assert any(
        _pays_card_from_bank(company, "Purchase") and not _pays_card_from_bank(company, "Transfer")
        for company in companies
    )


# -- seeded defects


@pytest.mark.parametrize(("industry", "size"), ALL)
def test_every_listed_defect_is_in_the_books(industry: Industry, size: Size) -> None:
    company = generated(industry, size)
    found = Counter(defect.kind.value for defect in company.defects)
    assert set(found) == set(_DEFECTS)
    by_id = {
        entity: {body["Id"]: body for body in bodies(company, entity)} for entity in ("Bill", "Vendor", "Purchase")
    }
    for defect in company.defects:
        objects = [by_id[defect.entity][one] for one in defect.ids]
        assert _DEFECTS[defect.kind.value](objects), defect


def _is_undated(bills: list[dict[str, Any]]) -> bool:
    (bill,) = bills
    return "SalesTermRef" not in bill and bool(bill.get("DueDate", bill["TxnDate"]) == bill["TxnDate"])


def _are_twins(vendors: list[dict[str, Any]]) -> bool:
    first, second = (vendor["DisplayName"].casefold().split() for vendor in vendors)
    return bool(vendors[0]["Id"] != vendors[1]["Id"] and first[:2] == second[:2])


def _are_copies(bills: list[dict[str, Any]]) -> bool:
    first, second = bills
    if first["VendorRef"] != second["VendorRef"] or first["TotalAmt"] != second["TotalAmt"]:
        return False
    return bool(first["DocNumber"] == second.get("DocNumber") or abs((txn_date(first) - txn_date(second)).days) <= 3)


def _is_uncategorized(purchases: list[dict[str, Any]]) -> bool:
    (purchase,) = purchases
    return any(
        line["AccountBasedExpenseLineDetail"]["AccountRef"].get("name") == "Uncategorized Expense"
        for line in purchase["Line"]
    )


_DEFECTS: dict[str, Callable[[list[dict[str, Any]]], bool]] = {
    "bill without due date": _is_undated,
    "duplicate vendor": _are_twins,
    "duplicate bill": _are_copies,
    "uncategorized purchase": _is_uncategorized,
}


def test_no_uncategorized_purchase_is_missing_from_the_list() -> None:
    company = generated("consulting", "small")
    listed = {defect.ids[0] for defect in company.defects if defect.kind.value == "uncategorized purchase"}
    assert {body["Id"] for body in bodies(company, "Purchase") if _is_uncategorized([body])} == listed


def test_both_vendors_of_a_duplicate_pair_get_bills() -> None:
    company = generated("construction", "small")
    billed = {bill["VendorRef"]["value"] for bill in bodies(company, "Bill")}
    pairs = [defect.ids for defect in company.defects if defect.kind.value == "duplicate vendor"]
    assert any(set(pair) <= billed for pair in pairs)


# -- other zones and days


@pytest.mark.parametrize("zone", ["Pacific/Honolulu", "America/New_York"])
def test_a_company_can_end_on_a_monday_in_any_zone(zone: str) -> None:
    spec = replace(spec_of("e_commerce", "micro", seed=4), zone=zone, as_of=date(2026, 11, 23))
    company = build_company(spec)
    last = max(stored.created for stored in company.objects["Purchase"].values())
    moment = datetime.fromtimestamp(last, ZoneInfo(zone))
    assert (moment.date(), moment.hour) in {(spec.as_of, 3), (spec.as_of, 4)}
