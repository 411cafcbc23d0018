"""No row of the ledger takes another's place: its key stays, and on SQLite nothing is inserted in place of what is there.

The keys of items, lines and attempts could be changed, a sealed batch's too; INSERT OR REPLACE, which deletes the earlier row
without firing a DELETE trigger, was refused for seven tables and by their own key only.
"""

from collections.abc import Iterator, Mapping

from alembic import op

from migrations.ledger_guards import Guard, drop_guard, raise_guard

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

#: What names a row, beside the tenant; rows that are only added are not changed at all.
_KEYS: Mapping[str, str] = {
    "role_grant": "grant_id",
    "vendor_watch": "vendor_id",
    "payee": "vendor_id version",
    "bill_workflow": "bill_id cycle",
    "approval": "approval_id",
    "cash_account": "account_id",
    "reserve": "reserve_id",
    "break_glass": "break_glass_id",
    "hold": "hold_id",
    "shortfall": "shortfall_id",
    "batch": "batch_id",
    "batch_item": "batch_id decision_id",
    "intent": "intent_id",
    "intent_bill": "intent_id bill_id",
    "attempt": "intent_id number",
    "alarm": "alarm_id",
}
#: What has the key of a row of these that is there, an earlier revision refuses.
_REFUSED_BEFORE = ("hold", "batch", "intent")

#: What else is there once, by its index: table, columns, and of which rows ({} is for the name of the row).
_ONCE: Mapping[str, tuple[str, str, str]] = {
    "pk_reserve_movement": ("reserve_movement", "reserve_id number", "1 = 1"),
    "uq_reserve_movement_hold": ("reserve_movement", "hold_id kind", "{}hold_id is not null"),
    "uq_role_grant_live": ("role_grant", "person_id role", "{}revoked_at is null"),
    "uq_payee_confirmed": ("payee", "vendor_id", "{}state = 'confirmed'"),
    "uq_payee_proposed": ("payee", "vendor_id", "{}state = 'proposed'"),
    "uq_bill_workflow_live": ("bill_workflow", "bill_id", "{}ended_at is null"),
    "uq_approval_live": ("approval", "bill_id cycle approved_by", "{}voided_at is null"),
    "uq_decision_tenant_id_bill_id_number": ("decision", "bill_id number", "1 = 1"),
    "uq_decision_tenant_id_request_key": ("decision", "request_key", "1 = 1"),
    "uq_hold_tenant_id_decision_id": ("hold", "decision_id", "{}state <> 'void'"),
    "uq_hold_live_bill": ("hold", "bill_id", "{}state IN ('soft', 'pending')"),
    "uq_shortfall_open": ("shortfall", "account_id", "{}resolved_at is null"),
    "uq_batch_due": ("batch", "pay_on account_id origin", "{}origin <> 'people'"),
    "uq_batch_item_tenant_id_decision_id": ("batch_item", "decision_id", "1 = 1"),
    "uq_intent_tenant_id_request_id": ("intent", "request_id", "1 = 1"),
    "uq_intent_tenant_id_doc_number": ("intent", "doc_number", "1 = 1"),
    "uq_intent_ordinal": ("intent", "leg bill_set ordinal", "1 = 1"),
    "uq_intent_bill_live": ("intent_bill", "bill_id leg", "{}live = 1"),
    "uq_alarm_open": ("alarm", "kind subject", "{}resolved_at is null"),
}


def upgrade() -> None:
    for guard in _guards():
        raise_guard(guard)


def downgrade() -> None:
    for guard in _guards():
        drop_guard(guard)


def _guards() -> Iterator[Guard]:
    for table, key in _KEYS.items():
        columns = ("tenant_id", *key.split())
        yield Guard(
            name=f"{table}_keeps_its_key",
            table=table,
            moment=f"BEFORE UPDATE OF {', '.join(columns)}",  # nothing to ask of all that leaves them alone
            condition=" OR ".join(f"NEW.{one} <> OLD.{one}" for one in columns),
            message=f"the key of a {table} never changes",
        )
    if op.get_bind().dialect.name == "sqlite":
        yield from _replacing()


def _replacing() -> Iterator[Guard]:
    by_key = {f"pk_{table}": (table, key, "1 = 1") for table, key in _KEYS.items() if table not in _REFUSED_BEFORE}
    for index, (table, columns, those) in (by_key | dict(_ONCE)).items():
        same = " AND ".join(f"{one} = NEW.{one}" for one in ("tenant_id", *columns.split()))
        found = f"EXISTS (SELECT 1 FROM {table} WHERE {same} AND {those.format('')})"  # noqa: S608 - fixed names
        yield Guard(
            name=f"{index}_replaces_nothing",
            table=table,
            moment="BEFORE INSERT",
            condition=f"{those.format('NEW.')} AND {found}",
            message=f"this {table} exists already ({index})",
        )
