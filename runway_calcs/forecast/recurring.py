"""Recurring flows: payments and receipts that come back in a rhythm, found in the cash movements.

Belongs here: the series, their cadence, their amount and their next dates.
Does not: matching them with documents already entered, their draws (``runway_calcs/forecast/recurring_items.py``).
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any

import pandas as pd

from runway_calcs.books.movements import Kind
from runway_calcs.calendar_months import month_length, months_later
from runway_calcs.cents import median_half_up
from runway_calcs.forecast.twice_a_month import TwiceAMonth, twice_a_month
from runway_calcs.policy import RecurringPolicy

_LAST_AMOUNTS = 3
"""The amount and the day of the month come from so many newest payments."""
_QUARTERS = 4
_SAME_PART_OF_MONTH = 10
VARYING_KINDS = (Kind.PAYROLL, Kind.TAX, Kind.CARD_PAYMENT)
"""Obligations that recur whatever their amount."""
_DOCUMENT_KINDS = (Kind.BILL_PAYMENT, Kind.CUSTOMER_RECEIPT)
"""Paid by bill or invoice: any two bills of a vendor are alike within limits, so only equal amounts are a series."""


class Cadence(StrEnum):
    """The rhythm of a series of payments."""

    WEEKLY = "weekly"
    TWICE_A_MONTH = "twice a month"
    BIWEEKLY = "biweekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPayment:
    """One past payment of a series."""

    paid_on: date
    amount_cents: int
    """Positive for both directions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringFlow:
    """A series of payments or receipts that is still alive, with the evidence for it."""

    direction: str
    """in or out."""
    stream: str
    """Identity of the series: party, or counter accounts when no party is named (``movements.STREAM``)."""
    kind: str
    """One of ``movements.Kind``: payroll, tax, card_payment, bill_payment, expense ..."""
    party_type: str
    """"Vendor", "Customer", "Employee" ... of QBO; empty like `party_id`."""
    party_id: str
    """Empty when the series is known by its counter accounts only."""
    party_name: str
    counter_account_ids: str
    """Counter accounts of the newest payment, ids joined with ";"."""
    label: str
    """What a reader calls it: the party, else the names of the counter accounts."""
    cadence: Cadence
    amount_cents: int
    """Median of the last three amounts, positive."""
    seen: tuple[SeenPayment, ...]
    """The payments that show the rhythm, oldest first."""
    next_dates: tuple[date, ...]
    """Expected payments up to the end of the horizon. The first may lie up to the grace period before the as-of day:
    expected but not seen yet. Weekends are kept, but by a series of two days a month that is paid around them."""
    reason: str
    """The rule with its facts: "monthly, seen 5 times from 2026-07-01 to 2026-11-01"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rhythm:
    """The gaps that make a cadence, and how long an expected payment may stay out."""

    cadence: Cadence
    days: int
    months: int
    """0 for cadences counted in days."""
    tolerance_days: int
    grace_days: int
    kept: TwiceAMonth | None = None
    """The days of a cadence of two in a month."""


def recurring_flows(
    movements: pd.DataFrame, *, as_of: date, horizon_end: date, policy: RecurringPolicy
) -> tuple[RecurringFlow, ...]:
    """The recurring receipts and payments that are alive on the as-of day, receipts first, by label and stream."""
    recent = _recent(movements, as_of=as_of, policy=policy)
    received = recent[(recent["amount_cents"] > 0) & (recent["kind"] == Kind.CUSTOMER_RECEIPT)]
    named = received[received["party_id"] != ""]
    inflows = _alive(named, as_of=as_of, horizon_end=horizon_end, policy=policy)
    return (*inflows, *recurring_outflows(movements, as_of=as_of, horizon_end=horizon_end, policy=policy))


def recurring_outflows(
    movements: pd.DataFrame, *, as_of: date, horizon_end: date, policy: RecurringPolicy
) -> tuple[RecurringFlow, ...]:
    """The recurring outflows that are alive on the as-of day, from cash movements, by label and stream.

    A series recurs when three quarters of the gaps between its last payments fit one cadence and its last amounts
    are alike; it is alive until its grace period after the next expected payment has passed.
    """
    recent = _recent(movements, as_of=as_of, policy=policy)
    paid = recent[(recent["amount_cents"] < 0) & (recent["kind"] != Kind.CUSTOMER_REFUND)]
    return _alive(paid, as_of=as_of, horizon_end=horizon_end, policy=policy)


def _recent(movements: pd.DataFrame, *, as_of: date, policy: RecurringPolicy) -> pd.DataFrame:
    first_day = pd.Timestamp(as_of - timedelta(days=policy.lookback_days))
    return movements[(movements["date"] <= pd.Timestamp(as_of)) & (movements["date"] >= first_day)]


def _alive(
    moved: pd.DataFrame, *, as_of: date, horizon_end: date, policy: RecurringPolicy
) -> tuple[RecurringFlow, ...]:
    """The series that are alive among movements of one direction."""
    # Ordered once for all series: sorting a few rows of text costs as much as sorting all.
    ordered = moved.sort_values(["date", "txn_type", "txn_id"])
    days, cents = ordered["date"].dt.date.tolist(), ordered["amount_cents"].abs().tolist()
    by_stream = {
        str(stream): rows
        for stream, rows in ordered.groupby("stream").indices.items()
        if len(rows) >= policy.min_occurrences
    }
    newest = ordered.iloc[[rows[-1] for rows in by_stream.values()]].to_dict("records")
    found = []
    for (stream, rows), last in zip(by_stream.items(), newest, strict=True):
        seen = _occurrences([(days[row], int(cents[row])) for row in rows], merge_days=policy.merge_days)
        series = _series(seen, stream=stream, newest=last, as_of=as_of, horizon_end=horizon_end, policy=policy)
        if series is not None:
            found.append(series)
    return tuple(sorted(found, key=lambda series: (series.label, series.stream)))


def _occurrences(payments: Sequence[tuple[date, int]], *, merge_days: int) -> tuple[SeenPayment, ...]:
    """Payments in date order, those close to the first of their group made one."""
    return tuple(
        SeenPayment(paid_on=payments[group[0]][0], amount_cents=sum(payments[place][1] for place in group))
        for group in neighbours([day for day, _ in payments], merge_days=merge_days)
    )


def neighbours(days: Sequence[date], *, merge_days: int) -> list[list[int]]:
    """The positions of days in order, grouped: each lies at most so many days after the first of its group."""
    groups: list[list[int]] = []
    for place, day in enumerate(days):
        if groups and (day - days[groups[-1][0]]).days <= merge_days:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups


def _series(
    seen: tuple[SeenPayment, ...],
    *,
    stream: str,
    newest: Mapping[Hashable, Any],
    as_of: date,
    horizon_end: date,
    policy: RecurringPolicy,
) -> RecurringFlow | None:
    """The series of these payments, or None when they show no rhythm, no steady amount, or have ended."""
    rhythm = _rhythm(seen, policy=policy)
    if rhythm is None or not _is_steady(seen, kind=newest["kind"], policy=policy):
        return None
    next_dates = _next_dates([payment.paid_on for payment in seen], rhythm=rhythm, horizon_end=horizon_end)
    if not next_dates or as_of > next_dates[0] + timedelta(days=rhythm.grace_days):
        return None
    return RecurringFlow(
        direction="in" if newest["amount_cents"] > 0 else "out",
        stream=stream,
        kind=str(newest["kind"]),
        party_type=str(newest["party_type"]),
        party_id=str(newest["party_id"]),
        party_name=str(newest["party_name"]),
        counter_account_ids=str(newest["counter_account_ids"]),
        label=str(newest["label"]),
        cadence=rhythm.cadence,
        amount_cents=median_half_up([payment.amount_cents for payment in seen[-_LAST_AMOUNTS:]]),
        seen=seen,
        next_dates=next_dates,
        reason=f"{rhythm.cadence}, seen {len(seen)} times from {seen[0].paid_on} to {seen[-1].paid_on}",
    )


def _rhythm(seen: Sequence[SeenPayment], *, policy: RecurringPolicy) -> _Rhythm | None:
    """The cadence that the gaps between the last payments fit, if any."""
    if len(seen) < policy.min_occurrences:
        return None
    days = [payment.paid_on for payment in seen]
    judged = days[-policy.gap_occurrences :]
    gaps = [(later - earlier).days for earlier, later in pairwise(judged)]
    for rhythm in _rhythms(policy):
        if rhythm.cadence is Cadence.BIWEEKLY and (kept := twice_a_month(days, policy=policy)):
            # Half a month lies within the tolerance of two weeks.
            return replace(rhythm, cadence=Cadence.TWICE_A_MONTH, kept=kept)
        fitting = sum(abs(gap - rhythm.days) <= rhythm.tolerance_days for gap in gaps)
        if fitting * 100 >= len(gaps) * policy.regular_percent:
            return rhythm
    return None


def _rhythms(policy: RecurringPolicy) -> tuple[_Rhythm, ...]:
    def counted_in_days(cadence: Cadence, days: int, tolerance: int) -> _Rhythm:
        return _Rhythm(cadence=cadence, days=days, months=0, tolerance_days=tolerance, grace_days=tolerance)

    return (
        counted_in_days(Cadence.WEEKLY, 7, policy.weekly_tolerance_days),
        counted_in_days(Cadence.BIWEEKLY, 14, policy.biweekly_tolerance_days),
        _Rhythm(
            cadence=Cadence.MONTHLY,
            days=30,
            months=1,
            tolerance_days=policy.monthly_tolerance_days,
            grace_days=policy.monthly_tolerance_days,
        ),
        _Rhythm(
            cadence=Cadence.QUARTERLY,
            days=91,
            months=3,
            tolerance_days=policy.quarterly_tolerance_days,
            grace_days=policy.quarterly_grace_days,
        ),
    )


def _is_steady(seen: Sequence[SeenPayment], *, kind: str, policy: RecurringPolicy) -> bool:
    if kind in VARYING_KINDS:
        return True
    amounts = [payment.amount_cents for payment in seen[-_LAST_AMOUNTS:]]
    return all(belongs(cents, kind=kind, amount_cents=median_half_up(amounts), policy=policy) for cents in amounts)


def belongs(cents: int, *, kind: str, amount_cents: int, policy: RecurringPolicy) -> bool:
    """Whether a payment of so many cents (positive) is one of a series of this kind and amount."""
    if kind in VARYING_KINDS:
        return True
    spread = policy.document_spread_percent if kind in _DOCUMENT_KINDS else policy.amount_spread_percent
    return abs(cents - amount_cents) * 100 <= amount_cents * spread


def _next_dates(days: Sequence[date], *, rhythm: _Rhythm, horizon_end: date) -> tuple[date, ...]:
    """Expected payments after the last one, up to the end of the horizon."""
    steps = range(1, (horizon_end - days[-1]).days // 7 + 2)
    if rhythm.kept:
        expected = rhythm.kept.after(days[-1], until=horizon_end)
    elif not rhythm.months:
        expected = [days[-1] + timedelta(days=rhythm.days * step) for step in steps]
    elif rhythm.cadence is Cadence.QUARTERLY and len(days) >= _QUARTERS:
        # Quarters of a year need not be equally long (estimated taxes): each repeats its own day of last year.
        expected = [
            months_later(days[-_QUARTERS + (step - 1) % _QUARTERS], months=12 * (1 + (step - 1) // _QUARTERS))
            for step in steps
        ]
    else:
        anchor = _anchor_day(days[-_LAST_AMOUNTS:])
        expected = [months_later(days[-1], months=rhythm.months * step, day_of_month=anchor) for step in steps]
    return tuple(day for day in expected if days[-1] < day <= horizon_end)


def _anchor_day(days: Sequence[date]) -> int:
    """The day of the month that monthly payments mean: 31 for 31 Jan, 28 Feb, 31 Mar."""
    last = max(day.day for day in days)
    if all(day.day == min(last, month_length(day)) for day in days):
        return last
    numbers = sorted(day.day for day in days)
    # A payment on the 1st that slipped to the 30th before is not halfway: then the newest day stands.
    return numbers[len(numbers) // 2] if last - numbers[0] <= _SAME_PART_OF_MONTH else days[-1].day
