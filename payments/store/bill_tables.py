"""Who may do what, and what was ruled on a bill: people, policies, vendors, bills, approvals, decisions.

Belongs here: columns, keys and the states they allow. Does not: transitions (`states.py`), the money (`cash_tables.py`).
"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, Text

from payments.store.keys import bill_key, boolean, once, positive_amount, refers
from payments.store.states import BILL_ENDED, BILL_STATES
from resources.tables import BusinessDate, Instant, Json, WholeNumber, one_of, strict_table, tenant_key

ROLES = (
    "viewer",
    "preparer",
    "approver",
    "adviser",
    "finalizer",
    "owner",
    "administrator",
    "emergency",
)
RULINGS = ("pay_now", "schedule", "delay")
RAILS = ("record_only", "nacha_file", "simulated_bank")
SEPARATIONS = ("apart", "delegated")
_ENDED = ", ".join(f"'{state}'" for state in sorted(BILL_ENDED))

PERSON = strict_table(
    "person",
    Column("person_id", Text, primary_key=True),
    Column("firm_id", Text, ForeignKey("firm.firm_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("active", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    boolean("active"),
)

ROLE_GRANT = strict_table(
    "role_grant",
    Column("tenant_id", Text, primary_key=True),
    Column("grant_id", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("person.person_id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("granted_by", Text, nullable=False),
    Column("granted_at", Instant, nullable=False),
    Column("revoked_by", Text),
    Column("revoked_at", Instant),
    tenant_key(),
    one_of("role", ROLES),
    CheckConstraint("(revoked_by is null) = (revoked_at is null)", name="revoked_by_somebody"),
    once("uq_role_grant_live", "tenant_id", "person_id", "role", where="revoked_at is null"),
)

PAYMENT_POLICY = strict_table(
    "payment_policy",
    Column("tenant_id", Text, primary_key=True),
    Column("version", WholeNumber, primary_key=True),
    #: Above it approver, decider and finalizer are three people.
    Column("separation_above_cents", WholeNumber, nullable=False),
    Column("per_payment_cents", WholeNumber),
    Column("per_batch_cents", WholeNumber),
    Column("per_vendor_day_cents", WholeNumber),
    Column("per_tenant_day_cents", WholeNumber),
    #: How many approvals of whom: `policies.ApprovalRule`.
    Column("rules", Json, nullable=False),
    Column("snapshot_max_age_seconds", WholeNumber, nullable=False),
    Column("due_snapshot_max_age_seconds", WholeNumber, nullable=False),
    Column("soft_hold_seconds", WholeNumber, nullable=False),
    Column("payee_watch_days", WholeNumber, nullable=False),
    Column("schedule_holds", Text, nullable=False),
    Column("promote_days_before", WholeNumber, nullable=False),
    Column("rail", Text, nullable=False),
    Column("group_by_vendor", Integer, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
    tenant_key(),
    one_of("schedule_holds", ("now", "at_due")),
    one_of("rail", RAILS),
    boolean("group_by_vendor"),
    CheckConstraint("separation_above_cents >= 0", name="separation_is_an_amount"),
)

VENDOR_WATCH = strict_table(
    "vendor_watch",
    Column("tenant_id", Text, primary_key=True),
    Column("vendor_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    #: When the vendor appeared; empty for those that were there when the ledger began.
    Column("new_since", Instant),
    #: When its name or bank details last changed.
    Column("changed_at", Instant),
    tenant_key(),
)

PAYEE = strict_table(
    "payee",
    Column("tenant_id", Text, primary_key=True),
    Column("vendor_id", Text, primary_key=True),
    Column("version", WholeNumber, primary_key=True),
    Column("state", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("account_ending", Text, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("confirmed_by", Text),
    Column("confirmed_at", Instant),
    Column("ended_by", Text),
    Column("ended_at", Instant),
    tenant_key(),
    one_of("state", ("proposed", "confirmed", "rejected", "replaced")),
    CheckConstraint("confirmed_by is null or confirmed_by <> set_by", name="two_people"),
    CheckConstraint("state <> 'confirmed' or confirmed_by is not null", name="confirmed_by_somebody"),
    once("uq_payee_confirmed", "tenant_id", "vendor_id", where="state = 'confirmed'"),
    once("uq_payee_proposed", "tenant_id", "vendor_id", where="state = 'proposed'"),
)

BILL_WORKFLOW = strict_table(
    "bill_workflow",
    Column("tenant_id", Text, primary_key=True),
    Column("bill_id", Text, primary_key=True),
    Column("cycle", WholeNumber, primary_key=True),
    Column("state", Text, nullable=False),
    Column("vendor_id", Text, nullable=False),
    Column("vendor_name", Text, nullable=False),
    Column("doc_number", Text, nullable=False),
    Column("txn_date", BusinessDate, nullable=False),
    Column("due_date", BusinessDate),
    Column("currency", Text, nullable=False),
    Column("total_cents", WholeNumber, nullable=False),
    Column("open_cents", WholeNumber, nullable=False),
    Column("ap_account_id", Text, nullable=False),
    Column("lines_sha256", Text, nullable=False),
    Column("sync_token", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("read_started_at", Instant, nullable=False),
    Column("discovered_at", Instant, nullable=False),
    Column("wake_on", BusinessDate),
    Column("ended_at", Instant),
    Column("reason", Text),
    tenant_key(),
    one_of("state", BILL_STATES),
    CheckConstraint(f"(state in ({_ENDED})) = (ended_at is not null)", name="ended_has_its_time"),
    CheckConstraint("(state = 'delayed') = (wake_on is not null)", name="only_delayed_wakes"),
    once("uq_bill_workflow_live", "tenant_id", "bill_id", where="ended_at is null"),
    Index("ix_bill_workflow_tenant_id_state", "tenant_id", "state"),
)

APPROVAL = strict_table(
    "approval",
    Column("tenant_id", Text, primary_key=True),
    Column("approval_id", Text, primary_key=True),
    Column("bill_id", Text, nullable=False),
    Column("cycle", WholeNumber, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("amount_cents", WholeNumber, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("roles", Json, nullable=False),
    Column("approved_at", Instant, nullable=False),
    Column("voided_at", Instant),
    Column("void_because", Text),
    bill_key(),
    positive_amount(),
    CheckConstraint("(voided_at is null) = (void_because is null)", name="voided_for_a_reason"),
    once("uq_approval_live", "tenant_id", "bill_id", "cycle", "approved_by", where="voided_at is null"),
    Index("ix_approval_tenant_id_bill_id", "tenant_id", "bill_id"),
)

BREAK_GLASS = strict_table(
    "break_glass",
    Column("tenant_id", Text, primary_key=True),
    Column("break_glass_id", Text, primary_key=True),
    Column("bill_id", Text, nullable=False),
    Column("cycle", WholeNumber, nullable=False),
    Column("missing_cents", WholeNumber, nullable=False),
    Column("overrides", Json, nullable=False),
    Column("reason", Text, nullable=False),
    Column("declared_by", Text, nullable=False),
    Column("declared_at", Instant, nullable=False),
    Column("confirm_until", Instant, nullable=False),
    Column("confirmed_by", Text),
    Column("confirmed_at", Instant),
    bill_key(),
    CheckConstraint("confirmed_by is null or confirmed_by <> declared_by", name="two_people"),
    CheckConstraint("(confirmed_by is null) = (confirmed_at is null)", name="confirmed_by_somebody"),
    CheckConstraint("length(reason) >= 10", name="reason_is_given"),
)

DECISION = strict_table(
    "decision",
    Column("tenant_id", Text, primary_key=True),
    Column("decision_id", Text, primary_key=True),
    Column("bill_id", Text, nullable=False),
    Column("cycle", WholeNumber, nullable=False),
    Column("number", WholeNumber, nullable=False),
    Column("ruling", Text, nullable=False),
    #: Cash that leaves the account; what is settled of the bill is this plus the credits.
    Column("amount_cents", WholeNumber, nullable=False),
    Column("credits", Json, nullable=False),
    Column("account_id", Text),
    Column("pay_on", BusinessDate),
    Column("wake_on", BusinessDate),
    Column("fingerprint", Text, nullable=False),
    Column("policy_version", WholeNumber, nullable=False),
    Column("approvals", Json, nullable=False),
    Column("separation", Text, nullable=False),
    Column("reserve_id", Text),
    Column("drawn_cents", WholeNumber, nullable=False),
    Column("break_glass_id", Text),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("request_key", Text, nullable=False),
    bill_key(),
    refers("account_id", "cash_account"),
    refers("reserve_id", "reserve"),
    refers("break_glass_id", "break_glass"),
    one_of("ruling", RULINGS),
    one_of("separation", SEPARATIONS),
    positive_amount(),
    CheckConstraint("(ruling = 'delay') = (account_id is null)", name="payments_name_their_account"),
    CheckConstraint("(ruling = 'delay') = (pay_on is null)", name="payments_name_their_day"),
    CheckConstraint("(ruling = 'delay') = (wake_on is not null)", name="delays_name_their_day"),
    CheckConstraint("drawn_cents between 0 and amount_cents", name="draws_at_most_its_amount"),
    CheckConstraint("drawn_cents = 0 or reserve_id is not null", name="draws_on_a_reserve"),
    Index("uq_decision_tenant_id_bill_id_number", "tenant_id", "bill_id", "number", unique=True),
    Index("uq_decision_tenant_id_request_key", "tenant_id", "request_key", unique=True),
    Index("ix_decision_tenant_id_pay_on", "tenant_id", "pay_on"),
)
