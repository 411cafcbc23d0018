"""Defects of how the books are kept: nothing entered, nothing categorised, no vendor, money that never reached the bank.

Belongs here: finding them in postings and accounts. Does not: single documents (``documents.py``).

Uncategorised is what QuickBooks itself could not place: it posts such entries to accounts it creates for the purpose. No field
marks them, and their type and subtype are also those of accounts that people make, so an account counts when it carries both
QuickBooks' own name for it and the type it is created with, or when the tenant's policy names its id (a renamed or translated
one). It is the one place where a name decides, because the name is the program's and not a person's.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from runway_calcs.books.cash import CashPosition
from runway_calcs.books.corrections import ClearUndeposited
from runway_calcs.hygiene.defects import NOT_COMPUTED, Defect, DefectKind, KnownBooks, Row, Severity
from runway_calcs.policy import CashPolicy, HygienePolicy

_DEFAULT_ACCOUNTS = {
    ("Uncategorized Expense", "Expense"),
    ("Uncategorized Income", "Income"),
    ("Uncategorized Asset", "Other Current Asset"),
}
"""Name and type of the accounts QuickBooks creates for what it cannot place."""
_COST_TYPES = ("Expense", "Other Expense", "Cost of Goods Sold")
_COMPANY = "CompanyInfo"


def account_defects(
    books: KnownBooks, *, position: CashPosition, policy: HygienePolicy, cash_policy: CashPolicy
) -> Iterator[Defect]:
    """Every defect of the keeping of the books and of money accounts."""
    yield from _stale(books, policy=policy)
    yield from _purchases(books, policy=policy, cash_policy=cash_policy)
    yield from _undeposited(books, position=position, policy=policy, cash_policy=cash_policy)
    yield from _banks_below_zero(position)


def _stale(books: KnownBooks, *, policy: HygienePolicy) -> Iterator[Defect]:
    entered = pd.concat([books.documents["created_at"], books.postings["created_at"]])
    if entered.empty:
        return  # books without any entry are no data, and say so elsewhere
    last = entered.max()
    days = (pd.Timestamp(books.at.known_until) - last).days
    if days < policy.stale_after_days:
        return
    yield Defect(
        kind=DefectKind.STALE_BOOKS,
        severity=Severity.BLOCKING,
        object_type=_COMPANY,
        object_id="1",
        label="the books",
        what=f"Nothing has been entered for {days} days, so cash, bills and invoices may all be missing.",
        evidence=(f"the last entry was made on {last.date()}",),
        related_ids=(),
        amount_cents=0,
        age_days=days,
        is_open=True,
        correction=None,
        remedy="Enter what has happened since, or match the bank feed.",
        effect=NOT_COMPUTED,
    )


def uncategorized_accounts(books: KnownBooks, *, policy: HygienePolicy) -> dict[str, str]:
    """Ids and names of the accounts QuickBooks puts what it cannot place on, and of those the policy names."""
    columns = books.accounts[["qbo_id", "name", "account_type"]].itertuples(index=False, name=None)
    return {
        str(account_id): str(name)
        for account_id, name, account_type in columns
        if (name, account_type) in _DEFAULT_ACCOUNTS or account_id in policy.uncategorized_account_ids
    }


def recent_purchases(books: KnownBooks, *, policy: HygienePolicy) -> pd.DataFrame:
    """Money spent or received at once in the policy's days, a row a transaction, with the ids of its other accounts."""
    since = books.at.as_of_day - pd.Timedelta(days=policy.history_days)
    postings = books.postings
    found = postings[
        postings["txn_type"].isin(("Purchase", "Deposit"))
        & (postings["txn_date"] > since)
        & (postings["account_id"] != "")
    ]
    ordered = found.sort_values(["txn_type", "qbo_id", "account_id"])
    return ordered.drop_duplicates(["txn_type", "qbo_id"]).reset_index(drop=True)


def _purchases(books: KnownBooks, *, policy: HygienePolicy, cash_policy: CashPolicy) -> Iterator[Defect]:
    catch_all = uncategorized_accounts(books, policy=policy)
    accounts = books.accounts
    is_cost = accounts["account_type"].isin(_COST_TYPES) & ~accounts["account_subtype"].isin(
        cash_policy.payroll_subtypes | cash_policy.tax_subtypes
    )
    costs = frozenset(accounts.loc[is_cost, "qbo_id"])
    for row in recent_purchases(books, policy=policy).to_dict("records"):
        others = str(row["counter_account_ids"]).split(";")
        on = sorted(set(others) & catch_all.keys())
        if on:
            yield _purchase_defect(
                books,
                row,
                kind=DefectKind.UNCATEGORIZED,
                what=f"It stands on {catch_all[on[0]]}, so nobody knows what it was for.",
                remedy="Choose the account it belongs to.",
            )
        if row["txn_type"] == "Purchase" and not row["party_id"] and set(others) & costs:
            yield _purchase_defect(
                books,
                row,
                kind=DefectKind.MISSING_VENDOR,
                what="It names no vendor, so it cannot be seen as part of a series.",
                remedy="Enter whom the money went to.",
            )


