"""Past cash movements cut into pieces, each with the instant from which the books told of it.

Belongs here: what of a movement paid which document, and when that document (or the movement) was entered.
Does not: which pieces the forecast would have missed (``runway_calcs/forecast/run_off.py``).

A payment of two invoices is two pieces; a deposit of five receipts is the pieces of those receipts, matched first in,
first out through the undeposited funds. The pieces of a movement always sum to it: what no document explains is a piece
of its own. A piece was known from the entry of its document or of its movement, whichever came first; what an import or a
catch-up entered, from its own day (``entries.py``).
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from runway_calcs.books.as_of import DOCUMENT_KEY, AsOf, select_known
from runway_calcs.books.entries import credible_entries
from runway_calcs.flow_kinds import REST_KINDS, FlowKind

_UNSEEN_DAYS = 7
"""A payment that is not entered after so many days is not reckoned with."""
_ENOUGH_PAYMENTS = 10
_NEWEST_PAYMENTS = 10
_WEEKDAYS = 7
_CREDIT_TARGETS = ("CreditMemo", "VendorCredit")
_DOCUMENT_KIND = {"Payment": FlowKind.NEW_SALES, "BillPayment": FlowKind.NEW_BILLS}
_REST_NUMBER = {kind: number for number, kind in enumerate(REST_KINDS)}

COLUMNS = ("txn_type", "txn_id", "day", "cents", "entered", "kind", "document")
"""`day` datetime64 of the movement, `entered` aware UTC, `cents` signed int64, `kind` the number in `REST_KINDS`,
`document` what it paid ("Invoice:12"), empty without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CashHabits:
    """By which way documents reach the cash, from what was seen."""

    undeposited_share: dict[str, float]
    """Customer id -> share of its payments that waited in undeposited funds."""
    deposit_wait_days: tuple[int, ...]
    """Days that received payments waited for their deposit, oldest first."""
    deposit_waits: tuple[tuple[int, ...], ...] = ((),) * 7
    """The same by the weekday of the receipt, Monday first: who goes to the bank on Thursdays empties the drawer then."""
    card_share: dict[str, float]
    """Vendor id -> share of its paid bills that went through a card: that money leaves with the card's payment."""
    receipts_elsewhere: dict[str, float] = field(default_factory=dict)
    """Customer id -> share of its newest payments that went to an account which is not cash (another currency, left out)."""
    payments_elsewhere: dict[str, float] = field(default_factory=dict)
    """Vendor id -> the same of the payments of its bills."""
    unseen_receipts: tuple[float, ...] = ()
    """Share of customers' payments dated 0, 1, ... days before the as-of day that are usually entered only later."""
    unseen_payments: tuple[float, ...] = ()
    """The same of payments of bills."""


def cash_pieces(
    movements: pd.DataFrame,
    *,
    postings: pd.DataFrame,
    documents: pd.DataFrame,
    applications: pd.DataFrame,
    undeposited_ids: frozenset[str],
    at: AsOf,
) -> pd.DataFrame:
    """The pieces of all movements up to the as-of day, by day, kind of transaction, id and entry (`COLUMNS`).

    Args:
        movements: ``movements.cash_movements`` at the point of view.
        postings: Versions of postings.
        documents: Versions of documents (their `created_at` is when each was entered).
        applications: Versions of applications.
        undeposited_ids: Accounts in which receipts wait for their deposit.
        at: The point of view.
    """
    posted = _posted(postings, at=at)
    shares = _shares(_first_versions(documents, at=at), _applied(applications, at=at))
    past = movements[movements["date"] <= at.as_of_day]
    own = _direct_pieces(past, posted, shares)
    banked = _banked_pieces(past, posted, shares, undeposited_ids=undeposited_ids)
    return _completed(past, posted, pd.concat([own, banked], ignore_index=True))


def _posted(postings: pd.DataFrame, *, at: AsOf) -> pd.DataFrame:
    """The known postings, with the entry that their books can be believed to tell."""
    known = select_known(postings, known_until=at.known_until, first_known_at=at.first_known_at, key=DOCUMENT_KEY)
    return known.assign(created_at=credible_entries(known, singly=True))


