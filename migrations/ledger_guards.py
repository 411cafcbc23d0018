"""What the database itself guards of the payment ledger: the view of free cash and the triggers, for SQLite and Postgres.

Belongs here: their SQL as revision 0005 makes it, and how a guard is made on each engine. Does not: tables; what later revisions
guard (those revisions).

A guard is the last line of defence: the services refuse first, with an explanation. Each is one condition over OLD and NEW that
both engines understand.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from alembic import op

_TRANSITIONS: Mapping[str, Mapping[str, str]] = {
    "bill_workflow": {
        "discovered": "awaiting_approval withdrawn superseded",
        "awaiting_approval": "approved withdrawn superseded",
        "approved": "staged awaiting_approval withdrawn superseded",
        "staged": "approved decided scheduled delayed awaiting_approval withdrawn superseded",
        "decided": "batched delayed withdrawn superseded",
        "scheduled": "batched delayed needs_review withdrawn superseded",
        "delayed": "staged awaiting_approval withdrawn superseded",
        "batched": "executing needs_review delayed withdrawn superseded",
        "executing": "paid failed unknown needs_review superseded",
        "unknown": "paid executing needs_review",
        "needs_review": "paid decided scheduled delayed written_off withdrawn superseded",
    },
    "hold": {"soft": "pending void", "pending": "posted void", "posted": "reflected"},
    "intent": {
        "waiting": "ready void",
        "ready": "sent paid needs_review void",
        "sent": "ready paid refused unknown needs_review",
        "unknown": "sent paid needs_review",
        "needs_review": "paid void",
    },
    "batch": {
        "open": "finalized",
        "finalized": "claimed",
        "claimed": "waiting settled settled_with_exceptions",
        "waiting": "claimed",
    },
    "payee": {"proposed": "confirmed rejected", "confirmed": "replaced"},
}

#: Rows that are added and never changed.
_ADDED_ONLY = ("audit", "decision", "payment_policy", "reserve_movement", "request")

#: What of a row never changes once it is there.
_FIXED: Mapping[str, str] = {
    "role_grant": "person_id role granted_by granted_at",
    "payee": "account_ending set_by set_at",
    "bill_workflow": "vendor_id discovered_at",
    "approval": "bill_id cycle fingerprint amount_cents approved_by roles approved_at",
    "reserve": "kind account_id opened_by opened_at",
    "break_glass": "bill_id cycle missing_cents overrides reason declared_by declared_at confirm_until",
    "hold": "bill_id cycle decision_id account_id amount_cents promote_on break_glass_id created_by created_at",
    "shortfall": "account_id opened_at",
    "batch": "origin account_id pay_on rail created_at",
    "batch_item": "hold_id vendor_id amount_cents",
    "intent": "batch_id leg rail vendor_id account_id bill_set ordinal request_id doc_number amount_cents body body_sha256",
    "intent_bill": "cycle leg decision_id hold_id amount_cents",
    "attempt": "generation sent_at",
    "alarm": "kind subject raised_at",
}

#: The condition under which a row is closed for good, over OLD.
_CLOSED: Mapping[str, str] = {
    "role_grant": "OLD.revoked_at is not null",
    "bill_workflow": "OLD.ended_at is not null",
    "approval": "OLD.voided_at is not null",
    "break_glass": "OLD.confirmed_at is not null",
    "shortfall": "OLD.resolved_at is not null",
    "alarm": "OLD.resolved_at is not null",
    "attempt": "OLD.outcome is not null",
    "intent_bill": "OLD.live = 0",
}

_DELETED_NEVER = (*_ADDED_ONLY, *(name for name in _FIXED if name != "batch_item"), "cash_account", "vendor_watch")

#: Keys by which INSERT OR REPLACE would delete a row unseen by a DELETE trigger.
_KEYS: Mapping[str, str] = {
    "audit": "number",
    "decision": "decision_id",
    "hold": "hold_id",
    "intent": "intent_id",
    "batch": "batch_id",
    "request": "request_key",
    "payment_policy": "version",
}

_OPEN_BATCH = "(SELECT state FROM batch WHERE tenant_id = NEW.tenant_id AND batch_id = NEW.batch_id) <> 'open'"
_NO_ROOM = (
    "(coalesce((SELECT free_cents FROM free_cash WHERE tenant_id = NEW.tenant_id AND account_id = {account}), -1) < 0"
    " OR EXISTS (SELECT 1 FROM shortfall WHERE tenant_id = NEW.tenant_id AND account_id = {account} AND resolved_at is null)"
    " OR EXISTS (SELECT 1 FROM cash_account WHERE tenant_id = NEW.tenant_id AND account_id = {account} AND is_cash = 0))"
)
#: Revision 0005 let any override set cash aside.
NOT_OVERRIDDEN = "NEW.break_glass_id is null"
_RESERVE_ACCOUNT = "(SELECT account_id FROM reserve WHERE tenant_id = NEW.tenant_id AND reserve_id = NEW.reserve_id)"

_FREE_CASH = """
CREATE VIEW free_cash AS
SELECT sums.*,
       basis_cents - reserved_cents - pending_cents - posted_cents
       - CASE WHEN floor_kind = 'next_payroll'
              THEN CASE WHEN floor_cents > payroll_reserved_cents THEN floor_cents - payroll_reserved_cents ELSE 0 END
              ELSE floor_cents END AS free_cents
