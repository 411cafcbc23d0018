"""The payment ledger in full: people, policies, bills, approvals, cash, reserves, decisions and holds.

The tables of the first revision held no rows yet; what a downgrade kept aside comes back.
"""

import sqlalchemy as sa
from alembic import op

from migrations.first_ledger import create_first_ledger, drop_first_ledger
from migrations.kept_rows import keep, put_back
from resources.tables import BusinessDate, Instant, Json, WholeNumber

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLES = (
    "person",
    "role_grant",
    "payment_policy",
    "vendor_watch",
    "payee",
    "bill_workflow",
    "approval",
    "cash_account",
    "reserve",
    "break_glass",
    "decision",
    "hold",
    "reserve_movement",
    "shortfall",
)
_OPEN_BILL = ("home_currency", "sync_token", "ap_account_id", "lines_sha256")


def upgrade() -> None:
    drop_first_ledger()
    for name in _OPEN_BILL:
        op.add_column("open_bill", sa.Column(name, sa.Text(), server_default="", nullable=False))
    _person()
    _role_grant()
    _payment_policy()
    _vendor_watch()
    _payee()
    _bill_workflow()
    _approval()
    _cash_account()
    _reserve()
    _break_glass()
    _decision()
    _hold()
    _reserve_movement()
    _shortfall()
    put_back(_TABLES)


def downgrade() -> None:
    keep(_TABLES)
    for name in reversed(_TABLES):
        op.drop_table(name)
    for name in _OPEN_BILL:
        op.drop_column("open_bill", name)
    create_first_ledger()


def _person() -> None:
    op.create_table(
        "person",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint("active in (0, 1)", name=op.f("ck_person_active_is_boolean")),
        sa.ForeignKeyConstraint(["firm_id"], ["firm.firm_id"], name=op.f("fk_person_firm_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person")),
        sqlite_strict=True,
    )


def _role_grant() -> None:
    op.create_table(
        "role_grant",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("granted_at", Instant(), nullable=False),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "role in ('viewer', 'preparer', 'approver', 'adviser', 'finalizer', 'owner', 'administrator', 'emergency')",
            name=op.f("ck_role_grant_known_role"),
        ),
        sa.CheckConstraint(
            "(revoked_by is null) = (revoked_at is null)", name=op.f("ck_role_grant_revoked_by_somebody")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.person_id"], name=op.f("fk_role_grant_person_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_role_grant_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "grant_id", name=op.f("pk_role_grant")),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_role_grant_live",
        "role_grant",
        ["tenant_id", "person_id", "role"],
        unique=True,
        sqlite_where=sa.text("revoked_at is null"),
        postgresql_where=sa.text("revoked_at is null"),
    )


def _payment_policy() -> None:
    op.create_table(
        "payment_policy",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("version", WholeNumber, nullable=False),
        sa.Column("separation_above_cents", WholeNumber, nullable=False),
        sa.Column("per_payment_cents", WholeNumber, nullable=True),
        sa.Column("per_batch_cents", WholeNumber, nullable=True),
        sa.Column("per_vendor_day_cents", WholeNumber, nullable=True),
        sa.Column("per_tenant_day_cents", WholeNumber, nullable=True),
        sa.Column("rules", Json(), nullable=False),
        sa.Column("snapshot_max_age_seconds", WholeNumber, nullable=False),
        sa.Column("due_snapshot_max_age_seconds", WholeNumber, nullable=False),
        sa.Column("soft_hold_seconds", WholeNumber, nullable=False),
        sa.Column("payee_watch_days", WholeNumber, nullable=False),
        sa.Column("schedule_holds", sa.Text(), nullable=False),
        sa.Column("promote_days_before", WholeNumber, nullable=False),
        sa.Column("rail", sa.Text(), nullable=False),
        sa.Column("group_by_vendor", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "rail in ('record_only', 'nacha_file', 'simulated_bank')", name=op.f("ck_payment_policy_known_rail")
        ),
        sa.CheckConstraint("schedule_holds in ('now', 'at_due')", name=op.f("ck_payment_policy_known_schedule_holds")),
        sa.CheckConstraint("group_by_vendor in (0, 1)", name=op.f("ck_payment_policy_group_by_vendor_is_boolean")),
        sa.CheckConstraint("separation_above_cents >= 0", name=op.f("ck_payment_policy_separation_is_an_amount")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_payment_policy_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "version", name=op.f("pk_payment_policy")),
        sqlite_strict=True,
    )


