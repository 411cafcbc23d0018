"""What each transaction does to the accounts that hold money: bank, card, undeposited funds.

Belongs here: the effect of every kind of transaction on `Account.CurrentBalance`, with QBO's exceptions. Does not:
other accounts, but as counterparts; deciding what is cash (`runway_calcs`).

Signs are those of `CurrentBalance`: into a bank account +, out of it -; a card purchase -, a payment of the card +
(a card's balance is negative when money is owed). So a debit is + and a credit - on every one of these accounts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pandas as pd

from resources.qbo.columns import CENTS, DAY, TEXT, Version, frame, in_order
from resources.qbo.completing import completed
from resources.qbo.fields import QboObject, Ref
from resources.qbo.home_currency import NotConvertible, cents, rate_of
from resources.qbo.list_objects import Account, Item
from resources.qbo.transactions import (
    BillPayment,
    Deposit,
    JournalEntry,
    Payment,
    Purchase,
    RefundReceipt,
    SalesReceipt,
    TradeLine,
    Transaction,
    Transfer,
)

POSTING_COLUMNS = {
    "txn_type": TEXT,
    "txn_date": DAY,
    "account_id": TEXT,
    "amount_cents": CENTS,
    "party_type": TEXT,
    "party_id": TEXT,
    "party_name": TEXT,
    "counter_account_ids": TEXT,
    "doc_number": TEXT,
    "memo": TEXT,
}

_POSTING = frozenset(
    {"BillPayment", "Purchase", "Payment", "SalesReceipt", "RefundReceipt", "Deposit", "Transfer", "JournalEntry"}
)
_MONEY_TYPES = frozenset({"Bank", "Credit Card"})
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartOfAccounts:
    """What the effects of transactions need to know of the accounts and items."""

    #: Bank, card and undeposited accounts: those that postings are made for.
    money_ids: frozenset[str]
    undeposited_id: str | None
    #: The one payable and the one receivable account, where a transaction does not name it; None if there are several.
    payable_id: str | None
    receivable_id: str | None
    #: Item id to the account it is bought on and the account it is sold on; "" where there is none.
    bought_on: Mapping[str, str]
    sold_on: Mapping[str, str]


@dataclass(slots=True)
class _Effects:
    """Amounts by account in the document's currency, and every account the transaction touches."""

    amounts: dict[str, Decimal] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)

    def move(self, account_id: str, amount: Decimal) -> None:
        self.amounts[account_id] = self.amounts.get(account_id, _ZERO) + amount
        self.touched.add(account_id)

    def touch(self, account_id: str | None) -> None:
        if account_id:
            self.touched.add(account_id)


def chart_of_accounts(versions: Iterable[Version]) -> ChartOfAccounts:
    """The chart by the newest known version of each account and item, deleted and inactive ones included."""
    accounts: dict[str, Account] = {}
    items: dict[str, Item] = {}
    for _, found in in_order(versions):
        if isinstance(found, Account):
            accounts[found.id] = found
        elif isinstance(found, Item):
            items[found.id] = found
    undeposited = sorted(found.id for found in accounts.values() if _is_undeposited(found))
    banks_and_cards = {found.id for found in accounts.values() if found.account_type in _MONEY_TYPES}
    return ChartOfAccounts(
        money_ids=frozenset(banks_and_cards | set(undeposited)),
        undeposited_id=undeposited[0] if undeposited else None,
        payable_id=_only(accounts, "Accounts Payable"),
        receivable_id=_only(accounts, "Accounts Receivable"),
        bought_on={found.id: _id(found.expense_account_ref or found.asset_account_ref) for found in items.values()},
        sold_on={found.id: _id(found.income_account_ref) for found in items.values()},
    )


def postings(versions: Iterable[Version], *, chart: ChartOfAccounts, home_currency: str) -> pd.DataFrame:
    """One row for each version of a transaction and account of money it moves, lines summed, in home cents.

    A version that moves none has one row without an account and money: it takes the place of the version before.
    """
    if chart.undeposited_id is None:
        versions = _with_accounts(list(versions), chart=chart)
    rows: list[tuple[Any, ...]] = []
    for common, found in in_order(versions):
        if isinstance(found, Transaction) and found.entity in _POSTING:
            rate = rate_of(found, home_currency=home_currency)
            effects = _effects(found, chart)
            number, memo = _number(found), found.private_note or ""
            moved = sorted(
                (account, amount) for account, amount in effects.amounts.items() if account in chart.money_ids
            )
            for account, amount in moved or [("", _ZERO)]:
                counterparts = ";".join(sorted(effects.touched - {account}))
                money = cents(amount, rate=rate)
                rows.append(
                    (*common, found.entity, found.txn_date, account, money, *_party(found), counterparts, number, memo)
                )
        elif found.entity in _POSTING:
            rows.append((*common, found.entity, None, "", 0, "", "", "", "", "", ""))
    return frame(POSTING_COLUMNS, rows)


def _with_accounts(versions: Sequence[Version], *, chart: ChartOfAccounts) -> list[Version]:
    """The versions, received money that names no account with that of the next version of it."""

    def lacks(found: QboObject) -> bool:
        try:
            if isinstance(found, Transaction) and found.entity in _POSTING:
                _effects(found, chart)
        except NotConvertible:
            return True
        return False

    def from_later(found: QboObject, later: QboObject) -> QboObject:
        if isinstance(later, Payment | SalesReceipt):
            return found.model_copy(update={"deposit_to_account_ref": later.deposit_to_account_ref})
        return found  # the lines of a deposit are not told apart from version to version

    return completed(versions, lacks=lacks, from_later=from_later)


