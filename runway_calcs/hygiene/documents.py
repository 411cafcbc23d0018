"""Defects of single documents: no due date, no terms, long overdue, dated far ahead, applied to nothing, owed to us.

Belongs here: finding them, and what would mend each. Does not: duplicates (``duplicates.py``); accounts, cash and
the keeping of the books (``accounts.py``); effects and score (``assessment.py``).

QuickBooks gives a bill without terms its own date as due date. So a due date is missing when it is empty (imports, other
programs), and when a document without terms is due on its own date though its vendor or customer has terms of some days.
Where the party has no terms either, the terms are what is missing: one defect for the party, not one for each document.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from runway_calcs.books.corrections import (
    ApplyCredit,
    CloseDocument,
    PartyType,
    Redate,
    SetDueDate,
    SetTerms,
    applicable,
    lacks_own_due_date,
)
from runway_calcs.cents import median_half_up
from runway_calcs.hygiene.defects import NOT_COMPUTED, Defect, DefectKind, KnownBooks, Row, Severity
from runway_calcs.policy import HygienePolicy

_PARTY_OF: Mapping[str, PartyType] = {"Bill": "Vendor", "Invoice": "Customer"}
_KEY = ["txn_type", "qbo_id"]
_CREDITS = ("Payment", "CreditMemo", "BillPayment", "VendorCredit")
_NOUNS = {
    "Bill": "bill",
    "Invoice": "invoice",
    "Payment": "payment",
    "CreditMemo": "credit memo",
    "BillPayment": "bill payment",
    "VendorCredit": "vendor credit",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _UsualDays:
    """How many days until due a party's documents usually have, and where that is taken from."""

    days: int
    source: str


def document_defects(books: KnownBooks, *, policy: HygienePolicy) -> Iterator[Defect]:
    """Every defect of a single document or of one party's documents."""
    yield from _without_due_date(books)
    yield from _without_terms(books)
    yield from _far_past(books, policy=policy)
    yield from _future_documents(books, policy=policy)
    yield from _future_entries(books, policy=policy)
    yield from _unapplied(books, policy=policy)
    yield from _parties_below_zero(books)


def label_of(row: Row) -> str:
    """What a reader calls a document: kind, number if it has one, and whose it is."""
    number = f" {row['doc_number']}" if row["doc_number"] else ""
    whose = f" of {row['party_name']}" if row["party_name"] else ""
    return f"{_NOUNS.get(str(row['txn_type']), str(row['txn_type']))}{number}{whose}"


def _without_due_date(books: KnownBooks) -> Iterator[Defect]:
    documents = books.documents
    is_owed = documents["txn_type"].isin(tuple(_PARTY_OF)) & (documents["total_cents"] > 0)
    lacking = is_owed & (documents["term_id"] == "") & lacks_own_due_date(documents)
    for row in documents[lacking | (is_owed & documents["due_date"].isna())].sort_values(_KEY).to_dict("records"):
        is_empty = pd.isna(row["due_date"])
        if is_empty or _agreed_days(books, row) > 0:
            yield _undated(books, row, usual=_usual_days(books, row), is_empty=is_empty)


def _undated(books: KnownBooks, row: Row, *, usual: _UsualDays | None, is_empty: bool) -> Defect:
    is_open = int(row["open_cents"]) > 0
    due = None if usual is None else row["txn_date"].date() + timedelta(days=usual.days)
    what = (
        "It has no due date"
        if is_empty
        else "It has no terms, and QuickBooks calls it due on its own date though other terms are agreed"
    )
    remedy = "Enter the due date that the document states"
    return Defect(
        kind=DefectKind.MISSING_DUE_DATE,
        severity=Severity.BLOCKING if is_open else Severity.NON_BLOCKING,
        object_type=str(row["txn_type"]),
        object_id=str(row["qbo_id"]),
        label=label_of(row),
        what=f"{what}: {'the day on which money moves is a guess' if is_open else 'it is settled, and hides a habit'}.",
        evidence=(
            f"dated {row['txn_date'].date()}",
            f"open {int(row['open_cents'])} of {int(row['total_cents'])} cents",
        ),
        related_ids=(),
        amount_cents=int(row["open_cents"]) if is_open else int(row["total_cents"]),
        age_days=books.age_days(row["txn_date"]),
        is_open=is_open,
        correction=None
        if due is None
        else SetDueDate(txn_type=str(row["txn_type"]), txn_id=str(row["qbo_id"]), due_date=due),
        remedy=f"{remedy}."
        if usual is None
        else f"{remedy}; {usual.days} days after its date, {usual.source}, is {due}.",
        effect=NOT_COMPUTED,
    )