def _applied(applications: pd.DataFrame, *, at: AsOf) -> pd.DataFrame:
    return select_known(applications, known_until=at.known_until, first_known_at=at.first_known_at, key=DOCUMENT_KEY)


def _first_versions(documents: pd.DataFrame, *, at: AsOf) -> pd.DataFrame:
    """Each document that had been entered, as it was first seen, whatever became of it, with its credible entry.

    One that is entered late is late alone: its payment was unknown until then, but is not missing in the cash.
    """
    entered = documents[documents["created_at"] <= pd.Timestamp(at.known_until)]
    first = entered.sort_values("known_at", kind="stable").drop_duplicates(list(DOCUMENT_KEY))
    return first.assign(created_at=credible_entries(first))


def _shares(documents: pd.DataFrame, applied: pd.DataFrame) -> pd.DataFrame:
    """What each payment settled, signed (credits used are negative), with the entry of the document."""
    entered = documents.groupby(list(DOCUMENT_KEY), sort=False)["created_at"].min()
    rows = applied[applied["target_id"] != ""]
    keys = pd.MultiIndex.from_frame(rows[["target_type", "target_id"]])
    sign = np.where(rows["target_type"].isin(_CREDIT_TARGETS), -1, 1)
    found = pd.DataFrame(
        {
            "txn_type": rows["txn_type"].to_numpy(),
            "txn_id": rows["qbo_id"].to_numpy(),
            "settled_cents": rows["amount_cents"].to_numpy() * sign,
            "target_entered": entered.reindex(keys).array,
            "document": (rows["target_type"] + ":" + rows["target_id"]).to_numpy(),
        }
    )
    return found.sort_values(["txn_type", "txn_id", "document", "settled_cents"], ignore_index=True)


def _entries(posted: pd.DataFrame) -> pd.DataFrame:
    """Entry of each transaction that posts, one row a transaction."""
    entered = posted.groupby(list(DOCUMENT_KEY), sort=False)["created_at"].min().reset_index()
    return entered.rename(columns={"qbo_id": "txn_id", "created_at": "txn_entered"})


