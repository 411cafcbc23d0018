"""The tables of the payment ledger: decisions, holds, batches, intents, audit.

Belongs here: columns, keys and the states they allow. Does not: transitions and who may make them.

Keys carry the tenant, so that no row can point at another tenant's bill, hold or batch. What is final or append-only is
guarded in the database (triggers of the migrations), not only in code.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, LargeBinary, Text, text

from resources.tables import BusinessDate, Instant, Json, WholeNumber, one_of, strict_table, tenant_key


def _positive_amount() -> CheckConstraint:
    return CheckConstraint("amount_cents > 0", name="positive_amount")


DECISION = strict_table(
    "decision",
    Column("tenant_id", Text, primary_key=True),
    Column("decision_id", Text, primary_key=True),
    Column("bill_id", Text, nullable=False),
    Column("number", WholeNumber, nullable=False),
    Column("ruling", Text, nullable=False),
    Column("amount_cents", WholeNumber, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("pay_on", BusinessDate),
    Column("fingerprint", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("request_key", Text, nullable=False),
    tenant_key(),
    one_of("ruling", ("pay_now", "schedule", "delay")),
    _positive_amount(),
    Index("uq_decision_tenant_id_bill_id_number", "tenant_id", "bill_id", "number", unique=True),
    Index("uq_decision_tenant_id_request_key", "tenant_id", "request_key", unique=True),
)

HOLD = strict_table(
    "hold",
    Column("tenant_id", Text, primary_key=True),
    Column("hold_id", Text, primary_key=True),
    Column("decision_id", Text),
    Column("account_id", Text, nullable=False),
    Column("amount_cents", WholeNumber, nullable=False),
    Column("state", Text, nullable=False),
    Column("expires_at", Instant),
    Column("created_at", Instant, nullable=False),
    tenant_key(),
    ForeignKeyConstraint(["tenant_id", "decision_id"], ["decision.tenant_id", "decision.decision_id"]),
    one_of("state", ("soft", "pending", "posted", "reflected", "void")),
    _positive_amount(),
    CheckConstraint("(state = 'soft') = (expires_at is not null)", name="only_soft_holds_expire"),
    CheckConstraint("state = 'soft' or decision_id is not null", name="hard_holds_have_a_decision"),
    # One hold that is not void per decision: the database refuses the second.
    Index(
        "uq_hold_tenant_id_decision_id",
        "tenant_id",
        "decision_id",
        unique=True,
        sqlite_where=text("state <> 'void'"),
        postgresql_where=text("state <> 'void'"),
    ),
)

BATCH = strict_table(
    "batch",
    Column("tenant_id", Text, primary_key=True),
    Column("batch_id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("generation", WholeNumber, nullable=False),
    Column("lease_until", Instant),
    Column("not_before", Instant),
    Column("item_count", WholeNumber),
    Column("total_cents", WholeNumber),
    Column("seal", Text),
    Column("finalized_by", Text),
    Column("finalized_at", Instant),
    tenant_key(),
    one_of("state", ("open", "finalized", "claimed", "waiting", "settled", "settled_with_exceptions")),
    CheckConstraint(
        "state = 'open' or (seal is not null and item_count is not null and total_cents is not null)",
        name="finalized_is_sealed",
    ),
)

INTENT = strict_table(
    "intent",
    Column("tenant_id", Text, primary_key=True),
    Column("intent_id", Text, primary_key=True),
    Column("batch_id", Text, nullable=False),
    Column("hold_id", Text, nullable=False),
    Column("leg", Text, nullable=False),
    Column("ordinal", WholeNumber, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("doc_number", Text, nullable=False),
    Column("amount_cents", WholeNumber, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("body_sha256", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", WholeNumber, nullable=False),
    Column("sent_at", Instant),
    Column("remote_id", Text),
    tenant_key(),
    ForeignKeyConstraint(["tenant_id", "batch_id"], ["batch.tenant_id", "batch.batch_id"]),
    ForeignKeyConstraint(["tenant_id", "hold_id"], ["hold.tenant_id", "hold.hold_id"]),
    one_of("leg", ("rail", "book")),
    one_of("state", ("ready", "sent", "unknown", "paid", "refused", "needs_review", "void")),
    _positive_amount(),
    CheckConstraint("state <> 'paid' or remote_id is not null", name="paid_names_its_record"),
    Index("uq_intent_tenant_id_request_id", "tenant_id", "request_id", unique=True),
    Index("uq_intent_tenant_id_doc_number", "tenant_id", "doc_number", unique=True),
)

INTENT_BILL = strict_table(
    "intent_bill",
    Column("tenant_id", Text, primary_key=True),
    Column("intent_id", Text, primary_key=True),
    Column("bill_id", Text, primary_key=True),
    Column("leg", Text, nullable=False),
    Column("amount_cents", WholeNumber, nullable=False),
    Column("live", WholeNumber, nullable=False),
    ForeignKeyConstraint(["tenant_id", "intent_id"], ["intent.tenant_id", "intent.intent_id"]),
    one_of("leg", ("rail", "book")),
    _positive_amount(),
    CheckConstraint("live in (0, 1)", name="live_is_boolean"),
    # At most one live payment per bill and leg: paying twice needs two of these rows.
    Index(
        "uq_intent_bill_live",
        "tenant_id",
        "bill_id",
        "leg",
        unique=True,
        sqlite_where=text("live = 1"),
        postgresql_where=text("live = 1"),
    ),
)

AUDIT = strict_table(
    "audit",
    Column("tenant_id", Text, primary_key=True),
    Column("number", WholeNumber, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("before", Json),
    Column("after", Json),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    tenant_key(),
)
