"""The payment ledger as a week knew it, in the shape of the console's document.

Belongs here: joining holds and proposals with the names of the books, and what the staged bills would change in the forecast.
Does not: reading the ledger (``known_payments.py``), the document's rules (`experiences/console`).
"""

from collections.abc import Mapping
from datetime import UTC, date, timedelta

from assets.books import home_currency
from assets.desk import Desk
from assets.known_payments import known_payments
from experiences.console.ledger_facts import (
    ConsoleAccount,
    ConsoleHold,
    ConsoleLedger,
    ConsoleReserve,
    ConsoleStaged,
)
from experiences.digest.wording import plain_text
from payments.cash.known_holds import KnownLedger
from payments.controls.anchors import Anchor, known_anchor
from payments.store.ledger import Ledger
from runway_calcs.bills.payment_days import banking_days, next_pay_run
from runway_calcs.forecast.figures import CashForecast
from runway_calcs.forecast.what_if_draws import SupposedPayment, WhatIfDraws, WhatIfEffect, what_if_effect


def console_ledger(desk: Desk) -> ConsoleLedger | None:
    """Free cash of the week, what holds the rest, and what is staged; None before the ledger took in any books."""
    known = known_payments(desk)
    if known.free_cents is None:
        return None
    names = _names(desk)
    accounts = tuple(one for one in known.accounts if one.is_cash)
    staged_on, effect = _staged_effect(desk, known)
    head = _head(desk)
    return ConsoleLedger(
        accounts=tuple(
            ConsoleAccount(
                account_id=one.account_id,
                name=plain_text(one.name),
                basis_cents=one.basis_cents,
                floor_cents=one.floor_cents,
                reserved_cents=one.reserved_cents,
                pending_cents=one.pending_cents,
                posted_cents=one.posted_cents,
                free_cents=one.free_cents,
                read_started_at=one.read_started_at.astimezone(UTC),
            )
            for one in accounts
        ),
        holds=tuple(
            ConsoleHold(
                bill_id=one.bill_id,
                vendor=names.get(one.bill_id, (one.bill_id, ""))[0],
                doc_number=names.get(one.bill_id, ("", ""))[1],
                account_id=one.account_id,
                amount_cents=one.amount_cents,
                pay_on=one.pay_on,
                state=one.state,
            )
            for one in sorted(known.holds, key=lambda one: (one.pay_on, one.bill_id, one.hold_id))
        ),
        reserves=tuple(
            ConsoleReserve(
                reserve_id=one.reserve_id,
                kind=one.kind,
                name=plain_text(one.name),
                account_id=one.account_id,
                held_cents=one.held_cents,
                committed_cents=one.committed_cents,
            )
            for one in known.reserves
        ),
        staged=tuple(
            ConsoleStaged(
                bill_id=one.bill_id,
                vendor=names.get(one.bill_id, (one.bill_id, ""))[0],
                doc_number=names.get(one.bill_id, ("", ""))[1],
                amount_cents=one.amount_cents,
            )
            for one in known.proposals
        ),
        free_cents=known.free_cents,
        staged_on=staged_on,
        staged_effect=effect,
        audit_number=head.number,
        audit_hash=head.hash,
    )


def _head(desk: Desk) -> Anchor:
    """How far the log had come when the books were read."""
    ledger = Ledger(desk.installation.database, clock=desk.installation.clock)
    with ledger.look(desk.week.tenant.tenant_id) as look:
        return known_anchor(look, known_until=desk.at.known_until)


def _names(desk: Desk) -> Mapping[str, tuple[str, str]]:
    """Vendor and number of each open bill."""
    frame = desk.frame("books/open_bills")
    columns = frame[frame["txn_type"] == "Bill"][["qbo_id", "party_name", "doc_number"]]
    return {
        str(bill_id): (plain_text(str(vendor)), plain_text(str(number)))
        for bill_id, vendor, number in columns.itertuples(index=False, name=None)
    }


def _staged_effect(desk: Desk, known: KnownLedger) -> tuple[date | None, WhatIfEffect | None]:
    """The next payment day, and what paying everything staged on it would change in the forecast."""
    forecast = desk.result("runway/cash_forecast", CashForecast)
    draws = next(iter(desk.records("priority/what_if", WhatIfDraws)), None)
    if not known.proposals or draws is None or forecast.floor_cents is None:
        return None, None
    days = banking_days(currency=home_currency(desk), as_of=desk.at.as_of)
    pay_on = next_pay_run(first=desk.at.as_of + timedelta(days=1), policy=days)
    payments = [SupposedPayment(bill_id=one.bill_id, on=pay_on, cents=one.amount_cents) for one in known.proposals]
    return pay_on, what_if_effect(draws, floor_cents=forecast.floor_cents, payments=payments)
