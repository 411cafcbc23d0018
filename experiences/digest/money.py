"""The sections "Money in" and "Money out": the next seven days, and what is past due.

Belongs here: which lists they show and what a row says, payments under way. Does not: amounts of the forecast as a whole
(``view.py``).
"""

from experiences.digest.attention import contact_assumption, contact_table, plan_sentence, plan_tables
from experiences.digest.comparison import Estimate
from experiences.digest.document import BillLine, DigestDocument, FlowLine, InvoiceLine
from experiences.digest.payment_workflow import PaymentWorkflow
from experiences.digest.sentences import lateness, name
from experiences.digest.tables import Section, Table, TableRow, listing_table, row, section
from experiences.digest.wording import counted, days, doc_number, money_exact, money_short, short_date


def money_in(document: DigestDocument) -> Section:
    """Receipts expected within the week ahead, and invoices past due."""
    money = document.money_in
    until = short_date(money.until, near=document.as_of)
    return section(
        heading="Money in",
        paragraphs=(_estimate(money.estimate, until=until, document=document), contact_assumption(document)),
        tables=(
            listing_table(
                money.expected,
                document=document,
                caption=f"Expected by {until}",
                noun="invoice",
                columns=("Customer", "Expected"),
                to_row=_expected_row,
            ),
            listing_table(
                money.other,
                document=document,
                caption=f"Other receipts by {until}",
                noun="receipt",
                columns=("From", "Expected"),
                to_row=_flow_row,
            ),
            listing_table(
                money.overdue,
                document=document,
                caption="Past due",
                noun="invoice",
                columns=("Customer", "Open"),
                to_row=_overdue_invoice_row,
            ),
            contact_table(document),
        ),
    )


def money_out(document: DigestDocument) -> Section:
    """Bills past due, bills falling due and other payments of the week ahead, with their sum."""
    money = document.money_out
    until = short_date(money.until, near=document.as_of)
    tables = (
        listing_table(
            money.overdue,
            document=document,
            caption="Bills past due",
            noun="bill",
            columns=("Vendor", "Amount"),
            to_row=_bill_row,
        ),
        listing_table(
            money.due,
            document=document,
            caption=f"Bills expected to be paid by {until}",
            noun="bill",
            columns=("Vendor", "Amount"),
            to_row=_bill_row,
        ),
        listing_table(
            money.other,
            document=document,
            caption=f"Other payments expected by {until}",
            noun="payment",
            columns=("For", "Amount"),
            to_row=_flow_row,
        ),
    )
    estimate = _estimate(money.estimate, until=until, document=document)
    listed = _money_out_sum(document) if any(tables) else ""
    return section(
        heading="Money out",
        tables=(*tables, *plan_tables(document)),
        paragraphs=(listed, estimate, plan_sentence(document)),
    )


def _estimate(estimate: Estimate | None, *, until: str, document: DigestDocument) -> str:
    """What the week ahead brings in all; the lists show only what more likely than not comes within it."""
    if estimate is None:
        return ""
    expected, low, high = (
        money_short(cents, currency=document.currency)
        for cents in (estimate.expected_cents, estimate.p10_cents, estimate.p90_cents)
    )
    return (
        f"Expected by {until} in all: {expected}, in 8 of 10 courses {low} to {high}, with what is not entered yet "
        "and each document by its probability."
    )


def _money_out_sum(document: DigestDocument) -> str:
    money = document.money_out
    total = money_exact(money.total_cents, currency=document.currency)
    if money.cash_after_cents is None:
        return f"Listed together {total}."
    after = money_exact(money.cash_after_cents, currency=document.currency)
    return f"Listed together {total}. Cash less these, before anything comes in: {after}."


def _expected_row(line: InvoiceLine, document: DigestDocument) -> TableRow:
    near = document.as_of
    return row(
        name(line.customer),
        f"expected {short_date(line.expected_on, near=near)}",
        doc_number(line.doc_number),
        f"due {short_date(line.due_date, near=near)}" if line.due_date else "no due date",
        lateness(line),
        _of_open(line.amount_cents, line.open_cents, document=document),
        value=money_exact(line.amount_cents, currency=document.currency),
    )


def _overdue_invoice_row(line: InvoiceLine, document: DigestDocument) -> TableRow:
    return row(
        name(line.customer),
        lateness(line),
        doc_number(line.doc_number),
        f"due {short_date(line.due_date, near=document.as_of)}" if line.due_date else "no due date",
        value=money_exact(line.amount_cents, currency=document.currency),
    )


def _bill_row(line: BillLine, document: DigestDocument) -> TableRow:
    return row(
        name(line.vendor),
        _bill_age(line),
        doc_number(line.doc_number),
        "" if line.due_date is None else f"due {short_date(line.due_date, near=document.as_of)}",
        _of_open(line.amount_cents, line.open_cents, document=document),
        value=money_exact(line.amount_cents, currency=document.currency),
    )


def _bill_age(line: BillLine) -> str:
    """Days past due; a bill without a due date is counted from its own date and says so."""
    if line.due_date is None:
        return f"no due date, dated {days(line.overdue_days)} ago" if line.overdue_days else "no due date"
    return f"{days(line.overdue_days)} past due" if line.overdue_days else ""


def _flow_row(line: FlowLine, document: DigestDocument) -> TableRow:
    day = short_date(line.day, near=document.as_of)
    return row(name(line.label), line.kind.value, day, value=money_exact(line.amount_cents, currency=document.currency))


def _of_open(amount_cents: int, open_cents: int, *, document: DigestDocument) -> str:
    """Names the book balance where credits leave less of it to pay."""
    return "" if amount_cents == open_cents else f"of {money_exact(open_cents, currency=document.currency)} open"


def workflow_section(document: DigestDocument) -> Section:
    """What of the payment workflow is under way; empty while nothing is."""
    workflow, currency = document.workflow, document.currency
    if workflow is None or workflow.is_quiet:
        return section(heading="Payments under way")
    rows = [
        row(f"{what}: {counted(tally.count, 'payment')}", value=money_exact(tally.cents, currency=currency))
        for what, tally in (
            ("Decided and set aside", workflow.set_aside),
            ("Decided, set aside later", workflow.later),
            ("Paid, in no balance yet", workflow.unsettled),
            ("Proposed, not decided", workflow.proposed),
        )
        if tally.count
    ]
    table = Table(
        caption=f"In the payment ledger on {short_date(document.as_of, near=document.as_of)}",
        columns=("Payments", "Amount"),
        rows=tuple(rows),
        more="",
    )
    free = money_exact(workflow.free_cents, currency=currency)
    return section(
        heading="Payments under way",
        tables=(table if rows else None,),
        paragraphs=(
            f"Free cash {free}: cash less the floors of its accounts, reserves and what is set aside.{_overridden(workflow)}",
        ),
    )


def _overridden(workflow: PaymentWorkflow) -> str:
    """How often people set cash or the policy aside; nothing of nothing."""
    if not workflow.overridden:
        return ""
    lacking = f", {workflow.unconfirmed:,} unconfirmed" if workflow.unconfirmed else ""
    return f" Rules overridden: {workflow.overridden:,}{lacking}."
