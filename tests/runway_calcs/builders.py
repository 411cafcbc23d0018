"""Frames of versions and small results for calculator tests, each row named by what matters in the test.

Belongs here: rows with defaults, typed as the real frames are. Does not: expectations.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd

from runway_calcs.books.as_of import AsOf
from runway_calcs.books.cash import CardAccount, CashPosition, CashState, IncludedAccount
from runway_calcs.books.movements import COLUMNS as MOVEMENT_COLUMNS
from runway_calcs.books.movements import WAITING_COLUMNS, Kind
from runway_calcs.forecast.recurring import Cadence, RecurringFlow, SeenPayment

FRIDAY = date(2026, 11, 20)
"""The as-of day of most tests."""
SYNC = datetime(2026, 11, 20, 10, tzinfo=UTC)
"""The first sync of most tests."""
LONG_AGO = datetime(2025, 1, 6, 15, tzinfo=UTC)

TEXT, CENTS, FLAG, DAY, INSTANT = "str", "int64", "bool", "datetime64[us]", "datetime64[us, UTC]"
_COMMON = {"qbo_id": TEXT, "known_at": INSTANT, "created_at": INSTANT, "is_deleted": FLAG}
_ACCOUNTS = {
    **_COMMON,
    "name": TEXT,
    "account_type": TEXT,
    "account_subtype": TEXT,
    "is_active": FLAG,
    "currency": TEXT,
    "current_balance_cents": CENTS,
}
_DOCUMENTS = {
    **_COMMON,
    "txn_type": TEXT,
    "party_id": TEXT,
    "party_name": TEXT,
    "doc_number": TEXT,
    "txn_date": DAY,
    "due_date": DAY,
    "term_id": TEXT,
    "currency": TEXT,
    "total_cents": CENTS,
    "open_cents": CENTS,
}
_APPLICATIONS = {
    **_COMMON,
    "txn_type": TEXT,
    "txn_date": DAY,
    "target_type": TEXT,
    "target_id": TEXT,
    "amount_cents": CENTS,
}
_POSTINGS = {
    **_COMMON,
    "txn_type": TEXT,
    "txn_date": DAY,
    "account_id": TEXT,
    "amount_cents": CENTS,
    "party_type": TEXT,
    "party_id": TEXT,
    "party_name": TEXT,
    "counter_account_ids": TEXT,
    "doc_number": TEXT,
    "memo": TEXT,
}
_PARTY_COLUMNS = {
    **_COMMON,
    "party_type": TEXT,
    "display_name": TEXT,
    "is_active": FLAG,
    "balance_cents": CENTS,
    "term_id": TEXT,
    "is_1099": FLAG,
}
_BILL_LINES = {
    **_COMMON,
    "txn_type": TEXT,
    "txn_date": DAY,
    "party_id": TEXT,
    "account_id": TEXT,
    "amount_cents": CENTS,
}
_TERM_COLUMNS = {**_COMMON, "name": TEXT, "due_days": CENTS, "discount_percent": TEXT, "discount_days": CENTS}
_MOVEMENTS = {name: {"date": DAY, "amount_cents": CENTS}.get(name, TEXT) for name in MOVEMENT_COLUMNS}
_WAITING = {name: {"date": DAY, "amount_cents": CENTS}.get(name, TEXT) for name in WAITING_COLUMNS}
_EMPTY: Mapping[str, Any] = {TEXT: "", CENTS: 0, FLAG: False, DAY: pd.NaT, INSTANT: pd.NaT}

Row = Mapping[str, Any]


def _frame(columns: Mapping[str, str], rows: Iterable[Row], **defaults: object) -> pd.DataFrame:
    filled = []
    for row in rows:
        unknown = set(row) - set(columns)
        assert not unknown, f"no such column: {unknown}"
        filled.append({**{name: _EMPTY[kind] for name, kind in columns.items()}, **defaults, **row})
    return pd.DataFrame({name: pd.Series([row[name] for row in filled], dtype=columns[name]) for name in columns})


def accounts(*rows: Row) -> pd.DataFrame:
    """Account versions: active checking accounts in US dollars, known since the first sync."""
    defaults = {"account_type": "Bank", "account_subtype": "Checking", "is_active": True, "currency": "USD"}
    return _frame(_ACCOUNTS, rows, known_at=SYNC, created_at=LONG_AGO, **defaults)


def documents(*rows: Row) -> pd.DataFrame:
    """Document versions: bills of vendor 1, entered long ago."""
    defaults = {"txn_type": "Bill", "party_id": "1", "party_name": "Vendor One", "currency": "USD"}
    return _frame(_DOCUMENTS, rows, known_at=SYNC, created_at=LONG_AGO, txn_date=pd.Timestamp(2026, 10, 1), **defaults)


def applications(*rows: Row) -> pd.DataFrame:
    """Application versions: bill payments entered long ago."""
    defaults = {"txn_type": "BillPayment", "target_type": "Bill"}
    return _frame(
        _APPLICATIONS, rows, known_at=SYNC, created_at=LONG_AGO, txn_date=pd.Timestamp(2026, 10, 1), **defaults
    )


def postings(*rows: Row) -> pd.DataFrame:
    """Posting versions: purchases from account 35, entered long ago."""
    defaults = {"txn_type": "Purchase", "account_id": "35"}
    return _frame(_POSTINGS, rows, known_at=SYNC, created_at=LONG_AGO, txn_date=pd.Timestamp(2026, 10, 1), **defaults)


def parties(*rows: Row) -> pd.DataFrame:
    """Versions of vendors and customers: active vendors without terms, entered long ago."""
    defaults = {"party_type": "Vendor", "is_active": True}
    return _frame(_PARTY_COLUMNS, rows, known_at=SYNC, created_at=LONG_AGO, **defaults)


def bill_lines(*rows: Row) -> pd.DataFrame:
    """Versions of the lines of bills by account: of vendor 1, entered long ago."""
    defaults = {"txn_type": "Bill", "party_id": "1", "txn_date": pd.Timestamp(2026, 10, 1)}
    return _frame(_BILL_LINES, rows, known_at=SYNC, created_at=LONG_AGO, **defaults)


def terms(*rows: Row) -> pd.DataFrame:
    """Versions of payment terms: without a discount, entered long ago."""
    return _frame(_TERM_COLUMNS, rows, known_at=SYNC, created_at=LONG_AGO, discount_days=-1)


def movements(*rows: Row) -> pd.DataFrame:
    """Cash movements with direction, series and label filled in from the rest, ids by position."""
    filled = []
    for number, row in enumerate(rows):
        cents = row["amount_cents"]
        kind = row.get("kind", Kind.EXPENSE if cents < 0 else Kind.CUSTOMER_RECEIPT)
        party = row.get("party_id", "")
        stream = f"Vendor:{party}" if party else f"accounts:{row.get('counter_account_ids', '')}"
        filled.append(
            {
                "direction": "in" if cents > 0 else "out",
                "kind": str(kind),
                "stream": "payroll" if kind == Kind.PAYROLL else stream,
                "label": row.get("party_name", "somebody"),
                "txn_type": "Purchase" if cents < 0 else "Deposit",
                "txn_id": str(number + 1),
                "party_type": "Vendor" if party else "",
                **row,
            }
        )
    return _frame(_MOVEMENTS, filled)


def waiting_later(*rows: Row) -> pd.DataFrame:
    """What goes into and out of the undeposited funds later: receipts of customer 50."""
    return _frame(_WAITING, rows, txn_type="Payment", party_id="50")


def every(days: int, *, cents: int, until: date = FRIDAY, count: int = 60, **columns: object) -> list[Row]:
    """The same movement every so many days, the last one on `until`."""
    return [
        {"date": pd.Timestamp(until - timedelta(days=days * number)), "amount_cents": cents, **columns}
        for number in range(count)
    ]


def point(
    *,
    as_of: date = FRIDAY,
    known_until: datetime = SYNC,
    first_known_at: datetime = SYNC,
    newest_known_at: datetime | None = None,
) -> AsOf:
    """A point of view; by default the day of the first sync, right after it."""
    newest = newest_known_at or max(known_until, first_known_at)
    return AsOf.at(as_of=as_of, known_until=known_until, first_known_at=first_known_at, newest_known_at=newest)


def position(
    cash_cents: int = 1_000_00,
    *,
    as_of: date = FRIDAY,
    cards: Mapping[str, int] | None = None,
    undeposited_cents: int = 0,
) -> CashPosition:
    """A cash position of one checking account, number 35, and these cards (id: owed)."""
    owed = tuple(
        CardAccount(account_id=card_id, name=f"Card {card_id}", owed_cents=cents)
        for card_id, cents in (cards or {}).items()
    )
    return CashPosition(
        as_of=as_of,
        basis="current",
        state=CashState.OK,
        reason="",
        cash_cents=cash_cents,
        accounts=(IncludedAccount(account_id="35", name="Checking", balance_cents=cash_cents, dated_later_cents=0),),
        excluded=(),
        cards=owed,
        dated_later_cents=0,
        trust_cents=0,
        undeposited_cents=undeposited_cents,
        card_owed_cents=sum(card.owed_cents for card in owed),
    )


def recurring(*next_dates: date, cents: int = 100_00, **overrides: Any) -> RecurringFlow:  # noqa: ANN401, RUF100 - any field
    """A monthly series of vendor 7 with these expected dates."""
    fields: dict[str, Any] = {
        "direction": "out",
        "stream": "Vendor:7",
        "kind": "expense",
        "party_type": "Vendor",
        "party_id": "7",
        "party_name": "Landlord",
        "counter_account_ids": "60",
        "label": "Landlord",
        "cadence": Cadence.MONTHLY,
        "amount_cents": cents,
        "seen": (SeenPayment(paid_on=date(2026, 11, 1), amount_cents=cents),),
        "next_dates": next_dates,
        "reason": "monthly",
    }
    return RecurringFlow(**(fields | overrides))


def payroll(*next_dates: date, cents: int = 400_00) -> RecurringFlow:
    """The payroll series with these expected paydays."""
    return recurring(
        *next_dates,
        cents=cents,
        stream="payroll",
        kind="payroll",
        party_type="",
        party_id="",
        party_name="",
        label="Payroll",
        cadence=Cadence.BIWEEKLY,
    )


def day(text: str) -> pd.Timestamp:
    """A business day as frames hold it."""
    return pd.Timestamp(text)


def instant(text: str) -> datetime:
    """An aware UTC instant from ISO text without an offset."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
