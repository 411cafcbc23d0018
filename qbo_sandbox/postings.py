"""What a transaction does to the books: a pure function from its body to balanced postings.

Belongs here: totals, debits and credits, who owes whom, which documents are settled. Does not: balances, ids, links and
time, which need the state of the books (``transactions.py``).

Postings are signed from the debit side: a debit is positive, so assets read as in QuickBooks and liabilities read
negative. An exposure is signed from the document's side: a bill or an invoice is positive, a credit or a payment
negative.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from qbo_sandbox.faults import QboFault, UnbalancedJournalError
from qbo_sandbox.money import to_cents

Body = Mapping[str, Any]

# AccountSubType of the accounts that QuickBooks finds by role rather than by reference.
PAYABLE = "AccountsPayable"
RECEIVABLE = "AccountsReceivable"
UNDEPOSITED = "UndepositedFunds"
SALES_TAX = "SalesTaxPayable"
DISCOUNTS = "DiscountsRefundsGiven"
OPENING_EQUITY = "OpeningBalanceEquity"


class Chart(Protocol):
    """What the postings must know of a company's lists."""

    def system(self, subtype: str) -> str:
        """The id of the account that plays this role."""

    def control(self, account_id: str) -> str | None:
        """``PAYABLE`` or ``RECEIVABLE`` when the account is a control account."""

    def item_account(self, item_id: str, *, field: str) -> str:
        """The account that an item posts to on this side."""

    def party_kind(self, party_id: str) -> str | None:
        """``Vendor`` or ``Customer``, None when the id is neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What one version of a transaction does to the books."""

    total: int
    party: str = ""  # whose documents the transaction settles or is one of
    postings: tuple[tuple[str, int], ...] = ()
    exposures: tuple[tuple[str, str, int], ...] = ()  # control account, party, signed cents
    settles: tuple[tuple[str, str, int], ...] = ()  # target type, target id, positive cents
    deposits: tuple[str, ...] = ()  # receipts in Undeposited Funds that a Deposit takes to the bank


class _Journal:
    """Collects the postings of one transaction and refuses to close unbalanced."""

    __slots__ = ("_chart", "exposures", "postings")

    def __init__(self, chart: Chart) -> None:
        self._chart = chart
        self.postings: list[tuple[str, int]] = []
        self.exposures: list[tuple[str, str, int]] = []

    def debit(self, account_id: str, cents: int, *, party: str | None = None) -> None:
        """Post to an account; on a control account the party is part of the posting."""
        if not cents:
            return
        self.postings.append((account_id, cents))
        control = self._chart.control(account_id)
        if control is not None:
            self._expose(control, account_id, cents, party)

    def _expose(self, control: str, account_id: str, cents: int, party: str | None) -> None:
        wanted = "Vendor" if control == PAYABLE else "Customer"
        if party is None or self._chart.party_kind(party) != wanted:
            role = "Accounts Payable" if control == PAYABLE else "Accounts Receivable"
            raise QboFault.business(f"When you use {role}, you must choose a {wanted.lower()} in the Name field.")
        self.exposures.append((account_id, party, -cents if control == PAYABLE else cents))

    def close(
        self,
        *,
        total: int,
        party: str | None = None,
        settles: tuple[tuple[str, str, int], ...] = (),
        deposits: tuple[str, ...] = (),
    ) -> Effect:
        """The finished effect."""
        if sum([cents for _, cents in self.postings]) != 0:
            raise UnbalancedJournalError(f"postings do not sum to zero: {self.postings}")
        return Effect(
            total=total,
            party=party or "",
            postings=tuple(self.postings),
            exposures=tuple(self.exposures),
            settles=settles,
            deposits=deposits,
        )


def effect_of(entity: str, body: Body, *, chart: Chart) -> Effect:
    """What this transaction does to the books of a company with this chart of accounts."""
    return _EFFECTS[entity](body, chart)


def reference(body: Body, field: str) -> str:
    """The id in a required reference."""
    value = optional_reference(body, field)
    if value is None:
        raise QboFault.required(element=field)
    return value


def optional_reference(body: Body, field: str) -> str | None:
    """The id in a reference, None when it is absent."""
    ref = body.get(field)
    if not ref:
        return None
    value = ref.get("value")
    return str(value) if value not in (None, "") else None


def _amount(line: Body) -> int:
    value = line.get("Amount")
    if value is None:
        raise QboFault.required(element="Amount")
    return to_cents(value)


def _detail(line: Body) -> Body:
    """The part of a line that its DetailType names."""
    found: Body | None = line.get(line["DetailType"])
    if found is None:
        raise QboFault.required(element=line["DetailType"])
    return found


