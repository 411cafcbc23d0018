"""What exactly was approved: the fingerprint of a bill's content.

Belongs here: the content and its hash. Does not: reading it (published bills, a bill just read), comparing.

QuickBooks' own version number is not part of it: it also counts changes that nobody approves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from payments.store.canonical import plain, sha256_of


@dataclass(frozen=True, slots=True, kw_only=True)
class BillContent:
    """The fields whose change voids an approval; amounts in home cents."""

    vendor_id: str
    total_cents: int
    open_cents: int
    due_date: date | None
    currency: str
    ap_account_id: str
    lines_sha256: str


def content_of(row: Mapping[str, Any]) -> BillContent:
    """The content of a row that has these columns: a published bill or a bill in the workflow."""
    return BillContent(**{field.name: row[field.name] for field in fields(BillContent)})


def fingerprint(content: BillContent) -> str:
    """SHA-256 over the content in a fixed order."""
    return sha256_of([plain(getattr(content, field.name)) for field in fields(BillContent)])
