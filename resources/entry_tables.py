"""The tables of what people enter: known items, dates, tiers, notes, targets of reserves, rulings about the tray.

Belongs here: columns and keys. Does not: statements (`resources/entries.py`), tables of the machine (`resources/tables.py`).

Each row is one statement of one person at one instant and is never changed: the newest row of a key says what holds, a row that
is `withdrawn` that nothing does. So a past week finds what was entered by then, and nothing of what came later.
"""

from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text

from resources.tables import BusinessDate, Instant, WholeNumber, one_of, strict_table, tenant_key

NOTE_KINDS = ("disputed", "contacted")
RESERVE_KINDS = ("tax", "payroll", "equipment", "emergency", "seasonal", "debt", "custom")
TARGET_RULES = ("amount", "share_of_receipts", "months_of_burn")
DATED_TYPES = ("Bill", "Invoice")
RULINGS = ("snoozed", "dismissed")


def _entries(name: str, *parts: Any, key: tuple[str, ...]) -> Table:
    """A table of statements: who said what about a key, and when."""
    return strict_table(
        name,
        Column("tenant_id", Text, primary_key=True),
        Column("number", WholeNumber, primary_key=True),
        Column("author", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("recorded_at", Instant, nullable=False),
        Column("withdrawn", Integer, nullable=False),
        *parts,
        tenant_key(),
        CheckConstraint("withdrawn in (0, 1)", name="withdrawn_is_boolean"),
        CheckConstraint("author <> '' and reason <> ''", name="somebody_says_why"),
        Index(f"ix_{name}_tenant_id_{'_'.join(key)}", "tenant_id", *key),
    )


KNOWN_ITEM = _entries(
    "known_item",
    Column("item_id", Text, nullable=False),
    Column("day", BusinessDate),
    Column("amount_cents", WholeNumber),
    Column("label", Text),
    Column("expires_on", BusinessDate),
    CheckConstraint(
        "withdrawn = 1 or (day is not null and amount_cents is not null and amount_cents <> 0 and label is not null)",
        name="item_is_whole",
    ),
    key=("item_id",),
)

DATE_OVERRIDE = _entries(
    "date_override",
    Column("txn_type", Text, nullable=False),
    Column("txn_id", Text, nullable=False),
    Column("expected_on", BusinessDate),
    Column("expires_on", BusinessDate),
    one_of("txn_type", DATED_TYPES),
    CheckConstraint("withdrawn = 1 or expected_on is not null", name="override_has_its_day"),
    key=("txn_type", "txn_id"),
)

VENDOR_TIER = _entries(
    "vendor_tier",
    Column("vendor_id", Text, nullable=False),
    Column("tier", Integer),
    CheckConstraint("withdrawn = 1 or tier in (0, 1, 2, 3)", name="known_tier"),
    key=("vendor_id",),
)

CUSTOMER_NOTE = _entries(
    "customer_note",
    Column("customer_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    # Empty for a contact: one contact covers all open invoices of a customer.
    Column("invoice_id", Text, nullable=False),
    Column("contacted_on", BusinessDate),
    one_of("kind", NOTE_KINDS),
    CheckConstraint(
        "(kind = 'disputed' and invoice_id <> '' and contacted_on is null) "
        "or (kind = 'contacted' and invoice_id = '' and (withdrawn = 1 or contacted_on is not null))",
        name="note_is_whole",
    ),
    key=("customer_id",),
)

RESERVE_TARGET = _entries(
    "reserve_target",
    Column("reserve_id", Text, nullable=False),
    Column("kind", Text),
    Column("name", Text),
    Column("rule", Text),
    # Whichever the rule takes: cents; hundredths of a percent; hundredths of a month.
    Column("amount_cents", WholeNumber),
    Column("basis_points", Integer),
    Column("month_hundredths", Integer),
    Column("due_on", BusinessDate),
    one_of("kind", RESERVE_KINDS),
    one_of("rule", TARGET_RULES),
    CheckConstraint(
        "withdrawn = 1 or (kind is not null and name is not null and rule is not null)", name="target_is_whole"
    ),
    CheckConstraint(
        "withdrawn = 1 or (rule = 'amount' and amount_cents > 0 and basis_points is null and month_hundredths is null) "
        "or (rule = 'share_of_receipts' and basis_points between 1 and 10000 and amount_cents is null "
        "and month_hundredths is null) "
        "or (rule = 'months_of_burn' and month_hundredths > 0 and amount_cents is null and basis_points is null)",
        name="target_fits_its_rule",
    ),
    key=("reserve_id",),
)

TRAY_RULING = _entries(
    "tray_ruling",
    Column("defect_kind", Text, nullable=False),
    Column("object_type", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("ruling", Text),
    # The day on which a snoozed entry is back.
    Column("until", BusinessDate),
    one_of("ruling", RULINGS),
    CheckConstraint(
        "withdrawn = 1 or (ruling = 'dismissed' and until is null) or (ruling = 'snoozed' and until is not null)",
        name="ruling_is_whole",
    ),
    key=("defect_kind", "object_type", "object_id"),
)

ENTRY_TABLES = (KNOWN_ITEM, DATE_OVERRIDE, VENDOR_TIER, CUSTOMER_NOTE, RESERVE_TARGET, TRAY_RULING)
