"""What of the payment ledger a console's page says: what holds the cash, what is staged and what that would change.

Belongs here: its words. Does not: the figures (``ledger_facts.py``), the rest of the page (``render.py``).
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeAlias

from experiences.console.document import ConsoleDocument
from experiences.console.ledger_facts import ConsoleLedger
from experiences.digest.sentences import name
from experiences.digest.wording import counted, days, doc_number, money_exact, money_short, percent, short_date
from experiences.pages.page import Block, Cell, PageTable
from runway_calcs.forecast.what_if_draws import WhatIfEffect

_HELD = {"soft": "set aside later", "pending": "set aside", "posted": "paid, not in a balance yet"}
_BASIS_POINT_PPM = 100
_NOTHING = Cell(text="")
_Row: TypeAlias = tuple[Cell, Cell, Cell]


def ledger_blocks(document: ConsoleDocument) -> tuple[Block, ...]:
    """The blocks of free cash and of what is staged; none before the ledger took in any books."""
    ledger = document.ledger
    if ledger is None:
        return ()
    return (_set_aside(document, ledger), *_staged(document, ledger))


def _set_aside(document: ConsoleDocument, ledger: ConsoleLedger) -> Block:
    rows = [
        (Cell(text=name(one.name), detail=("in the books",)), _money(document, one.basis_cents), _NOTHING)
        for one in ledger.accounts
    ]
    # What is kept on account of the floor: where a payroll reserve is part of it, less than the floor itself.
    floor = sum(
        one.basis_cents - one.reserved_cents - one.pending_cents - one.posted_cents - one.free_cents
        for one in ledger.accounts
    )
    rows += [(Cell(text="Floor of the accounts"), _money(document, -floor), _NOTHING)] if floor else []
    rows += [*_reserved(document, ledger), *_held(document, ledger)]
    rows.append((Cell(text="Free cash"), _money(document, ledger.free_cents), _NOTHING))
    table = PageTable(
        caption="From the cash in the books to free cash",
        columns=("What", "Amount", "Day"),
        figures=(False, True, True),
        rows=tuple(rows),
    )
    log = f"The ledger's log had come to row {ledger.audit_number:,}, {ledger.audit_hash}."
    return Block(heading="Free cash", paragraphs=(log,) if ledger.audit_number else (), tables=(table,))


def _reserved(document: ConsoleDocument, ledger: ConsoleLedger) -> Iterator[_Row]:
    for one in ledger.reserves:
        if one.held_cents:
            row = (
                Cell(text=name(one.name), detail=(f"{one.kind} reserve",)),
                _money(document, -one.held_cents),
                _NOTHING,
            )
            yield _taken_off(row, ledger, account_id=one.account_id)


def _held(document: ConsoleDocument, ledger: ConsoleLedger) -> Iterator[_Row]:
    for one in ledger.holds:
        detail = tuple(text for text in (doc_number(one.doc_number), _HELD[one.state]) if text)
        # Money that is set aside later is still free.
        cents = _money(document, -one.amount_cents) if one.state != "soft" else _NOTHING
        row = Cell(text=name(one.vendor), detail=detail), cents, Cell(text=short_date(one.pay_on, near=document.as_of))
        yield _taken_off(row, ledger, account_id=one.account_id)


def _taken_off(row: _Row, ledger: ConsoleLedger, *, account_id: str) -> _Row:
    """A row with its amount, or without where the account's own balance is not in the sum either."""
    if account_id in {one.account_id for one in ledger.accounts}:
        return row
    words, _, day = row
    return replace(words, detail=(*words.detail, "of an account that is no cash any more")), _NOTHING, day


def _money(document: ConsoleDocument, cents: int) -> Cell:
    return Cell(text=money_exact(cents, currency=document.currency))


def _staged(document: ConsoleDocument, ledger: ConsoleLedger) -> tuple[Block, ...]:
    if not ledger.staged:
        return ()
    total = sum(one.amount_cents for one in ledger.staged)
    words = f"{counted(len(ledger.staged), 'bill')} staged, {money_exact(total, currency=document.currency)} together."
    if ledger.staged_on is not None and ledger.staged_effect is not None:
        on = short_date(ledger.staged_on, near=document.as_of)
        words += f" Paid on {on}: {_effect(ledger.staged_effect, currency=document.currency)}."
    table = PageTable(
        caption="Proposed for payment, not decided",
        columns=("Bill", "Amount"),
        figures=(False, True),
        rows=tuple(
            (
                Cell(text=name(one.vendor), detail=tuple(filter(None, (doc_number(one.doc_number),)))),
                Cell(text=money_exact(one.amount_cents, currency=document.currency)),
            )
            for one in ledger.staged
        ),
    )
    return (Block(heading="Staged", paragraphs=(words,), tables=(table,)),)


def _effect(found: WhatIfEffect, *, currency: str) -> str:
    """The change of the runway, of the low point and of the probability: "runway 3 days shorter, low point -$1.2k, ..."."""
    low = money_short(found.low_cents, currency=currency)
    before, after = (percent(one.below_floor_ppm // _BASIS_POINT_PPM) for one in (found.before, found.after))
    return (
        f"runway {_longer(found)}, low point {'+' if found.low_cents > 0 else ''}{low}, "
        f"below the floor within 13 weeks {before} before, {after} after"
    )


def _longer(found: WhatIfEffect) -> str:
    if not found.days:
        return "unchanged"
    bound = "at least " if found.is_open_ended else ""
    return f"{bound}{days(abs(found.days))} {'longer' if found.days > 0 else 'shorter'}"
