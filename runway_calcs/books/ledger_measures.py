"""Measures of receivables and payables as of a day: DSO, best-possible DSO, days delinquent, days to pay, DPO, CEI, quick ratio.

Belongs here: the formulas, their inputs taken from the known books, and why one has no value.
Does not: ageing (``runway_calcs/books/ageing.py``); the yield of a discount (``bills/discount_yield.py``); judging a figure.

The window is the policy's number of days up to the as-of day, that day included. Receivables and payables are the open
items dated up to the as-of day (``open_items``), credits negative; "current" is what is not yet due by ageing's rule.

    DSO     receivables / credit sales x days                      Net credit sales: invoices less credit memos
    BPDSO   current receivables / credit sales x days                dated in the window; sales receipts are cash sales.
    ADD     DSO - BPDSO                                            Equal to the thousandth, by construction.
    CEI     (beginning receivables + credit sales - ending total receivables)
            / (beginning receivables + credit sales - ending current receivables)
    DPO     payables / bills entered in the window x days          Less vendor credits entered in it.
    days to pay: of documents paid in full in the window, days from document to last payment, weighted by amount
    quick ratio: (cash + receivables expected within the window's length from now)
            / (payables + card balances + taxes due within it)

Beginning receivables are rolled back from the ending ones (less net sales, plus receipts in the window), so that a
document keyed late stands on its own date at both ends. Over one period all terms are of that same period: a balance of
three months set against the sales of one month gives another, meaningless figure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Literal

import pandas as pd

from runway_calcs.books.as_of import DOCUMENT_KEY, AsOf, Basis, select_known
from runway_calcs.books.entries import credible_entries
from runway_calcs.books.open_items import Side, known_documents
from runway_calcs.cents import divide_half_up
from runway_calcs.policy import MeasurePolicy

Unit = Literal["days", "percent", "ratio"]

_SETTLED_BY = {"Invoice": "Payment", "Bill": "BillPayment"}
_SCALE: Mapping[Unit, int] = {"days": 1_000, "percent": 100_000, "ratio": 1_000}


class MeasureName(StrEnum):
    """The measures, in the order in which they are shown."""

    DSO = "days sales outstanding"
    BEST_POSSIBLE_DSO = "best-possible days sales outstanding"
    AVERAGE_DAYS_DELINQUENT = "average days delinquent"
    DAYS_TO_PAY_INVOICES = "days to pay, invoices paid in the window"
    COLLECTION_EFFECTIVENESS = "collection effectiveness index"
    DPO = "days payables outstanding"
    DAYS_TO_PAY_BILLS = "days to pay, bills paid in the window"
    QUICK_RATIO = "quick ratio"


class MeasureState(StrEnum):
    """The four answers, kept apart."""

    VALUE = "value"
    ZERO = "zero"
    """A true zero: the numerator is nothing, what it is divided by is there."""
    NO_DATA = "no data"
    """The books hold none of the documents the measure is about."""
    NOT_COMPUTABLE = "not computable"
    """There are documents, but nothing to divide by, or an input is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureInput:
    """One number that went into a measure."""

    name: str
    amount: int
    """In cents, or a count of documents or days: see the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure with everything it was made from."""

    name: MeasureName
    state: MeasureState
    unit: Unit
    value_thousandths: int | None
    """Thousandths of the unit, halves rounded up; None unless the state is VALUE or ZERO."""
    inputs: tuple[MeasureInput, ...]
    formula: str
    reason: str
    """How the figure reads, or why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerMeasures:
    """The measures of a tenant as of a day."""

    as_of: date
    basis: Basis
    window_days: int
    measures: tuple[Measure, ...]
    """In the order of `MeasureName`."""

    def measure(self, name: MeasureName) -> Measure:
        """The measure of this name."""
        return next(one for one in self.measures if one.name is name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Balance:
    """One side of the books at the as-of day and over the window, in cents."""

    documents: int
    """How many documents of the side are known at all."""
    open_cents: int
    current_cents: int
    dated_later_cents: int
    window_cents: int
    """Invoices less credit memos dated in the window; bills less vendor credits entered in it."""
    settled_cents: int
    """Payments dated in the window, unapplied money included."""


def ledger_measures(
    documents: pd.DataFrame,
    applications: pd.DataFrame,
    *,
    receivables: pd.DataFrame,
    payables: pd.DataFrame,
    at: AsOf,
    cash_cents: int | None,
    card_owed_cents: int,
    expected_receipts_cents: int | None,
    taxes_due_cents: int | None,
    policy: MeasurePolicy,
) -> LedgerMeasures:
    """All measures as of a day from the known books.

    Args:
        documents: the ledger's frame of document versions.
        applications: the ledger's frame of application versions.
        receivables: what is open with customers at that point (``open_items``).
        payables: what is open with vendors (``open_items``).
        at: the point of view.
        cash_cents: cash of the chosen accounts; None when there is no figure.
        card_owed_cents: what is owed on credit cards.
        expected_receipts_cents: open receivables expected within the window's length from now; None when not known.
        taxes_due_cents: taxes due within it, positive; None when not known.
        policy: the length of the window.
    """
    known = known_documents(documents, applications, at=at)
    owed_to_us = _balance(known, receivables, side="receivables", at=at, policy=policy)
    dso, best = _days_of_sales(owed_to_us, policy=policy)
    return LedgerMeasures(
        as_of=at.as_of,
        basis=at.basis,
        window_days=policy.window_days,
        measures=(
            dso,
            best,
            _delinquent(dso, best),
            _days_to_pay(known, applications, document="Invoice", at=at, policy=policy),
            _effectiveness(owed_to_us),
            _days_of_payables(_balance(known, payables, side="payables", at=at, policy=policy), policy=policy),
            _days_to_pay(known, applications, document="Bill", at=at, policy=policy),
            quick_ratio(
                cash_cents=cash_cents,
                expected_receipts_cents=expected_receipts_cents,
                payables_due_cents=_due_within(payables, policy=policy),
                card_owed_cents=card_owed_cents,
                taxes_due_cents=taxes_due_cents,
            ),
        ),
    )


def days_outstanding_thousandths(*, open_cents: int, flow_cents: int, window_days: int) -> int:
    """Open balance over the window's sales or purchases, in thousandths of a day; `flow_cents` is positive."""
    return divide_half_up(open_cents * window_days * _SCALE["days"], flow_cents)


