"""Cash movements: what each transaction did to the cash as a whole, on which day, with whom and what for.

Belongs here: netting a transaction over the cash accounts, the kind and series it belongs to, and what is entered to wait
for its deposit later.
Does not: rates (``runway_calcs/books/burn.py``), rhythms (``forecast/recurring.py``), balances (``cash.py``).
"""

from collections.abc import Callable, Mapping
from enum import StrEnum

import numpy as np
import pandas as pd

from runway_calcs.books.as_of import DOCUMENT_KEY, LIST_KEY, AsOf, select_known
from runway_calcs.books.cash import CashPosition, ExclusionReason
from runway_calcs.policy import CashPolicy


class Kind(StrEnum):
    """What a movement is, from the types of its accounts and of its transaction, never from a name."""

    PAYROLL = "payroll"
    OWN_ACCOUNT = "own_account"
    """To or from a bank account of the tenant that does not count as cash (trust money is not the tenant's)."""
    CARD_PAYMENT = "card_payment"
    TAX = "tax"
    FINANCING = "financing"
    """Owners and lenders only; a loan payment with interest is an expense."""
    BILL_PAYMENT = "bill_payment"
    EXPENSE = "expense"
    CUSTOMER_RECEIPT = "customer_receipt"
    CUSTOMER_REFUND = "customer_refund"
    OTHER_RECEIPT = "other_receipt"


NON_OPERATING = (Kind.OWN_ACCOUNT, Kind.FINANCING)
"""Kinds that are cash movements but no operating burn."""

COLUMNS = (
    "date",
    "amount_cents",
    "direction",
    "kind",
    "stream",
    "label",
    "txn_type",
    "txn_id",
    "party_type",
    "party_id",
    "party_name",
    "counter_account_ids",
    "doc_number",
)
"""`stream` is the identity of a series of payments; `label` is what a reader calls the other side."""

_RECEIPT_TYPES = ("Payment", "SalesReceipt", "Deposit")
WAITING_COLUMNS = ("date", "amount_cents", "label", "party_id", "txn_type", "txn_id", "doc_number")


def cash_movements(
    postings: pd.DataFrame, accounts: pd.DataFrame, *, position: CashPosition, at: AsOf, policy: CashPolicy
) -> pd.DataFrame:
    """One row for each known transaction that changed the cash, by date, kind of transaction and id.

    A transaction is netted over all cash accounts, so a transfer between two of them is no movement; a closed account
    keeps its past (``CashPosition.moving_ids``), so moving to another bank is none either. With the card
    basis `purchase` the cards are netted in as well: a purchase by card is a movement and the card payment is none;
    with `payment` it is the other way round. Transactions dated after the as-of day are included: they are known.
    With the basis `payment` and one position's accounts: opening cash + movements in between = closing cash.
    """
    cut = {"known_until": at.known_until, "first_known_at": at.first_known_at}
    netted = position.moving_ids | (position.card_ids if policy.card_basis == "purchase" else frozenset())
    known = select_known(postings, key=DOCUMENT_KEY, **cut)
    inside = known[known["account_id"].isin(netted)].sort_values([*DOCUMENT_KEY, "account_id"])
    by_txn = inside.groupby(list(DOCUMENT_KEY), sort=True)
    moved = by_txn[["txn_date", "party_type", "party_id", "party_name", "counter_account_ids", "doc_number"]].first()
    moved["amount_cents"] = by_txn["amount_cents"].sum()
    moved = moved[moved["amount_cents"] != 0].reset_index()
    known_accounts = select_known(accounts, key=LIST_KEY, **cut)
    meanings = _account_meanings(known_accounts, netted=netted, policy=policy)
    names = dict(zip(known_accounts["qbo_id"], known_accounts["name"], strict=True))
    moved = moved.assign(
        date=moved["txn_date"],
        txn_id=moved["qbo_id"],
        direction=np.where(moved["amount_cents"] > 0, "in", "out"),
        counter_account_ids=_map_unique(moved["counter_account_ids"], lambda ids: _others(ids, netted=netted)),
    )
    moved["kind"] = _kinds(moved, meanings=meanings)
    moved["stream"] = _streams(moved)
    counters = _map_unique(moved["counter_account_ids"], lambda ids: _names(ids, names=names))
    moved["label"] = moved["party_name"].where(moved["party_name"] != "", counters)
    ordered = moved.sort_values(["date", "txn_type", "txn_id"])[list(COLUMNS)]
    return ordered.astype({name: "str" for name in COLUMNS if name not in ("date", "amount_cents")}).reset_index(
        drop=True
    )


