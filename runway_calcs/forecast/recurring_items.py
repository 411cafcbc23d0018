"""Layer (b): the expected payments of each series that no document stands for yet, with the spread that was seen.

Belongs here: matching off, what a series varied by in day and amount, draws of both.
Does not: finding series (``recurring.py``).
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
from runway_calcs.forecast.recurring import VARYING_KINDS, Cadence, RecurringFlow, belongs, neighbours
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

    keys: tuple[tuple[str, str], ...]
    """Kind and id in QuickBooks; several for what is paid together."""
    direction: str
    stream: str
    """Series of a movement; empty for bills and invoices, which are matched by party."""
    party: tuple[str, str]
    day: date
    """Of an entry its own, of a bill or an invoice the day on which it is due."""
    amount_cents: int
    """Positive; the total of a document, since a part may be paid already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringItems:
    """What series lead one to expect."""

    items: tuple[DatedItem, ...]
    standing: Mapping[tuple[str, date], tuple[tuple[str, str], ...]]
    """The expected payments (series and day) that something entered stands for, with its kinds and ids in QuickBooks."""


def series_item_id(series: RecurringFlow, *, day: date) -> str:
    """The item of one expected payment."""
    return f"series:{series.direction}:{series.stream}:{day}"


def recurring_items(
    series: Sequence[RecurringFlow],
    *,
    payables: pd.DataFrame,
    receivables: pd.DataFrame,
    paid: Mapping[str, pd.DataFrame],
    post_dated: pd.DataFrame,
    as_of: date,
    policy: ForecastPolicy,
    recurring_policy: RecurringPolicy,
) -> RecurringItems:
    """The expected payments and receipts that nothing entered stands for yet; late ones count on the next day.

    `paid` is the payment history of the parties by their type (`payment_timing.fit`): series go by the days of payments,
    documents by the days on which they are due, and who pays late has a habit of days in between.
    """
    merge_days = recurring_policy.merge_days
    bills = _documents(payables, txn_type="Bill", party_type="Vendor", direction="out")
    invoices = _documents(receivables, txn_type="Invoice", party_type="Customer", direction="in")
    documents = [
        *bills,
        *_together(bills, merge_days=merge_days),
        *invoices,
        *_together(invoices, merge_days=merge_days),
        *_entries(post_dated, merge_days=merge_days),
    ]
    # Once for all series: comparing the text of every document for each of them would be felt.
    parties = {one.party_id for one in series}
    paid = {side: history[history["counterparty_id"].isin(parties)] for side, history in paid.items()}
    taken: set[tuple[str, str]] = set()
    found: list[DatedItem] = []
    standing: dict[tuple[str, date], tuple[tuple[str, str], ...]] = {}
    for one in series:
        candidates = _candidates(one, documents=documents, paid=paid, policy=policy)
        matched = _matched_days(one, candidates=candidates, taken=taken, policy=policy)
        standing |= {(one.stream, day): keys for day, keys in matched.items()}
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


def _documents(items: pd.DataFrame, *, txn_type: str, party_type: str, direction: str) -> list[_Document]:
    rows = items[items["txn_type"] == txn_type]
    due = rows["due_date"].where(rows["due_date"].notna(), rows["txn_date"]).dt.date
    columns = rows[["qbo_id", "party_id", "total_cents"]].itertuples(index=False, name=None)
    return [
        _Document(
            keys=((txn_type, qbo_id),),
            direction=direction,
            stream="",
            party=(party_type, party_id),
            day=day,
            amount_cents=int(cents),
        )
        for day, (qbo_id, party_id, cents) in zip(due, columns, strict=True)
    ]


def _together(documents: Sequence[_Document], *, merge_days: int) -> list[_Document]:
    """Documents of one party that are due on neighbouring days, as one: their payments are one payment of a series."""
    by_party: dict[tuple[str, str], list[_Document]] = {}
    for one in sorted(documents, key=lambda one: (one.day, one.keys)):
        by_party.setdefault(one.party, []).append(one)
    return [
        replace(
            ordered[group[0]],
            keys=tuple(key for place in group for key in ordered[place].keys),
            amount_cents=sum(ordered[place].amount_cents for place in group),
        )
        for ordered in by_party.values()
        for group in neighbours([one.day for one in ordered], merge_days=merge_days)
        if len(group) > 1
    ]


