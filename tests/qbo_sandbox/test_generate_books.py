"""The books of generated companies tie out, and tell a consistent story of who keyed what in when."""

from collections import Counter, defaultdict
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest

from qbo_sandbox.company import Company
from qbo_sandbox.generate.office import months_before
from qbo_sandbox.spec import Industry, Size
from tests.qbo_sandbox.generated import (
    ALL,
    AS_OF,
    SAMPLE,
    accounts_of,
    bodies,
    cash_accounts,
    cents,
    entered_at,
    entered_on,
    generated,
    transactions,
    txn_date,
)

# One worker builds each company once.
pytestmark = pytest.mark.xdist_group("generated companies")

_MONTHLY = {"micro": (10, 50), "small": (100, 500), "medium": (500, 2000)}
_OBJECTS = {"micro": (400, 1000), "small": (2_000, 5_000), "medium": (20_000, 38_000)}
_START = months_before(AS_OF, 18)
_MORNING = time(5, 0)
_OFFICE = (time(8, 20), time(17, 30))


def _balance(company: Company, **wanted: str) -> int:
    ids = accounts_of(company, **wanted)
    return sum(cents(body["CurrentBalance"]) for body in bodies(company, "Account") if body["Id"] in ids)


@pytest.mark.parametrize(("industry", "size"), ALL)
def test_every_full_month_has_as_many_transactions_as_the_size_says(industry: Industry, size: Size) -> None:
    months = Counter(
        txn_date(body).replace(day=1) for _, body in transactions(generated(industry, size)) if txn_date(body) >= _START
    )
    full = [count for month, count in sorted(months.items()) if month < AS_OF.replace(day=1)]
    low, high = _MONTHLY[size]
    assert len(full) == 18
    assert low <= min(full)
    assert max(full) <= high


@pytest.mark.parametrize(("industry", "size"), ALL)
def test_the_file_is_as_big_as_the_size_says(industry: Industry, size: Size) -> None:
    objects = sum(len(stored) for stored in generated(industry, size).objects.values())
    low, high = _OBJECTS[size]
    assert low <= objects <= high


@pytest.mark.parametrize(("industry", "size"), ALL)
def test_payables_tie_out_three_ways(industry: Industry, size: Size) -> None:
    company = generated(industry, size)
    open_documents: defaultdict[str, int] = defaultdict(int)
    for bill in bodies(company, "Bill"):
        open_documents[bill["VendorRef"]["value"]] += cents(bill["Balance"])
    for credit in bodies(company, "VendorCredit"):
        open_documents[credit["VendorRef"]["value"]] -= cents(credit["Balance"])
    for payment in bodies(company, "BillPayment"):
        lines = Counter[str]()
        for line in payment["Line"]:
            lines[line["LinkedTxn"][0]["TxnType"]] += cents(line["Amount"])
        overpaid = cents(payment["TotalAmt"]) - lines["Bill"] + lines["VendorCredit"]
        assert overpaid >= 0
        open_documents[payment["VendorRef"]["value"]] -= overpaid
    balances = {vendor["Id"]: cents(vendor["Balance"]) for vendor in bodies(company, "Vendor")}
    assert {vendor: open_documents[vendor] for vendor in balances} == balances
    assert _balance(company, AccountType="Accounts Payable") == -sum(balances.values())


@pytest.mark.parametrize(("industry", "size"), ALL)
def test_receivables_tie_out_three_ways(industry: Industry, size: Size) -> None:
    company = generated(industry, size)
    open_documents: defaultdict[str, int] = defaultdict(int)
    for invoice in bodies(company, "Invoice"):
        assert cents(invoice["Balance"]) >= 0
        open_documents[invoice["CustomerRef"]["value"]] += cents(invoice["Balance"])
    for payment in bodies(company, "Payment"):
        open_documents[payment["CustomerRef"]["value"]] -= cents(payment["UnappliedAmt"])
    for memo in bodies(company, "CreditMemo"):
        open_documents[memo["CustomerRef"]["value"]] -= cents(memo["Balance"])
    balances = {customer["Id"]: cents(customer["Balance"]) for customer in bodies(company, "Customer")}
    assert {customer: open_documents[customer] for customer in balances} == balances
    assert _balance(company, AccountType="Accounts Receivable") == sum(balances.values())


@pytest.mark.parametrize(("industry", "size"), ALL)
def test_bank_balances_are_the_sum_of_what_the_documents_say(industry: Industry, size: Size) -> None:
    company = generated(industry, size)
    banks: defaultdict[str, int] = defaultdict(int)
    for entity, body in transactions(company):
        for account, amount in _account_movements(entity, body):
            banks[account] += amount
    for listed in bodies(company, "Account"):
        if listed["AccountType"] in ("Bank", "Credit Card"):
            assert banks[listed["Id"]] == cents(listed["CurrentBalance"]), listed["Name"]


