"""The identities that hold in every set of books, whatever happened to them."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from qbo_sandbox.books import BookRules
from qbo_sandbox.faults import QboFault
from qbo_sandbox.money import to_cents
from qbo_sandbox.truth import end_of_day, truth
from tests.qbo_sandbox.books import SmallBooks, dollars, ref, small_books

ACTIONS = (
    "bill",
    "vendor_credit",
    "pay",
    "pay_with_credit",
    "card_payment",
    "invoice",
    "credit_memo",
    "receive",
    "receive_with_credit",
    "deposit",
    "sales_receipt",
    "purchase",
    "card_refund",
    "transfer",
    "journal",
    "resize",
    "delete",
    "void",
    "merge",
)
STEPS = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.integers(0, 40), st.integers(1, 50_000), st.integers(-400, 400)),
    min_size=1,
    max_size=30,
)


@settings(max_examples=120, deadline=None)
@given(steps=STEPS, rule=st.sampled_from(["refuse", "cap"]))
def test_books_tie_out_after_any_sequence_of_entries(steps: list[tuple[str, int, int, int]], rule: Any) -> None:
    books = small_books(rules=BookRules(overpaying_line=rule))
    spare = books.create("Vendor", DisplayName="Paper Mill Inc")
    for action, pick, cents, days in steps:
        day = (books.at.date() + timedelta(days=days)).isoformat()
        with suppress(QboFault):
            _act(books, action, pick=pick, cents=cents, day=day, spare=spare)
        _check(books)


def _pick(books: SmallBooks, pick: int, *entities: str) -> tuple[str, str, int] | None:
    """Some document, and the cents still open on it."""
    found = [
        (entity, txn_id, abs(books.company.ledger.open[txn_id, books.company.transactions[txn_id].entry.party_id]))  # type: ignore[union-attr] # live transactions have an entry
        for entity in entities
        for txn_id in books.company.objects[entity]
    ]
    return found[pick % len(found)] if found else None


def _act(books: SmallBooks, action: str, *, pick: int, cents: int, day: str, spare: str) -> None:
    for family in (_payables, _receivables, _money):
        if family(books, action, pick=pick, cents=cents, day=day):
            return
    if action == "merge":
        books.company.merge("Vendor", kept=spare, merged=books.vendor, at=books.tick())
        books.vendor = spare
    else:
        _change(books, action, pick=pick, cents=cents)


def _payables(books: SmallBooks, action: str, *, pick: int, cents: int, day: str) -> bool:
    bill, credit = _pick(books, pick, "Bill"), _pick(books, pick, "VendorCredit")
    if action == "bill":
        books.bill(cents, TxnDate=day)
    elif action == "vendor_credit":
        books.vendor_credit(cents, TxnDate=day)
    elif action in ("pay", "card_payment"):
        card = {"PayType": "CreditCard", "CreditCardPayment": {"CCAccountRef": ref(books.card)}}
        # Now and then more than is open, which one rule refuses and the other caps.
        lines = [(bill[0], bill[1], min(cents, bill[2] + pick % 3))] if bill else []
        books.pay_bills(cents, *lines, TxnDate=day, **(card if action == "card_payment" else {}))
    elif action == "pay_with_credit" and bill and credit:
        used = min(bill[2], credit[2])
        books.pay_bills(0, (*bill[:2], used), (*credit[:2], used), TxnDate=day)
    return action in ("bill", "vendor_credit", "pay", "card_payment", "pay_with_credit")


def _receivables(books: SmallBooks, action: str, *, pick: int, cents: int, day: str) -> bool:
    invoice, memo = _pick(books, pick, "Invoice"), _pick(books, pick, "CreditMemo")
    if action == "invoice":
        books.invoice(cents, TxnDate=day)
    elif action == "credit_memo":
        books.credit_memo(cents, TxnDate=day)
    elif action == "receive":
        books.receive(cents, *([(*invoice[:2], min(cents, invoice[2]))] if invoice else []), TxnDate=day)
    elif action == "receive_with_credit" and invoice and memo:
        used = min(invoice[2], memo[2])
        books.receive(0, (*invoice[:2], used), (*memo[:2], used), TxnDate=day)
    elif action == "sales_receipt":
        books.create("SalesReceipt", CustomerRef=ref(books.customer), Line=[books.sale(cents)], TxnDate=day)
    return action in ("invoice", "credit_memo", "receive", "receive_with_credit", "sales_receipt")


def _money(books: SmallBooks, action: str, *, pick: int, cents: int, day: str) -> bool:
    payment = _pick(books, pick, "Payment")
    if action == "deposit" and payment:
        total = to_cents(books.read("Payment", payment[1])["TotalAmt"])
        books.deposit((*payment[:2], total), TxnDate=day)
    elif action in ("purchase", "card_refund"):
        line = books.expense(cents, books.payable if pick % 5 == 0 else None)
        body = {"AccountRef": ref(books.card), "PaymentType": "CreditCard", "Line": [line], "TxnDate": day}
        books.create("Purchase", **body, Credit=action == "card_refund", EntityRef=ref(books.vendor))
    elif action == "transfer":
        accounts = {"FromAccountRef": ref(books.bank), "ToAccountRef": ref(books.card)}
        books.create("Transfer", **accounts, Amount=dollars(cents), TxnDate=day)
    elif action == "journal":
        control, party = (books.payable, books.vendor) if pick % 2 else (books.receivable, books.customer)
        books.journal(("Debit", books.rent, cents, None), ("Credit", control, cents, party))
    return action in ("deposit", "purchase", "card_refund", "transfer", "journal")


def _change(books: SmallBooks, action: str, *, pick: int, cents: int) -> None:
    if action == "resize":
        document = _pick(books, pick, "Bill", "Invoice", "VendorCredit", "CreditMemo")
        if document:
            line = books.sale(cents) if document[0] in ("Invoice", "CreditMemo") else books.expense(cents)
            books.company.update(document[0], {"Id": document[1], "Line": [line]}, at=books.tick(), sparse=True)
        return
    document = _pick(books, pick, "Bill", "BillPayment", "Invoice", "Payment", "Deposit", "CreditMemo", "VendorCredit")
    if document and action == "delete":
        books.company.delete(document[0], document[1], at=books.tick())
    elif document:
        books.company.void(document[0], document[1], at=books.tick())


def _check(books: SmallBooks) -> None:
    company, ledger = books.company, books.company.ledger
    in_force = [entry for entry in ledger.entries if entry.until is None]
    assert len(in_force) == len(company.transactions)
    posted: Counter[str] = Counter()
    for entry in in_force:
        assert sum(cents for _, cents in entry.effect.postings) == 0
        for account, cents in entry.effect.postings:
            posted[account] += cents
    assert all(posted[account] == company.ledger.balances[account] for account in company.objects["Account"])

    # The same sums, now from the objects as a client reads them.
    def total(entity: str, field: str) -> int:
        return sum(to_cents(company.body(each)[field]) for each in company.objects[entity].values())

    def control_lines(control: str) -> int:
        """What journal entries and purchases left open on a control account."""
        sign = -1 if control == books.payable else 1
        return sum(
            sign * cents
            for entry in in_force
            if entry.entity in ("JournalEntry", "Purchase")
            for account, cents in entry.effect.postings
            if account == control
        )

    overpaid = 0
    for each in company.objects["BillPayment"].values():
        body = company.body(each)
        signs = {"Bill": 1, "JournalEntry": 1, "VendorCredit": -1}
        applied = sum(to_cents(line["Amount"]) * signs[line["LinkedTxn"][0]["TxnType"]] for line in body["Line"])
        overpaid += to_cents(body["TotalAmt"]) - applied
    assert overpaid >= 0
    payable = total("Bill", "Balance") - total("VendorCredit", "Balance") - overpaid + control_lines(books.payable)
    assert -company.account_cents(books.payable) == total("Vendor", "Balance") == payable
    receivable = total("Invoice", "Balance") - total("Payment", "UnappliedAmt") - total("CreditMemo", "Balance")
    receivable += control_lines(books.receivable)
    assert company.account_cents(books.receivable) == total("Customer", "Balance") == receivable
    assert total("Bill", "Balance") >= 0
    _check_truth(books)


def _check_truth(books: SmallBooks) -> None:
    # On a day in the middle some payments are dated before their documents: the identity holds all the same.
    midway = truth(books.company, basis="dated", day=books.at.date())
    for side, sign in (("payables", -1), ("receivables", 1)):
        assert sum(midway[side]["ageing"].values()) == sign * midway[side]["account_cents"]
        assert sum(item["open_cents"] for item in midway[side]["open"]) == sign * midway[side]["account_cents"]
    far = (books.at + timedelta(days=2000)).date()
    for basis in ("known", "dated"):
        told = truth(books.company, basis=basis, day=far)  # type: ignore[arg-type] # both are bases
        balances = {account["id"]: account["balance_cents"] for account in told["accounts"]}
        assert balances == {
            account: books.company.account_cents(account) for account in books.company.objects["Account"]
        }
        for side, of in (("payables", "vendor"), ("receivables", "customer")):
            part = told[side]
            expected = -part["account_cents"] if side == "payables" else part["account_cents"]
            assert sum(part["ageing"].values()) == part[f"{of}_balances_cents"] == expected


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_what_was_known_at_an_instant_does_not_change_afterwards(steps: list[tuple[str, int, int, int]]) -> None:
    books = small_books()
    spare = books.create("Vendor", DisplayName="Paper Mill Inc")
    seen = []
    for action, pick, cents, days in steps:
        day = (books.at.date() + timedelta(days=days)).isoformat()
        with suppress(QboFault):
            _act(books, action, pick=pick, cents=cents, day=day, spare=spare)
        seen.append((books.at, truth(books.company, basis="known", day=books.at.date(), instant=books.at)))
        books.tick()
    for instant, told in seen:
        again = truth(books.company, basis="known", day=instant.date(), instant=instant)
        # Accounts made since are listed with nothing in them.
        assert [each for each in again["accounts"] if each["balance_cents"]] == [
            each for each in told["accounts"] if each["balance_cents"]
        ]
        assert {key: again[key] for key in ("payables", "receivables", "cash_cents")} == {
            key: told[key] for key in ("payables", "receivables", "cash_cents")
        }


def test_known_looks_at_entry_and_dated_at_the_date() -> None:
    books = small_books()
    entered = books.at.date()
    late = books.bill(10_000, TxnDate=(entered - timedelta(days=40)).isoformat())
    before = entered - timedelta(days=10)
    known = truth(books.company, basis="known", day=before)
    dated = truth(books.company, basis="dated", day=before)
    assert known["payables"]["open"] == []
    assert [item["id"] for item in dated["payables"]["open"]] == [late]
    assert dated["payables"]["ageing"] == {"current": 0, "1-30": 10_000, "31-60": 0, "61-90": 0, "91+": 0}


def test_ageing_counts_days_after_the_due_date_and_ages_credits_by_their_own() -> None:
    books = small_books()
    day = books.at.date()
    for days, cents in ((0, 1), (1, 10), (30, 100), (31, 1_000), (60, 10_000), (90, 100_000), (91, 1_000_000)):
        books.bill(cents, DueDate=(day - timedelta(days=days)).isoformat(), TxnDate="2026-01-01")
    books.vendor_credit(5, TxnDate=(day - timedelta(days=45)).isoformat())
    told = truth(books.company, basis="known", day=day)
    assert told["payables"]["ageing"] == {
        "current": 1,
        "1-30": 110,
        "31-60": 11_000 - 5,
        "61-90": 100_000,
        "91+": 1_000_000,
    }


def test_the_end_of_a_day_is_the_companys() -> None:
    assert end_of_day(small_books().at.date(), zone="America/New_York").isoformat() == "2026-03-03T04:59:59+00:00"


def test_a_day_includes_what_is_dated_on_it() -> None:
    books = small_books()
    day = books.at.date()
    books.create(
        "Purchase", AccountRef=ref(books.bank), PaymentType="Cash", Line=[books.expense(700)], TxnDate=str(day)
    )
    for basis in ("known", "dated"):
        on_the_day = truth(books.company, basis=basis, day=day, instant=books.at)  # type: ignore[arg-type] # both are bases
        before = truth(books.company, basis=basis, day=day - timedelta(days=1), instant=books.at)  # type: ignore[arg-type] # both are bases
        assert (on_the_day["cash_cents"], before["cash_cents"]) == (-700, 0)
