"""What is on its way without an open document: cards, undeposited funds, entries dated later, known items.

Belongs here: these as items of the forecast, each amount once. Does not: bills, invoices, series.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pandas as pd

from runway_calcs.books.cash import CardAccount, CashPosition
from runway_calcs.books.cash_pieces import CashHabits
from runway_calcs.books.movements import Kind
from runway_calcs.calendar_months import months_later
from runway_calcs.cents import median_half_up
from runway_calcs.flow_kinds import FlowKind, Layer
from runway_calcs.forecast.dated_items import DatedItem, Dating
from runway_calcs.forecast.known_items import KnownItem
from runway_calcs.forecast.recurring import RecurringFlow
from runway_calcs.policy import ForecastPolicy


def balance_items(
    *,
    position: CashPosition,
    movements: pd.DataFrame,
    waiting_later: pd.DataFrame,
    series: Sequence[RecurringFlow],
    habits: CashHabits,
    known_items: Sequence[KnownItem],
    policy: ForecastPolicy,
) -> tuple[DatedItem, ...]:
    """Every amount that is known to come and has no open document, in no particular order."""
    post_dated = movements[movements["date"] > pd.Timestamp(position.as_of)]
    return (
        *_cards(position, series=series, movements=movements, policy=policy),
        *_undeposited(position, later=waiting_later, habits=habits, policy=policy),
        *_post_dated(post_dated),
        *(_known(item) for item in known_items),
    )


def _certain(
    *, item_id: str, kind: FlowKind, amount_cents: int, day: date, label: str, reason: str, **document: str
) -> DatedItem:
    return DatedItem(
        item_id=item_id,
        layer=Layer.DOCUMENTS,
        kind=kind,
        amount_cents=amount_cents,
        expected_on=day,
        dating=Dating.CERTAIN,
        label=label,
        party_id=document.get("party_id", ""),
        txn_type=document.get("txn_type", ""),
        txn_id=document.get("txn_id", ""),
        doc_number=document.get("doc_number", ""),
        stream="",
        reason=reason,
    )


def _cards(
    position: CashPosition, *, series: Sequence[RecurringFlow], movements: pd.DataFrame, policy: ForecastPolicy
) -> list[DatedItem]:
    """The balance owed on each card that no recurring payment covers, less payments entered for later."""
    payments = movements[(movements["kind"] == Kind.CARD_PAYMENT) & (movements["amount_cents"] < 0)]
    covered = {
        account_id
        for one in series
        if one.kind == Kind.CARD_PAYMENT
        for account_id in one.counter_account_ids.split(";")
    }
    found = []
    for card in position.cards:
        of_card = payments[
            (";" + payments["counter_account_ids"] + ";").str.contains(f";{card.account_id};", regex=False)
        ]
        is_later = of_card["date"] > pd.Timestamp(position.as_of)
        owed = card.owed_cents + int(of_card.loc[is_later, "amount_cents"].sum())
        if owed > 0 and card.account_id not in covered:
            paid_on = sorted(of_card.loc[~is_later, "date"].dt.date)
            last = paid_on[-1] if paid_on else card.last_paid_on
            found.append(_card(card, owed_cents=owed, last=last, as_of=position.as_of, policy=policy))
    return found


def _card(card: CardAccount, *, owed_cents: int, last: date | None, as_of: date, policy: ForecastPolicy) -> DatedItem:
    if last is None:
        day = as_of + timedelta(days=policy.card_payment_days)
        reason = f"balance owed, never paid before: {policy.card_payment_days} days from the as-of day"
    else:
        months = 1
        while (day := months_later(last, months=months)) <= as_of:
            months += 1
        reason = f"balance owed, last paid {last}: the same day of the next month"
    return _certain(
        item_id=f"card:{card.account_id}",
        kind=FlowKind.CARD,
        amount_cents=-owed_cents,
        day=day,
        label=card.name,
        reason=reason,
    )


def _undeposited(
    position: CashPosition, *, later: pd.DataFrame, habits: CashHabits, policy: ForecastPolicy
) -> list[DatedItem]:
    """Receipts that wait for their deposit, those entered for later too, each on its day and after the usual wait.

    A deposit entered for later is an item of its own: what it takes, first in, first out, waits for no other.
    """
    seen = habits.deposit_wait_days
    wait = median_half_up(seen) if seen else policy.undeposited_days
    how = f"deposits took {wait} days" if seen else f"taken to reach the bank in {wait} days"
    now = _certain(
        item_id="undeposited",
        kind=FlowKind.UNDEPOSITED,
        amount_cents=max(position.undeposited_cents, 0),
        day=position.as_of + timedelta(days=max(1, wait)),
        label="Undeposited funds",
        reason=f"received, {how}",
    )
    puts = [now, *_received_later(later[later["amount_cents"] > 0], wait=wait, how=how)]
    taken = -int(later.loc[later["amount_cents"] < 0, "amount_cents"].sum()) + max(-position.undeposited_cents, 0)
    found = []
    for item in puts:
        used = min(taken, item.amount_cents)
        taken -= used
        if used < item.amount_cents:
            found.append(replace(item, amount_cents=item.amount_cents - used))
    return found


def _received_later(received: pd.DataFrame, *, wait: int, how: str) -> list[DatedItem]:
    columns = ["label", "party_id", "txn_type", "txn_id", "doc_number", "amount_cents"]
    rows = received[columns].itertuples(index=False, name=None)
    return [
        _certain(
            item_id=f"undeposited:{txn_type}:{txn_id}",
            kind=FlowKind.UNDEPOSITED,
            amount_cents=int(cents),
            day=day + timedelta(days=wait),
            label=label or "Undeposited funds",
            reason=f"entered for {day}, {how}",
            party_id=party_id,
            txn_type=txn_type,
            txn_id=txn_id,
            doc_number=doc_number,
        )
        for day, (label, party_id, txn_type, txn_id, doc_number, cents) in zip(
            received["date"].dt.date, rows, strict=True
        )
    ]


def _post_dated(post_dated: pd.DataFrame) -> list[DatedItem]:
    columns = ["label", "party_id", "txn_type", "txn_id", "doc_number", "amount_cents"]
    rows = post_dated[columns].itertuples(index=False, name=None)
    return [
        _certain(
            item_id=f"dated:{txn_type}:{txn_id}",
            kind=FlowKind.POST_DATED_RECEIPT if cents > 0 else FlowKind.POST_DATED_PAYMENT,
            amount_cents=int(cents),
            day=day,
            label=label,
            reason="entered with this date",
            party_id=party_id,
            txn_type=txn_type,
            txn_id=txn_id,
            doc_number=doc_number,
        )
        for day, (label, party_id, txn_type, txn_id, doc_number, cents) in zip(
            post_dated["date"].dt.date, rows, strict=True
        )
    ]


def _known(item: KnownItem) -> DatedItem:
    return _certain(
        item_id=f"known:{item.item_id}",
        kind=FlowKind.KNOWN_RECEIPT if item.amount_cents > 0 else FlowKind.KNOWN_PAYMENT,
        amount_cents=item.amount_cents,
        day=item.day,
        label=item.label,
        reason=f"{item.author}: {item.reason}" if item.reason else f"entered by {item.author}",
    )
