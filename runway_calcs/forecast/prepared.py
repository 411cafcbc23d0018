"""A forecast before its draws: the items of the layers (a) and (b), what layer (c) is drawn from, opening and floor.

Belongs here: putting the three layers together from the books at a point of view, each cent in one of them.
Does not: draws (``simulation.py``), figures (``figures.py``).

    (a) on the books   what is entered: dated by payment timing, by a person or by itself
    (b) recurring      series of the past; an expected payment leaves when a document stands for it
    (c) statistical    what past Fridays knew nothing of either, without the movements of the series of (b)
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd

from runway_calcs.books.as_of import AsOf
from runway_calcs.books.books_at import BooksAt
from runway_calcs.books.cash import CashPosition
from runway_calcs.books.cash_pieces import CashHabits
from runway_calcs.books.movements import NON_OPERATING, Kind
from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.balance_items import balance_items
from runway_calcs.forecast.dated_items import DatedItem, Dating, item_order
from runway_calcs.forecast.document_items import document_items
from runway_calcs.forecast.earmarks import Delay, Hold, PurposeReserve, beside_the_floor, with_draws
from runway_calcs.forecast.known_items import DateOverride, KnownItem, items_at, overrides_at
from runway_calcs.forecast.receipts_level import receipts_factor
from runway_calcs.forecast.recurring import RecurringFlow, recurring_flows
from runway_calcs.forecast.recurring_items import Spread, explained_movements, recurring_items, series_item_id, spreads
from runway_calcs.forecast.run_off import RunOff, learn_run_off, unexplained
from runway_calcs.payment_timing import LikelyDays, PaymentTimingModel, fit
from runway_calcs.policy import ForecastPolicy, RecurringPolicy

_DECILES = tuple(number / 20 for number in range(1, 20, 2))
_HABIT_MONTHS = 3
_DATED_RECEIPTS = (FlowKind.UNDEPOSITED, FlowKind.POST_DATED_RECEIPT, FlowKind.RECURRING_RECEIPT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastInputs:
    """What people and payments tell a forecast; all empty for the books alone."""

    known_items: tuple[KnownItem, ...] = ()
    date_overrides: tuple[DateOverride, ...] = ()
    holds: tuple[Hold, ...] = ()
    delays: tuple[Delay, ...] = ()
    reserves: tuple[PurposeReserve, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Payment timing of one side, fitted, and the open documents it can be asked about."""

    model: PaymentTimingModel
    open_documents: pd.DataFrame
    unseen: tuple[float, ...]
    """Share of the payments of the last days that is not in the books yet (``CashHabits``)."""

    @cached_property
    def likely(self) -> LikelyDays:
        """The days on which the open documents may be paid."""
        return self.model.likely(self.open_documents, unseen=self.unseen)

    def only(self, document_ids: Collection[str]) -> Self:
        """The same timing for some of the documents."""
        return replace(
            self, open_documents=self.open_documents[self.open_documents["document_id"].isin(list(document_ids))]
        )


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Everything that the draws of a forecast are taken from."""

    at: AsOf
    policy: ForecastPolicy
    position: CashPosition
    items: tuple[DatedItem, ...]
    """Layers (a) and (b) by day, kind, label and id; beyond the horizon too where a document says so."""
    timing: Mapping[Dating, Timing]
    series: tuple[RecurringFlow, ...]
    spreads: Mapping[tuple[str, str], Spread]
    habits: CashHabits
    run_off: RunOff
    receipts_factor: float
    """Level of the receipts of layer (c) (``receipts_level.py``)."""
    reserves: tuple[PurposeReserve, ...]
    floor_cents: int
    floor_reason: str
    floor_payroll: frozenset[str]
    """Ids of the items that pay the payroll which is the floor; empty where the floor is none."""
    unused_vendor_credit_cents: int
    unused_customer_credit_cents: int

    @property
    def opening_cents(self) -> int | None:
        """Cash of the as-of day less reserves; None without a cash figure."""
        cash = self.position.cash_cents
        return None if cash is None else cash - self.reserved_cents

    @property
    def reserved_cents(self) -> int:
        """What the reserves keep beside the floor."""
        return sum(reserve.held_cents for reserve in self.reserves)


def prepare(
    books: BooksAt,
    *,
    inputs: ForecastInputs,
    policy: ForecastPolicy,
    recurring_policy: RecurringPolicy,
    like: Prepared | None = None,
    has_same_past: bool = False,
) -> Prepared:
    """The three layers of the forecast of these books.

    `like` is the forecast of nearly the same books (before a correction): its payment timing and its level of receipts are
    taken over, so that the difference is that of the documents. If these books `has_same_past`, movements and pieces
    alike, then what is learned from them is taken over as well: it would come out the same.
    """
    at = books.at
    past = like if has_same_past else None
    series = past.series if past else _series(books, policy=policy, recurring_policy=recurring_policy)
    documents = document_items(
        payables=books.payables,
        receivables=books.receivables,
        overrides=overrides_at(inputs.date_overrides, at=at),
        holds=inputs.holds,
        delays=inputs.delays,
        as_of=at.as_of,
    )
    expected = recurring_items(
        series,
        payables=books.payables,
        receivables=books.receivables,
        paid={"Vendor": books.vendors.history, "Customer": books.customers.history},
        post_dated=books.movements[books.movements["date"] > at.as_of_day],
        as_of=at.as_of,
        policy=policy,
        recurring_policy=recurring_policy,
    )
    balances = balance_items(
        position=books.position,
        movements=books.movements,
        waiting_later=books.waiting_later,
        series=series,
        habits=books.habits,
        known_items=items_at(inputs.known_items, at=at),
        policy=policy,
    )
    items = tuple(sorted((*documents.items, *expected.items, *balances), key=item_order))
    payrolls = _next_payrolls(series) if policy.floor_cents is None else ()
    floor_cents, floor_reason = _floor(payrolls, as_of=at.as_of, policy=policy)
    timing = {
        side: Timing(
            model=like.timing[side].model if like else fit(payers.history, as_of=at.as_of),
            open_documents=payers.open_documents,
            unseen=unseen,
        )
        for side, payers, unseen in (
            (Dating.CUSTOMER, books.customers, books.habits.unseen_receipts),
            (Dating.VENDOR, books.vendors, books.habits.unseen_payments),
        )
    }
    run_off = past.run_off if past else _run_off(books, series=series, policy=policy, recurring_policy=recurring_policy)
    factor = (
        like.receipts_factor
        if like
        else _receipts_factor(books, run_off, items=items, customers=timing[Dating.CUSTOMER], policy=policy)
    )
    return Prepared(
        at=at,
        policy=policy,
        position=books.position,
        items=items,
        timing=timing,
        series=series,
        spreads=past.spreads if past else spreads(series, policy=recurring_policy),
        habits=books.habits,
        run_off=run_off,
        receipts_factor=factor,
        reserves=beside_the_floor(
            with_draws(inputs.reserves, holds=inputs.holds, vendors=documents.held_vendors()),
            floor_cents=floor_cents,
            is_floor_next_payroll=policy.floor_cents is None,
        ),
        floor_cents=floor_cents,
        floor_reason=floor_reason,
        floor_payroll=_paying(payrolls, items=items, standing=expected.standing),
        unused_vendor_credit_cents=documents.unused_vendor_credit_cents,
        unused_customer_credit_cents=documents.unused_customer_credit_cents,
    )


def _series(books: BooksAt, *, policy: ForecastPolicy, recurring_policy: RecurringPolicy) -> tuple[RecurringFlow, ...]:
    as_of = books.at.as_of
    return recurring_flows(books.movements, as_of=as_of, horizon_end=policy.horizon_end(as_of), policy=recurring_policy)


def _run_off(
    books: BooksAt,
    *,
    series: tuple[RecurringFlow, ...],
    policy: ForecastPolicy,
    recurring_policy: RecurringPolicy,
) -> RunOff:
    """What layer (c) learns from: no series of (b), and nothing that need not come again.

    That is what owners and lenders paid in, and single transfers between own accounts.
    """
    movements = books.movements
    financed = movements[(movements["kind"] == Kind.FINANCING) & (movements["amount_cents"] > 0)]
    alone = pd.concat([financed, _single_transfers(movements, position=books.position)])
    explained = explained_movements(movements, series, policy=recurring_policy)
    explained |= set(zip(alone["txn_type"], alone["txn_id"], strict=True))
    return learn_run_off(unexplained(books.pieces, explained=explained), at=books.at, policy=policy)


def _single_transfers(movements: pd.DataFrame, *, position: CashPosition) -> pd.DataFrame:
    """The movements between the cash and an own account that does not count, if they are no habit.

    A habit is a direction seen in three months and in half of the months since the first: sales that are paid out by such an
    account are income. Accounts in another currency are different: what is exchanged was earned there, or is to pay somebody.
    """
    foreign = position.foreign_ids
    is_home = [foreign.isdisjoint(ids.split(";")) for ids in movements["counter_account_ids"]]
    own = movements[(movements["kind"] == Kind.OWN_ACCOUNT) & np.array(is_home, dtype="bool")]
    month = own["date"].dt.year * 12 + own["date"].dt.month
    seen = month.groupby([own["counter_account_ids"], own["amount_cents"] > 0])
    months, since = (
        seen.transform("nunique"),
        position.as_of.year * 12 + position.as_of.month + 1 - seen.transform("min"),
    )
    single: pd.DataFrame = own[(months < _HABIT_MONTHS) | (2 * months < since)]
    return single


def _receipts_factor(
    books: BooksAt,
    run_off: RunOff,
    *,
    items: tuple[DatedItem, ...],
    customers: Timing,
    policy: ForecastPolicy,
) -> float:
    """The level of layer (c)'s receipts, from the books alone: what people enter or decide moves nothing else."""
    if run_off.weeks <= 1:
        return 1.0
    end = pd.Timestamp(policy.horizon_end(books.at.as_of))
    asked = customers.open_documents
    within = (customers.likely.quantiles(_DECILES) <= end).mean(axis=1)
    reaches = 1 - asked["counterparty_id"].map(books.habits.receipts_elsewhere).fillna(0.0).to_numpy(dtype="float64")
    invoiced = float((asked["amount_cents"].to_numpy() * within.to_numpy() * reaches).sum()) if len(asked) else 0.0
    dated = sum(item.amount_cents for item in items if item.kind in _DATED_RECEIPTS and item.expected_on <= end.date())
    movements = books.movements
    return receipts_factor(
        run_off,
        known_cents=round(invoiced) + dated,
        operating=movements[~movements["kind"].isin(NON_OPERATING)],
        at=books.at,
        policy=policy,
    )


