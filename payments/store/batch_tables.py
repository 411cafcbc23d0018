"""What is sent: sealed batches, their items, the intents, each attempt.

Belongs here: columns, keys and the states they allow. Does not: transitions (`states.py`), sending.
"""

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, Text

from payments.store.bill_tables import RAILS
from payments.store.keys import bill_key, boolean, once, positive_amount, refers
from payments.store.states import BATCH_STATES, INTENT_STATES
from resources.tables import BusinessDate, Instant, WholeNumber, one_of, strict_table

LEGS = ("rail", "book")

BATCH = strict_table(
    "batch",
    Column("tenant_id", Text, primary_key=True),
    Column("batch_id", Text, primary_key=True),
    #: Made by people; of payments that came due; of payments that came due and wait for a finalizer.
    Column("origin", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("pay_on", BusinessDate, nullable=False),
    Column("rail", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("item_count", WholeNumber),
    Column("total_cents", WholeNumber),
    Column("seal", Text),
    Column("policy_version", WholeNumber),
    Column("separation", Text),
    Column("finalized_by", Text),
    Column("finalized_at", Instant),
    Column("generation", WholeNumber, nullable=False),
    Column("holder", Text),
    Column("lease_until", Instant),
    Column("not_before", Instant),
    Column("settled_at", Instant),
    refers("account_id", "cash_account"),
    one_of("origin", ("people", "due", "due_for_finalizer")),
    one_of("state", BATCH_STATES),
    one_of("rail", RAILS),
    CheckConstraint(
        "state = 'open' or (seal is not null and item_count > 0 and total_cents > 0 "
        "and finalized_by is not null and finalized_at is not null and policy_version is not null and separation is not null)",
        name="finalized_is_sealed",
    ),
    CheckConstraint(
        "(state in ('settled', 'settled_with_exceptions')) = (settled_at is not null)", name="settled_once"
    ),
    CheckConstraint("(state = 'waiting') = (not_before is not null)", name="waits_until"),
    once("uq_batch_due", "tenant_id", "pay_on", "account_id", "origin", where="origin <> 'people'"),
    Index("ix_batch_state", "state", "not_before", "lease_until"),
)

BATCH_ITEM = strict_table(
    "batch_item",
    Column("tenant_id", Text, primary_key=True),
    Column("batch_id", Text, primary_key=True),
    Column("decision_id", Text, primary_key=True),
    Column("hold_id", Text, nullable=False),
    Column("vendor_id", Text, nullable=False),
    Column("amount_cents", WholeNumber, nullable=False),
    refers("batch_id", "batch"),
    refers("decision_id", "decision"),
    refers("hold_id", "hold"),
    positive_amount(),
    # A decision is paid in one batch: of many who finalize it, one succeeds.
    Index("uq_batch_item_tenant_id_decision_id", "tenant_id", "decision_id", unique=True),
)

INTENT = strict_table(
    "intent",
    Column("tenant_id", Text, primary_key=True),
    Column("intent_id", Text, primary_key=True),
    Column("batch_id", Text, nullable=False),
    Column("leg", Text, nullable=False),
    Column("rail", Text, nullable=False),
    Column("vendor_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("bill_set", Text, nullable=False),
    Column("ordinal", WholeNumber, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("doc_number", Text, nullable=False),
    Column("amount_cents", WholeNumber, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("body_sha256", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", WholeNumber, nullable=False),
    Column("sent_at", Instant),
    Column("not_before", Instant),
    #: Rail: the money was ordered to move; book: empty.
    Column("instructed_at", Instant),
    Column("settled_at", Instant),
    Column("remote_id", Text),
    Column("recorded_at", Instant),
    Column("reason", Text),
    refers("batch_id", "batch"),
    refers("account_id", "cash_account"),
    one_of("leg", LEGS),
    one_of("rail", RAILS),
    one_of("state", INTENT_STATES),
    positive_amount(),
    CheckConstraint("state <> 'paid' or remote_id is not null", name="paid_names_its_record"),
    CheckConstraint("attempts >= 0 and (attempts = 0) = (sent_at is null)", name="attempts_have_their_time"),
    CheckConstraint("state not in ('sent', 'unknown') or attempts > 0", name="sent_was_attempted"),
    CheckConstraint("leg = 'book' or rail <> 'record_only'", name="record_only_moves_nothing"),
    CheckConstraint("leg = 'book' or state <> 'waiting'", name="only_book_entries_wait"),
    Index("uq_intent_tenant_id_request_id", "tenant_id", "request_id", unique=True),
    Index("uq_intent_tenant_id_doc_number", "tenant_id", "doc_number", unique=True),
    Index("uq_intent_ordinal", "tenant_id", "leg", "bill_set", "ordinal", unique=True),
    Index("ix_intent_tenant_id_batch_id", "tenant_id", "batch_id"),
    Index("ix_intent_tenant_id_leg_recorded_at", "tenant_id", "leg", "recorded_at"),
)

INTENT_BILL = strict_table(
    "intent_bill",
    Column("tenant_id", Text, primary_key=True),
    Column("intent_id", Text, primary_key=True),
    Column("bill_id", Text, primary_key=True),
    Column("cycle", WholeNumber, nullable=False),
    Column("leg", Text, nullable=False),
    Column("decision_id", Text, nullable=False),
    Column("hold_id", Text, nullable=False),
    Column("amount_cents", WholeNumber, nullable=False),
    Column("live", WholeNumber, nullable=False),
    refers("intent_id", "intent"),
    bill_key(),
    refers("decision_id", "decision"),
    refers("hold_id", "hold"),
    one_of("leg", LEGS),
    positive_amount(),
    boolean("live"),
    # At most one live payment per bill and leg: paying twice needs two of these rows.
    once("uq_intent_bill_live", "tenant_id", "bill_id", "leg", where="live = 1"),
    Index("ix_intent_bill_tenant_id_hold_id", "tenant_id", "hold_id"),
    Index("ix_intent_bill_tenant_id_decision_id", "tenant_id", "decision_id"),
)

ATTEMPT = strict_table(
    "attempt",
    Column("tenant_id", Text, primary_key=True),
    Column("intent_id", Text, primary_key=True),
    Column("number", WholeNumber, primary_key=True),
    Column("generation", WholeNumber, nullable=False),
    Column("sent_at", Instant, nullable=False),
    Column("answered_at", Instant),
    Column("outcome", Text),
    Column("detail", Text),
    refers("intent_id", "intent"),
    CheckConstraint(
        "outcome is null or outcome in ('landed', 'refused', 'not_processed', 'unknown')", name="known_outcome"
    ),
    CheckConstraint("(outcome is null) = (answered_at is null)", name="answered_has_its_time"),
)
