"""What mends a defect of the books, as a value, and the ledger as it would be with it.

Belongs here: the corrections, and putting one into the frames that calculators take.
Does not: finding defects (``hygiene/assessment.py``); a forecast of the corrected ledger; writing to QuickBooks.

A correction never touches the books: it answers "what would the forecast say if this were mended". It moves open amounts
by what is open at the point of view, in every version of the object, so that a week rebuilt from links comes out right too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import pandas as pd

from runway_calcs.books.as_of import AsOf
from runway_calcs.books.open_items import known_documents

PartyType = Literal["Vendor", "Customer"]

_OWING = {"Payment": "Invoice", "CreditMemo": "Invoice", "BillPayment": "Bill", "VendorCredit": "Bill"}
"""What a credit can be applied to."""
_DOCUMENT_OF: Mapping[PartyType, str] = {"Vendor": "Bill", "Customer": "Invoice"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The ledger's frames of versions, as the books' tables hold them (columns: the tables' schemas)."""

    documents: pd.DataFrame
    applications: pd.DataFrame
    postings: pd.DataFrame
    accounts: pd.DataFrame
    parties: pd.DataFrame
    terms: pd.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDueDate:
    """Give a document its due date."""

    txn_type: str
    txn_id: str
    due_date: date
    kind: Literal["set_due_date"] = "set_due_date"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTerms:
    """Give a vendor or customer terms: its documents without terms fall due so many days after their date."""

    party_type: PartyType
    party_id: str
    due_days: int
    kind: Literal["set_terms"] = "set_terms"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveDocument:
    """Delete a document that was keyed in twice."""

    txn_type: str
    txn_id: str
    kind: Literal["remove_document"] = "remove_document"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseDocument:
    """Settle an open item for which no money will move: paid elsewhere, void or lost."""

    txn_type: str
    txn_id: str
    kind: Literal["close_document"] = "close_document"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyCredit:
    """Apply an unapplied payment or credit to the oldest open documents of its vendor or customer."""

    txn_type: str
    txn_id: str
    kind: Literal["apply_credit"] = "apply_credit"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeVendors:
    """Make two vendors one."""

    keep_id: str
    merged_id: str
    kind: Literal["merge_vendors"] = "merge_vendors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redate:
    """Give an entry another date; its due date moves by as many days."""

    txn_type: str
    txn_id: str
    on: date
    kind: Literal["redate"] = "redate"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearUndeposited:
    """Take receipts out of the undeposited funds whose deposit was entered in another way."""

    account_id: str
    amount_cents: int
    kind: Literal["clear_undeposited"] = "clear_undeposited"


Correction = (
    SetDueDate | SetTerms | RemoveDocument | CloseDocument | ApplyCredit | MergeVendors | Redate | ClearUndeposited
)


def corrected(ledger: Ledger, correction: Correction, *, at: AsOf) -> Ledger:  # noqa: PLR0911 - one line for each kind
    """The ledger as it would be with the correction; the given frames stay as they are.

    A correction of an object that is not known at the point of view changes nothing.
    """
    match correction:
        case SetDueDate():
            return _with_due_date(ledger, correction)
        case SetTerms():
            return _with_terms(ledger, correction)
        case RemoveDocument() | CloseDocument():
            return _closed(ledger, correction, at=at)
        case ApplyCredit():
            return _with_credit_applied(ledger, correction, at=at)
        case MergeVendors():
            return _merged(ledger, correction)
        case Redate():
            return _redated(ledger, correction)
        case ClearUndeposited():
            return _cleared(ledger, correction)


def _is(frame: pd.DataFrame, *, txn_type: str, txn_id: str) -> pd.Series:
    return (frame["txn_type"] == txn_type) & (frame["qbo_id"] == txn_id)


def _with_due_date(ledger: Ledger, correction: SetDueDate) -> Ledger:
    documents = ledger.documents.copy()
    rows = _is(documents, txn_type=correction.txn_type, txn_id=correction.txn_id)
    documents.loc[rows, "due_date"] = pd.Timestamp(correction.due_date)
    return replace(ledger, documents=documents)


def _with_terms(ledger: Ledger, correction: SetTerms) -> Ledger:
    documents = ledger.documents.copy()
    rows = (
        (documents["txn_type"] == _DOCUMENT_OF[correction.party_type])
        & (documents["party_id"] == correction.party_id)
        & (documents["term_id"] == "")
        & lacks_own_due_date(documents)
    )
    documents.loc[rows, "due_date"] = documents.loc[rows, "txn_date"] + pd.Timedelta(days=correction.due_days)
    return replace(ledger, documents=documents)