def _vendor_watch() -> None:
    op.create_table(
        "vendor_watch",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("new_since", Instant(), nullable=True),
        sa.Column("changed_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_vendor_watch_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "vendor_id", name=op.f("pk_vendor_watch")),
        sqlite_strict=True,
    )


def _payee() -> None:
    op.create_table(
        "payee",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.Text(), nullable=False),
        sa.Column("version", WholeNumber, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("account_ending", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", Instant(), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "state <> 'confirmed' or confirmed_by is not null", name=op.f("ck_payee_confirmed_by_somebody")
        ),
        sa.CheckConstraint(
            "state in ('proposed', 'confirmed', 'rejected', 'replaced')", name=op.f("ck_payee_known_state")
        ),
        sa.CheckConstraint("confirmed_by is null or confirmed_by <> set_by", name=op.f("ck_payee_two_people")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_payee_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "vendor_id", "version", name=op.f("pk_payee")),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_payee_confirmed",
        "payee",
        ["tenant_id", "vendor_id"],
        unique=True,
        sqlite_where=sa.text("state = 'confirmed'"),
        postgresql_where=sa.text("state = 'confirmed'"),
    )
    op.create_index(
        "uq_payee_proposed",
        "payee",
        ["tenant_id", "vendor_id"],
        unique=True,
        sqlite_where=sa.text("state = 'proposed'"),
        postgresql_where=sa.text("state = 'proposed'"),
    )


def _bill_workflow() -> None:
    op.create_table(
        "bill_workflow",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("bill_id", sa.Text(), nullable=False),
        sa.Column("cycle", WholeNumber, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.Text(), nullable=False),
        sa.Column("vendor_name", sa.Text(), nullable=False),
        sa.Column("doc_number", sa.Text(), nullable=False),
        sa.Column("txn_date", BusinessDate(), nullable=False),
        sa.Column("due_date", BusinessDate(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total_cents", WholeNumber, nullable=False),
        sa.Column("open_cents", WholeNumber, nullable=False),
        sa.Column("ap_account_id", sa.Text(), nullable=False),
        sa.Column("lines_sha256", sa.Text(), nullable=False),
        sa.Column("sync_token", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("read_started_at", Instant(), nullable=False),
        sa.Column("discovered_at", Instant(), nullable=False),
        sa.Column("wake_on", BusinessDate(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'delayed') = (wake_on is not null)", name=op.f("ck_bill_workflow_only_delayed_wakes")
        ),
        sa.CheckConstraint(
            "(state in ('failed', 'paid', 'superseded', 'withdrawn', 'written_off')) = (ended_at is not null)",
            name=op.f("ck_bill_workflow_ended_has_its_time"),
        ),
        sa.CheckConstraint(
            "state in ('discovered', 'awaiting_approval', 'approved', 'staged', 'decided', 'scheduled', "
            "'delayed', 'batched', 'executing', 'unknown', 'needs_review', 'paid', 'failed', 'withdrawn', "
            "'superseded', 'written_off')",
            name=op.f("ck_bill_workflow_known_state"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_bill_workflow_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "bill_id", "cycle", name=op.f("pk_bill_workflow")),
        sqlite_strict=True,
    )
    op.create_index("ix_bill_workflow_tenant_id_state", "bill_workflow", ["tenant_id", "state"], unique=False)
    op.create_index(
        "uq_bill_workflow_live",
        "bill_workflow",
        ["tenant_id", "bill_id"],
        unique=True,
        sqlite_where=sa.text("ended_at is null"),
        postgresql_where=sa.text("ended_at is null"),
    )


def _approval() -> None:
    op.create_table(
        "approval",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("approval_id", sa.Text(), nullable=False),
        sa.Column("bill_id", sa.Text(), nullable=False),
        sa.Column("cycle", WholeNumber, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("amount_cents", WholeNumber, nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("roles", Json(), nullable=False),
        sa.Column("approved_at", Instant(), nullable=False),
        sa.Column("voided_at", Instant(), nullable=True),
        sa.Column("void_because", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(voided_at is null) = (void_because is null)", name=op.f("ck_approval_voided_for_a_reason")
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_approval_positive_amount")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "bill_id", "cycle"],
            ["bill_workflow.tenant_id", "bill_workflow.bill_id", "bill_workflow.cycle"],
            name=op.f("fk_approval_tenant_id_bill_id_cycle"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "approval_id", name=op.f("pk_approval")),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_approval_live",
        "approval",
        ["tenant_id", "bill_id", "cycle", "approved_by"],
        unique=True,
        sqlite_where=sa.text("voided_at is null"),
        postgresql_where=sa.text("voided_at is null"),
    )


def _cash_account() -> None:
    op.create_table(
        "cash_account",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("book_cents", WholeNumber, nullable=False),
        sa.Column("dated_later_cents", WholeNumber, nullable=False),
        sa.Column("bank_cents", WholeNumber, nullable=True),
        sa.Column("bank_as_of", Instant(), nullable=True),
        sa.Column("basis_cents", WholeNumber, nullable=False),
        sa.Column("floor_cents", WholeNumber, nullable=False),
        sa.Column("floor_kind", sa.Text(), nullable=False),
        sa.Column("sync_id", sa.Text(), nullable=False),
        sa.Column("read_started_at", Instant(), nullable=False),
        sa.Column("is_cash", sa.Integer(), nullable=False),
        sa.CheckConstraint("floor_kind in ('amount', 'next_payroll')", name=op.f("ck_cash_account_known_floor_kind")),
        sa.CheckConstraint(
            "(bank_cents is null) = (bank_as_of is null)", name=op.f("ck_cash_account_bank_balance_has_its_time")
        ),
        sa.CheckConstraint("floor_cents >= 0", name=op.f("ck_cash_account_floor_is_an_amount")),
        sa.CheckConstraint("is_cash in (0, 1)", name=op.f("ck_cash_account_is_cash_is_boolean")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_cash_account_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "account_id", name=op.f("pk_cash_account")),
        sqlite_strict=True,
    )


def _reserve() -> None:
    op.create_table(
        "reserve",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("reserve_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("target_cents", WholeNumber, nullable=True),
        sa.Column("target_on", BusinessDate(), nullable=True),
        sa.Column("vendor_ids", Json(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "kind in ('tax', 'payroll', 'equipment', 'emergency', 'seasonal', 'debt', 'custom')",
            name=op.f("ck_reserve_known_kind"),
        ),
        sa.CheckConstraint("target_cents is null or target_cents > 0", name=op.f("ck_reserve_target_is_an_amount")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["cash_account.tenant_id", "cash_account.account_id"],
            name=op.f("fk_reserve_tenant_id_account_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "reserve_id", name=op.f("pk_reserve")),
        sqlite_strict=True,
    )
    op.create_index("ix_reserve_tenant_id_account_id", "reserve", ["tenant_id", "account_id"], unique=False)


def _break_glass() -> None:
    op.create_table(
        "break_glass",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("break_glass_id", sa.Text(), nullable=False),
        sa.Column("bill_id", sa.Text(), nullable=False),
        sa.Column("cycle", WholeNumber, nullable=False),
        sa.Column("missing_cents", WholeNumber, nullable=False),
        sa.Column("overrides", Json(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("declared_by", sa.Text(), nullable=False),
        sa.Column("declared_at", Instant(), nullable=False),
        sa.Column("confirm_until", Instant(), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "(confirmed_by is null) = (confirmed_at is null)", name=op.f("ck_break_glass_confirmed_by_somebody")
        ),
        sa.CheckConstraint(
            "confirmed_by is null or confirmed_by <> declared_by", name=op.f("ck_break_glass_two_people")
        ),
        sa.CheckConstraint("length(reason) >= 10", name=op.f("ck_break_glass_reason_is_given")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "bill_id", "cycle"],
            ["bill_workflow.tenant_id", "bill_workflow.bill_id", "bill_workflow.cycle"],
            name=op.f("fk_break_glass_tenant_id_bill_id_cycle"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "break_glass_id", name=op.f("pk_break_glass")),
        sqlite_strict=True,
    )


def _decision() -> None:
    op.create_table(
        "decision",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("bill_id", sa.Text(), nullable=False),
        sa.Column("cycle", WholeNumber, nullable=False),
        sa.Column("number", WholeNumber, nullable=False),
        sa.Column("ruling", sa.Text(), nullable=False),
        sa.Column("amount_cents", WholeNumber, nullable=False),
        sa.Column("credits", Json(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("pay_on", BusinessDate(), nullable=True),
        sa.Column("wake_on", BusinessDate(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("policy_version", WholeNumber, nullable=False),
        sa.Column("approvals", Json(), nullable=False),
        sa.Column("separation", sa.Text(), nullable=False),
        sa.Column("reserve_id", sa.Text(), nullable=True),
        sa.Column("drawn_cents", WholeNumber, nullable=False),
        sa.Column("break_glass_id", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", Instant(), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(ruling = 'delay') = (account_id is null)", name=op.f("ck_decision_payments_name_their_account")
        ),
        sa.CheckConstraint("(ruling = 'delay') = (pay_on is null)", name=op.f("ck_decision_payments_name_their_day")),
        sa.CheckConstraint(
            "(ruling = 'delay') = (wake_on is not null)", name=op.f("ck_decision_delays_name_their_day")
        ),
        sa.CheckConstraint("ruling in ('pay_now', 'schedule', 'delay')", name=op.f("ck_decision_known_ruling")),
        sa.CheckConstraint("separation in ('apart', 'delegated')", name=op.f("ck_decision_known_separation")),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_decision_positive_amount")),
        sa.CheckConstraint("drawn_cents = 0 or reserve_id is not null", name=op.f("ck_decision_draws_on_a_reserve")),
        sa.CheckConstraint("drawn_cents between 0 and amount_cents", name=op.f("ck_decision_draws_at_most_its_amount")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["cash_account.tenant_id", "cash_account.account_id"],
            name=op.f("fk_decision_tenant_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "bill_id", "cycle"],
            ["bill_workflow.tenant_id", "bill_workflow.bill_id", "bill_workflow.cycle"],
            name=op.f("fk_decision_tenant_id_bill_id_cycle"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "break_glass_id"],
            ["break_glass.tenant_id", "break_glass.break_glass_id"],
            name=op.f("fk_decision_tenant_id_break_glass_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "reserve_id"],
            ["reserve.tenant_id", "reserve.reserve_id"],
            name=op.f("fk_decision_tenant_id_reserve_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "decision_id", name=op.f("pk_decision")),
        sqlite_strict=True,
    )
    op.create_index("uq_decision_tenant_id_bill_id_number", "decision", ["tenant_id", "bill_id", "number"], unique=True)
    op.create_index("ix_decision_tenant_id_pay_on", "decision", ["tenant_id", "pay_on"], unique=False)
    op.create_index("uq_decision_tenant_id_request_key", "decision", ["tenant_id", "request_key"], unique=True)


def _hold() -> None:
    op.create_table(
        "hold",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("hold_id", sa.Text(), nullable=False),
        sa.Column("bill_id", sa.Text(), nullable=False),
        sa.Column("cycle", WholeNumber, nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=True),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("amount_cents", WholeNumber, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("promote_on", BusinessDate(), nullable=True),
        sa.Column("break_glass_id", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=True),
        sa.Column("reflected_by", sa.Text(), nullable=True),
        sa.Column("void_because", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'reflected') = (reflected_by is not null)", name=op.f("ck_hold_reflected_by_a_sync")
        ),
        sa.CheckConstraint(
            "(state = 'soft' and (expires_at is not null or promote_on is not null)) or (state <> 'soft' and "
            "expires_at is null)",
            name=op.f("ck_hold_only_soft_holds_expire"),
        ),
        sa.CheckConstraint("(state = 'void') = (void_because is not null)", name=op.f("ck_hold_void_for_a_reason")),
        sa.CheckConstraint(
            "(state in ('posted', 'reflected')) = (recorded_at is not null)", name=op.f("ck_hold_posted_was_recorded")
        ),
        sa.CheckConstraint(
            "state in ('soft', 'pending', 'posted', 'reflected', 'void')", name=op.f("ck_hold_known_state")
        ),
        sa.CheckConstraint(
            "state in ('soft', 'void') or decision_id is not null", name=op.f("ck_hold_hard_holds_have_a_decision")
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_hold_positive_amount")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["cash_account.tenant_id", "cash_account.account_id"],
            name=op.f("fk_hold_tenant_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "bill_id", "cycle"],
            ["bill_workflow.tenant_id", "bill_workflow.bill_id", "bill_workflow.cycle"],
            name=op.f("fk_hold_tenant_id_bill_id_cycle"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "break_glass_id"],
            ["break_glass.tenant_id", "break_glass.break_glass_id"],
            name=op.f("fk_hold_tenant_id_break_glass_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "decision_id"],
            ["decision.tenant_id", "decision.decision_id"],
            name=op.f("fk_hold_tenant_id_decision_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "hold_id", name=op.f("pk_hold")),
        sqlite_strict=True,
    )
    op.create_index("ix_hold_tenant_id_account_id_state", "hold", ["tenant_id", "account_id", "state"], unique=False)
    op.create_index(
        "uq_hold_live_bill",
        "hold",
        ["tenant_id", "bill_id"],
        unique=True,
        sqlite_where=sa.text("state in ('soft', 'pending')"),
        postgresql_where=sa.text("state in ('soft', 'pending')"),
    )
    op.create_index(
        "uq_hold_tenant_id_decision_id",
        "hold",
        ["tenant_id", "decision_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'void'"),
        postgresql_where=sa.text("state <> 'void'"),
    )


def _reserve_movement() -> None:
    op.create_table(
        "reserve_movement",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("reserve_id", sa.Text(), nullable=False),
        sa.Column("number", WholeNumber, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("signed_cents", WholeNumber, nullable=False),
        sa.Column("hold_id", sa.Text(), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(kind in ('draw', 'return')) = (hold_id is not null)",
            name=op.f("ck_reserve_movement_draws_name_their_hold"),
        ),
        sa.CheckConstraint(
            "kind in ('allocate', 'release', 'draw', 'return')", name=op.f("ck_reserve_movement_known_kind")
        ),
        sa.CheckConstraint(
            "signed_cents <> 0 and (signed_cents > 0) = (kind in ('allocate', 'return'))",
            name=op.f("ck_reserve_movement_signed_by_its_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "hold_id"],
            ["hold.tenant_id", "hold.hold_id"],
            name=op.f("fk_reserve_movement_tenant_id_hold_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "reserve_id"],
            ["reserve.tenant_id", "reserve.reserve_id"],
            name=op.f("fk_reserve_movement_tenant_id_reserve_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "reserve_id", "number", name=op.f("pk_reserve_movement")),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_reserve_movement_hold",
        "reserve_movement",
        ["tenant_id", "hold_id", "kind"],
        unique=True,
        sqlite_where=sa.text("hold_id is not null"),
        postgresql_where=sa.text("hold_id is not null"),
    )


def _shortfall() -> None:
    op.create_table(
        "shortfall",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("shortfall_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("missing_cents", WholeNumber, nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("resolved_at", Instant(), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(resolved_by is null) = (resolved_at is null)", name=op.f("ck_shortfall_resolved_by_somebody")
        ),
        sa.CheckConstraint("missing_cents > 0", name=op.f("ck_shortfall_something_is_missing")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["cash_account.tenant_id", "cash_account.account_id"],
            name=op.f("fk_shortfall_tenant_id_account_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "shortfall_id", name=op.f("pk_shortfall")),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_shortfall_open",
        "shortfall",
        ["tenant_id", "account_id"],
        unique=True,
        sqlite_where=sa.text("resolved_at is null"),
        postgresql_where=sa.text("resolved_at is null"),
    )