def waiting_later(postings: pd.DataFrame, *, position: CashPosition, at: AsOf) -> pd.DataFrame:
    """What is entered to go into (positive) and out of the undeposited funds after the as-of day, by date and transaction.

    The balance of these funds does not hold it, and a receipt that waits is no movement of the cash yet (`WAITING_COLUMNS`).
    """
    ids = {one.account_id for one in position.excluded if one.reason is ExclusionReason.UNDEPOSITED}
    known = select_known(postings, known_until=at.known_until, first_known_at=at.first_known_at, key=DOCUMENT_KEY)
    later = known[known["account_id"].isin(ids) & (known["txn_date"] > at.as_of_day)]
    by_txn = later.groupby(list(DOCUMENT_KEY), sort=True)
    found = by_txn[["txn_date", "party_name", "party_id", "doc_number"]].first()
    found["amount_cents"] = by_txn["amount_cents"].sum()
    found = found.reset_index().rename(columns={"txn_date": "date", "party_name": "label", "qbo_id": "txn_id"})
    return found.sort_values(["date", "txn_type", "txn_id"], ignore_index=True)[list(WAITING_COLUMNS)]


def _account_meanings(accounts: pd.DataFrame, *, netted: frozenset[str], policy: CashPolicy) -> dict[str, Kind | None]:
    """What an account says about a movement it stands against; None when it says nothing."""
    meanings: dict[str, Kind | None] = {}
    columns = accounts[["qbo_id", "account_type", "account_subtype"]]
    for account_id, account_type, subtype in columns.itertuples(index=False, name=None):
        if subtype in policy.payroll_subtypes:
            meaning: Kind | None = Kind.PAYROLL
        elif subtype in policy.tax_subtypes:
            meaning = Kind.TAX
        elif account_type == "Credit Card":
            meaning = Kind.CARD_PAYMENT
        elif account_type == "Bank" and account_id not in netted and subtype not in policy.trust_subtypes:
            meaning = Kind.OWN_ACCOUNT
        elif account_type in policy.financing_types or subtype in policy.financing_subtypes:
            meaning = Kind.FINANCING
        else:
            meaning = None
        meanings[str(account_id)] = meaning
    return meanings


def _kinds(moved: pd.DataFrame, *, meanings: Mapping[str, Kind | None]) -> pd.Series:
    """The kind of each movement: by its counter accounts where they speak, else by its transaction."""

    def by_counters(ids: str) -> str:
        found = [meanings.get(account_id) for account_id in ids.split(";")]
        for kind in (Kind.PAYROLL, Kind.CARD_PAYMENT, Kind.TAX):
            if kind in found:
                return kind
        return next((kind for kind in NON_OPERATING if set(found) == {kind}), "")

    is_in = moved["amount_cents"] > 0
    txn_type = moved["txn_type"]
    by_txn = np.select(
        [
            is_in & txn_type.isin(_RECEIPT_TYPES),
            is_in,
            txn_type == "RefundReceipt",
            txn_type == "BillPayment",
        ],
        [Kind.CUSTOMER_RECEIPT.value, Kind.OTHER_RECEIPT.value, Kind.CUSTOMER_REFUND.value, Kind.BILL_PAYMENT.value],
        default=Kind.EXPENSE.value,
    )
    spoken = _map_unique(moved["counter_account_ids"], by_counters)
    # A receipt from a customer stays one, whatever liability (sales tax) stands beside the sale.
    is_spoken = (spoken != "") & ~(is_in & (spoken == Kind.TAX))
    return spoken.where(is_spoken, by_txn)


def _streams(moved: pd.DataFrame) -> pd.Series:
    """The identity of the series a movement belongs to: its party, else its counter accounts.

    Payroll is one series for all payments without a party, whichever deductions stand beside it. Taxes are kept apart
    by liability, since one authority collects several on different days. Cards are known by their account.
    """
    counters = "accounts:" + moved["counter_account_ids"]
    party = moved["party_type"] + ":" + moved["party_id"]
    has_party = moved["party_id"] != ""
    kind = moved["kind"]
    return pd.Series(
        np.select(
            [
                (kind == Kind.PAYROLL) & has_party,
                kind == Kind.PAYROLL,
                kind == Kind.CARD_PAYMENT,
                (kind == Kind.TAX) & has_party,
                has_party,
            ],
            ["payroll:" + party, "payroll", "card:" + counters, "tax:" + party + ":" + counters, party],
            default=counters,
        ),
        index=moved.index,
    )


def _map_unique(values: pd.Series, function: Callable[[str], str]) -> pd.Series:
    """`function` of each text, computed once for each different text."""
    return values.map({text: function(text) for text in values.unique()}).astype("str")


def _others(ids: str, *, netted: frozenset[str]) -> str:
    return ";".join(account_id for account_id in ids.split(";") if account_id and account_id not in netted)


def _names(ids: str, *, names: Mapping[str, str]) -> str:
    return ", ".join(names.get(account_id, f"account {account_id}") for account_id in ids.split(";") if account_id)