def _account_movements(entity: str, body: dict[str, Any]) -> list[tuple[str, int]]:
    """What a document says about the accounts it names, read without the engine's postings."""
    if entity == "Transfer":
        amount = cents(body["Amount"])
        return [(body["FromAccountRef"]["value"], -amount), (body["ToAccountRef"]["value"], amount)]
    if entity == "JournalEntry":
        details = [(line["JournalEntryLineDetail"], cents(line["Amount"])) for line in body["Line"]]
        return [
            (detail["AccountRef"]["value"], amount if detail["PostingType"] == "Debit" else -amount)
            for detail, amount in details
        ]
    if entity == "Purchase":
        sign = -1 if not body.get("Credit") else 1
        lines = [
            (line["AccountBasedExpenseLineDetail"]["AccountRef"]["value"], -sign * cents(line["Amount"]))
            for line in body["Line"]
        ]
        return [(body["AccountRef"]["value"], sign * cents(body["TotalAmt"])), *lines]
    return _document_movement(entity, body)


def _document_movement(entity: str, body: dict[str, Any]) -> list[tuple[str, int]]:
    if entity == "BillPayment":
        by_check = body["PayType"] == "Check"
        account = body["CheckPayment"]["BankAccountRef"] if by_check else body["CreditCardPayment"]["CCAccountRef"]
        return [(account["value"], -cents(body["TotalAmt"]))]
    if entity in ("Payment", "SalesReceipt", "RefundReceipt", "Deposit") and "DepositToAccountRef" in body:
        sign = -1 if entity == "RefundReceipt" else 1
        return [(body["DepositToAccountRef"]["value"], sign * cents(body["TotalAmt"]))]
    return []


@pytest.mark.parametrize(("industry", "size"), ALL)
def test_every_journal_balances(industry: Industry, size: Size) -> None:
    company = generated(industry, size)
    assert company.ledger.entries
    for entry in company.ledger.entries:
        assert sum(amount for _, amount in entry.effect.postings) == 0


@pytest.mark.parametrize(("industry", "size"), ALL)
def test_nothing_is_keyed_in_after_the_last_morning_or_before_it_happened(industry: Industry, size: Size) -> None:
    company = generated(industry, size)
    last = max(entered_at(body) for _, body in transactions(company))
    assert last.date() == AS_OF
    assert last.time() < _MORNING
    for entity, body in transactions(company):
        assert txn_date(body) <= entered_on(body), (entity, body["Id"])
        assert entered_at(body) <= datetime.fromisoformat(body["MetaData"]["LastUpdatedTime"]) <= last
    first = min(txn_date(body) for _, body in transactions(company))
    assert first <= AS_OF - timedelta(days=548)


@pytest.mark.parametrize(("industry", "size"), SAMPLE)
def test_people_key_in_during_office_hours_and_feeds_at_night(industry: Industry, size: Size) -> None:
    moments = [entered_at(body) for _, body in transactions(generated(industry, size))]
    after_setup = [moment for moment in moments if moment.date() > _START]
    by_night = [moment for moment in after_setup if moment.time() < _MORNING]
    by_people = [moment for moment in after_setup if moment.time() >= _MORNING]
    assert by_night
    assert by_people
    assert all(time(3, 0) <= moment.time() <= time(4, 30) for moment in by_night)
    assert all(_OFFICE[0] <= moment.time() <= _OFFICE[1] and moment.weekday() < 5 for moment in by_people)
    assert max(Counter(moments).values()) > 1  # an import brings several objects in one second


@pytest.mark.parametrize(("industry", "size"), ALL)
def test_ids_follow_the_order_of_entry(industry: Industry, size: Size) -> None:
    moments = sorted((int(body["Id"]), entered_at(body)) for _, body in transactions(generated(industry, size)))
    assert all(earlier[1] <= later[1] for earlier, later in pairwise(moments))


@pytest.mark.parametrize(("industry", "size"), ALL)
def test_cash_stays_positive_and_ends_at_ten_to_a_hundred_and_twenty_days(industry: Industry, size: Size) -> None:
    company = generated(industry, size)
    cash = cash_accounts(company)
    by_day: defaultdict[date, int] = defaultdict(int)
    year_out = 0
    for entry in company.ledger.entries:
        day = date.fromisoformat(entry.txn_date)
        moved = sum(amount for account, amount in entry.effect.postings if account in cash)
        by_day[day] += moved
        if day > AS_OF - timedelta(days=365):
            year_out += max(0, -moved)
    balance, path = 0, []
    for day in sorted(by_day):
        balance += by_day[day]
        if day >= _START:
            path.append(balance)
    days = balance * 365 / year_out
    assert min(path) > 0
    assert 8 <= days <= 125


def test_trust_money_never_falls_short() -> None:
    for size in ("micro", "small"):
        company = generated("professional_services", size)
        trust = accounts_of(company, AccountSubType="TrustAccounts")
        liability = accounts_of(company, AccountSubType="TrustAccountsLiabilities")
        assert len(trust) == len(liability) == 1
        balance = 0
        for entry in company.ledger.entries:
            balance += sum(amount for account, amount in entry.effect.postings if account in trust)
            assert balance >= 0
        assert balance > 0
        held = sum(company.ledger.balances[account] for account in liability)
        assert held == -balance
