"""What is paid on the spot: the company card, subscriptions, direct debits.

Belongs here: Purchase entries of running costs, as the bank feed brings them in overnight, some uncategorised.
Does not: paying the card (``treasury.py``), payroll and taxes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from qbo_sandbox.generate.chart import CARD, CHECKING, UNCATEGORIZED, account_ref
from qbo_sandbox.generate.defects import DefectKind, PlannedDefect
from qbo_sandbox.generate.draws import between, shares, split_cents
from qbo_sandbox.generate.office import DAY
from qbo_sandbox.generate.parties import Parties, Vendor
from qbo_sandbox.generate.plan import Plan
from qbo_sandbox.generate.timeline import Entry, Json, expense_line

_UNCATEGORIZED_CHANCE = 0.035
_CARD_REFUND_CHANCE = 0.015
_SMALLEST_CENTS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchases:
    """The purchases and which of them nobody categorised."""

    entries: Sequence[Entry]
    defects: Sequence[PlannedDefect]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expense:
    key: str
    vendor: Vendor
    on: date
    cents: int
    days_to_feed: int = 1
    account: str = ""
    is_refund: bool = False


def draw_purchases(plan: Plan, parties: Parties) -> Purchases:
    """Card purchases, subscriptions and direct debits of the history."""
    rng = plan.rng("purchases")
    on_card: list[_Expense] = []
    on_bank: list[_Expense] = []
    for month in plan.months():
        season = plan.season(month.first)
        count = max(1, month.count(rng, plan.monthly.card_purchases, season=season))
        budget = round(plan.spending.card / 12 * season * month.part)
        on_card += _month(rng, "card", parties.card_merchants, month.some_days(rng, count), budget)
        count = max(1, month.count(rng, plan.monthly.bank_purchases))
        budget = round(plan.spending.bank / 12 * month.part)
        on_bank += _month(rng, "bank", parties.direct_debits, month.some_days(rng, count), budget)
    on_card = [_as_keyed(rng, expense, number) for number, expense in enumerate(on_card)]
    on_card += _subscriptions(plan, parties)
    on_card.append(_last_evening(plan, parties))
    entries = [_entry(plan, expense, on_card=True) for expense in on_card]
    entries += [_entry(plan, expense, on_card=False) for expense in on_bank]
    defects = [
        PlannedDefect(kind=DefectKind.UNCATEGORIZED_PURCHASE, entity="Purchase", keys=(expense.key,))
        for expense in on_card
        if expense.account == UNCATEGORIZED
    ]
    return Purchases(entries=entries, defects=defects)


def _month(
    rng: np.random.Generator, kind: str, vendors: Sequence[Vendor], days: Sequence[date], budget: int
) -> Iterator[_Expense]:
    amounts = split_cents(budget, shares(rng, len(days), spread=0.9))
    for number, (day, cents) in enumerate(zip(days, amounts, strict=True)):
        yield _Expense(
            key=f"purchase:{kind}:{day.isoformat()}:{number}",
            vendor=vendors[int(rng.integers(len(vendors)))],
            on=day,
            cents=max(cents, _SMALLEST_CENTS),
            days_to_feed=between(rng, 1, 3),
        )


def _as_keyed(rng: np.random.Generator, expense: _Expense, number: int) -> _Expense:
    """Most purchases are categorised, some are not, and a few are money back."""
    # The first is always uncategorised: even the smallest company has one.
    if number == 0 or float(rng.random()) < _UNCATEGORIZED_CHANCE:
        return replace(expense, account=UNCATEGORIZED)
    return replace(expense, is_refund=float(rng.random()) < _CARD_REFUND_CHANCE)


def _subscriptions(plan: Plan, parties: Parties) -> Iterator[_Expense]:
    """The same amounts on the same day of every month."""
    rng = plan.rng("subscriptions")
    total = sum(vendor.weight for vendor in parties.subscriptions)
    for number, vendor in enumerate(parties.subscriptions):
        cents = max(_SMALLEST_CENTS, round(plan.spending.subscriptions / 12 * vendor.weight / total))
        billed = between(rng, 0, 27)
        for month in plan.months():
            day = month.first + DAY * billed
            if day <= month.last:
                key = f"purchase:subscription:{number}:{day.isoformat()}"
                yield _Expense(key=key, vendor=vendor, on=day, cents=cents)


def _last_evening(plan: Plan, parties: Parties) -> _Expense:
    """A card purchase on the eve of the last morning, so that the history runs up to it."""
    rng = plan.rng("last evening")
    merchant = parties.card_merchants[0]
    return _Expense(key="purchase:last evening", vendor=merchant, on=plan.as_of - DAY, cents=between(rng, 1_500, 9_000))


def _entry(plan: Plan, expense: _Expense, *, on_card: bool) -> Entry:
    signed = expense.cents if expense.is_refund else -expense.cents
    body: Json = {
        "AccountRef": account_ref(CARD if on_card else CHECKING),
        "PaymentType": "CreditCard" if on_card else "Cash",
        "EntityRef": expense.vendor.entity_ref,
        "TxnDate": expense.on.isoformat(),
        "Line": [expense_line(account_ref(expense.account or expense.vendor.account), expense.cents)],
    }
    if expense.is_refund:
        body["Credit"] = True
    return Entry(
        at=plan.office.nightly_import(expense.on + DAY * expense.days_to_feed, "card feed" if on_card else "bank feed"),
        on=expense.on,
        entity="Purchase",
        key=expense.key,
        body=body,
        cash_cents=0 if on_card else signed,
        card_cents=signed if on_card else 0,
    )