def collection_effectiveness(
    *, beginning_cents: int, credit_sales_cents: int, ending_total_cents: int, ending_current_cents: int
) -> int | None:
    """The CEI in thousandths of a percent, all four of one period; None when there was nothing to collect."""
    collectable = beginning_cents + credit_sales_cents - ending_current_cents
    if collectable <= 0:
        return None
    return divide_half_up((beginning_cents + credit_sales_cents - ending_total_cents) * _SCALE["percent"], collectable)


def quick_ratio(
    *,
    cash_cents: int | None,
    expected_receipts_cents: int | None,
    payables_due_cents: int,
    card_owed_cents: int,
    taxes_due_cents: int | None,
) -> Measure:
    """Cash and receivables expected soon over what is due in the same time."""
    parts = {
        "cash": cash_cents,
        "receivables expected": expected_receipts_cents,
        "payables due": payables_due_cents,
        "card balances": card_owed_cents,
        "taxes due": taxes_due_cents,
    }
    given = {name: cents for name, cents in parts.items() if cents is not None}
    formula = "(cash + receivables expected) / (payables due + card balances + taxes due)"
    missing = ", ".join(name for name in parts if name not in given)
    due = payables_due_cents + card_owed_cents + (taxes_due_cents or 0)
    if missing:
        state, reason = MeasureState.NOT_COMPUTABLE, f"not known: {missing}"
    elif due <= 0:
        state, reason = MeasureState.NOT_COMPUTABLE, "nothing is due"
    else:
        assert cash_cents is not None
        assert expected_receipts_cents is not None
        thousandths = divide_half_up((cash_cents + expected_receipts_cents) * _SCALE["ratio"], due)
        return _valued(MeasureName.QUICK_RATIO, "ratio", thousandths, inputs=given, formula=formula)
    return _without(MeasureName.QUICK_RATIO, "ratio", state, reason, inputs=given, formula=formula)


def _balance(known: pd.DataFrame, items: pd.DataFrame, *, side: Side, at: AsOf, policy: MeasurePolicy) -> _Balance:
    document, credit, payment = {
        "receivables": ("Invoice", "CreditMemo", "Payment"),
        "payables": ("Bill", "VendorCredit", "BillPayment"),
    }[side]
    is_later = items["txn_date"] > at.as_of_day
    dated = items[~is_later]
    own = known[known["txn_type"].isin((document, credit, payment))]
    by_date = _in_window(own["txn_date"], at=at, policy=policy)
    in_window = by_date if side == "receivables" else _entered_in_window(own, at=at, policy=policy)
    flow = own[in_window]
    return _Balance(
        documents=int((own["txn_type"] == document).sum()),
        open_cents=int(dated["open_cents"].sum()),
        current_cents=int(dated.loc[dated["bucket"] == "Current", "open_cents"].sum()),
        dated_later_cents=int(items.loc[is_later, "open_cents"].sum()),
        window_cents=_total(flow, document) - _total(flow, credit),
        settled_cents=_total(own[by_date], payment),
    )


