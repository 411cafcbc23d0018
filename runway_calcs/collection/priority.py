"""Whom to contact first: how much more cash is expected before the low point if a customer is contacted today.

Belongs here: the value of a contact, who is left out and why, the ranking and its reasons.
Does not: when invoices will be paid (draws of ``payment_timing.py`` or of the forecast are taken), the low point (the
forecast's), a customer's habit in words (``customer_delays.py``).

    value(customer) = E[cash of its open invoices by the low-water day | contacted today] - E[the same | not contacted]

over the drawn days of payment, under the assumption of `CollectionLiftPolicy` about what a contact does. One contact covers
all open invoices of a customer, so values are summed by customer; the invoices' shares add up to it to the cent.
The value: expected cash moved before the low-water date by a contact (docs/collection-priority.md).
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from runway_calcs.cents import divide_half_up
from runway_calcs.collection.customer_delays import Delay, Delays
from runway_calcs.policy import CollectionLiftPolicy

Days = NDArray[np.int64]


class PriorityState(StrEnum):
    """What the values say."""

    OK = "ok"
    NO_DATA = "no data"
    """No invoice is open."""
    NO_LOW_POINT = "no low point ahead"
    """The forecast's lowest day is the as-of day itself: nothing can come before it, and every value is 0."""
    NOT_COMPUTABLE = "not computable"
    """There is no forecast to take a low point from: values are None, and the order is by what is overdue."""


class ContactState(StrEnum):
    """Whether a customer is on the list."""

    LISTED = "listed"
    CONTACTED = "contacted within the last days"
    DISPUTED = "all open invoices are disputed"
    COVERED = "covered by credits"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactInvoice:
    """One open invoice of a customer and its share of the contact's value."""

    invoice_id: str
    doc_number: str
    due_date: date | None
    open_cents: int
    collectible_cents: int
    """Open less the customer's open credits, which are set against its oldest invoices; 0 if disputed."""
    value_cents: int | None
    """Expected cash that a contact moves before the low point; None without a low point."""
    is_disputed: bool
    delay: Delay
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A customer, what a contact today is expected to move, and why."""

    customer_id: str
    customer_name: str
    state: ContactState
    value_cents: int | None
    """Sum of the invoices' values; None without a low point. 0 for who is not listed: no contact, nothing moved."""
    expected_cents: int | None
    """Expected before the low point without a contact."""
    open_cents: int
    overdue_cents: int
    is_unusual: bool
    """At least one invoice is clearly later than this customer's own habit."""
    contacted_on: date | None
    invoices: tuple[ContactInvoice, ...]
    """By age, oldest first."""
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionPriority:
    """The customers with open invoices in the order of what a contact today is expected to move."""

    as_of: date
    low_on: date | None
    state: PriorityState
    contacts: tuple[Contact, ...]
    """Listed customers, the most valuable contact first."""
    left_out: tuple[Contact, ...]
    """Customers that are not listed, with the reason, by name."""
    assumption: str
    """What a contact is assumed to do, in words."""


