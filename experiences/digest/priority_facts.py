"""From priorities, plan and defects to the facts of a digest: choosing, sorting, cutting.

Belongs here: which of them a week shows. Does not: their shape (``priorities.py``), words (``attention.py``).
"""

from collections.abc import Mapping, Sequence
from datetime import date

from experiences.digest.listing import FEW_ROWS, Listing, listing
from experiences.digest.priorities import (
    Collection,
    ContactLine,
    DataToFix,
    DefectLine,
    DiscountLine,
    Plan,
    PlannedLine,
    UnplannedTotal,
    WaitingLine,
)
from experiences.digest.wording import plain_text
from runway_calcs.bills.priority import BillPriority, HardDateKind
from runway_calcs.collection.priority import CollectionPriority, Contact, ContactInvoice, PriorityState
from runway_calcs.forecast.expected_payments import ExpectedPayment
from runway_calcs.hygiene.defects import Defect, Severity
from runway_calcs.pay_plan.apart import WhyApart
from runway_calcs.pay_plan.plan import PayPlan
from runway_calcs.pay_plan.reasons import Outcome, PlannedBill

LEAST_CONTACT_CENTS = 5_000
"""What a contact has to move before the low point to be named: less is not worth a call. Our judgement."""


def collection_facts(found: CollectionPriority) -> Collection:
    """The contacts that are worth one: an invoice is past due, or later than usual, and enough moves before the low point."""
    lines = [
        ContactLine(
            customer=plain_text(one.customer_name),
            value_cents=one.value_cents,
            overdue_cents=one.overdue_cents,
            doc_number=plain_text(late.doc_number),
            days_late=late.delay.days_late,
            usual_days_late=late.delay.usual_days_late,
            paid_invoices=late.delay.paid_invoices,
        )
        for one in (found.contacts if found.state is PriorityState.OK else ())
        if one.value_cents is not None and one.value_cents >= LEAST_CONTACT_CENTS
        for late in _latest(one)
    ]
    return Collection(
        state=found.state,
        low_on=found.low_on,
        contacts=listing(lines, cents=[line.value_cents for line in lines], most=FEW_ROWS),
        assumption=plain_text(found.assumption),
    )


def _latest(contact: Contact) -> tuple[ContactInvoice, ...]:
    """The invoice to speak of: the first that is later than usual, else the oldest; none if that is not due yet."""
    asked = [one for one in contact.invoices if one.collectible_cents and not one.is_disputed]
    unusual = [one for one in asked if one.delay.is_unusual]
    oldest = [one for one in asked[:1] if one.delay.days_late > 0]
    return tuple((unusual or oldest)[:1])


def plan_facts(
    plan: PayPlan | None,
    *,
    bills: Sequence[BillPriority],
    payments: Sequence[ExpectedPayment],
    doc_numbers: Mapping[str, str],
    until: date,
) -> Plan | None:
    """The plan up to a day; None without one. Its window begins on the day after the as-of day."""
    if plan is None:
        return None
    planned = [(bill, one) for bill in plan.bills for one in bill.payments if one.paid_on <= until]
    lines = [
        PlannedLine(
            vendor=plain_text(bill.party_name),
            doc_number=plain_text(doc_numbers.get(bill.bill_id, "")),
            paid_on=one.paid_on,
            cash_cents=one.cash_cents,
        )
        for bill, one in sorted(planned, key=lambda pair: (pair[1].paid_on, -pair[1].cash_cents, pair[0].bill_id))
    ]
    waiting = _waiting(plan, payments=payments, doc_numbers=doc_numbers, until=until)
    return Plan(
        state=plan.state,
        words=plain_text(plan.words),
        payments=listing(lines, cents=[line.cash_cents for line in lines], most=FEW_ROWS),
        balance_after_cents=plan.balance_cents[(until - plan.as_of).days - 1],
        low_cents=plan.low_cents,
        low_on=plan.low_on,
        waiting=listing(waiting, cents=[line.amount_cents for line in waiting], most=FEW_ROWS),
        waiting_cost_cents=sum(line.cost_cents for line in waiting),
        discounts=_discounts(bills, doc_numbers=doc_numbers),
        unplanned=_unplanned(plan),
        short_cents=None if plan.shortfall is None else plan.shortfall.cents,
        short_on=None if plan.shortfall is None else plan.shortfall.worst_on,
    )


def _unplanned(plan: PayPlan) -> tuple[UnplannedTotal, ...]:
    cents = {why: [one.cents for one in plan.apart if one.why is why] for why in WhyApart}
    return tuple(
        UnplannedTotal(why=why, count=len(found), total_cents=sum(found)) for why, found in cents.items() if found
    )


def _waiting(
    plan: PayPlan, *, payments: Sequence[ExpectedPayment], doc_numbers: Mapping[str, str], until: date
) -> list[WaitingLine]:
    """Bills that would usually be paid by the day, or are past due, and that the plan pays later; the costliest first."""
    soon = {one.txn_id for one in payments if one.side == "payables" and one.expected_on <= until}
    waits = [bill for bill in plan.bills if _waits(bill, is_soon=bill.bill_id in soon, as_of=plan.as_of, until=until)]
    waits.sort(key=lambda bill: (-bill.waiting_cost_cents, -bill.open_cents, bill.bill_id))
    return [
        WaitingLine(
            vendor=plain_text(bill.party_name),
            doc_number=plain_text(doc_numbers.get(bill.bill_id, "")),
            amount_cents=bill.open_cents,
            until=bill.payments[0].paid_on if bill.payments else None,
            cost_cents=bill.waiting_cost_cents,
        )
        for bill in waits
    ]


def _waits(bill: PlannedBill, *, is_soon: bool, as_of: date, until: date) -> bool:
    if bill.outcome is Outcome.CREDIT or not (is_soon or bill.due_on <= as_of):
        return False
    return not bill.payments or bill.payments[0].paid_on > until


def _discounts(bills: Sequence[BillPriority], *, doc_numbers: Mapping[str, str]) -> Listing[DiscountLine]:
    lines = [
        DiscountLine(
            vendor=plain_text(bill.party_name),
            doc_number=plain_text(doc_numbers.get(bill.bill_id, "")),
            saves_cents=bill.discount_cents,
            last_on=last_on,
            yield_basis_points=None if bill.discount_yield is None else bill.discount_yield.effective_bp,
        )
        for bill in bills
        if bill.discount_cents
        for last_on in [one.on for one in bill.hard_dates if one.kind is HardDateKind.DISCOUNT]
    ]
    lines.sort(key=lambda line: (line.last_on, -line.saves_cents, line.vendor, line.doc_number))
    return listing(lines, cents=[line.saves_cents for line in lines], most=FEW_ROWS)


def data_to_fix(defects: Sequence[Defect], *, score: int | None, set_aside: int) -> DataToFix:
    """The defects in the order given, which is the tray's."""
    lines = [
        DefectLine(
            label=plain_text(one.label),
            what=plain_text(one.what),
            is_blocking=one.severity is Severity.BLOCKING,
            effect=one.effect.state,
            runway_days=one.effect.runway_days,
            is_bound=one.effect.is_bound,
            low_cents=one.effect.low_water_cents,
            age_days=one.age_days,
        )
        for one in defects
    ]
    return DataToFix(
        score=score,
        defects=listing(lines, cents=[one.amount_cents for one in defects], most=FEW_ROWS),
        blocking_count=sum(line.is_blocking for line in lines),
        set_aside=set_aside,
    )
