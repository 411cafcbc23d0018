"""The sections "Money in" and "Money out": the next seven days, and what is past due.

Belongs here: which lists they show and what a row says, payments under way. Does not: amounts of the forecast as a whole
(``view.py``).
"""

from experiences.digest.attention import contact_assumption, contact_table, plan_sentence, plan_tables
from experiences.digest.comparison import Estimate
from experiences.digest.document import BillLine, DigestDocument, FlowLine, InvoiceLine
from experiences.digest.payment_workflow import PaymentWorkflow
from experiences.digest.sentences import lateness, name
from experiences.digest.tables import OPEN_BILLS, Section, Table, TableRow, listing_table, row, section
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
    """Bills past due and falling due, other payments of the week ahead, and what of all that likely leaves the cash."""
    money = document.money_out
    until = short_date(money.until, near=document.as_of)
    tables = (
        listing_table(
            money.overdue,
            document=document,
            caption="Bills past due",
            noun="bill",
            columns=("Vendor", "Open"),
            to_row=_bill_row,
            where=OPEN_BILLS,
        ),
        listing_table(
            money.due,
            document=document,
            caption=f"Bills due by {until}",
            noun="bill",
            columns=("Vendor", "Open"),
            to_row=_bill_row,
            where=OPEN_BILLS,
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
    # What is owed, what likely leaves, what leaves on average: three sums of one week, told apart where they stand together.
    sums = _outgoings(document, until=until) if any(tables) else None
    return section(
        heading="Money out",
        tables=(*tables, sums, *plan_tables(document)),
        paragraphs=(
            "" if sums else _estimate(money.estimate, until=until, document=document),
            plan_sentence(document),
        ),
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


def _outgoings(document: DigestDocument, *, until: str) -> Table:
    """The sums of the week ahead, each with what it counts."""
    money, currency = document.money_out, document.currency
    due = counted(money.overdue.count + money.due.count, "bill")
    likely, others = counted(money.likely.count, "bill"), counted(money.other.count, "other payment")
    after = (
        ""
        if money.cash_after_cents is None
        else f"cash less these, before anything comes in: {money_exact(money.cash_after_cents, currency=currency)}"
    )
    rows = [
        row(
            f"Due: {due}",
            "past due or due by then, whenever they are paid",
            value=money_exact(money.overdue.total_cents + money.due.total_cents, currency=currency),
        ),
        row(
            f"Likely paid: {likely}, {others}",
            "; ".join(text for text in ("by when such payments are usually made", after) if text),
            value=money_exact(money.likely_cents, currency=currency),
        ),
    ]
    if money.estimate is not None:
        low, high = (
            money_short(cents, currency=currency) for cents in (money.estimate.p10_cents, money.estimate.p90_cents)
        )
        rows.append(
            row(
                "Expected in all",
                f"each by its probability, with what is not entered yet; in 8 of 10 courses {low} to {high}",
                value=money_short(money.estimate.expected_cents, currency=currency),
            )
        )
    return Table(
        caption=f"Going out by {until}, counted in {len(rows)} ways",
        columns=("Sum", "Amount"),
        rows=tuple(rows),
        more="",
    )


def _expected_row(line: InvoiceLine, document: DigestDocument) -> TableRow:
    near = document.as_of
    return row(
        name(line.customer),
        "" if line.expected_on is None else f"expected {short_date(line.expected_on, near=near)}",
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
        value=money_exact(line.open_cents, currency=document.currency),
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