def _total(rows: pd.DataFrame, txn_type: str) -> int:
    return int(rows.loc[rows["txn_type"] == txn_type, "total_cents"].sum())


def _in_window(days: pd.Series, *, at: AsOf, policy: MeasurePolicy) -> pd.Series:
    """The last `window_days` days, the as-of day included."""
    return (days > at.as_of_day - pd.Timedelta(days=policy.window_days)) & (days <= at.as_of_day)


def _entered_in_window(rows: pd.DataFrame, *, at: AsOf, policy: MeasurePolicy) -> pd.Series:
    since = pd.Timestamp(at.known_until) - pd.Timedelta(days=policy.window_days)
    return (credible_entries(rows) > since) & (rows["txn_date"] <= at.as_of_day)


def _days_of_sales(balance: _Balance, *, policy: MeasurePolicy) -> tuple[Measure, Measure]:
    return (
        _days_outstanding(
            MeasureName.DSO,
            balance,
            over=("receivables", balance.open_cents),
            flow="net credit sales in the window",
            documents="invoices",
            policy=policy,
        ),
        _days_outstanding(
            MeasureName.BEST_POSSIBLE_DSO,
            balance,
            over=("current receivables", balance.current_cents),
            flow="net credit sales in the window",
            documents="invoices",
            policy=policy,
        ),
    )


def _days_of_payables(balance: _Balance, *, policy: MeasurePolicy) -> Measure:
    return _days_outstanding(
        MeasureName.DPO,
        balance,
        over=("payables", balance.open_cents),
        flow="bills entered in the window less vendor credits",
        documents="bills",
        policy=policy,
    )


def _days_outstanding(
    name: MeasureName,
    balance: _Balance,
    *,
    over: tuple[str, int],
    flow: str,
    documents: str,
    policy: MeasurePolicy,
) -> Measure:
    label, open_cents = over
    inputs = {
        label: open_cents,
        flow: balance.window_cents,
        "days": policy.window_days,
        "open but dated later, left out": balance.dated_later_cents,
    }
    formula = f"{label} / {flow} x days"
    if balance.documents == 0:
        state, reason = MeasureState.NO_DATA, f"the books hold no {documents}"
    elif balance.window_cents <= 0:
        state, reason = MeasureState.NOT_COMPUTABLE, f"no {flow}: nothing to divide by"
    else:
        days = days_outstanding_thousandths(
            open_cents=open_cents, flow_cents=balance.window_cents, window_days=policy.window_days
        )
        return _valued(name, "days", days, inputs=inputs, formula=formula)
    return _without(name, "days", state, reason, inputs=inputs, formula=formula)


def _delinquent(dso: Measure, best: Measure) -> Measure:
    """DSO less best-possible DSO: the days that come from what is overdue."""
    name, formula = MeasureName.AVERAGE_DAYS_DELINQUENT, "days sales outstanding - best-possible days sales outstanding"
    if dso.value_thousandths is None or best.value_thousandths is None:
        return _without(name, "days", dso.state, dso.reason, inputs={}, formula=formula)
    inputs = {"DSO, thousandths of a day": dso.value_thousandths, "BPDSO, thousandths of a day": best.value_thousandths}
    days = dso.value_thousandths - best.value_thousandths
    found = _valued(name, "days", days, inputs=inputs, formula=formula)
    if days < 0:
        return replace(found, reason="below zero: unapplied credits are larger than what is overdue")
    return found


def _effectiveness(balance: _Balance) -> Measure:
    name, sales = MeasureName.COLLECTION_EFFECTIVENESS, balance.window_cents
    # Rolled back, so that late-keyed documents stand on their own date at both ends of the window.
    beginning = balance.open_cents - sales + balance.settled_cents
    inputs = {
        "beginning receivables": beginning,
        "net credit sales in the window": sales,
        "ending total receivables": balance.open_cents,
        "ending current receivables": balance.current_cents,
    }
    formula = "(beginning + credit sales - ending total) / (beginning + credit sales - ending current)"
    if balance.documents == 0:
        return _without(
            name, "percent", MeasureState.NO_DATA, "the books hold no invoices", inputs=inputs, formula=formula
        )
    percent = collection_effectiveness(
        beginning_cents=beginning,
        credit_sales_cents=sales,
        ending_total_cents=balance.open_cents,
        ending_current_cents=balance.current_cents,
    )
    if percent is None:
        state, reason = MeasureState.NOT_COMPUTABLE, "nothing was due for collection in the window"
        return _without(name, "percent", state, reason, inputs=inputs, formula=formula)
    return _valued(name, "percent", percent, inputs=inputs, formula=formula)