def _agreed_days(books: KnownBooks, row: Row) -> int:
    """Days until due by the terms of the document's vendor or customer; 0 where there are none."""
    party_type = _PARTY_OF[row["txn_type"]]
    return books.due_days.get(books.terms_of.get((party_type, row["party_id"]), ""), 0)


def _usual_days(books: KnownBooks, row: Row) -> _UsualDays | None:
    """From the document's terms, its party's terms, the party's other documents, or everybody's: the closest witness."""
    if row["term_id"] in books.due_days:
        return _UsualDays(days=books.due_days[str(row["term_id"])], source="by its terms")
    party_type = _PARTY_OF[row["txn_type"]]
    agreed = books.terms_of.get((party_type, row["party_id"]), "")
    if agreed in books.due_days:
        return _UsualDays(days=books.due_days[agreed], source=f"by the {party_type.lower()}'s terms")
    alike = books.documents[(books.documents["txn_type"] == row["txn_type"]) & books.documents["due_date"].notna()]
    for rows, source in (
        (alike[alike["party_id"] == row["party_id"]], f"as the {party_type.lower()}'s other documents have"),
        (alike, "as most documents of this kind have"),
    ):
        if not rows.empty:
            days = (rows["due_date"] - rows["txn_date"]).dt.days
            return _UsualDays(days=max(0, median_half_up([int(one) for one in days])), source=source)
    return None


def _without_terms(books: KnownBooks) -> Iterator[Defect]:
    """Parties without terms that have open documents whose due date is only QuickBooks' stand-in."""
    documents = books.documents
    for txn_type, party_type in _PARTY_OF.items():
        found = documents[
            (documents["txn_type"] == txn_type)
            & (documents["open_cents"] > 0)
            & (documents["term_id"] == "")
            & (documents["due_date"] == documents["txn_date"])
        ]
        for party_id, rows in found.groupby("party_id", sort=True):
            if books.terms_of.get((party_type, str(party_id)), "") not in books.due_days:
                yield _party_without_terms(books, rows, party_type=party_type, party_id=str(party_id))


def _party_without_terms(books: KnownBooks, rows: pd.DataFrame, *, party_type: PartyType, party_id: str) -> Defect:
    usual = _commonest_due_days(books, txn_type=str(rows["txn_type"].iloc[0]))
    newest = rows.sort_values(["txn_date", "qbo_id"]).iloc[-1]
    noun = _NOUNS[str(newest["txn_type"])]
    return Defect(
        kind=DefectKind.MISSING_TERMS,
        severity=Severity.NON_BLOCKING,
        object_type=party_type,
        object_id=party_id,
        label=str(newest["party_name"]) or f"{party_type.lower()} {party_id}",
        what=f"Neither the {party_type.lower()} nor {len(rows)} open {noun}{'' if len(rows) == 1 else 's'} have terms, "
        "so QuickBooks calls them due on their own date.",
        evidence=tuple(f"{noun} {one} dated and due {dated.date()}" for one, dated in _first_rows(rows)),
        related_ids=(),
        amount_cents=int(rows["open_cents"].sum()),
        age_days=books.age_days(rows["txn_date"].min()),
        is_open=True,
        correction=None if usual is None else SetTerms(party_type=party_type, party_id=party_id, due_days=usual),
        remedy=f"Enter the terms agreed with the {party_type.lower()}"
        + ("." if usual is None else f"; the commonest terms of these books are {usual} days."),
        effect=NOT_COMPUTED,
    )