def _effects(found: Transaction, chart: ChartOfAccounts) -> _Effects:  # noqa: PLR0911 - one line for each kind
    match found:
        case BillPayment():
            return _bill_payment(found, chart)
        case Purchase():
            return _purchase(found, chart)
        case Payment():
            return _payment(found, chart)
        case SalesReceipt():
            return _sale(found, found.total_amt, found.deposit_to_account_ref, chart)
        case RefundReceipt():
            return _sale(found, -found.total_amt, found.deposit_to_account_ref, chart)
        case Deposit():
            return _deposit(found, chart)
        case Transfer():
            return _transfer(found)
        case JournalEntry():
            return _journal_entry(found)
        case _:
            raise AssertionError(f"{found.entity} makes no postings")


def _bill_payment(found: BillPayment, chart: ChartOfAccounts) -> _Effects:
    effects = _Effects()
    effects.touch(_id(found.ap_account_ref) or chart.payable_id)
    if found.paid_from is not None:
        effects.move(found.paid_from, -found.total_amt)
    return effects


def _purchase(found: Purchase, chart: ChartOfAccounts) -> _Effects:
    effects = _Effects()
    sign = -1 if found.credit else 1
    effects.move(found.account_ref.value, -sign * found.total_amt)
    for line in found.line:
        detail = line.account_based_expense_line_detail
        # A line may name another account of money: a cheque written to the petty cash.
        if detail is not None and detail.account_ref is not None and line.amount is not None:
            effects.move(detail.account_ref.value, sign * line.amount)
        effects.touch(_item_account(line, chart.bought_on))
    return effects


def _payment(found: Payment, chart: ChartOfAccounts) -> _Effects:
    effects = _Effects()
    effects.touch(_id(found.ar_account_ref) or chart.receivable_id)
    if found.total_amt:  # one of zero only applies a credit to an invoice
        effects.move(_received_on(found, found.deposit_to_account_ref, chart), found.total_amt)
    return effects


def _sale(
    found: SalesReceipt | RefundReceipt, received: Decimal, account: Ref | None, chart: ChartOfAccounts
) -> _Effects:
    effects = _Effects()
    if received or account is not None:
        effects.move(_received_on(found, account, chart), received)
    for line in found.line:
        effects.touch(_item_account(line, chart.sold_on))
    return effects


def _deposit(found: Deposit, chart: ChartOfAccounts) -> _Effects:
    effects = _Effects()
    effects.move(found.deposit_to_account_ref.value, found.total_amt)
    if found.cash_back is not None:
        effects.move(found.cash_back.account_ref.value, found.cash_back.amount)
    for line in found.line:
        named = line.deposit_line_detail.account_ref if line.deposit_line_detail else None
        if named is None and not line.linked_txn:
            continue
        # A received payment waits among the undeposited funds; its line only links to it.
        effects.move(_received_on(found, named, chart), -line.amount)
    return effects


def _transfer(found: Transfer) -> _Effects:
    effects = _Effects()
    effects.move(found.from_account_ref.value, -found.amount)
    effects.move(found.to_account_ref.value, found.amount)
    return effects


def _journal_entry(found: JournalEntry) -> _Effects:
    effects = _Effects()
    for line in found.line:
        detail = line.journal_entry_line_detail
        if detail is not None and line.amount is not None:
            effects.move(detail.account_ref.value, line.amount if detail.posting_type == "Debit" else -line.amount)
    return effects


def _received_on(found: QboObject, account: Ref | None, chart: ChartOfAccounts) -> str:
    if account is not None:
        return account.value
    if chart.undeposited_id is None:
        raise NotConvertible(
            what=f"{found.entity} {found.id} names no account, and the company has no Undeposited Funds.",
            next_step="Give it an account in QuickBooks, then run the sync again.",
        )
    return chart.undeposited_id


def _item_account(line: TradeLine, accounts: Mapping[str, str]) -> str:
    detail = line.item_based_expense_line_detail or line.sales_item_line_detail
    return accounts.get(detail.item_ref.value, "") if detail is not None and detail.item_ref is not None else ""


def _party(found: Transaction) -> tuple[str, str, str]:
    """Type, id and name of the other side; empty where a transaction has none or several."""
    match found:
        case BillPayment():
            return "Vendor", found.vendor_ref.value, found.vendor_ref.name or ""
        case Payment() | SalesReceipt() | RefundReceipt():
            return _named("Customer", found.customer_ref)
        case Purchase():
            return _named(None, found.entity_ref)
        case Deposit():
            details = [line.deposit_line_detail for line in found.line]
            return _single({_named(None, detail.entity) for detail in details if detail is not None})
        case JournalEntry():
            entities = [line.journal_entry_line_detail.entity for line in found.line if line.journal_entry_line_detail]
            return _single({_named(entity.type, entity.entity_ref) for entity in entities if entity is not None})
        case _:
            return "", "", ""


def _named(kind: str | None, ref: Ref | None) -> tuple[str, str, str]:
    if ref is None:
        return "", "", ""
    return (kind or ref.type or "").capitalize(), ref.value, ref.name or ""


def _single(parties: set[tuple[str, str, str]]) -> tuple[str, str, str]:
    known = parties - {("", "", "")}
    return known.pop() if len(known) == 1 else ("", "", "")


def _number(found: Transaction) -> str:
    return found.doc_number or (found.payment_ref_num if isinstance(found, Payment) else None) or ""


def _is_undeposited(account: Account) -> bool:
    return account.account_sub_type == "UndepositedFunds"


def _only(accounts: Mapping[str, Account], account_type: str) -> str | None:
    found = [account.id for account in accounts.values() if account.account_type == account_type]
    return found[0] if len(found) == 1 else None


def _id(ref: Ref | None) -> str:
    return ref.value if ref is not None else ""
