"""What a digest says about contacts, waiting bills, discounts, the planned payments and data to fix.

Belongs here: these tables and sentences. Does not: facts (``priority_facts.py``), the other tables of money (``money.py``).
"""

from datetime import date

from experiences.digest.document import DigestDocument
from experiences.digest.priorities import (
    ContactLine,
    DataToFix,
    DefectLine,
    DiscountLine,
    Plan,
    PlannedLine,
    WaitingLine,
)
from experiences.digest.quiet import rows_shown
from experiences.digest.sentences import entry_label, habit, name, sentence
from experiences.digest.tables import OPEN_BILLS, Section, Table, TableRow, listing_table, more_rows, row, section
from experiences.digest.wording import (
    counted,
    days,
    doc_number,
    money_exact,
    money_short,
    percent,
    short_date,
    shortened,
)
from runway_calcs.collection.priority import PriorityState
from runway_calcs.hygiene.defects import EffectState
from runway_calcs.pay_plan.apart import WhyApart
from runway_calcs.pay_plan.plan import PlanState

_WHAT_LIMIT = 90


def contact_table(document: DigestDocument) -> Table | None:
    """Customers who are late, by what a contact today is expected to move before the low point."""
    found = document.money_in.collection
    if found.state is not PriorityState.OK or found.low_on is None or not found.contacts.rows:
        return None
    low_on = short_date(found.low_on, near=document.as_of)
    return listing_table(
        found.contacts,
        document=document,
        caption=f"More cash by the low point on {low_on} after a contact today",
        noun="customer",
        columns=("Customer", "Moves"),
        to_row=_contact_row,
    )


def contact_assumption(document: DigestDocument) -> str:
    """What these figures take a contact to do; empty where there are none."""
    found = document.money_in.collection
    return f"Assumed for these: {found.assumption}." if found.contacts.rows else ""


def _contact_row(line: ContactLine, document: DigestDocument) -> TableRow:
    overdue = (
        f"{money_short(line.overdue_cents, currency=document.currency)} past due in all" if line.overdue_cents else ""
    )
    return row(
        name(line.customer),
        doc_number(line.doc_number) or "its oldest invoice",
        habit(days_late=line.days_late, usual_days_late=line.usual_days_late, paid_invoices=line.paid_invoices),
        overdue,
        value=money_exact(line.value_cents, currency=document.currency),
    )


def plan_tables(document: DigestDocument) -> tuple[Table | None, ...]:
    """The planned payments of the week ahead, what can wait, and discounts that still stand."""
    plan = document.money_out.plan
    if plan is None:
        return ()
    until = short_date(document.money_out.until, near=document.as_of)
    return (
        listing_table(
            plan.payments,
            document=document,
            caption=f"Bills in the plan until {until}",
            noun="payment",
            where=OPEN_BILLS,
            columns=("Vendor", "Amount"),
            to_row=_planned_row,
        ),
        listing_table(
            plan.waiting,
            document=document,
            caption="Bills that can wait in the plan",
            noun="bill",
            where=OPEN_BILLS,
            columns=("Vendor", "Amount"),
            to_row=_waiting_row,
        ),
        listing_table(
            plan.discounts,
            document=document,
            caption="Discounts that still stand",
            noun="discount",
            columns=("Vendor", "Saves"),
            to_row=_discount_row,
        ),
    )


_UNPLANNED = {
    WhyApart.DECIDED: "decided already",
    WhyApart.PROBABLY_DEAD: "so long past due that they are more often paid, void or lost",
}


def plan_sentence(document: DigestDocument) -> str:
    """The cautious balance after the planned payments, what waiting costs, and how good the plan is proven to be."""
    plan = document.money_out.plan
    if plan is None:
        return ""
    if plan.state is PlanState.NOTHING_OPEN and not plan.payments.count:
        return _unplanned(plan, document=document)
    near, currency = document.as_of, document.currency
    after = money_exact(plan.balance_after_cents, currency=currency)
    until = short_date(document.money_out.until, near=near)
    low = money_exact(plan.low_cents, currency=currency)
    how_good = proof(plan.words, short_cents=plan.short_cents, short_on=plan.short_on, currency=currency, near=near)
    return (
        " ".join(
            (
                f"After the plan the cautious balance on {until} is {after}, and at its lowest {low} on "
                f"{short_date(plan.low_on, near=near)}.",
                _waiting_cost(plan, document=document),
                f"The plan is {how_good}.",
                _unplanned(plan, document=document),
            )
        )
        .replace("  ", " ")
        .strip()
    )


