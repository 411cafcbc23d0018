"""What a digest says that depends on no object that was changed since: the same live and for who is connected later.

The changed objects come from the versions kept. A figure is compared when none of them is among what it is made of; a sum is
compared without them. Forecast, plan and priorities are made of the whole history: they are compared where nothing was changed
(`test_replay.py`).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from assets.desk import Desk
from experiences.digest.document import Ageing, BillLine, DigestDocument, InvoiceLine
from runway_calcs.books.ageing import BUCKETS
from runway_calcs.books.cash import CashPosition
from runway_calcs.hygiene.assessment import Hygiene
from runway_calcs.hygiene.defects import Defect, DefectKind

Key = tuple[str, str]
Line = InvoiceLine | BillLine

#: Found in one document by itself; the others compare documents, parties or accounts with each other.
_OF_ONE_DOCUMENT = (DefectKind.MISSING_DUE_DATE, DefectKind.FAR_PAST, DefectKind.FUTURE_DATED, DefectKind.UNCATEGORIZED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A week as one installation sees it: its tables, and the digest it published."""

    desk: Desk
    digest: DigestDocument


def assert_same_figures_of_what_was_left_alone(
    live: Sight, rebuilt: Sight, *, changed: set[Key], parties: set[str]
) -> Counter[str]:
    """Compare part by part; how many figures of each part were compared."""
    compared: Counter[str] = Counter()
    touched = {account for one in (live, rebuilt) for account in _accounts_of(one.desk, changed)}
    compared["accounts"] = _same_accounts(live, rebuilt, touched=touched)
    if not any(_moves_cash(one.desk, changed) for one in (live, rebuilt)):
        assert live.digest.burn == rebuilt.digest.burn
        compared["burn"] += 1
    sides = (("books/open_invoices", "receivables"), ("books/open_bills", "payables"))
    for table, side in sides:
        _same_ageing(live, rebuilt, table=table, side=side, changed=changed)
        compared["buckets"] += len(BUCKETS)
    compared["documents"] = _same_lines(live, rebuilt, changed=changed, parties=parties)
    compared["defects"] = _same_defects(live, rebuilt, changed=changed, parties=parties)
    return compared


def _same_accounts(live: Sight, rebuilt: Sight, *, touched: set[str]) -> int:
    position = live.desk.result("books/cash_position", CashPosition)
    alone = {one.name for one in position.accounts if one.account_id not in touched}
    balances = [
        {one.name: one.balance_cents for one in sight.digest.cash.accounts.rows if one.name in alone}
        for sight in (live, rebuilt)
    ]
    assert balances[0] == balances[1]
    if not touched & position.card_ids:
        assert live.digest.cash.card_owed_cents == rebuilt.digest.cash.card_owed_cents
    return len(balances[0])


def _same_ageing(live: Sight, rebuilt: Sight, *, table: str, side: str, changed: set[Key]) -> None:
    """Each bucket without the changed documents in it."""
    rest = []
    for sight in (live, rebuilt):
        told = getattr(sight.digest, side)
        assert isinstance(told, Ageing)
        items = sight.desk.frame(table)
        theirs = items[_keys(items, "qbo_id").isin(changed)].groupby("bucket")["open_cents"].sum()
        rest.append([cents - int(theirs.get(one, 0)) for one, cents in zip(BUCKETS, told.bucket_cents, strict=True)])
    assert rest[0] == rest[1], side


def _same_lines(live: Sight, rebuilt: Sight, *, changed: set[Key], parties: set[str]) -> int:
    """Documents that both name; what the books say of each, and of whom nothing was changed the habit too."""
    count = 0
    for table, lists in (
        ("books/open_invoices", ("expected", "overdue")),
        ("books/open_bills", ("overdue", "due")),
    ):
        items = live.desk.frame(table)
        alone = items[~_keys(items, "qbo_id").isin(changed) & ~items["party_id"].isin(parties)]
        names = set(zip(alone["party_name"], alone["doc_number"], alone["open_cents"], strict=True))
        money = "money_in" if table == "books/open_invoices" else "money_out"
        for name in lists:
            one, other = (_lines(getattr(getattr(sight.digest, money), name).rows, names) for sight in (live, rebuilt))
            both = one.keys() & other.keys()
            assert {key: one[key] for key in both} == {key: other[key] for key in both}, name
            count += len(both)
    return count


def _lines(rows: Iterable[Line], names: set[tuple[Any, ...]]) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Numbers that occur once, each with what its own document says."""
    found: dict[tuple[str, str], list[Line]] = {}
    for row in rows:
        whose = row.customer if isinstance(row, InvoiceLine) else row.vendor
        if (whose, row.doc_number, row.open_cents) in names:
            found.setdefault((whose, row.doc_number), []).append(row)
    return {
        key: (lines[0].due_date, lines[0].open_cents, lines[0].overdue_days)
        for key, lines in found.items()
        if len(lines) == 1
    }


def _same_defects(live: Sight, rebuilt: Sight, *, changed: set[Key], parties: set[str]) -> int:
    """What is to be mended in one document by itself, whether listed or counted."""
    one, other = (
        _of_one_document(sight.desk.result("runway/hygiene", Hygiene).defects, changed=changed)
        for sight in (live, rebuilt)
    )
    named = {name for name in _names(live.desk, parties) | _names(rebuilt.desk, parties) if name}
    assert _without(one, named) == _without(other, named)
    return len(one)


def _of_one_document(defects: Sequence[Defect], *, changed: set[Key]) -> dict[tuple[str, str, str], tuple[Any, ...]]:
    return {
        one.key: (one.label, one.what, one.amount_cents, one.age_days)
        for one in defects
        if one.kind in _OF_ONE_DOCUMENT and (one.object_type, one.object_id) not in changed
    }


def _without(defects: dict[tuple[str, str, str], tuple[Any, ...]], names: set[str]) -> dict[tuple[str, str, str], Any]:
    return {key: told for key, told in defects.items() if not any(name in told[0] for name in names)}


def _names(desk: Desk, parties: set[str]) -> set[str]:
    frame = desk.frame("books/parties")
    return {str(name) for name in frame.loc[frame["qbo_id"].isin(parties), "display_name"]}


def _accounts_of(desk: Desk, changed: set[Key]) -> set[str]:
    postings = desk.frame("books/postings")
    return {str(one) for one in postings.loc[_keys(postings, "qbo_id").isin(changed), "account_id"]}


def _moves_cash(desk: Desk, changed: set[Key]) -> bool:
    return bool(_keys(desk.frame("books/cash_movements"), "txn_id").isin(changed).any())


def _keys(frame: pd.DataFrame, qbo_id: str) -> pd.Series:
    return pd.Series(list(zip(frame["txn_type"], frame[qbo_id], strict=True)), index=frame.index, dtype="object")
