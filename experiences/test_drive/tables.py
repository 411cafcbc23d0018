"""The tables of one week of a test drive.

Belongs here: what each row says of a balance, a document, an entry. Does not: the page around them (``render.py``).
"""

from datetime import date

from experiences.digest.attention import effect_words
from experiences.digest.sentences import entry_label, name, sentence
from experiences.digest.wording import counted, doc_number, money_exact, money_short, short_date, shortened
from experiences.pages.page import Cell, PageTable
from experiences.test_drive.document import (
    Closing,
    DriveDocument,
    DrivenWeek,
    FlaggedDocument,
    FlaggedDocuments,
    FlaggedEntries,
    FlaggedEntry,
)
from runway_calcs.books.document_fates import FateState

_CLOSINGS_SHOWN = 4
_DETAIL_LIMIT = 80
"""A page has up to 144 rows: each keeps what it says below its name short."""


def closings_table(week: DrivenWeek, *, document: DriveDocument) -> PageTable | None:
    """The balances of the first weeks after a digest beside their bands."""
    if not week.closings:
        return None
    judged = week.judged_count
    held = (
        f"Of the {counted(judged, 'week')} with a figure so far the balance lay inside the band in {week.inside_count}."
    )
    return PageTable(
        caption="Balance at the end of each week",
        columns=("Friday", "8 of 10 courses", "Balance", "Band"),
        figures=(False, True, True, False),
        rows=tuple(_closing_row(one, document=document) for one in week.closings[:_CLOSINGS_SHOWN]),
        more=held if judged else "",
    )


def band(closing: Closing, *, currency: str) -> str:
    """The band of a closing balance: "$20.1k to $30.4k"."""
    low, high = (money_short(cents, currency=currency) for cents in (closing.p10_cents, closing.p90_cents))
    return f"{low} to {high}"


def _closing_row(closing: Closing, *, document: DriveDocument) -> tuple[Cell, ...]:
    currency = document.currency
    friday = Cell(text=short_date(closing.last_day, near=document.as_of))
    courses = Cell(text=band(closing, currency=currency))
    if closing.actual_cents is None:
        return (friday, courses, Cell(text=""), Cell(text="no figure" if closing.has_come else "not known yet"))
    where = "inside" if closing.is_inside else "outside"
    actual = Cell(text=money_exact(closing.actual_cents, currency=currency))
    return (friday, courses, actual, Cell(text=where, is_alert=not closing.is_inside))


def late_table(found: FlaggedDocuments, *, document: DriveDocument) -> PageTable | None:
    """Invoices that were late against their customers' own habit, and what became of them."""
    return _documents_table(
        found,
        document=document,
        caption="Late against the customer's own habit",
        noun="invoice",
        columns=("Customer", "Open then", "What happened", "Open now"),
    )


def bills_table(found: FlaggedDocuments, *, document: DriveDocument) -> PageTable | None:
    """Bills that were past due or fell due within the week."""
    return _documents_table(
        found,
        document=document,
        caption="Bills past due or due within the week",
        noun="bill",
        columns=("Vendor", "Open then", "What happened", "Open now"),
    )


def _documents_table(
    found: FlaggedDocuments, *, document: DriveDocument, caption: str, noun: str, columns: tuple[str, ...]
) -> PageTable | None:
    if not found.count:
        return None
    hidden = found.count - len(found.rows)
    amount = money_exact(found.amount_cents, currency=document.currency)
    return PageTable(
        caption=f"{caption}: {counted(found.count, noun)}, {amount}",
        columns=columns,
        figures=(False, True, False, True),
        rows=tuple(_document_row(one, document=document) for one in found.rows),
        more=" ".join(part for part in (f"And {hidden:,} more." if hidden else "", _states(found, document)) if part),
    )


def _states(found: FlaggedDocuments, document: DriveDocument) -> str:
    """What became of all of them, in counts that sum."""
    counts = (
        (found.settled_count, "settled"),
        (found.part_count, "settled in part"),
        (found.open_count, "not settled yet"),
        (found.gone_count, "deleted or voided"),
    )
    told = ", ".join(f"{count:,} {words}" for count, words in counts if count)
    still = f"; {money_exact(found.open_cents, currency=document.currency)} still open" if found.open_cents else ""
    return f"Of {found.count:,}: {told}{still}."


def _document_row(one: FlaggedDocument, *, document: DriveDocument) -> tuple[Cell, ...]:
    near, currency = document.as_of, document.currency
    due = "no due date" if one.due_on is None else f"due {short_date(one.due_on, near=near)}"
    details = (", ".join(text for text in (doc_number(one.doc_number), due) if text), _in_short(one.reason, near=near))
    is_open = one.fate.state is FateState.OPEN
    return (
        Cell(text=name(one.party), detail=tuple(text for text in details if text)),
        Cell(text=money_exact(one.amount_cents, currency=currency)),
        Cell(text=_fate(one, near=near), is_alert=is_open and not one.is_part),
        Cell(text=money_exact(one.fate.open_cents, currency=currency) if is_open else ""),
    )


def _in_short(text: str, *, near: date) -> str:
    return shortened(sentence(text, near=near), limit=_DETAIL_LIMIT)


def _fate(one: FlaggedDocument, *, near: date) -> str:
    fate = one.fate
    if fate.state is FateState.GONE:
        return "deleted or voided"
    if fate.state is FateState.OPEN:
        return "settled in part" if one.is_part else "not settled yet"
    if fate.settled_on is None:
        return "settled, on a day the books do not say"
    return f"settled on {short_date(fate.settled_on, near=near)}"


def to_fix_table(found: FlaggedEntries, *, document: DriveDocument) -> PageTable | None:
    """Entries that were listed as data to fix, and whether they are still found."""
    if not found.count:
        return None
    hidden = found.count - len(found.rows)
    among = f"the first {found.kept_count:,}" if found.kept_count < found.count else f"{found.count:,}"
    gone = f"{found.gone_count:,} of {among} are not found any more."
    return PageTable(
        caption=f"Data to fix: {counted(found.count, 'entry', 'entries')}",
        columns=("Entry", "Runway", "Low point", "Since"),
        figures=(False, True, True, False),
        rows=tuple(_entry_row(one, document=document) for one in found.rows),
        more=" ".join(part for part in (f"And {hidden:,} more." if hidden else "", gone) if part),
    )


def _entry_row(one: FlaggedEntry, *, document: DriveDocument) -> tuple[Cell, ...]:
    near = document.as_of
    runway, low = effect_words(
        one.effect,
        runway_days=one.runway_days,
        is_bound=one.is_bound,
        low_cents=one.low_cents,
        currency=document.currency,
    )
    since = "still found" if one.gone_on is None else f"not found any more on {short_date(one.gone_on, near=near)}"
    return (
        Cell(text=entry_label(one.label, near=near), detail=(_in_short(one.what, near=near),)),
        Cell(text=runway, is_alert=one.is_blocking),
        Cell(text=low),
        Cell(text=since),
    )