def lacks_own_due_date(documents: pd.DataFrame) -> pd.Series:
    """Whether a document has no due date, or the one QuickBooks fills in without terms: the document's own date."""
    return documents["due_date"].isna() | (documents["due_date"] == documents["txn_date"])


def _closed(ledger: Ledger, correction: RemoveDocument | CloseDocument, *, at: AsOf) -> Ledger:
    rows = _is(ledger.documents, txn_type=correction.txn_type, txn_id=correction.txn_id)
    left = int(known_documents(ledger.documents[rows], ledger.applications, at=at)["open_cents"].sum())
    moved = {(correction.txn_type, correction.txn_id): -left}
    return replace(ledger, documents=_moved(ledger.documents, moved))


def _with_credit_applied(ledger: Ledger, correction: ApplyCredit, *, at: AsOf) -> Ledger:
    known = known_documents(ledger.documents, ledger.applications, at=at)
    credit = known[_is(known, txn_type=correction.txn_type, txn_id=correction.txn_id)]
    if credit.empty:
        return ledger
    unused = -int(credit["open_cents"].iloc[0])
    moved: dict[tuple[str, str], int] = {}
    for document_id, left in applicable(known, txn_type=correction.txn_type, party_id=str(credit["party_id"].iloc[0])):
        taken = min(left, unused)
        if taken <= 0:
            break
        moved[_OWING[correction.txn_type], document_id] = -taken
        unused -= taken
    moved[correction.txn_type, correction.txn_id] = -sum(moved.values())
    return replace(ledger, documents=_moved(ledger.documents, moved))


def applicable(known: pd.DataFrame, *, txn_type: str, party_id: str) -> list[tuple[str, int]]:
    """Ids and open cents of the documents a credit of this kind can be applied to, oldest first."""
    rows = known[
        (known["txn_type"] == _OWING[txn_type]) & (known["party_id"] == party_id) & (known["open_cents"] > 0)
    ].sort_values(["txn_date", "qbo_id"])
    return [(str(one), int(cents)) for one, cents in zip(rows["qbo_id"], rows["open_cents"], strict=True)]


def _merged(ledger: Ledger, correction: MergeVendors) -> Ledger:
    kept = ledger.parties[(ledger.parties["party_type"] == "Vendor") & (ledger.parties["qbo_id"] == correction.keep_id)]
    if kept.empty:
        return ledger
    name = str(kept.sort_values("known_at")["display_name"].iloc[-1])
    documents, postings, parties = ledger.documents.copy(), ledger.postings.copy(), ledger.parties.copy()
    is_payable = documents["txn_type"].isin(("Bill", "VendorCredit", "BillPayment"))
    for frame, is_vendor in ((documents, is_payable), (postings, postings["party_type"] == "Vendor")):
        rows = is_vendor & (frame["party_id"] == correction.merged_id)
        frame.loc[rows, ["party_id", "party_name"]] = [correction.keep_id, name]
    gone = (parties["party_type"] == "Vendor") & (parties["qbo_id"] == correction.merged_id)
    parties.loc[gone, "is_deleted"] = True
    return replace(ledger, documents=documents, postings=postings, parties=parties)


def _redated(ledger: Ledger, correction: Redate) -> Ledger:
    day = pd.Timestamp(correction.on)
    documents, applications, postings = ledger.documents.copy(), ledger.applications.copy(), ledger.postings.copy()
    rows = _is(documents, txn_type=correction.txn_type, txn_id=correction.txn_id)
    documents.loc[rows, "due_date"] += day - documents.loc[rows, "txn_date"]
    for frame in (documents, applications, postings):
        frame.loc[_is(frame, txn_type=correction.txn_type, txn_id=correction.txn_id), "txn_date"] = day
    return replace(ledger, documents=documents, applications=applications, postings=postings)


def _cleared(ledger: Ledger, correction: ClearUndeposited) -> Ledger:
    accounts = ledger.accounts.copy()
    accounts.loc[accounts["qbo_id"] == correction.account_id, "current_balance_cents"] -= correction.amount_cents
    return replace(ledger, accounts=accounts)


def _moved(documents: pd.DataFrame, by_key: Mapping[tuple[str, str], int]) -> pd.DataFrame:
    """The documents with these amounts added to what is open."""
    changed = documents.copy()
    for (txn_type, txn_id), cents in by_key.items():
        changed.loc[_is(changed, txn_type=txn_type, txn_id=txn_id), "open_cents"] += cents
    return changed