def proof(words: str, *, short_cents: int | None, short_on: date | None, currency: str, near: date) -> str:
    """How good the plan is proven to be; a shortfall as the reader's amounts and days are written."""
    if short_cents is None or short_on is None:
        return words
    return f"not feasible, short by {money_exact(short_cents, currency=currency)} on {short_date(short_on, near=near)}"


def _unplanned(plan: Plan, *, document: DigestDocument) -> str:
    """What of the open bills is not in the plan, and why; empty if all is."""
    told = [
        f"{counted(one.count, 'bill')} of {money_exact(one.total_cents, currency=document.currency)} {_UNPLANNED[one.why]}"
        for one in plan.unplanned
    ]
    return f"Not planned: {'; '.join(told)}." if told else ""


def _waiting_cost(plan: Plan, *, document: DigestDocument) -> str:
    if not plan.waiting.count:
        return ""
    if not plan.waiting_cost_cents:
        return "Waiting with these bills costs nothing by the rates that are set."
    cost = money_exact(plan.waiting_cost_cents, currency=document.currency)
    return f"Waiting with these bills is counted at {cost}, late fees, lost discounts and relations together."


def _planned_row(line: PlannedLine, document: DigestDocument) -> TableRow:
    return row(
        name(line.vendor),
        short_date(line.paid_on, near=document.as_of),
        doc_number(line.doc_number),
        value=money_exact(line.cash_cents, currency=document.currency),
    )


def _waiting_row(line: WaitingLine, document: DigestDocument) -> TableRow:
    until = "beyond 13 weeks" if line.until is None else f"until {short_date(line.until, near=document.as_of)}"
    cost = money_exact(line.cost_cents, currency=document.currency)
    return row(
        name(line.vendor),
        until,
        f"waiting costs {cost}" if line.cost_cents else "waiting costs nothing",
        doc_number(line.doc_number),
        value=money_exact(line.amount_cents, currency=document.currency),
    )


def _discount_row(line: DiscountLine, document: DigestDocument) -> TableRow:
    rate = "" if line.yield_basis_points is None else f"{percent(line.yield_basis_points)} a year"
    return row(
        name(line.vendor),
        f"until {short_date(line.last_on, near=document.as_of)}",
        rate,
        doc_number(line.doc_number),
        value=money_exact(line.saves_cents, currency=document.currency),
    )


def data_section(document: DigestDocument) -> Section:
    """What is wrong in the books, by what it changes in the forecast."""
    found = document.data_to_fix
    heading = "Data to fix"
    if not found.defects.rows:
        return section(heading=heading)
    rows = tuple(_defect_row(line, document=document) for line in found.defects.rows[: rows_shown(document)])
    table = Table(
        caption=f"By what mending it changes: {counted(found.defects.count, 'entry', 'entries')}",
        columns=("Entry", "Runway", "Low point"),
        rows=rows,
        more=more_rows(hidden=found.defects.count - len(rows), where="in the tray"),
    )
    return section(heading=heading, tables=(table,), paragraphs=(_score(found),))


def _score(found: DataToFix) -> str:
    aside = f" {counted(found.set_aside, 'entry', 'entries')} set aside by a person." if found.set_aside else ""
    return ("" if found.score is None else f"State of the books: {found.score} of 100.") + aside


def _defect_row(line: DefectLine, *, document: DigestDocument) -> TableRow:
    what = shortened(sentence(line.what, near=document.as_of), limit=_WHAT_LIMIT)
    age = "" if line.age_days is None else f"{days(line.age_days)} old"
    return TableRow(
        label=entry_label(line.label, near=document.as_of),
        detail=" ".join(part for part in (what, f"{age[:1].upper()}{age[1:]}." if age else "") if part),
        values=effect_words(
            line.effect,
            runway_days=line.runway_days,
            is_bound=line.is_bound,
            low_cents=line.low_cents,
            currency=document.currency,
        ),
        is_total=False,
    )


def effect_words(
    effect: EffectState, *, runway_days: int | None, is_bound: bool, low_cents: int | None, currency: str
) -> tuple[str, str]:
    """What mending changes, in days and in cents: "+3 days", "+$1.2k"; no figure is words.

    Of a bound in days the words say to which side the change may be larger: "at least +72 days", "-51 days or worse".
    """
    if runway_days is None or low_cents is None:
        unknown = "not computed" if effect is EffectState.NOT_COMPUTED else "not known"
        return (unknown, unknown)
    amount = money_short(low_cents, currency=currency)
    return (_days_moved(runway_days, is_bound=is_bound), f"+{amount}" if low_cents > 0 else amount)


def _days_moved(count: int, *, is_bound: bool) -> str:
    moved = f"+{days(count)}" if count > 0 else days(count)
    if not is_bound:
        return moved
    return f"{moved} or worse" if count < 0 else f"at least {moved}"
