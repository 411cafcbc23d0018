"""What people enter: known items, dates of documents, vendor tiers, customer notes, targets of reserves."""

import sqlalchemy as sa
from alembic import op

from migrations.added_only import drop_added_only, let_only_add
from migrations.going_back import refuse_to_lose
from resources.tables import BusinessDate, Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_KEYS = {
    "known_item": ("item_id",),
    "date_override": ("txn_type", "txn_id"),
    "vendor_tier": ("vendor_id",),
    "customer_note": ("customer_id",),
    "reserve_target": ("reserve_id",),
}
_APPEND_ONLY = "what people enter is append-only: a later row withdraws an earlier one"


def upgrade() -> None:
    _entries(
        "known_item",
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("day", BusinessDate(), nullable=True),
        sa.Column("amount_cents", _whole_number(), nullable=True),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("expires_on", BusinessDate(), nullable=True),
        checks={
            "item_is_whole": "withdrawn = 1 or (day is not null and amount_cents is not null and amount_cents <> 0 "
            "and label is not null)"
        },
    )
    _entries(
        "date_override",
        sa.Column("txn_type", sa.Text(), nullable=False),
        sa.Column("txn_id", sa.Text(), nullable=False),
        sa.Column("expected_on", BusinessDate(), nullable=True),
        sa.Column("expires_on", BusinessDate(), nullable=True),
        checks={
            "known_txn_type": "txn_type in ('Bill', 'Invoice')",
            "override_has_its_day": "withdrawn = 1 or expected_on is not null",
        },
    )
    _entries(
        "vendor_tier",
        sa.Column("vendor_id", sa.Text(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=True),
        checks={"known_tier": "withdrawn = 1 or tier in (0, 1, 2, 3)"},
    )
    _entries(
        "customer_note",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("contacted_on", BusinessDate(), nullable=True),
        checks={
            "known_kind": "kind in ('disputed', 'contacted')",
            "note_is_whole": "(kind = 'disputed' and invoice_id <> '' and contacted_on is null) "
            "or (kind = 'contacted' and invoice_id = '' and (withdrawn = 1 or contacted_on is not null))",
        },
    )
    _entries(
        "reserve_target",
        sa.Column("reserve_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("amount_cents", _whole_number(), nullable=True),
        sa.Column("basis_points", sa.Integer(), nullable=True),
        sa.Column("month_hundredths", sa.Integer(), nullable=True),
        sa.Column("due_on", BusinessDate(), nullable=True),
        checks={
            "known_kind": "kind in ('tax', 'payroll', 'equipment', 'emergency', 'seasonal', 'debt', 'custom')",
            "known_rule": "rule in ('amount', 'share_of_receipts', 'months_of_burn')",
            "target_is_whole": "withdrawn = 1 or (kind is not null and name is not null and rule is not null)",
            "target_fits_its_rule": "withdrawn = 1 "
            "or (rule = 'amount' and amount_cents > 0 and basis_points is null and month_hundredths is null) "
            "or (rule = 'share_of_receipts' and basis_points between 1 and 10000 and amount_cents is null "
            "and month_hundredths is null) "
            "or (rule = 'months_of_burn' and month_hundredths > 0 and amount_cents is null and basis_points is null)",
        },
    )


def _entries(name: str, *columns: sa.Column[object], checks: dict[str, str]) -> None:
    every = {
        "withdrawn_is_boolean": "withdrawn in (0, 1)",
        "somebody_says_why": "author <> '' and reason <> ''",
        **checks,
    }
    op.create_table(
        name,
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("number", _whole_number(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("withdrawn", sa.Integer(), nullable=False),
        *columns,
        *(sa.CheckConstraint(rule, name=op.f(f"ck_{name}_{check}")) for check, rule in every.items()),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f(f"fk_{name}_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "number", name=op.f(f"pk_{name}")),
        sqlite_strict=True,
    )
    key = _KEYS[name]
    op.create_index(f"ix_{name}_tenant_id_{'_'.join(key)}", name, ["tenant_id", *key])
    let_only_add(name, because=_APPEND_ONLY)


def _whole_number() -> sa.types.TypeEngine[int]:
    return sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def downgrade() -> None:
    refuse_to_lose(_KEYS)
    for name in reversed(_KEYS):
        drop_added_only(name)