def _purchase_defect(books: KnownBooks, row: Row, *, kind: DefectKind, what: str, remedy: str) -> Defect:
    dated = pd.Timestamp(row["txn_date"])
    noun = "deposit" if row["txn_type"] == "Deposit" else "purchase"
    memo = (str(row["memo"]),) if row["memo"] else ()
    return Defect(
        kind=kind,
        severity=Severity.NON_BLOCKING,
        object_type=str(row["txn_type"]),
        object_id=str(row["qbo_id"]),
        label=f"{noun} of {dated.date()}" + (f" at {row['party_name']}" if row["party_name"] else ""),
        what=what,
        evidence=(f"{int(str(row['amount_cents']))} cents on {dated.date()}", *memo),
        related_ids=(),
        amount_cents=abs(int(row["amount_cents"])),
        age_days=books.age_days(dated),
        is_open=True,
        correction=None,
        remedy=remedy,
        effect=NOT_COMPUTED,
    )


def _undeposited(
    books: KnownBooks, *, position: CashPosition, policy: HygienePolicy, cash_policy: CashPolicy
) -> Iterator[Defect]:
    """Receipts that wait for their deposit, first in first out: what the receipts of the last days do not explain is old."""
    accounts = books.accounts[
        books.accounts["account_subtype"].isin(cash_policy.undeposited_subtypes)
        & (books.accounts["account_type"] != "Bank")
    ]
    balances = {one.account_id: one.balance_cents for one in position.excluded}
    for account_id, name in sorted(zip(accounts["qbo_id"], accounts["name"], strict=True)):
        balance = balances.get(account_id, 0)
        own = books.postings[
            (books.postings["account_id"] == account_id)
            & (books.postings["amount_cents"] > 0)
            & (books.postings["txn_date"] <= books.at.as_of_day)
        ].sort_values(["txn_date", "txn_type", "qbo_id"], ascending=False)
        since = books.at.as_of_day - pd.Timedelta(days=policy.undeposited_after_days)
        old = balance - int(own.loc[own["txn_date"] > since, "amount_cents"].sum())
        if old <= 0:
            continue
        yield Defect(
            kind=DefectKind.UNDEPOSITED,
            severity=Severity.NON_BLOCKING,
            object_type="Account",
            object_id=str(account_id),
            label=str(name),
            what=f"Receipts have waited longer than {policy.undeposited_after_days} days for their deposit: "
            "often the deposit was entered a second time, straight from the bank feed.",
            evidence=(f"balance {balance} cents, {old} of it older",),
            related_ids=(),
            amount_cents=old,
            age_days=_oldest_age(books, own, balance=balance),
            is_open=True,
            correction=ClearUndeposited(account_id=str(account_id), amount_cents=old),
            remedy="Match the receipts with the deposits of the bank, and remove what was entered twice.",
            effect=NOT_COMPUTED,
        )


def _oldest_age(books: KnownBooks, newest_first: pd.DataFrame, *, balance: int) -> int | None:
    """The age of the oldest receipt that is still in the balance, first in first out."""
    reached = np.flatnonzero(newest_first["amount_cents"].cumsum().to_numpy() >= balance)
    if newest_first.empty:
        return None
    oldest = newest_first["txn_date"].iloc[reached[0] if len(reached) else -1]
    return books.age_days(oldest)


def _banks_below_zero(position: CashPosition) -> Iterator[Defect]:
    for account in position.accounts:
        if account.balance_cents < 0:
            yield Defect(
                kind=DefectKind.NEGATIVE_BALANCE,
                severity=Severity.BLOCKING,
                object_type="Account",
                object_id=account.account_id,
                label=account.name,
                what="The book balance of a bank account is below zero: receipts are missing, or payments stand in it twice.",
                evidence=(f"balance {account.balance_cents} cents",),
                related_ids=(),
                amount_cents=-account.balance_cents,
                age_days=None,
                is_open=True,
                correction=None,
                remedy="Set it against the bank's statement; it may be a true overdraft.",
                effect=NOT_COMPUTED,
            )