def _next_payrolls(series: tuple[RecurringFlow, ...]) -> tuple[RecurringFlow, ...]:
    """The payrolls that come first, on one day by their rhythm."""
    payrolls = [one for one in series if one.kind == Kind.PAYROLL]
    first = min((one.next_dates[0] for one in payrolls), default=None)
    return tuple(one for one in payrolls if one.next_dates[0] == first)


def _floor(payrolls: tuple[RecurringFlow, ...], *, as_of: date, policy: ForecastPolicy) -> tuple[int, str]:
    """The floor and where it comes from."""
    if policy.floor_cents is not None:
        return policy.floor_cents, "set for this tenant"
    if not payrolls:
        return 0, "zero: no recurring payroll is recognised and none is set"
    day = max(payrolls[0].next_dates[0], as_of + timedelta(days=1))
    return sum(one.amount_cents for one in payrolls), payroll_floor(day)


def payroll_floor(day: date) -> str:
    """Where the floor comes from that is the next payroll."""
    return f"the next payroll, expected {day}"


def _paying(
    payrolls: tuple[RecurringFlow, ...],
    *,
    items: tuple[DatedItem, ...],
    standing: Mapping[tuple[str, date], tuple[tuple[str, str], ...]],
) -> frozenset[str]:
    """Ids of the items that pay these payrolls: their own, or those of what is entered for them."""
    own = {series_item_id(one, day=one.next_dates[0]) for one in payrolls}
    entered = {key for one in payrolls for key in standing.get((one.stream, one.next_dates[0]), ())}
    return frozenset(one.item_id for one in items if one.item_id in own or (one.txn_type, one.txn_id) in entered)