def _direct_pieces(past: pd.DataFrame, posted: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    """Pieces of payments that moved the cash themselves."""
    paying = past[past["txn_type"].isin(list(_DOCUMENT_KIND))][["txn_type", "txn_id", "date", "amount_cents"]]
    found = paying.merge(shares, on=["txn_type", "txn_id"]).merge(_entries(posted), on=["txn_type", "txn_id"])
    sign = np.where(found["txn_type"] == "BillPayment", -1, 1)
    entered = found["target_entered"].fillna(found["txn_entered"])
    return pd.DataFrame(
        {
            "txn_type": found["txn_type"],
            "txn_id": found["txn_id"],
            "day": found["date"],
            "cents": found["settled_cents"] * sign,
            "entered": entered.where(entered < found["txn_entered"], found["txn_entered"]),
            "kind": found["txn_type"].map({name: _REST_NUMBER[kind] for name, kind in _DOCUMENT_KIND.items()}),
            "document": found["document"],
        }
    )


def _banked_pieces(
    past: pd.DataFrame, posted: pd.DataFrame, shares: pd.DataFrame, *, undeposited_ids: frozenset[str]
) -> pd.DataFrame:
    """Pieces of deposits: the receipts that each took out of the undeposited funds, first in, first out."""
    deposits = _taken_out(past, posted, undeposited_ids=undeposited_ids)
    receipts = _put_in(posted, shares, undeposited_ids=undeposited_ids)
    place, source, cents = _first_in_first_out(receipts["cents"].to_numpy(), deposits["cents"].to_numpy())
    return pd.DataFrame(
        {
            "txn_type": deposits["txn_type"].to_numpy()[place],
            "txn_id": deposits["txn_id"].to_numpy()[place],
            "day": deposits["date"].array[place],
            "cents": cents,
            "entered": receipts["entered"].array[source],
            "kind": receipts["kind"].to_numpy()[source],
            "document": receipts["document"].to_numpy()[source],
        }
    )


def _taken_out(past: pd.DataFrame, posted: pd.DataFrame, *, undeposited_ids: frozenset[str]) -> pd.DataFrame:
    """Movements that took money out of the undeposited funds, with how much, in order of their day."""
    waiting = posted[posted["account_id"].isin(undeposited_ids)]
    sums = -waiting.groupby(list(DOCUMENT_KEY), sort=True)["amount_cents"].sum()
    taken = sums[sums > 0].rename("cents").reset_index().rename(columns={"qbo_id": "txn_id"})
    found = past[["txn_type", "txn_id", "date"]].merge(taken, on=["txn_type", "txn_id"])
    return found.sort_values(["date", "txn_type", "txn_id"], ignore_index=True)


def _put_in(posted: pd.DataFrame, shares: pd.DataFrame, *, undeposited_ids: frozenset[str]) -> pd.DataFrame:
    """Receipts of the undeposited funds, cut by document, in order of entry: `cents`, `entered`, `kind`, `txn_id`."""
    waiting = posted[posted["account_id"].isin(undeposited_ids) & (posted["amount_cents"] > 0)]
    waiting = waiting.sort_values(["created_at", "txn_type", "qbo_id"]).rename(columns={"qbo_id": "txn_id"})
    waiting = waiting[["txn_type", "txn_id", "txn_date", "created_at", "amount_cents"]].reset_index(drop=True)
    waiting["row"] = waiting.index
    parts = waiting.merge(shares[shares["settled_cents"] > 0], on=["txn_type", "txn_id"])
    # Credits used make the parts exceed the payment: they are cut back in order, so that a receipt is the sum of its parts.
    before = parts.groupby("row")["settled_cents"].cumsum() - parts["settled_cents"]
    cents = np.minimum(parts["settled_cents"], (parts["amount_cents"] - before).clip(lower=0))
    entered = parts["target_entered"].fillna(parts["created_at"])
    settled = pd.DataFrame(
        {
            "row": parts["row"],
            "txn_id": parts["txn_id"],
            "date": parts["txn_date"],
            "cents": cents,
            "entered": entered.where(entered < parts["created_at"], parts["created_at"]),
            "kind": _REST_NUMBER[FlowKind.NEW_SALES],
            "document": parts["document"],
        }
    )
    left = waiting["amount_cents"] - settled.groupby("row")["cents"].sum().reindex(waiting["row"], fill_value=0)
    unsettled = pd.DataFrame(
        {
            "row": waiting["row"],
            "txn_id": waiting["txn_id"],
            "date": waiting["txn_date"],
            "cents": left,
            "entered": waiting["created_at"],
            "kind": _REST_NUMBER[FlowKind.OTHER_RECEIPT],
            "document": "",
        }
    )
    found = pd.concat([settled, unsettled], ignore_index=True)
    return found[found["cents"] > 0].sort_values(
        ["row", "kind", "entered", "document"], kind="stable", ignore_index=True
    )


def _first_in_first_out(puts: np.ndarray, takes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which take holds how much of which put: index of the take, index of the put, amount (all int64)."""
    put_ends, take_ends = np.cumsum(puts), np.cumsum(takes)
    if not len(puts) or not len(takes):
        return (np.zeros(0, dtype="int64"),) * 3
    ends = np.unique(np.concatenate([put_ends, take_ends]))
    ends = ends[ends <= min(put_ends[-1], take_ends[-1])]
    cents = np.diff(ends, prepend=0)
    return np.searchsorted(take_ends, ends), np.searchsorted(put_ends, ends), cents


def _completed(past: pd.DataFrame, posted: pd.DataFrame, pieces: pd.DataFrame) -> pd.DataFrame:
    """The pieces and, for each movement, what they leave of it."""
    explained = pieces.groupby(["txn_type", "txn_id"])["cents"].sum()
    whole = past[["txn_type", "txn_id", "date", "amount_cents"]].merge(
        _entries(posted), on=["txn_type", "txn_id"], how="left"
    )
    keys = pd.MultiIndex.from_frame(whole[["txn_type", "txn_id"]])
    left = whole["amount_cents"] - explained.reindex(keys, fill_value=0).to_numpy(dtype="int64")
    direct = np.where(
        whole["amount_cents"] > 0, _REST_NUMBER[FlowKind.OTHER_RECEIPT], _REST_NUMBER[FlowKind.OTHER_PAYMENT]
    )
    kind = direct
    for name, of_document in _DOCUMENT_KIND.items():
        kind = np.where(whole["txn_type"] == name, _REST_NUMBER[of_document], kind)
    rest = pd.DataFrame(
        {
            "txn_type": whole["txn_type"],
            "txn_id": whole["txn_id"],
            "day": whole["date"],
            "cents": left,
            "entered": whole["txn_entered"],
            "kind": kind,
            "document": "",
        }
    )
    found = pd.concat([pieces, rest[rest["cents"] != 0]], ignore_index=True)
    found = found.astype({"cents": "int64", "kind": "int64"})
    return found.sort_values(["day", "txn_type", "txn_id", "entered", "kind", "document", "cents"], ignore_index=True)[
        list(COLUMNS)
    ]


def cash_habits(
    *,
    postings: pd.DataFrame,
    applications: pd.DataFrame,
    movements: pd.DataFrame,
    undeposited_ids: frozenset[str],
    card_ids: frozenset[str],
    elsewhere_ids: frozenset[str] = frozenset(),
    at: AsOf,
) -> CashHabits:
    """The ways by which documents reached the cash so far."""
    posted = _posted(postings, at=at)
    shares = _shares(posted, _applied(applications, at=at))
    past = movements[movements["date"] <= at.as_of_day]
    deposits = _taken_out(past, posted, undeposited_ids=undeposited_ids)
    receipts = _put_in(posted, shares, undeposited_ids=undeposited_ids)
    place, source, _ = _first_in_first_out(receipts["cents"].to_numpy(), deposits["cents"].to_numpy())
    received = receipts["date"].array[source]
    waited = (deposits["date"].array[place] - received).days
    on = pd.DatetimeIndex(received).day_of_week
    of_weekday = [waited[(on == weekday) & (waited >= 0)] for weekday in range(_WEEKDAYS)]
    paid = posted[posted["txn_type"] == "Payment"]
    bills = posted[posted["txn_type"] == "BillPayment"]
    return CashHabits(
        undeposited_share=_share_by_party(paid, through=undeposited_ids),
        deposit_wait_days=tuple(int(days) for days in waited if days >= 0),
        deposit_waits=tuple(tuple(int(days) for days in waits) for waits in of_weekday),
        card_share=_share_by_party(bills, through=card_ids),
        receipts_elsewhere=_share_by_party(_newest(paid), through=elsewhere_ids),
        payments_elsewhere=_share_by_party(_newest(bills), through=elsewhere_ids),
        unseen_receipts=_unseen(paid, at=at),
        unseen_payments=_unseen(bills, at=at),
    )


def _unseen(posted: pd.DataFrame, *, at: AsOf) -> tuple[float, ...]:
    """Share of the payments of each of the last days that would not be entered by now, as past ones were entered.

    Of the payments of the same weekday, since an office does not work on all; of all of them where those are few.
    """
    payments = posted.drop_duplicates("qbo_id")
    if payments.empty:
        return ()
    waited = (payments["created_at"].dt.tz_localize(None) - payments["txn_date"]).to_numpy()
    weekday = payments["txn_date"].dt.day_of_week.to_numpy()
    until = pd.Timestamp(at.known_until).tz_localize(None)
    found = []
    for ago in range(_UNSEEN_DAYS):
        day = at.as_of_day - pd.Timedelta(days=ago)
        of_weekday = waited[weekday == day.weekday()]
        judged = of_weekday if len(of_weekday) >= _ENOUGH_PAYMENTS else waited
        found.append(float((judged > (until - day).to_timedelta64()).mean()))
    return tuple(found)


def _newest(posted: pd.DataFrame) -> pd.DataFrame:
    """The last payments of each party: who has moved to another account pays there from then on."""
    ordered = posted.sort_values(["txn_date", "txn_type", "qbo_id", "account_id"])
    return ordered.groupby("party_id", sort=False).tail(_NEWEST_PAYMENTS)


def _share_by_party(posted: pd.DataFrame, *, through: frozenset[str]) -> dict[str, float]:
    """Share of each party's payments that went through these accounts; parties with none left out."""
    is_through = posted["account_id"].isin(through)
    shares = is_through.groupby(posted["party_id"]).mean()
    return {str(party): float(share) for party, share in shares[shares > 0].items()}