def _entries(post_dated: pd.DataFrame, *, merge_days: int) -> list[_Document]:
    """What is entered for later, entries of one series on neighbouring days made one, as past payments are."""
    ordered = post_dated.sort_values(["date", "txn_type", "txn_id"])
    rows = ordered[["txn_type", "txn_id", "stream", "amount_cents"]].itertuples(index=False, name=None)
    found: list[_Document] = []
    newest: dict[tuple[str, str], int] = {}
    for day, (txn_type, txn_id, stream, signed_cents) in zip(ordered["date"].dt.date, rows, strict=True):
        direction, cents, key = "in" if signed_cents > 0 else "out", abs(int(signed_cents)), (txn_type, txn_id)
        place = newest.get((stream, direction))
        if place is not None and (day - found[place].day).days <= merge_days:
            one = found[place]
            found[place] = replace(one, keys=(*one.keys, key), amount_cents=one.amount_cents + cents)
            continue
        newest[stream, direction] = len(found)
        found.append(
            _Document(keys=(key,), direction=direction, stream=stream, party=("", ""), day=day, amount_cents=cents)
        )
    return found


def _candidates(
    series: RecurringFlow,
    *,
    documents: Sequence[_Document],
    paid: Mapping[str, pd.DataFrame],
    policy: ForecastPolicy,
) -> list[_Document]:
    """What may stand for payments of the series, documents on the day on which their party would usually pay them."""
    party = (series.party_type, series.party_id)
    same_way = [one for one in documents if one.direction == series.direction]
    entries = [one for one in same_way if one.stream and one.stream == series.stream]
    if series.kind not in VARYING_KINDS:
        entries = [one for one in entries if _is_alike(one.amount_cents, series, policy=policy)]
    billed = [
        one
        for one in same_way
        if not one.stream
        and series.party_id
        and one.party == party
        and _is_alike(one.amount_cents, series, policy=policy)
    ]
    late = timedelta(days=_usual_lateness(series, paid=paid, policy=policy) if billed else 0)
    return [*(replace(one, day=one.day + late) for one in billed), *entries]


def _is_alike(cents: int, series: RecurringFlow, *, policy: ForecastPolicy) -> bool:
    return abs(cents - series.amount_cents) * 100 <= series.amount_cents * policy.match_percent


def _usual_lateness(series: RecurringFlow, *, paid: Mapping[str, pd.DataFrame], policy: ForecastPolicy) -> int:
    """Median days after the due date on which the party last paid documents like these; 0 before it paid any.

    Whatever has become of an open document since, its place in the series stays: an overdue one is no later payment.
    """
    history = paid[series.party_type]
    of_party = history[(history["counterparty_id"] == series.party_id) & history["paid_date"].notna()]
    off = (of_party["amount_cents"] - series.amount_cents).abs()
    alike = of_party[off * 100 <= series.amount_cents * policy.match_percent]
    last = alike.sort_values(["paid_date", "document_id"])[-policy.match_lateness_documents :]
    due = last["due_date"].where(last["due_date"].notna(), last["document_date"])
    late = (last["paid_date"] - due).dt.days.tolist()
    return median_half_up(late) if late else 0


def _matched_days(
    series: RecurringFlow,
    *,
    candidates: Sequence[_Document],
    taken: set[tuple[str, str]],
    policy: ForecastPolicy,
) -> dict[date, tuple[tuple[str, str], ...]]:
    """The expected days and what stands for each; alike amounts and nearest pairs first, each once (added to `taken`).

    An entry of another amount is the payment of the day it is nearest to or one beside it, never that of the next day.
    """
    pairs = []
    for one in candidates:
        apart = sorted((abs((one.day - day).days), day) for day in series.next_dates)
        is_alike = _is_alike(one.amount_cents, series, policy=policy)
        pairs += [(not is_alike, *pair, one.keys) for pair in (apart if is_alike else apart[:1])]
    matched: dict[date, tuple[tuple[str, str], ...]] = {}
    for _, distance, day, keys in sorted(pairs):
        if distance <= policy.match_days and day not in matched and taken.isdisjoint(keys):
            matched[day] = keys
            taken.update(keys)
    return matched


def explained_movements(
    movements: pd.DataFrame, series: Sequence[RecurringFlow], *, policy: RecurringPolicy
) -> frozenset[tuple[str, str]]:
    """The movements (kind of transaction, id) that layer (b) stands for: layer (c) does not learn from them.

    What was paid on neighbouring days is one payment of a series, as the series was found; where that is none of it, each
    payment may still be one.
    """
    ordered = movements.sort_values(["date", "txn_type", "txn_id"])
    found: set[tuple[str, str]] = set()
    for one in series:
        sign = 1 if one.direction == "in" else -1
        rows = ordered[(ordered["stream"] == one.stream) & (ordered["amount_cents"] * sign > 0)]
        keys = list(zip(rows["txn_type"], rows["txn_id"], strict=True))
        cents = [abs(int(value)) for value in rows["amount_cents"]]
        groups = neighbours(rows["date"].dt.date.tolist(), merge_days=policy.merge_days)
        for group in [*groups, *([place] for place in range(len(keys)))]:
            paid = sum(cents[place] for place in group)
            if belongs(paid, kind=one.kind, amount_cents=one.amount_cents, policy=policy):
                found.update(keys[place] for place in group)
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
