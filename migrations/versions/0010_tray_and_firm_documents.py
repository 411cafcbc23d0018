"""What people rule about the tray, and the documents of a firm as a whole."""

import sqlalchemy as sa
from alembic import op

from migrations.added_only import drop_added_only, let_only_add
from migrations.going_back import refuse_to_lose
from resources.tables import BusinessDate, Instant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_APPEND_ONLY = "what people enter is append-only: a later row withdraws an earlier one"
_TABLE = "tray_ruling"


def upgrade() -> None:
    _tray_rulings()
    let_only_add(_TABLE, because=_APPEND_ONLY)
    op.create_table(
        "firm_document",
        *(sa.Column(name, sa.Text(), nullable=False) for name in _FIRM_DOCUMENT),
        sa.Column("published_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firm.firm_id"], name=op.f("fk_firm_document_firm_id")),
        sa.PrimaryKeyConstraint("firm_id", "kind", "key", name=op.f("pk_firm_document")),
        sqlite_strict=True,
    )


_FIRM_DOCUMENT = ("firm_id", "kind", "key", "title", "body", "html", "text")


def _tray_rulings() -> None:
    op.create_table(
        _TABLE,
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("number", _whole_number(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("withdrawn", sa.Integer(), nullable=False),
        sa.Column("defect_kind", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("ruling", sa.Text(), nullable=True),
        sa.Column("until", BusinessDate(), nullable=True),
        sa.CheckConstraint("withdrawn in (0, 1)", name=op.f(f"ck_{_TABLE}_withdrawn_is_boolean")),
        sa.CheckConstraint("author <> '' and reason <> ''", name=op.f(f"ck_{_TABLE}_somebody_says_why")),
        sa.CheckConstraint("ruling in ('snoozed', 'dismissed')", name=op.f(f"ck_{_TABLE}_known_ruling")),
        sa.CheckConstraint(
            "withdrawn = 1 or (ruling = 'dismissed' and until is null) or (ruling = 'snoozed' and until is not null)",
            name=op.f(f"ck_{_TABLE}_ruling_is_whole"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f(f"fk_{_TABLE}_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "number", name=op.f(f"pk_{_TABLE}")),
        sqlite_strict=True,
    )
    key = ("defect_kind", "object_type", "object_id")
    op.create_index(f"ix_{_TABLE}_tenant_id_{'_'.join(key)}", _TABLE, ["tenant_id", *key])


def _whole_number() -> sa.types.TypeEngine[int]:
    return sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def downgrade() -> None:
    refuse_to_lose([_TABLE, "firm_document"])
    op.drop_table("firm_document")
    drop_added_only(_TABLE)
