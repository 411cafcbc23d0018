"""The ledger's record of itself - alarms, requests, audit - and the list of all its tables.

Belongs here: columns, keys, what the audit replays. Does not: the tables of bills, money and batches (`bill_tables.py`,
`cash_tables.py`, `batch_tables.py`), which importing this module registers.

Keys of all of them carry the tenant, so that no row can point at another tenant's bill, hold or batch. Audit, decisions,
policies and movements of reserves are only ever added; what is final or sealed never changes.
"""

from sqlalchemy import CheckConstraint, Column, Text

from payments.store.batch_tables import ATTEMPT, BATCH, BATCH_ITEM, INTENT, INTENT_BILL
from payments.store.bill_tables import (
    APPROVAL,
    BILL_WORKFLOW,
    BREAK_GLASS,
    DECISION,
    PAYEE,
    PAYMENT_POLICY,
    ROLE_GRANT,
    VENDOR_WATCH,
)
from payments.store.cash_tables import CASH_ACCOUNT, HOLD, RESERVE, RESERVE_MOVEMENT, SHORTFALL
from payments.store.keys import once
from resources.tables import Instant, Json, WholeNumber, strict_table, tenant_key

ALARM = strict_table(
    "alarm",
    Column("tenant_id", Text, primary_key=True),
    Column("alarm_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("resolved_by", Text),
    Column("resolved_at", Instant),
    tenant_key(),
    CheckConstraint("(resolved_by is null) = (resolved_at is null)", name="resolved_by_somebody"),
    once("uq_alarm_open", "tenant_id", "kind", "subject", where="resolved_at is null"),
)

REQUEST = strict_table(
    "request",
    Column("tenant_id", Text, primary_key=True),
    Column("request_key", Text, primary_key=True),
    Column("verb", Text, nullable=False),
    Column("content_sha256", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("answer", Json, nullable=False),
    tenant_key(),
)

AUDIT = strict_table(
    "audit",
    Column("tenant_id", Text, primary_key=True),
    Column("number", WholeNumber, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("before", Json, nullable=False),
    Column("after", Json, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    tenant_key(),
)

#: What the audit replays: every table of the ledger but the audit itself and the people, who belong to a firm.
REPLAYED = (
    ROLE_GRANT,
    PAYMENT_POLICY,
    VENDOR_WATCH,
    PAYEE,
    BILL_WORKFLOW,
    APPROVAL,
    CASH_ACCOUNT,
    RESERVE,
    BREAK_GLASS,
    DECISION,
    HOLD,
    RESERVE_MOVEMENT,
    SHORTFALL,
    BATCH,
    BATCH_ITEM,
    INTENT,
    INTENT_BILL,
    ATTEMPT,
    ALARM,
    REQUEST,
)
