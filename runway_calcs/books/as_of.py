"""The as-of rule: which versions of the books count for a given day and instant.

Belongs here: the rule, and the one function that cuts a frame of versions down to what was known.
Does not: what a calculator does with the rows (balances, open items, movements).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, Self

import pandas as pd

Basis = Literal["current", "historical", "reconstructed"]
"""`current`: the newest books. `historical`: a past week, from the versions kept since. `reconstructed`: a week before
the connection, rebuilt from entry times; edits and deletions made before the connection cannot be known."""

DOCUMENT_KEY = ("txn_type", "qbo_id")
"""Key of a transaction: QBO ids are unique within a kind only."""
LIST_KEY = ("qbo_id",)
"""Key of an account, party or term within its own frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """The point of view of a calculation: a business day, and the instant up to which things were known."""

    as_of: date
    known_until: datetime
    """Aware UTC; entries later than this do not exist for the calculation."""
    first_known_at: datetime
    """Aware UTC instant of the tenant's first complete sync: from then on versions are kept."""
    basis: Basis

    def __post_init__(self) -> None:
        for name in ("known_until", "first_known_at"):
            if getattr(self, name).utcoffset() != timedelta(0):
                raise ValueError(f"AsOf.{name} must be an aware UTC instant")
        if (self.basis == "reconstructed") != (self.known_until < self.first_known_at):
            raise ValueError(
                f"basis {self.basis!r} contradicts known_until {self.known_until} and first sync {self.first_known_at}"
            )

    @classmethod
    def at(cls, *, as_of: date, known_until: datetime, first_known_at: datetime, newest_known_at: datetime) -> Self:
        """The point of view with its basis derived: `newest_known_at` is the instant of the newest complete sync."""
        if known_until < first_known_at:
            basis: Basis = "reconstructed"
        elif known_until < newest_known_at:
            basis = "historical"
        else:
            basis = "current"
        return cls(
            as_of=as_of,
            known_until=known_until.astimezone(UTC),
            first_known_at=first_known_at.astimezone(UTC),
            basis=basis,
        )

    @property
    def is_reconstructed(self) -> bool:
        """Whether entry times stand in for versions, because the day lies before the connection."""
        return self.basis == "reconstructed"

    @property
    def as_of_day(self) -> pd.Timestamp:
        """The business day as the naive midnight that frames hold."""
        return pd.Timestamp(self.as_of)


def versions_at(frame: pd.DataFrame, *, instant: datetime, key: Sequence[str]) -> pd.DataFrame:
    """All rows of the newest version of each object that was known at `instant`, deleted objects left out.

    A version may have several rows (postings, applications): they share its `known_at` and stay together.
    """
    known = frame[frame["known_at"] <= pd.Timestamp(instant)]
    newest = known.groupby(list(key), sort=False)["known_at"].transform("max")
    return known[(known["known_at"] == newest) & ~known["is_deleted"]]


def select_known(
    frame: pd.DataFrame, *, known_until: datetime, first_known_at: datetime, key: Sequence[str]
) -> pd.DataFrame:
    """The rows of `frame` that count at `known_until`: one version for each object, deleted objects left out.

    From the first sync on, that is the newest version we had learned of. Before it, the first version we ever kept of
    each object that QBO says had been entered by then: the closest witness there is.
    """
    if known_until >= first_known_at:
        return versions_at(frame, instant=known_until, key=key)
    entered = frame[frame["created_at"] <= pd.Timestamp(known_until)]
    first = entered.groupby(list(key), sort=False)["known_at"].transform("min")
    return entered[(entered["known_at"] == first) & ~entered["is_deleted"]]
