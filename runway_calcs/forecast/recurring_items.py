"""Layer (b): the expected payments of each series that no document stands for yet, with the spread that was seen.

Belongs here: matching off, what a series varied by in day and amount, draws of both.
Does not: finding series (``recurring.py``).
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from runway_calcs.books.movements import Kind
from runway_calcs.calendar_months import months_later
from runway_calcs.cents import median_half_up
from runway_calcs.flow_kinds import FlowKind, Layer
from runway_calcs.forecast.dated_items import DatedItem, Dating
from runway_calcs.forecast.recurring import Cadence, RecurringFlow, belongs
from runway_calcs.forecast.twice_a_month import twice_a_month
from runway_calcs.policy import ForecastPolicy, RecurringPolicy

FLOW_OF_MOVEMENT = {Kind.PAYROLL: FlowKind.PAYROLL, Kind.TAX: FlowKind.TAX, Kind.CARD_PAYMENT: FlowKind.CARD}
_DAYS = {Cadence.WEEKLY: 7, Cadence.BIWEEKLY: 14}
_BEFORE = 3
"""An amount is set against the median of so many payments before it, as the expected amount is."""
_YEARLY_KINDS = (Kind.PAYROLL, Kind.TAX)
_YEAR = 365
_YEARLY_SLACK_DAYS = 10
_SPIKE = 1.15
"""A payment this many times the ones before it, at the same time last year, is expected again (a year-end bonus)."""
_RARE_PERCENT = 10
"""As long as so few payments are that much larger, they are events of the year and no spread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """Something entered that may stand for one expected payment of a series."""

    key: tuple[str, str]
    stream: str
    """Series of a movement; empty for bills and invoices, which are matched by party."""
    party: tuple[str, str]
    day: date
    amount_cents: int
    """Positive; the total of a document, since a part may be paid already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringItems:
    """What series lead one to expect."""

    items: tuple[DatedItem, ...]
    standing: Mapping[tuple[str, date], tuple[str, str]]
    """The expected payments (series and day) that something entered stands for, with its kind and id in QuickBooks."""


def series_item_id(series: RecurringFlow, *, day: date) -> str:
    """The item of one expected payment."""
    return f"series:{series.direction}:{series.stream}:{day}"


def recurring_items(
    series: Sequence[RecurringFlow],
    *,
    payables: pd.DataFrame,
    receivables: pd.DataFrame,
    post_dated: pd.DataFrame,
    as_of: date,
    policy: ForecastPolicy,
) -> RecurringItems:
    """The expected payments and receipts that nothing entered stands for yet; late ones count on the next day."""
    documents = [
        *_documents(payables, txn_type="Bill", party_type="Vendor"),
        *_documents(receivables, txn_type="Invoice", party_type="Customer"),
        *_movements(post_dated),
    ]
    taken: set[tuple[str, str]] = set()
    found: list[DatedItem] = []
    standing: dict[tuple[str, date], tuple[str, str]] = {}
    for one in series:
        matched = _matched_days(one, documents=documents, taken=taken, policy=policy)
        standing |= {(one.stream, day): key for day, key in matched.items()}
        found.extend(_item(one, day=day, as_of=as_of) for day in one.next_dates if day not in matched)
    return RecurringItems(items=tuple(found), standing=standing)


def _item(series: RecurringFlow, *, day: date, as_of: date) -> DatedItem:
    is_in = series.direction == "in"
    factor = _same_time_last_year(series, day)
    cents = round(series.amount_cents * factor)
    return DatedItem(
        item_id=series_item_id(series, day=day),
        layer=Layer.RECURRING,
        kind=FlowKind.RECURRING_RECEIPT if is_in else FLOW_OF_MOVEMENT.get(Kind(series.kind), FlowKind.RECURRING),
        amount_cents=cents if is_in else -cents,
        expected_on=max(day, as_of + timedelta(days=1)),
        dating=Dating.SERIES,
        label=series.label,
        party_id=series.party_id,
        txn_type="",
        txn_id="",
        doc_number="",
        stream=series.stream,
        reason=series.reason if factor == 1 else f"{series.reason}; {factor:.2f} times the usual a year before",
    )


def _documents(items: pd.DataFrame, *, txn_type: str, party_type: str) -> list[_Document]:
    rows = items[items["txn_type"] == txn_type]
    due = rows["due_date"].where(rows["due_date"].notna(), rows["txn_date"]).dt.date
    columns = rows[["qbo_id", "party_id", "total_cents"]].itertuples(index=False, name=None)
    return [
        _Document(key=(txn_type, qbo_id), stream="", party=(party_type, party_id), day=day, amount_cents=int(cents))
        for day, (qbo_id, party_id, cents) in zip(due, columns, strict=True)
    ]


def _movements(post_dated: pd.DataFrame) -> list[_Document]:
    rows = post_dated[["txn_type", "txn_id", "stream", "amount_cents"]].itertuples(index=False, name=None)
    return [
        _Document(key=(txn_type, txn_id), stream=stream, party=("", ""), day=day, amount_cents=abs(int(cents)))
        for day, (txn_type, txn_id, stream, cents) in zip(post_dated["date"].dt.date, rows, strict=True)
    ]


def _matched_days(
    series: RecurringFlow,
    *,
    documents: Sequence[_Document],
    taken: set[tuple[str, str]],
    policy: ForecastPolicy,
) -> dict[date, tuple[str, str]]:
    """The expected days and the document that stands for each; nearest pairs first, a document once (added to `taken`)."""
    party = (series.party_type, series.party_id)
    candidates = [
        document
        for document in documents
        if (document.stream == series.stream if document.stream else document.party == party and series.party_id)
        and abs(document.amount_cents - series.amount_cents) * 100 <= series.amount_cents * policy.match_percent
    ]
    pairs = sorted(
        (abs((document.day - day).days), day, document.key) for document in candidates for day in series.next_dates
    )
    matched: dict[date, tuple[str, str]] = {}
    for distance, day, key in pairs:
        if distance <= policy.match_days and day not in matched and key not in taken:
            matched[day] = key
            taken.add(key)
    return matched


def explained_movements(
    movements: pd.DataFrame, series: Sequence[RecurringFlow], *, policy: RecurringPolicy
) -> frozenset[tuple[str, str]]:
    """The movements (kind of transaction, id) that layer (b) stands for: layer (c) does not learn from them."""
    found: set[tuple[str, str]] = set()
    for one in series:
        sign = 1 if one.direction == "in" else -1
        rows = movements[(movements["stream"] == one.stream) & (movements["amount_cents"] * sign > 0)]
        keys = zip(rows["txn_type"], rows["txn_id"], rows["amount_cents"], strict=True)
        found.update(
            (txn_type, txn_id)
            for txn_type, txn_id, cents in keys
            if belongs(abs(int(cents)), kind=one.kind, amount_cents=one.amount_cents, policy=policy)
        )
    return frozenset(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """What a series varied by: days off the rhythm, and amounts as shares of the ones before."""

    days: NDArray[np.int64]
    shares: NDArray[np.float64]


def spreads(series: Sequence[RecurringFlow], *, policy: RecurringPolicy) -> Mapping[tuple[str, str], Spread]:
    """What each series (direction, stream) varied by."""
    return {
        (one.direction, one.stream): Spread(days=_day_spread(one, policy=policy), shares=_shares(one)) for one in series
    }


def _day_spread(series: RecurringFlow, *, policy: RecurringPolicy) -> NDArray[np.int64]:
    days = [payment.paid_on for payment in series.seen]
    if series.cadence in _DAYS:
        off = [(later - earlier).days - _DAYS[series.cadence] for earlier, later in pairwise(days)]
    elif series.cadence is Cadence.TWICE_A_MONTH and (month_days := twice_a_month(days, policy=policy)):
        off = [(day - month_days.nearest(day)).days for day in days]
    elif series.cadence is Cadence.MONTHLY and series.next_dates:
        anchor = max(day.day for day in series.next_dates)
        off = [_off_month_day(day, anchor=anchor) for day in days]
    else:
        off = [0]
    limit = _DAYS.get(series.cadence, 14) // 2
    kept = [one for one in off if abs(one) <= limit]
    return np.array(sorted(kept) or [0], dtype="int64")


def _off_month_day(day: date, *, anchor: int) -> int:
    """Days from the nearest day of a month that is the anchor."""
    off = [(day - months_later(day, months=step, day_of_month=anchor)).days for step in (-1, 0, 1)]
    return min(off, key=abs)


def _ratios(series: RecurringFlow) -> list[tuple[date, float]]:
    """Each payment as a share of the median of those before it."""
    seen = series.seen
    return [
        (
            seen[number].paid_on,
            seen[number].amount_cents / median_half_up([one.amount_cents for one in seen[number - _BEFORE : number]]),
        )
        for number in range(_BEFORE, len(seen))
    ]


def _shares(series: RecurringFlow) -> NDArray[np.float64]:
    ratios = _ratios(series)
    spikes = [one for one in ratios if one[1] >= _SPIKE]
    if series.kind in _YEARLY_KINDS and len(spikes) * 100 <= max(len(ratios) * _RARE_PERCENT, 100):
        # What comes once or twice a year has its day (`_same_time_last_year`): it does not come at random as well.
        ratios = [one for one in ratios if one[1] < _SPIKE]
    return np.array(sorted(share for _, share in ratios) or [1.0])


def _same_time_last_year(series: RecurringFlow, day: date) -> float:
    """How many times the usual the payment of a year before was, where that was much more; else 1."""
    if series.kind not in _YEARLY_KINDS or series.cadence is Cadence.QUARTERLY:
        return 1.0
    before = day - timedelta(days=_YEAR)
    near = [(abs((paid_on - before).days), share) for paid_on, share in _ratios(series)]
    nearest = min(near, default=(_YEAR, 1.0))
    return nearest[1] if nearest[0] <= _YEARLY_SLACK_DAYS and nearest[1] >= _SPIKE else 1.0


def item_rng(item_id: str, *, seed: int) -> np.random.Generator:
    """The random stream of one item: its own, so that other items change nothing about it."""
    return np.random.default_rng([seed, zlib.crc32(item_id.encode())])


def draw_series_item(
    item: DatedItem, spread: Spread, *, draws: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Days off the expected day and signed cents, for each draw."""
    rng = item_rng(item.item_id, seed=seed)
    off = spread.days[rng.integers(len(spread.days), size=draws)]
    share = spread.shares[rng.integers(len(spread.shares), size=draws)]
    return off, np.rint(item.amount_cents * share).astype("int64")