def _link(line: Body) -> tuple[str, str]:
    """Type and id of the transaction that a line is linked to."""
    link = line["LinkedTxn"][0]
    for name in ("TxnType", "TxnId"):
        if not link.get(name):
            raise QboFault.required(element=name)
    return link["TxnType"], str(link["TxnId"])


def _not_negative(total: int) -> None:
    if total < 0:
        raise QboFault.business("Transaction amount must be 0 or greater.", element="TotalAmt")


def _tax(body: Body) -> int:
    detail = body.get("TxnTaxDetail")
    if not detail:
        return 0
    return to_cents(detail.get("TotalTax") or 0, element="TotalTax")


def _expense_lines(body: Body, chart: Chart) -> Iterator[tuple[str, int]]:
    for line in body.get("Line") or ():
        kind = line.get("DetailType")
        if kind == "AccountBasedExpenseLineDetail":
            yield reference(_detail(line), "AccountRef"), _amount(line)
        elif kind == "ItemBasedExpenseLineDetail":
            yield chart.item_account(reference(_detail(line), "ItemRef"), field="ExpenseAccountRef"), _amount(line)
        elif kind == "TaxLineDetail":
            yield chart.system(SALES_TAX), _amount(line)
        elif kind != "DescriptionOnly":
            raise QboFault.required(element="DetailType")


def _sales_lines(lines: list[Body], chart: Chart) -> Iterator[tuple[str, int]]:
    for line in lines:
        kind = line.get("DetailType")
        if kind == "SalesItemLineDetail":
            yield _income_account(_detail(line), chart), _amount(line)
        elif kind == "DiscountLineDetail":
            # The wire carries a discount as a positive amount that reduces the total.
            account = optional_reference(_detail(line), "DiscountAccountRef") or chart.system(DISCOUNTS)
            yield account, -_amount(line)
        elif kind == "GroupLineDetail":
            yield from _sales_lines(_detail(line).get("Line") or [], chart)
        elif kind not in ("SubTotalLineDetail", "DescriptionOnly"):
            raise QboFault.required(element="DetailType")


def _income_account(detail: Body, chart: Chart) -> str:
    account = optional_reference(detail, "ItemAccountRef")
    return account or chart.item_account(reference(detail, "ItemRef"), field="IncomeAccountRef")


def _settles(body: Body) -> tuple[tuple[str, str, int], ...]:
    found = []
    for line in body.get("Line") or ():
        links = line.get("LinkedTxn")
        if not links:
            raise QboFault.required(element="LinkedTxn")
        if len(links) > 1:
            raise QboFault.business("A payment line is linked to one transaction only.", code="620")
        cents = _amount(line)
        if cents < 0:
            raise QboFault.business("A line amount cannot be negative.")
        found.append((*_link(line), cents))
    return tuple(found)


def _bought(body: Body, chart: Chart, *, sign: int) -> Effect:
    """A bill (sign 1) or a vendor credit (sign -1)."""
    vendor = reference(body, "VendorRef")
    journal = _Journal(chart)
    total = _tax(body)
    if total:
        journal.debit(chart.system(SALES_TAX), sign * total)
    for account, cents in _expense_lines(body, chart):
        journal.debit(account, sign * cents, party=vendor)
        total += cents
    payable = optional_reference(body, "APAccountRef") or chart.system(PAYABLE)
    _not_negative(total)
    journal.debit(payable, -sign * total, party=vendor)
    return journal.close(total=total, party=vendor)


def _bill_payment(body: Body, chart: Chart) -> Effect:
    vendor = reference(body, "VendorRef")
    if body.get("TotalAmt") is None:
        raise QboFault.business("You must set a transaction amount", element="TotalAmt")
    total = to_cents(body["TotalAmt"], element="TotalAmt")
    _not_negative(total)
    pay_type = body.get("PayType")
    if pay_type == "Check":
        account = reference(body.get("CheckPayment") or {}, "BankAccountRef")
    elif pay_type == "CreditCard":
        account = reference(body.get("CreditCardPayment") or {}, "CCAccountRef")
    else:
        raise QboFault.required(element="PayType")
    journal = _Journal(chart)
    journal.debit(optional_reference(body, "APAccountRef") or chart.system(PAYABLE), total, party=vendor)
    journal.debit(account, -total)
    return journal.close(total=total, party=vendor, settles=_settles(body))


def _purchase(body: Body, chart: Chart) -> Effect:
    sign = -1 if body.get("Credit") else 1
    party = optional_reference(body, "EntityRef")
    journal = _Journal(chart)
    total = _tax(body)
    if total:
        journal.debit(chart.system(SALES_TAX), sign * total)
    for account, cents in _expense_lines(body, chart):
        journal.debit(account, sign * cents, party=party)
        total += cents
    _not_negative(total)
    journal.debit(reference(body, "AccountRef"), -sign * total)
    return journal.close(total=total, party=party)


