"""What people rule about the tray, and the documents of a firm as a whole."""

import sqlalchemy as sa
from alembic import op

from resources.tables import BusinessDate, Instant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_APPEND_ONLY = "what people enter is append-only: a later row withdraws an earlier one"
_TABLE = "tray_ruling"


def upgrade() -> None:
    _tray_rulings()
    _only_added_to()
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


def _only_added_to() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION {_TABLE}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_APPEND_ONLY}'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {_TABLE}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {_TABLE} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {_TABLE}_is_append_only()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {_TABLE}_refuses_{verb.lower()} BEFORE {verb} ON {_TABLE} "
            f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
        )
    # INSERT OR REPLACE deletes without firing the DELETE trigger.
    op.execute(
        f"CREATE TRIGGER {_TABLE}_refuses_replace BEFORE INSERT ON {_TABLE} "  # noqa: S608 - fixed names
        f"WHEN EXISTS (SELECT 1 FROM {_TABLE} WHERE tenant_id = NEW.tenant_id AND number = NEW.number) "
        f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
    )


def _whole_number() -> sa.types.TypeEngine[int]:
    return sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def downgrade() -> None:
    raise RuntimeError("migrations only go forward: restore the backup instead")