def _days_to_pay(
    known: pd.DataFrame, applications: pd.DataFrame, *, document: str, at: AsOf, policy: MeasurePolicy
) -> Measure:
    """Amount-weighted days from document to last payment, of documents whose balance reached zero in the window."""
    name = MeasureName.DAYS_TO_PAY_INVOICES if document == "Invoice" else MeasureName.DAYS_TO_PAY_BILLS
    noun = "invoices" if document == "Invoice" else "bills"
    formula = f"sum of (amount x days from the date of the {noun[:-1]} to its last payment) / sum of amounts"
    own = known[known["txn_type"] == document]
    paid = _paid(known, own, applications, document=document, at=at)
    recent = paid[_in_window(paid["paid_on"], at=at, policy=policy)]
    weights = recent["total_cents"].to_numpy(dtype="int64")
    days = (recent["paid_on"] - recent["txn_date"]).dt.days.to_numpy(dtype="int64")
    # Python's whole numbers: cents times days of a whole year's sales could leave 64 bits behind.
    weighted = sum(int(cents) * int(count) for cents, count in zip(weights, days, strict=True))
    inputs = {f"{noun} paid": len(recent), "amount paid": int(weights.sum()), "amount x days": weighted}
    if own.empty:
        state, reason = MeasureState.NO_DATA, f"the books hold no {noun}"
    elif recent.empty:
        state, reason = MeasureState.NOT_COMPUTABLE, f"no {noun} were paid in full in the window"
    else:
        thousandths = divide_half_up(weighted * _SCALE["days"], int(weights.sum()))
        return _valued(name, "days", thousandths, inputs=inputs, formula=formula)
    return _without(name, "days", state, reason, inputs=inputs, formula=formula)


def _paid(
    known: pd.DataFrame, own: pd.DataFrame, applications: pd.DataFrame, *, document: str, at: AsOf
) -> pd.DataFrame:
    """The settled documents that money was paid for, with `paid_on`; one that only a credit settled was not paid."""
    applied = select_known(applications, known_until=at.known_until, first_known_at=at.first_known_at, key=DOCUMENT_KEY)
    applied = applied[(applied["target_type"] == document) & (applied["txn_type"] == _SETTLED_BY[document])]
    payments = known[known["txn_type"] == _SETTLED_BY[document]].set_index("qbo_id")["total_cents"]
    has_money = applied["qbo_id"].map(payments).fillna(0) > 0
    by_target = (
        applied.assign(has_money=has_money)
        .groupby("target_id")
        .agg(paid_on=("txn_date", "max"), money=("has_money", "any"))
    )
    settled = own[(own["open_cents"] == 0) & (own["total_cents"] > 0)]
    joined = settled.join(by_target, on="qbo_id")
    return joined[joined["money"].eq(other=True) & joined["paid_on"].notna()]


def _due_within(payables: pd.DataFrame, *, policy: MeasurePolicy) -> int:
    """Open payables, credits included, but for what falls due after the window's length from now."""
    return int(payables.loc[payables["overdue_days"] >= -policy.window_days, "open_cents"].sum())


def _valued(name: MeasureName, unit: Unit, thousandths: int, *, inputs: Mapping[str, int], formula: str) -> Measure:
    return Measure(
        name=name,
        state=MeasureState.VALUE if thousandths else MeasureState.ZERO,
        unit=unit,
        value_thousandths=thousandths,
        inputs=_listed(inputs),
        formula=formula,
        reason=formula,
    )


def _without(
    name: MeasureName, unit: Unit, state: MeasureState, reason: str, *, inputs: Mapping[str, int], formula: str
) -> Measure:
    return Measure(
        name=name,
        state=state,
        unit=unit,
        value_thousandths=None,
        inputs=_listed(inputs),
        formula=formula,
        reason=reason,
    )


def _listed(inputs: Mapping[str, int]) -> tuple[MeasureInput, ...]:
    return tuple(MeasureInput(name=name, amount=amount) for name, amount in inputs.items())
