"""Burn: how fast operating cash leaves, and how long the cash would last at that pace.

Belongs here: gross and net burn from cash movements, buffer days, one-off outflows.
Does not: what counts as a movement (``runway_calcs/books/movements.py``); the future (``runway_calcs/forecast/figures.py``).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import pandas as pd

from runway_calcs.books.movements import NON_OPERATING
from runway_calcs.cents import divide_half_up, twice_median
from runway_calcs.policy import BurnPolicy


class BurnState(StrEnum):
    """What can be said about the burn."""

    NO_DATA = "no data"
    """There are no cash movements at all."""
    NOT_COMPUTABLE = "not computable"
    """The movements do not reach back over the whole window."""
    NOT_BURNING = "not burning"
    """At least as much operating cash came in as went out."""
    BURNING = "burning"


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnWeek:
    """Operating cash of one week of the window."""

    week_ending: date
    in_cents: int
    out_cents: int
    """Positive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOff:
    """A large outflow to a party (or for accounts) not paid otherwise in a long time. It stays in the totals."""

    paid_on: date
    amount_cents: int
    """Positive."""
    label: str
    """The party, else the names of the counter accounts."""
    txn_type: str
    txn_id: str
    share_percent: int
    """Share of the gross rolling total, rounded down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """Operating burn as of a day.

    The rolling totals are the sums of four consecutive weeks inside the last 13, ten of them; a burn per day is their
    median / 28. Money is rounded half up to the cent, days are rounded down.
    """

    as_of: date
    state: BurnState
    """Speaks of the net burn; the gross burn exists whenever the state is BURNING or NOT_BURNING."""
    reason: str
    """Why the state is NO_DATA or NOT_COMPUTABLE; empty otherwise."""
    gross_rolling_cents: int | None
    """Median rolling total of operating cash out."""
    net_rolling_cents: int | None
    """Median rolling total of out less in; zero or negative when not burning."""
    gross_per_day_cents: int | None
    net_per_day_cents: int | None
    buffer_days: int | None
    """Available cash / gross burn per day; None without a cash figure or when no operating cash went out."""
    net_runway_days: int | None
    """Available cash / net burn per day; None unless BURNING with a cash figure."""
    weeks: tuple[BurnWeek, ...]
    """The window, oldest week first; empty without figures."""
    one_offs: tuple[OneOff, ...]
    """Newest first."""


def burn(movements: pd.DataFrame, *, as_of: date, cash_cents: int | None, policy: BurnPolicy) -> Burn:
    """The operating burn of the weeks up to the as-of day, from cash movements (``movements.cash_movements``).

    `cash_cents` is the cash available, less what reserves keep: what a forecast opens with (``Prepared.opening_cents``).
    """
    past = movements[movements["date"] <= pd.Timestamp(as_of)]
    first_day = as_of - timedelta(days=7 * policy.weeks - 1)
    if past.empty:
        return _without_figures(as_of=as_of, state=BurnState.NO_DATA, reason="the books hold no cash movements")
    if past["date"].min() > pd.Timestamp(first_day):
        reason = f"cash movements begin on {past['date'].min():%Y-%m-%d}, less than {policy.weeks} weeks ago"
        return _without_figures(as_of=as_of, state=BurnState.NOT_COMPUTABLE, reason=reason)
    operating = past[~past["kind"].isin(NON_OPERATING)]
    weeks = _weeks(operating, as_of=as_of, count=policy.weeks)
    gross_twice = twice_median(_rolling([week.out_cents for week in weeks], length=policy.total_weeks))
    net_twice = twice_median(_rolling([week.out_cents - week.in_cents for week in weeks], length=policy.total_weeks))
    gross = divide_half_up(gross_twice, 2)
    days = 7 * policy.total_weeks
    return Burn(
        as_of=as_of,
        state=BurnState.BURNING if net_twice > 0 else BurnState.NOT_BURNING,
        reason="",
        gross_rolling_cents=gross,
        net_rolling_cents=divide_half_up(net_twice, 2),
        gross_per_day_cents=divide_half_up(gross_twice, 2 * days),
        net_per_day_cents=divide_half_up(net_twice, 2 * days),
        buffer_days=_days_of(cash_cents, twice_rolling=gross_twice, days=days),
        net_runway_days=_days_of(cash_cents, twice_rolling=net_twice, days=days),
        weeks=weeks,
        one_offs=_one_offs(operating, as_of=as_of, first_day=first_day, gross_rolling_cents=gross, policy=policy),
    )


def _without_figures(*, as_of: date, state: BurnState, reason: str) -> Burn:
    return Burn(
        as_of=as_of,
        state=state,
        reason=reason,
        gross_rolling_cents=None,
        net_rolling_cents=None,
        gross_per_day_cents=None,
        net_per_day_cents=None,
        buffer_days=None,
        net_runway_days=None,
        weeks=(),
        one_offs=(),
    )


def _weeks(operating: pd.DataFrame, *, as_of: date, count: int) -> tuple[BurnWeek, ...]:
    """In and out of each week of the window; week endings fall on the weekday of the as-of day."""
    weeks_ago = (pd.Timestamp(as_of) - operating["date"]).dt.days // 7
    amounts = operating["amount_cents"]
    received = amounts.where(amounts > 0, 0).groupby(weeks_ago).sum()
    paid = (-amounts).where(amounts < 0, 0).groupby(weeks_ago).sum()
    return tuple(
        BurnWeek(
            week_ending=as_of - timedelta(weeks=ago),
            in_cents=int(received.get(ago, 0)),
            out_cents=int(paid.get(ago, 0)),
        )
        for ago in reversed(range(count))
    )


def _rolling(values: list[int], *, length: int) -> list[int]:
    return [sum(values[start : start + length]) for start in range(len(values) - length + 1)]


def _days_of(cash_cents: int | None, *, twice_rolling: int, days: int) -> int | None:
    """Whole days that the cash covers; overdrawn cash covers none."""
    if cash_cents is None or twice_rolling <= 0:
        return None
    return max(0, cash_cents * 2 * days // twice_rolling)


def _one_offs(
    operating: pd.DataFrame, *, as_of: date, first_day: date, gross_rolling_cents: int, policy: BurnPolicy
) -> tuple[OneOff, ...]:
    if gross_rolling_cents <= 0:
        return ()
    looked_at = operating[operating["date"] > pd.Timestamp(as_of - timedelta(days=policy.one_off_alone_days))]
    paid = looked_at[looked_at["direction"] == "out"]
    is_alone = paid.groupby("stream")["txn_id"].transform("size") == 1
    is_large = -paid["amount_cents"] * 100 >= gross_rolling_cents * policy.one_off_percent
    found = paid[is_alone & is_large & (paid["date"] >= pd.Timestamp(first_day))]
    found = found.sort_values(["date", "txn_type", "txn_id"], ascending=[False, True, True])
    rows = found[["amount_cents", "label", "txn_type", "txn_id"]].itertuples(index=False, name=None)
    return tuple(
        OneOff(
            paid_on=day,
            amount_cents=-int(cents),
            label=label,
            txn_type=txn_type,
            txn_id=txn_id,
            share_percent=-int(cents) * 100 // gross_rolling_cents,
        )
        for day, (cents, label, txn_type, txn_id) in zip(found["date"].dt.date, rows, strict=True)
    )