def _first_rows(rows: pd.DataFrame) -> list[tuple[str, pd.Timestamp]]:
    shown = rows.sort_values(["txn_date", "qbo_id"]).head(5)
    return [(str(one), dated) for one, dated in zip(shown["qbo_id"], shown["txn_date"], strict=True)]


def _commonest_due_days(books: KnownBooks, *, txn_type: str) -> int | None:
    """The days until due that most documents of this kind with terms have; the shorter of equally common ones."""
    with_terms = books.documents[(books.documents["txn_type"] == txn_type) & (books.documents["term_id"] != "")]
    days = with_terms["term_id"].map(books.due_days).dropna().astype("int64")
    return None if days.empty else int(days.mode().min())


def _far_past(books: KnownBooks, *, policy: HygienePolicy) -> Iterator[Defect]:
    documents = books.documents
    aged_by = documents["due_date"].where(documents["due_date"].notna(), documents["txn_date"])
    overdue = (books.at.as_of_day - aged_by).dt.days
    is_old = documents["txn_type"].isin(tuple(_PARTY_OF)) & (documents["open_cents"] > 0)
    found = documents.assign(overdue=overdue)[is_old & (overdue >= policy.far_past_days)]
    for row in found.sort_values(_KEY).to_dict("records"):
        yield Defect(
            kind=DefectKind.FAR_PAST,
            severity=Severity.NON_BLOCKING,
            object_type=str(row["txn_type"]),
            object_id=str(row["qbo_id"]),
            label=label_of(row),
            what=f"It has been open {int(row['overdue'])} days past its date: more often paid, void or lost than still to come.",
            evidence=(f"open {int(row['open_cents'])} of {int(row['total_cents'])} cents",),
            related_ids=(),
            amount_cents=int(row["open_cents"]),
            age_days=books.age_days(row["txn_date"]),
            is_open=True,
            correction=CloseDocument(txn_type=str(row["txn_type"]), txn_id=str(row["qbo_id"])),
            remedy="Link the payment that settled it, void it, or write it off; or keep it, if it is still expected.",
            effect=NOT_COMPUTED,
        )


def _future_documents(books: KnownBooks, *, policy: HygienePolicy) -> Iterator[Defect]:
    documents = books.documents
    ahead = (documents["txn_date"] - books.at.as_of_day).dt.days
    found = documents.assign(ahead=ahead)[
        documents["txn_type"].isin(tuple(_PARTY_OF)) & (ahead > policy.far_future_days)
    ]
    for row in found.sort_values(_KEY).to_dict("records"):
        yield _dated_ahead(row, ahead=int(row["ahead"]), cents=int(row["total_cents"]), policy=policy)


def _future_entries(books: KnownBooks, *, policy: HygienePolicy) -> Iterator[Defect]:
    postings = books.postings
    ahead = (postings["txn_date"] - books.at.as_of_day).dt.days
    found = postings.assign(ahead=ahead)[ahead > policy.far_future_days]
    for (_, _), rows in found.groupby(["txn_type", "qbo_id"], sort=True):
        row = rows.sort_values("account_id").to_dict("records")[0]
        cents = int(rows["amount_cents"].abs().max())
        yield _dated_ahead(row, ahead=int(row["ahead"]), cents=cents, policy=policy)


def _dated_ahead(row: Row, *, ahead: int, cents: int, policy: HygienePolicy) -> Defect:
    dated = pd.Timestamp(row["txn_date"]).date()
    is_year = ahead >= policy.future_year_days
    earlier = _a_year_earlier(dated)
    return Defect(
        kind=DefectKind.FUTURE_DATED,
        severity=Severity.BLOCKING if is_year else Severity.NON_BLOCKING,
        object_type=str(row["txn_type"]),
        object_id=str(row["qbo_id"]),
        label=label_of(row),
        what=f"It is dated {ahead} days ahead" + (": the year may be mistyped." if is_year else "."),
        evidence=(f"dated {dated}",),
        related_ids=(),
        amount_cents=abs(cents),
        age_days=0,
        is_open=True,
        correction=Redate(txn_type=str(row["txn_type"]), txn_id=str(row["qbo_id"]), on=earlier) if is_year else None,
        remedy=f"Enter the right date; a year earlier would be {earlier}."
        if is_year
        else "Check the date it is meant for.",
        effect=NOT_COMPUTED,
    )


