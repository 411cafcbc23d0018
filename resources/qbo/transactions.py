"""The QBO transactions and their lines.

Belongs here: their fields as far as the books need them, and what must be there for each. Does not: parsing
(`entities.py`), what a transaction does to the accounts (`postings.py`).
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from resources.qbo.fields import (
    Amount,
    BusinessDate,
    Flag,
    LinkedTxn,
    Listed,
    OptionalRef,
    Part,
    QboObject,
    Rate,
    Ref,
    Text,
)

Links = Annotated[tuple[LinkedTxn, ...], Listed]


class AccountDetail(Part):
    """The account a line names."""

    account_ref: OptionalRef = None


class ItemDetail(Part):
    """The item a line names."""

    item_ref: OptionalRef = None


class TradeLine(Part):
    """A line of something bought or sold; subtotals and descriptions come without a detail."""

    amount: Amount | None = None
    detail_type: Text | None = None
    linked_txn: Links = ()
    account_based_expense_line_detail: AccountDetail | None = None
    item_based_expense_line_detail: ItemDetail | None = None
    sales_item_line_detail: ItemDetail | None = None

    @model_validator(mode="after")
    def _account_has_its_amount(self) -> Self:
        if self.amount is None and self.account_based_expense_line_detail is not None:
            raise ValueError("expected an Amount on a line that names an account")
        return self


class SettlementLine(Part):
    """How much of one other document a payment settles or, for a credit, uses; always positive on the wire."""

    amount: Amount
    linked_txn: Annotated[tuple[LinkedTxn, ...], Listed, Field(max_length=1)] = ()


class DepositDetail(Part):
    """Where a deposited amount comes from when it is no received payment."""

    account_ref: OptionalRef = None
    entity: OptionalRef = None


class DepositLine(Part):
    """One amount of a deposit: a received payment that is linked, or money from an account."""

    amount: Amount
    linked_txn: Links = ()
    deposit_line_detail: DepositDetail | None = None


class CashBack(Part):
    """The part of a deposit that went elsewhere."""

    account_ref: Ref
    amount: Amount


class JournalEntity(Part):
    """The vendor or customer a journal line concerns."""

    type: Text | None = None
    entity_ref: OptionalRef = None


class JournalDetail(Part):
    """Side and account of a journal line."""

    posting_type: Literal["Debit", "Credit"]
    account_ref: Ref
    entity: JournalEntity | None = None


class JournalLine(Part):
    """One side of a journal entry; a description comes without a detail."""

    amount: Amount | None = None
    journal_entry_line_detail: JournalDetail | None = None

    @model_validator(mode="after")
    def _posting_has_its_amount(self) -> Self:
        if self.amount is None and self.journal_entry_line_detail is not None:
            raise ValueError("expected an Amount on a journal line")
        return self


class BankSide(Part):
    """The bank account of a payment by cheque or transfer."""

    bank_account_ref: Ref


class CardSide(Part):
    """The card of a payment by card."""

    card_account_ref: Ref = Field(alias="CCAccountRef")


class Transaction(QboObject):
    """What every transaction has."""

    txn_date: BusinessDate
    currency_ref: OptionalRef = None
    exchange_rate: Rate | None = None
    doc_number: Text | None = None
    private_note: Text | None = None


class Bill(Transaction):
    """A vendor's bill; `balance` is what is still owed."""

    vendor_ref: Ref
    total_amt: Amount
    balance: Amount
    due_date: BusinessDate | None = None
    sales_term_ref: OptionalRef = None
    ap_account_ref: OptionalRef = Field(default=None, alias="APAccountRef")
    linked_txn: Links = ()
    line: Annotated[tuple[TradeLine, ...], Listed] = ()


class VendorCredit(Transaction):
    """A vendor's credit; `balance` is what is not used yet."""

    vendor_ref: Ref
    total_amt: Amount
    balance: Amount
    linked_txn: Links = ()
    line: Annotated[tuple[TradeLine, ...], Listed] = ()


class BillPayment(Transaction):
    """A payment of bills; a voided one has no amount and may name no account."""

    vendor_ref: Ref
    total_amt: Amount
    pay_type: Literal["Check", "CreditCard"]
    check_payment: BankSide | None = None
    credit_card_payment: CardSide | None = None
    ap_account_ref: OptionalRef = Field(default=None, alias="APAccountRef")
    line: Annotated[tuple[SettlementLine, ...], Listed] = ()

    @property
    def paid_from(self) -> str | None:
        """The bank or card account that pays."""
        if self.pay_type == "Check":
            return self.check_payment.bank_account_ref.value if self.check_payment else None
        return self.credit_card_payment.card_account_ref.value if self.credit_card_payment else None

    @model_validator(mode="after")
    def _money_comes_from_somewhere(self) -> Self:
        if self.total_amt and self.paid_from is None:
            raise ValueError("expected the account that the payment was made from")
        return self


class Purchase(Transaction):
    """Money spent at once: cash, cheque or card; with `credit` money that came back."""

    account_ref: Ref
    payment_type: Text | None = None
    entity_ref: OptionalRef = None
    credit: Flag | None = None
    total_amt: Amount
    line: Annotated[tuple[TradeLine, ...], Listed] = ()


class Invoice(Transaction):
    """An invoice to a customer; `balance` is what is still to come."""

    customer_ref: Ref
    total_amt: Amount
    balance: Amount
    due_date: BusinessDate | None = None
    sales_term_ref: OptionalRef = None
    linked_txn: Links = ()
    line: Annotated[tuple[TradeLine, ...], Listed] = ()


class CreditMemo(Transaction):
    """A credit to a customer; `balance` is what is not used yet."""

    customer_ref: Ref
    total_amt: Amount
    balance: Amount
    sales_term_ref: OptionalRef = None
    line: Annotated[tuple[TradeLine, ...], Listed] = ()


class Payment(Transaction):
    """Money received from a customer; `unapplied_amt` settles no invoice yet. Zero when it only applies a credit."""

    customer_ref: Ref
    total_amt: Amount
    unapplied_amt: Amount
    deposit_to_account_ref: OptionalRef = None
    ar_account_ref: OptionalRef = Field(default=None, alias="ARAccountRef")
    payment_ref_num: Text | None = None
    line: Annotated[tuple[SettlementLine, ...], Listed] = ()


class SalesReceipt(Transaction):
    """A sale paid at once."""

    customer_ref: OptionalRef = None
    total_amt: Amount
    deposit_to_account_ref: OptionalRef = None
    line: Annotated[tuple[TradeLine, ...], Listed] = ()


class RefundReceipt(Transaction):
    """Money given back to a customer."""

    customer_ref: OptionalRef = None
    total_amt: Amount
    deposit_to_account_ref: Ref
    line: Annotated[tuple[TradeLine, ...], Listed] = ()


class Deposit(Transaction):
    """Money that arrived in a bank account; groups received payments. `total_amt` is lines less cash back."""

    deposit_to_account_ref: Ref
    total_amt: Amount
    cash_back: CashBack | None = None
    line: Annotated[tuple[DepositLine, ...], Listed] = ()


class Transfer(Transaction):
    """Money moved between two accounts of the company."""

    from_account_ref: Ref
    to_account_ref: Ref
    amount: Amount


class JournalEntry(Transaction):
    """A journal entry. QBO's own total of it has been seen as 0, so only the lines count."""

    line: Annotated[tuple[JournalLine, ...], Listed]