def _sold(body: Body, chart: Chart, *, sign: int, debit_to: str, party: str | None) -> Effect:
    """A sales form: income against a customer's account or against money (sign -1: it goes back)."""
    journal = _Journal(chart)
    total = _tax(body)
    if total:
        journal.debit(chart.system(SALES_TAX), -sign * total)
    for account, cents in _sales_lines(body.get("Line") or [], chart):
        journal.debit(account, -sign * cents, party=party)
        total += cents
    _not_negative(total)
    journal.debit(debit_to, sign * total, party=party)
    return journal.close(total=total, party=party)


def _invoice(body: Body, chart: Chart) -> Effect:
    return _sold(body, chart, sign=1, debit_to=chart.system(RECEIVABLE), party=reference(body, "CustomerRef"))


def _credit_memo(body: Body, chart: Chart) -> Effect:
    return _sold(body, chart, sign=-1, debit_to=chart.system(RECEIVABLE), party=reference(body, "CustomerRef"))


def _sales_receipt(body: Body, chart: Chart) -> Effect:
    account = optional_reference(body, "DepositToAccountRef") or chart.system(UNDEPOSITED)
    return _sold(body, chart, sign=1, debit_to=account, party=optional_reference(body, "CustomerRef"))


def _refund_receipt(body: Body, chart: Chart) -> Effect:
    account = reference(body, "DepositToAccountRef")
    return _sold(body, chart, sign=-1, debit_to=account, party=optional_reference(body, "CustomerRef"))


def _payment(body: Body, chart: Chart) -> Effect:
    customer = reference(body, "CustomerRef")
    if body.get("TotalAmt") is None:
        raise QboFault.required(element="TotalAmt")
    total = to_cents(body["TotalAmt"], element="TotalAmt")
    if total < 0:
        raise QboFault.business("Transaction amount must be 0 or greater.", element="TotalAmt")
    journal = _Journal(chart)
    journal.debit(optional_reference(body, "DepositToAccountRef") or chart.system(UNDEPOSITED), total)
    journal.debit(chart.system(RECEIVABLE), -total, party=customer)
    return journal.close(total=total, party=customer, settles=_settles(body))


def _deposit(body: Body, chart: Chart) -> Effect:
    journal = _Journal(chart)
    total = 0
    taken = []
    for line in body.get("Line") or ():
        cents = _amount(line)
        total += cents
        if line.get("LinkedTxn"):
            taken.append(_link(line)[1])
            journal.debit(chart.system(UNDEPOSITED), -cents)
        else:
            detail = line.get("DepositLineDetail") or {}
            journal.debit(reference(detail, "AccountRef"), -cents, party=optional_reference(detail, "Entity"))
    cash_back = body.get("CashBack")
    if cash_back:
        kept = _amount(cash_back)
        journal.debit(reference(cash_back, "AccountRef"), kept)
        total -= kept
    journal.debit(reference(body, "DepositToAccountRef"), total)
    return journal.close(total=total, deposits=tuple(taken))


def _transfer(body: Body, chart: Chart) -> Effect:
    cents = _amount(body)
    _not_negative(cents)
    giver, taker = reference(body, "FromAccountRef"), reference(body, "ToAccountRef")
    if giver == taker:
        raise QboFault.business("A transfer needs two different accounts.", element="ToAccountRef")
    journal = _Journal(chart)
    journal.debit(taker, cents)
    journal.debit(giver, -cents)
    return journal.close(total=cents)


def _journal_entry(body: Body, chart: Chart) -> Effect:
    journal = _Journal(chart)
    balance = 0
    for line in body.get("Line") or ():
        detail = line.get("JournalEntryLineDetail")
        if not detail:
            continue
        cents = _amount(line)
        if detail.get("PostingType") == "Credit":
            cents = -cents
        elif detail.get("PostingType") != "Debit":
            raise QboFault.required(element="PostingType")
        balance += cents
        party = optional_reference(detail.get("Entity") or {}, "EntityRef")
        journal.debit(reference(detail, "AccountRef"), cents, party=party)
    if balance:
        raise QboFault.unbalanced_entry()
    # Recorded companies show 0 here whatever the lines say.
    return journal.close(total=0)


_EFFECTS: dict[str, Callable[[Body, Chart], Effect]] = {
    "Bill": lambda body, chart: _bought(body, chart, sign=1),
    "VendorCredit": lambda body, chart: _bought(body, chart, sign=-1),
    "BillPayment": _bill_payment,
    "Purchase": _purchase,
    "Invoice": _invoice,
    "CreditMemo": _credit_memo,
    "SalesReceipt": _sales_receipt,
    "RefundReceipt": _refund_receipt,
    "Payment": _payment,
    "Deposit": _deposit,
    "Transfer": _transfer,
    "JournalEntry": _journal_entry,
}