def _a_year_earlier(day: date) -> date:
    return (pd.Timestamp(day) - pd.DateOffset(years=1)).date()


def _unapplied(books: KnownBooks, *, policy: HygienePolicy) -> Iterator[Defect]:
    documents = books.documents
    age = (books.at.as_of_day - documents["txn_date"]).dt.days
    found = documents[
        documents["txn_type"].isin(_CREDITS) & (documents["open_cents"] < 0) & (age >= policy.unapplied_after_days)
    ]
    owed = documents[documents["txn_type"].isin(tuple(_PARTY_OF)) & (documents["open_cents"] > 0)]
    for row in found.sort_values(_KEY).to_dict("records"):
        txn_type, txn_id = str(row["txn_type"]), str(row["qbo_id"])
        targets = applicable(owed, txn_type=txn_type, party_id=str(row["party_id"]))
        yield Defect(
            kind=DefectKind.UNAPPLIED,
            severity=Severity.NON_BLOCKING,
            object_type=txn_type,
            object_id=txn_id,
            label=label_of(row),
            what="Money or credit is applied to nothing, so open items look larger than they are."
            if targets
            else "Money or credit is applied to nothing, and nothing is open that it could settle.",
            evidence=(
                f"unapplied {-int(row['open_cents'])} of {int(row['total_cents'])} cents",
                f"{len(targets)} open documents",
            ),
            related_ids=tuple(one for one, _ in targets[:5]),
            amount_cents=-int(row["open_cents"]),
            age_days=books.age_days(row["txn_date"]),
            is_open=True,
            correction=ApplyCredit(txn_type=txn_type, txn_id=txn_id) if targets else None,
            remedy="Apply it to the documents it is meant for."
            if targets
            else "Find the document it belongs to, refund it, or keep it for the next one.",
            effect=NOT_COMPUTED,
        )


def _parties_below_zero(books: KnownBooks) -> Iterator[Defect]:
    """Vendors that owe us and customers that we owe, over all their open items."""
    sides: Mapping[PartyType, tuple[str, ...]] = {
        "Vendor": ("Bill", "VendorCredit", "BillPayment"),
        "Customer": ("Invoice", "CreditMemo", "Payment"),
    }
    for party_type, kinds in sides.items():
        own = books.documents[books.documents["txn_type"].isin(kinds) & (books.documents["open_cents"] != 0)]
        for party_id, rows in own.groupby("party_id", sort=True):
            balance = int(rows["open_cents"].sum())
            if balance >= 0:
                continue
            newest = rows.sort_values(["txn_date", "qbo_id"]).iloc[-1]
            yield Defect(
                kind=DefectKind.NEGATIVE_BALANCE,
                severity=Severity.NON_BLOCKING,
                object_type=party_type,
                object_id=str(party_id),
                label=str(newest["party_name"]) or f"{party_type.lower()} {party_id}",
                what="More was credited or paid than was billed."
                if party_type == "Vendor"
                else "More was received or credited than was invoiced.",
                evidence=(f"balance {balance} cents over {len(rows)} open items",),
                related_ids=(),
                amount_cents=-balance,
                age_days=books.age_days(rows["txn_date"].min()),
                is_open=True,
                correction=None,
                remedy="Look for a bill that was never entered, a payment entered twice, or a refund that is due."
                if party_type == "Vendor"
                else "Look for an invoice that was never entered, a receipt entered twice, or money to be given back.",
                effect=NOT_COMPUTED,
            )