def collection_priority(
    receivables: pd.DataFrame,
    history: pd.DataFrame,
    draws: pd.DataFrame,
    *,
    as_of: date,
    low_on: date | None,
    disputed_invoice_ids: Set[str] = frozenset(),
    contacted_on: Mapping[str, date],
    policy: CollectionLiftPolicy,
) -> CollectionPriority:
    """Rank the customers with open invoices by the value of a contact today.

    Args:
        receivables: as of `open_items.open_items`, credits with negative amounts; invoices are what can be collected.
        history: as of `payment_history.payment_history` of the receivables: the customers' own habits.
        draws: index document_id (invoice ids), a column for each draw; the day of payment as datetime64 (as of
            `PaymentTimingModel.sample`) or as whole days after `as_of`. Rows of other documents are not looked at.
        as_of: the day of the contact.
        low_on: the forecast's low-water day; None if there is no forecast.
        disputed_invoice_ids: invoices that are not to be collected for now.
        contacted_on: customer id: the day it was last contacted.
        policy: what a contact is assumed to do.

    Raises:
        ValueError: an open invoice has no draws, or there are none at all.
    """
    items = receivables.sort_values(["overdue_days", "qbo_id"], ascending=[False, True])
    invoices = items[(items["txn_type"] == "Invoice") & (items["open_cents"] > 0)]
    owed_back = -items[items["open_cents"] < 0].groupby("party_id")["open_cents"].sum()
    pile = _Pile(
        as_of=as_of,
        low_day=None if low_on is None else (low_on - as_of).days,
        days=_drawn_days(draws, invoices["qbo_id"], as_of=as_of),
        delays=Delays(history, as_of=as_of, policy=policy),
        disputed=disputed_invoice_ids,
        policy=policy,
    )
    contacts = [
        _contact(
            customer,
            pile,
            credit_cents=int(owed_back.get(customer[0].customer_id, 0)),
            contacted_on=contacted_on.get(customer[0].customer_id),
        )
        for customer in _by_customer(invoices)
    ]
    listed = [one for one in contacts if one.state is ContactState.LISTED]
    left_out = [one for one in contacts if one.state is not ContactState.LISTED]
    return CollectionPriority(
        as_of=as_of,
        low_on=low_on,
        state=_state(has_invoices=bool(contacts), as_of=as_of, low_on=low_on),
        contacts=tuple(sorted(listed, key=_rank)),
        left_out=tuple(sorted(left_out, key=lambda one: (one.customer_name, one.customer_id))),
        assumption=_assumption(policy),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pile:
    """What all customers are judged by."""

    as_of: date
    low_day: int | None
    """Days from `as_of` to the low point."""
    days: Days
    """A row for each open invoice, a column for each draw."""
    delays: Delays
    disputed: Set[str]
    policy: CollectionLiftPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """One open invoice, typed."""

    place: int
    """Its row in the draws."""
    customer_id: str
    customer_name: str
    invoice_id: str
    doc_number: str
    due_date: date | None
    open_cents: int
    days_late: int


def _drawn_days(draws: pd.DataFrame, invoice_ids: "pd.Series[str]", *, as_of: date) -> Days:
    """A row for each invoice: whole days from `as_of` to its payment."""
    missing = sorted(set(invoice_ids) - set(draws.index))
    if missing or draws.shape[1] == 0:
        raise ValueError(f"no draws for the open invoices {missing[:5]}" if missing else "there are no draws")
    values = draws.loc[list(invoice_ids)].to_numpy()
    if np.issubdtype(values.dtype, np.datetime64):
        values = (values - np.datetime64(as_of, "D")).astype("timedelta64[D]")
    return values.astype(np.int64)


def _by_customer(invoices: pd.DataFrame) -> list[list[_Open]]:
    """The invoices of each customer, by customer id; within one as they come, oldest first."""
    columns = ["party_id", "party_name", "qbo_id", "doc_number", "open_cents", "overdue_days"]
    dates = [None if pd.isna(due) else due.date() for due in invoices["due_date"]]
    found: dict[str, list[_Open]] = {}
    rows = invoices[columns].itertuples(index=False, name=None)
    for place, ((customer_id, name, invoice_id, number, cents, late), due) in enumerate(zip(rows, dates, strict=True)):
        found.setdefault(customer_id, []).append(
            _Open(
                place=place,
                customer_id=customer_id,
                customer_name=name,
                invoice_id=invoice_id,
                doc_number=number,
                due_date=due,
                open_cents=int(cents),
                days_late=int(late),
            )
        )
    return [found[customer_id] for customer_id in sorted(found)]


def _contact(owed: list[_Open], pile: _Pile, *, credit_cents: int, contacted_on: date | None) -> Contact:
    days = pile.days[[one.place for one in owed]]
    disputed = [one.invoice_id in pile.disputed for one in owed]
    wanted = np.array([0 if no else one.open_cents for one, no in zip(owed, disputed, strict=True)], dtype=np.int64)
    collectible = _less_credits(wanted, credit_cents)
    delays = [pile.delays.of(one.customer_id, days_late=one.days_late) for one in owed]
    state = _contact_state(collectible, pile, is_disputed=all(disputed), contacted_on=contacted_on)
    has_unseen = any(one.is_unseen and not no for one, no in zip(delays, disputed, strict=True))
    percent = pile.policy.unseen_responding_percent if has_unseen else pile.policy.responding_percent
    values = _values(collectible, days, pile, responding_percent=percent if state is ContactState.LISTED else 0)
    invoices = tuple(
        ContactInvoice(
            invoice_id=one.invoice_id,
            doc_number=one.doc_number,
            due_date=one.due_date,
            open_cents=one.open_cents,
            collectible_cents=int(collectible[number]),
            value_cents=None if values is None else values[number],
            is_disputed=disputed[number],
            delay=delays[number],
            reason="disputed" if disputed[number] else delays[number].reason,
        )
        for number, one in enumerate(owed)
    )
    return Contact(
        customer_id=owed[0].customer_id,
        customer_name=owed[0].customer_name,
        state=state,
        value_cents=None if values is None else sum(values),
        expected_cents=None if pile.low_day is None else _expected(collectible, days, low_day=pile.low_day),
        open_cents=sum(one.open_cents for one in owed),
        overdue_cents=sum(one.open_cents for one in owed if one.days_late > 0),
        is_unusual=any(one.delay.is_unusual and not one.is_disputed for one in invoices),
        contacted_on=contacted_on,
        invoices=invoices,
        reasons=_reasons(invoices, state=state, contacted_on=contacted_on, has_unseen=has_unseen, policy=pile.policy),
    )


def _less_credits(cents: NDArray[np.int64], credit_cents: int) -> NDArray[np.int64]:
    """What is left of the amounts, oldest first, after the credits are used up on them."""
    used = np.minimum(np.cumsum(cents), credit_cents)
    return cents - np.diff(used, prepend=0)


def _contact_state(
    collectible: NDArray[np.int64], pile: _Pile, *, is_disputed: bool, contacted_on: date | None
) -> ContactState:
    if is_disputed:
        return ContactState.DISPUTED
    if contacted_on is not None and pile.as_of < contacted_on + timedelta(days=pile.policy.again_after_days):
        return ContactState.CONTACTED
    return ContactState.LISTED if collectible.any() else ContactState.COVERED


def _values(cents: NDArray[np.int64], days: Days, pile: _Pile, *, responding_percent: int) -> list[int] | None:
    """Cents that a contact moves before the low point, for each invoice; None without a low point.

    A payment on day t after the low point comes by it if it moves by at least t - low days: so many of the equally likely
    1 to `most_days` do. A low point sooner than a contact works is out of reach.
    """
    policy, low_day = pile.policy, pile.low_day
    if low_day is None:
        return None
    if low_day < policy.soonest_days:
        return [0] * len(cents)
    enough = np.where(days > low_day, np.clip(policy.most_days + 1 - (days - low_day), 0, None), 0).sum(axis=1)
    # Whole numbers up to the one division: the same draws give the same cents on every machine.
    scale = 100 * policy.most_days * days.shape[1]
    return [
        divide_half_up(int(amount) * responding_percent * int(count), scale)
        for amount, count in zip(cents, enough, strict=True)
    ]


def _expected(cents: NDArray[np.int64], days: Days, *, low_day: int) -> int:
    by_low = (days <= low_day).sum(axis=1)
    return divide_half_up(sum(int(a) * int(n) for a, n in zip(cents, by_low, strict=True)), days.shape[1])


def _rank(contact: Contact) -> tuple[int, bool, int, int, str]:
    """Most value first; among equals an unusual delay, then what is overdue, what is open, the id."""
    value = contact.value_cents or 0
    return (-value, not contact.is_unusual, -contact.overdue_cents, -contact.open_cents, contact.customer_id)


def _state(*, has_invoices: bool, as_of: date, low_on: date | None) -> PriorityState:
    if not has_invoices:
        return PriorityState.NO_DATA
    if low_on is None:
        return PriorityState.NOT_COMPUTABLE
    return PriorityState.OK if low_on > as_of else PriorityState.NO_LOW_POINT


def _assumption(policy: CollectionLiftPolicy) -> str:
    return (
        f"of the customers contacted {policy.responding_percent} % pay 1 to {policy.most_days} days earlier "
        f"({policy.unseen_responding_percent} % of those with an invoice later than any they ever paid)"
    )


def _reasons(
    invoices: tuple[ContactInvoice, ...],
    *,
    state: ContactState,
    contacted_on: date | None,
    has_unseen: bool,
    policy: CollectionLiftPolicy,
) -> tuple[str, ...]:
    """Why a customer stands where it does: its unusual delays first, else its oldest open invoice."""
    if state is ContactState.CONTACTED:
        return (f"contacted on {contacted_on}, within the last {policy.again_after_days} days",)
    if state is not ContactState.LISTED:
        return (str(state),)
    wanted = [one for one in invoices if not one.is_disputed]
    shown = [one for one in wanted if one.delay.is_unusual] or wanted[:1]
    said = list(dict.fromkeys(one.reason for one in shown))
    if has_unseen:
        said.append("an invoice is later than any this customer ever paid: less is expected of a contact")
    return tuple(said)
