"""The money: cash accounts, reserves and their movements, holds, shortfalls, and the view of free cash.

Belongs here: columns, keys and the states they allow. Does not: transitions (`states.py`), arithmetic (`cash/free_cash.py`).
"""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Text, column, table

from payments.store.keys import bill_key, boolean, once, positive_amount, refers
from payments.store.states import HOLD_STATES
from resources.entry_tables import RESERVE_KINDS
from resources.tables import BusinessDate, Instant, Json, WholeNumber, one_of, strict_table, tenant_key

CASH_ACCOUNT = strict_table(
    "cash_account",
    Column("tenant_id", Text, primary_key=True),
    Column("account_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("book_cents", WholeNumber, nullable=False),
    Column("dated_later_cents", WholeNumber, nullable=False),
    #: What a person read off the bank's page, less the payments that the books have shown since.
    Column("bank_cents", WholeNumber),
    Column("bank_as_of", Instant),
    #: What free cash starts from: the least that book and bank say.
    Column("basis_cents", WholeNumber, nullable=False),
    Column("floor_cents", WholeNumber, nullable=False),
    Column("floor_kind", Text, nullable=False),
    Column("sync_id", Text, nullable=False),
    Column("read_started_at", Instant, nullable=False),
    #: 0 once the books no longer count the account as cash.
    Column("is_cash", Integer, nullable=False),
    tenant_key(),
    one_of("floor_kind", ("amount", "next_payroll")),
    boolean("is_cash"),
    CheckConstraint("floor_cents >= 0", name="floor_is_an_amount"),
    CheckConstraint("(bank_cents is null) = (bank_as_of is null)", name="bank_balance_has_its_time"),
)

RESERVE = strict_table(
    "reserve",
    Column("tenant_id", Text, primary_key=True),
    Column("reserve_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("target_cents", WholeNumber),
    Column("target_on", BusinessDate),
    #: Vendors whose payments draw on this reserve without being told to.
    Column("vendor_ids", Json, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    refers("account_id", "cash_account"),
    one_of("kind", RESERVE_KINDS),
    CheckConstraint("target_cents is null or target_cents > 0", name="target_is_an_amount"),
    Index("ix_reserve_tenant_id_account_id", "tenant_id", "account_id"),
)

HOLD = strict_table(
    "hold",
    Column("tenant_id", Text, primary_key=True),
    Column("hold_id", Text, primary_key=True),
    Column("bill_id", Text, nullable=False),
    Column("cycle", WholeNumber, nullable=False),
    Column("decision_id", Text),
    Column("account_id", Text, nullable=False),
    Column("amount_cents", WholeNumber, nullable=False),
    Column("state", Text, nullable=False),
    Column("expires_at", Instant),
    #: From this day the soft hold of a scheduled payment becomes a hard one.
    Column("promote_on", BusinessDate),
    Column("break_glass_id", Text),
    Column("created_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    #: When the books say the payment was entered.
    Column("recorded_at", Instant),
    Column("reflected_by", Text),
    Column("void_because", Text),
    bill_key(),
    refers("decision_id", "decision"),
    refers("account_id", "cash_account"),
    refers("break_glass_id", "break_glass"),
    one_of("state", HOLD_STATES),
    positive_amount(),
    CheckConstraint(
        "(state = 'soft' and (expires_at is not null or promote_on is not null)) or (state <> 'soft' and expires_at is null)",
        name="only_soft_holds_expire",
    ),
    CheckConstraint("state in ('soft', 'void') or decision_id is not null", name="hard_holds_have_a_decision"),
    CheckConstraint("(state = 'void') = (void_because is not null)", name="void_for_a_reason"),
    CheckConstraint("(state in ('posted', 'reflected')) = (recorded_at is not null)", name="posted_was_recorded"),
    CheckConstraint("(state = 'reflected') = (reflected_by is not null)", name="reflected_by_a_sync"),
    # One hold that is not void per decision: the database refuses the second.
    once("uq_hold_tenant_id_decision_id", "tenant_id", "decision_id", where="state <> 'void'"),
    once("uq_hold_live_bill", "tenant_id", "bill_id", where="state in ('soft', 'pending')"),
    Index("ix_hold_tenant_id_account_id_state", "tenant_id", "account_id", "state"),
    Index("ix_hold_tenant_id_bill_id", "tenant_id", "bill_id"),
)

RESERVE_MOVEMENT = strict_table(
    "reserve_movement",
    Column("tenant_id", Text, primary_key=True),
    Column("reserve_id", Text, primary_key=True),
    Column("number", WholeNumber, primary_key=True),
    Column("kind", Text, nullable=False),
    #: Into the reserve (allocate, return) or out of it (release, draw, negative).
    Column("signed_cents", WholeNumber, nullable=False),
    Column("hold_id", Text),
    Column("made_by", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    refers("reserve_id", "reserve"),
    refers("hold_id", "hold"),
    one_of("kind", ("allocate", "release", "draw", "return")),
    CheckConstraint(
        "signed_cents <> 0 and (signed_cents > 0) = (kind in ('allocate', 'return'))", name="signed_by_its_kind"
    ),
    CheckConstraint("(kind in ('draw', 'return')) = (hold_id is not null)", name="draws_name_their_hold"),
    once("uq_reserve_movement_hold", "tenant_id", "hold_id", "kind", where="hold_id is not null"),
)

SHORTFALL = strict_table(
    "shortfall",
    Column("tenant_id", Text, primary_key=True),
    Column("shortfall_id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("missing_cents", WholeNumber, nullable=False),
    Column("cause", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("resolved_by", Text),
    Column("resolved_at", Instant),
    Column("resolution", Text),
    refers("account_id", "cash_account"),
    CheckConstraint("missing_cents > 0", name="something_is_missing"),
    CheckConstraint("(resolved_by is null) = (resolved_at is null)", name="resolved_by_somebody"),
    once("uq_shortfall_open", "tenant_id", "account_id", where="resolved_at is null"),
)

#: The view of the guards: what each account has free, and what holds the rest. Defined once, for people and triggers alike.
FREE_CASH = table(
    "free_cash",
    column("tenant_id", Text),
    column("account_id", Text),
    column("basis_cents", WholeNumber),
    column("floor_cents", WholeNumber),
    column("reserved_cents", WholeNumber),
    column("payroll_reserved_cents", WholeNumber),
    column("pending_cents", WholeNumber),
    column("posted_cents", WholeNumber),
    column("free_cents", WholeNumber),
)
