"""A defect of the books as a value, and what the finders look at.

Belongs here: kinds, severity, the object, its evidence, its correction, its effect. Does not: finding any.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import pandas as pd

from runway_calcs.books.as_of import DOCUMENT_KEY, LIST_KEY, AsOf, select_known
from runway_calcs.books.corrections import Correction, Ledger
from runway_calcs.books.open_items import known_documents

Row = Mapping[Any, Any]
"""A row of a frame by column, as pandas hands it out."""


class DefectKind(StrEnum):
    """What can be wrong, in the order in which parts of the score are shown."""

    STALE_BOOKS = "stale books"
    MISSING_DUE_DATE = "missing due date"
    MISSING_TERMS = "missing terms"
    MISSING_VENDOR = "missing vendor"
    UNCATEGORIZED = "uncategorized"
    DUPLICATE_BILL = "duplicate bill"
    DUPLICATE_VENDOR = "duplicate vendor"
    UNDEPOSITED = "receipts not deposited"
    UNAPPLIED = "unapplied payment or credit"
    NEGATIVE_BALANCE = "negative balance"
    FAR_PAST = "far past due"
    FUTURE_DATED = "dated far ahead"


class Severity(StrEnum):
    """Whether a figure of the forecast is known to be wrong while the defect stands."""

    BLOCKING = "blocking"
    NON_BLOCKING = "non-blocking"


class EffectState(StrEnum):
    """How the question "what does it change" is answered."""

    VALUE = "value"
    ZERO = "zero"
    """Recomputed, or the correction concerns nothing that is still to come: the forecast stays as it is."""
    NOT_COMPUTED = "not computed"
    """Smaller than those that were put through the forecast, or no forecast was given."""
    NOT_COMPUTABLE = "not computable"
    """Nobody can say from the books alone what the corrected entry would be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What the correction changes in the forecast, by recomputing it: corrected less as it is."""

    state: EffectState
    runway_days: int | None
    """Change of the median runway in days; None unless the state is VALUE or ZERO."""
    is_bound: bool
    """One of the two runways lies beyond the horizon: the change is so many days or more to the same side."""
    low_water_cents: int | None
    """Change of the low-water mark; None unless the state is VALUE or ZERO."""
    reason: str


NOT_COMPUTED = Effect(
    state=EffectState.NOT_COMPUTED, runway_days=None, is_bound=False, low_water_cents=None, reason="not put through"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """One thing that is wrong in the books."""

    kind: DefectKind
    severity: Severity
    object_type: str
    """QuickBooks' entity name, for a link: Bill, Vendor, Purchase, Account ...; CompanyInfo for the books as a whole."""
    object_id: str
    label: str
    """What a reader calls the object: number, vendor, account."""
    what: str
    """What is wrong, in a sentence."""
    evidence: tuple[str, ...]
    related_ids: tuple[str, ...]
    """Other objects of the same type that it concerns: of a duplicate, the original."""
    amount_cents: int
    """The money it concerns, positive; 0 where there is none."""
    age_days: int | None
    """Days from the entry's date to the as-of day, not below 0; None where there is no date."""
    is_open: bool
    """Whether money is still to move: only these lower the score."""
    correction: Correction | None
    """None: only a person can say what is right; see `remedy`."""
    remedy: str
    """What mending it takes, described."""
    effect: Effect

    @property
    def key(self) -> tuple[str, str, str]:
        """Kind, object type and id: two defects of the same books never share it."""
        return (self.kind.value, self.object_type, self.object_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBooks:
    """The ledger cut to what was known at a point of view, once for all finders: a row an object, no deleted ones."""

    at: AsOf
    documents: pd.DataFrame
    """With `open_cents` as of then."""
    postings: pd.DataFrame
    """A row an object and account."""
    accounts: pd.DataFrame
    parties: pd.DataFrame
    terms: pd.DataFrame
    due_days: dict[str, int]
    """Days until due by id of the terms; only terms that count in days."""
    terms_of: dict[tuple[str, str], str]
    """Id of the usual terms of each vendor and customer that has some, by kind and id."""

    @property
    def as_of(self) -> date:
        """The business day."""
        return self.at.as_of

    def vendors(self) -> pd.DataFrame:
        """The vendors in use, by id."""
        return self._parties("Vendor")

    def customers(self) -> pd.DataFrame:
        """The customers in use, by id."""
        return self._parties("Customer")

    def _parties(self, party_type: str) -> pd.DataFrame:
        found = self.parties[(self.parties["party_type"] == party_type) & self.parties["is_active"]]
        return found.sort_values("qbo_id").reset_index(drop=True)

    def age_days(self, day: pd.Timestamp) -> int:
        """Days from a date to the as-of day, not below 0."""
        return max(0, (self.at.as_of_day - day).days)


def known_books(ledger: Ledger, *, at: AsOf) -> KnownBooks:
    """The ledger as it was known at a point of view."""
    cut = {"known_until": at.known_until, "first_known_at": at.first_known_at}
    terms = select_known(ledger.terms, key=LIST_KEY, **cut)
    # Vendors and customers share one frame and may share an id.
    parties = select_known(ledger.parties, key=("party_type", "qbo_id"), **cut).reset_index(drop=True)
    return KnownBooks(
        at=at,
        documents=known_documents(ledger.documents, ledger.applications, at=at),
        postings=select_known(ledger.postings, key=DOCUMENT_KEY, **cut).reset_index(drop=True),
        accounts=select_known(ledger.accounts, key=LIST_KEY, **cut).reset_index(drop=True),
        parties=parties,
        terms=terms.reset_index(drop=True),
        due_days={
            str(one): int(days) for one, days in zip(terms["qbo_id"], terms["due_days"], strict=True) if days >= 0
        },
        terms_of={
            (str(kind), str(one)): str(term)
            for kind, one, term in parties[["party_type", "qbo_id", "term_id"]].itertuples(index=False, name=None)
            if term
        },
    )