FROM (
    SELECT a.tenant_id, a.account_id, a.basis_cents, a.floor_cents, a.floor_kind,
        CAST(coalesce((SELECT sum(m.signed_cents) FROM reserve r JOIN reserve_movement m
            ON m.tenant_id = r.tenant_id AND m.reserve_id = r.reserve_id
            WHERE r.tenant_id = a.tenant_id AND r.account_id = a.account_id), 0) AS {whole}) AS reserved_cents,
        CAST(coalesce((SELECT sum(m.signed_cents) FROM reserve r JOIN reserve_movement m
            ON m.tenant_id = r.tenant_id AND m.reserve_id = r.reserve_id
            WHERE r.tenant_id = a.tenant_id AND r.account_id = a.account_id AND r.kind = 'payroll'), 0) AS {whole})
            AS payroll_reserved_cents,
        CAST(coalesce((SELECT sum(h.amount_cents) FROM hold h WHERE h.tenant_id = a.tenant_id
            AND h.account_id = a.account_id AND h.state = 'pending'), 0) AS {whole}) AS pending_cents,
        CAST(coalesce((SELECT sum(h.amount_cents) FROM hold h WHERE h.tenant_id = a.tenant_id
            AND h.account_id = a.account_id AND h.state = 'posted'), 0) AS {whole}) AS posted_cents
    FROM cash_account a
) AS sums
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Refuse what happens to a row when the condition holds."""

    name: str
    table: str
    moment: str
    condition: str
    message: str


def raise_guards() -> None:
    """Make the view and every trigger."""
    postgres = _is_postgres()
    op.execute(_FREE_CASH.format(whole="bigint" if postgres else "integer"))
    for guard in _guards(postgres=postgres):
        raise_guard(guard)
    if postgres:
        for table in _DELETED_NEVER:
            op.get_bind().exec_driver_sql(
                f"CREATE TRIGGER {table}_is_not_truncated BEFORE TRUNCATE ON {table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_not_deleted()"
            )


def drop_guards() -> None:
    """Take them away again."""
    postgres = _is_postgres()
    for guard in _guards(postgres=postgres):
        drop_guard(guard)
    op.execute("DROP VIEW free_cash")


def raise_guard(guard: Guard) -> None:
    """Make the trigger of one guard."""
    for statement in _on_postgres(guard) if _is_postgres() else _on_sqlite(guard):
        op.get_bind().exec_driver_sql(statement)


def drop_guard(guard: Guard) -> None:
    """Take the trigger of one guard away."""
    drop = f"DROP FUNCTION {guard.name}() CASCADE" if _is_postgres() else f"DROP TRIGGER {guard.name}"
    op.get_bind().exec_driver_sql(drop)


def _is_postgres() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _on_sqlite(guard: Guard) -> Iterator[str]:
    yield (
        f"CREATE TRIGGER {guard.name} {guard.moment} ON {guard.table} WHEN {guard.condition} "
        f"BEGIN SELECT RAISE(ABORT, '{guard.message}'); END"
    )


def _on_postgres(guard: Guard) -> Iterator[str]:
    gone = "OLD" if "DELETE" in guard.moment else "NEW"
    yield (
        f"CREATE FUNCTION {guard.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {guard.condition} THEN RAISE EXCEPTION '{guard.message}' USING ERRCODE = 'check_violation'; END IF; "
        f"RETURN {gone}; END $$"
    )
    yield (f"CREATE TRIGGER {guard.name} {guard.moment} ON {guard.table} FOR EACH ROW EXECUTE FUNCTION {guard.name}()")


def _guards(*, postgres: bool) -> Iterator[Guard]:
    yield from _history()
    yield from _transitions()
    yield from _money()
    yield from _batches()
    yield from _intents()
    if not postgres:
        yield from _replacing()


def _history() -> Iterator[Guard]:
    for table in _ADDED_ONLY:
        yield Guard(
            name=f"{table}_is_not_changed",
            table=table,
            moment="BEFORE UPDATE",
            condition="1 = 1",
            message=f"{table} is append-only",
        )
    for table in _DELETED_NEVER:
        yield Guard(
            name=f"{table}_is_not_deleted",
            table=table,
            moment="BEFORE DELETE",
            condition="1 = 1",
            message=f"{table} is append-only" if table in _ADDED_ONLY else f"a {table} is never deleted",
        )
    for table, columns in _FIXED.items():
        changed = " OR ".join(f"NEW.{one} IS DISTINCT FROM OLD.{one}" for one in ("tenant_id", *columns.split()))
        yield Guard(
            name=f"{table}_keeps_what_it_is",
            table=table,
            moment="BEFORE UPDATE",
            condition=changed,
            message=f"what a {table} is about never changes",
        )
    for table, condition in _CLOSED.items():
        yield Guard(
            name=f"{table}_stays_closed",
            table=table,
            moment="BEFORE UPDATE",
            condition=condition,
            message=f"this {table} is closed and never changes",
        )


def _transitions() -> Iterator[Guard]:
    for table, machine in _TRANSITIONS.items():
        allowed = " OR ".join(
            f"(OLD.state = '{before}' AND NEW.state IN ({', '.join(repr(one) for one in following.split())}))"
            for before, following in machine.items()
        )
        yield Guard(
            name=f"{table}_follows_its_states",
            table=table,
            moment="BEFORE UPDATE",
            condition=f"NEW.state <> OLD.state AND NOT ({allowed})",
            message=f"this state of a {table} cannot follow the one before",
        )


def room_guards(*, asked_if: str) -> Iterator[Guard]:
    """A hold fits into free cash where this is so of NEW: no override sets cash aside."""
    no_room = f"NEW.state = 'pending' AND {asked_if} AND " + _NO_ROOM.format(account="NEW.account_id")
    message = "the hold does not fit into free cash"
    yield Guard(name="hold_has_room", table="hold", moment="AFTER INSERT", condition=no_room, message=message)
    yield Guard(
        name="hold_has_room_when_hardened",
        table="hold",
        moment="AFTER UPDATE",
        condition=f"OLD.state = 'soft' AND {no_room}",
        message=message,
    )


def _money() -> Iterator[Guard]:
    yield from room_guards(asked_if=NOT_OVERRIDDEN)
    yield Guard(
        name="hold_is_its_decisions",
        table="hold",
        moment="BEFORE INSERT",
        condition="NEW.decision_id is not null AND NOT EXISTS (SELECT 1 FROM decision WHERE tenant_id = NEW.tenant_id "
        "AND decision_id = NEW.decision_id AND ruling <> 'delay' AND amount_cents = NEW.amount_cents "
        "AND account_id = NEW.account_id AND bill_id = NEW.bill_id AND cycle = NEW.cycle)",
        message="a hold has the amount, account and bill of its decision",
    )
    yield Guard(
        name="hold_waits_for_its_payment",
        table="hold",
        moment="BEFORE UPDATE",
        condition="OLD.state = 'pending' AND NEW.state <> 'pending' AND EXISTS (SELECT 1 FROM intent_bill b JOIN intent i "
        "ON i.tenant_id = b.tenant_id AND i.intent_id = b.intent_id WHERE b.tenant_id = NEW.tenant_id "
        "AND b.hold_id = NEW.hold_id AND b.live = 1 AND i.state IN ('sent', 'unknown', 'needs_review'))",
        message="the fate of a payment of this hold is not known",
    )
    yield Guard(
        name="reserve_has_room",
        table="reserve_movement",
        moment="AFTER INSERT",
        condition="NEW.kind = 'allocate' AND " + _NO_ROOM.format(account=_RESERVE_ACCOUNT),
        message="the allocation does not fit into free cash",
    )
    yield Guard(
        name="reserve_is_not_overdrawn",
        table="reserve_movement",
        moment="AFTER INSERT",
        condition="NEW.signed_cents < 0 AND (SELECT sum(signed_cents) FROM reserve_movement "
        "WHERE tenant_id = NEW.tenant_id AND reserve_id = NEW.reserve_id) < 0",
        message="a reserve is never overdrawn",
    )


def _batches() -> Iterator[Guard]:
    sealed = ["item_count", "total_cents", "seal", "policy_version", "separation", "finalized_by", "finalized_at"]
    changed = " OR ".join(f"NEW.{one} IS DISTINCT FROM OLD.{one}" for one in sealed)
    yield Guard(
        name="batch_stays_sealed",
        table="batch",
        moment="BEFORE UPDATE",
        condition=f"OLD.state <> 'open' AND ({changed})",
        message="a finalized batch never changes",
    )
    items = "FROM batch_item WHERE tenant_id = NEW.tenant_id AND batch_id = NEW.batch_id"
    yield Guard(
        name="batch_is_sealed_as_it_is",
        table="batch",
        moment="BEFORE UPDATE",
        condition="OLD.state = 'open' AND NEW.state <> 'open' AND ("
        f"NEW.item_count <> (SELECT count(*) {items}) OR NEW.total_cents <> (SELECT sum(amount_cents) {items}))",
        message="a seal states the count and total of the items",
    )
    yield Guard(
        name="batch_begins_open",
        table="batch",
        moment="BEFORE INSERT",
        condition="NEW.state <> 'open'",
        message="a batch begins open",
    )
    yield Guard(
        name="batch_is_fenced",
        table="batch",
        moment="BEFORE UPDATE",
        condition="NEW.generation < OLD.generation OR (NEW.generation = OLD.generation AND NEW.holder is not null "
        "AND NEW.holder IS DISTINCT FROM OLD.holder) OR (NEW.generation = OLD.generation AND NEW.state = 'claimed' "
        "AND OLD.state <> 'claimed')",
        message="each claim of a batch has a new generation",
    )
    yield Guard(
        name="batch_item_is_sealed_in",
        table="batch_item",
        moment="BEFORE INSERT",
        condition=_OPEN_BATCH,
        message="a finalized batch never changes",
    )
    yield Guard(
        name="batch_item_is_not_taken_out",
        table="batch_item",
        moment="BEFORE DELETE",
        condition=_OPEN_BATCH.replace("NEW.", "OLD."),
        message="a finalized batch never changes",
    )


def _intents() -> Iterator[Guard]:
    yield Guard(
        name="intent_is_sealed_in",
        table="intent",
        moment="BEFORE INSERT",
        condition=_OPEN_BATCH,
        message="a finalized batch never changes",
    )
    yield Guard(
        name="intent_bill_is_sealed_in",
        table="intent_bill",
        moment="BEFORE INSERT",
        condition="(SELECT b.state FROM intent i JOIN batch b ON b.tenant_id = i.tenant_id AND b.batch_id = i.batch_id "
        "WHERE i.tenant_id = NEW.tenant_id AND i.intent_id = NEW.intent_id) <> 'open'",
        message="a finalized batch never changes",
    )
    yield Guard(
        name="intent_begins_unsent",
        table="intent",
        moment="BEFORE INSERT",
        condition="NEW.attempts <> 0 OR NEW.state NOT IN ('waiting', 'ready') "
        "OR (NEW.leg = 'book' AND NEW.rail <> 'record_only' AND NEW.state <> 'waiting')",
        message="an intent begins unsent, and a book entry waits for its rail",
    )
    yield Guard(
        name="intent_stays_final",
        table="intent",
        moment="BEFORE UPDATE",
        condition="OLD.state IN ('paid', 'refused', 'void') AND (NEW.attempts <> OLD.attempts "
        "OR NEW.sent_at IS DISTINCT FROM OLD.sent_at OR NEW.remote_id IS DISTINCT FROM OLD.remote_id "
        "OR NEW.recorded_at IS DISTINCT FROM OLD.recorded_at)",
        message="a final intent never changes",
    )
    yield Guard(
        name="intent_counts_its_attempts",
        table="intent",
        moment="BEFORE UPDATE",
        condition="NEW.attempts < OLD.attempts OR (NEW.state = 'sent' AND OLD.state <> 'sent' "
        "AND NEW.attempts <> OLD.attempts + 1)",
        message="each send of an intent is counted",
    )
    yield Guard(
        name="book_entry_follows_its_rail",
        table="intent",
        moment="BEFORE UPDATE",
        condition="OLD.state = 'waiting' AND NEW.state = 'ready' AND (SELECT count(*) FROM intent_bill mine "
        "JOIN intent_bill theirs ON theirs.tenant_id = mine.tenant_id AND theirs.decision_id = mine.decision_id "
        "AND theirs.leg = 'rail' AND theirs.live = 1 "
        "JOIN intent i ON i.tenant_id = theirs.tenant_id AND i.intent_id = theirs.intent_id AND i.instructed_at is not null "
        "WHERE mine.tenant_id = NEW.tenant_id AND mine.intent_id = NEW.intent_id) "
        "<> (SELECT count(*) FROM intent_bill WHERE tenant_id = NEW.tenant_id AND intent_id = NEW.intent_id)",
        message="the money of this entry is not instructed",
    )


def _replacing() -> Iterator[Guard]:
    for table, key in _KEYS.items():
        yield Guard(
            name=f"{table}_is_not_replaced",
            table=table,
            moment="BEFORE INSERT",
            condition=f"EXISTS (SELECT 1 FROM {table} WHERE tenant_id = NEW.tenant_id AND {key} = NEW.{key})",  # noqa: S608 - fixed names
            message=f"{table} is append-only" if table in _ADDED_ONLY else f"this {table} exists already",
        )
