"""The sections on cash by account, open balances by age, burn, and the data notes.

Belongs here: what each of them shows. Does not: flows of the week ahead (``money.py``).
"""

from experiences.digest.document import DigestDocument
from experiences.digest.sentences import name, net_burn_explained, note, sentence
from experiences.digest.tables import Section, Table, TableRow, more_rows, row, section
from experiences.digest.wording import counted, money_exact
from runway_calcs.books.ageing import BUCKETS
from runway_calcs.books.burn import BurnState
from runway_calcs.books.cash import CashState


def cash_section(document: DigestDocument) -> Section:
    """Cash account by account, what is left out and why, and what is owed on cards."""
    return section(
        heading="Cash by account",
        tables=(_counted_table(document), _left_out_table(document)),
        paragraphs=(_cash_state(document), _cards(document)),
    )


def _counted_table(document: DigestDocument) -> Table | None:
    accounts, currency = document.cash.accounts, document.currency
    if not accounts.rows:
        return None
    rows = [row(name(item.name), value=money_exact(item.balance_cents, currency=currency)) for item in accounts.rows]
    hidden = accounts.count - len(accounts.rows)
    if hidden:
        # Above the total and with their sum, so that the column adds up.
        rest = accounts.total_cents - sum(item.balance_cents for item in accounts.rows)
        rows.append(row(counted(hidden, "more account"), value=money_exact(rest, currency=currency)))
    rows.append(
        row(
            f"Cash, {counted(accounts.count, 'account')}",
            value=money_exact(accounts.total_cents, currency=currency),
            is_total=True,
        )
    )
    return Table(caption="Counted as cash", columns=("Account", "Balance"), rows=tuple(rows), more="")


def _left_out_table(document: DigestDocument) -> Table | None:
    cash = document.cash
    if not cash.left_out:
        return None
    rows = tuple(
        row(
            name(account.name),
            account.reason.value,
            value=money_exact(account.balance_cents, currency=account.currency),
        )
        for account in cash.left_out
    )
    return Table(
        caption="Not counted as cash",
        columns=("Account", "Balance"),
        rows=rows,
        more=more_rows(hidden=cash.left_out_count - len(rows)),
    )


def _cash_state(document: DigestDocument) -> str:
    if document.cash.state is CashState.OK:
        return ""
    opening = "No data for cash" if document.cash.state is CashState.NO_DATA else "Cash is not computable"
    return " ".join(part for part in (f"{opening}.", sentence(document.cash.reason, near=document.as_of)) if part)


def _cards(document: DigestDocument) -> str:
    owed = document.cash.card_owed_cents
    if owed == 0:
        return ""
    amount = money_exact(abs(owed), currency=document.currency)
    return f"Owed on credit cards: {amount}." if owed > 0 else f"Credit balance on credit cards: {amount}."


def ageing_section(document: DigestDocument) -> Section:
    """What is open with customers and vendors, by days past due."""
    heading = "Open balances by age"
    sides = [
        (title, side)
        for title, side in (("Customers owe", document.receivables), ("Owed to vendors", document.payables))
        if side is not None
    ]
    if not sides:
        return section(heading=heading)
    labels = ("Not yet due", *(f"{bucket} days" for bucket in BUCKETS[1:]), "Total")
    columns = [(*side.bucket_cents, side.total_cents) for _, side in sides]
    rows = tuple(
        TableRow(
            label=label,
            detail="",
            values=tuple(money_exact(column[place], currency=document.currency) for column in columns),
            is_total=label == "Total",
        )
        for place, label in enumerate(labels)
    )
    table = Table(
        caption="By days past the due date, credits deducted",
        columns=("Age", *(title for title, _ in sides)),
        rows=rows,
        more="",
    )
    return section(heading=heading, tables=(table,))


def burn_section(document: DigestDocument) -> Section:
    """Gross and net burn and the buffer in a few sentences, or why there are none."""
    burn, currency = document.burn, document.currency
    if burn.gross_per_day_cents is None:
        opening = "No data for burn." if burn.state is BurnState.NO_DATA else "Burn is not computable."
        text = " ".join(part for part in (opening, sentence(burn.reason, near=document.as_of)) if part)
        return section(heading="Burn and buffer", paragraphs=(text,))
    buffer = (
        ""
        if burn.buffer_days is None
        else f"Without any receipts the cash would last {counted(burn.buffer_days, 'day')} at that pace."
    )
    one_offs = (
        f"That includes {counted(burn.one_off_count, 'one-off payment')} of together "
        f"{money_exact(burn.one_off_cents, currency=currency)}."
        if burn.one_off_count
        else ""
    )
    text = " ".join(part for part in (_outflow(document), one_offs, buffer, net_burn_explained(document)) if part)
    return section(heading="Burn and buffer", paragraphs=(text,))


def _outflow(document: DigestDocument) -> str:
    """The gross burn as a sentence; a median of nothing is not yet nothing."""
    burn, currency = document.burn, document.currency
    if burn.gross_per_day_cents:
        return f"Operating cash out: {money_exact(burn.gross_per_day_cents, currency=currency)} a day."
    if burn.out_cents == 0:
        return "No operating cash went out."
    in_all = "" if burn.out_cents is None else f"; {money_exact(burn.out_cents, currency=currency)} did in all"
    return f"In most 4-week windows of the last 13 weeks no operating cash went out{in_all}."


def notes_section(document: DigestDocument) -> Section:
    """What in the books limits the figures."""
    return section(heading="Data notes", bullets=tuple(note(item, document=document) for item in document.notes))
